#!/usr/bin/env python3
"""Runs of the fourierformer program that are interrupted, killed and resumed.

Usage: cli_interruption.py PROGRAM [TEST ...], as unittest's own.
"""

import json
import signal
import subprocess
import time

from cli_case import LIMIT, Case, run_tests


class Interruption(Case):
    def interrupt(self, run, signals, config=None, wait_for="metrics.jsonl"):
        """Starts a long run, sends it the signals once it is under way, and returns its exit status and stderr."""
        process = subprocess.Popen([self.program, "train", str(config or self.vision), "--out", str(run), "--steps",
                                    "100000000", "--set", "train.log_interval=1", "train.eval_interval=50"],
                                   cwd=self.root, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        try:
            until = time.monotonic() + LIMIT
            while not ((run / wait_for).exists() and (run / wait_for).stat().st_size > 0):
                self.assertIsNone(process.poll(), "ended by itself")
                self.assertLess(time.monotonic(), until)
                time.sleep(0.01)
            for number in signals:
                process.send_signal(number)
            return process.wait(LIMIT), process.stderr.read()
        finally:
            process.kill()
            process.wait()
            process.stderr.close()

    def test_interrupted(self):
        run = self.runs / "a"
        self.assertEqual(self.interrupt(run, [signal.SIGINT]), (130, ""))
        summary = json.loads((run / "summary.json").read_text())
        self.assertGreater(summary["steps"], 0)
        self.assertFalse(summary["finished"])
        self.succeed("eval", run)  # the model so far
        self.assertEqual(self.interrupt(self.runs / "b", [signal.SIGTERM]), (143, ""))

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
        self.assertEqual(self.interrupt(run, [signal.SIGKILL], wait_for="checkpoint/state.safetensors")[0],
                         -signal.SIGKILL)
        self.succeed("eval", run)

    def test_resume(self):
        for config in (self.language, self.series):
            self.check_resumed(config)

    def check_resumed(self, config):
        whole = self.runs / f"{config.stem}-whole"
        self.succeed("train", config, "--out", whole, "--quiet", "--set", "train.eval_interval=5", "--steps", 200)
        run = self.runs / config.stem
        process = subprocess.Popen([self.program, "train", str(config), "--out", str(run), "--quiet", "--set",
                                    "train.eval_interval=5", "--steps", "200"], cwd=self.root)
        while not (run / "checkpoint/state.safetensors").exists():
            time.sleep(0.005)
        process.kill()
        process.wait(LIMIT)
        if not (run / "summary.json").exists():  # else it was faster than the signal
            self.succeed("train", "--resume", run, "--quiet")
        self.assertEqual((run / "model.safetensors").read_bytes(), (whole / "model.safetensors").read_bytes())
        timeless = [[{key: value for key, value in record.items() if "second" not in key} for record in self.records(r)]
                    for r in (run, whole)]
        self.assertEqual(*timeless)


if __name__ == "__main__":
    run_tests()
