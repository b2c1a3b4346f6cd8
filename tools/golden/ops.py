#!/usr/bin/env python3
"""Writes tests/golden/ops.safetensors: values and gradients of the ops of autograd/ops/op_table.cpp as PyTorch computes
them in float64, with random cotangents; the same file, byte for byte, each time.

The test program dumps the inputs of all samples of the table, ops_table.py tells how PyTorch computes them,
tests/autograd/golden.cpp compares. To be run again when samples or ops are added. Needs PyTorch (1.13 of Debian's
python3-torch wrote the file that is there; later ones may differ in last places) and a built BUILD/tests/test_autograd.

Usage: ops.py [BUILD], default the folder build. Prints the samples that the table leaves out.
"""

import json
import os
import random
import struct
import subprocess
import sys
import tempfile
from pathlib import Path

import torch

from ops_table import PYTORCH, Drawn

ROOT = Path(__file__).resolve().parents[2]
DTYPES = {"F64": ("d", 8, torch.float64), "F32": ("f", 4, torch.float32), "I64": ("q", 8, torch.int64),
          "I32": ("i", 4, torch.int32), "U8": ("B", 1, torch.uint8), "BOOL": ("?", 1, torch.bool)}


def read_safetensors(path):
    raw = path.read_bytes()
    length = struct.unpack("<Q", raw[:8])[0]
    tensors = {}
    for name, entry in json.loads(raw[8:8 + length]).items():
        if name == "__metadata__":
            continue
        code, size, dtype = DTYPES[entry["dtype"]]
        begin, end = (8 + length + offset for offset in entry["data_offsets"])
        values = struct.unpack(f"<{(end - begin) // size}{code}", raw[begin:end])
        tensors[name] = torch.tensor(values, dtype=dtype).reshape(entry["shape"])
    return tensors


def write_safetensors(path, arrays):
    """One-dimensional arrays of doubles."""
    header, data = {}, b""
    for name, values in sorted(arrays.items()):
        raw = struct.pack(f"<{len(values)}d", *values)
        header[name] = {"dtype": "F64", "shape": [len(values)], "data_offsets": [len(data), len(data) + len(raw)]}
        data += raw
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    path.write_bytes(struct.pack("<Q", len(text)) + text + data)


def samples(build):
    """{op: {label: (inputs, example of the result, differentiable)}}"""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "samples.safetensors"
        subprocess.run([build / "tests" / "test_autograd", "--no-skip", "--test-case=write the samples of all ops*"],
                       env={**os.environ, "FF_OP_SAMPLES": str(path)}, check=True, stdout=subprocess.DEVNULL)
        tensors = read_safetensors(path)
    table = {}
    for name, tensor in tensors.items():
        op, label, part = name.split("|")
        inputs, results = table.setdefault(op, {}).setdefault(label, ({}, {}))
        (results if part in "yz" else inputs)[part] = tensor
    for labels in table.values():
        for label, (inputs, results) in labels.items():
            (part, result), = results.items()
            labels[label] = [inputs[str(i)] for i in range(len(inputs))], result, part == "y"
    return table


def flat(tensor):
    return tensor.detach().to(torch.float64).reshape(-1).tolist()


def golden(function, inputs, example, differentiable, rng):
    """A case as tests/autograd/golden.cpp reads it."""
    leaves = [x.clone().requires_grad_(differentiable and x.is_floating_point()) for x in inputs]
    y = function.function(example, *leaves) if isinstance(function, Drawn) else function(*leaves)
    if tuple(y.shape) != tuple(example.shape):
        raise ValueError(f"shape {tuple(y.shape)}, ours {tuple(example.shape)}")
    values = [v for x in inputs for v in flat(x)]
    if not differentiable:
        return values + flat(y)
    wanted = [x for x in leaves if x.requires_grad]
    cotangent = torch.tensor([rng.gauss(0, 1) for _ in range(y.numel())], dtype=y.dtype).reshape(y.shape)
    grads = torch.autograd.grad(y, wanted, cotangent, allow_unused=True) if y.requires_grad else [None] * len(wanted)
    grads = [torch.zeros_like(x) if g is None else g for g, x in zip(grads, wanted)]
    return values + flat(cotangent) + flat(y) + [v for g in grads for v in flat(g)]


def unknown_samples(table):
    """What PYTORCH computes though there is no such sample."""
    for op, known in PYTORCH.items():
        for label in known if isinstance(known, dict) else table.get(op, ["any"]):
            if label not in table.get(op, {}):
                yield f"{op}|{label}"


def main():
    build = Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT / "build"
    table = samples(build)
    unknown = list(unknown_samples(table))
    if unknown:
        sys.exit(f"no such samples: {', '.join(unknown)}")
    cases = {}
    for op, labels in table.items():
        known, missing = PYTORCH.get(op), []
        for label, (inputs, example, differentiable) in labels.items():
            function = known.get(label) if isinstance(known, dict) else known
            if function is None:
                missing.append(label)
                continue
            try:
                rng = random.Random(f"{op}|{label}")
                cases[f"{op}|{label}"] = golden(function, inputs, example, differentiable, rng)
            except Exception as error:  # pylint: disable=broad-except
                sys.exit(f"{op}|{label}: {type(error).__name__}: {error}")
        if missing:
            print(f"{op} without {'; '.join(missing)}")
    write_safetensors(ROOT / "tests" / "golden" / "ops.safetensors", cases)
    print(f"{len(cases)} cases")


if __name__ == "__main__":
    main()
