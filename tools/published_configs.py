#!/usr/bin/env python3
"""Trains each published configuration for a few steps, at its own sizes, on data of the published form.

    tools/published_configs.py build/bin/fourierformer [--batch 8] [--accumulate 1] [--steps 20] [--only REGEX]

The data stand in for WikiText-103 and ImageNet, which few have at hand: a corpus of 267,735 words whose frequencies
fall as Zipf's, and a folder of PNG images for each of 1,000 classes, whose sizes do; they are made in a temporary
folder. There is little to learn of them but which are frequent, and the loss falls by that: the mean of the last
quarter of the steps is held against the first step. The learning rate does not warm up. Exit status 1 where a run
fails or its loss does not fall.
"""

import argparse
import json
import random
import re
import struct
import subprocess
import sys
import tempfile
import zlib
from pathlib import Path

CONFIGS = ["wikitext103_small", "wikitext103_medium", "deit_tiny", "deit_small", "deit_base"]
WORDS, CLASSES = 267_735, 1_000


def write_corpus(folder, rng):
    """<eos> and <unk> are words, too."""
    words = [f"w{i}" for i in range(WORDS - 2)] + ["<unk>"]
    weights = [1 / (rank + 10) for rank in range(len(words))]
    folder.mkdir()
    for part, tokens in (("train", 1_200_000), ("valid", 4_000), ("test", 4_000)):
        text = rng.choices(words, weights, k=tokens) + (words if part == "train" else [])
        rng.shuffle(text)  # so that every batch has its share of rare words
        lines = (" ".join(text[i:i + 25]) for i in range(0, len(text), 25))
        (folder / f"{part}.txt").write_text("\n".join(lines) + "\n")


def png(size, colour):
    """A square of one colour."""
    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    rows = (b"\0" + bytes(colour) * size) * size
    header = struct.pack(">IIBBBBB", size, size, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


def write_images(folder, rng):
    for part, most in (("train", 400), ("val", 1)):
        for label in range(CLASSES):
            place = folder / part / f"n{label:08d}"
            place.mkdir(parents=True)
            for i in range(max(1, most // (label + 1))):
                (place / f"{i}.png").write_bytes(png(256, [rng.randrange(256) for _ in range(3)]))


def losses(run):
    records = map(json.loads, (run / "metrics.jsonl").read_text().splitlines())
    return [record["loss"] for record in records if "loss" in record]


def train(options, config, attention, data, out):
    command = [options.program, "train", config, "--out", str(out), "--quiet", "--steps", str(options.steps)]
    settings = {"model.attention": attention, "data.path": data, "train.batch_size": options.batch,
                "train.accumulate": options.accumulate, "train.warmup": 0, "train.log_interval": 1}
    if config.startswith("deit"):
        settings["data.test_limit"] = 64
        # The published rate is for 1,024 images a step, after a warm-up: of a few, without one, the loss rises by it.
        # In proportion to the batch it would be too small to move anything in so few steps.
        settings["train.lr"] = 1e-4
    for key, value in settings.items():
        command += ["--set", f"{key}={value}"]
    subprocess.run(command, check=True)
    summary = json.loads((out / "summary.json").read_text())
    trace = losses(out)
    last = trace[-max(1, len(trace) // 4):]
    return summary, trace[0], sum(last) / len(last)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("program", type=Path, help="the program fourierformer")
    parser.add_argument("--batch", type=int, default=8, help="samples that go through the model together")
    parser.add_argument("--accumulate", type=int, default=1, help="batches of a step")
    parser.add_argument("--steps", type=int, default=20)
    parser.add_argument("--only", default="", metavar="REGEX", help='configurations, as "deit_tiny fourier"')
    options = parser.parse_args()
    options.program = str(options.program.resolve())

    rows = [(config, attention) for config in CONFIGS for attention in ("softmax", "fourier")
            if re.search(options.only, f"{config} {attention}")]
    rng = random.Random(1)
    failed = False
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        if any(config.startswith("wikitext") for config, _ in rows):
            write_corpus(folder / "text", rng)
        if any(config.startswith("deit") for config, _ in rows):
            write_images(folder / "images", rng)
        print("| configuration | attention | parameters | batch | steps | first loss | last | seconds | memory, MiB |")
        print("| --- | --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: |", flush=True)
        for config, attention in rows:
            data = folder / ("text" if config.startswith("wikitext") else "images")
            summary, first, last = train(options, config, attention, data, folder / f"{config}-{attention}")
            failed |= not last < first
            print(f"| {config} | {attention} | {summary['parameters']:,} | {options.batch * options.accumulate} "
                  f"| {summary['steps']} | {first:.4f} | {last:.4f} | {summary['training_seconds']:.0f} "
                  f"| {summary['peak_memory_bytes'] / 2**20:,.0f} |", flush=True)
    sys.exit(failed)


if __name__ == "__main__":
    main()
