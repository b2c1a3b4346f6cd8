#!/usr/bin/env python3
"""The files that a run writes, held against the safetensors format's rules, and files of other writers read by the program.

Where the Python package safetensors is there, with numpy, it reads and writes them, too.
Usage: safetensors_rules.py PROGRAM [TEST ...], as unittest's own.
"""

import json
import random
import struct
import sys
from pathlib import Path

from cli_case import Case, run_tests

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "tools"))
import safetensors_file  # noqa: E402


class Safetensors(Case):
    def setUp(self):
        super().setUp()
        self.run_folder = self.runs / "a"
        self.succeed("train", self.vision, "--out", self.run_folder, "--quiet", "--set", "train.ema_decay=0.5")
        self.files = sorted(self.run_folder.rglob("*.safetensors"))
        self.assertEqual(len(self.files), 4)  # the model, the best one, two checkpoints

    def figures(self):
        return self.succeed("eval", self.run_folder, "--json")

    def test_rules(self):
        model, _ = safetensors_file.read(self.run_folder / "model.safetensors")
        self.assertEqual(model["head.weight"][:2], ("F32", (3, 16)))
        for path in self.files:
            arrays, metadata = safetensors_file.read(path)
            if path.parent.name != "checkpoint":
                self.assertEqual({name: entry[:2] for name, entry in arrays.items()},
                                 {name: entry[:2] for name, entry in model.items()})
                continue
            self.assertEqual(int(metadata["step"]), int(path.stem.split("-")[1]))
            self.assertEqual(json.loads(metadata["config"]), json.loads((self.run_folder / "config.json").read_text()))
            for name, entry in model.items():
                for part in (f"model.{name}", f"average.{name}", f"optimizer.{name}.exp_avg"):
                    self.assertEqual(arrays[part][:2], entry[:2], part)
        last, _ = safetensors_file.read(self.files[1])
        self.assertEqual({name: last[f"average.{name}"] for name in model}, model)

    def test_other_writers(self):
        """The same arrays in another order, with keys in another order, spaces, and nothing aligned."""
        path, figures = self.run_folder / "model.safetensors", self.figures()
        arrays, _ = safetensors_file.read(path)
        names = list(arrays)
        random.Random(1).shuffle(names)
        header, data = {}, b""
        for name in names:
            dtype, shape, content = arrays[name]
            header[name] = {"data_offsets": [len(data), len(data) + len(content)], "shape": shape, "dtype": dtype}
            data += content
        text = json.dumps(header, indent=1)
        text += " " * (1 if len(text) % 2 == 0 else 2)
        path.write_bytes(struct.pack("<Q", len(text)) + text.encode() + data)
        self.assertEqual(self.figures(), figures)

    def test_package(self):
        try:
            from safetensors.numpy import load_file, save_file
        except ImportError:
            self.skipTest("there is no Python package safetensors, or no numpy")
        for path in self.files:
            arrays, _ = safetensors_file.read(path)
            loaded = load_file(path)
            self.assertEqual(loaded.keys(), arrays.keys())
            for name, (dtype, shape, content) in arrays.items():
                self.assertEqual((safetensors_file.DTYPES[str(loaded[name].dtype)], loaded[name].shape), (dtype, shape))
                self.assertEqual(loaded[name].tobytes(), content)
        path, figures = self.run_folder / "model.safetensors", self.figures()
        save_file(load_file(path), path)
        self.assertEqual(self.figures(), figures)


if __name__ == "__main__":
    run_tests()
