"""Reference values of the parametric and count tests: python generate_batch_a.py > batch_a.json (scipy, statsmodels, mpmath)."""

import json
import math

import numpy as np
import scipy
import statsmodels
from mpmath import loggamma, mp, mpf
from scipy import stats
from statsmodels.stats.contingency_tables import StratifiedTable, mcnemar
from statsmodels.stats.proportion import (
    confint_proportions_2indep,
    proportion_confint,
    proportions_ztest,
    test_proportions_2indep,
)

mp.dps = 60
ALTERNATIVES = {"two_sided": "two-sided", "greater": "greater", "less": "less"}


def finite(x):
    x = float(x)
    return x if math.isfinite(x) else None


def student_far(t, df):
    """P(T > t) with 60 digits."""
    t, df = mpf(float(t)), mpf(float(df))
    a, x = df / 2, df / (df + t * t)
    front = mp.exp(a * mp.log(x) + loggamma(a + mpf(1) / 2) - loggamma(a)) / mp.sqrt(mp.pi)
    return front * mp.sqrt(1 - x) / a * mp.hyp2f1(a + mpf(1) / 2, 1, a + 1, x) / 2


def samples():
    rng = np.random.default_rng(1)
    yield "small", rng.normal(10, 1, 7).round(6), rng.normal(11, 3, 5).round(6)
    yield "uneven", rng.exponential(2, 40).round(6), rng.exponential(2.5, 9).round(6)
    yield "one_constant", np.full(6, 3.0), rng.normal(4, 1, 8).round(6)
    yield "offset", (1e6 + rng.normal(0, 1, 30)).round(6), (1e6 + rng.normal(1, 1, 30)).round(6)
    yield "far_tail", rng.normal(0, 1, 200).round(6), rng.normal(60, 1, 220).round(6)


def welch():
    for name, x, y in samples():
        case = {"name": name, "champion": list(x), "candidate": list(y)}
        for ours, theirs in ALTERNATIVES.items():
            r = stats.ttest_ind(y, x, equal_var=False, alternative=theirs)
            ci = r.confidence_interval(0.95)
            case[ours] = {
                "call": f"ttest_ind(candidate, champion, equal_var=False, alternative='{theirs}')",
                "t": float(r.statistic), "df": float(r.df), "p": float(r.pvalue),
                "lower": finite(ci.low), "upper": finite(ci.high),
            }
        n1, n2, m = len(x), len(y), len(x) + len(y) - 2
        pooled = math.sqrt(((n1 - 1) * np.var(x, ddof=1) + (n2 - 1) * np.var(y, ddof=1)) / m)
        j = mp.exp(loggamma(mpf(m) / 2) - loggamma(mpf(m - 1) / 2)) / mp.sqrt(mpf(m) / 2)
        case["hedges_g"] = float(j * mpf(float((y.mean() - x.mean()) / pooled)))
        t, df = case["two_sided"]["t"], case["two_sided"]["df"]
        case["p_mpmath"] = float(2 * student_far(abs(t), df))
        # H0 "candidate worse by 2 or more", lower is better: shift the candidate by the margin.
        r = stats.ttest_ind(y - 2, x, equal_var=False, alternative="less")
        case["non_inferiority"] = {"call": "ttest_ind(candidate - 2, champion, alternative='less')",
                                   "p": float(r.pvalue)}
        lo = stats.ttest_ind(y + 2, x, equal_var=False, alternative="greater").pvalue
        case["equivalence"] = {"p": float(max(lo, r.pvalue))}
        yield case


def paired():
    rng = np.random.default_rng(2)
    for name, n, shift in [("few", 5, 1.0), ("more", 60, 0.2), ("far_tail", 400, 9.0)]:
        x = rng.normal(5, 2, n).round(6)
        y = (x + rng.normal(shift, 0.8, n)).round(6)
        case = {"name": name, "champion": list(x), "candidate": list(y)}
        for ours, theirs in ALTERNATIVES.items():
            r = stats.ttest_rel(y, x, alternative=theirs)
            ci = r.confidence_interval(0.95)
            case[ours] = {"call": f"ttest_rel(candidate, champion, alternative='{theirs}')",
                          "t": float(r.statistic), "p": float(r.pvalue),
                          "lower": finite(ci.low), "upper": finite(ci.high)}
        d = y - x
        case["dz"] = float(d.mean() / d.std(ddof=1))
        case["non_inferiority"] = float(stats.ttest_1samp(d, 0.5, alternative="less").pvalue)
        case["equivalence"] = float(max(stats.ttest_1samp(d, 0.5, alternative="less").pvalue,
                                        stats.ttest_1samp(d, -0.5, alternative="greater").pvalue))
        yield case


