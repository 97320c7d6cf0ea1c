"""Writes ranks.json: rank and distribution tests by scipy, each value with the call that made it."""

import json
import pathlib

import numpy as np
import scipy
from scipy import stats


def sample(seed, n, shift=0.0, scale=1.0, digits=None):
    """A sample that the tests can hold in full."""
    values = np.random.default_rng(seed).normal(shift, scale, n)
    return [float(v) for v in (np.round(values, digits) if digits is not None else values)]


SAMPLES = {
    "small": (sample(1, 7), sample(2, 9, 0.8)),
    "exact": (sample(3, 60), sample(4, 80, 0.3)),
    "one_against_many": ([0.1], sample(5, 30)),
    "rounded": (sample(6, 40, 0, 2, 0), sample(7, 30, 1, 2, 0)),
    "large": (sample(8, 150), sample(9, 120, 0.2, 1.4)),
    "far": (sample(10, 130), sample(11, 130, 2.5)),
    "equal_sizes": (sample(12, 25, 0, 1, 1), sample(13, 25, 0.4, 1, 1)),
}
PAIRED = {
    "untied": (sample(21, 20), sample(22, 20, 0.5)),
    "long": (sample(23, 260), sample(24, 260, 0.2)),
    "rounded": (sample(25, 60, 0, 2, 0), sample(26, 60, 1, 2, 0)),
    "far": (sample(27, 230), sample(28, 230, 3.0)),
}


def mann_whitney(x, y, alternative):
    untied = len(set(x) | set(y)) == len(x) + len(y)
    method = "exact" if untied and len(x) * len(y) <= 10_000 else "asymptotic"
    found = stats.mannwhitneyu(y, x, alternative=alternative, method=method)
    call = f"scipy.stats.mannwhitneyu(candidate, champion, alternative={alternative!r}, method={method!r})"
    return {"call": call, "statistic": float(found.statistic), "p_value": float(found.pvalue)}


def brunner_munzel(x, y, alternative):
    # scipy's statistic of (x, y) is positive where y is larger, and its `less` is that x is less.
    of_x = {"two-sided": "two-sided", "greater": "less", "less": "greater"}[alternative]
    found = stats.brunnermunzel(x, y, alternative=of_x, distribution="t")
    call = f"scipy.stats.brunnermunzel(champion, candidate, alternative={of_x!r}, distribution='t')"
    return {"call": call, "statistic": float(found.statistic), "p_value": float(found.pvalue)}


def kolmogorov_smirnov(x, y, alternative):
    # scipy's `greater` is that the first distribution function is greater, so that its values are less.
    found = stats.ks_2samp(x, y, alternative=alternative, method="exact")
    call = f"scipy.stats.ks_2samp(champion, candidate, alternative={alternative!r}, method='exact')"
    return {"call": call, "statistic": float(found.statistic), "p_value": float(found.pvalue)}


def shift(x, y, alpha):
    differences = np.sort(np.subtract.outer(np.array(y), np.array(x)).ravel())
    pairs = len(differences)
    found = {"call": "numpy.median(numpy.subtract.outer(candidate, champion))", "median": float(np.median(differences))}
    if pairs <= 10_000:
        from scipy.stats._mannwhitneyu import _MWU

        law = _MWU(len(x), len(y))
        k = next(k for k in range(pairs + 1) if law.cdf(np.array([k]))[0] > alpha / 2 * (1 + 1e-12))
    else:
        deviation = np.sqrt(pairs * (len(x) + len(y) + 1) / 12)
        k = int(np.floor(pairs / 2 - 0.5 - stats.norm.isf(alpha / 2) * deviation)) + 1
    found["k"] = k
    if k > 0:
        found["lower"], found["upper"] = float(differences[k - 1]), float(differences[pairs - k])
    return found


