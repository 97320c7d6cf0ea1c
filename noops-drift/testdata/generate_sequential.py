"""Writes sequential.json: oracle values for the anytime-valid gates.

Run: python generate_sequential.py (needs numpy, scipy and mpmath). Every value carries the call that made it.
"""

import json
import math
from pathlib import Path

import numpy as np
from mpmath import mp, mpf
from scipy.optimize import brentq, minimize_scalar
from scipy.special import betaincinv, eval_legendre

mp.dps = 40
A = 0.85


def ln_error_rate(constant):
    """Howard and Ramdas, "Sequential estimation of quantiles", theorem 2, minimised over eta."""

    def at(eta):
        slack = A - math.sqrt(2 * (eta - 1) / constant)
        gamma_squared = 2 / eta * slack * slack
        if slack <= 0 or gamma_squared <= 1:
            return 1e9
        return math.log(4) - gamma_squared * constant + math.log1p(1 / ((gamma_squared - 1) * math.log(eta)))

    grid = 1 + np.geomspace(1e-6, 1, 4_001)
    best = int(np.argmin([at(eta) for eta in grid]))
    low, high = grid[max(best - 1, 0)], grid[min(best + 1, len(grid) - 1)]
    return minimize_scalar(at, bounds=(low, high), method="bounded", options={"xatol": 1e-13}).fun


def iterated_logarithm():
    rows = []
    for alpha in (0.05, 0.025, 0.01, 0.005, 0.001, 1e-6, 1e-12):
        constant = brentq(lambda c: ln_error_rate(c) - math.log(alpha), 3, 200, xtol=1e-13, rtol=1e-14)
        bounds = [[t, A * math.sqrt((math.log1p(math.log(t)) + constant) / t)] for t in (1_000, 10_000, 1_000_000)]
        rows.append({
            "call": f"brentq(ln_error_rate(C) = ln({alpha}))",
            "alpha": alpha,
            "constant": constant,
            "bounds": bounds,
        })
    return rows


def clopper_pearson():
    cases = [(0, 100, 0.01), (3, 100, 0.01), (30, 100, 0.05), (1, 20_000, 0.0005), (6_000, 20_000, 0.0005), (100, 100, 0.01)]
    rows = []
    for k, n, failure in cases:
        low = 0.0 if k == 0 else float(betaincinv(k, n - k + 1, failure / 2))
        high = 1.0 if k == n else float(betaincinv(k + 1, n - k, 1 - failure / 2))
        rows.append({
            "call": f"scipy.special.betaincinv({k}, {n - k + 1}, {failure / 2}) and ({k + 1}, {n - k}, 1 - {failure / 2})",
            "successes": k,
            "trials": n,
            "failure": failure,
            "low": low,
            "high": high,
        })
    return rows


def stake(row):
    block = int(math.floor(math.log2(row)))
    return mpf(1) / 4 / ((block + 1) * (block + 2)) / 2**block


def rate_evidence(hits, low, high):
    """The average of the four bets on a rate, with fresh capital coming in."""
    total = mpf(0)
    for bound, ratios in ((mpf(high), (1.5, 8.0)), (mpf(low), (1 / 1.5, 1 / 8.0))):
        for ratio in ratios:
            q = bound * ratio / (1 - bound + bound * ratio)
            wealth = mpf(3) / 4
            for row, hit in enumerate(hits, 1):
                factor = 1 if bound in (0, 1) else (q / bound if hit else (1 - q) / (1 - bound))
                wealth = (wealth + stake(row)) * factor
            total += wealth
    return total / 4


def bounds_of(k, n, failure):
    low = 0.0 if k == 0 else float(betaincinv(k, n - k + 1, failure / 2))
    high = 1.0 if k == n else float(betaincinv(k + 1, n - k, 1 - failure / 2))
    return low, high


def pit_bet():
    """The evidence of PitBet by its definition: means of polynomials by quadrature, one loop per bet."""
    edges = [-1.0, 0.0, 0.5, 2.0]
    counts = [400, 100, 900, 0, 600]
    missing = 250
    alpha = 0.05
    generator = np.random.default_rng(7)
    values = [float(x) for x in np.round(generator.normal(1.1, 1.3, 200), 3)]
    for place in range(5, 200, 11):
        values[place] = None
    n = sum(counts)
    eps = math.sqrt(math.log(2 / (alpha / 4 * 0.8)) / (2 * n))
    cumulative = np.concatenate([[0], np.cumsum(counts)]) / n
    nodes, weights = np.polynomial.legendre.leggauss(8)
    cells = []
    for value in values:
        cells.append(None if value is None else int(np.searchsorted(edges, value, side="left")))
    total = mpf(0)
    for degree in (1, 2, 3, 4):
        scores = []
        for low, high in zip(cumulative[:-1], cumulative[1:]):
            u = (low + high) / 2 + (high - low) / 2 * nodes
            scores.append(float(np.sum(weights * eval_legendre(degree, 2 * u - 1)) / 2))
        centre = sum(s * c / n for s, c in zip(scores, counts))
        scores = [s - centre for s in scores]
        variation = sum(abs(b - a) for a, b in zip(scores, scores[1:]))
        for size in (0.1, 0.5):
            bet = size * math.sqrt((2 * degree + 1) / 3)
            for sign in (1, -1):
                wealth = mpf(3) / 4
                for row, cell in enumerate(cells, 1):
                    wealth += stake(row)
                    if cell is not None:
                        wealth *= (1 + sign * bet * scores[cell]) / (1 + bet * variation * eps)
                total += wealth / 4
    low, high = bounds_of(missing, n + missing, alpha / 4 * 0.2)
    missing_evidence = rate_evidence([value is None for value in values], low, high)
    reserve = mpf(1) / 4 - sum(stake(row) for row in range(1, len(values) + 1))
    evidence = (total + missing_evidence) / 5 + reserve
    return {
        "call": "pit_bet() of this file: products in 40 digits",
        "edges": edges,
        "counts": counts,
        "missing": missing,
        "alpha": alpha,
        "values": values,
        "log_e": float(mp.log(evidence)),
    }


def category_bet():
    counts = [600, 300, 100]
    alpha = 0.05
    generator = np.random.default_rng(11)
    rows = [int(x) for x in generator.choice(5, 150, p=[0.3, 0.4, 0.2, 0.05, 0.05])]
    cells = counts + [0, 0]
    n = sum(cells)
    total = mpf(0)
    for cell, count in enumerate(cells):
        low, high = bounds_of(count, n, alpha / 4 / len(cells))
        total += rate_evidence([row == cell for row in rows], low, high)
    reserve = mpf(1) / 4 - sum(stake(row) for row in range(1, len(rows) + 1))
    return {
        "call": "category_bet() of this file: products in 40 digits; 3 is unlisted, 4 is missing",
        "counts": counts,
        "alpha": alpha,
        "rows": rows,
        "log_e": float(mp.log(total / len(cells) + reserve)),
    }


if __name__ == "__main__":
    oracle = {
        "iterated_logarithm": iterated_logarithm(),
        "clopper_pearson": clopper_pearson(),
        "pit_bet": pit_bet(),
        "category_bet": category_bet(),
    }
    path = Path(__file__).with_name("sequential.json")
    path.write_text(json.dumps(oracle, indent=1) + "\n")
