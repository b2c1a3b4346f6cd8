#!/usr/bin/env python3
"""Writes core/cpu/polynomials.h: Chebyshev fits of the functions that elementary functions are made of. Needs mpmath.

Usage: fit_polynomials.py > core/cpu/polynomials.h (then clang-format)"""

from mpmath import (atan, chebyfit, cos, cot, erf, erfc, exp, expm1, findroot, log, log1p, lu_solve, matrix, mp, mpf, nstr,
                    pi, polyval, psi, sin, sqrt)

mp.dps = 80

HEADER = """#pragma once

// Polynomials that elementary functions are made of, lowest power first: Chebyshev fits, each with the largest error it
// has before its coefficients are rounded to double. Those for float results are used in double lanes and leave the
// result within 0.51 ulp of a float.

namespace ff::cpu::polynomial {
"""


def series_near_0(f, limit, series):
    """f, replaced by its first terms where it is a quotient of two small numbers."""
    return lambda u: series(u) if abs(u) < limit else f(u)


def of_square(f):
    """A function of x as one of u = x^2."""
    return lambda u: f(sqrt(u))


def scaled_erfc(t):
    x = 3 * (1 + max(t, mpf(-1))) / (1 - max(t, mpf(-1)))
    return (x + 3) * exp(x * x) * erfc(x)


HALF_LOG2 = log(mpf(2)) / 2 * mpf("1.0005")
QUARTER_PI_SQUARED = (pi / 4) ** 2 * mpf("1.0001")
expm1_over_x = series_near_0(lambda x: expm1(x) / x, mpf("1e-60"), lambda x: mpf(1))
DIGAMMA_ROOT = findroot(lambda x: psi(0, x), mpf("1.4616"))
log1p_over_x = series_near_0(lambda x: log1p(x) / x, mpf("1e-60"), lambda x: mpf(1))

log2_sinc_over_x2 = series_near_0(of_square(lambda x: log(sin(x) / x, 2) / x**2), 1e-15,
                                  lambda u: (-mpf(1) / 6 - u / 180) / log(mpf(2)))
log_sinc_grad_over_x = series_near_0(of_square(lambda x: (cot(x) - 1 / x) / x), 1e-12, lambda u: -mpf(1) / 3 - u / 45)


def up_to(x):
    """The squares of what is at most x, and some room for rounding."""
    return [0, mpf(x) ** 2 * mpf("1.00001")]


# Name, what it is, the function, where it is fitted, how many coefficients.
FITS = [
    ("expm1_over_x", "(exp(x) - 1) / x for |x| <= log(2) / 2, in x, for float results", expm1_over_x,
     [-HALF_LOG2, HALF_LOG2], 7),
    ("expm1_over_x_f64", "The same for double results", expm1_over_x, [-HALF_LOG2, HALF_LOG2], 12),
    ("log1p_over_x", "log(1 + x) / x for sqrt(1/2) <= 1 + x <= sqrt(2), in x, for float results", log1p_over_x,
     [sqrt(mpf(0.5)) - 1, sqrt(mpf(2)) - 1], 13),
    ("sin_tail", "(sin(x) / x - 1) / x^2 for |x| <= pi/4, in x^2",
     series_near_0(of_square(lambda x: (sin(x) / x - 1) / x**2), 1e-15, lambda u: -mpf(1) / 6 + u / 120),
     [0, QUARTER_PI_SQUARED], 6),
    ("cos_tail", "(cos(x) - 1 + x^2 / 2) / x^4 for |x| <= pi/4, in x^2",
     series_near_0(of_square(lambda x: (cos(x) - 1 + x**2 / 2) / x**4), 1e-10, lambda u: mpf(1) / 24 - u / 720),
     [0, QUARTER_PI_SQUARED], 6),
    ("erf_over_x", "erf(x) / x for |x| <= 1/2, in x^2, for float results",
     series_near_0(of_square(lambda x: erf(x) / x), mpf("1e-30"), lambda u: 2 / sqrt(pi)), [0, 0.25], 6),
    ("scaled_erfc", "(x + 3) exp(x^2) erfc(x) for 0 <= x <= 11, in (x - 3) / (x + 3), for float results", scaled_erfc,
     [-1, mpf(8) / 14], 13),
    ("atan_over_x", "atan(x) / x for |x| <= 1, in x^2, for float results",
     series_near_0(of_square(lambda x: atan(x) / x), mpf("1e-30"), lambda u: mpf(1)), [0, 1], 14),
    ("digamma_near_root", "digamma(x) / (x - x0) for 1 <= x <= 2, x0 = 1.4616... its root, in x - x0",
     series_near_0(lambda t: psi(0, DIGAMMA_ROOT + t) / t, mpf("1e-30"), lambda t: psi(1, DIGAMMA_ROOT)),
     [1 - DIGAMMA_ROOT, 2 - DIGAMMA_ROOT], 22),
    ("log_sinc_over_x2", "log(sin(x) / x) / x^2 for |x| <= 1, in x^2",
     series_near_0(of_square(lambda x: log(sin(x) / x) / x**2), 1e-15, lambda u: -mpf(1) / 6 - u / 180), [0, 1], 10),
    ("log_sinc_grad_over_x", "(cot(x) - 1/x) / x for |x| <= 1, in x^2",
     log_sinc_grad_over_x, [0, 1], 11),
    ("log_sinc_grad2_near_0", "1/x^2 - 1/sin(x)^2 for |x| <= 1, in x^2",
     series_near_0(of_square(lambda x: 1 / x**2 - 1 / sin(x) ** 2), 1e-12, lambda u: -mpf(1) / 3 - u / 15), [0, 1], 11),
    ("log2_sinc_small", "log2(sin(x) / x) / x^2 for |x| <= 0.9, in x^2, for sums in float", log2_sinc_over_x2,
     up_to(0.9), 5),
    ("log2_sinc_medium", "The same for |x| <= 1.25", log2_sinc_over_x2, up_to(1.25), 6),
    ("log2_sinc_large", "The same for |x| <= 1.6", log2_sinc_over_x2, up_to(1.6), 7),
    ("sinc_wide", "(sin(x) / x - 1) / x^2 for |x| <= 2.2, in x^2, for products in float",
     series_near_0(of_square(lambda x: (sin(x) / x - 1) / x**2), 1e-15, lambda u: -mpf(1) / 6 + u / 120), up_to(2.2),
     6),
    ("log_sinc_grad_small", "(cot(x) - 1/x) / x for |x| <= 0.9, in x^2, for sums in float", log_sinc_grad_over_x,
     up_to(0.9), 4),
    ("log_sinc_grad_medium", "The same for |x| <= 1.25", log_sinc_grad_over_x, up_to(1.25), 5),
    ("log_sinc_grad_large", "The same for |x| <= 1.6", log_sinc_grad_over_x, up_to(1.6), 6),
    ("log_sinc_grad_wide", "The same for |x| <= 2.2", log_sinc_grad_over_x, up_to(2.2), 9),
]


