#!/usr/bin/env python3
"""Runs the fourierformer program as its users do, on data made here: training, what a run's folder holds, errors (one
line, the right exit status, nothing left behind), equality at any thread count.

Usage: cli.py PROGRAM [TEST ...], as unittest's own.
"""

import fcntl
import json
import os
import pty
import re
import struct
import subprocess
import termios

from cli_case import LIMIT, Case, idx, run_tests


class Cli(Case):
    # ---------------------------------------------------------------------------------------------------- training

    def test_vision_run(self):
        run = self.runs / "a"
        out = self.succeed("train", self.vision, "--out", run, "--threads", 2)
        self.assertIn("test accuracy", out)
        self.assertEqual({path.relative_to(run).as_posix() for path in run.rglob("*") if path.is_file()},
                         {"config.json", "metrics.jsonl", "model.safetensors", "model-best.safetensors",
                          "checkpoint/manifest.json", "checkpoint/step-00000008.safetensors",
                          "checkpoint/step-00000012.safetensors", "summary.json"})
        config = json.loads((run / "config.json").read_text())
        self.assertEqual(config["train"]["steps"], 12)
        self.assertEqual(config["model"]["attention"], "fourier")  # defaults are filled in
        self.assertEqual(config["train"]["seed"], 1)
        records = self.records(run)
        self.assertEqual([r["step"] for r in records if "loss" in r], [4, 8, 12])
        for record in records:
            if "loss" in record:
                self.assertGreater(record["loss"], 0)
                self.assertGreater(record["items_per_second"], 0)
                self.assertIn("lr", record)
        self.assertEqual([r["step"] for r in records if "test_accuracy" in r], [8, 12])  # an epoch has 8 steps
        summary = json.loads((run / "summary.json").read_text())
        self.assertEqual(summary["steps"], 12)
        for key in ("test_accuracy", "test_loss", "parameters", "training_seconds", "peak_memory_bytes"):
            self.assertGreaterEqual(summary[key], 0)
        self.assertNotIn("perplexity", summary)
        # What was trained is what eval finds.
        figures = json.loads(self.succeed("eval", run, "--json"))
        self.assertEqual(figures, {key: summary[key] for key in ("test_loss", "test_accuracy")})
        self.assertIn("test accuracy", self.succeed("eval", run))
        # A run can be repeated from its own configuration.
        self.succeed("train", run / "config.json", "--out", self.runs / "b", "--quiet")
        self.assertEqual((self.runs / "b/model.safetensors").read_bytes(), (run / "model.safetensors").read_bytes())
        self.assertEqual((self.runs / "b/config.json").read_bytes(), (run / "config.json").read_bytes())

    def test_language_run(self):
        run = self.runs / "a"
        self.succeed("train", self.language, "--out", run)
        summary = json.loads((run / "summary.json").read_text())
        for key in ("test_loss", "perplexity", "bits_per_byte", "parameters", "steps", "training_seconds"):
            self.assertGreater(summary[key], 0)
        self.assertFalse((run / "vocabulary.txt").exists())
        figures = json.loads(self.succeed("eval", run, "--json"))
        self.assertEqual(figures["perplexity"], summary["perplexity"])

    def test_series_run(self):
        run = self.runs / "a"
        self.assertIn("time series  Fourier attention", self.succeed("train", self.series, "--out", run))
        summary = json.loads((run / "summary.json").read_text())
        (self.data / "TRAIN.ts").unlink()  # not needed any more
        figures = json.loads(self.succeed("eval", run, "--json"))
        self.assertEqual(figures, {key: summary[key] for key in ("test_loss", "test_accuracy")})
        self.fail_with(1, "train", self.series, "--out", self.runs / "b", said=["TRAIN.ts", "cannot be opened"])
        (self.data / "TEST.ts").write_text("@dimensions 2\n@classLabel true up down\n@data\n1,2:3:up\n")
        self.fail_with(1, "eval", run, said=["TEST.ts:4: dimension 2 has 1 values, dimension 1 has 2"])

    def test_words(self):
        run = self.runs / "a"
        self.succeed("train", self.language, "--out", run, "--set", "model.vocabulary=words")
        summary = json.loads((run / "summary.json").read_text())
        self.assertNotIn("bits_per_byte", summary)
        self.assertIn("<eos>", (run / "vocabulary.txt").read_text())
        self.assertEqual(json.loads(self.succeed("eval", run, "--json"))["perplexity"], summary["perplexity"])
        (self.data / "text").unlink()  # not needed any more
        text = self.succeed("generate", run, "--prompt", "line 3", "--tokens", 5)
        self.assertTrue(text.startswith("line 3"))

    def test_both_attentions_and_settings(self):
        for attention in ("fourier", "softmax"):
            run = self.runs / attention
            self.succeed("train", self.vision, "--set", f"model.attention={attention}", "train.batch_size=4", "--out",
                         run, "--steps", 3, "--seed", 5, "--quiet")
            config = json.loads((run / "config.json").read_text())
            self.assertEqual(config["model"]["attention"], attention)
            self.assertEqual([config["train"][key] for key in ("batch_size", "steps", "seed")], [4, 3, 5])
        self.assertNotEqual(*((self.runs / a / "model.safetensors").read_bytes() for a in ("fourier", "softmax")))

    def test_same_at_any_thread_count(self):
        """Whole runs of models large enough that threads share their work."""
        vision = ["model.patch_size=2", "model.width=64", "model.depth=2", "model.heads=4", "model.dropout=0.1",
                  "model.attention_dropout=0.1", "model.drop_path=0.1", "train.batch_size=32", "train.clip_norm=1"]
        language = ["model.width=64", "model.layers=2", "model.heads=4", "model.inner_width=256", "model.context=64",
                    "model.attention_dropout=0.1", "train.batch_size=8"]
        series = ["model.width=64", "model.depth=2", "model.heads=4", "model.dropout=0.1", "model.drop_path=0.1",
                  "train.batch_size=24"]
        for config, settings in ((self.vision, vision), (self.series, series), (self.language, language)):
            for attention in ("fourier", "softmax"):
                found = {}
                for threads in (1, 2, 4):
                    run = self.runs / f"{config.stem}-{attention}-{threads}"
                    self.succeed("train", config, "--set", f"model.attention={attention}", *settings, "--steps", 20,
                                 "--out", run, "--threads", threads, "--quiet")
                    found[threads] = self.timeless(run)
                for threads in (2, 4):
                    self.assertEqual(found[threads].keys(), found[1].keys())
                    for name, content in found[1].items():
                        self.assertTrue(found[threads][name] == content, f"{run.name} and on 1: {name} differs")
        run = self.runs / "other-seed"
        self.succeed("train", config, "--set", f"model.attention={attention}", *settings, "--steps", 20, "--out", run,
                     "--seed", 2, "--quiet")
        other = self.timeless(run)
        for name in ("model.safetensors", "checkpoint/step-00000020.safetensors", "metrics.jsonl"):
            self.assertNotEqual(other[name], found[1][name])

    def test_default_folder(self):
        self.succeed("train", self.vision, "--steps", 1, "--quiet")
        self.assertTrue((self.root / "runs/vision/summary.json").exists())

    def test_overwrite(self):
        run = self.runs / "a"
        self.succeed("train", self.vision, "--out", run, "--quiet")
        (run / "notes.txt").write_text("mine")
        self.fail_with(1, "train", self.vision, "--out", run, said=[str(run), "holds a run", "--overwrite"])
        self.succeed("train", self.vision, "--out", run, "--overwrite", "--steps", 2, "--quiet")
        self.assertEqual(json.loads((run / "summary.json").read_text())["steps"], 2)
        self.assertEqual((run / "notes.txt").read_text(), "mine")
        self.assertEqual(self.records(run)[-1]["step"], 2)

    def test_init_from(self):
        self.succeed("train", self.vision, "--out", self.runs / "first")
        shown = self.succeed("train", self.vision, "--init-from", self.runs / "first", "--out", self.runs / "second",
                             "--set", "model.patch_size=2", "--steps", 1)
        self.assertIn("pos_embed: (1, 5, 16) there, (1, 17, 16) here: interpolated", shown)
        self.assertIn("patch_embed.proj.weight: (16, 1, 4, 4) there, (16, 1, 2, 2) here: starts afresh", shown)
        config = json.loads((self.runs / "second" / "config.json").read_text())
        self.assertEqual(config["train"]["init_from"], str(self.runs / "first"))
        self.fail_with(1, "train", self.vision, "--init-from", self.data / "text", "--out", self.runs / "third",
                       said=["[load_safetensors]", str(self.data / "text")])
        self.fail_with(2, "train", "--resume", self.runs / "second", "--init-from", self.runs / "first",
                       said=["--init-from"])

    # ------------------------------------------------------------------------------------------------------ output

    def test_output_modes(self):
        self.assertEqual(self.succeed("train", self.vision, "--out", self.runs / "quiet", "--quiet"), "")
        out = self.succeed("train", self.vision, "--out", self.runs / "json", "--json").splitlines()
        printed = [json.loads(line) for line in out]
        self.assertEqual(printed[:-1], self.records(self.runs / "json"))
        self.assertEqual(printed[-1], json.loads((self.runs / "json/summary.json").read_text()))
        plain = self.succeed("train", self.vision, "--out", self.runs / "plain")
        self.assertNotRegex(plain, r"[\x00-\x08\x0b-\x1f\x7f]")  # no escape codes, nothing rewritten
        for arguments in (["--help"], ["train", "--help"], ["info"], ["info", self.runs / "plain"]):
            self.assertNotIn("\x1b", self.succeed(*arguments))

    def run_on_terminal(self, columns, *arguments, **environment):
        """What the program writes to a terminal of that width."""
        try:
            terminal, inner = pty.openpty()
        except OSError as error:
            self.skipTest(f"no terminal to be had here: {error}")
        try:
            fcntl.ioctl(inner, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
            process = subprocess.Popen([self.program, *map(str, arguments)], stdout=inner, stderr=inner, cwd=self.root,
                                       env={**os.environ, "TERM": "xterm", **environment})
            os.close(inner)
            written = b""
            while True:
                try:
                    piece = os.read(terminal, 65536)
                except OSError:  # the other side is closed
                    break
                if not piece:
                    break
                written += piece
            self.assertEqual(process.wait(LIMIT), 0, written)
        finally:
            os.close(terminal)
        return written.decode()

    def test_terminal(self):
        environment = {key: value for key, value in os.environ.items() if key != "NO_COLOR"}
        os.environ.pop("NO_COLOR", None)
        self.addCleanup(os.environ.update, environment)
        self.succeed("train", self.vision, "--out", self.runs / "silent", "--set", "model.dropout=0.1", "--quiet")
        silent = (self.runs / "silent/model.safetensors").read_bytes()
        for columns in (160, 80, 40, 20):
            out = self.run_on_terminal(columns, "train", self.vision, "--out", self.runs / str(columns), "--set",
                                       "model.dropout=0.1")
            self.assertIn("\x1b[32m", out)  # colours
            rewritten = re.findall(r"\r(step [^\r\n]*)\x1b\[K", out)
            self.assertTrue(rewritten, out)
            for line in rewritten:
                self.assertLess(len(line), columns)
            last = rewritten[-1]  # a narrow line leaves out what matters least
            if columns == 160:
                self.assertRegex(last, r"\Astep \d+/12 \[=* *\]  loss [\d.]+ \(last [\d.]+\)  lr [\de.-]+  [\d.]+k? images/s  "
                                       r"[\d.]+ % of peak  [\d.]+ MiB  ")
            elif columns == 80:
                self.assertRegex(last, r"\Astep \d+/12 \[=* *\]  loss [\d.]+  lr [\de.-]+  [\d.]+k? images/s  ")
            elif columns == 40:
                self.assertRegex(last, r"\Astep \d+/12  loss [\d.]+  ")
            # What is shown changes nothing of what is learnt.
            self.assertEqual((self.runs / str(columns) / "model.safetensors").read_bytes(), silent)
        out = self.run_on_terminal(80, "train", self.vision, "--out", self.runs / "plain", NO_COLOR="1")
        self.assertNotRegex(out, r"\x1b\[\d+m")

    def test_help_and_version(self):
        self.assertRegex(self.succeed("--version"),
                         r"\Afourierformer \d+\.\d+\.\d+\nbuild +\w+, (GNU|Clang) [\d.]+.*\nSIMD +\w+ .*\nBLAS +OpenBLAS .*\n\Z")
        out = self.succeed("--help")
        self.assertRegex(out, r"(?s)Exit status:\n  0 .*\n  1 .*\n  2 ")
        for command in ("train", "eval", "analyze", "report", "compare", "generate", "info", "graph", "bench"):
            self.assertIn(command, out)
            text = self.succeed(command, "--help")
            self.assertIn("Usage: fourierformer " + command, text)
            self.assertRegex(text, rf"(?m)^Examples:\n  fourierformer {command}")
            for line in text.splitlines():
                if not line.startswith("  fourierformer"):  # an example
                    self.assertLessEqual(len(line), 100)
        for line in self.run_on_terminal(60, "train", "--help").split("\r\n"):
            if not line.startswith("  fourierformer"):
                self.assertLessEqual(len(line), 60)
        for option in ("--set", "--out", "--threads", "--seed", "--steps", "--overwrite", "--quiet", "--json"):
            self.assertIn(option, self.succeed("train", "--help"))

    def test_generate(self):
        run = self.runs / "a"
        self.succeed("train", self.language, "--out", run, "--quiet")
        generate = ["generate", run, "--prompt", "line", "--tokens", 30]
        text = self.succeed(*generate, "--seed", 3)
        self.assertTrue(text.startswith("line"))
        self.assertEqual(self.succeed(*generate, "--seed", 3, "--threads", 1), text)
        self.assertNotEqual(self.succeed(*generate, "--seed", 4), text)
        greedy = self.succeed(*generate, "--temperature", 0)
        self.assertEqual(self.succeed(*generate, "--top-k", 1, "--seed", 9), greedy)
        self.assertNotRegex(text, r"[\x00-\x08\x0b-\x1f\x7f]")  # an untrained model says anything
        self.assertEqual(json.loads(self.succeed(*generate, "--seed", 3, "--json"))["text"], text[4:-1])
        self.succeed("generate", run, "--prompt", "")
        self.assertEqual(self.succeed(*generate, "--top-p", "1e-6"), greedy)
        self.assertEqual(self.succeed(*generate, "--top-p", 0.9, "--seed", 3), self.succeed(*generate, "--top-p", 0.9,
                                                                                            "--seed", 3))
        self.assertNotEqual(self.succeed(*generate, "--temperature", 0, "--repetition-penalty", 5), greedy)
        result = self.run_program(*generate, "--seed", 3, "--verbose")
        self.assertEqual(result.stdout, text)
        self.assertRegex(result.stderr, r"\A30 tokens, [\d.]+[kM]? tokens/s\n\Z")
        result = json.loads(self.succeed(*generate, "--seed", 3, "--json"))
        self.assertEqual(result["tokens"], 30)
        self.assertGreater(result["tokens_per_second"], 0)

    def test_generate_beyond_the_context_and_from_unknown_words(self):
        run = self.runs / "a"
        self.succeed("train", self.language, "--out", run, "--set", "model.vocabulary=words", "--quiet")
        prompt = "nobody ever said this " * 20  # context: 16
        out = self.succeed("generate", run, "--prompt", prompt + "line", "--tokens", 50, "--seed", 1)
        self.assertTrue(out.startswith(prompt + "line"))
        self.succeed("generate", run, "--prompt", "\u00fc\n", "--tokens", 3)

    def test_generate_refuses_senseless_options(self):
        run = self.runs / "a"
        self.succeed("train", self.language, "--out", run, "--quiet")
        generate = ["generate", run, "--prompt", "line"]
        for option, values in (("--top-p", (0, 1.5, -0.1, "nan")), ("--repetition-penalty", (0, -1, "nan", "inf")),
                               ("--temperature", ("nan", "inf", -1)), ("--top-k", (-1,)), ("--tokens", (-1, "many"))):
            for value in values:
                self.fail_with(2, *generate, option, value, said=[option.strip("-").split("-")[0]])

    # ------------------------------------------------------------------------------------------------------ errors

    def test_command_line_errors(self):
        out = ["--out", self.runs / "a"]
        self.fail_with(2, said=["command"])
        self.fail_with(2, "trian", self.vision, said=["trian", "train"])
        self.fail_with(2, "train", said=["CONFIG"])
        self.fail_with(2, "train", self.vision, *out, "--stepz", 3, said=["--stepz"])
        self.fail_with(2, "train", self.vision, *out, "--steps", "many", said=["--steps", "many"])
        self.fail_with(2, "train", self.vision, *out, "--steps", 0, said=["--steps"])
        self.fail_with(2, "train", self.vision, *out, "--threads", 0, said=["--threads"])
        self.fail_with(2, "train", self.vision, *out, "--quiet", "--json", said=["--quiet", "--json"])
        self.fail_with(2, "train", self.vision, *out, "--set", "train.lr", said=["train.lr"])
        self.fail_with(2, "train", self.vision, "--resume", self.runs / "a", said=["--resume"])
        self.fail_with(2, "generate", self.runs / "a", said=["--prompt"])
        self.fail_with(2, "generate", self.runs / "a", "--prompt", "x", "--temperature", -1, said=["--temperature"])
        self.fail_with(2, "eval", said=["DIR"])

    def test_output_that_cannot_be_written(self):
        for arguments in (["--version"], ["info", "toy_vision"], ["man"], ["completion", "bash"]):
            with self.subTest(arguments=arguments), open("/dev/full", "w") as full:
                done = subprocess.run([self.program, *arguments], stdout=full, stderr=subprocess.PIPE, text=True,
                                      timeout=LIMIT)
                self.assertEqual(done.returncode, 1)
                self.assertRegex(done.stderr, r"\A[^\n]*(written|write)[^\n]*\n\Z")

    def test_configuration_errors(self):
        out = ["--out", self.runs / "a"]
        self.fail_with(2, "train", self.root / "none.json", *out, said=["none.json"])
        (self.root / "broken.json").write_text('{"task": ')
        self.fail_with(2, "train", self.root / "broken.json", *out, said=["broken.json"])
        self.fail_with(2, "train", self.vision, *out, "--set", "model.patch_size=3",
                       said=["patch_size", "3", "image_size 8"])
        self.fail_with(2, "train", self.vision, *out, "--set", "train.lr=fast", said=["train.lr", "number", "fast"])
        self.fail_with(2, "train", self.vision, *out, "--set", "train.lrr=0.1", said=["train.lrr", "train.lr?"])
        config = json.loads(self.vision.read_text())
        config["model"]["pach_size"] = 4
        wrong = self.write_config("wrong.json", config)
        self.fail_with(2, "train", wrong, *out, said=["wrong.json", "model.pach_size", "model.patch_size"])

    def test_data_errors(self):
        out = ["--out", self.runs / "a/b"]
        images, labels = self.data / "train-images.gz", self.data / "train-labels"
        whole, right = images.read_bytes(), labels.read_bytes()
        images.write_bytes(whole[:len(whole) // 2])
        self.fail_with(1, "train", self.vision, *out, said=["train-images.gz"])
        images.unlink()
        self.fail_with(1, "train", self.vision, *out, said=["train-images.gz", "No such file"])
        images.write_bytes(b"what is this?")
        self.fail_with(1, "train", self.vision, *out, said=["train-images.gz"])
        images.write_bytes(whole)
        labels.write_bytes(idx([63], [0] * 63))
        self.fail_with(1, "train", self.vision, *out, said=["64 images", "63 labels"])
        labels.write_bytes(idx([64], [7] * 64))
        self.fail_with(1, "train", self.vision, *out, said=["train-labels", "7"])
        labels.write_bytes(right)
        self.fail_with(1, "train", self.vision, *out, "--set", "model.image_size=16", said=["8 x 8", "16 x 16"])
        self.fail_with(1, "train", self.vision, *out, "--set", "train.batch_size=65", said=["64 samples", "65"])
        (self.data / "text").write_text("short")
        self.fail_with(1, "train", self.language, *out, said=["text", "to evaluate on"])
        (self.data / "text").unlink()
        self.fail_with(1, "train", self.language, *out, said=["text", "No such file"])

    def test_folder_errors(self):
        (self.root / "file").write_text("in the way")
        self.fail_with(1, "train", self.vision, "--out", self.root / "file", said=["file"])
        self.fail_with(1, "train", self.vision, "--out", self.root / "file/run", said=["file/run"])
        self.fail_with(1, "train", self.vision, "--out", "/proc/none/run", said=["/proc/none/run"])
        self.fail_with(1, "eval", self.runs / "none", said=["none"])
        self.fail_with(1, "generate", self.root / "data", "--prompt", "x", said=["config.json"])
        self.fail_with(1, "train", "--resume", self.runs / "none", said=["none"])

    def test_damaged_runs(self):
        run = self.runs / "a"
        self.succeed("train", self.vision, "--out", run, "--quiet")
        self.fail_with(1, "generate", run, "--prompt", "x", said=["language"])
        self.fail_with(1, "train", "--resume", run, said=["12 steps"])
        model = (run / "model.safetensors").read_bytes()
        (run / "model.safetensors").write_bytes(model[:-1])
        self.fail_with(1, "eval", run, said=["model.safetensors"])
        (run / "model.safetensors").write_bytes(model)
        self.fail_with(1, "eval", run, "--set", "model.depth=2", said=["blocks.1."])

    def test_loss_that_is_not_finite(self):
        done = self.run_program("train", self.vision, "--out", self.runs / "a", "--set", "train.optimizer=sgd",
                                "train.lr=1e30", "train.warmup=0")
        self.assertEqual(done.returncode, 1)
        self.assertRegex(done.stderr, r"\A[^\n]*(loss|gradient) is -?(nan|inf) in step \d+[^\n]*rate[^\n]*\n\Z")
        self.assertFalse(self.runs.exists())

    def test_updates_that_are_left_out(self):
        settings = ["train", self.vision, "--out", self.runs / "a", "--set", "train.optimizer=sgd", "train.warmup=0",
                    "train.lr=1e30"]
        done = self.run_program(*settings, "train.non_finite=skip")
        self.assertEqual(done.returncode, 1)
        self.assertRegex(done.stderr, r"\A[^\n]*is -?(nan|inf) in step \d+[^\n]*; 10 updates in a row had to be left out\n\Z")
        for count in range(1, 11):
            self.assertRegex(done.stdout, rf"step \d+/12  the (loss|gradient) is not finite; {count} left out so far\n")
        told = [record["left_out"] for record in self.records(self.runs / "a") if "left_out" in record]
        self.assertEqual(told, list(range(1, 11)))

    def test_detect_anomaly(self):
        done = self.run_program("train", self.vision, "--out", self.runs / "a", "--set", "train.optimizer=sgd",
                                "train.lr=1e30", "train.warmup=0", "--detect-anomaly")
        self.assertEqual(done.returncode, 1)
        self.assertRegex(done.stderr, r"\[\w+\] the (result|gradient of input \d) has the first (NaN|infinity): \([\d, ]+\) "
                                      r"f32.*from .*\(at models/[\w/]+\.cpp:\d+")
        self.assertFalse(self.runs.exists())
        self.succeed("train", self.vision, "--out", self.runs / "b", "--steps", 1, "--detect-anomaly", "--quiet")

if __name__ == "__main__":
    run_tests()
