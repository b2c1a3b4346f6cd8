#!/usr/bin/env python3
"""Writes tests/golden/schedules.json: learning rates by update, as factors of the highest, by the published formulas.

With PyTorch installed, --torch holds them against its schedulers, fails where they differ by more than 1e-12, and else
prints by how much.
"""

import argparse
import json
import math
import pathlib

STEPS = 30
FIGURES = [5, 4, 4.1, 3.9999, 3.9998, 4.2, 3, 3.1, 3.2, 3.3, 3.4, 2, 2, 2, 2, 2, 2, 2, 2.5, 2.5, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1]


def linear(total, minimum):
    return [1 + (minimum - 1) * min(t, total) / total for t in range(STEPS)]


def cosine_restarts(first, growth, minimum):
    """Loshchilov and Hutter 2017, equation 5."""
    factors, length, at = [], first, 0
    for _ in range(STEPS):
        factors.append(minimum + (1 - minimum) * (1 + math.cos(math.pi * at / length)) / 2)
        at += 1
        if at == length:
            at, length = 0, length * growth
    return factors


def inverse_sqrt(warmup):
    """Vaswani et al. 2017, section 5.3, as a factor of the highest rate; update numbers are counted from 1 on the way
    up, where the first would have rate 0, and from 0 from then on."""
    return [(t + 1) / warmup if t < warmup else math.sqrt(warmup / t) for t in range(STEPS)]


def one_cycle(total, rise, start, end):
    def between(a, b, share):
        return b + (a - b) / 2 * (1 + math.cos(math.pi * share))

    return [between(start, 1, t / (rise - 1)) if t < rise else between(1, end, (t - rise + 1) / (total - rise))
            for t in range(STEPS)]


def reduce_on_plateau(factor, patience, threshold, cooldown, minimum, maximize):
    """The factor after each of FIGURES (with maximize, of their inverses)."""
    factors, now, best, bad, rest = [], 1, -math.inf if maximize else math.inf, 0, 0
    for figure in (1 / f if maximize else f for f in FIGURES):
        if figure > best * (1 + threshold) if maximize else figure < best * (1 - threshold):
            best, bad = figure, 0
        else:
            bad += 1
        if rest > 0:
            rest, bad = rest - 1, 0
        if bad > patience:
            now, rest, bad = max(now * factor, minimum), cooldown, 0
        factors.append(now)
    return factors


CASES = [
    (linear, {"total": 20, "minimum": 0.1}),
    (cosine_restarts, {"first": 7, "growth": 1, "minimum": 0.05}),
    (cosine_restarts, {"first": 4, "growth": 2, "minimum": 0.0}),
    (inverse_sqrt, {"warmup": 6}),
    (one_cycle, {"total": 30, "rise": 9, "start": 1 / 25, "end": 1 / 25e4}),
    (one_cycle, {"total": 30, "rise": 15, "start": 0.1, "end": 0.001}),
    (reduce_on_plateau, {"factor": 0.5, "patience": 2, "threshold": 1e-4, "cooldown": 0, "minimum": 0.0, "maximize": False}),
    (reduce_on_plateau, {"factor": 0.1, "patience": 1, "threshold": 0.1, "cooldown": 3, "minimum": 0.02, "maximize": False}),
    (reduce_on_plateau, {"factor": 0.5, "patience": 0, "threshold": 1e-4, "cooldown": 1, "minimum": 0.0, "maximize": True}),
]


def torch_factors(kind, options):
    """PyTorch's, for a highest rate of 1; None where it has no such scheduler."""
    from torch import nn, optim

    sgd = optim.SGD([nn.Parameter()], lr=1.0)
    schedulers = optim.lr_scheduler
    if kind is reduce_on_plateau:
        scheduler = schedulers.ReduceLROnPlateau(
            sgd, mode="max" if options["maximize"] else "min", factor=options["factor"], patience=options["patience"],
            threshold=options["threshold"], cooldown=options["cooldown"], min_lr=options["minimum"], eps=0)
        factors = []
        for figure in FIGURES:
            scheduler.step(1 / figure if options["maximize"] else figure)
            factors.append(sgd.param_groups[0]["lr"])
        return factors
    if kind is linear:
        scheduler = schedulers.LinearLR(sgd, 1.0, options["minimum"], options["total"])
    elif kind is cosine_restarts:
        scheduler = schedulers.CosineAnnealingWarmRestarts(sgd, options["first"], options["growth"], options["minimum"])
    elif kind is one_cycle:
        scheduler = schedulers.OneCycleLR(
            sgd, max_lr=1.0, total_steps=options["total"], pct_start=options["rise"] / options["total"],
            div_factor=1 / options["start"], final_div_factor=options["start"] / options["end"], cycle_momentum=False)
    else:
        return None
    factors = []
    for step in range(STEPS):
        factors.append(sgd.param_groups[0]["lr"])
        sgd.step()
        if step + 1 < STEPS:
            scheduler.step()
    return factors


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    root = pathlib.Path(__file__).resolve().parents[2]
    parser.add_argument("--out", type=pathlib.Path, default=root / "tests" / "golden" / "schedules.json")
    parser.add_argument("--torch", action="store_true", help="compare with PyTorch's schedulers, too")
    args = parser.parse_args()

    cases, compared, largest = [], 0, 0.0
    for kind, options in CASES:
        factors = kind(**options)
        theirs = torch_factors(kind, options) if args.torch else None
        if theirs is not None:
            worst = max(abs(a - b) for a, b in zip(factors, theirs, strict=True))
            if not worst <= 1e-12:
                raise SystemExit(f"{kind.__name__} {options}: differs from PyTorch by {worst}")
            compared, largest = compared + 1, max(largest, worst)
        cases.append({"schedule": kind.__name__, "options": options, "factors": factors})
    if args.torch:
        print(f"{compared} of {len(cases)} cases are PyTorch's, too; they differ by at most {largest:.1e}")
    rows = ",\n".join("  " + json.dumps(case) for case in cases)
    args.out.write_text(f'{{"figures": {json.dumps(FIGURES)},\n "cases": [\n{rows}\n]}}\n')


if __name__ == "__main__":
    main()
