"""Writes fairness.json: values of fairlearn for metrics by group and disparities, of statsmodels and scipy for intervals.

Each entry names the call that made it. Run: python generate_fairness.py (fairlearn, numpy, pandas, scikit-learn, scipy, statsmodels).
"""

import json
import pathlib

import fairlearn.metrics as fm
import numpy as np
import sklearn.metrics as skm
from scipy import stats
from statsmodels.stats.proportion import confint_proportions_2indep, proportion_confint

rng = np.random.default_rng(20240611)

OF_DECISIONS = {
    "selection_rate": fm.selection_rate,
    "true_positive_rate": fm.true_positive_rate,
    "false_positive_rate": fm.false_positive_rate,
    "true_negative_rate": fm.true_negative_rate,
    "false_negative_rate": fm.false_negative_rate,
    "accuracy": skm.accuracy_score,
    "zero_one_loss": skm.zero_one_loss,
    "precision": skm.precision_score,
    "balanced_accuracy": skm.balanced_accuracy_score,
    "f1": skm.f1_score,
}
OF_SCORES = {
    "mean_prediction": fm.mean_prediction,
    "roc_auc": skm.roc_auc_score,
    "log_loss": skm.log_loss,
}
OF_NUMBERS = {
    "mean_prediction": fm.mean_prediction,
    "mean_absolute_error": skm.mean_absolute_error,
    "mean_squared_error": skm.mean_squared_error,
    "r_squared": skm.r2_score,
}
TWOFOLD = [
    "selection_rate",
    "true_positive_rate",
    "false_positive_rate",
    "true_negative_rate",
    "false_negative_rate",
]
ODDS = ["demographic_parity", "equal_opportunity", "equalized_odds"]


def frames(metrics, truth, predicted, groups):
    """fairlearn.metrics.MetricFrame(...): overall, by_group, group_min, group_max, difference, ratio."""
    found = {}
    for name, metric in metrics.items():
        frame = fm.MetricFrame(metrics=metric, y_true=truth, y_pred=predicted, sensitive_features=groups)
        entry = {
            "overall": float(frame.overall),
            "by_group": {str(group): float(value) for group, value in frame.by_group.items()},
            "group_min": float(frame.group_min()),
            "group_max": float(frame.group_max()),
        }
        for method in ["between_groups", "to_overall"]:
            entry[f"difference_{method}"] = float(frame.difference(method=method))
            if frame.group_min() >= 0:
                entry[f"ratio_{method}"] = float(frame.ratio(method=method))
        found[name] = entry
    return found


def derived(truth, decisions, scores, groups):
    """The functions that fairlearn.metrics exports, by name."""
    found = {}
    for name in ODDS + TWOFOLD:
        for transform in ["difference", "ratio"]:
            function = getattr(fm, f"{name}_{transform}")
            for method in ["between_groups", "to_overall"]:
                call = dict(sensitive_features=groups, method=method)
                if name != "equalized_odds":
                    found[f"{name}_{transform}/{method}"] = float(function(truth, decisions, **call))
                    continue
                for aggregate in ["worst_case", "mean"]:
                    value = function(truth, decisions, agg=aggregate, **call)
                    found[f"{name}_{transform}/{method}/{aggregate}"] = float(value)
    found["accuracy_score_difference"] = float(fm.accuracy_score_difference(truth, decisions, sensitive_features=groups))
    found["accuracy_score_ratio"] = float(fm.accuracy_score_ratio(truth, decisions, sensitive_features=groups))
    found["zero_one_loss_difference"] = float(fm.zero_one_loss_difference(truth, decisions, sensitive_features=groups))
    found["zero_one_loss_ratio"] = float(fm.zero_one_loss_ratio(truth, decisions, sensitive_features=groups))
    for name in ["accuracy_score", "balanced_accuracy_score", "precision_score", "recall_score", "f1_score"]:
        found[f"{name}_group_min"] = float(getattr(fm, f"{name}_group_min")(truth, decisions, sensitive_features=groups))
    found["roc_auc_score_group_min"] = float(fm.roc_auc_score_group_min(truth, scores, sensitive_features=groups))
    found["zero_one_loss_group_max"] = float(fm.zero_one_loss_group_max(truth, decisions, sensitive_features=groups))
    found["log_loss_group_max"] = float(fm.log_loss_group_max(truth, scores, sensitive_features=groups))
    return found


def binary(rows, names):
    groups = rng.choice(names, size=rows)
    effect = {name: 0.3 * index for index, name in enumerate(names)}
    logit = rng.normal(size=rows) + np.array([effect[group] for group in groups]) - 0.3
    truth = rng.random(rows) < 1 / (1 + np.exp(-1.5 * logit))
    scores = np.round(1 / (1 + np.exp(-logit - 0.5 * rng.normal(size=rows))), 2)
    scores = np.clip(scores, 0.01, 0.99)
    decisions = scores >= 0.5
    return {
        "call": "fairlearn.metrics.MetricFrame and the functions of fairlearn.metrics, by name",
        "groups": groups.tolist(),
        "labels": truth.tolist(),
        "scores": scores.tolist(),
        "threshold": 0.5,
        "frames": frames(OF_DECISIONS, truth.astype(int), decisions.astype(int), groups)
        | frames(OF_SCORES, truth.astype(int), scores, groups),
        "derived": derived(truth.astype(int), decisions.astype(int), scores, groups),
    }


def regression(rows, names):
    groups = rng.choice(names, size=rows)
    actual = rng.normal(size=rows) * 3 + 5
    predicted = np.abs(actual + rng.normal(size=rows) * (1 + (groups == names[0])))
    derived = {
        name: float(getattr(fm, name)(actual, predicted, sensitive_features=groups))
        for name in ["mean_absolute_error_group_max", "mean_squared_error_group_max", "r2_score_group_min"]
    }
    return {
        "call": "fairlearn.metrics.MetricFrame and the functions of fairlearn.metrics, by name",
        "groups": groups.tolist(),
        "actual": actual.tolist(),
        "predicted": predicted.tolist(),
        "frames": frames(OF_NUMBERS, actual, predicted, groups),
        "derived": derived,
    }


def interval(first, second):
    """Of two groups' selection rates; with one pair Bonferroni's correction is none."""
    lower, upper = confint_proportions_2indep(*first, *second, method="newcomb", compare="diff", alpha=0.05)
    wilson = [proportion_confint(*counts, alpha=0.05, method="wilson") for counts in (first, second)]
    return {
        "call": "statsmodels.stats.proportion.confint_proportions_2indep(method='newcomb'), proportion_confint(method='wilson')",
        "counts": [first, second],
        "difference": [float(max(lower, 0.0)), float(upper)],
        "wilson": [[float(low), float(high)] for low, high in wilson],
    }


def mean_interval(errors):
    low, high = stats.t.interval(0.95, len(errors) - 1, loc=np.mean(errors), scale=stats.sem(errors))
    return {"call": "scipy.stats.t.interval, scipy.stats.sem", "errors": errors.tolist(), "interval": [float(low), float(high)]}


data = {
    "binary": [binary(400, ["a", "b"]), binary(900, ["p", "q", "r", "s"])],
    "regression": [regression(300, ["a", "b", "c"])],
    "intervals": [interval((60, 100), (45, 90)), interval((90, 100), (30, 120)), interval((50, 50), (48, 60))],
    "mean_intervals": [mean_interval(np.abs(rng.normal(size=25)) + 1)],
}
path = pathlib.Path(__file__).with_name("fairness.json")
path.write_text(json.dumps(data, indent=1) + "\n")
