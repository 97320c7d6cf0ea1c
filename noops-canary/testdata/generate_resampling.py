"""Oracles of the permutation tests and the bootstrap; writes resampling.json beside itself.

Needs numpy and scipy. Exact permutation p-values are scipy's. The bootstrap draws from a port of SplitMix64, so that its intervals can be
compared digit by digit; quantiles are numpy's and the BCa correction follows scipy.stats.bootstrap.
"""

import json
import pathlib

import numpy as np
from scipy.stats import norm, permutation_test

MASK = (1 << 64) - 1
rng = np.random.default_rng(77)


class SplitMix64:
    def __init__(self, seed):
        self.state = seed

    def next(self):
        self.state = (self.state + 0x9E3779B97F4A7C15) & MASK
        z = self.state
        z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & MASK
        z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & MASK
        return z ^ (z >> 31)

    def below(self, bound):
        return (self.next() * bound) >> 64


def welch(b, a):
    return (b.mean() - a.mean()) / np.sqrt(b.var(ddof=1) / len(b) + a.var(ddof=1) / len(a))


STATISTICS = {
    "mean_difference": lambda b, a: b.mean() - a.mean(),
    "median_difference": lambda b, a: np.median(b) - np.median(a),
    "studentised_mean_difference": welch,
}
PAIRED = {
    "mean_difference": lambda d: d.mean(),
    "median_difference": lambda d: np.median(d),
    "studentised_mean_difference": lambda d: d.mean() / (d.std(ddof=1) / np.sqrt(len(d))),
}
SCIPY = {"two_sided": "two-sided", "greater": "greater", "less": "less"}


def exact():
    cases = []
    for n, m, digits in ((5, 5, 3), (4, 7, 0), (6, 3, 1), (8, 6, 0)):
        a, b = np.round(rng.normal(10, 2, n), digits), np.round(rng.normal(11, 3, m), digits)
        for name, statistic in STATISTICS.items():
            for alternative, scipys in SCIPY.items():
                r = permutation_test((b, a), statistic, permutation_type="independent", n_resamples=np.inf,
                                     alternative=scipys, vectorized=False)
                cases.append({"call": f"scipy.stats.permutation_test((candidate, champion), {name}, alternative={scipys!r})",
                              "paired": False, "champion": a.tolist(), "candidate": b.tolist(), "statistic": name,
                              "alternative": alternative, "value": float(r.statistic), "p_value": float(r.pvalue)})
    for n, digits in ((6, 2), (9, 0)):
        a = np.round(rng.normal(10, 2, n), digits)
        b = np.round(a + rng.normal(0.8, 1, n), digits)
        for name, statistic in PAIRED.items():
            for alternative, scipys in SCIPY.items():
                r = permutation_test((b - a,), statistic, permutation_type="samples", n_resamples=np.inf,
                                     alternative=scipys, vectorized=False)
                cases.append({"call": f"scipy.stats.permutation_test((candidate - champion,), {name}, permutation_type='samples', alternative={scipys!r})",
                              "paired": True, "champion": a.tolist(), "candidate": b.tolist(), "statistic": name,
                              "alternative": alternative, "value": float(r.statistic), "p_value": float(r.pvalue)})
    return cases


def tails(low, high, alternative, count):
    share = {"greater": (1 + low) / (1 + count), "less": (1 + high) / (1 + count)}
    return share.get(alternative, min(1.0, 2 * min(share.values())))


def bootstraps():
    cases = []
    a, b = np.round(rng.gamma(2, 3, 24), 3), np.round(rng.gamma(2, 3.5, 31), 3)
    for statistic, of in (("mean", np.mean), ("median", np.median)):
        for kind in ("percentile", "bca", "studentised"):
            if kind == "studentised" and statistic == "median":
                continue
            for alternative, alpha in (("two_sided", 0.05), ("greater", 0.1), ("less", 0.05)):
                resamples, seed = 999, 12345
                random, draws = SplitMix64(seed), []
                for _ in range(resamples):
                    x = a[[random.below(len(a)) for _ in a]]
                    draws.append((x, b[[random.below(len(b)) for _ in b]]))
                theta = of(b) - of(a)
                replicates = np.array([of(y) - of(x) for x, y in draws])
                if kind == "studentised":
                    error = lambda x, y: np.sqrt(x.var(ddof=1) / len(x) + y.var(ddof=1) / len(y))
                    pivots = np.array([(r - theta) / error(x, y) for r, (x, y) in zip(replicates, draws)])
                    end = lambda level: theta - error(a, b) * np.quantile(pivots, 1 - level)
                    t = theta / error(a, b)
                    p = tails((pivots >= t).sum(), (pivots <= t).sum(), alternative, resamples)
                else:
                    level = lambda q: q
                    if kind == "bca":
                        z0 = norm.ppf(((replicates < theta).sum() + (replicates <= theta).sum()) / (2 * resamples))
                        jack = [[of(b) - of(np.delete(a, i)) for i in range(len(a))],
                                [of(np.delete(b, i)) - of(a) for i in range(len(b))]]
                        u = [(len(j) - 1) * (np.mean(j) - np.array(j)) for j in jack]
                        top = sum((x**3).sum() / len(x) ** 3 for x in u)
                        acceleration = top / (6 * sum((x**2).sum() / len(x) ** 2 for x in u) ** 1.5)
                        level = lambda q: norm.cdf(z0 + (z0 + norm.ppf(q)) / (1 - acceleration * (z0 + norm.ppf(q))))
                    end = lambda q: np.quantile(replicates, level(q))
                    p = tails((replicates <= 0).sum(), (replicates >= 0).sum(), alternative, resamples)
                tail = alpha / 2 if alternative == "two_sided" else alpha
                cases.append({
                    "call": f"{kind} interval of {statistic}(candidate) - {statistic}(champion), SplitMix64({seed}), {resamples} resamples",
                    "champion": a.tolist(), "candidate": b.tolist(), "statistic": statistic, "interval": kind,
                    "alternative": alternative, "alpha": alpha, "resamples": resamples, "seed": seed, "estimate": float(theta),
                    "lower": None if alternative == "less" else float(end(tail)),
                    "upper": None if alternative == "greater" else float(end(1 - tail)), "p_value": float(p),
                })
    return cases


out = {"exact": exact(), "bootstraps": bootstraps()}
pathlib.Path(__file__).with_name("resampling.json").write_text(json.dumps(out) + "\n")
