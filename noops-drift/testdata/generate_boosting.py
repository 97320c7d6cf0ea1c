"""Oracles of the boosted trees and of the area under the curve; writes boosting.json beside itself.

Needs numpy, scipy and scikit-learn.
"""

import json
import pathlib

import numpy as np
import scipy
import sklearn
from scipy.stats import mannwhitneyu, rankdata
from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor

rng = np.random.default_rng(20240607)


def rounded(x, digits=6):
    return [None if np.isnan(v) else float(v) for v in np.round(x, digits)]


def boosting_case(kind, rows, missing, rounds, depth):
    x = np.round(rng.normal(size=(rows, 3)), 6)
    if missing:
        x[rng.uniform(size=rows) < 0.2, 1] = np.nan
    signal = np.sin(2 * x[:, 0]) + np.where(np.isnan(x[:, 1]), 0.7, x[:, 1] * x[:, 2])
    if kind == "squared":
        y = np.round(signal + 0.3 * rng.normal(size=rows), 6)
        make = HistGradientBoostingRegressor
    else:
        y = (signal + 0.5 * rng.normal(size=rows) > 0).astype(float)
        make = HistGradientBoostingClassifier
    model = make(
        learning_rate=0.1, max_iter=rounds, max_depth=depth, max_leaf_nodes=None, min_samples_leaf=1,
        l2_regularization=1.0, max_bins=255, early_stopping=False,
    ).fit(x, y)
    raw = model.predict(x) if kind == "squared" else model.decision_function(x)
    return {
        "kind": kind, "rounds": rounds, "depth": depth, "columns": [rounded(c) for c in x.T], "targets": rounded(y),
        "raw": [float(v) for v in raw],
        "call": f"{make.__name__}(learning_rate=0.1, max_iter={rounds}, max_depth={depth}, max_leaf_nodes=None, "
        "min_samples_leaf=1, l2_regularization=1.0, max_bins=255, early_stopping=False).fit(x, y)",
    }


def area_case(negatives, positives):
    n, m = len(negatives), len(positives)
    wins = (positives[:, None] > negatives[None, :]) + 0.5 * (positives[:, None] == negatives[None, :])
    delong = np.var(wins.mean(axis=1), ddof=1) / m + np.var(wins.mean(axis=0), ddof=1) / n
    u = mannwhitneyu(positives, negatives, alternative="greater", method="asymptotic", use_continuity=False)
    # The variance is taken back out of scipy's p-value, and checked against the formula with ties.
    z = scipy.stats.norm.isf(u.pvalue)
    null = ((u.statistic / (n * m) - 0.5) / z) ** 2
    _, t = np.unique(rankdata(np.concatenate([negatives, positives])), return_counts=True)
    exact = ((n + m + 1) - (t**3 - t).sum() / ((n + m) * (n + m - 1))) / (12 * n * m)
    assert abs(null / exact - 1) < 1e-8
    return {
        "negatives": [float(v) for v in negatives], "positives": [float(v) for v in positives],
        "area": float(u.statistic / (n * m)), "delong": float(delong), "null_variance": float(exact),
        "call": "area: mannwhitneyu(positives, negatives, use_continuity=False).statistic / nm; delong: variances of "
        "the row and column means of the n x m table of wins, over m and n; null_variance: that of mannwhitneyu",
    }


areas = [
    area_case(np.round(rng.normal(size=60), 3), np.round(rng.normal(0.5, size=45), 3)),
    area_case(rng.integers(0, 5, 80).astype(float), rng.integers(1, 6, 40).astype(float)),
    area_case(rng.integers(0, 2, 50).astype(float), np.round(rng.uniform(0, 2, 90))),
    area_case(np.round(rng.normal(size=30), 2), np.round(rng.normal(-0.4, 2, size=120), 2)),
]
out = {
    "versions": {"numpy": np.__version__, "scipy": scipy.__version__, "scikit-learn": sklearn.__version__},
    "boosting": {
        "note": "scikit-learn keeps gradients and curvatures as f32, so agreement ends near 1e-6",
        "cases": [
            boosting_case("squared", 200, False, 20, 3),
            boosting_case("squared", 240, True, 30, 4),
            boosting_case("logistic", 220, False, 20, 3),
            boosting_case("logistic", 250, True, 30, 2),
        ],
    },
    "areas": {"cases": areas},
}
pathlib.Path(__file__).with_name("boosting.json").write_text(json.dumps(out, indent=None) + "\n")
