#!/usr/bin/env python3
"""Times FourierFormer beside PyTorch, row by row in turn, both with two threads on the same two cores, and tells which
targets are met. Figures are medians of at least five runs after a warm-up. It takes about five minutes on an idle
machine; what else runs there spoils the figures, so a row tells how much of the cores others took.

Usage: compare_pytorch.py [BUILD] [--only REGEX] [--retries N] [--json FILE] [--markdown FILE]

BUILD is the folder of a release build (default: build). Any Python that has PyTorch will do; without, this project's
own figures are shown alone. Debian: apt-get install python3-torch, and run with /usr/bin/python3.
"""

import argparse
import json
import os
import re
import subprocess
import sys
import time
from dataclasses import asdict, dataclass
from pathlib import Path

from pytorch_side import (ELEMENTWISE, ROWS, RUNS, THREADS, attention_step, elementwise, in_process, language_step,
                          model_step, product, rows, torch)

ROOT = Path(__file__).resolve().parents[2]
MODEL_STEPS = 10   # of ours
SCALING_PAIRS = 5  # of steps on one thread and two


@dataclass
class Row:
    name: str
    peer: float = None    # PyTorch's figure, or the other one that ours is held against
    ours: float = None
    ratio: float = None
    target: str = ""
    met: bool = None
    note: str = ""
    unit: str = "ms"
    others: float = 0     # cores that other programs took meanwhile, on average


# ------------------------------------------------------------------------------------------------------------- timing

class Others:
    """What else runs on the cores that are measured on, and spoils the figures."""

    def __init__(self):
        self.cpus = [f"cpu{i}" for i in os.sched_getaffinity(0)] if hasattr(os, "sched_getaffinity") else []
        self.before = self.now()

    def now(self):
        """Seconds that passed, that these cores worked, and that this program and its children did."""
        try:
            lines = [line.split() for line in Path("/proc/stat").read_text(encoding="ascii").splitlines()]
        except OSError:
            lines = []
        ticks = sum(int(line[i]) for line in lines if line[0] in self.cpus for i in (1, 2, 3, 6, 7, 8))
        return time.perf_counter(), ticks / os.sysconf("SC_CLK_TCK"), sum(os.times()[:4])

    def cores(self):
        """The cores taken by others since the last call."""
        before, self.before = self.before, self.now()
        seconds, worked, own = (after - earlier for after, earlier in zip(self.before, before))
        return round(max(0.0, (worked - own) / seconds), 2) if seconds > 0.2 else 0.0


class Ours:
    """The programs of this project."""

    def __init__(self, build):
        self.bench, self.program = build / "bin" / "ff_bench", build / "bin" / "fourierformer"
        for path in (self.bench, self.program):
            if not path.exists():
                sys.exit(f"compare_pytorch.py: {path} is not there: build first, and name the build's folder")

    def run(self, *command):
        done = subprocess.run([str(part) for part in command], capture_output=True, text=True, check=False)
        if done.returncode != 0:
            sys.exit(f"compare_pytorch.py: {' '.join(map(str, command))}: {done.stderr.strip()}")
        return done.stdout

    def micro(self, name):
        """The median of the benchmark of ff_bench with that exact name: milliseconds, bytes a second."""
        out = self.run(self.bench, f"--benchmark_filter=^{re.escape(name)}/real_time$", "--benchmark_format=json",
                       f"--benchmark_repetitions={RUNS}", "--benchmark_min_time=0.1",
                       "--benchmark_report_aggregates_only=true")
        for entry in json.loads(out)["benchmarks"]:
            if entry.get("aggregate_name") == "median":
                assert entry["time_unit"] == "ms", entry
                return entry["real_time"], entry.get("bytes_per_second")
        sys.exit(f"compare_pytorch.py: ff_bench has no benchmark {name}")

    def once(self, name):
        """All that a benchmark says that repeats itself what it times."""
        out = self.run(self.bench, f"--benchmark_filter=^{re.escape(name)}$", "--benchmark_format=json",
                       "--benchmark_min_time=0.3")
        return json.loads(out)["benchmarks"][0]

    def names(self):
        return self.run(self.bench, "--benchmark_list_tests").split()

    def model(self, config, attention, batch, threads=THREADS, steps=MODEL_STEPS):
        return json.loads(self.run(self.program, "bench", config, "--batch", batch, "--steps", steps, "--threads",
                                   threads, "--json", "--set", f"model.attention={attention}", "model.drop_path=0"))


