"""Writes fdr.json: adjusted p-values and online test levels. Needs numpy, scipy and statsmodels.

    python generate_fdr.py > fdr.json
"""

import json
import math

import numpy as np
from scipy.stats import false_discovery_control
from statsmodels.stats.multitest import multipletests

SAMPLE = [2.90e-08, 0.06743, 0.01514, 0.08174, 0.00171, 3.60e-05, 0.79149, 0.27201, 0.28295, 7.59e-08,
          0.69274, 0.30443, 0.00136, 0.72342, 0.54757]
ALPHA = 0.05

# Printed by the reference pages of Bioconductor's onlineFDR for its example data, default settings, random = FALSE.
PUBLISHED = {
    "lond": ("LOND(sample.df, random=FALSE)", 5e-11, [
        0.0026758385, 0.0011638206, 0.0009912499, 0.0008243606, 0.0006988870, 0.0006045900, 0.0007979166, 0.0007117838,
        0.0006421423, 0.0005847378, 0.0007155186, 0.0006610273, 0.0006141682, 0.0005734509, 0.0005377472]),
    "lord": ("LORD(sample.df, random=FALSE)", 5e-11, [
        0.0002675839, 0.0024664457, 0.0005732818, 0.0004872805, 0.0004059066, 0.0003447286, 0.0029745013, 0.0008450114,
        0.0007305648, 0.0006243143, 0.0032185913, 0.0010617227, 0.0009256825, 0.0008019657, 0.0007059610]),
    "saffron": ("SAFFRON(sample.df, random=FALSE)", 5e-10, [
        0.005468627, 0.010937254, 0.010937254, 0.010937254, 0.010937254, 0.021874508, 0.032811762, 0.010823845,
        0.010823845, 0.010823845, 0.021761099, 0.009265591, 0.009265591, 0.020202846, 0.009064367]),
    "addis": ("ADDIS(sample.df, random=FALSE)", 5e-10, [
        0.002734314, 0.005468627, 0.005468627, 0.005468627, 0.005468627, 0.010937254, 0.016405881, 0.016405881,
        0.005411923, 0.002828822, 0.008297449, 0.008297449, 0.003589243, 0.009057870, 0.009057870]),
}


def slow(j):
    return 0.07720838 * math.log(max(j, 2)) / (j * math.exp(math.sqrt(math.log(j))))


def steep(j):
    return 0.4374901658 / j**1.6


# The rules as the papers state them, by index sets over the whole past (tests are numbered from 1).
def lond(past, rejected):
    return ALPHA * slow(len(past) + 1) * (sum(rejected) + 1)


def lord(past, rejected):
    t, w = len(past) + 1, ALPHA / 10
    times = [i + 1 for i, r in enumerate(rejected) if r]
    level = w * slow(t)
    for k, tau in enumerate(times):
        level += (ALPHA - w if k == 0 else ALPHA) * slow(t - tau)
    return level


def saffron(past, rejected, lam=0.5):
    t, w = len(past) + 1, ALPHA / 2
    times = [i + 1 for i, r in enumerate(rejected) if r]
    candidates = [p <= lam for p in past]
    level = w * steep(t - sum(candidates))
    for k, tau in enumerate(times):
        level += (ALPHA - w if k == 0 else ALPHA) * steep(t - tau - sum(candidates[tau:]))
    return min(lam, (1 - lam) * level)


def addis(past, rejected, lam=0.25, tau_discard=0.5):
    w = ALPHA / 2
    selected = [p <= tau_discard for p in past]
    candidates = [p <= lam for p in past]
    times = [i + 1 for i, r in enumerate(rejected) if r]
    level = w * steep(sum(selected) - sum(candidates) + 1)
    for k, tau in enumerate(times):
        age = sum(selected) - sum(selected[:tau]) - sum(candidates[tau:]) + 1
        level += (ALPHA - w if k == 0 else ALPHA) * steep(age)
    return min(lam, (tau_discard - lam) * level)


def run(rule, p_values):
    levels, rejected = [], []
    for i, p in enumerate(p_values):
        level = rule(p_values[:i], rejected)
        levels.append(level)
        rejected.append(p <= level)
    return levels


generator = np.random.default_rng(20)
stream = [float(p) for p in np.where(generator.random(300) < 0.3, generator.beta(0.05, 4, 300), generator.random(300))]
rules = {"lond": lond, "lord": lord, "saffron": saffron, "addis": addis}
batch = {"holm": lambda p: multipletests(p, method="holm")[1],
         "bonferroni": lambda p: multipletests(p, method="bonferroni")[1],
         "benjamini_hochberg": lambda p: false_discovery_control(p, method="bh"),
         "benjamini_yekutieli": lambda p: false_discovery_control(p, method="by")}
calls = {"holm": "statsmodels multipletests(p, method='holm')[1]",
         "bonferroni": "statsmodels multipletests(p, method='bonferroni')[1]",
         "benjamini_hochberg": "scipy.stats.false_discovery_control(p, method='bh')",
         "benjamini_yekutieli": "scipy.stats.false_discovery_control(p, method='by')"}

print(json.dumps({
    "sample": SAMPLE,
    "stream": stream,
    "batch": {name: {"call": calls[name], "sample": [float(x) for x in f(SAMPLE)],
                     "stream": [float(x) for x in f(stream)]} for name, f in batch.items()},
    "published": {name: {"call": call, "half_digit": half, "levels": levels}
                  for name, (call, half, levels) in PUBLISHED.items()},
    "defined": {name: {"call": f"run({name}, stream) of generate_fdr.py", "levels": run(rule, stream)}
                for name, rule in rules.items()},
}, indent=1))
