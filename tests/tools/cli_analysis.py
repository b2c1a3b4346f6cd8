#!/usr/bin/env python3
"""The commands of the fourierformer program by which results are judged: analyze, report.

Usage: cli_analysis.py PROGRAM [TEST ...], as unittest's own.
"""

import json
import math
import re
import statistics
import xml.etree.ElementTree as ElementTree

from cli_case import Case, run_tests

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
        extreme = ('{"step": 18446744073709551615, "loss": 1e308}', '{"step": 999999999999999, "loss": -1e308, "lr": 5e-324}',
                   '{"step": 999999999999998, "loss": 1e99, "grad_norm": 1e-99}', '{"step": 7, "loss": -1e99, "grad_norm": 0}')
        metrics.write_text(good + "\n".join(extreme) + "\n")
        self.succeed("report", run, "--no-model")
        self.assertNotRegex((run / "report.html").read_text(), r'(d|cx|cy|x1|y1)="[^"]*(nan|inf)')
        metrics.write_text(good)
        (run / "summary.json").write_text("[]")
        self.fail_with(1, "report", run, said=["summary.json"])
        self.fail_with(1, "report", self.runs / "none", said=["no such folder"])
        self.fail_with(2, "report", said=["DIR"])


if __name__ == "__main__":
    run_tests()