def wilcoxon(x, y, alternative):
    d = np.array(y) - np.array(x)
    kept = d[d != 0]
    untied = len(set(np.abs(kept))) == len(kept)
    method = "exact" if untied and len(kept) <= 200 else "asymptotic"
    found = stats.wilcoxon(kept, alternative=alternative, method=method, correction=True)
    call = f"scipy.stats.wilcoxon(d[d != 0], alternative={alternative!r}, method={method!r}, correction=True)"
    positive = stats.wilcoxon(kept, alternative="greater", method=method, correction=True).statistic
    return {"call": call, "statistic": float(positive), "p_value": float(found.pvalue)}


def pseudo_median(x, y):
    d = np.array(y) - np.array(x)
    i, j = np.triu_indices(len(d))
    return {"call": "numpy.median((d[i] + d[j]) / 2) over i <= j", "median": float(np.median((d[i] + d[j]) / 2))}


def cuped(x_a, y_a, x_b, y_b):
    centred = lambda v: np.array(v) - np.mean(v)
    x = np.concatenate([centred(x_a), centred(x_b)])
    y = np.concatenate([centred(y_a), centred(y_b)])
    theta = float(np.dot(x, y) / np.dot(x, x))
    grand = np.mean(np.concatenate([x_a, x_b]))
    a, b = np.array(y_a) - theta * (np.array(x_a) - grand), np.array(y_b) - theta * (np.array(x_b) - grand)
    found = stats.ttest_ind(b, a, equal_var=False)
    return {
        "call": "scipy.stats.ttest_ind(adjusted candidate, adjusted champion, equal_var=False)",
        "covariate_champion": x_a, "metric_champion": y_a, "covariate_candidate": x_b, "metric_candidate": y_b,
        "theta": theta, "reduction": float(np.corrcoef(x, y)[0, 1] ** 2),
        "statistic": float(found.statistic), "p_value": float(found.pvalue),
    }


ALTERNATIVES = {"two_sided": "two-sided", "greater": "greater", "less": "less"}
out = {"scipy": scipy.__version__, "samples": [], "paired": []}
for name, (x, y) in SAMPLES.items():
    case = {"name": name, "champion": x, "candidate": y, "shift": shift(x, y, 0.05)}
    tests = [("mann_whitney", mann_whitney)]
    if min(len(x), len(y)) > 1:
        tests.append(("brunner_munzel", brunner_munzel))
    if len(set(x) | set(y)) == len(x) + len(y):
        tests.append(("kolmogorov_smirnov", kolmogorov_smirnov))
    for key, test in tests:
        case[key] = {ours: test(x, y, theirs) for ours, theirs in ALTERNATIVES.items()}
    out["samples"].append(case)
for name, (x, y) in PAIRED.items():
    case = {"name": name, "champion": x, "candidate": y, "pseudo_median": pseudo_median(x, y)}
    case["wilcoxon"] = {ours: wilcoxon(x, y, theirs) for ours, theirs in ALTERNATIVES.items()}
    out["paired"].append(case)
before_a, before_b = sample(31, 40, 10, 3), sample(32, 35, 10, 3)
after_a = [0.7 * b + n for b, n in zip(before_a, sample(33, 40))]
after_b = [0.7 * b + n + 0.6 for b, n in zip(before_b, sample(34, 35))]
grid = np.arange(2_000.0)
moved = stats.mannwhitneyu(grid + 844.5, grid, method="asymptotic")
out["deep"] = {
    "call": "scipy.stats.mannwhitneyu(numpy.arange(2000.) + 844.5, numpy.arange(2000.), method='asymptotic')",
    "statistic": float(moved.statistic), "p_value": float(moved.pvalue),
}
zeros = lambda n, ones: np.concatenate([np.zeros(n), np.ones(ones)])
tied = stats.mannwhitneyu(zeros(2_000, 3), zeros(2_700_000, 1_000), method="asymptotic")
out["tied"] = {
    "call": "scipy.stats.mannwhitneyu(2000 zeros and 3 ones, 2700000 zeros and 1000 ones, method='asymptotic')",
    "statistic": float(tied.statistic), "p_value": float(tied.pvalue),
}
out["cuped"] = cuped(before_a, after_a, before_b, after_b)
pathlib.Path(__file__).with_name("ranks.json").write_text(json.dumps(out, indent=1) + "\n")