# --------------------------------------------------------------------------------------------------------------- rows

class Comparison:
    """The rows, each measured as it is reached."""

    def __init__(self, ours, only, retries):
        self.ours, self.only, self.retries = ours, re.compile(only), retries
        self.rows, self.models, self.others = [], {}, Others()

    def measure(self, name, rows):
        """Shows what rows() returns if name is wanted; again, up to self.retries times, if others disturbed it."""
        if not self.only.search(name):
            return
        known = set(self.models)
        self.others.cores()
        for _ in range(1 + self.retries):
            measured, cores = rows(), self.others.cores()
            if cores <= 0.1:
                break
            # No other row is to be judged by these.
            self.models = {key: value for key, value in self.models.items() if key in known or key[2] == "peer"}
        for row in measured:
            row.others = cores
            if cores > 0.1:
                row.note += f"{', ' if row.note else ''}others took {cores:.1f} cores"
            self.rows.append(row)
            print(line_of(cells(row)), flush=True)

    def time_row(self, name, peer, ours, most):
        """The time of ours, a benchmark's name, is to be at most `most` times what peer, a function and its arguments,
        returns."""
        self.measure(name, lambda: [ratio_row(name, in_process(*peer), self.ours.micro(ours)[0], most)])

    def missing_row(self, name, most, reason):
        self.measure(name, lambda: [Row(name, target=f"<= {most:.3g}", note=f"not there yet: {reason}")])

    def ops(self):
        for family, names in ((elementwise, ELEMENTWISE), (rows, ROWS)):
            for name in names:
                for backward, title, benchmark in ((False, "forward", "forward"), (True, "forward + backward", "step")):
                    self.time_row(f"{name}, {title}", (family, name, backward),
                                  f"{family.__name__}_{benchmark}/{name}", 1)

    def bandwidth(self):
        """Memory-bound ops against memcpy of 256 MiB, and of an array as large as theirs, which caches may hold."""
        def rate(name):
            return self.ours.micro(name)[1] / 1e9

        for name in ("add", "relu"):
            def both(name=name):
                of_op, small = rate(f"elementwise_forward/{name}"), rate("memory_copy/small")
                large = max(rate("memory_copy/one_thread"), rate("memory_copy/all_threads"))
                return [Row(f"{name}, bandwidth", large, of_op, of_op / large, ">= 0.8", of_op >= 0.8 * large,
                            "against memcpy of 256 MiB", "GB/s"),
                        Row(f"{name}, bandwidth", small, of_op, of_op / small, note="against memcpy of 16 MiB",
                            unit="GB/s")]

            self.measure(f"{name}, bandwidth", both)

    def products(self):
        """The shapes of ff_bench's matmul, which times OpenBLAS itself beside it."""
        pattern = r"matmul/m:(\d+)/n:(\d+)/k:(\d+)/ta:(\d)/tb:(\d)/count:(\d+)"
        shapes = {name: tuple(map(int, found.groups())) for name in self.ours.names()
                  if (found := re.match(pattern, name))}
        for name, (m, n, k, transpose_a, transpose_b, count) in shapes.items():
            title = (f"matmul {f'{count} x ' if count > 1 else ''}({m} x {k}{' T' * transpose_a}) "
                     f"({k} x {n}{' T' * transpose_b})")
            self.measure(title, lambda: [self.product_row(title, name, shapes[name])])
        if not shapes:
            self.missing_row("matmul", 1 / 0.95, "ff_bench has no benchmark matmul")

    def product_row(self, title, name, shape):
        m, n, k, _, _, count = shape
        figures = self.ours.once(name)
        return ratio_row(title, in_process(product, *shape), 2e-6 * m * n * k * count / figures["gflops"], 1 / 0.95,
                         f"{1 / figures['ratio']:.2f} of OpenBLAS's own time")

    def attention(self):
        shapes = {"softmax": [(8, 3, 197, 64, False), (8, 8, 256, 16, True), (1, 8, 4096, 64, False)],
                  "fourier": [(2, 3, 197, 64, False), (8, 8, 256, 16, True)]}
        for attention, most in (("softmax", 1 / 3), ("fourier", 1 / 50)):
            for *sizes, causal in shapes[attention]:
                title = f"({', '.join(map(str, sizes))}){' causal' if causal else ''}"
                keys = zip(("batch", "heads", "n", "dim", "causal"), (*sizes, int(causal)))
                runs = 5 if attention == "fourier" or sizes[2] > 1000 else RUNS
                self.time_row(f"{attention} attention {title}, forward + backward",
                              (attention_step, attention, sizes, causal, runs),
                              f"{attention}_step/" + "/".join(f"{key}:{value}" for key, value in keys), most)

    def model(self, model, attention, batch):
        """Our figures; measured once."""
        key = model, attention, batch
        if key not in self.models:
            self.models[key] = self.ours.model(*key)
        return self.models[key]

    def model_row(self, name, model, attention, batch, peer_batch, most, runs=RUNS):
        """A training step, in milliseconds an image; and the most memory."""
        def both():
            self.models.pop((model, attention, batch), None)
            peer_ms, peer_bytes = in_process(model_step, model, attention, peer_batch, runs) or (None, None)
            self.models[model, attention, "peer"] = peer_ms and peer_ms / peer_batch
            figures = self.model(model, attention, batch)
            note = "" if batch == peer_batch else f"batch {batch}; PyTorch {peer_batch}"
            measured = [ratio_row(f"{name}, ms an image", peer_ms and peer_ms / peer_batch, figures["step_ms"] / batch,
                                  most, note)]
            if batch == peer_batch:
                measured.append(ratio_row(f"{name}, peak memory", peer_bytes and peer_bytes / 2**20,
                                          figures["peak_memory_bytes"] / 2**20, 1, unit="MiB"))
            return measured

        self.measure(name, both)

    def training_steps(self):
        self.model_row("DeiT-tiny, softmax, batch 8, step", "deit_tiny", "softmax", 8, 8, 0.4)
        self.model_row("DeiT-tiny, fourier, batch 8, step", "deit_tiny", "fourier", 8, 2, 1 / 50, runs=5)
        self.twins()
        for attention in ("softmax", "fourier"):
            self.scaling(f"DeiT-tiny, {attention}, batch 8, step on two threads", attention)
        self.utilisation("DeiT-tiny, softmax, batch 8, utilisation")
        for attention, most in (("softmax", 1 / 5), ("fourier", 1 / 8)):
            self.model_row(f"toy vision, {attention}, batch 128, step", "toy_vision", attention, 128, 128, most)
        self.language_rows("language model small", "wikitext103_small", 8)

    def language_rows(self, name, model, batch):
        """A training step of both attentions against PyTorch's with softmax; and the most memory."""
        def both():
            peer_ms, peer_bytes = in_process(language_step, model, batch, RUNS) or (None, None)
            measured = []
            for attention in ("softmax", "fourier"):
                title, figures = f"{name}, {attention}, batch {batch}", self.ours.model(model, attention, batch)
                note = "" if attention == "softmax" else "against PyTorch's softmax"
                measured += [ratio_row(f"{title}, step", peer_ms, figures["step_ms"], 0.3, note),
                             ratio_row(f"{title}, peak memory", peer_bytes and peer_bytes / 2**20,
                                       figures["peak_memory_bytes"] / 2**20, 1, note, unit="MiB")]
            return measured

        self.measure(f"{name}, batch {batch}", both)

    def twins(self):
        """The Fourier model's step against our softmax model's, and PyTorch's if that was measured."""
        def both():
            ours, twin = (self.model("deit_tiny", attention, 8)["step_ms"] for attention in ("fourier", "softmax"))
            measured = [ratio_row("DeiT-tiny, fourier, batch 8, step", twin, ours, 1.5, "against our softmax")]
            if (peer := self.models.get(("deit_tiny", "softmax", "peer"))) is not None:
                measured.append(ratio_row("DeiT-tiny, fourier, batch 8, step", 8 * peer, ours, 1,
                                          "against PyTorch's softmax"))
            return measured

        self.measure("DeiT-tiny, fourier against softmax", both)

    def scaling(self, name, attention):
        """In pairs, with how far apart the two cores are: those of a virtual machine share a cache or do not, by turns."""
        def step(threads):
            return self.ours.model("deit_tiny", attention, 8, threads=threads, steps=5)["step_ms"]

        def row():
            pairs, apart = [], []
            for _ in range(SCALING_PAIRS):
                apart.append(1e3 * self.ours.micro("core_to_core")[0])  # ns, of a thousand rounds
                pairs.append((step(1), step(2)))
            one, two = sorted(pairs, key=lambda pair: pair[0] / pair[1])[len(pairs) // 2]
            return [Row(name, one, two, one / two, ">= 1.8", one / two >= 1.8,
                        f"against one; times as fast; cores {min(apart):.0f} to {max(apart):.0f} ns apart")]

        self.measure(name, row)

    def utilisation(self, name):
        def row():
            figures = self.model("deit_tiny", "softmax", 8)
            peak, rate = (figures[f"{what}_flops_per_second"] / 1e9 for what in ("peak", "matrix"))
            return [Row(name, peak, rate, rate / peak, ">= 0.5", rate >= 0.5 * peak, "against a large product",
                        "GFLOP/s")]

        self.measure(name, row)


def ratio_row(name, peer, ours, most, note="", unit="ms"):
    """ours is to be at most `most` times peer; below it where that is 1."""
    target = f"{'<' if most == 1 else '<='} {most:.3g}"
    if peer is None:
        return Row(name, None, ours, target=target, note=note, unit=unit)
    ratio = ours / peer
    return Row(name, peer, ours, ratio, target, ratio < 1 if most == 1 else ratio <= most, note, unit)


# ------------------------------------------------------------------------------------------------------------- output

def number(value):
    return "-" if value is None else f"{value:,.0f}" if value >= 1000 else f"{value:.3g}"


def cells(row):
    met = "" if row.met is None else "yes" if row.met else "NO"
    peer, ours = (number(value) + ("" if value is None or row.unit == "ms" else f" {row.unit}")
                  for value in (row.peer, row.ours))
    return [row.name, peer, ours, number(row.ratio), row.target, met, row.note]


HEADINGS = ["row", "PyTorch, ms", "ours, ms", "ratio", "target", "met", "note"]


def line_of(texts):
    return "{:<58}{:>15}{:>15}{:>9}  {:<9}{:<4} {}".format(*texts).rstrip()


def markdown(rows, about):
    table = [HEADINGS, ["---"] + ["---:"] * 3 + ["---"] * 3, *map(cells, rows)]
    return about + "\n\n" + "".join("| " + " | ".join(line) + " |\n" for line in table)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("build", nargs="?", type=Path, default=ROOT / "build", help="folder of a release build")
    parser.add_argument("--only", default="", metavar="REGEX", help="the rows whose names have this in them")
    parser.add_argument("--retries", type=int, default=0, metavar="N",
                        help="measure a row anew, up to N times, if other programs took more than 0.1 cores")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the rows there")
    parser.add_argument("--markdown", type=Path, metavar="FILE", help="write a table there")
    arguments = parser.parse_args()
    begin, load = time.time(), os.getloadavg()[0]
    peer = f"PyTorch {torch.__version__}" if torch is not None else "no PyTorch"
    if torch is None:
        print(f"{sys.executable} has no PyTorch: only this project's figures are shown. Debian: apt-get install "
              "python3-torch, and run with /usr/bin/python3\n")
    print(line_of(HEADINGS))
    comparison = Comparison(Ours(arguments.build.resolve()), arguments.only, arguments.retries)
    comparison.ops()
    comparison.bandwidth()
    comparison.products()
    comparison.attention()
    comparison.training_steps()
    judged = [row for row in comparison.rows if row.met is not None]
    about = (f"{peer}; {THREADS} threads each; load {load:.1f} at the start, {os.getloadavg()[0]:.1f} at the end; "
             f"{time.time() - begin:.0f} s. {sum(row.met for row in judged)} of {len(judged)} targets met.")
    print(f"\n{about}")
    if arguments.json:
        arguments.json.write_text(json.dumps({"about": about, "pytorch": torch and str(torch.__version__), "load": load,
                                              "rows": [asdict(row) for row in comparison.rows]}, indent=2) + "\n")
    if arguments.markdown:
        arguments.markdown.write_text(markdown(comparison.rows, about))


if __name__ == "__main__":
    main()
