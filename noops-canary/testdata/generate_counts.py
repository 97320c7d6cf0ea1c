"""Writes `counts.json`, the oracle of the beta-binomial e-processes. Needs mpmath; `python generate_counts.py > counts.json`."""

import json

import mpmath as mp

mp.mp.dps = 40


def ln_beta(*shapes):
    return sum(mp.loggamma(a) for a in shapes) - mp.loggamma(sum(shapes))


def mass(side, p, a, b):
    if side == "two_sided":
        return mp.mpf(0)
    lower = side == "less"
    return mp.log(mp.betainc(a, b, 0 if lower else p, p if lower else 1, regularized=True))


def log_e(s, f, p, k, side="two_sided", at=None):
    """The prior has its mean at p; the null is `at`, p itself unless given."""
    at = p if at is None else at
    two_sided = ln_beta(k * p + s, k * (1 - p) + f) - ln_beta(k * p, k * (1 - p)) - s * mp.log(at) - f * mp.log(1 - at)
    return two_sided + mass(side, p, k * p + s, k * (1 - p) + f) - mass(side, p, k * p, k * (1 - p))


def null(ppm, ratio):
    return mp.mpf(ppm) * ratio / (mp.mpf(ppm) * ratio + 10**6 - ppm)


def root(inside, outside, log_e_of, alpha):
    for _ in range(110):
        middle = (inside + outside) / 2
        if log_e_of(middle) < -mp.log(alpha):
            inside = middle
        else:
            outside = middle
    return outside


def ends(s, f, evaluate, alpha):
    estimate, tiny = mp.mpf(s) / (s + f), mp.mpf(10) ** -20
    lower = root(estimate, tiny, evaluate, alpha) if evaluate(tiny) > -mp.log(alpha) else mp.mpf(0)
    upper = root(estimate, 1 - tiny, evaluate, alpha) if evaluate(1 - tiny) > -mp.log(alpha) else mp.mpf(1)
    return lower, upper


def concentration(t, alpha):
    """confseq: optimal rho of a normal mixture at v = t p q, less p q, over p q; at least 0.001."""
    c = 2 * mp.log(1 / mp.mpf(alpha))
    return max(t / (c + mp.log1p(c)) - 1, mp.mpf("0.001"))


evidence = []
for ppm, ratio, k, s, f in [
    (500_000, 1, 100, 510, 490), (500_000, 1, 100, 50_500, 49_500), (500_000, 1, 100, 51_000, 49_000),
    (100_000, 1, 2, 7, 3), (10_000, 1, 100, 0, 400), (1, 1, 2, 3, 0), (500_000, 1.25, 100, 300, 320),
    (100_000, 1.25, 10_000, 90, 1_000), (900_000, 1, 100, 5, 5),
    (500_000, 1, 10_000, 10**9, 10**9 + 200_000), (250_000, 1, 100, 10**12, 3 * 10**12), (500_000, 1, 0.001, 4, 4),
]:
    for side in ("two_sided", "greater", "less"):
        if side != "two_sided" and (max(s, f) > 2_000 or k > 1_000 or k < 1):
            continue
        with mp.workdps(50):
            value = log_e(s, f, null(ppm, mp.mpf(ratio)), mp.mpf(k), side)
        evidence.append(dict(ppm=ppm, ratio=float(ratio), k=float(k), candidate=s, champion=f, side=side, log_e=float(value)))

ratios = []
for ppm, s, f in [(100_000, 30, 200), (100_000, 100, 900), (100_000, 1_000, 9_000), (500_000, 52, 48), (500_000, 550, 450), (10_000, 0, 300), (500_000, 8, 0)]:
    p = null(ppm, 1)
    lower, upper = ends(s, f, lambda at: log_e(s, f, p, 100, at=at), mp.mpf("0.05"))
    ratio = lambda at: float(at / (1 - at) * (1 - p) / p) if at < 1 else None
    ratios.append(dict(ppm=ppm, candidate=s, champion=f, lower=ratio(lower), upper=ratio(upper)))

bernoulli = []
for t, s, n in [(100, 700, 1_000), (50, 15, 50), (50, 5, 50), (50, 1, 50), (1, 100, 200), (1_000, 3, 100_000)]:
    k, one = concentration(t, "0.05"), concentration(t, "0.1")
    lower, upper = ends(s, n - s, lambda at: log_e(s, n - s, at, k), mp.mpf("0.05"))
    row = dict(optimal=t, successes=s, failures=n - s, lower=float(lower), upper=float(upper), lower_bound=None, upper_bound=None)
    if n == 50 and s == 15:
        row["lower_bound"] = float(root(mp.mpf(s) / n, mp.mpf(10) ** -12, lambda at: log_e(s, n - s, at, one, "greater"), mp.mpf("0.05")))
        row["upper_bound"] = float(root(mp.mpf(s) / n, 1 - mp.mpf(10) ** -12, lambda at: log_e(s, n - s, at, one, "less"), mp.mpf("0.05")))
    bernoulli.append(row)

arms = []
for ppm, k, counts in [([500_000, 300_000, 200_000], 100, [5_000, 3_020, 1_980]), ([250_000] * 4, 10_000, [10**6, 10**6 + 9_000, 999_000, 10**6])]:
    p = [mp.mpf(x) / 10**6 for x in ppm]
    value = ln_beta(*[k * a + x for a, x in zip(p, counts)]) - ln_beta(*[k * a for a in p]) - sum(x * mp.log(a) for a, x in zip(p, counts))
    arms.append(dict(ppm=ppm, k=float(k), counts=counts, log_e=float(value)))

mp.mp.dps = 20
print(json.dumps(dict(
    source="mpmath, 40 digits: ln B(k p + x) - ln B(k p) - sum x ln p, with betainc(regularized=True) for one side",
    evidence=evidence, rate_ratios=ratios, bernoulli=bernoulli, arms=arms), indent=1))
