#!/usr/bin/env python3
"""Times FourierFormer beside PyTorch, row by row in turn, both with two threads on the same two cores, and tells which
targets are met. Figures are medians of at least five runs after a warm-up. It takes about four minutes on an idle
machine; what else runs there spoils the figures, so the load is shown, too.

Usage: compare_pytorch.py [BUILD] [--only REGEX] [--json FILE] [--markdown FILE]

BUILD is the folder of a release build (default: build). Any Python that has PyTorch will do; without, this project's own
figures are shown alone. Debian: apt-get install python3-torch, and run with /usr/bin/python3.
"""

import os

THREADS = 2
if hasattr(os, "sched_setaffinity"):  # this process, and with it all that it starts
    os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:THREADS])
for library in ("OMP", "OPENBLAS", "MKL"):
    os.environ[f"{library}_NUM_THREADS"] = str(THREADS)

import argparse
import json
import math
import multiprocessing
import re
import statistics
import subprocess
import sys
import time
from dataclasses import asdict, dataclass
from pathlib import Path

try:
    import torch
    import torch.nn.functional as F
    from torch import nn
    torch.set_num_threads(THREADS)
except ImportError:
    torch = None

ROOT = Path(__file__).resolve().parents[2]
RUNS = 7           # that a median is taken of
MODEL_STEPS = 10   # of ours


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


# ------------------------------------------------------------------------------------------------------------- timing

def milliseconds(step, runs=RUNS, shortest=0.1):
    """The median over runs of the time of step(), each run lasting at least `shortest` seconds, as Google Benchmark's."""
    begin = time.perf_counter()
    step()
    step_seconds = time.perf_counter() - begin
    if step_seconds < shortest:  # the first call is slow
        begin = time.perf_counter()
        step()
        step_seconds = time.perf_counter() - begin
    count = max(1, math.ceil(shortest / max(step_seconds, 1e-6)))
    times = []
    for _ in range(runs):
        begin = time.perf_counter()
        for _ in range(count):
            step()
        times.append((time.perf_counter() - begin) / count)
    return 1e3 * statistics.median(times)


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

    def names(self):
        return self.run(self.bench, "--benchmark_list_tests").split()

    def model(self, config, attention, batch, threads=THREADS, steps=MODEL_STEPS):
        return json.loads(self.run(self.program, "bench", config, "--batch", batch, "--steps", steps, "--threads",
                                   threads, "--json", "--set", f"model.attention={attention}", "model.drop_path=0"))


# ----------------------------------------------------------------------------------------------------- PyTorch's side

def fourier_attention(q, k, v, radius, causal=False, power=4):
    """The kernel's formula in the log domain, of PyTorch's ops: an array of (.., N, M, D)."""
    x = radius * (q.unsqueeze(-2) - k.unsqueeze(-3))
    scores = power * torch.log(torch.abs(torch.sinc(x / math.pi))).sum(-1)
    return torch.softmax(masked(scores) if causal else scores, -1) @ v


def softmax_attention(q, k, v, causal=False):
    if hasattr(F, "scaled_dot_product_attention"):
        return F.scaled_dot_product_attention(q, k, v, is_causal=causal)
    scores = q @ k.transpose(-2, -1) / math.sqrt(q.size(-1))
    return torch.softmax(masked(scores) if causal else scores, -1) @ v


def masked(scores):
    future = torch.ones(scores.shape[-2:], dtype=torch.bool).triu(1)
    return scores.masked_fill(future, -math.inf)


