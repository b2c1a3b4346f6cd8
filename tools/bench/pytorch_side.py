"""What tools/bench/compare_pytorch.py has PyTorch do: the same ops, attention and training steps, timed."""

import os

THREADS = 2
if hasattr(os, "sched_setaffinity"):  # this process, and with it all that it starts
    os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:THREADS])
for library in ("OMP", "OPENBLAS", "MKL"):
    os.environ[f"{library}_NUM_THREADS"] = str(THREADS)

import math
import multiprocessing
import re
import statistics
import time
from pathlib import Path

try:
    import torch
    import torch.nn.functional as F
    from torch import nn
    torch.set_num_threads(THREADS)
except ImportError:
    torch = None

RUNS = 7           # that a median is taken of


def milliseconds(step, runs=RUNS, shortest=0.1, figure=statistics.median):
    """The median over runs of the time of step(), a run lasting at least `shortest` seconds, as Google Benchmark's."""
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
    return 1e3 * figure(times)


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


    class DecoderBlock(nn.Module):
        def __init__(self, width, heads, inner, drop):
            super().__init__()
            self.heads, self.drop = heads, nn.Dropout(drop)
            self.qkv, self.proj = nn.Linear(width, 3 * width, bias=False), nn.Linear(width, width, bias=False)
            self.norm1, self.norm2 = nn.LayerNorm(width), nn.LayerNorm(width)
            self.mlp = nn.Sequential(nn.Linear(width, inner), nn.ReLU(), nn.Dropout(drop), nn.Linear(inner, width),
                                     nn.Dropout(drop))

        def forward(self, x):
            batch, tokens, width = x.shape
            q, k, v = self.qkv(x).reshape(batch, tokens, 3, self.heads, -1).permute(2, 0, 3, 1, 4)
            y = softmax_attention(q, k, v, causal=True).transpose(1, 2).reshape(batch, tokens, width)
            x = self.norm1(x + self.drop(self.proj(y)))
            return self.norm2(x + self.mlp(x))

    class LanguageModel(nn.Module):
        """Its loss: an adaptive softmax at full width, tied to the embedding, a bias a word."""
        def __init__(self, vocabulary, cutoffs, context, layers, heads, width, inner, drop):
            super().__init__()
            self.embed, self.bias = nn.Embedding(vocabulary, width), nn.Parameter(torch.zeros(vocabulary))
            nn.init.normal_(self.embed.weight, 0, 0.02)
            self.cluster_weight = nn.Parameter(0.02 * torch.randn(len(cutoffs), width))
            self.cluster_bias = nn.Parameter(torch.zeros(len(cutoffs)))
            self.bounds, self.drop = [*cutoffs, vocabulary], nn.Dropout(drop)
            angles = torch.arange(context)[:, None] * 10000.0 ** (-torch.arange(0, width, 2) / width)
            self.register_buffer("positions", torch.cat([angles.sin(), angles.cos()], 1))
            self.blocks = nn.Sequential(*(DecoderBlock(width, heads, inner, drop) for _ in range(layers)))

        def forward(self, tokens, targets):
            x = self.drop(self.embed(tokens) * math.sqrt(self.positions.size(1)) + self.positions[:tokens.size(1)])
            return self.adaptive_loss(self.blocks(x).flatten(0, 1), targets.flatten())

        def adaptive_loss(self, x, targets):
            weight, short = self.embed.weight, self.bounds[0]
            head = F.linear(x, torch.cat([weight[:short], self.cluster_weight]),
                            torch.cat([self.bias[:short], self.cluster_bias]))
            of_head, loss = targets.clone(), 0
            for i, (begin, end) in enumerate(zip(self.bounds, self.bounds[1:])):
                rows = ((targets >= begin) & (targets < end)).nonzero().squeeze(1)
                of_head[rows] = short + i
                if len(rows):
                    logits = F.linear(x[rows], weight[begin:end], self.bias[begin:end])
                    loss = loss + F.cross_entropy(logits, targets[rows] - begin, reduction="sum")
            return (loss + F.cross_entropy(head, of_head, reduction="sum")) / len(targets)


MODELS = {  # as the configurations of those names
    "deit_tiny": {"size": 224, "patch": 16, "channels": 3, "classes": 1000, "width": 192, "depth": 12, "heads": 3},
    "toy_vision": {"size": 28, "patch": 7, "channels": 1, "classes": 10, "width": 64, "depth": 4, "heads": 4},
}


