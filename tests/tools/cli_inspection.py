#!/usr/bin/env python3
"""Runs the commands of the fourierformer program that train nothing: info, profiles, bench, graph, gradcheck, regress.

Usage: cli_inspection.py PROGRAM [TEST ...], as unittest's own.
"""

import json
import os
import random
import re
from xml.etree import ElementTree

from cli_case import Case, run_tests


class Inspection(Case):
    def test_info(self):
        out = self.succeed("info")
        for what in ("version", "CPU", "SIMD", "BLAS", "threads"):
            self.assertRegex(out, rf"(?m)^{what} +\S")
        best, every = re.search(r"(?m)^SIMD +(\w+) \(of (.*)\)$", out).groups()
        self.assertEqual(best, every.split(", ")[0])
        for target in every.split(", "):
            environment = {**os.environ, "FF_SIMD": target.lower()}
            self.assertRegex(self.succeed("info", env=environment), rf"(?m)^SIMD +{target} ")
            out = json.loads(self.succeed("bench", self.vision, "--steps", 1, "--json", env=environment))
            self.assertEqual(out["simd"], target)
        self.fail_with(1, "info", said=["FF_SIMD", "mmx", every], env={**os.environ, "FF_SIMD": "mmx"})
        self.fail_with(1, "train", self.vision, said=["FF_SIMD", "mmx"], env={**os.environ, "FF_SIMD": "mmx"})
        out = self.succeed("info", self.vision)
        self.assertRegex(out, r"model\.patch_size +4 +side of a patch")
        self.assertRegex(out, r"data\.rand_augment_magnitude +9\.0 +their severity")  # the longest name
        self.assertRegex(out, r"blocks\.0 +[\d,]+")
        run = self.runs / "a"
        self.succeed("train", self.vision, "--out", run, "--quiet")
        self.assertRegex(self.succeed("info", run), r"test accuracy +[\d.]+")
        summary = json.loads((run / "summary.json").read_text())
        (run / "summary.json").write_text(json.dumps(summary | {"best_step": 1234567}))
        self.assertRegex(self.succeed("info", run), r"(?m)^ +best step +1,234,567$")

    def test_profile(self):
        run = self.runs / "a"
        out = self.succeed("train", self.vision, "--out", run, "--profile", 3)
        self.assertIn("profile of 3 steps", out)
        events = [event for event in json.loads((run / "profile.json").read_text()) if event["ph"] == "X"]
        steps = [event for event in events if event["name"] == "step"]
        self.assertEqual(len(steps), 3)
        for phase in ("forward", "backward"):
            matched = [event for event in events if event["name"] == "fourier_attention" and event["cat"] == phase]
            self.assertEqual(len(matched), 3)
        for part in ("wait for data", "zero_grad", "grad_norm", "optimizer"):
            self.assertEqual(sum(event["name"] == part for event in events), 3, part)
        linear = next(event for event in events if event["name"] == "linear")
        self.assertTrue(linear["args"]["shapes"])
        self.assertGreater(linear["args"]["bytes"], 0)
        self.assertTrue(linear["args"]["module"])
        # In the table, too, nothing counts twice: its sum is no longer than the steps with what is between them.
        table = re.findall(r"^(.+?) +(?:forward|backward|module|part)? +([\d.e+]+) +([\d.]+) +([\d.]+) %", out, re.M)
        *rows, (name, _, total, share) = table
        self.assertEqual(name, "sum")
        self.assertLessEqual(float(share), 100)
        self.assertAlmostEqual(sum(float(ms) for _, _, ms, _ in rows), float(total), delta=0.001 * len(rows))
        self.assertGreaterEqual(float(total) + 0.001, sum(event["dur"] for event in steps) / 3e3)
        # The weights are those of a run without, and the data loader has a track of its own.
        self.succeed("train", self.vision, "--out", self.runs / "b", "--quiet")
        self.assertEqual((run / "model.safetensors").read_bytes(), (self.runs / "b/model.safetensors").read_bytes())
        makers = {event["tid"] for event in events if event["name"] == "make a batch"}
        self.assertNotIn(steps[0]["tid"], makers)
        # A run that is shorter than that is recorded as far as it goes; the file goes with its run.
        self.assertIn("profile of 2 steps", self.succeed("train", self.vision, "--out", self.runs / "c", "--steps", 2,
                                                         "--profile", 9))
        self.succeed("train", self.vision, "--out", run, "--overwrite", "--quiet")
        self.assertFalse((run / "profile.json").exists())
        self.fail_with(2, "train", self.vision, "--profile", 0, said=["--profile"])

    def test_dry_run(self):
        accumulating = json.loads(self.vision.read_text())
        accumulating["train"].update(optimizer="sgd", momentum=0.9, accumulate=2, ema_decay=0.9)
        configs = [self.vision, self.language, self.write_config("accumulating.json", accumulating)]
        with open(self.program, "rb") as program:
            sanitized = re.search(rb"__[at]san_init", program.read())
        for config in configs:
            before = self.everything()
            out = self.succeed("train", config, "--steps", 20, "--dry-run")
            for line in (r"dry run  [\d,]+ parameters; batches of \d; .*", r"data +the configuration's own",
                         r"matrix products +\S+ GFLOP a step", r"step +\d+\.\d ms, \S+ (images|tokens)/s",
                         r"run +20 steps, about .*", r"weights +\S+ [KM]iB", r"memory, at most +\S+ MiB"):
                self.assertRegex(out, rf"(?m)^{line}$")
            told = json.loads(self.succeed("train", config, "--steps", 20, "--dry-run", "--json"))
            self.assertEqual(self.everything(), before)
            memory, parameters = told["memory_bytes"], told["parameters"]
            self.assertEqual((told["data"], told["steps"]), ("own", 20))
            self.assertGreaterEqual(memory["weights"], 4 * parameters)
            self.assertEqual(memory["gradients"], 4 * parameters)
            # Two moments, or a momentum and an average, and how many updates there were of each parameter.
            self.assertGreaterEqual(memory["optimizer"], 8 * parameters)
            self.assertLess(memory["optimizer"], 9 * parameters)
            self.assertGreater(memory["activations"], 0)
            self.assertGreaterEqual(sum(memory.values()), told["peak_memory_bytes"])
            # A real run of as many steps, evaluation included, takes that much, within 15 %. A sanitizer keeps what is
            # freed: that grows with the steps.
            run = self.runs / config.stem
            self.succeed("train", config, "--steps", 20, "--out", run, "--quiet")
            summary = json.loads((run / "summary.json").read_text())
            self.assertEqual(parameters, summary["parameters"])
            if not sanitized:
                self.assertAlmostEqual(told["peak_memory_bytes"] / summary["peak_memory_bytes"], 1, delta=0.15)
        # Files that will be held in memory once they are read count, as far as they may be held.
        config = self.write_image_folder(["cat", "dog"], 64, train=150, test=20)
        uncached, cached = (json.loads(self.succeed("train", config, "--dry-run", "--json", "--set", "model.image_size=64",
                                              f"data.cache_mib={cache}"))["memory_bytes"]["data"] for cache in (0, 10))
        self.assertLess(cached, uncached + 340 * 64 * 64 * 3)
        self.assertGreater(cached, uncached + 240 * 64 * 64 * 3)  # less those that updates and evaluation have read
        # The products of two batches where two make an update.
        flops = [json.loads(self.succeed("train", config, "--dry-run", "--json"))["matrix_flops"]
                 for config in (configs[0], configs[2])]
        self.assertEqual(flops[1], 2 * flops[0])
        self.assertEqual(flops[0], json.loads(self.succeed("bench", self.vision, "--steps", 1, "--json"))["matrix_flops"])
        # Nothing is asked of a folder that is there; a wrong configuration is an error as ever.
        run = self.runs / "vision"
        self.succeed("train", self.vision, "--dry-run", "--out", run)
        self.fail_with(2, "train", self.vision, "--dry-run", "--set", "train.lr=-1", said=["train.lr"])
        self.fail_with(2, "train", self.vision, "--dry-run", "--quiet", said=["--dry-run"])
        self.fail_with(2, "train", self.vision, "--dry-run", "--profile", 3, said=["--dry-run"])
        # Without its data, on random data: that is said.
        (self.data / "train-labels").unlink()
        out = self.succeed("train", self.vision, "--dry-run")
        self.assertRegex(out, r"(?m)^data +random images, .*train-labels.*$")
        told = json.loads(self.succeed("train", self.vision, "--dry-run", "--json", "--set", "train.steps=0"))
        self.assertEqual(told["data"], "random")
        self.assertIn("train-labels", told["data_error"])
        self.assertNotIn("steps", told)  # the data would tell
        self.fail_with(1, "train", self.vision, said=["train-labels"])
        # Words are counted in the data: without it there is no model to try.
        self.fail_with(1, "train", self.language, "--dry-run", "--set", "model.vocabulary=words", "data.path=nowhere",
                       said=["nowhere"])

    def test_bench(self):
        for path in self.data.iterdir():  # not needed
            path.unlink()
        out = self.succeed("bench", self.vision, "--steps", 1)
        self.assertRegex(out, r"\Avision  fourier attention, [\d,]+ parameters; batches of 8; \d+ threads?, ")
        for line in (r"forward +\d+\.\d ms", r"forward and backward +\d+\.\d ms", r"step +\d+\.\d ms, \S+ images/s",
                     r"matrix products +\S+ GFLOP a step, .*", r"utilisation +\d+\.\d\d of .*", r"memory +\S+ MiB .*",
                     r"page faults +\S+ a step", r"blocks of memory +\S+ a step, .*"):
            self.assertRegex(out, rf"(?m)^{line}$")
        # Three products for each of the forward pass, but one less for images, which need no gradient.
        tokens = 8 * 5
        vision = 2 * 3 * (tokens * 16 * (3 * 16 + 16 + 2 * 64) + 8 * 16 * 3) + 2 * 2 * 8 * 4 * 16 * 16
        tokens = 4 * 16
        language = 2 * 3 * tokens * 16 * (3 * 16 + 16 + 2 * 32 + 256)
        tokens = 8 * 8
        series = 2 * 3 * (tokens * 16 * (3 * 16 + 16 + 2 * 32) + 8 * 16 * 2) + 2 * 2 * tokens * 2 * 16
        for config, products, pairs in ((self.vision, vision, 8 * 5 * 5), (self.language, language, 4 * 16 * 17 // 2),
                                        (self.series, series, 8 * 8 * 8)):
            for attention, scores in (("fourier", 0), ("softmax", 1)):
                figures = json.loads(self.succeed("bench", "--set", f"model.attention={attention}", config, "--steps", 2,
                                                  "--threads", 1, "--json"))
                self.assertEqual(figures["matrix_flops"], products + 2 * 3 * pairs * 16 * (1 + scores))
                self.assertEqual((figures["attention"], figures["threads"], figures["steps"]), (attention, 1, 2))
                self.assertLessEqual(0, figures["forward_ms"])
                self.assertLessEqual(figures["forward_ms"], figures["forward_backward_ms"])
                self.assertLessEqual(figures["forward_backward_ms"], figures["step_ms"])
                self.assertEqual(figures["reused_per_step"], figures["allocations_per_step"])  # nothing new when warm
                self.assertGreater(figures["peak_flops_per_second"], 0)
                self.assertGreater(figures["peak_memory_bytes"], 0)
        half = json.loads(self.succeed("bench", "--model", self.vision, "--batch", 4, "--steps", 1, "--json"))
        self.assertEqual((half["batch"], half["matrix_flops"]), (4, (vision + 2 * 3 * 8 * 5 * 5 * 16) / 2))

    def test_bench_profile(self):
        figures = json.loads(self.succeed("bench", self.vision, "--steps", 2, "--threads", 1, "--json"))
        ops = {(row["op"], row["phase"]): row for row in figures["ops"]}
        for phase in ("forward", "backward"):
            self.assertEqual(ops["fourier_attention", phase]["calls"], 1)
        self.assertLessEqual(sum(row["share"] for row in figures["ops"]), 1)
        self.assertIn("fourier_attention", self.succeed("bench", self.vision, "--steps", 2, "--threads", 1))

    def test_bench_errors(self):
        self.fail_with(2, "bench", said=["CONFIG"])
        self.fail_with(2, "bench", self.root / "none.json", said=["none.json"])
        self.fail_with(2, "bench", self.vision, "--steps", 0, said=["--steps"])
        self.fail_with(2, "bench", self.vision, "--batch", 0, said=["--batch"])
        self.fail_with(2, "bench", self.vision, "--set", "model.heads=3", said=["model.heads", "16"])
        self.fail_with(1, "bench", self.language, "--set", "model.vocabulary=words", "data.path=none", said=["none"])

    def test_shipped_configurations(self):
        self.assertRegex(self.succeed("info", "deit_tiny"), r"in all +5,717,428\n")  # 5,717,416, and an R for each block
        self.fail_with(2, "bench", "deit_tinny", said=["deit_tinny", "deit_tiny"])
        self.fail_with(2, "info", "deit_tinny.json", said=["deit_tinny.json"])
        graph = json.loads(self.succeed("graph", "deit_tiny", "--format", "json", "--batch", 1, "--no-backward"))
        self.assertIn("blocks.11.mlp", {scope["path"] for scope in graph["scopes"]})

    def test_graph(self):
        # The data is not needed.
        for path in self.data.iterdir():
            path.unlink()
        out = self.succeed("graph", self.vision)
        self.assertRegex(out, r"\Avision\.graph\.html: [\d,]+ nodes, [\d,]+ parameters, .* saved for backward\n\Z")
        page = (self.root / "vision.graph.html").read_text()
        self.assertTrue(page.startswith("<!doctype html>"))
        for config in (self.vision, self.language):
            for attention in ("fourier", "softmax"):
                graph = json.loads(self.succeed("graph", config, "--format", "json", "--set",
                                                f"model.attention={attention}"))
                ops = {node["op"] for node in graph["nodes"]}
                self.assertLessEqual({f"{attention}_attention", "cross_entropy", "layer_norm"}, ops)
                for node in graph["nodes"]:
                    self.assertEqual(node["name"] != "", node["is_leaf"])  # every leaf is a parameter
                    # Of a sum and its norm, the norm alone may be used.
                    self.assertTrue(any("gradient" in output for output in node["outputs"]), node)
                self.assertIn("blocks.0.attn", {scope["path"] for scope in graph["scopes"]})
        batch = ["graph", self.vision, "--format", "json", "--batch"]
        images = [json.loads(self.succeed(*batch, n))["nodes"][-1]["outputs"][0]["shape"] for n in (1, 5)]
        self.assertEqual(images, [[], []])
        self.assertNotEqual(self.succeed(*batch, 1), self.succeed(*batch, 5))
        self.assertEqual(self.succeed(*batch, 5, "--seed", 2), self.succeed(*batch, 5, "--seed", 2, "--threads", 1))
        self.assertNotIn('"gradient"', self.succeed("graph", self.vision, "--format", "json", "--no-backward"))
        dot = self.succeed("graph", "--set", "model.depth=2", self.vision, "--format", "dot")
        self.assertTrue(dot.startswith("digraph {"))
        self.assertIn("blocks.1.attn", dot)
        self.succeed("graph", self.vision, "--out", "graph.gv")  # a name tells the format
        self.assertTrue((self.root / "graph.gv").read_text().startswith("digraph {"))
        self.assertEqual(self.succeed("graph", self.vision, "--out", "-", "--format", "html"), page)

    def test_graph_errors(self):
        self.fail_with(2, "graph", said=["CONFIG"])
        self.fail_with(2, "graph", self.root / "none.json", said=["none.json"])
        self.fail_with(2, "graph", self.vision, "--out", "graph.png", said=["graph.png", "html, dot or json"])
        self.fail_with(2, "graph", self.vision, "--format", "png", said=["--format", "png"])
        self.fail_with(2, "graph", self.vision, "--batch", 0, said=["--batch"])
        self.fail_with(2, "graph", self.vision, "--set", "model.depht=1", said=["model.depht"])
        self.fail_with(2, "graph", self.vision, "--set", "model.heads=3", said=["model.heads", "16"])
        self.fail_with(1, "graph", self.vision, "--out", "none/graph.html", said=["none/graph.html"])
        self.fail_with(1, "graph", self.language, "--set", "model.vocabulary=words", "data.path=none", said=["none"])

    def test_regress(self):
        plot = self.root / "errors.svg"
        options = ("--sizes", 200, 50, "--repeats", 2)
        out = self.succeed("regress", "mixture", *options, "--plot", plot)
        self.assertRegex(out, r"\ADensity: mixture of spread 0.3\nintegrated squared error, .* of 2 samples\n")
        self.assertEqual(re.findall(r"(?m)^ +(\d+)  \d", out), ["50", "200"])
        curves, texts = self.drawn(plot)
        self.assertEqual(list(curves), ["Fourier, best radius", "Gaussian, best bandwidth",
                                        "Fourier, radius ~ sqrt(log N)"])
        for words in (*curves, "Density: mixture of spread 0.3", "integrated squared error", "size of the sample"):
            self.assertIn(words, texts)
        found = [json.loads(self.succeed("regress", "mixture", *options, "--json", "--threads", threads))
                 for threads in (1, 4)]
        self.assertEqual(*found)
        rows = found[0]["rows"]
        self.assertEqual([row["n"] for row in rows], [50, 200])
        for curve, kernel in zip(curves.values(), ("fourier", "gaussian", "theory")):
            self.assertEqual(curve, [(row["n"], float(f"{row[kernel]['error']:.5g}")) for row in rows])
        for row in rows:
            for kernel, parameter in (("fourier", "radius"), ("gaussian", "bandwidth"), ("theory", "radius")):
                self.assertGreater(min(row[kernel]["error"], row[kernel][parameter]), 0)
        self.assertLess(rows[1]["gaussian"]["error"], rows[0]["gaussian"]["error"])
        other = json.loads(self.succeed("regress", "mixture", *options, "--json", "--seed", 2))
        self.assertNotEqual(other["rows"], rows)
        out = self.succeed("regress", "ring", "--regression", "--spread", 0.1, "--sizes", 60, "--repeats", 1)
        self.assertIn("Regression over a ring of spread 0.1", out)

    def drawn(self, path):
        """The curves of a chart, points by name, and the words in it. Ticks must be at least two on each side, apart,
        and in the drawing."""
        svg = "{http://www.w3.org/2000/svg}"
        root = ElementTree.parse(path).getroot()
        *_, width, height = map(float, root.get("viewBox").split())
        for anchor, along, most in (("middle", "x", width), ("end", "y", height)):
            places = [float(text.get(along)) for text in root.iter(svg + "text")
                      if (text.get("class"), text.get("text-anchor")) == ("tick", anchor)]
            self.assertGreaterEqual(len(places), 2, f"ticks along {along}")
            self.assertGreater(min(abs(b - a) for a, b in zip(places, places[1:])), 12)
            self.assertTrue(all(0 < place < most for place in places), places)
        curves = {group.get("data-name"): [tuple(map(float, pair.split(",")))
                                           for pair in group.get("data-values").split(";")]
                  for group in root.iter(svg + "g")}
        return curves, [text.text for text in root.iter(svg + "text")]

    def test_regress_plot(self):
        """Both axes are logarithmic, and have ticks whatever the sizes are."""
        plot = self.root / "plot.svg"
        for sizes in ([30], [40, 43, 46], [20, 200]):
            self.succeed("regress", "ring", "--regression", "--sizes", *sizes, "--repeats", 1, "--plot", plot)
            curves, _ = self.drawn(plot)
            self.assertEqual([[x for x, _ in points] for points in curves.values()], [sizes] * 3)
        self.succeed("regress", "ring", "--regression", "--sizes", 20, 40, 80, "--repeats", 1, "--plot", plot)
        self.drawn(plot)
        circles = re.findall(r'<circle cx="([\d.]+)"', plot.read_text())
        a, b, c = map(float, circles[:3])
        self.assertAlmostEqual(b - a, c - b, delta=0.11)

    def test_regress_table(self):
        table = self.root / "table.csv"
        numbers = random.Random(1)
        rows = [(x := numbers.uniform(-2, 2), x * x + numbers.gauss(0, 0.01), 1000 * x) for _ in range(100)]
        table.write_text("x,square,thousand\n" + "".join("{:.6f},{:.6f},{:.3f}\n".format(*row) for row in rows))
        found = json.loads(self.succeed("regress", table, "--target", "square", "--json"))
        self.assertEqual(found["rows"][-1]["n"], 80)  # a fifth is held out
        for kernel in ("fourier", "gaussian"):
            self.assertLess(found["rows"][-1][kernel]["error"], 0.02)  # of a variance of 1.4
        self.assertIn("Regression: table.csv", self.succeed("regress", table, "--repeats", 1))  # of the last column
        self.fail_with(1, "regress", table, "--target", "cube", "--json", said=["no column \"cube\"", "x, square, thousand"])
        self.fail_with(1, "regress", table, "--sizes", 81, "--json", said=["81", "80 rows"])
        self.fail_with(2, "regress", table, "--spread", 0.5, said=["--spread"])
        self.fail_with(2, "regress", "ring", "--target", "x", said=["--target"])
        self.fail_with(2, "regress", "ring", "--spread", 0, said=["--spread"])
        self.fail_with(2, "regress", said=["DATA"])
        self.fail_with(1, "regress", self.root / "none.csv", said=["none.csv", "cannot be opened"])
        for text, said in (("1,2\n3\n", "table.csv:2: 1 fields"), ("1,2\n3,nan\n", "table.csv:2: column 2"),
                           ("1,2\nx,3\n", "table.csv:2: column 1"), ("1\n2\n", "a feature and a target"),
                           ("1,2\n" * 40, "the target is the same"), ("1,2\n2,3\n", "2 rows, at least 30")):
            table.write_text(text)
            self.fail_with(1, "regress", table, said=[said])
        # What cannot be drawn to is told, and nothing is left.
        self.fail_with(1, "regress", "ring", "--sizes", 30, "--repeats", 1, "--json", "--plot", self.root / "no/a.svg",
                       said=["no/a.svg"])

    def test_gradcheck(self):
        lines = self.succeed("gradcheck", "exp", "eq", "--seed", 3).splitlines()
        self.assertEqual(len(lines), 4)
        self.assertRegex(lines[1], r"^exp +\d\.\de-\d+ +\d\.\de-\d+ .* ok$|^eq +- +- .* ok$")
        self.assertRegex(lines[3], r"^2 ops, 0 wrong; largest error")
        listed = self.succeed("gradcheck", "--list").splitlines()
        self.assertGreater(len(listed), 80)
        self.assertRegex(listed[0], r"^\w+ +(differentiable|no derivative) +\d+ samples?$")
        self.assertEqual(json.loads(self.succeed("gradcheck", "exp", "--json"))["failures"], [])
        self.fail_with(2, "gradcheck", "expp", said=["expp", "exp"])


if __name__ == "__main__":
    run_tests()
