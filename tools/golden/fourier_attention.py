#!/usr/bin/env python3
"""Writes tests/golden/fourier_attention_*.safetensors: inputs, outputs, weights and gradients of Fourier attention in
float64, computed from the paper's formulas by plain loops of Python's own floats. Usage: fourier_attention.py [DIR]"""

import json
import math
import random
import struct
import sys
from itertools import product
from pathlib import Path

CASES = {
    "self": dict(seed=1, B=1, H=2, N=7, M=7, D=4, E=4, power=4.0, radius=()),
    "causal_masked": dict(seed=2, B=2, H=2, N=9, M=9, D=8, E=5, power=4.0, causal=True, mask=True, radius=()),
    "cross_feature_radius": dict(seed=3, B=1, H=2, N=5, M=12, D=6, E=6, power=6.0, mask=True, radius=("D",)),
    "head_radius_squared": dict(seed=4, B=1, H=3, N=6, M=6, D=3, E=2, power=2.0, radius=("H", "D")),
    "epsilon": dict(seed=5, B=1, H=2, N=6, M=8, D=8, E=4, power=4.0, epsilon=1e-6, radius=()),
    "odd_power_wide": dict(seed=6, B=1, H=1, N=5, M=6, D=5, E=3, power=2.5, scale=5.0, radius=("D",)),
}


class Array:
    """A dense row-major array of floats."""

    def __init__(self, shape, values=None):
        self.shape = tuple(shape)
        self.values = [0.0] * math.prod(shape) if values is None else list(values)

    def at(self, index):
        flat = 0
        for i, n in zip(index, self.shape):
            flat = flat * n + i
        return flat

    def __getitem__(self, index):
        return self.values[self.at(index)]

    def add(self, index, value):
        self.values[self.at(index)] += value


def single(x):
    """The nearest float32: inputs are representable in both dtypes, so that only the computation differs."""
    return struct.unpack("<f", struct.pack("<f", x))[0]


def log_sinc(x):
    return 0.0 if x == 0 else math.log(abs(math.sin(x) / x))


def log_sinc_slope(x):
    if abs(x) < 1e-2:  # cot(x) - 1/x = -x/3 - x^3/45 - 2 x^5/945 - x^7/4725 - ...
        return -x / 3 - x**3 / 45 - 2 * x**5 / 945 - x**7 / 4725
    return math.cos(x) / math.sin(x) - 1 / x


def make_case(seed, B, H, N, M, D, E, power, radius, epsilon=0.0, causal=False, mask=False, scale=1.0):
    rng = random.Random(seed)
    normal = lambda *shape: Array(shape, (single(rng.gauss(0, scale)) for _ in range(math.prod(shape))))
    q, k, v, dout = normal(B, H, N, D), normal(B, H, M, D), normal(B, H, M, E), normal(B, H, N, E)
    R = Array([{"H": H, "D": D}[r] for r in radius])
    R.values = [single(rng.uniform(0.5, 1.5)) for _ in R.values]
    seen = Array((B, 1, N, M), (float(rng.random() < 0.7) for _ in range(B * N * M))) if mask else None
    r_at = lambda h, d: ((h, d)[2 - len(radius):])

    weights, out = Array((B, H, N, M)), Array((B, H, N, E))
    dq, dk, dv, dR = Array(q.shape), Array(k.shape), Array(v.shape), Array(R.shape)
    for b, h, i in product(range(B), range(H), range(N)):
        allowed = [j for j in range(M) if (not causal or j <= i + M - N) and (seen is None or seen[b, 0, i, j])]
        x = lambda j, d: R[r_at(h, d)] * (q[b, h, i, d] - k[b, h, j, d])
        scores = {j: power * math.fsum(log_sinc(x(j, d)) for d in range(D)) for j in allowed}
        top = max(scores.values(), default=0.0)
        terms = {j: math.exp(s - top) for j, s in scores.items()}
        total = math.fsum(terms.values())
        if epsilon:
            total += math.exp(math.log(epsilon) - top)
        w = {j: t / total for j, t in terms.items()}
        for j in allowed:
            weights.add((b, h, i, j), w[j])
            for e in range(E):
                out.add((b, h, i, e), w[j] * v[b, h, j, e])
                dv.add((b, h, j, e), w[j] * dout[b, h, i, e])
        g = {j: math.fsum(dout[b, h, i, e] * v[b, h, j, e] for e in range(E)) for j in allowed}
        mean = math.fsum(w[j] * g[j] for j in allowed)
        for j, d in product(allowed, range(D)):
            slope = power * w[j] * (g[j] - mean) * log_sinc_slope(x(j, d))
            dq.add((b, h, i, d), slope * R[r_at(h, d)])
            dk.add((b, h, j, d), -slope * R[r_at(h, d)])
            dR.add(r_at(h, d), slope * (q[b, h, i, d] - k[b, h, j, d]))
    arrays = dict(q=q, k=k, v=v, R=R, out=out, weights=weights, grad_out=dout, grad_q=dq, grad_k=dk, grad_v=dv, grad_R=dR)
    if mask:
        arrays["mask"] = seen
    return arrays, {"power": repr(power), "epsilon": repr(epsilon), "causal": str(causal)}


def write_safetensors(path, arrays, metadata):
    header, data = {"__metadata__": metadata}, b""
    for name, array in sorted(arrays.items()):
        boolean = name == "mask"
        raw = bytes(int(x) for x in array.values) if boolean else struct.pack(f"<{len(array.values)}d", *array.values)
        header[name] = {
            "dtype": "BOOL" if boolean else "F64",
            "shape": list(array.shape),
            "data_offsets": [len(data), len(data) + len(raw)],
        }
        data += raw
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    path.write_bytes(struct.pack("<Q", len(text)) + text + data)


def main():
    folder = Path(sys.argv[1] if len(sys.argv) > 1 else Path(__file__).parents[2] / "tests" / "golden")
    for name, case in CASES.items():
        write_safetensors(folder / f"fourier_attention_{name}.safetensors", *make_case(**case))


if __name__ == "__main__":
    main()
