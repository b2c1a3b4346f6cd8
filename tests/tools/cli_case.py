"""What tests of the fourierformer program share: data made here, configurations, and running the program on them."""

import gzip
import json
import os
import random
import struct
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "tools"))
from published_configs import png

LIMIT = 120  # seconds; sanitizers are slow


def idx(sizes, data):
    """An IDX file of bytes."""
    return bytes([0, 0, 8, len(sizes)]) + b"".join(struct.pack(">I", n) for n in sizes) + bytes(data)


class Case(unittest.TestCase):
    program = ""

    def setUp(self):
        temporary = tempfile.TemporaryDirectory()
        self.addCleanup(temporary.cleanup)
        self.root = Path(temporary.name)
        self.runs = self.root / "results"
        data = self.root / "data"
        data.mkdir()
        self.data = data
        generator = random.Random(1)
        for part, count in (("train", 64), ("test", 20)):
            labels = [i % 3 for i in range(count)]
            pixels = [180 + generator.randrange(60) if pixel // 8 % 3 == label else generator.randrange(60)
                      for label in labels for pixel in range(64)]
            (data / f"{part}-images.gz").write_bytes(gzip.compress(idx([count, 8, 8], pixels)))
            (data / f"{part}-labels").write_bytes(idx([count], labels))
        lines = [f"line {i} says that {i} and {i} make {i + i}\n" for i in range(120)]
        (data / "text").write_text("".join(lines))
        self.vision = self.write_config("vision.json", {
            "task": "vision",
            "model": {"image_size": 8, "patch_size": 4, "classes": 3, "width": 16, "depth": 1, "heads": 2},
            "data": {"train_images": str(data / "train-images.gz"), "train_labels": str(data / "train-labels"),
                     "test_images": str(data / "test-images.gz"), "test_labels": str(data / "test-labels")},
            "train": {"steps": 12, "batch_size": 8, "lr": 0.003, "log_interval": 4}})
        for part, count in (("TRAIN", 24), ("TEST", 10)):
            series = [":".join(",".join(f"{(1 - 2 * (i % 2)) * d * t + generator.random():.3f}" for t in range(5 + i % 4))
                               for d in (1, 2)) + (":up" if i % 2 == 0 else ":down") for i in range(count)]
            (data / f"{part}.ts").write_text("\n".join(["@dimensions 2", "@classLabel true up down", "@data", *series]))
        self.series = self.write_config("series.json", {
            "task": "time_series",
            "model": {"dimensions": 2, "length": 8, "classes": 2, "width": 16, "depth": 1, "heads": 2},
            "data": {"path": str(data), "jitter": 0.1, "scaling": 0.1, "time_warp": 0.1},
            "train": {"steps": 12, "batch_size": 8, "lr": 0.003, "log_interval": 4}})
        self.language = self.write_config("language.json", {
            "task": "language",
            "model": {"layers": 1, "heads": 2, "width": 16, "inner_width": 32, "context": 16, "dropout": 0.1},
            "data": {"path": str(data / "text")},
            "train": {"steps": 12, "batch_size": 4, "optimizer": "adam", "clip_norm": 0.25}})

    def write_config(self, name, config):
        path = self.root / name
        path.write_text(json.dumps(config))
        return path

    def write_image_folder(self, classes, size, **counts):
        """Grey squares, so many of each part in a folder for each class; the configuration that learns from them."""
        for part, count in counts.items():
            for label, name in enumerate(classes):
                folder = self.data / part / name
                folder.mkdir(parents=True)
                for i in range(count):
                    (folder / f"{i}.png").write_bytes(png(size, [80 * label + i] * 3))
        config = json.loads(self.vision.read_text())
        config["data"] = {"dataset": "folder", "path": str(self.data)}
        config["model"].update(channels=3, classes=len(classes))
        return self.write_config("folder.json", config)

    def run_program(self, *arguments, **options):
        return subprocess.run([self.program, *map(str, arguments)], cwd=self.root, capture_output=True, text=True,
                              timeout=LIMIT, **options)

    def succeed(self, *arguments, **options):
        done = self.run_program(*arguments, **options)
        self.assertEqual((done.returncode, done.stderr), (0, ""), done.stdout)
        return done.stdout

    def fail_with(self, status, *arguments, said=(), **options):
        """The program must end with that status and one line on stderr that has all that is said in it, and must leave
        the disk as it was."""
        before = self.everything()
        done = self.run_program(*arguments, **options)
        self.assertEqual(done.returncode, status, done.stderr)
        self.assertEqual(done.stdout, "")
        self.assertRegex(done.stderr, r"\A[^\n]+\n\Z")
        self.assertNotIn("\x1b", done.stderr)
        for words in said:
            self.assertIn(words, done.stderr)
        self.assertEqual(self.everything(), before, done.stderr)

    def everything(self):
        return {path: path.read_bytes() if path.is_file() else None for path in self.root.rglob("*")}

    def timeless(self, run):
        """What a run left behind, by the file's name, without what measures time or memory."""
        def stripped(record):
            measured = ("seconds", "window_seconds", "training_seconds", "items_per_second", "peak_memory_bytes",
                        "metrics_bytes", "bytes", "crc32")  # times have more digits or fewer
            return {key: value for key, value in record.items() if key not in measured}

        files = {path.relative_to(run).as_posix(): path.read_bytes() for path in run.rglob("*") if path.is_file()}
        files["metrics.jsonl"] = [stripped(record) for record in self.records(run)]
        files["summary.json"] = stripped(json.loads(files["summary.json"]))
        manifest = files["checkpoint/manifest.json"] = json.loads(files["checkpoint/manifest.json"])
        manifest["checkpoints"] = [stripped(entry) for entry in manifest["checkpoints"]]
        for entry in manifest["checkpoints"]:
            state = files[f"checkpoint/{entry['file']}"]
            end = 8 + struct.unpack("<Q", state[:8])[0]
            header = json.loads(state[8:end])
            header["__metadata__"] = stripped(header["__metadata__"])
            files[f"checkpoint/{entry['file']}"] = (header, state[end:])
        return files

    def records(self, run):
        return [json.loads(line) for line in (run / "metrics.jsonl").read_text().splitlines()]


def run_tests():
    """The tests of the script that is run, as `SCRIPT PROGRAM [TEST ...]`."""
    Case.program = os.path.abspath(sys.argv.pop(1))
    unittest.main(verbosity=2)
