"""Writes cbpe.json: the car-loan data of NannyML as counts, and what CBPE must say about them.

The rows come from NannyML's synthetic car-loan data set (nannyml/datasets/data of its wheel, Apache-2.0, © NannyML). Its
scores take the 101 values 0.00, 0.01, ..., 1.00, and no metric depends on the order of rows within a chunk, so a chunk of
5,000 rows is stored without loss as the number of rows per (score, prediction, label).

Usage: python generate_cbpe.py REFERENCE.parquet ANALYSIS.parquet ANALYSIS_TARGET.parquet
Needs: numpy, pandas, pyarrow, scikit-learn.
"""

import json
import pathlib
import sys

import numpy as np
import pandas as pd
from sklearn.isotonic import IsotonicRegression
from sklearn.metrics import accuracy_score, average_precision_score, f1_score, roc_auc_score

CHUNK = 5_000
PUBLISHED = {
    "source": "nannyml docs/example_notebooks/Tutorial - Estimating Standard Performance Metrics - Binary Classification.ipynb",
    "estimated_roc_auc": [
        0.970744, 0.971011, 0.971407, 0.971091, 0.971123, 0.961090, 0.961825, 0.961073, 0.962533, 0.961316,
    ],
    "realised_roc_auc": [
        0.970962, 0.970248, 0.976282, 0.967721, 0.969886, 0.960050, 0.958530, 0.959041, 0.963094, 0.957556,
    ],
    "estimated_accuracy": [
        0.941792, 0.943321, 0.945492, 0.944816, 0.944645, 0.910714, 0.911149, 0.911193, 0.914389, 0.911731,
    ],
    "estimated_f1": [
        0.943030, 0.941324, 0.943574, 0.943159, 0.944204, 0.911753, 0.911766, 0.911661, 0.913763, 0.914751,
    ],
    "roc_auc_thresholds": [0.963317, 0.978660],
    "accuracy_thresholds": [0.935859, 0.951421],
}


def cells(score, predicted, label):
    """One flat list per chunk: [score in hundredths, prediction, label, rows] four by four, sorted."""
    frame = pd.DataFrame({"s": np.round(score * 100).astype(int), "p": predicted.astype(int), "l": label.astype(int)})
    assert np.array_equal(frame["s"].to_numpy() / 100, score), "the scores are no hundredths"
    counts = frame.groupby(["s", "p", "l"]).size().reset_index(name="rows").sort_values(["s", "p", "l"])
    return [int(x) for x in counts.to_numpy().ravel()]


def auroc(c, raw):
    """Trapezoid over (expected false, expected true positive rate), sorted by the raw score, as NannyML does."""
    order = np.argsort(raw, kind="stable")[::-1]
    tps = np.r_[0, np.cumsum(c[order])]
    fps = np.r_[0, np.cumsum(1 - c[order])]
    return float(np.trapezoid(tps / tps[-1], fps / fps[-1]))


def average_precision(c, raw):
    """sum over distinct scores, downwards, of (recall - recall before) * precision, in expected counts."""
    frame = pd.DataFrame({"raw": raw, "c": c}).groupby("raw")["c"].agg(["sum", "size"]).sort_index(ascending=False)
    tps, rows = frame["sum"].cumsum(), frame["size"].cumsum()
    recall = tps / tps.iloc[-1]
    return float((np.diff(np.r_[0, recall]) * (tps / rows)).sum())


def estimated(c, raw, predicted):
    tp, fp = c[predicted].sum(), (1 - c[predicted]).sum()
    fn, tn = c[~predicted].sum(), (1 - c[~predicted]).sum()
    values = {
        "true_positives": tp, "false_positives": fp, "false_negatives": fn, "true_negatives": tn,
        "accuracy": (tp + tn) / len(c), "precision": tp / (tp + fp), "recall": tp / (tp + fn),
        "specificity": tn / (tn + fp), "f1": 2 * tp / (2 * tp + fp + fn),
        "roc_auc": auroc(c, raw), "average_precision": average_precision(c, raw),
    }
    return {name: float(value) for name, value in values.items()}


def main():
    reference, analysis, target = (pd.read_parquet(path) for path in sys.argv[1:4])
    analysis = analysis.merge(target, on="id", how="left", validate="one_to_one")
    parts = {
        name: (frame["y_pred_proba"].to_numpy(), frame["y_pred"].to_numpy() == 1, frame["repaid"].to_numpy() == 1)
        for name, frame in (("reference", reference), ("analysis", analysis))
    }
    score, predicted, label = parts["reference"]
    isotonic = IsotonicRegression(out_of_bounds="clip", increasing=True).fit(score, label)
    out = {
        "provenance": "counts of NannyML's synthetic car-loan data (Apache-2.0); written by generate_cbpe.py",
        "published": PUBLISHED,
        "isotonic": {
            "call": "IsotonicRegression(out_of_bounds='clip').fit(reference scores, labels).predict(np.arange(-5, 106) / 100)",
            "calibrated": [float(v) for v in isotonic.predict(np.arange(-5, 106) / 100)],
        },
    }
    for name, (score, predicted, label) in parts.items():
        chunks = []
        for start in range(0, len(score), CHUNK):
            s, p, y = (column[start:start + CHUNK] for column in (score, predicted, label))
            chunks.append({
                "cells": cells(s, p, y),
                "estimated": estimated(isotonic.predict(s), s, p),
                "realised": {
                    "accuracy": accuracy_score(y, p), "f1": f1_score(y, p), "roc_auc": roc_auc_score(y, s),
                    "average_precision": average_precision_score(y, s),
                },
            })
        out[name] = chunks
    path = pathlib.Path(__file__).with_name("cbpe.json")
    path.write_text(json.dumps(out, separators=(",", ":")) + "\n")
    for key, metric in (("estimated_roc_auc", "roc_auc"), ("estimated_accuracy", "accuracy"), ("estimated_f1", "f1")):
        found = [round(chunk["estimated"][metric], 6) for chunk in out["analysis"]]
        assert found == PUBLISHED[key], (key, found)
    found = [round(chunk["realised"]["roc_auc"], 6) for chunk in out["analysis"]]
    assert found == PUBLISHED["realised_roc_auc"], found
    for key, metric in (("roc_auc_thresholds", "roc_auc"), ("accuracy_thresholds", "accuracy")):
        values = np.array([chunk["realised"][metric] for chunk in out["reference"]])
        band = [round(float(values.mean() + k * values.std()), 6) for k in (-3, 3)]
        assert band == PUBLISHED[key], (key, band)


if __name__ == "__main__":
    main()