def proportions():
    tables = [(20, 200, 34, 210), (3, 50, 0, 40), (0, 30, 0, 25), (1, 990, 9, 1010),
              (5000, 1_000_000, 6200, 1_000_000), (12, 15, 15, 15), (40, 100000, 100, 100000)]
    for x1, n1, x2, n2 in tables:
        case = {"champion": [x1, n1], "candidate": [x2, n2]}
        lo, hi = confint_proportions_2indep(x2, n2, x1, n1, compare="diff", method="newcomb", alpha=0.05)
        case["newcombe"] = {"call": "confint_proportions_2indep(method='newcomb')", "lower": lo, "upper": hi}
        case["wilson"] = list(proportion_confint(x2, n2, 0.05, "wilson"))
        if x1 + x2 > 0:
            for ours, theirs in {"two_sided": "two-sided", "greater": "larger", "less": "smaller"}.items():
                z, p = proportions_ztest([x2, x1], [n2, n1], alternative=theirs)
                case[ours] = {"call": f"proportions_ztest(alternative='{theirs}')", "z": z, "p": p}
        case["cohens_h"] = 2 * math.asin(math.sqrt(x2 / n2)) - 2 * math.asin(math.sqrt(x1 / n1))

        def score(delta):
            """z with the constrained rates by numerical likelihood, mpmath bisection of the score equation."""
            d = mpf(delta)
            low, high = max(mpf(0), -d), min(mpf(1), 1 - d)
            g = lambda p: ((x1 / p if x1 else 0) - ((n1 - x1) / (1 - p) if n1 > x1 else 0)
                           + (x2 / (p + d) if x2 else 0) - ((n2 - x2) / (1 - p - d) if n2 > x2 else 0))
            for _ in range(180):
                mid = (low + high) / 2
                low, high = (mid, high) if g(mid) > 0 else (low, mid)
            p = (low + high) / 2
            var = p * (1 - p) / n1 + (p + d) * (1 - p - d) / n2
            return (mpf(x2) / n2 - mpf(x1) / n1 - d) / mp.sqrt(var)

        case["farrington_manning"] = []
        for margin in (0.01, 0.2):
            r = test_proportions_2indep(x2, n2, x1, n1, value=margin, method="score", compare="diff",
                                        alternative="smaller", correction=False) if x1 + x2 else None
            case["farrington_manning"].append({"margin": margin, "z": float(score(margin)),
                                               "p": float(mp.ncdf(score(margin))),
                                               "statsmodels": finite(r.statistic) if r else None})
        z05 = mpf(float(stats.norm.isf(0.05)))
        def root(target, low, high):
            low, high = mpf(low), mpf(high)
            for _ in range(90):
                mid = (low + high) / 2
                low, high = (mid, high) if score(mid) > target else (low, mid)
            return float((low + high) / 2)
        if n1 < 2000:
            d = x2 / n2 - x1 / n1
            case["score_90"] = {"call": "score(delta) = -+ norm.isf(.05), solved with mpmath",
                                "lower": root(z05, -1 + 1e-12, d), "upper": root(-z05, d, 1 - 1e-12)}
        yield case


def exact_fisher(a, b, c, d):
    """Two-sided and one-sided p-values of [[a, b], [c, d]] with 60 digits; a is the candidate's successes."""
    k, n2, n = a + c, a + b, a + b + c + d
    low, high = max(0, k - (n - n2)), min(k, n2)
    ln = lambda m: loggamma(m + 1)
    const = ln(k) + ln(n - k) + ln(n2) + ln(n - n2) - ln(n)
    mass = lambda x: mp.exp(const - ln(x) - ln(n2 - x) - ln(k - x) - ln(n - n2 - k + x))
    rise = lambda x: mpf(n2 - x) * (k - x) / (mpf(x + 1) * (n - n2 - k + x + 1))
    masses, m = {}, None
    m = mass(a)
    masses[a] = m
    for x in range(a, high):
        m = m * rise(x); masses[x + 1] = m
    m = masses[a]
    for x in range(a, low, -1):
        m = m / rise(x - 1); masses[x - 1] = m
    limit = masses[a] * (1 + mpf("1e-7"))
    return (sum(v for v in masses.values() if v <= limit), sum(v for x, v in masses.items() if x >= a),
            sum(v for x, v in masses.items() if x <= a))


def fisher():
    for a, b, c, d in [(8, 2, 2, 8), (3, 1, 1, 3), (0, 10, 5, 5), (10, 90, 20, 480), (40, 99960, 100, 99900),
                       (3000, 997000, 5000, 995000), (1, 24, 0, 30), (7, 93, 7, 93)]:
        two, up, down = exact_fisher(a, b, c, d)
        case = {"candidate": [a, a + b], "champion": [c, c + d],
                "call": "hypergeometric masses summed with mpmath; odds: scipy.stats.contingency.odds_ratio",
                "two_sided": float(two), "greater": float(up), "less": float(down)}
        if a + b < 1000:
            case["scipy"] = float(stats.fisher_exact([[a, b], [c, d]]).pvalue)
            r = stats.contingency.odds_ratio([[a, b], [c, d]], kind="conditional")
            ci = r.confidence_interval(0.95)
            case["odds_ratio"] = {"estimate": finite(r.statistic), "lower": finite(ci.low), "upper": finite(ci.high)}
        yield case


