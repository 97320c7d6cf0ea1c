"""Oracles of the group sequential boundaries; writes group_sequential.json beside itself.

Needs numpy and scipy. The integration is independent of the crate's: the score process is kept on one fixed Gauss-Legendre rule of 400
points an interval, cut at the boundary, and roots are found by scipy.optimize.brentq.
"""

import json
import pathlib

import numpy as np
from scipy.optimize import brentq
from scipy.stats import norm

POINTS, WEIGHTS = np.polynomial.legendre.leggauss(400)


class Paths:
    """The sub-density of Brownian motion with drift that has not left (lower, upper) at the looks so far."""

    def __init__(self, drift=0.0):
        self.drift, self.time = drift, 0.0
        self.place, self.mass = np.zeros(1), np.ones(1)

    def above(self, t, z):
        d = t - self.time
        return float(self.mass @ norm.sf((z * np.sqrt(t) - self.place - self.drift * d) / np.sqrt(d)))

    def below(self, t, z):
        d = t - self.time
        return float(self.mass @ norm.cdf((z * np.sqrt(t) - self.place - self.drift * d) / np.sqrt(d)))

    def stay(self, t, lower, upper):
        d, root = t - self.time, np.sqrt(t)
        lower, upper = max(lower * root, self.drift * t - 10 * root), min(upper * root, self.drift * t + 10 * root)
        place = lower + (upper - lower) * (POINTS + 1) / 2
        kernel = norm.pdf((place[:, None] - self.place[None, :] - self.drift * d) / np.sqrt(d)) / np.sqrt(d)
        self.mass = (kernel @ self.mass) * WEIGHTS * (upper - lower) / 2
        self.place, self.time = place, t


def rejected(times, critical, sides, drift):
    paths, chances = Paths(drift), []
    for t, c in zip(times, critical):
        chances.append(paths.above(t, c) + (paths.below(t, -c) if sides == "two" else 0.0))
        paths.stay(t, -c if sides == "two" else -np.inf, c)
    return chances


def spent(name, alpha, sides, t):
    part = alpha / (2 if sides == "two" else 1)
    if name == "o_brien_fleming":
        one = 2 * norm.sf(norm.isf(part / 2) / np.sqrt(t))
    elif name == "pocock":
        one = part * np.log(1 + (np.e - 1) * t)
    elif "power" in name:
        one = part * t ** name["power"]["phi"]
    else:
        g = name["hwang_shih_de_cani"]["gamma"]
        one = part * (1 - np.exp(-g * t)) / (1 - np.exp(-g))
    return one * (2 if sides == "two" else 1)


def spending_boundary(name, alpha, sides, times):
    paths, critical, before = Paths(), [], 0.0
    for t in times:
        target = spent(name, alpha, sides, t) - before
        before += target
        both = lambda c: paths.above(t, c) + (paths.below(t, -c) if sides == "two" else 0.0)
        c = brentq(lambda c: np.log(both(c)) - np.log(target), 0.0, 12.0, xtol=1e-13, rtol=1e-14)
        critical.append(c)
        paths.stay(t, -c if sides == "two" else -np.inf, c)
    return critical


def classic(shape, alpha, sides, looks):
    times = np.arange(1, looks + 1) / looks
    at = lambda c: c * times ** (shape - 0.5)
    c = brentq(lambda c: sum(rejected(times, at(c), sides, 0.0)) - alpha, 0.5, 6.0, xtol=1e-13, rtol=1e-14)
    return times, at(c)


def floats(values):
    return [float(v) for v in values]


classics = []
for family, shape in (("pocock", 0.5), ("obrien_fleming", 0.0), ("wang_tsiatis", 0.25)):
    for sides, alpha in (("two", 0.05), ("one", 0.025), ("two", 0.01)):
        for looks in (1, 2, 3, 4, 5, 10):
            times, critical = classic(shape, alpha, sides, looks)
            drift = brentq(lambda d: sum(rejected(times, critical, sides, d)) - 0.9, 0.5, 12.0, xtol=1e-12)
            at_drift = rejected(times, critical, sides, drift)
            classics.append({
                "call": f"classic({shape}, {alpha}, {sides!r}, {looks})", "family": family, "shape": shape, "sides": sides,
                "alpha": alpha, "looks": looks, "critical": floats(critical), "drift_for_power_0_9": float(drift),
                "rejected_at_that_drift": floats(at_drift),
                "expected_fraction": float(1 - sum(p * (1 - t) for p, t in zip(at_drift, times))),
            })

spendings = []
for name in ("o_brien_fleming", "pocock", {"power": {"phi": 1.5}}, {"power": {"phi": 3.0}},
             {"hwang_shih_de_cani": {"gamma": -4.0}}, {"hwang_shih_de_cani": {"gamma": 1.0}}):
    for sides, alpha in (("one", 0.025), ("one", 0.05), ("two", 0.05)):
        for times in ([0.2, 0.4, 0.6, 0.8, 1.0], [0.13, 0.2, 0.55, 0.62, 0.97, 1.0], [0.5, 1.0], [0.3, 0.31, 0.9, 1.0]):
            spendings.append({
                "call": f"spending_boundary({name!r}, {alpha}, {sides!r}, {times})", "spending": name, "sides": sides,
                "alpha": alpha, "fractions": times, "critical": floats(spending_boundary(name, alpha, sides, times)),
            })


def stagewise(times, critical, sides, z, drift):
    paths, chance = Paths(drift), 0.0
    for t, c in zip(times[:-1], critical[:-1]):
        chance += paths.above(t, c)
        paths.stay(t, -c if sides == "two" else -np.inf, c)
    return chance + paths.above(times[-1], z)


adjusted = []
for sides, alpha in (("one", 0.025), ("two", 0.05)):
    for times, last in (([0.2], 5.5), ([0.2, 0.4, 0.6], 3.1), ([0.2, 0.4, 0.6, 0.8, 1.0], 2.4), ([0.2, 0.4, 0.6, 0.8, 1.0], 0.3)):
        critical = spending_boundary("o_brien_fleming", alpha, sides, times if times[-1] == 1 else times + [1.0])[:len(times)]
        solve = lambda p: brentq(lambda d: stagewise(times, critical, sides, last, d) - p, -30.0, 60.0, xtol=1e-13)
        before = spent("o_brien_fleming", alpha, sides, times[-2]) if len(times) > 1 else 0.0
        paths = Paths()
        for t, c in zip(times[:-1], critical[:-1]):
            paths.stay(t, -c if sides == "two" else -np.inf, c)
        p = before + paths.above(times[-1], last) + (paths.below(times[-1], -last) if sides == "two" else 0.0)
        tail = alpha if sides == "one" else alpha / 2
        adjusted.append({
            "call": f"stagewise({times}, spending_boundary('o_brien_fleming', {alpha}, {sides!r}, ...), {sides!r}, {last}, drift)",
            "sides": sides, "alpha": alpha, "fractions": times, "z": last, "p_value": float(p), "estimate": float(solve(0.5)),
            "lower": float(solve(tail)), "upper": float(solve(1 - tail)) if sides == "two" else None,
        })

out = {"classics": classics, "spendings": spendings, "adjusted": adjusted}
path = pathlib.Path(__file__).with_name("group_sequential.json")
path.write_text(json.dumps(out, indent=1) + "\n")