def normal_tail(a):
    return erfc(a / sqrt(mpf(2))) * exp(a * a / 2) / 2


NORMAL_DENSITY = 1 / sqrt(2 * pi)


def normal_tail_fit(end, degree, points=160, rounds=60):
    """n, p, q for which a normal_tail(a) is both NORMAL_DENSITY - n / q and a p / q on [0, end], n and q
    of that degree and one more, to about the least relative error; and that error. Least squares, each point weighted
    by the errors there of the fits before."""
    half = end / 2
    nodes = [half - half * cos(pi * (i + mpf(0.5)) / points) ** 3 for i in range(points)]
    tails = [normal_tail(a) for a in nodes]
    weights, below, best = [mpf(1)] * points, [mpf(1)] * points, None
    for _ in range(rounds):
        scales = [sqrt(w) / (m * b) for w, m, b in zip(weights, tails, below)]
        rows = [[-s * a**i for i in range(degree)] + [s * (NORMAL_DENSITY - a * m) * a**i for i in range(degree + 1)]
                for s, a, m in zip(scales, nodes, tails)]
        solution = list(lu_solve(matrix(rows), matrix([s * m for s, m in zip(scales, tails)])))
        n, q = [NORMAL_DENSITY] + solution[:degree], [mpf(1)] + solution[degree:]
        below = [polyval(q[::-1], a) for a in nodes]
        errors = [abs((NORMAL_DENSITY - polyval(n[::-1], a) / b) / (a * m) - 1)
                  for a, b, m in zip(nodes, below, tails)]
        worst = max(errors)
        if best is None or worst < best[2]:
            best = n, q, worst
        weights = [w * sqrt(e / worst + mpf("1e-3")) for w, e in zip(weights, errors)]
    # Sums that start at 1.5 and not at 1 are further from the power of two where rounding errors weigh most.
    n, q = ([mpf(1.5) * c for c in values] for values in best[:2])
    return n, [NORMAL_DENSITY * q[i + 1] - (n + [0])[i + 1] for i in range(degree + 1)], q, best[2]


def main():
    print(HEADER)
    for name, doc, f, interval, count in FITS:
        highest_first, error = chebyfit(f, interval, count, error=True)
        print(f"/// {doc}; error {nstr(error, 2)}.")
        print(f"inline constexpr double {name}[] = {{{', '.join(repr(float(c)) for c in reversed(highest_first))}}};\n")
    n, p, q, error = normal_tail_fit(mpf(15), 4)
    print("/// a exp(a^2 / 2) Phi(-a) for 0 <= a <= 15, Phi the normal distribution's function, in lanes of float: with phi "
          f"its density, both phi(0) - n / q and a p / q; error {nstr(error, 2)}.")
    for name, coefficients in (("n", n), ("p", p), ("q", q)):
        print(f"inline constexpr float normal_tail_{name}[] = "
              f"{{{', '.join(nstr(c, 10) + 'f' for c in coefficients)}}};\n")
    print("}  // namespace ff::cpu::polynomial")


if __name__ == "__main__":
    main()
