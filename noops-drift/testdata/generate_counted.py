"""Writes counted.json: values of statistics of counts, each with the call that made it.

Needs numpy, scipy and mpmath. Run it in this folder: python generate_counted.py
"""

import json

import mpmath
import numpy as np
from scipy.spatial.distance import jensenshannon
from scipy.stats import chi2, chi2_contingency, entropy, hypergeom
from scipy.stats.contingency import association

mpmath.mp.dps = 50


def excess(p, a):
    """p log(p / a) - p + a, in fifty digits."""
    p, a = mpmath.mpf(float(p)), mpmath.mpf(float(a))
    return float(p * mpmath.log(p / a) - p + a) if p > 0 else float(a)


def cells(name, n, m, count):
    """What a cell with r and c rows adds to a statistic that is chi-square in the limit."""
    size = n * m / (n + m)
    w, v = n / (n + m), m / (n + m)

    def smoothed(r, c):
        return (r + 0.5) / (n + 0.5 * count), (c + 0.5) / (m + 0.5 * count)

    def mixture(p, q, w, v):
        a = w * p + v * q
        return w * excess(p, a) + v * excess(q, a)

    return {
        "jensen_shannon": lambda r, c: 8 * size * mixture(r / n, c / m, 0.5, 0.5),
        "hellinger": lambda r, c: 4 * size * (np.sqrt(r / n) - np.sqrt(c / m)) ** 2,
        "kullback_leibler": lambda r, c: 2 * size * excess(*reversed(smoothed(r, c))),
        "g_test": lambda r, c: 2 * (n + m) * mixture(r / n, c / m, w, v),
    }[name]


def matched(name, reference, current):
    """The p-value by the law with the mean and variance that the margins imply; cells are thick enough to be kept."""
    r, c = np.array(reference, float), np.array(current, float)
    n, m = r.sum(), c.sum()
    rows = n + m
    value = cells(name, n, m, len(r))
    statistic = sum(value(*cell) for cell in zip(r, c))
    mean = variance = 0.0
    quadratic, linear = [], []
    for s in r + c:
        weight = s / rows
        spread = s * (n / rows) * (m / rows) * (rows - s) / (rows - 1)
        if spread > 400:
            e, var, slope = 1 - weight, 2 * (1 - weight) ** 2, 0.0
        else:
            support = np.arange(max(0, s - m), min(s, n) + 1)
            mass = hypergeom.pmf(support, rows, s, n)
            values = np.array([value(x, s - x) if p > 1e-25 else 0.0 for x, p in zip(support, mass)])
            e = (mass * values).sum()
            var = (mass * (values - e) ** 2).sum()
            slope = (mass * (values - e) * (support - s * n / rows)).sum() / spread
        mean += e
        variance += var
        quadratic.append(weight * e / (1 - weight))
        linear.append(s * slope)
    off_diagonal = lambda x: sum(x) ** 2 - sum(y * y for y in x)
    variance += 2 * off_diagonal(quadratic) - n * m / (rows**2 * (rows - 1)) * off_diagonal(linear)
    scale = variance / (2 * mean)
    return float(chi2.sf(statistic / scale, mean / scale))


def limit(statistic, count):
    """chi2.sf(statistic, cells - 1), checked against mpmath's incomplete gamma function."""
    p_value = chi2.sf(statistic, count - 1)
    exact = mpmath.gammainc((count - 1) / mpmath.mpf(2), mpmath.mpf(float(statistic)) / 2, regularized=True)
    assert abs(p_value / exact - 1) < 1e-9, (p_value, exact)
    return float(p_value)


def smooth(counts):
    counts = np.array(counts, float)
    return (counts + 0.5) / (counts.sum() + 0.5 * len(counts))


def exactly(term, reference, current, smoothing=0):
    """The sum of term(p, q) over shares that are exact fractions: scipy's sums cancel where shares are nearly equal."""
    half = mpmath.mpf(smoothing) / 2
    n = sum(reference) + half * len(reference)
    m = sum(current) + half * len(current)
    return mpmath.fsum(term((r + half) / n, (c + half) / m) for r, c in zip(reference, current))


def relative(p, a):
    return p * mpmath.log(p / a) if p > 0 else mpmath.mpf(0)


def refined(value, exact):
    """The exact value, once it is known to be the one that numpy or scipy give to all the digits that they have."""
    assert abs(float(value) / exact - 1) < 1e-6, (value, exact)
    return float(exact)


found = []


def add(function, reference, current, statistic, p_value, call):
    found.append(
        {
            "function": function,
            "reference": reference,
            "current": current,
            "statistic": float(statistic),
            "p_value": p_value,
            "call": call,
        }
    )


MILLIONS = [
    ([3_000_000, 5_000_000, 2_000_000], [301_000, 499_500, 199_500]),
    ([900_000, 40_000, 30_000, 30_000], [452_000, 19_000, 14_500, 14_500]),
    ([100_000] * 10, [50_000 + 120 * (-1) ** i * i for i in range(10)]),
    ([250_000, 250_000, 250_000, 250_000], [131_000, 119_000, 128_000, 122_000]),
]
DOZENS = [
    ([30, 50, 20], [45, 35, 20]),
    ([100, 200, 700], [150, 150, 200]),
    ([12, 9, 14, 11, 8, 13, 10, 9], [120, 95, 100, 130, 90, 85, 140, 100]),
    ([900, 30, 28, 30, 25], [178, 9, 8, 3, 12]),
    ([60, 0, 40], [40, 15, 45]),
]