def mc_nemar():
    for b, c in [(60, 35), (500, 600), (3, 3), (0, 5), (4000, 4200), (100000, 101000), (6000, 9000), (600_000, 602_000)]:
        exact = b + c <= 1_000_000
        r = mcnemar([[0, b], [c, 0]], exact=exact, correction=True)
        ci = stats.binomtest(c, b + c).proportion_ci(0.95, method="exact" if exact else "wilson")
        yield {"only_champion": b, "only_candidate": c, "call": f"mcnemar(exact={exact}, correction=True)",
               "p": float(r.pvalue), "statistic": float(r.statistic),
               "greater": float(stats.binom.sf(c - 1, b + c, 0.5)) if exact else None,
               "lower": finite(ci.low / (1 - ci.low)), "upper": finite(ci.high / (1 - ci.high)) if ci.high < 1 else None}


def tango():
    """Tango's z by maximising the trinomial likelihood numerically."""
    for both, b, c, neither in [(43, 0, 1, 0), (880, 15, 12, 93), (53, 16, 9, 18), (20, 0, 0, 10), (5000, 300, 210, 90)]:
        n = both + b + c + neither

        def z(delta, b=b, c=c, n=n):
            # q: only the champion; q + delta: only the candidate; maximise by the score equation.
            d = mpf(delta)
            low, high = max(mpf(0), -d), (1 - d) / 2
            g = lambda q: ((b / q if b else 0) + (c / (q + d) if c else 0)
                           - (2 * (n - b - c) / (1 - 2 * q - d) if n > b + c else 0))
            for _ in range(180):
                mid = (low + high) / 2
                low, high = (mid, high) if g(mid) > 0 else (low, mid)
            q = (low + high) / 2
            return (c - b - n * d) / mp.sqrt(n * (2 * q + d * (1 - d)))

        def root(target, low, high):
            low, high = mpf(low), mpf(high)
            for _ in range(90):
                mid = (low + high) / 2
                low, high = (mid, high) if z(mid) > target else (low, mid)
            return float((low + high) / 2)

        z975 = mpf(float(stats.norm.isf(0.025)))
        d = (c - b) / n
        yield {"table": [both, b, c, neither], "call": "score of the trinomial, solved with mpmath",
               "z_low": float(z(-0.05)), "p_non_inferior": float(mp.ncdf(-z(-0.05))),
               "lower": root(z975, -1 + 1e-12, d), "upper": root(-z975, d, 1 - 1e-12)}


def chi_square():
    for table in [[[90, 30, 30], [60, 50, 40]], [[10, 20], [30, 25]], [[100000, 200], [99000, 1300]],
                  [[5, 9, 11, 7], [8, 3, 12, 2], [1, 6, 9, 14]]]:
        r = stats.chi2_contingency(table, correction=False)
        yield {"table": table, "call": "chi2_contingency(correction=False)", "statistic": r.statistic,
               "df": int(r.dof), "p": r.pvalue,
               "v": float(stats.contingency.association(np.array(table), method="cramer"))}


def mantel_haenszel():
    cases = [[(20000, 990000, 230, 10000), (5000, 500000, 6000, 500000)],
             [(3, 20, 5, 22), (7, 40, 12, 35), (0, 9, 2, 11)],
             [(1, 5, 3, 4)]]
    for strata in cases:
        tables = [np.array([[x2, n2 - x2], [x1, n1 - x1]], dtype=float) for x1, n1, x2, n2 in strata]
        s = StratifiedTable(tables)
        r = s.test_null_odds(correction=True)
        lo, hi = s.oddsratio_pooled_confint(0.05)
        w = np.array([n1 * n2 / (n1 + n2) for _, n1, _, n2 in strata], dtype=float)
        diff = np.array([x2 / n2 - x1 / n1 for x1, n1, x2, n2 in strata])
        var = np.array([x1 * (n1 - x1) / n1**3 + x2 * (n2 - x2) / n2**3 for x1, n1, x2, n2 in strata])
        d = float((w * diff).sum() / w.sum())
        se = float(math.sqrt((w**2 * var).sum()) / w.sum())
        z = stats.norm.isf(0.025)
        yield {"strata": [list(x) for x in strata], "call": "StratifiedTable.test_null_odds(correction=True)",
               "statistic": float(r.statistic), "p": float(r.pvalue), "p_far": float(stats.chi2.sf(r.statistic, 1)),
               "odds_ratio": float(s.oddsratio_pooled), "lower": float(lo), "upper": float(hi),
               "difference": {"estimate": d, "p": float(2 * stats.norm.sf(abs(d / se))), "lower": d - z * se, "upper": d + z * se,
                              "p_non_inferior": float(stats.norm.cdf((d - 0.05) / se))}}


print(json.dumps({
    "versions": {"scipy": scipy.__version__, "statsmodels": statsmodels.__version__},
    "welch": list(welch()), "paired": list(paired()), "proportions": list(proportions()), "fisher": list(fisher()),
    "mc_nemar": list(mc_nemar()), "tango": list(tango()), "chi_square": list(chi_square()),
    "mantel_haenszel": list(mantel_haenszel()),
}, indent=1, allow_nan=False, default=float))
