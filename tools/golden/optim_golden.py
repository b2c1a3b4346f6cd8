#!/usr/bin/env python3
"""Writes tests/golden/optim.json: trajectories of the optimisers, by the published algorithms in plain float64 Python.

Each case minimises f(p) = sum_i (a_i / 2) (p_i - c_i)^2 + 0.1 sin(3 p_i) from a fixed start, so that gradients change
sign and size on the way, and tells the parameters after each step. With PyTorch installed, --torch runs its optimisers on
the same problem, fails where they differ from the plain loops by more than 1e-12, and else prints by how much.
"""

import argparse
import json
import math
import pathlib

A = [1.0, 0.1, 10.0, 0.0, 1e-3]
C = [0.5, -2.0, 0.25, 1.0, 30.0]
START = [2.0, 3.0, -1.0, -0.7, 0.0]
STEPS = 12


def gradient(p):
    return [a * (x - c) + 0.3 * math.cos(3 * x) for a, x, c in zip(A, p, C)]


def sgd(lr, momentum=0.0, dampening=0.0, weight_decay=0.0, nesterov=False):
    """torch.optim.SGD's documented algorithm."""
    p, buffer = list(START), None
    for _ in range(STEPS):
        g = [d + weight_decay * x for d, x in zip(gradient(p), p)]
        if momentum:
            if buffer is None:
                buffer = list(g)
            else:
                buffer = [momentum * b + (1 - dampening) * d for b, d in zip(buffer, g)]
            g = [d + momentum * b for d, b in zip(g, buffer)] if nesterov else buffer
        p = [x - lr * d for x, d in zip(p, g)]
        yield p


def adam(lr, betas=(0.9, 0.999), eps=1e-8, weight_decay=0.0, decoupled=False):
    """Kingma and Ba 2015, algorithm 1, and Loshchilov and Hutter 2019, algorithm 2 (decoupled: AdamW)."""
    p, m, v = list(START), [0.0] * len(START), [0.0] * len(START)
    for t in range(1, STEPS + 1):
        g = gradient(p)
        if not decoupled:
            g = [d + weight_decay * x for d, x in zip(g, p)]
        m = [betas[0] * a + (1 - betas[0]) * d for a, d in zip(m, g)]
        v = [betas[1] * a + (1 - betas[1]) * d * d for a, d in zip(v, g)]
        mean = [a / (1 - betas[0] ** t) for a in m]
        square = [a / (1 - betas[1] ** t) for a in v]
        if decoupled:
            p = [x - lr * weight_decay * x for x in p]
        p = [x - lr * a / (math.sqrt(b) + eps) for x, a, b in zip(p, mean, square)]
        yield p


CASES = [
    ("sgd", {"lr": 0.05}),
    ("sgd", {"lr": 0.05, "weight_decay": 0.3}),
    ("sgd", {"lr": 0.02, "momentum": 0.9}),
    ("sgd", {"lr": 0.02, "momentum": 0.9, "dampening": 0.4, "weight_decay": 0.1}),
    ("sgd", {"lr": 0.02, "momentum": 0.8, "nesterov": True, "weight_decay": 0.1}),
    ("adam", {"lr": 0.1}),
    ("adam", {"lr": 0.1, "betas": [0.8, 0.95], "eps": 1e-3, "weight_decay": 0.2}),
    ("adamw", {"lr": 0.1, "weight_decay": 0.05}),
    ("adamw", {"lr": 0.3, "betas": [0.0, 0.9], "eps": 1e-2, "weight_decay": 0.5}),
]


def trajectory(optimizer, options):
    if optimizer == "sgd":
        return list(sgd(**options))
    return list(adam(**options, decoupled=optimizer == "adamw"))


def torch_trajectory(optimizer, options):
    import torch

    p = torch.tensor(START, dtype=torch.float64, requires_grad=True)
    make = {"sgd": torch.optim.SGD, "adam": torch.optim.Adam, "adamw": torch.optim.AdamW}[optimizer]
    opt = make([p], **options)
    for _ in range(STEPS):
        p.grad = torch.tensor(gradient(p.tolist()), dtype=torch.float64)
        opt.step()
        yield p.tolist()


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    root = pathlib.Path(__file__).resolve().parents[2]
    parser.add_argument("--out", type=pathlib.Path, default=root / "tests" / "golden" / "optim.json")
    parser.add_argument("--torch", action="store_true", help="compare with PyTorch's optimisers, too")
    args = parser.parse_args()

    cases, largest = [], 0.0
    for optimizer, options in CASES:
        steps = trajectory(optimizer, options)
        if args.torch:
            for ours, theirs in zip(steps, torch_trajectory(optimizer, options)):
                worst = max(abs(a - b) for a, b in zip(ours, theirs))
                if not worst <= 1e-12:
                    raise SystemExit(f"{optimizer} {options}: differs from PyTorch by {worst}")
                largest = max(largest, worst)
        cases.append({"optimizer": optimizer, "options": options, "trajectory": steps})
    if args.torch:
        print(f"{len(cases)} cases differ from PyTorch by at most {largest:.1e}")
    rows = ",\n".join("  " + json.dumps(case) for case in cases)
    problem = json.dumps({"a": A, "c": C, "start": START})
    args.out.write_text(f'{{"problem": {problem},\n "cases": [\n{rows}\n]}}\n')


if __name__ == "__main__":
    main()
