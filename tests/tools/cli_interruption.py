#!/usr/bin/env python3
"""Runs of the fourierformer program that are interrupted, killed, find the disk full, and go on.

Usage: cli_interruption.py PROGRAM [TEST ...], as unittest's own.
"""

import json
import random
import resource
import signal
import subprocess
import time

from cli_case import LIMIT, Case, run_tests

MANIFEST = "checkpoint/manifest.json"


class Interruption(Case):
    def start(self, *arguments, **options):
        process = subprocess.Popen([self.program, *map(str, arguments)], cwd=self.root, stdout=subprocess.DEVNULL,
                                   stderr=subprocess.PIPE, text=True, **options)
        self.addCleanup(process.stderr.close)
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        return process

    def start_long(self, run, wait_for="metrics.jsonl"):
        """A long run, once it is under way."""
        process = self.start("train", self.vision, "--out", run, "--steps", 100000000, "--set", "train.log_interval=1",
                             "train.eval_interval=50")
        until = time.monotonic() + LIMIT
        while not ((run / wait_for).exists() and (run / wait_for).stat().st_size > 0):
            self.assertIsNone(process.poll(), "ended by itself")
            self.assertLess(time.monotonic(), until)
            time.sleep(0.01)
        return process

    def end(self, process, number):
        """Its exit status and stderr after that signal."""
        process.send_signal(number)
        return process.wait(LIMIT), process.stderr.read()

    def newest(self, run):
        """What goes on from a run in the end: model, best model, log, summary and the newest checkpoint."""
        files = self.timeless(run)
        entries = files[MANIFEST]["checkpoints"]
        return {"checkpoint": files[f"checkpoint/{entries[-1]['file']}"], "best": files["model-best.safetensors"],
                **{name: files[name] for name in ("config.json", "metrics.jsonl", "model.safetensors", "summary.json")}}

    def check_same(self, run, whole):
        found, wanted = self.newest(run), self.newest(whole)
        self.assertEqual(set(path.name for path in run.iterdir()), set(path.name for path in whole.iterdir()))
        for name, content in wanted.items():
            self.assertTrue(found[name] == content, f"{run.name}: {name} differs")

    def test_interrupted(self):
        run = self.runs / "a"
        self.assertEqual(self.end(self.start_long(run), signal.SIGINT), (130, ""))
        summary = json.loads((run / "summary.json").read_text())
        self.assertGreater(summary["steps"], 0)
        self.assertFalse(summary["finished"])
        self.succeed("eval", run)  # the model so far
        self.assertEqual(self.end(self.start_long(self.runs / "b"), signal.SIGTERM), (143, ""))

    def test_generate_interrupted(self):
        run = self.runs / "a"
        self.succeed("train", self.language, "--out", run, "--quiet")
        process = subprocess.Popen([self.program, "generate", str(run), "--prompt", "line", "--tokens", "100000000"],
                                   cwd=self.root, stdout=subprocess.PIPE, stderr=subprocess.PIPE, bufsize=0)
        text = b""
        try:
            while len(text) < 30:  # text comes before the end
                text += process.stdout.read(30)
            process.send_signal(signal.SIGINT)
            rest, errors = process.communicate(timeout=LIMIT)
        finally:
            process.kill()
            process.wait()
        self.assertEqual((process.returncode, errors), (130, b""))
        self.assertRegex((text + rest).decode(), r"(?s)\Aline.*\n\Z")  # no half characters

    def test_killed(self):
        run = self.runs / "a"
        self.assertEqual(self.end(self.start_long(run, MANIFEST), signal.SIGKILL)[0], -signal.SIGKILL)
        self.succeed("eval", run)
        self.succeed("eval", run, "--best")

    def test_killed_at_random_moments(self):
        """Twenty kills each by SIGKILL and by SIGTERM, wherever they fall: in the start, a step, an evaluation, in the
        middle of a checkpoint; every run that they leave ends as the one that was never disturbed."""
        settings = [self.language, "--quiet", "--steps", 60, "--set", "train.eval_interval=4", "train.log_interval=3",
                    "train.ema_decay=0.9", "train.accumulate=2", "train.schedule=reduce_on_plateau",
                    "train.plateau_patience=0"]
        whole = self.runs / "whole"
        begin = time.monotonic()
        self.succeed("train", *settings, "--out", whole)
        longest = (time.monotonic() - begin) / 4
        moments = random.Random(1)
        for number in (signal.SIGKILL, signal.SIGTERM):
            kills = finished = 0
            while kills < 20 or not finished:
                run = self.runs / f"{number.name}-{finished}"
                begun = (run / "config.json").exists()
                process = self.start("train", *(["--resume", run, "--quiet"] if begun else [*settings, "--out", run]))
                try:
                    status = process.wait(moments.uniform(0, longest) if kills < 20 else LIMIT)
                    errors = process.stderr.read()
                except subprocess.TimeoutExpired:
                    status, errors = self.end(process, number)
                    kills += 1
                # A run that was killed in its last moment had saved everything.
                if status == 0 or status == 1 and "nothing left to do" in errors:
                    self.check_same(run, whole)
                    finished += 1
                else:
                    self.assertIn(status, (-number, 128 + number), errors)

    def stopped(self, run):
        """A run of 40 steps, stopped when it has a checkpoint or two."""
        self.succeed("train", self.vision, "--out", run, "--steps", 40, "--quiet", "--set", "train.eval_interval=10",
                     "train.keep_checkpoints=5")
        whole = self.newest(run)
        manifest = json.loads((run / MANIFEST).read_text())
        for entry in manifest["checkpoints"]:
            if entry["step"] > 20:
                (run / "checkpoint" / entry["file"]).unlink()
        manifest["checkpoints"] = [entry for entry in manifest["checkpoints"] if entry["step"] <= 20]
        self.assertNotEqual(manifest["checkpoints"], [])
        (run / MANIFEST).write_text(json.dumps(manifest))
        return whole

    def check_disk_full(self, run, whole, fails):
        """Resumes the run where it cannot write a checkpoint, as fails() does, then where it can."""
        before = {path: path.read_bytes() for path in (run / "checkpoint").iterdir()}
        done = fails()
        self.assertEqual(done.returncode, 1, done.stderr)
        self.assertRegex(done.stderr, r"\A[^\n]*safetensors: cannot be written: [^\n]+\n\Z")
        self.assertEqual({path: path.read_bytes() for path in (run / "checkpoint").iterdir()}, before)
        self.assertEqual([path for path in run.rglob("*.tmp-*")], [])
        self.succeed("train", "--resume", run, "--quiet")
        self.assertEqual(self.newest(run), whole)

    def test_file_too_large(self):
        """A checkpoint fails in the middle, the model that is written before it does not."""
        run = self.runs / "a"
        whole = self.stopped(run)
        most = ((run / "model.safetensors").stat().st_size + max(
            path.stat().st_size for path in (run / "checkpoint").iterdir())) // 2
        limit = lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (most, resource.RLIM_INFINITY))
        self.check_disk_full(run, whole, lambda: self.run_program(  # SIGXFSZ stays ignored, as Python has it
            "train", "--resume", run, "--quiet", preexec_fn=limit, restore_signals=False))

    def test_disk_full(self):
        disk = self.root / "disk"
        disk.mkdir()
        mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=4m", "none", disk], capture_output=True, check=False)
        if mounted.returncode != 0:
            self.skipTest("a small disk cannot be mounted: " + mounted.stderr.decode().strip())
        self.addCleanup(subprocess.run, ["umount", disk], check=True)
        run = disk / "a"
        whole = self.stopped(run)
        largest = max(path.stat().st_size for path in (run / "checkpoint").iterdir())
        ballast = disk / "ballast"

        def fails():
            with open(ballast, "wb", buffering=0) as file:
                try:
                    while file.write(bytes(4096)):
                        pass
                except OSError:
                    pass
                # The model is written over while the old one is there, then comes the checkpoint.
                file.truncate(file.tell() // 4096 * 4096 - (run / "model.safetensors").stat().st_size - largest // 2)
            done = self.run_program("train", "--resume", run, "--quiet")
            ballast.unlink()
            return done

        self.check_disk_full(run, whole, fails)

    def test_damaged_checkpoint(self):
        run = self.runs / "a"
        whole = self.stopped(run)
        entries = json.loads((run / MANIFEST).read_text())["checkpoints"]
        self.assertGreaterEqual(len(entries), 2)
        newest = run / "checkpoint" / entries[-1]["file"]
        newest.write_bytes(newest.read_bytes()[:-1])
        done = self.run_program("train", "--resume", run, "--quiet")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertRegex(done.stderr, rf"\A[^\n]*{newest.name}: damaged: [^\n]*; going on from step 10\n\Z")
        self.assertEqual(self.newest(run), whole)
        for entry in json.loads((run / MANIFEST).read_text())["checkpoints"]:
            (run / "checkpoint" / entry["file"]).write_bytes(b"x")
        self.fail_with(1, "train", "--resume", run, said=["no checkpoint is whole", newest.name])

    def test_another_configuration(self):
        run = self.runs / "a"
        self.stopped(run)
        config = json.loads((run / "config.json").read_text())
        config["train"]["lr"], config["model"]["depth"] = 0.25, 2
        (run / "config.json").write_text(json.dumps(config))
        self.fail_with(1, "train", "--resume", run, said=["another configuration", "train.lr: 0.003 there, 0.25 here",
                                                          "model.depth: 1 there, 2 here", "--init-from"])

    def test_trained_once_at_a_time(self):
        run = self.runs / "a"
        process = self.start_long(run, MANIFEST)
        done = self.run_program("train", "--resume", run)
        self.assertEqual(done.returncode, 1)
        self.assertIn("another process is writing it", done.stderr)
        self.assertEqual(self.end(process, signal.SIGINT), (130, ""))
        self.succeed("eval", run)

    def test_time_limit(self):
        run = self.runs / "a"
        out = self.succeed("train", self.vision, "--out", run, "--steps", 100000000, "--max-time", 0.2)
        self.assertIn("To go on: fourierformer train --resume", out)
        before = json.loads((run / "summary.json").read_text())
        self.assertFalse(before["finished"])
        self.succeed("train", "--resume", run, "--max-time", 0.2, "--quiet")
        after = json.loads((run / "summary.json").read_text())
        self.assertGreater(after["steps"], before["steps"])
        self.assertFalse(after["finished"])

    def test_ends_early(self):
        run = self.runs / "a"
        out = self.succeed("train", self.vision, "--out", run, "--steps", 400, "--set", "train.lr=1e-30",
                           "train.patience=2", "train.metric=test_accuracy")
        self.assertIn("no longer better: ended after 24 steps", out)
        summary = json.loads((run / "summary.json").read_text())
        self.assertEqual([summary[key] for key in ("steps", "best_step", "stopped_early", "finished")],
                         [24, 8, True, True])
        best = json.loads(self.succeed("eval", run, "--best", "--json"))
        self.assertEqual(best["test_accuracy"], summary["best_test_accuracy"])
        self.fail_with(1, "train", "--resume", run, said=["nothing left to do", "train.patience"])

    def test_resumed_from_nothing(self):
        """A run that was killed before its first checkpoint, with weights to start from."""
        first, whole, run = self.runs / "first", self.runs / "whole", self.runs / "a"
        self.succeed("train", self.vision, "--out", first, "--quiet")
        start = ["train", self.vision, "--init-from", first, "--quiet", "--set", "train.ema_decay=0.9", "--out"]
        self.succeed(*start, whole)
        run.mkdir()
        (run / "config.json").write_bytes((whole / "config.json").read_bytes())
        (run / "metrics.jsonl").write_text('{"step":1,"lo')
        (run / "model.safetensors.tmp-1-0").write_text("half a model")
        self.fail_with(2, *start, run, "--resume", run, said=["--resume takes a run as it is"])
        (run / "checkpoint").mkdir()
        self.succeed("train", "--resume", run, "--quiet")
        self.check_same(run, whole)


if __name__ == "__main__":
    run_tests()
