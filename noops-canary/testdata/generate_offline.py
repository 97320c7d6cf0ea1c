"""Writes offline.json: values of scikit-learn, numpy, scipy and statsmodels for the offline metrics.

Each entry names the call that made it. Run: python generate_offline.py (numpy, scipy, scikit-learn, statsmodels).
"""

import json
import pathlib

import numpy as np
from scipy import stats
from scipy.special import logit
from sklearn import metrics
from sklearn.calibration import calibration_curve
import statsmodels.api as sm

rng = np.random.default_rng(20240607)


def floats(values):
    return [float(value) for value in values]


def placements(scores, labels):
    """DeLong's placements by comparing every pair."""
    positive, negative = scores[labels], scores[~labels]
    won = (positive[:, None] > negative[None, :]) + 0.5 * (positive[:, None] == negative[None, :])
    return won.mean(axis=1), won.mean(axis=0)


def delong_variance(over_negatives, over_positives):
    return over_negatives.var(ddof=1) / len(over_negatives) + over_positives.var(ddof=1) / len(over_positives)


def columns(rows, shift, decimals):
    labels = rng.random(rows) < 0.4
    signal = shift * labels + rng.normal(size=rows)
    champion = np.round(signal + rng.normal(size=rows), decimals)
    candidate = np.round(signal + 0.5 * rng.normal(size=rows), decimals)
    return labels, champion, candidate


def area(rows, shift, decimals):
    labels, scores, _ = columns(rows, shift, decimals)
    value = metrics.roc_auc_score(labels, scores)
    error = np.sqrt(delong_variance(*placements(scores, labels)))
    half = stats.norm.isf(0.025) * error / (value * (1 - value))
    return {
        "call": "sklearn.metrics.roc_auc_score; numpy variances of the placements of every pair",
        "scores": floats(scores),
        "labels": labels.tolist(),
        "auc": float(value),
        "standard_error": float(error),
        "logit_lower": float(1 / (1 + np.exp(-(logit(value) - half)))),
        "logit_upper": float(1 / (1 + np.exp(-(logit(value) + half)))),
    }


def delong(labels, champion, candidate):
    a, b = placements(champion, labels), placements(candidate, labels)
    difference = b[0].mean() - a[0].mean()
    z = difference / np.sqrt(delong_variance(b[0] - a[0], b[1] - a[1]))
    return {
        "call": "z = difference / sqrt(variances of placement differences); scipy.stats.norm.sf",
        "labels": labels.tolist(),
        "champion": floats(champion),
        "candidate": floats(candidate),
        "difference": float(difference),
        "z": float(z),
        "p_two_sided": float(2 * stats.norm.sf(abs(z))),
        "p_greater": float(stats.norm.sf(z)),
        "p_less": float(stats.norm.cdf(z)),
    }


def far_apart():
    """A champion that guesses against a candidate that is nearly perfect: a p-value far in the tail."""
    labels = np.arange(600) % 2 == 0
    champion = np.round(rng.normal(size=600), 2)
    candidate = np.round(labels * 4.0 + rng.normal(size=600), 2)
    return delong(labels, champion, candidate)


def confusion(rows, threshold):
    labels, scores, _ = columns(rows, 1.5, 1)
    called = scores >= threshold
    return {
        "call": "sklearn.metrics: accuracy_score, precision_score, recall_score, balanced_accuracy_score, f1_score, "
        "fbeta_score(beta=2), matthews_corrcoef, average_precision_score",
        "scores": floats(scores),
        "labels": labels.tolist(),
        "threshold": threshold,
        "accuracy": metrics.accuracy_score(labels, called),
        "precision": metrics.precision_score(labels, called),
        "recall": metrics.recall_score(labels, called),
        "specificity": metrics.recall_score(labels, called, pos_label=False),
        "balanced_accuracy": metrics.balanced_accuracy_score(labels, called),
        "f1": metrics.f1_score(labels, called),
        "f2": metrics.fbeta_score(labels, called, beta=2),
        "mcc": metrics.matthews_corrcoef(labels, called),
        "average_precision": metrics.average_precision_score(labels, scores),
    }


def calibration(rows, bins, decimals):
    predicted = np.round(rng.random(rows), decimals)
    labels = rng.random(rows) < predicted**1.5
    observed, mean = calibration_curve(labels, predicted, n_bins=bins, strategy="uniform")
    of_row = np.searchsorted(np.linspace(0, 1, bins + 1)[1:-1], predicted)
    weights = np.bincount(of_row, minlength=bins)
    weights = weights[weights > 0] / rows
    base = labels.mean()
    return {
        "call": "sklearn.calibration.calibration_curve(strategy='uniform'); sums over its bins; brier_score_loss",
        "predicted": floats(predicted),
        "labels": labels.tolist(),
        "bins": bins,
        "mean_predicted": floats(mean),
        "observed": floats(observed),
        "ece": float(weights @ abs(mean - observed)),
        "mce": float(abs(mean - observed).max()),
        "brier": metrics.brier_score_loss(labels, predicted),
        "reliability": float(weights @ (mean - observed) ** 2),
        "resolution": float(weights @ (observed - base) ** 2),
        "uncertainty": float(base * (1 - base)),
    }


