#!/usr/bin/env python3
"""The example of training a network of one's own: killed and interrupted again and again it ends as if undisturbed.

Usage: example_training.py PROGRAM [TEST ...], as unittest's own.
"""

import gzip
import random
import signal
import subprocess
import time

from cli_case import LIMIT, Case, idx, run_tests


class Example(Case):
    def setUp(self):
        super().setUp()
        generator = random.Random(2)
        for part, count in (("train", 640), ("t10k", 64)):
            labels = [i % 10 for i in range(count)]
            pixels = [200 if pixel // 28 // 3 == label else generator.randrange(60)
                      for label in labels for pixel in range(784)]
            (self.data / f"{part}-images-idx3-ubyte.gz").write_bytes(gzip.compress(idx([count, 28, 28], pixels), 1))
            (self.data / f"{part}-labels-idx1-ubyte.gz").write_bytes(gzip.compress(idx([count], labels)))

    def arguments(self, run):
        return [self.program, run, "0", self.data]

    def test_survives_kills(self):
        whole, run = self.root / "whole", self.root / "run"
        begin = time.monotonic()
        done = subprocess.run(self.arguments(whole), capture_output=True, text=True, timeout=LIMIT, check=False)
        longest = time.monotonic() - begin
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        self.assertRegex(done.stdout, r"(?s)test_loss \d\.\d{4}\ntest_accuracy [01]\.\d{4}\n\Z")
        moments = random.Random(3)
        for kills in range(7):
            process = subprocess.Popen(self.arguments(run), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            if kills < 6:
                time.sleep(moments.uniform(0, longest))
                process.send_signal([signal.SIGKILL, signal.SIGINT][kills % 2])
            process.wait(LIMIT)
        for name in ("model.safetensors", "model-best.safetensors"):
            self.assertTrue((run / name).read_bytes() == (whole / name).read_bytes(), name)

        def measured(folder):
            return [{key: value for key, value in record.items() if "second" not in key}
                    for record in self.records(folder)]

        self.assertEqual(measured(run), measured(whole))


if __name__ == "__main__":
    run_tests()