LANGUAGE = {"wikitext103_small": {"vocabulary": 267735, "cutoffs": [20000, 40000, 200000], "context": 256,
                                  "layers": 16, "heads": 8, "width": 128, "inner": 2048, "drop": 0.1}}


def peak_memory():
    status = Path("/proc/self/status").read_text(encoding="ascii")
    return int(re.search(r"VmHWM:\s*(\d+)", status)[1]) * 1024


def language_step(name, batch, runs):
    """Milliseconds of a training step with softmax attention and dense Adam, and the most bytes that the process has
    held. Words come as often as Zipf found, 1 / rank, as in tools/synthetic.cpp."""
    torch.manual_seed(1)
    sizes = LANGUAGE[name]
    model = LanguageModel(**sizes)
    optimizer = torch.optim.Adam(model.parameters(), lr=2.5e-4)

    def words():
        drawn = (sizes["vocabulary"] + 1) ** torch.rand(batch, sizes["context"], dtype=torch.float64)
        return (drawn.long() - 1).clamp(0, sizes["vocabulary"] - 1)

    tokens, targets = words(), words()

    def step():
        loss = model(tokens, targets)
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 0.25)
        optimizer.step()

    return milliseconds(step, runs), peak_memory()


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

    return milliseconds(step, runs), peak_memory()


def op_step(op, *inputs, runs=RUNS):
    """Milliseconds of op forward and backward."""
    gradient = torch.randn_like(op(*inputs))

    def step():
        for x in inputs:
            x.grad = None
        op(*inputs).backward(gradient)

    return milliseconds(step, runs)


def op_forward(op, *inputs):
    with torch.no_grad():
        return milliseconds(lambda: op(*inputs))


def normal(*shape, grad=False):
    return torch.randn(*shape, requires_grad=grad)


ELEMENTWISE = {"add": lambda a, b: a + b, "exp": lambda a, _: torch.exp(a), "gelu": lambda a, _: F.gelu(a),
               "tanh": lambda a, _: torch.tanh(a), "relu": lambda a, _: torch.relu(a)}
ROWS = {"sum": lambda x, w, b, labels: x.sum(), "softmax": lambda x, w, b, labels: torch.softmax(x, 1),
        "layer_norm": lambda x, w, b, labels: F.layer_norm(x, (1024,), w, b),
        "cross_entropy": lambda x, w, b, labels: F.cross_entropy(x, labels)}


def elementwise(name, backward):
    """Of 4 Mi float32, as tools/bench/elementwise.cpp."""
    inputs = [normal(4 << 20, grad=backward) for _ in range(2)]
    return (op_step if backward else op_forward)(ELEMENTWISE[name], *inputs)


def rows(name, backward):
    """Of 4096 x 1024, as tools/bench/reduce.cpp."""
    labels = torch.randint(1024, (4096,))
    inputs = [normal(*shape, grad=backward) for shape in ((4096, 1024), (1024,), (1024,))]
    return (op_step if backward else op_forward)(lambda *arguments: ROWS[name](*arguments, labels), *inputs)


def product(m, n, k, transpose_a, transpose_b, count):
    """The best of many, as tools/bench/matmul.cpp."""
    a = normal(count, k, m).transpose(1, 2) if transpose_a else normal(count, m, k)
    b = normal(count, n, k).transpose(1, 2) if transpose_b else normal(count, k, n)
    if count == 1:
        a, b = a[0], b[0]
    with torch.no_grad():
        return milliseconds(lambda: torch.matmul(a, b), runs=100, shortest=0.001, figure=min)


def attention_step(attention, sizes, causal, runs):
    inputs = [normal(*sizes, grad=True) for _ in range(3)]
    if attention == "softmax":
        return op_step(lambda q, k, v: softmax_attention(q, k, v, causal), *inputs, runs=runs)
    radius = torch.full((), 2.0, requires_grad=True)
    return op_step(lambda q, k, v, r: fourier_attention(q, k, v, r, causal), *inputs, radius, runs=runs)


def in_process(function, *arguments):
    """What function returns in a process of its own, where nothing else was allocated; None without PyTorch."""
    if torch is None:
        return None
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        return pool.apply(function, arguments)
