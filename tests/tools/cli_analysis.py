#!/usr/bin/env python3
"""The commands of the fourierformer program by which results are judged: analyze, report, compare.

Usage: cli_analysis.py PROGRAM [TEST ...], as unittest's own.
"""

import html
import json
import math
import re
import signal
import statistics
import subprocess
import time
import xml.etree.ElementTree as ElementTree

from cli_case import LIMIT, Case, run_tests

PICTURES = {"head_distance.svg", "entropy.svg", "attention_distance.svg", "effective_rank.svg", "attention_maps.svg"}


class Analysis(Case):
    def train(self, config, name, *settings):
        run = self.runs / name
        self.succeed("train", config, "--out", run, "--quiet", *(["--set", *settings] if settings else []))
        return run

    # ----------------------------------------------------------------------------------------------------- analyze

    def test_analyze_images(self):
        run = self.train(self.vision, "a", "model.depth=2", "model.radius_shape=head_feature")
        out = self.succeed("analyze", run, "--samples", 10, "--out", self.root / "pictures")
        self.assertIn("10 held-out samples", out)
        self.assertRegex(out, r"blocks\.1\.attn +[\d.]+ ")
        written = json.loads((run / "analysis.json").read_text())
        self.assertEqual((written["samples"], written["distance_unit"]), (10, "patches"))
        self.assertEqual(len(written["layers"]), 2)
        self.assertAlmostEqual(written["head_distance"], statistics.mean(l["head_distance"] for l in written["layers"]))
        for layer in written["layers"]:
            self.assertGreater(layer["head_distance"], 0)
            self.assertEqual([len(layer[key]) for key in ("entropy", "attention_distance", "effective_rank")], [2] * 3)
            self.assertTrue(all(0 <= entropy <= math.log(5) for entropy in layer["entropy"]))  # 4 patches, a class token
            self.assertEqual([len(radii) for radii in layer["radius"]], [8, 8])
        self.assertEqual(json.loads(self.succeed("analyze", run, "--samples", 10, "--json", "--threads", 1)), written)
        self.assertEqual({path.name for path in (self.root / "pictures").iterdir()}, PICTURES | {"radius.svg"})
        for path in (self.root / "pictures").iterdir():
            self.assertEqual(ElementTree.parse(path).getroot().tag, "{http://www.w3.org/2000/svg}svg")
        maps = (self.root / "pictures/attention_maps.svg").read_text()
        self.assertEqual(maps.count("data:image/png;base64,"), 5)  # four heads, and the image
        self.succeed("train", run / "config.json", "--out", run, "--overwrite", "--quiet")
        self.assertFalse((run / "analysis.json").exists())  # it was of another model

    def test_analyze_texts(self):
        run = self.train(self.language, "a", "model.attention=softmax")
        found = json.loads(self.succeed("analyze", run, "--json", "--out", self.root / "pictures", "--heads", "0.1"))
        self.assertEqual(found["distance_unit"], "tokens")
        self.assertNotIn("radius", found["layers"][0])
        self.assertEqual({path.name for path in (self.root / "pictures").iterdir()}, PICTURES)
        self.assertEqual((self.root / "pictures/attention_maps.svg").read_text().count("data:image"), 1)

    def test_analyze_misused(self):
        run = self.train(self.vision, "a")
        for heads, said in (("1.0", "no head 1.0"), ("0.2", "no head 0.2"), ("0", "LAYER.HEAD"), ("0.x", "no number"),
                            ("0.-1", "no number"), ("0.0,", "LAYER.HEAD")):
            self.fail_with(2, "analyze", run, "--heads", heads, said=[said])
        self.fail_with(2, "analyze", run, "--samples", 0, said=["--samples"])
        self.fail_with(1, "analyze", run, "--sample", 20, said=["sample 20 of 20"])
        self.fail_with(1, "analyze", self.runs / "none", said=["no such folder"])

    # ------------------------------------------------------------------------------------------------------ report

    def test_report_of_one_run(self):
        run = self.train(self.vision, "a<b>&c")
        self.assertIn("report.html", self.succeed("report", run))
        page = (run / "report.html").read_text()
        self.assertNotIn("<b>&c", page)
        self.assertIn("a&lt;b&gt;&amp;c", page)
        for part in ("<h2>Training</h2>", "test accuracy", "<h2>Attention</h2>", "Attention maps", "Confusion",
                     "of the first 20 test images", "train.batch_size"):
            self.assertIn(part, page)
        self.assertEqual(set(re.findall(r"https?://[^\"' ]*", page)), {"http://www.w3.org/2000/svg"})
        self.succeed("report", run, "--out", self.root / "again.html", "--threads", 1)
        self.assertEqual((self.root / "again.html").read_text(), page)

    def test_report_of_several_runs(self):
        runs = [self.train(self.language, f"{attention}-{seed}", f"model.attention={attention}", f"train.seed={seed}",
                           "train.log_interval=2") for attention in ("fourier", "softmax") for seed in (1, 2)]
        self.succeed("report", *runs, "--prompt", "<i>line 7", "--title", "T & t")
        page = (self.root / "report.html").read_text()
        self.assertIn("<h1>T &amp; t</h1>", page)
        self.assertIn("attention fourier (2 seeds)", page)
        self.assertIn("&lt;i&gt;line 7", page)
        self.assertNotIn("<i>", page)
        self.assertEqual(len(re.findall(r'data-name="softmax-2, loss"', page)), 1)
        self.assertEqual(len(set(re.findall(r"<h2>(.*)</h2>", page))), 5)

    def test_report_names_classes(self):
        """Where a model knows its classes by name, that is what the page calls them; of a file's names nothing becomes
        an element."""
        names = ["<b>cat", "dog & \"co\"", "emu"]
        config = self.write_image_folder(names, 8, train=4, test=2)
        run = self.train(config, "a", "train.lr=1e-9")  # a model that has learnt nothing confuses classes
        self.assertEqual((run / "classes.txt").read_text().splitlines(), names)
        self.succeed("report", run)
        page = (run / "report.html").read_text()
        self.assertNotIn("<b>cat", page)
        for name in map(html.escape, names):
            for heading in ("col", "row"):
                self.assertIn(f'<th scope="{heading}">{name}</th>', page)
            self.assertIn(f'alt="a test image of class {name}"', page)
            self.assertRegex(page, f'title="[0-2] of 2 of class {re.escape(name)} taken for ')
        name = f"({'|'.join(re.escape(html.escape(name)) for name in names)})"
        self.assertEqual(len(re.findall(f"<figcaption>[✓✗] {name}<br>", page)), 6)
        self.assertRegex(page, f"<li>class {name} taken for {name}: [12] times</li>")
        self.assertRegex(page, f"; is {name}</small>")

    def test_report_without_data(self):
        run = self.train(self.vision, "a")
        (self.data / "test-labels").unlink()
        self.assertIn("test-labels", self.succeed("report", run))
        page = (run / "report.html").read_text()
        self.assertIn("<h2>Training</h2>", page)
        self.assertNotIn("<h2>Attention</h2>", page)
        self.assertRegex(page, r"class=\"note\">[^<]*test-labels")
        self.assertNotIn("not all of it", self.succeed("report", run, "--no-model"))

    def test_report_of_damaged_runs(self):
        run = self.train(self.vision, "a")
        metrics = run / "metrics.jsonl"
        good = metrics.read_text()
        for line, said in (("<script>", "not a JSON object"), ("{}", "step"), ('{"step": 1, "loss": []}', "loss")):
            metrics.write_text(good + line + "\n")
            self.fail_with(1, "report", run, said=["metrics.jsonl: line 6", said])
        extreme = ('{"step": 18446744073709551615, "loss": 1e308}',
                   '{"step": 999999999999999, "loss": -1e308, "lr": 5e-324}',
                   '{"step": 999999999999998, "loss": 1e99, "grad_norm": 1e-99}')
        for last in ('{"step": 7, "loss": -1e99, "grad_norm": 0}', '{"step": 7, "loss": -1e99, "grad_norm": 1e9}'):
            metrics.write_text(good + "\n".join([*extreme, last]) + "\n")
            self.succeed("report", run, "--no-model")
            self.assertNotRegex((run / "report.html").read_text(), r'(d|cx|cy|x1|y1)="[^"]*(nan|inf)')
        metrics.write_text(good)
        (run / "summary.json").write_text("[]")
        self.fail_with(1, "report", run, said=["summary.json"])
        self.fail_with(1, "report", self.runs / "none", said=["no such folder"])
        self.fail_with(2, "report", said=["DIR"])

    # ----------------------------------------------------------------------------------------------------- compare

    def compare(self, *arguments, config=None):
        return ["compare", config or self.vision, "--vary", "model.attention=fourier,softmax", "--out",
                self.root / "compared", *arguments]

    def test_compare(self):
        found = json.loads(self.succeed(*self.compare("--seeds", 2, "--json", "--set", "train.log_interval=3")))
        out = self.root / "compared"
        names = {f"{variant}-seed{seed}" for variant in ("fourier", "softmax") for seed in (1, 2)}
        self.assertEqual({path.name for path in out.iterdir()}, names | {"comparison.json", "report.html"})
        self.assertEqual(json.loads((out / "comparison.json").read_text()), found)
        self.assertEqual((found["variants"], found["seeds"]), (["fourier", "softmax"], [1, 2]))
        self.assertLessEqual({"test_loss", "test_accuracy", "parameters", "training_seconds", "peak_memory_bytes",
                         "head_distance"}, found["metrics"].keys())
        summaries = {name: json.loads((out / name / "summary.json").read_text()) for name in names}
        for metric in ("test_loss", "peak_memory_bytes"):
            values = {v: [summaries[f"{v}-seed{seed}"][metric] for seed in (1, 2)] for v in ("fourier", "softmax")}
            for variant, of_variant in found["metrics"][metric].items():
                self.assertEqual(of_variant["values"], values[variant])
                self.assertAlmostEqual(of_variant["mean"], statistics.mean(values[variant]))
                self.assertAlmostEqual(of_variant["deviation"], statistics.stdev(values[variant]), places=5)
            differences = [b - a for a, b in zip(*values.values())]
            softmax = found["metrics"][metric]["softmax"]
            self.assertAlmostEqual(softmax["difference"], statistics.mean(differences))
            half = 12.7062047 * statistics.stdev(differences) / math.sqrt(2)  # one degree of freedom
            self.assertAlmostEqual(softmax["half_width_95"], half, delta=1e-6 * half + 1e-9)
        analysis = json.loads((out / "softmax-seed2/analysis.json").read_text())
        self.assertEqual(analysis["head_distance"], found["metrics"]["head_distance"]["softmax"]["values"][1])
        # A run is what train alone makes of it.
        self.succeed("train", self.vision, "--out", self.runs / "alone", "--quiet", "--seed", 2, "--set",
                     "model.attention=softmax", "train.log_interval=3")
        for name in ("config.json", "model.safetensors"):
            self.assertEqual((out / "softmax-seed2" / name).read_bytes(), (self.runs / "alone" / name).read_bytes())
        # What is there is kept.
        before = {path: path.stat().st_mtime_ns for path in out.rglob("model.safetensors")}
        text = self.succeed(*self.compare("--seeds", 2, "--set", "train.log_interval=3"))
        self.assertEqual(text.count("finished before"), 4)
        self.assertRegex(text, r"test accuracy +[\d.]+ ± [\d.]+ +[\d.]+")
        self.assertIn("2 seeds cannot confirm", text)
        self.assertEqual({path: path.stat().st_mtime_ns for path in out.rglob("model.safetensors")}, before)
        self.fail_with(1, *self.compare("--seeds", 2), said=["fourier-seed1", "train.log_interval is 3 there, 4 here"])

    def test_compare_one_seed_and_several_keys(self):
        text = self.succeed(*self.compare("--seeds", 1, "--seed", 7, "--vary", "train.betas=[0.9,0.9],[0.8,0.9]", "--steps", 2,
                                          config=self.language))
        names = [f"{attention}-betas_{beta},0.9_-seed7".replace(",", "_") for attention in ("fourier", "softmax")
                 for beta in (0.9, 0.8)]
        self.assertEqual(sorted(path.name for path in (self.root / "compared").iterdir() if path.is_dir()), sorted(names))
        config = json.loads((self.root / "compared" / names[3] / "config.json").read_text())
        self.assertEqual((config["model"]["attention"], config["train"]["betas"], config["train"]["steps"]),
                         ("softmax", [0.8, 0.9], 2))
        self.assertIn("One seed", text)
        self.assertNotIn("±", text)

    def test_compare_misused(self):
        for arguments, said in ((["--vary", "model.attention=fourier"], "at least two"),
                                (["--vary", "model.attention=fourier,fourier"], "called fourier"),
                                (["--vary", "model.atention=fourier,softmax"], "model.attention"),
                                (["--vary", "model.attention=fourier,cosine"], "cosine"),
                                (["--vary", "model.attention"], "KEY=VALUE"),
                                (["--vary", "=a,b"], "KEY=VALUE"),
                                (["--vary", "train.seed=1,2"], "--seeds"),
                                (["--vary", "train.lr=1e-3,1e-4", "--vary", "train.lr=1,2"], "comes twice"),
                                (["--vary", "train.lr=1e-3,-1"], "train.lr"),
                                (["--vary", "train.lr=1e-3,1e-4", "--seeds", "0"], "--seeds"),
                                ([], "--vary")):
            self.fail_with(2, "compare", self.vision, "--out", self.root / "compared", *arguments, said=[said])

    def test_compare_run_that_fails(self):
        done = self.run_program(*self.compare("--json", "--set", "data.train_labels=none"))
        self.assertEqual((done.returncode, done.stdout), (1, ""))
        self.assertIn("none", done.stderr)
        self.assertIn("fourier-seed1 ended with status 1", done.stderr)
        self.assertEqual(list((self.root / "compared").iterdir()), [])

    def test_compare_time_limit(self):
        """A run that its time limit stops is not compared as if it were done; the same command goes on with it."""
        done = self.run_program(*self.compare("--seeds", 1, "--steps", 100000, "--set", "train.max_seconds=0.1"))
        self.assertEqual(done.returncode, 1)
        self.assertIn("fourier-seed1 was stopped before its end", done.stderr)
        self.assertFalse((self.root / "compared/comparison.json").exists())

    def test_compare_interrupted(self):
        """Stopped by Ctrl-C, then killed; each time the same command goes on, to what one that was let alone makes."""
        settings = ["--seeds", 1, "--steps", 150, "--set", "train.eval_interval=5"]
        out = self.root / "compared"
        for number, run in ((signal.SIGINT, "fourier-seed1"), (signal.SIGKILL, "softmax-seed1")):
            process = subprocess.Popen([self.program, *map(str, self.compare(*settings))], cwd=self.root,
                                       stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
            try:
                until = time.monotonic() + LIMIT
                while not list((out / run).glob("checkpoint/*")):
                    self.assertLess(time.monotonic(), until)
                    self.assertIsNone(process.poll(), "ended by itself")
                    time.sleep(0.005)
                process.send_signal(number)
                text, errors = process.communicate(timeout=LIMIT)
            finally:
                process.kill()
                process.wait()
            self.assertEqual(errors, "")
            if number == signal.SIGINT:
                self.assertEqual(process.returncode, 130)
                self.assertIn("the same command goes on", text)
            until = time.monotonic() + LIMIT
            while not (out / run / "summary.json").exists():  # a child whose parent was killed ends, too
                self.assertLess(time.monotonic(), until)
                time.sleep(0.01)
        found = json.loads(self.succeed(*self.compare(*settings, "--json")))
        self.assertEqual(found["variants"], ["fourier", "softmax"])
        for attention in ("fourier", "softmax"):
            whole = self.runs / attention
            self.succeed("train", self.vision, "--out", whole, "--quiet", "--steps", 150, "--set", "train.eval_interval=5",
                         f"model.attention={attention}")
            self.assertTrue(json.loads((out / f"{attention}-seed1/summary.json").read_text())["finished"])
            self.assertEqual((out / f"{attention}-seed1/model.safetensors").read_bytes(),
                             (whole / "model.safetensors").read_bytes())


if __name__ == "__main__":
    run_tests()
