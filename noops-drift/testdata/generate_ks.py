"""Writes ks.json: oracle values for the Kolmogorov-Smirnov and Kuiper tests.

Needs numpy, scipy and mpmath. Run beside the file: python generate_ks.py
"""

import itertools
import json
from fractions import Fraction
from math import comb
from pathlib import Path

import mpmath
import numpy as np
import scipy.stats as st

mpmath.mp.dps = 60


def distance(x, y):
    """(nm D, nm V) from the definition."""
    n, m = len(x), len(y)
    gaps = [sum(a <= v for a in x) * m - sum(b <= v for b in y) * n for v in {*x, *y}]
    above, below = max(0, max(gaps)), max(0, -min(gaps))
    return max(above, below), above + below


def tail_by_paths(x, y):
    """P(D >= d) given the pooled values, counted with integers (Schroeer and Trenkler, 1995)."""
    n, m = len(x), len(y)
    far = distance(x, y)[0]
    pooled = sorted([*x, *y])
    ends = {k for k in range(1, n + m + 1) if k == n + m or pooled[k] != pooled[k - 1]}
    # inside[i]: paths to (i, s - i) that were inside the band at every end so far
    inside = {0: 1}
    for s in range(1, n + m + 1):
        after = {}
        for i, paths in inside.items():
            for k in (i, i + 1):
                if k <= n and 0 <= s - k <= m:
                    after[k] = after.get(k, 0) + paths
        if s in ends:
            after = {i: p for i, p in after.items() if abs(i * m - (s - i) * n) < far}
        inside = after
    return 1 - Fraction(inside.get(n, 0), comb(n + m, n))


def tail_by_labellings(x, y):
    pooled = [*x, *y]
    far = distance(x, y)[0]
    hits = total = 0
    for chosen in itertools.combinations(range(len(pooled)), len(x)):
        a = [pooled[k] for k in chosen]
        b = [pooled[k] for k in range(len(pooled)) if k not in chosen]
        hits += distance(a, b)[0] >= far
        total += 1
    return Fraction(hits, total)


def number(fraction):
    return float(mpmath.mpf(fraction.numerator) / fraction.denominator)


def continuous():
    cases = []
    rng = np.random.default_rng(4)
    for n, m, shift in [
        (1, 1, 0), (2, 7, 0.5), (5, 5, 1), (8, 13, 0), (20, 20, 0.3), (30, 45, 0.5), (50, 20, 1),
        (97, 64, 0.2), (100, 100, 0.8), (150, 151, 1.5), (200, 300, 4), (400, 400, 9), (510, 490, 9), (30, 600, 0.4),
    ]:
        x = rng.normal(size=n).round(9).tolist()
        y = (rng.normal(size=m) + shift).round(9).tolist()
        assert len({*x, *y}) == n + m
        exact = tail_by_paths(x, y)
        found = st.ks_2samp(x, y, method="exact")
        if exact > Fraction(1, 10**200):
            assert abs(found.pvalue / number(exact) - 1) < 1e-8, (n, m)
        cases.append({
            "call": "scipy.stats.ks_2samp(x, y, method='exact').statistic; p by exact integers, checked against its pvalue",
            "x": x, "y": y, "statistic": found.statistic, "p_value": number(exact),
            "kuiper": distance(x, y)[1] / (n * m),
        })
    return cases


def tied():
    cases = []
    rng = np.random.default_rng(7)
    for n, m, levels, shift in [(3, 4, 2, 0), (4, 4, 3, 1), (5, 6, 3, 1), (6, 6, 4, 2), (5, 7, 2, 0), (40, 60, 5, 1), (90, 33, 12, 2), (300, 200, 30, 12)]:
        x = rng.integers(0, levels, n).astype(float).tolist()
        y = (rng.integers(0, levels, m) + shift).astype(float).tolist()
        exact = tail_by_paths(x, y)
        call = "integer path counting with ties"
        if n + m <= 12:
            assert exact == tail_by_labellings(x, y)
            call += ", equal to the share of all labellings"
        cases.append({
            "call": call, "x": x, "y": y, "statistic": distance(x, y)[0] / (n * m), "p_value": number(exact),
            "kuiper": distance(x, y)[1] / (n * m),
        })
    return cases


def limits():
    def kolmogorov(x):
        return 2 * mpmath.nsum(lambda k: (-1) ** (int(k) - 1) * mpmath.exp(-2 * k * k * x * x), [1, mpmath.inf], method="d") if x >= 1 else \
            1 - mpmath.sqrt(2 * mpmath.pi) / x * sum(mpmath.exp(-(2 * k - 1) ** 2 * mpmath.pi**2 / (8 * x * x)) for k in range(1, 30))

    def kuiper(x):
        return 2 * sum((4 * j * j * x * x - 1) * mpmath.exp(-2 * j * j * x * x) for j in range(1, 400))

    points = [0.3, 0.5, 0.8, 1.0, 1.17, 1.19, 1.299, 1.301, 1.5, 2.0, 3.5, 6.0, 10.0, 15.0, 18.5]
    call = "mpmath, 60 digits: 2 sum (-1)^(k-1) exp(-2 k^2 x^2), and 2 sum (4 j^2 x^2 - 1) exp(-2 j^2 x^2)"
    return [
        {"call": call, "x": x, "kolmogorov": float(kolmogorov(mpmath.mpf(x))), "kuiper": float(kuiper(mpmath.mpf(x)))}
        for x in points
    ]


if __name__ == "__main__":
    out = {"continuous": continuous(), "tied": tied(), "limits": limits()}
    text = json.dumps(out, indent=None, separators=(",", ":"))
    text = text.replace('{"call"', '\n{"call"')
    Path(__file__).with_name("ks.json").write_text(text + "\n")