if torch is not None:
    class Attention(nn.Module):
        def __init__(self, width, heads, fourier):
            super().__init__()
            self.qkv, self.proj, self.heads = nn.Linear(width, 3 * width), nn.Linear(width, width), heads
            self.radius = nn.Parameter(torch.ones(())) if fourier else None

        def forward(self, x):
            batch, tokens, width = x.shape
            q, k, v = self.qkv(x).reshape(batch, tokens, 3, self.heads, -1).permute(2, 0, 3, 1, 4)
            y = softmax_attention(q, k, v) if self.radius is None else fourier_attention(q, k, v, self.radius)
            return self.proj(y.transpose(1, 2).reshape(batch, tokens, width))

    class Block(nn.Module):
        def __init__(self, width, heads, fourier):
            super().__init__()
            self.norm1, self.norm2 = nn.LayerNorm(width, eps=1e-6), nn.LayerNorm(width, eps=1e-6)
            self.attn = Attention(width, heads, fourier)
            self.mlp = nn.Sequential(nn.Linear(width, 4 * width), nn.GELU(), nn.Linear(4 * width, width))

        def forward(self, x):
            x = x + self.attn(self.norm1(x))
            return x + self.mlp(self.norm2(x))

    class VisionTransformer(nn.Module):
        def __init__(self, size, patch, channels, classes, width, depth, heads, fourier):
            super().__init__()
            self.embed = nn.Conv2d(channels, width, patch, patch)
            self.cls_token = nn.Parameter(0.02 * torch.randn(1, 1, width))
            self.pos_embed = nn.Parameter(0.02 * torch.randn(1, 1 + (size // patch) ** 2, width))
            self.blocks = nn.Sequential(*(Block(width, heads, fourier) for _ in range(depth)))
            self.norm, self.head = nn.LayerNorm(width, eps=1e-6), nn.Linear(width, classes)

        def forward(self, images):
            x = self.embed(images).flatten(2).transpose(1, 2)
            x = torch.cat([self.cls_token.expand(len(x), -1, -1), x], 1) + self.pos_embed
            return self.head(self.norm(self.blocks(x)[:, 0]))


MODELS = {  # as the configurations of those names
    "deit_tiny": {"size": 224, "patch": 16, "channels": 3, "classes": 1000, "width": 192, "depth": 12, "heads": 3},
    "toy_vision": {"size": 28, "patch": 7, "channels": 1, "classes": 10, "width": 64, "depth": 4, "heads": 4},
}


def model_step(name, attention, batch, runs):
    """Milliseconds of a training step, and the most bytes that the process has held."""
    torch.manual_seed(1)
    sizes = MODELS[name]
    model = VisionTransformer(**sizes, fourier=attention == "fourier")
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3, weight_decay=0.05)
    images = torch.randn(batch, sizes["channels"], sizes["size"], sizes["size"])
    labels = torch.randint(sizes["classes"], (batch,))

    def step():
        loss = F.cross_entropy(model(images), labels)
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        optimizer.step()

    taken = milliseconds(step, runs)
    peak = next(int(line.split()[1]) for line in open("/proc/self/status", encoding="ascii") if line.startswith("VmHWM"))
    return taken, peak * 1024


def peer_model(name, attention, batch, runs=RUNS):
    """model_step() in a process of its own, whose memory is that of the step alone."""
    if torch is None:
        return None, None
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        return pool.apply(model_step, (name, attention, batch, runs))


def op_step(op, *inputs, runs=RUNS):
    """Milliseconds of op forward and backward."""
    gradient = torch.randn_like(op(*inputs))

    def step():
        for x in inputs:
            x.grad = None
        op(*inputs).backward(gradient)

    return milliseconds(step, runs)


def normal(*shape, grad=False):
    return torch.randn(*shape, requires_grad=grad)


# --------------------------------------------------------------------------------------------------------------- rows

class Comparison:
    """The rows, each measured as it is reached."""

    def __init__(self, ours, only):
        self.ours, self.only, self.rows, self.models = ours, re.compile(only), [], {}
        if torch is not None:
            torch.manual_seed(1)

    def wanted(self, name):
        return self.only.search(name) is not None

    def add(self, row):
        self.rows.append(row)
        print(line_of(cells(row)), flush=True)

    def time_row(self, name, peer, ours, most, scale=1.0, note=""):
        """ours() and peer() in milliseconds; their ratio is to be at most `most`. scale makes both of one amount."""
        if not self.wanted(name):
            return
        peer_ms = peer() if torch is not None else None
        our_ms = ours() * scale
        self.add(ratio_row(name, peer_ms, our_ms, most, note))

    def missing_row(self, name, most, reason):
        if self.wanted(name):
            self.add(Row(name, target=f"<= {most:.3g}", note=f"not there yet: {reason}"))

    def ops(self):
        count = 4 << 20
        elementwise = {"add": lambda a, b: a + b, "exp": lambda a, _: torch.exp(a), "gelu": lambda a, _: F.gelu(a),
                       "tanh": lambda a, _: torch.tanh(a), "relu": lambda a, _: torch.relu(a)}
        for name, op in elementwise.items():
            self.op_rows(name, "elementwise", lambda grad: [normal(count, grad=grad), normal(count, grad=grad)], op)
        rows = {"sum": lambda x, w, b: x.sum(), "softmax": lambda x, w, b: torch.softmax(x, 1),
                "layer_norm": lambda x, w, b: F.layer_norm(x, (1024,), w, b),
                "cross_entropy": lambda x, w, b: F.cross_entropy(x, target)}
        target = torch.randint(1024, (4096,)) if torch is not None else None
        for name, op in rows.items():
            self.op_rows(name, "rows", lambda grad: [normal(4096, 1024, grad=grad), normal(1024, grad=grad),
                                                     normal(1024, grad=grad)], op)

    def op_rows(self, name, family, inputs, op):
        def forward():
            with torch.no_grad():
                arguments = inputs(False)
                return milliseconds(lambda: op(*arguments))

        self.time_row(f"{name}, forward", forward, lambda: self.ours.micro(f"{family}_forward/{name}")[0], 1)
        self.time_row(f"{name}, forward + backward", lambda: op_step(op, *inputs(True)),
                      lambda: self.ours.micro(f"{family}_step/{name}")[0], 1)

    def bandwidth(self):
        """Memory-bound ops against memcpy at its best, be it in a cache: shares, at least 0.8."""
        names = [name for name in ("add", "relu") if self.wanted(f"{name}, bandwidth over memcpy's")]
        if not names:
            return
        copies = [self.ours.micro(f"memory_copy/{way}")[1] / 1e9 for way in ("one_thread", "all_threads", "block")]
        for name in names:
            rate = self.ours.micro(f"elementwise_forward/{name}")[1] / 1e9
            share = rate / max(copies)
            self.add(Row(f"{name}, bandwidth over memcpy's", max(copies), rate, share, ">= 0.8", share >= 0.8,
                         "against memcpy", "GB/s"))

    def products(self):
        """Every matmul benchmark of ff_bench whose name tells its sizes."""
        found = False
        for name in self.ours.names():
            sizes = re.fullmatch(r"(matmul\w*/m:(\d+)/n:(\d+)/k:(\d+))/real_time", name)
            if not sizes:
                continue
            found = True
            m, n, k = (int(sizes[i]) for i in (2, 3, 4))

            def peer(m=m, n=n, k=k):
                a, b = normal(m, k), normal(k, n)
                return milliseconds(lambda: torch.matmul(a, b))

            self.time_row(f"matmul {m} x {n} x {k}", peer, lambda: self.ours.micro(sizes[1])[0], 1 / 0.95)
        if not found:
            self.missing_row("matmul", 1 / 0.95, "ff_bench has no benchmark matmul/m:../n:../k:..")

    def attention(self):
        shapes = [(8, 3, 197, 64, False), (8, 8, 256, 16, True), (1, 8, 4096, 64, False)]
        for shape in shapes:
            *sizes, causal = shape
            self.time_row(f"softmax attention {title(shape)}, forward + backward",
                          lambda: op_step(lambda q, k, v: softmax_attention(q, k, v, causal),
                                          *(normal(*sizes, grad=True) for _ in range(3)), runs=runs_of(shape)),
                          lambda: self.ours.micro(f"softmax_step/{benchmark_name(shape)}")[0], 1 / 3)
        for shape in [(2, 3, 197, 64, False), (8, 8, 256, 16, True)]:
            *sizes, causal = shape

            def peer():
                radius = torch.full((), 2.0, requires_grad=True)
                return op_step(lambda q, k, v, r: fourier_attention(q, k, v, r, causal),
                               *(normal(*sizes, grad=True) for _ in range(3)), radius, runs=5)

            self.time_row(f"Fourier attention {title(shape)}, forward + backward", peer,
                          lambda: self.ours.micro(f"fourier_step/{benchmark_name(shape)}")[0], 1 / 50)

    def model_row(self, name, model, attention, batch, peer_batch, most, runs=RUNS):
        """A training step, in milliseconds an image; and the most memory."""
        if not self.wanted(name):
            return
        peer_ms, peer_bytes = peer_model(model, attention, peer_batch, runs)
        if peer_ms is not None:
            peer_ms /= peer_batch
        figures = self.model(model, attention, batch)
        self.models[model, attention, "peer"] = peer_ms
        note = "" if batch == peer_batch else f"batch {batch}; PyTorch {peer_batch}"
        self.add(ratio_row(f"{name}, ms an image", peer_ms, figures["step_ms"] / batch, most, note))
        if batch == peer_batch:
            row = ratio_row(f"{name}, peak memory", peer_bytes and peer_bytes / 2**20,
                            figures["peak_memory_bytes"] / 2**20, 1)
            row.unit = "MiB"
            self.add(row)

    def model(self, model, attention, batch):
        key = model, attention, batch
        if key not in self.models:
            self.models[key] = self.ours.model(*key)
        return self.models[key]

    def training_steps(self):
        self.model_row("DeiT-tiny, softmax, batch 8, step", "deit_tiny", "softmax", 8, 8, 0.4)
        self.model_row("DeiT-tiny, Fourier, batch 8, step", "deit_tiny", "fourier", 8, 2, 1 / 50, runs=5)
        self.within("DeiT-tiny, Fourier, batch 8, step over softmax's", lambda: self.model("deit_tiny", "softmax", 8)["step_ms"],
                    lambda: self.model("deit_tiny", "fourier", 8)["step_ms"], 1.5, "against our softmax")
        softmax = self.models.get(("deit_tiny", "softmax", "peer"))
        if softmax is not None:
            self.within("DeiT-tiny, Fourier, batch 8, step over PyTorch's softmax", lambda: softmax * 8,
                        lambda: self.model("deit_tiny", "fourier", 8)["step_ms"], 1, "against PyTorch's softmax")
        for attention in ("softmax", "fourier"):
            name = f"DeiT-tiny, {attention}, two threads over one, step"
            if self.wanted(name):
                two = self.model("deit_tiny", attention, 8)["step_ms"]
                one = self.ours.model("deit_tiny", attention, 8, threads=1, steps=5)["step_ms"]
                self.add(Row(name, one, two, one / two, ">= 1.8", one / two >= 1.8,
                             "against one thread; times as fast"))
        name = "DeiT-tiny, softmax, utilisation"
        if self.wanted(name):
            figures = self.model("deit_tiny", "softmax", 8)
            share, rates = figures["utilisation"], [figures["peak_flops_per_second"] / 1e9,
                                                    figures["matrix_flops_per_second"] / 1e9]
            self.add(Row(name, *rates, share, ">= 0.5", share >= 0.5, "against a large product",
                         "GFLOP/s"))
        for attention, most in (("softmax", 1 / 5), ("fourier", 1 / 8)):
            self.model_row(f"toy vision, {attention}, batch 128, step", "toy_vision", attention, 128, 128, most)
        self.missing_row("language model small, batch 8, step", 0.3,
                         "the language model has no adaptive softmax, which its vocabulary of 267,735 needs")

    def within(self, name, peer, ours, most, note):
        """Two figures of which one is not PyTorch's, or both were measured before."""
        if self.wanted(name):
            self.add(ratio_row(name, peer(), ours(), most, note))


def ratio_row(name, peer, ours, most, note=""):
    sign = "<" if most == 1 else "<="
    if peer is None:
        return Row(name, None, ours, target=f"{sign} {most:.3g}", note=note)
    ratio = ours / peer
    return Row(name, peer, ours, ratio, f"{sign} {most:.3g}", ratio < 1 if most == 1 else ratio <= most, note)


def runs_of(shape):
    return 5 if shape[2] > 1000 else RUNS


def title(shape):
    *sizes, causal = shape
    return f"({', '.join(map(str, sizes))}){' causal' if causal else ''}"


def benchmark_name(shape):
    return "/".join(f"{name}:{int(value)}" for name, value in zip(("batch", "heads", "n", "dim", "causal"), shape))


# ------------------------------------------------------------------------------------------------------------- output

def number(value):
    return "-" if value is None else f"{value:,.0f}" if value >= 1000 else f"{value:.3g}"


def cells(row):
    met = "" if row.met is None else "yes" if row.met else "NO"
    unit = "" if row.unit == "ms" else f" {row.unit}"
    return [row.name, number(row.peer) + unit * (row.peer is not None), number(row.ours) + unit * (row.ours is not None),
            number(row.ratio), row.target, met, row.note]


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
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the rows there")
    parser.add_argument("--markdown", type=Path, metavar="FILE", help="write a table there")
    arguments = parser.parse_args()
    begin, load = time.time(), os.getloadavg()[0]
    peer = f"PyTorch {torch.__version__}" if torch is not None else "no PyTorch"
    if torch is None:
        print(f"{sys.executable} has no PyTorch: only this project's figures are shown. Debian: apt-get install "
              "python3-torch, and run with /usr/bin/python3\n")
    print(line_of(HEADINGS))
    comparison = Comparison(Ours(arguments.build.resolve()), arguments.only)
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
