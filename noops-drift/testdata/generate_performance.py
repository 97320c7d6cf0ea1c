"""Writes performance.json: oracle values for the modules of `performance`, each with the call that made it.

Needs: numpy, scipy, scikit-learn. Everything is seeded.
"""

import json
import pathlib
from fractions import Fraction

import numpy as np
from scipy.optimize import brentq
from sklearn.isotonic import IsotonicRegression
from sklearn.metrics import f1_score, recall_score, roc_auc_score

rng = np.random.default_rng(20)


def floats(values):
    return [float(v) for v in values]


def isotonic():
    cases = []
    for rows, decimals in ((12, 1), (80, 2), (300, 6)):
        scores = np.round(rng.uniform(size=rows), decimals)
        labels = (rng.uniform(size=rows) < scores**2).astype(int)
        weights = np.round(rng.uniform(0.1, 3, size=rows), 2)
        at = np.round(np.linspace(-0.2, 1.2, 57), 4)
        fit = IsotonicRegression(out_of_bounds="clip").fit(scores, labels, sample_weight=weights)
        cases.append({
            "call": "IsotonicRegression(out_of_bounds='clip').fit(scores, labels, sample_weight=weights).predict(at)",
            "scores": floats(scores), "labels": [int(v) for v in labels], "weights": floats(weights),
            "at": floats(at), "calibrated": floats(fit.predict(at)),
        })
    return cases