for reference, current in MILLIONS + DOZENS:
    large = (reference, current) in MILLIONS
    count = len(reference)
    n, m = sum(reference), sum(current)
    size = n * m / (n + m)
    p, q = np.array(reference) / n, np.array(current) / m
    table = np.array([reference, current])

    mixture = lambda p, q: (relative(p, (p + q) / 2) + relative(q, (p + q) / 2)) / 2
    js = refined(jensenshannon(p, q) ** 2, exactly(mixture, reference, current))
    by_limit = lambda statistic: limit(statistic, count)
    js_p = by_limit(8 * size * js) if large else matched("jensen_shannon", reference, current)
    law = "scipy.stats.chi2.sf(8 nm/(n+m) JS, cells - 1)" if large else "matched() of the generator"
    add("jensen_shannon_distance base 2", reference, current, refined(jensenshannon(p, q, base=2), (js / np.log(2)) ** 0.5), js_p,
        f"scipy.spatial.distance.jensenshannon(p, q, base=2); {law}")
    add("jensen_shannon_distance base e", reference, current, refined(jensenshannon(p, q), js**0.5), js_p,
        f"scipy.spatial.distance.jensenshannon(p, q); {law}")
    add("jensen_shannon_divergence base e", reference, current, js, js_p,
        f"scipy.spatial.distance.jensenshannon(p, q) ** 2; {law}")

    h = np.sqrt(0.5 * np.sum((np.sqrt(p) - np.sqrt(q)) ** 2))
    h = refined(h, mpmath.sqrt(exactly(lambda p, q: (mpmath.sqrt(p) - mpmath.sqrt(q)) ** 2 / 2, reference, current)))
    h_p = by_limit(8 * size * h**2) if large else matched("hellinger", reference, current)
    add("hellinger", reference, current, h, h_p,
        f"numpy.sqrt(0.5 * numpy.sum((numpy.sqrt(p) - numpy.sqrt(q)) ** 2)); {law.replace('JS', 'H**2')}")

    kl = entropy(smooth(current), smooth(reference))
    kl = refined(kl, exactly(lambda p, q: relative(q, p), reference, current, smoothing=1))
    kl_p = by_limit(2 * size * kl) if large else matched("kullback_leibler", reference, current)
    add("kullback_leibler", reference, current, kl, kl_p,
        f"scipy.stats.entropy(smooth(current), smooth(reference)); {law.replace('8', '2').replace('JS', 'KL')}")

    g = chi2_contingency(table, correction=False, lambda_="log-likelihood")
    pooled = lambda p, q: (n * p + m * q) / mpmath.mpf(n + m)
    g_term = lambda p, q: 2 * (n * relative(p, pooled(p, q)) + m * relative(q, pooled(p, q)))
    g_exact = refined(g.statistic, exactly(g_term, reference, current))
    assert not large or abs(g.pvalue / by_limit(g_exact) - 1) < 1e-6
    g_p = by_limit(g_exact) if large else matched("g_test", reference, current)
    add("g_test", reference, current, g_exact, g_p,
        "scipy.stats.chi2_contingency(table, correction=False, lambda_='log-likelihood')"
        + ("" if large else "; p-value by matched() of the generator"))

    pearson = chi2_contingency(table, correction=False)
    add("chi_square_homogeneity", reference, current, pearson.statistic, float(pearson.pvalue),
        "scipy.stats.chi2_contingency(table, correction=False)")
    add("cramers_v", reference, current, association(table, method="cramer"), float(pearson.pvalue),
        "scipy.stats.contingency.association(table, method='cramer')")

    sp, sq = smooth(reference), smooth(current)
    psi = np.sum((sp - sq) * np.log(sp / sq))
    psi = refined(psi, exactly(lambda p, q: (p - q) * mpmath.log(p / q), reference, current, smoothing=1))
    add("psi", reference, current, psi, limit(psi * size, count),
        "numpy.sum((p - q) * numpy.log(p / q)) of smooth(counts); scipy.stats.chi2.sf(nm/(n+m) PSI, cells - 1)")
    add("total_variation", reference, current, 0.5 * np.sum(np.abs(p - q)), None,
        "0.5 * numpy.sum(numpy.abs(p - q))")

# Far tails.
for shift in (15_000, 47_500, 80_000):
    reference, current = [500_000, 500_000], [250_000 + shift // 5, 250_000 - shift // 5]
    table = np.array([reference, current])
    for function, lambda_ in (("chi_square_homogeneity", "pearson"), ("g_test", "log-likelihood")):
        test = chi2_contingency(table, correction=False, lambda_=lambda_)
        add(function, reference, current, test.statistic, limit(test.statistic, 2),
            f"scipy.stats.chi2_contingency(table, correction=False, lambda_='{lambda_}'); p-value by mpmath.gammainc")

# Shares that are equal to six digits: scipy's sums cancel here, mpmath's do not.
reference = [333_333_333_000, 333_333_333_000, 333_333_334_000]
current = [333_333_000_000, 333_333_666_000, 333_333_334_000]
n, m = mpmath.mpf(sum(reference)), mpmath.mpf(sum(current))
exact = mpmath.mpf(0)
for r, c in zip(reference, current):
    p, q = r / n, c / m
    a = (p + q) / 2
    exact += (p * mpmath.log(p / a) + q * mpmath.log(q / a)) / 2
add("jensen_shannon_divergence base e", reference, current, exact,
    float(mpmath.gammainc(1, 8 * n * m / (n + m) * exact / 2, regularized=True)),
    "mpmath with 50 digits: sum((p log(p / a) + q log(q / a)) / 2)")

with open("counted.json", "w", encoding="utf-8") as file:
    json.dump({"generator": "generate_counted.py", "cases": found}, file, indent=1)
    file.write("\n")
print(len(found), min(case["p_value"] for case in found if case["p_value"] is not None))
