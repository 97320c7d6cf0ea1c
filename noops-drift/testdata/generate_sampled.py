"""Writes sampled.json: oracle values for the tests of noops-drift/src/statistic/sampled.

Run as `python generate_sampled.py` beside the file, with numpy, scipy and mpmath installed.
"""

import json
import math
import pathlib
import warnings

import mpmath as mp
import numpy as np
import scipy
from scipy import stats

mp.mp.dps = 30
warnings.filterwarnings("ignore")
rng = np.random.default_rng(20240613)


def piecewise(f, points):
    return mp.fsum(mp.quad(f, [a, b]) for a, b in zip(points, points[1:]))


def graded(a, b, rate):
    """From a to b, in steps that double, starting where exp(-rate (s - a)) begins to fall."""
    points, step = [a], min((b - a) / 2, 1 / rate / 4)
    while points[-1] + step < b:
        points.append(points[-1] + step)
        step *= 2
    return points + [b]


def alternating(term):
    total = mp.mpf(0)
    for j in range(1, 80):
        part = term(j)
        total += part if j % 2 else -part
        if abs(part) < abs(total) * mp.mpf(10) ** -20:
            break
    return total


def cvm_tail(x):
    """Smirnov: between consecutive pairs of poles of the moment generating function."""
    x = mp.mpf(x)

    def term(j):
        a, b = (2 * j - 1) * mp.pi, 2 * j * mp.pi
        f = lambda y: mp.exp(-x * y * y / 2) * mp.sqrt(abs(y / mp.sin(y))) * 2 / y
        return piecewise(f, graded(a, b, x * a)) / mp.pi

    return alternating(term)


def ad_tail_one(x):
    x = mp.mpf(x)

    def term(j):
        a, b = mp.mpf((2 * j - 1) * 2 * j) / 2, mp.mpf(2 * j * (2 * j + 1)) / 2
        f = lambda s: mp.exp(-s * x) / s * mp.sqrt(abs(2 * mp.pi * s / mp.cos(mp.pi / 2 * mp.sqrt(1 + 8 * s))))
        return piecewise(f, graded(a, b, x)) / mp.pi

    return alternating(term)


def ad_tail_two(x):
    x = mp.mpf(x)
    return mp.fsum((-1) ** (j - 1) * (2 * j + 1) * mp.exp(-mp.mpf(j * (j + 1)) / 2 * x) for j in range(1, 200))


def tail(value):
    return mp.nstr(value, 17)


limits = {
    "cramer_von_mises": [
        {"call": f"Smirnov's integrals, mpmath, x = {x}", "x": x, "tail": float(tail(cvm_tail(x)))}
        for x in (0.05, 0.2, 0.46136, 1.0, 5.0, 20.0, 100.0, 135.0)
    ],
    "anderson_darling": [
        {"call": f"integrals between poles, mpmath, x = {x}", "x": x, "freedom": 1, "tail": float(tail(ad_tail_one(x)))}
        for x in (0.3, 1.0, 2.492, 10.0, 50.0, 300.0, 680.0)
    ]
    + [
        {"call": f"sum of residues, mpmath, x = {x}", "x": x, "freedom": 2, "tail": float(tail(ad_tail_two(x)))}
        for x in (0.5, 2.0, 5.0, 50.0, 600.0)
    ],
}


def samples():
    normal = lambda k, shift=0.0: rng.normal(shift, 1, k).round(6)
    yield "small", normal(5), normal(7)
    yield "equal small", normal(9), normal(9, 0.8)
    yield "separated", normal(6), normal(8, 20)
    yield "unequal", normal(60), normal(25, 0.4)
    yield "larger", normal(80, 0.1), normal(120, -0.6)
    yield "tied", rng.integers(0, 6, 40).astype(float), rng.integers(1, 7, 23).astype(float)
    yield "zero-inflated", rng.poisson(0.5, 50).astype(float), rng.poisson(1.2, 35).astype(float)
    yield "cauchy", rng.standard_cauchy(30).round(6), rng.standard_cauchy(44).round(6)


pairs = []
for name, x, y in samples():
    ties = len(np.unique(np.concatenate([x, y]))) < len(x) + len(y)
    t = stats.cramervonmises_2samp(x, y, method="asymptotic").statistic
    row = {
        "name": name,
        "reference": x.tolist(),
        "current": y.tolist(),
        "cramervonmises_2samp(reference, current).statistic": t,
        "wasserstein_distance(reference, current)": stats.wasserstein_distance(x, y),
        "energy_distance(reference, current)": stats.energy_distance(x, y),
        "anderson_ksamp([reference, current], midrank=True).statistic": stats.anderson_ksamp([x, y], midrank=True).statistic,
        "mannwhitneyu(current, reference).statistic": stats.mannwhitneyu(y, x).statistic,
        "mannwhitneyu(current, reference, method='asymptotic').pvalue": stats.mannwhitneyu(y, x, method="asymptotic").pvalue,
    }
    if not ties and len(x) * len(y) <= 2500:
        row["mannwhitneyu(current, reference, method='exact').pvalue"] = stats.mannwhitneyu(y, x, method="exact").pvalue
    if not ties and (max(len(x), len(y)) <= 12 or len(x) == len(y) <= 20):
        row["cramervonmises_2samp(reference, current, method='exact').pvalue"] = stats.cramervonmises_2samp(x, y, method="exact").pvalue
    else:
        n, m = len(x), len(y)
        k, big = n * m, n + m
        mean = (1 + 1 / big) / 6
        variance = (big + 1) * (4 * k * big - 3 * (n * n + m * m) - 2 * k) / (45 * big**2 * 4 * k)
        row["Smirnov's tail at scipy's normalised statistic"] = float(tail(cvm_tail(1 / 6 + (t - mean) / math.sqrt(45 * variance))))
    pairs.append(row)

three = [rng.normal(0, 1, 30).round(1), rng.normal(0.3, 1, 20).round(1), rng.normal(0, 1.5, 25).round(1)]
document = {
    "generator": f"generate_sampled.py, scipy {scipy.__version__}, numpy {np.__version__}, mpmath {mp.__version__}",
    "limits": limits,
    "pairs": pairs,
    "three": {
        "samples": [s.tolist() for s in three],
        "anderson_ksamp(samples, midrank=True).statistic": stats.anderson_ksamp(three, midrank=True).statistic,
    },
}
pathlib.Path(__file__).with_name("sampled.json").write_text(json.dumps(document, indent=1) + "\n")
