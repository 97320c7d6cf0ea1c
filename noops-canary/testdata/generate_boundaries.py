"""Writes boundaries.json: log e-values of the gamma mixtures with 50 digits of mpmath.

Each row carries the call that made it. Run: python generate_boundaries.py
"""

import json
from pathlib import Path

from mpmath import gammainc, log, mp, mpf

mp.dps = 50
TWICE = 2 * log(1 / mpf("0.1"))


def rho(v_opt):
    return v_opt / (TWICE + log(1 + TWICE))


def exponential(s, v, v_opt, c):
    r, c, s, v = rho(mpf(v_opt)), mpf(c), mpf(s), mpf(v)
    j = lambda a, y: log(gammainc(a, 0, y)) - a * log(y) + y
    return j((v + r) / c**2, (c * s + v + r) / c**2) - j(r / c**2, r / c**2)


def poisson(s, v, v_opt, c):
    r, c, s, v = rho(mpf(v_opt)), mpf(c), mpf(s), mpf(v)
    k = lambda a, x: log(gammainc(a, x)) - a * log(x) + x
    return k(s / c + (v + r) / c**2, (v + r) / c**2) - k(r / c**2, r / c**2)


rows = []
for name, function in [("exponential", exponential), ("poisson", poisson)]:
    for c in [0.5, 1.0, 2.0]:
        for v in [0.0, 3.0, 100.0]:
            for s in [-4.0, 0.0, 10.0, 60.0, 900.0]:
                if name == "exponential" and c * s + v + rho(100) <= 0:
                    continue
                rows.append(
                    {
                        "call": f"{name}(s={s}, v={v}, v_opt=100, c={c})",
                        "family": name,
                        "s": s,
                        "v": v,
                        "c": c,
                        "log_e": float(function(s, v, 100, c)),
                    }
                )
target = Path(__file__).with_name("boundaries.json")
target.write_text(json.dumps(rows, indent=1) + "\n")
