"""Writes upper_rate.json: one-sided upper bounds of Clopper and Pearson from scipy."""

import json
from pathlib import Path

from scipy.stats import beta

CASES = [
    (0, 1, 0.05),
    (0, 100, 0.01),
    (0, 10_000, 0.01),
    (1, 10, 0.05),
    (3, 50, 0.01),
    (10, 100, 0.01),
    (100, 1_000, 0.01),
    (20, 2_000, 0.001),
    (9_990, 10_000, 0.01),
    (5_000, 100_000, 0.05),
    (49, 50, 0.05),
]

rows = [
    {
        "call": f"scipy.stats.beta.isf({alpha}, {count} + 1, {rows} - {count})",
        "count": count,
        "rows": rows,
        "alpha": alpha,
        "upper": float(beta.isf(alpha, count + 1, rows - count)),
    }
    for count, rows, alpha in CASES
]
path = Path(__file__).with_name("upper_rate.json")
path.write_text(json.dumps({"clopper_pearson_upper": rows}, indent=1) + "\n")
