"""Writes labels.json: Kaplan-Meier curves with Greenwood's variance, by scipy.stats.ecdf.

Run: python generate_labels.py (scipy, numpy).
"""

import json
from pathlib import Path

import numpy as np
from scipy import stats

CALL = "r = scipy.stats.ecdf(scipy.stats.CensoredData.right_censored(age, event == 0)).sf; r.quantiles, r.probabilities"
VARIANCE = "probabilities**2 * cumsum(d / (n * (n - d))) with d = r._d and n = r._n (Greenwood), 0 where d = n"


def case(age, event):
    age, event = np.asarray(age, float), np.asarray(event, int)
    sf = stats.ecdf(stats.CensoredData.right_censored(age, event == 0)).sf
    d, n = np.asarray(sf._d, float), np.asarray(sf._n, float)
    terms = np.where(n > d, d / np.where(n > d, n * (n - d), 1.0), 0.0)
    variance = sf.probabilities**2 * np.cumsum(terms)
    at_event = d > 0
    return {
        "call": CALL,
        "variance_by": VARIANCE,
        "age": age.tolist(),
        "event": event.tolist(),
        "at": np.asarray(sf.quantiles)[at_event].tolist(),
        "survival": np.asarray(sf.probabilities)[at_event].tolist(),
        "variance": variance[at_event].tolist(),
    }


def main():
    rng = np.random.default_rng(20)
    delay, limit = rng.exponential(6, 200), rng.uniform(0, 24, 200)
    ties = rng.integers(0, 8, 100)
    data = {
        "kaplan_meier": [
            case([1, 2, 3, 4], [1, 0, 1, 0]),
            case([6, 6, 6, 7, 10, 13, 16, 22, 23, 6, 9, 10], [1, 1, 1, 1, 1, 1, 1, 1, 1, 0, 0, 0]),
            case(np.minimum(delay, limit), delay <= limit),
            case(ties, rng.integers(0, 2, 100)),
        ]
    }
    Path(__file__).with_name("labels.json").write_text(json.dumps(data, indent=1) + "\n")


if __name__ == "__main__":
    main()
