#!/usr/bin/env python3
"""Tests of tools/check_layers.py on small trees in a temporary folder: every rule broken once, and a clean tree."""

import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

SCRIPT = Path(__file__).resolve().parent.parent.parent / "tools" / "check_layers.py"

CLEAN = {
    "core/tensor.h": ["<vector>", '"ff/core/dtype.h"'],
    "core/tensor.cpp": ['"ff/core/tensor.h"', '"ff/core/check.h"', '"ff/core/cpu/copy.h"'],
    "core/check.h": ["<fmt/format.h>"],
    "core/parallel.cpp": ["<oneapi/tbb/parallel_for.h>"],
    "core/cpu/matmul.cpp": ["<cblas.h>", '"ff/core/check.h"', '"ff/core/parallel.h"', '"ff/core/cpu/matmul.h"'],
    "core/cpu/math-inl.h": ["<hwy/highway.h>"],
    "core/cpu/exp.cpp": ["<hwy/foreach_target.h>", '"ff/core/cpu/math-inl.h"'],
    "autograd/node.h": ['"ff/core/tensor.h"'],
    "autograd/graph.cpp": ["<fmt/format.h>", '"ff/autograd/node.h"'],
    "nn/module.h": ['"ff/autograd/node.h"', '"ff/core/tensor.h"'],
    "optim/adam.h": ['"ff/autograd/node.h"'],
    "models/config.h": ["<nlohmann/json_fwd.hpp>"],
    "models/config.cpp": ["<nlohmann/json.hpp>", '"ff/nn/module.h"', '"ff/optim/adam.h"'],
    "models/ff.h": ['"ff/core/tensor.h"', '"ff/nn/module.h"'],
    "tools/train.cpp": ['"ff/ff.h"', '"tools/commands.h"', "<CLI/CLI.hpp>"],
    "tools/bench/matmul.cpp": ["<cblas.h>", '"ff/core/cpu/matmul.h"'],
    "tests/support/compare.h": ["<fmt/format.h>", '"ff/models/config.h"'],
    "tests/core/exp.cpp": ['"tests/support/compare.h"', '"ff/core/cpu/math-inl.h"', '"tools/commands.h"'],
}

# file, what it includes, and words of the rule that must be named
WRONG = [
    ("core/random.cpp", '"ff/autograd/node.h"', "core must not include autograd"),
    ("core/io/npy.h", '"ff/models/config.h"', "core must not include models"),
    ("autograd/engine.cpp", '"ff/nn/module.h"', "autograd must not include nn"),
    ("nn/loss.cpp", '"ff/optim/adam.h"', "nn must not include optim"),
    ("optim/sgd.cpp", '"ff/nn/module.h"', "optim must not include nn"),
    ("nn/init.cpp", '"ff/models/config.h"', "nn must not include models"),
    ("nn/attention.cpp", '"ff/ff.h"', "nn must not include models"),
    ("models/trainer.cpp", '"tools/commands.h"', "models must not include tools"),
    ("models/trainer.cpp", '"tests/support/compare.h"', "models must not include tests"),
    ("tools/train.cpp", '"tests/support/compare.h"', "tools must not include tests"),
    ("core/cpu/reduce.cpp", '"ff/core/tensor.h"', "take pointers"),
    ("core/cpu/reduce.h", '"ff/core/storage.h"', "take pointers"),
    ("core/cpu/reduce.cpp", '"ff/core/io/npy.h"', "take pointers"),
    ("core/cpu/reduce.cpp", "<tbb/parallel_reduce.h>", "only core/parallel.cpp"),
    ("core/parallel.h", "<oneapi/tbb/task_arena.h>", "only core/parallel.cpp"),
    ("tests/core/parallel.cpp", "<oneapi/tbb/info.h>", "only core/parallel.cpp"),
    ("core/cpu/convolution.cpp", "<cblas.h>", "only core/cpu/matmul.cpp"),
    ("core/cpu/matmul.h", "<cblas.h>", "only core/cpu/matmul.cpp"),
    ("tools/train.cpp", "<cblas.h>", "only core/cpu/matmul.cpp"),
    ("core/cpu/simd.h", "<hwy/highway.h>", "Highway"),
    ("models/config.h", "<nlohmann/json.hpp>", "json_fwd.hpp"),
    ("nn/module.h", "<fmt/core.h>", "must not include fmt"),
    ("autograd/function.h", '"ff/core/check.h"', "check.h is for sources"),
    ("core/cpu/exp.h", '"ff/core/cpu/math-inl.h"', "-inl.h files"),
    ("core/tensor.cpp", '"tensor.h"', "path from the root"),
    ("core/tensor.cpp", "<ff/core/tensor.h>", "with quotes"),
    ("tests/core/exp.cpp", '"ff/tools/commands.h"', "no folder ff/tools"),
]


def check(tree):
    """Exit status and output of the script on a tree {file: [includes]}."""
    with tempfile.TemporaryDirectory() as folder:
        for name, includes in tree.items():
            path = Path(folder, name)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text("#pragma once\n\n" + "".join(f"#include {i}\n" for i in includes), encoding="utf-8")
        done = subprocess.run([sys.executable, str(SCRIPT), folder], capture_output=True, text=True, check=False)
        return done.returncode, done.stdout + done.stderr


class CheckLayers(unittest.TestCase):
    def test_clean_tree_passes(self):
        status, output = check(CLEAN)
        self.assertEqual(status, 0, output)
        self.assertIn(f"{len(CLEAN)} files, 0 violations", output)

    def test_every_violation_is_reported_with_its_place(self):
        for source, include, rule in WRONG:
            with self.subTest(source=source, include=include):
                status, output = check({**CLEAN, source: ["<vector>", include]})
                self.assertEqual(status, 1, output)
                self.assertIn(f"{source}:4: #include {include}: ", output)
                self.assertIn(rule, output)
                self.assertIn("1 violations", output)

    def test_all_violations_at_once(self):
        tree = {name: list(includes) for name, includes in CLEAN.items()}
        for source, include, _ in WRONG:
            tree.setdefault(source, []).append(include)
        status, output = check(tree)
        self.assertEqual(status, 1, output)
        self.assertIn(f"{len(WRONG)} violations", output)

    def test_comments_do_not_count_and_spacing_does_not_hide(self):
        status, output = check({"core/a.cpp": ['"ff/core/a.h"\n// #include "ff/nn/module.h"\n  #  include   "ff/nn/module.h"  // x']})
        self.assertEqual(status, 1, output)
        self.assertIn("core/a.cpp:5: ", output)
        self.assertIn("1 violations", output)

    def test_an_empty_tree_fails(self):
        self.assertEqual(check({})[0], 1)


if __name__ == "__main__":
    unittest.main()
