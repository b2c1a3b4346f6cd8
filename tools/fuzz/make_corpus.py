#!/usr/bin/env python3
"""Writes tools/fuzz/corpus: of every fuzzer a few small files that its reader takes, to begin with.

Usage: make_corpus.py, which needs Pillow. What is in the folder and not from here (an input that once went wrong) stays.
"""

import gzip
import io
import json
import struct
from pathlib import Path

from PIL import Image

CORPUS = Path(__file__).parent / "corpus"


def write(fuzzer, name, data):
    folder = CORPUS / fuzzer
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_bytes(data.encode() if isinstance(data, str) else data)


def packed(data):
    return gzip.compress(data, mtime=0)


def idx(kind, sizes, elements):
    return bytes([0, 0, kind, len(sizes)]) + struct.pack(f">{len(sizes)}I", *sizes) + elements


def npy(version, dtype, order, shape, elements):
    header = f"{{'descr': '{dtype}', 'fortran_order': {order}, 'shape': {shape}, }}"
    length = 2 if version == 1 else 4
    header += " " * (-(8 + length + len(header) + 1) % 64) + "\n"
    return b"\x93NUMPY" + bytes([version, 0]) + struct.pack("<H" if length == 2 else "<I", len(header)) + \
        header.encode() + elements


def safetensors(tensors, metadata):
    header, data = {"__metadata__": metadata} if metadata else {}, b""
    for name, (dtype, shape, elements) in tensors.items():
        header[name] = {"dtype": dtype, "shape": shape, "data_offsets": [len(data), len(data) + len(elements)]}
        data += elements
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    return struct.pack("<Q", len(text)) + text + data


def byte_alphabet():
    """The characters that stand for the bytes in GPT-2's files: those that can be seen for themselves."""
    seen = {*range(33, 127), *range(161, 173), *range(174, 256)}
    others = iter(range(256, 512))
    return [chr(byte if byte in seen else next(others)) for byte in range(256)]


def main():
    write("config", "vision", '{"task": "vision", "model": {"image_size": 8, "patch_size": 4, "width": 16, "heads": 2},\n'
                              ' "data": {"mean": [0.5], "std": 0.25}, "train": {"lr": 1e-3, "betas": [0.9, 0.99]}}\n')
    write("config", "language", '{"task": "language", "model": {"layers": 1, "vocabulary": "words", "cutoffs": [10, 20]},\n'
                                ' "train": {"optimizer": "sgd", "tensorboard": true}}\n')
    write("settings", "vision", "task=vision\ntrain.lr=0.1\nmodel.attention=softmax\n")
    write("settings", "language", 'task=language\ndata.path="a b"\nmodel.vocabulary=words\nmodel.cutoffs=[1, 2]\ntrain.tensorboard=true\n')

    write("idx", "bytes", idx(0x08, (2, 3, 2), bytes(range(12))))
    write("idx", "doubles", idx(0x0e, (2,), struct.pack(">2d", 0.5, -2)))
    write("idx", "shorts.gz", packed(idx(0x0b, (3,), struct.pack(">3h", 1, -2, 3))))
    write("npy", "f4", npy(1, "<f4", False, (2, 2), struct.pack("<4f", 1, 2, 3, 4)))
    write("npy", "big-endian-columns", npy(2, ">i8", True, (2, 1), struct.pack(">2q", 1, -1)))
    write("npy", "scalar", npy(3, "|b1", False, (), b"\x01"))

    write("safetensors", "two", safetensors({"a.b": ("F32", [2, 1], struct.pack("<2f", 1, 2)), "c": ("U8", [], b"\x07")},
                                            {"format": "pt"}))
    write("safetensors", "empty", safetensors({}, {}))
    state = dict.fromkeys(("step", "evaluated", "window_steps", "window_items", "best_step", "best_worse",
                           "non_finite_updates", "non_finite_in_a_row", "plateau_improvements", "plateau_bad",
                           "plateau_cooldown", "generator_seed", "generator_offset", "metrics_bytes"), "7")
    state |= dict.fromkeys(("seconds", "window_loss", "window_seconds", "best_figure", "non_finite_factor",
                            "plateau_factor", "plateau_best"), "0.5")
    one = struct.pack("<f", 1)
    write("checkpoint", "small", safetensors({"model.w": ("F32", [1], one), "optimizer.w.exp_avg": ("F32", [1], one),
                                              "average.w": ("F32", [1], one)},
                                             {"format": "fourierformer checkpoint 2", "config": "{}", **state}))
    pixels = Image.frombytes("RGB", (4, 3), bytes(range(0, 252, 7)))
    for name, image in (("rgb.png", pixels), ("palette.png", pixels.quantize(4)), ("rgb.jpeg", pixels),
                        ("gray.jpeg", pixels.convert("L"))):
        file = io.BytesIO()
        image.save(file, name.split(".")[1])
        write("image", name, file.getvalue())
    write("cifar", "one", bytes([9]) + bytes(range(256)) * 12)
    write("cifar", "two.gz", packed((bytes([0]) + bytes(3072)) * 2))
    write("metrics", "small", '{"step": 1, "loss": 2.5, "lr": 1e-3}\n{"step": 2, "loss": null, "note": "a"}\n{"st')
    write("summary", "small", '{\n  "test_loss": 0.25,\n  "steps": 12,\n  "finished": true,\n  "note": "a\\u00fcb"\n}\n')

    write("csv", "named", 'time,"a b"\n1,-2.5\n\n2,3e1\n')
    write("csv", "bare", "1,2\r\n3,4")
    write("ts", "two", "# a remark\n@problemName x\n@missing true\n@dimensions 2\n@equalLength false\n@classLabel true up down\n@data\n"
                       "1,-2.5,3e1:4,?,6:down\n7:8:up\n")
    write("ts", "one", "@univariate true\n@seriesLength 2\n@classLabel true 1.0 2.0\n@data\n1,2:2.0")
    write("tokenizer", "small", json.dumps({token: i for i, token in enumerate([*byte_alphabet(), "he", "the"])},
                                           ensure_ascii=False, separators=(",", ":")) + "\n#version: 0.2\nh e\nt he\n")
    text = {"tokens": 3, "bytes": 12, "characters": 12, "words": 3, "unknown": 1}
    description = json.dumps({"sources": "s", "learnt": "l", "vocabulary_size": 4, "texts": [text]}).encode()
    write("token_file", "small", b"fftokens" + struct.pack("<3i", 1, 0, 3) + b"<eos>\na\nb\n<unk>\n" + description +
          struct.pack("<Q", len(description)))  # the checksum is the fuzzer's
    write("vocabulary", "small", "<eos>\nthe\nwords\n<unk>\n")
    lines = "one line\nand another, of more words\n\nthe end\n"
    write("text", "lines", lines)
    write("text", "packed.gz", packed(lines.encode()))


if __name__ == "__main__":
    main()
