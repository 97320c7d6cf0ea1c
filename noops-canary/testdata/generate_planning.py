"""Writes planning.json: sample sizes of both arms together for tests at one look.

Run: python generate_planning.py (scipy). The superiority sizes are those of
statsmodels.stats.proportion.samplesize_proportions_2indep_onetail with alpha / 2, for equal arms to the last digit.
"""

import json
from math import sqrt
from pathlib import Path

from scipy.stats import norm


def case(function, arguments, share, total, call):
    return {"call": call, "function": function, "arguments": arguments, "share": share, "total": total}


def non_inferiority(rate, margin, alpha, power, share):
    z = norm.isf(alpha) + norm.ppf(power)
    total = z**2 * rate * (1 - rate) * (1 / share + 1 / (1 - share)) / margin**2
    call = "(norm.isf(alpha) + norm.ppf(power))**2 * p * (1 - p) * (1/t + 1/(1-t)) / margin**2"
    return case("non_inferiority", [rate, margin, alpha, power], share, total, call)


def superiority(champion, candidate, alpha, power, share):
    # As statsmodels: n of the first group, with the ratio of the second to the first.
    ratio = (1 - share) / share
    mean = (candidate + champion * ratio) / (1 + ratio)
    null = sqrt(mean * (1 - mean) * (1 + 1 / ratio))
    alternative = sqrt(candidate * (1 - candidate) + champion * (1 - champion) / ratio)
    z = norm.isf(alpha / 2) * null + norm.ppf(power) * alternative
    first = z**2 / (champion - candidate) ** 2
    call = "(norm.isf(alpha/2) * std_null + norm.ppf(power) * std_alt)**2 / diff**2 * (1 + ratio)"
    return case("superiority", [champion, candidate, alpha, power], share, first * (1 + ratio), call)


def means(difference, alpha, power, share):
    z = norm.isf(alpha / 2) + norm.ppf(power)
    total = z**2 * (1 / share + 1 / (1 - share)) / difference**2
    call = "(norm.isf(alpha/2) + norm.ppf(power))**2 * (1/t + 1/(1-t)) / d**2"
    return case("means", [difference, alpha, power], share, total, call)


def main():
    data = [
        non_inferiority(0.02, 0.005, 0.05, 0.8, 0.5),
        non_inferiority(0.02, 0.005, 0.05, 0.8, 0.1),
        non_inferiority(0.02, 0.005, 0.05, 0.8, 0.01),
        non_inferiority(0.001, 0.0005, 0.01, 0.95, 0.3),
        non_inferiority(0.3, 0.05, 1e-9, 0.999, 0.5),
        superiority(0.02, 0.025, 0.05, 0.8, 0.5),
        superiority(0.02, 0.025, 0.05, 0.8, 0.1),
        superiority(0.9, 0.89, 0.05, 0.8, 0.5),
        superiority(0.0, 0.01, 0.01, 0.9, 0.25),
        means(0.1, 0.05, 0.8, 0.5),
        means(-0.02, 0.05, 0.8, 0.5),
        means(0.2, 0.001, 0.99, 0.05),
    ]
    path = Path(__file__).with_name("planning.json")
    path.write_text(json.dumps(data, indent=1) + "\n")


main()
