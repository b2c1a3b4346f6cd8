"""Reads and writes safetensors files: what scripts need of a format whose own package Debian 12 does not have."""

import json
import math
import struct

SIZES = {"F64": 8, "F32": 4, "F16": 2, "BF16": 2, "I64": 8, "I32": 4, "I16": 2, "I8": 1, "U64": 8, "U32": 4, "U16": 2,
         "U8": 1, "BOOL": 1}
DTYPES = {"float64": "F64", "float32": "F32", "int64": "I64", "int32": "I32", "uint8": "U8", "bool": "BOOL"}


def write(path, arrays, metadata=None):
    """arrays: {name: numpy array}, metadata: {text: text}. Wide dtypes come first, so that every array is aligned."""
    header = {"__metadata__": dict(metadata)} if metadata else {}
    order = sorted(arrays, key=lambda name: (-arrays[name].itemsize, name))
    end = 0
    for name in order:
        array = arrays[name]
        begin, end = end, end + array.nbytes
        header[name] = {"dtype": DTYPES[str(array.dtype)], "shape": list(array.shape), "data_offsets": [begin, end]}
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    with open(path, "wb") as file:
        file.write(struct.pack("<Q", len(text)) + text)
        for name in order:
            file.write(arrays[name].tobytes())


def _unique(pairs):
    """An object of JSON, no key of which may come twice."""
    entries = dict(pairs)
    if len(entries) != len(pairs):
        raise ValueError("a key comes twice")
    return entries


def read(path):
    """({name: (dtype, shape, bytes)}, metadata) of a file. Raises ValueError where a rule of the format is broken."""
    with open(path, "rb") as file:
        contents = file.read()
    if len(contents) < 8:
        raise ValueError("the length of the header is cut off")
    (length,) = struct.unpack("<Q", contents[:8])
    if length > 100_000_000 or 8 + length > len(contents):
        raise ValueError(f"a header of {length} bytes in a file of {len(contents)}")
    text = contents[8:8 + length].decode("utf-8")
    if not text.startswith("{"):
        raise ValueError("the header does not begin with {")
    header = json.loads(text, object_pairs_hook=_unique)
    metadata = header.pop("__metadata__", {})
    if not all(isinstance(value, str) for value in metadata.values()):
        raise ValueError("metadata are texts")
    data, end, arrays = contents[8 + length:], 0, {}
    for name, entry in sorted(header.items(), key=lambda item: item[1]["data_offsets"]):
        dtype, shape, (begin, stop) = (entry.pop(key) for key in ("dtype", "shape", "data_offsets"))
        if entry:
            raise ValueError(f"{name}: unknown {', '.join(entry)}")
        if dtype not in SIZES or not all(isinstance(size, int) and size >= 0 for size in shape):
            raise ValueError(f"{name}: {dtype} {shape}")
        if begin != end or stop - begin != math.prod(shape) * SIZES[dtype]:
            raise ValueError(f"{name}: bytes {begin} to {stop} for {dtype} {shape}, after byte {end}")
        arrays[name], end = (dtype, tuple(shape), data[begin:stop]), stop
    if end != len(data):
        raise ValueError(f"{len(data)} bytes of data, {end} of them described")
    return arrays, metadata