def calibration_error():
    """nannyml.calibration._calculate_expected_calibration_error with _get_bin_index_edges(n, 10)."""
    cases = []
    for rows in (2, 15, 20, 21, 137):
        p = rng.uniform(size=rows)
        y = (rng.uniform(size=rows) < np.sqrt(p)).astype(int)
        bins = 10 if rows > 20 else rows // 2
        edges = list(range(0, rows + 1, rows // bins))[: bins + 1]
        edges[-1] = rows
        order = p.argsort()
        ps, ys = p[order], y[order]
        error = sum(
            (b - a) / rows * abs(ps[a:b].mean() - ys[a:b].mean()) for a, b in zip(edges[:-1], edges[1:])
        )
        cases.append({"probabilities": floats(p), "labels": [int(v) for v in y], "error": float(error)})
    return cases


def poisson_binomial():
    """Exact rational arithmetic: fractions.Fraction, one trial at a time."""
    cases = []
    for trials in (1, 6, 40, 150):
        p = np.round(rng.beta(0.5, 0.5, size=trials), 3).clip(0.001, 0.999)
        mass = [Fraction(1)]
        for value in p:
            f = Fraction(float(value))
            mass = [
                (mass[k] * (1 - f) if k < len(mass) else 0) + (mass[k - 1] * f if k else 0)
                for k in range(len(mass) + 1)
            ]
        mean, sd = p.sum(), np.sqrt((p * (1 - p)).sum())
        at = sorted({int(np.clip(round(mean + z * sd), 0, trials)) for z in (-8, -4, -2, -1, 0, 1, 2, 4, 8)})
        cases.append({
            "call": "product of (1 - p + p z) over Fraction(p)", "probabilities": floats(p), "at": at,
            "mass": [float(mass[k]) for k in at],
            "at_most": [float(sum(mass[: k + 1])) for k in at],
            "more_than": [float(sum(mass[k + 1:])) for k in at],
        })
    return cases


def multiclass():
    """Expected one-against-rest metrics, from scikit-learn on rows that count as positive by c and as negative by 1 - c."""
    rows, classes = 400, 3
    scores = np.round(rng.dirichlet(np.ones(classes), size=rows), 2)
    labels = np.array([rng.choice(classes, p=s / s.sum()) for s in scores])
    predicted = scores.argmax(axis=1)
    c = np.column_stack([
        IsotonicRegression(out_of_bounds="clip").fit(scores[:, k], labels == k).predict(scores[:, k])
        for k in range(classes)
    ])
    total = c.sum(axis=1, keepdims=True)
    c = np.divide(c, total, out=np.full_like(c, 1 / classes), where=total != 0)

    def both(k):
        y = np.r_[np.ones(rows), np.zeros(rows)]
        return y, np.r_[c[:, k], 1 - c[:, k]], np.r_[predicted == k, predicted == k].astype(int), np.r_[scores[:, k], scores[:, k]]

    each = [both(k) for k in range(classes)]
    return {
        "scores": [floats(scores[:, k]) for k in range(classes)],
        "labels": [int(v) for v in labels], "predicted": [int(v) for v in predicted],
        "accuracy": float(c[np.arange(rows), predicted].mean()),
        "macro_roc_auc": float(np.mean([roc_auc_score(y, s, sample_weight=w) for y, w, _, s in each])),
        "macro_f1": float(np.mean([f1_score(y, d, sample_weight=w) for y, w, d, _ in each])),
        "macro_recall": float(np.mean([recall_score(y, d, sample_weight=w) for y, w, d, _ in each])),
        "macro_specificity": float(np.mean([recall_score(y, d, sample_weight=w, pos_label=0) for y, w, d, _ in each])),
        "macro_precision": float(np.mean([(w * y * d).sum() / (w * d).sum() for y, w, d, _ in each])),
    }


def source_risk():
    """scipy.optimize.brentq on Hoeffding's divergence, and Maurer and Pontil's bound by numpy; the smaller."""
    cases = []
    for name, losses in (
        ("binary", (rng.uniform(size=500) < 0.2).astype(float)),
        ("narrow", np.round(0.3 + 0.01 * rng.uniform(size=2_000), 6)),
        ("few", np.array([0.0, 0.5, 0.25])),
        ("no loss", np.zeros(50)),
    ):
        n, m, alpha = len(losses), losses.mean(), 0.025

        def gap(u):
            part = lambda p, q: p * np.log(p / q) if p > 0 else 0.0
            return part(m, u) + part(1 - m, 1 - u) - np.log(2 / alpha) / n

        hoeffding = brentq(gap, max(m, 1e-300), 1 - 1e-15, xtol=1e-15, rtol=1e-14)
        bernstein = m + np.sqrt(2 * losses.var(ddof=1) * np.log(4 / alpha) / n) + 7 * np.log(4 / alpha) / (3 * (n - 1))
        cases.append({"name": name, "losses": floats(losses), "alpha": alpha, "bound": float(min(hoeffding, bernstein, 1))})
    return cases


def label_shift():
    """numpy.linalg.solve(M, mu), and the covariance of LabelShift's documentation by matrix products."""
    counts = np.array([[800, 60, 30], [120, 500, 90], [80, 40, 280]])
    predicted = np.array([300, 250, 450])
    labels = counts.sum(axis=0)
    m = counts / labels
    mu = predicted / predicted.sum()
    share = np.linalg.solve(m, mu)
    cov = (np.diag(mu) - np.outer(mu, mu)) / predicted.sum()
    for j, rows in enumerate(labels):
        cov = cov + share[j] ** 2 * (np.diag(m[:, j]) - np.outer(m[:, j], m[:, j])) / rows
    inverse = np.linalg.inv(m)
    sd = np.sqrt(np.diag(inverse @ cov @ inverse.T))
    return {
        "counts": [int(v) for v in counts.ravel()], "predicted": [int(v) for v in predicted],
        "shares": floats(share), "sd": floats(sd), "weights": floats(share / (labels / labels.sum())),
        "condition": float(np.linalg.norm(inverse, 1)), "z": 1.959963984540054,
    }


def main():
    out = {
        "isotonic": isotonic(), "calibration_error": calibration_error(), "poisson_binomial": poisson_binomial(),
        "multiclass": multiclass(), "source_risk": source_risk(), "label_shift": label_shift(),
    }
    path = pathlib.Path(__file__).with_name("performance.json")
    path.write_text(json.dumps(out, separators=(",", ":")) + "\n")


if __name__ == "__main__":
    main()