def recalibration(rows, slope):
    predicted = rng.uniform(0.02, 0.98, size=rows)
    labels = rng.random(rows) < 1 / (1 + np.exp(-(0.3 + slope * logit(predicted))))
    design = sm.add_constant(logit(predicted))
    fit = sm.GLM(labels.astype(float), design, family=sm.families.Binomial()).fit(tol=1e-14)
    lower, upper = fit.conf_int(0.05).T
    return {
        "call": "statsmodels GLM(labels, [1, logit(predicted)], Binomial()).fit(); conf_int(0.05)",
        "predicted": floats(predicted),
        "labels": labels.tolist(),
        "intercept": float(fit.params[0]),
        "slope": float(fit.params[1]),
        "intercept_lower": float(lower[0]),
        "intercept_upper": float(upper[0]),
        "slope_lower": float(lower[1]),
        "slope_upper": float(upper[1]),
    }


def multiclass(rows, classes):
    probabilities = rng.dirichlet(np.ones(classes), size=rows)
    labels = np.array([rng.choice(classes, p=row) for row in probabilities])
    called = probabilities.argmax(axis=1)
    return {
        "call": "sklearn.metrics: accuracy_score, f1_score(average='macro'/'micro'), log_loss(labels=range(classes))",
        "probabilities": floats(probabilities.ravel()),
        "classes": classes,
        "labels": labels.tolist(),
        "accuracy": metrics.accuracy_score(labels, called),
        "macro_f1": metrics.f1_score(labels, called, average="macro"),
        "micro_f1": metrics.f1_score(labels, called, average="micro"),
        "log_loss": metrics.log_loss(labels, probabilities, labels=list(range(classes))),
    }


def regression(rows):
    actual = 10 * rng.normal(size=rows)
    predicted = actual + rng.normal(size=rows) + 0.3
    return {
        "call": "sklearn.metrics: mean_absolute_error, root_mean_squared_error, r2_score, "
        "mean_absolute_percentage_error, mean_pinball_loss(alpha=0.9)",
        "predicted": floats(predicted),
        "actual": floats(actual),
        "mae": metrics.mean_absolute_error(actual, predicted),
        "rmse": float(np.sqrt(metrics.mean_squared_error(actual, predicted))),
        "bias": float((predicted - actual).mean()),
        "r2": metrics.r2_score(actual, predicted),
        "mape": metrics.mean_absolute_percentage_error(actual, predicted),
        "pinball_90": metrics.mean_pinball_loss(actual, predicted, alpha=0.9),
    }


def ranking(queries, results, depth, ties):
    scores = rng.random((queries, results))
    if ties:
        scores = np.round(scores, 1)
    relevances = rng.integers(0, 4, size=(queries, results)).astype(float)
    relevances[:, 0] += 1
    ndcg, ap, rr, precision = [], [], [], []
    for score, relevance in zip(scores, relevances):
        ndcg.append(metrics.ndcg_score([relevance], [score], k=depth))
        # Descending scores, irrelevant results first among equals.
        relevant = (relevance > 0)[np.lexsort((relevance, -score))]
        top = relevant[:depth]
        ranks = np.arange(1, len(top) + 1)
        at = np.cumsum(top) / ranks
        ap.append((at * top).sum() / min(depth, relevant.sum()))
        rr.append(1 / (np.argmax(top) + 1) if top.any() else 0.0)
        precision.append(top.sum() / depth)
    return {
        "call": "mean of sklearn.metrics.ndcg_score(k=depth) per query; definitions in numpy, ties in the worst order",
        "scores": floats(scores.ravel()),
        "relevances": floats(relevances.ravel()),
        "queries": np.repeat(np.arange(queries), results).tolist(),
        "depth": depth,
        "ndcg": float(np.mean(ndcg)),
        "map": float(np.mean(ap)),
        "mrr": float(np.mean(rr)),
        "precision": float(np.mean(precision)),
    }


document = {
    "area": [area(30, 1.0, 1), area(120, 0.3, 6), area(80, 2.0, 0)],
    "delong": [delong(*columns(60, 1.0, 1)), delong(*columns(150, 0.5, 6)), far_apart()],
    "confusion": [confusion(60, 0.5), confusion(100, 1.0)],
    "calibration": [calibration(150, 10, 2), calibration(60, 7, 6)],
    "recalibration": [recalibration(200, 0.6), recalibration(80, 1.4)],
    "multiclass": [multiclass(60, 3), multiclass(40, 5)],
    "regression": [regression(50)],
    "ranking": [ranking(12, 9, 5, False), ranking(10, 12, 20, True), ranking(15, 8, 3, True)],
}
target = pathlib.Path(__file__).with_name("offline.json")
target.write_text(json.dumps(document, indent=1) + "\n")
