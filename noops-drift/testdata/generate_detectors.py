"""Writes detectors.json: the alarms that reference implementations raise on streams that need no storage.

Run with Python 3.12 or later: `pip install river==0.26.0 scipy==1.17.1 && python generate_detectors.py`.

Streams are formulas over SplitMix64, so that a test regenerates them from a seed. Page-Hinkley, DDM, EDDM, HDDM-A,
HDDM-W and FHDDM are River's; KSWIN is recomputed naively with `scipy.stats.ks_2samp(method="exact")` because River
samples its older window at random; ADWIN is written here as plain lists from the description of MOA's exponential
histogram (every bucket of every row is a cut point), because River skips the last bucket of each row; CUSUM run
lengths come from Page's integral equation.
"""

import json
import math
import pathlib

import numpy as np
import scipy
from river import drift
from scipy import stats

MASK = (1 << 64) - 1


class SplitMix64:
    def __init__(self, seed):
        self.state = seed

    def next(self):
        self.state = (self.state + 0x9E3779B97F4A7C15) & MASK
        z = self.state
        z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & MASK
        z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & MASK
        return z ^ (z >> 31)

    def unit(self):
        return (self.next() >> 11) / float(1 << 53)

    def bell(self):
        total = 0.0
        for _ in range(12):  # `sum` compensates for rounding, a plain loop does not
            total += self.unit()
        return total - 6.0


def rows(stream):
    random = SplitMix64(stream["seed"])
    for segment in stream["segments"]:
        for _ in range(segment["rows"]):
            if segment["kind"] == "bernoulli":
                yield 1.0 if random.unit() < segment["level"] else 0.0
            elif segment["kind"] == "uniform":
                yield random.unit() * segment["level"]
            else:
                yield segment["level"] + segment["spread"] * random.bell()


def bernoulli(seed, *levels, length=3000):
    return {
        "seed": seed,
        "segments": [{"rows": length, "kind": "bernoulli", "level": p, "spread": 0.0} for p in levels],
    }


def bell(seed, *moments, length=2000):
    return {
        "seed": seed,
        "segments": [{"rows": length, "kind": "bell", "level": m, "spread": s} for m, s in moments],
    }


class Adwin:
    """MOA's ADWIN over plain lists; `rows[i]` holds [total, variance] of buckets of 2^i values, oldest first."""

    def __init__(self, delta=0.002, clock=32, most=5):
        self.delta, self.clock, self.most = delta, clock, most
        self.rows, self.time = [[]], 0
        self.width, self.total, self.variance = 0, 0.0, 0.0

    @staticmethod
    def joined(n, u, v, m, w, x):
        gap = u / n - w / m
        return v + x + n * m * gap * gap / (n + m)

    def insert(self, value):
        self.rows[0].append([value, 0.0])
        self.width += 1
        if self.width > 1:
            gap = value - self.total / (self.width - 1)
            self.variance += (self.width - 1) * gap * gap / self.width
        self.total += value
        i = 0
        while len(self.rows[i]) > self.most:
            if i + 1 == len(self.rows):
                self.rows.append([])
            (u, v), (w, x) = self.rows[i].pop(0), self.rows[i].pop(0)
            self.rows[i + 1].append([u + w, self.joined(2**i, u, v, 2**i, w, x)])
            i += 1

    def drop_oldest(self):
        n = 2 ** (len(self.rows) - 1)
        u, v = self.rows[-1].pop(0)
        if not self.rows[-1]:
            self.rows.pop()
        self.width -= n
        self.total -= u
        gap = u / n - self.total / self.width
        self.variance -= v + n * self.width * gap * gap / (n + self.width)

    def cuts(self):
        log_term = math.log(2 * math.log(self.width) / self.delta)
        spread = self.variance / self.width
        n, u = 0, 0.0
        for i in range(len(self.rows) - 1, -1, -1):
            for k, (total, _) in enumerate(self.rows[i]):
                n += 2**i
                u += total
                if i == 0 and k == len(self.rows[0]) - 1:
                    return False
                m = self.width - n
                if n > 6 and m > 6:
                    inverse = 1 / (n - 4) + 1 / (m - 4)
                    bound = math.sqrt(2 * inverse * spread * log_term) + 2 / 3 * log_term * inverse
                    if abs(u / n - (self.total - u) / m) > bound:
                        return True
        return False

    def update(self, value):
        self.time += 1
        self.insert(value)
        drifted = False
        if self.time % self.clock == 0:
            while self.width > 10 and self.cuts():
                drifted = True
                self.drop_oldest()
        self.drift_detected = drifted


class Kswin:
    """The last `recent` values against all older ones of the window; after an alarm the recent ones stay."""

    def __init__(self, alpha=0.005, window=100, recent=30):
        self.alpha, self.size, self.recent, self.window = alpha, window, recent, []

    def update(self, value):
        self.window = (self.window + [value])[-self.size :]
        self.drift_detected = False
        if len(self.window) == self.size:
            old, new = self.window[: -self.recent], self.window[-self.recent :]
            result = stats.ks_2samp(new, old, method="exact")
            if result.pvalue <= self.alpha and result.statistic > 0.1:
                self.drift_detected = True
                self.window = new


def alarms(detector, stream, flip=False):
    found, warned = [], 0
    for row, value in enumerate(rows(stream)):
        binary = all(segment["kind"] == "bernoulli" for segment in stream["segments"])
        detector.update((1 - int(value) if flip else int(value)) if binary else value)
        if detector.drift_detected:
            found.append(row)
        elif getattr(detector, "warning_detected", False):
            warned += 1
    return found, warned


def cusum_run_length(slack, threshold, shift, nodes=400):
    """One-sided ARL by Page's integral equation, Gauss-Legendre nodes."""
    x, w = np.polynomial.legendre.leggauss(nodes)
    x, w = (x + 1) * threshold / 2, w * threshold / 2
    pdf = lambda z: np.exp(-0.5 * z * z) / math.sqrt(2 * math.pi)
    kernel = pdf(x[None, :] + slack - shift - x[:, None]) * w[None, :]
    stay = stats.norm.cdf(slack - shift - x)
    system = np.eye(nodes + 1)
    system[:nodes, :nodes] -= kernel
    system[:nodes, nodes] -= stay
    system[nodes, :nodes] -= pdf(x + slack - shift) * w
    system[nodes, nodes] -= stats.norm.cdf(slack - shift)
    return float(np.linalg.solve(system, np.ones(nodes + 1))[nodes])


def main():
    cases = []

    def case(detector, variant, call, build, streams, flip=False):
        for stream in streams:
            instance = build()
            found, warned = alarms(instance, stream, flip)
            entry = {
                "detector": detector,
                "variant": variant,
                "call": call,
                "stream": stream,
                "alarms": found,
                "warned_rows": warned,
            }
            if isinstance(instance, Adwin):
                entry["width"], entry["total"], entry["variance"] = instance.width, instance.total, instance.variance
            cases.append(entry)

    errors = [bernoulli(seed, *levels) for seed, levels in [(1, (0.2, 0.3)), (2, (0.2, 0.5, 0.2)), (3, (0.05, 0.6)), (4, (0.2, 0.2))]]
    levels = [bell(11, (0.0, 1.0), (1.0, 1.0)), bell(12, (0.0, 1.0), (-0.5, 1.0)), bell(13, (5.0, 0.1), (5.0, 3.0)), bell(14, (0.0, 1.0), (0.0, 1.0), (3.0, 0.5))]
    long = [bernoulli(21, 0.2, 0.3, length=30000), bell(22, (0.0, 1.0), (0.2, 1.0), length=30000)]
    binary = drift.binary
    case("adwin", "default", "Adwin()", Adwin, errors + levels + long)
    case("adwin", "every_row", "Adwin(delta=0.05, clock=1)", lambda: Adwin(0.05, 1), errors[:2] + levels[:2])
    case("page-hinkley", "default", "river.drift.PageHinkley()", drift.PageHinkley, errors + levels)
    case("page-hinkley", "up", "river.drift.PageHinkley(threshold=20, delta=0.01, alpha=0.999, mode='up')", lambda: drift.PageHinkley(threshold=20, delta=0.01, alpha=0.999, mode="up"), levels)
    case("page-hinkley", "down", "river.drift.PageHinkley(threshold=20, delta=0.01, alpha=0.999, mode='down')", lambda: drift.PageHinkley(threshold=20, delta=0.01, alpha=0.999, mode="down"), levels)
    case("ddm", "default", "river.drift.binary.DDM()", binary.DDM, errors)
    case("eddm", "default", "river.drift.binary.EDDM()", binary.EDDM, errors)
    case("hddm-a", "default", "river.drift.binary.HDDMA()", binary.HDDMA, errors)
    case("hddm-a", "both", "river.drift.binary.HDDMA(two_sided_test=True)", lambda: binary.HDDMA(two_sided_test=True), errors)
    case("hddm-w", "default", "river.drift.binary.HDDMW()", binary.HDDMW, errors)
    case("hddm-w", "both", "river.drift.binary.HDDMW(two_sided_test=True)", lambda: binary.HDDMW(two_sided_test=True), errors)
    case("fhddm", "default", "river.drift.binary.FHDDM() fed with 1 - x", binary.FHDDM, errors, flip=True)
    case("fhddm", "short", "river.drift.binary.FHDDM(sliding_window_size=50, confidence_level=0.001) fed with 1 - x", lambda: binary.FHDDM(sliding_window_size=50, confidence_level=0.001), errors, flip=True)
    case("kswin", "default", "ks_2samp(last 30, 70 before, method='exact').pvalue <= 0.005", Kswin, [errors[1]] + levels)
    case("kswin", "loose", "ks_2samp(last 20, 40 before, method='exact').pvalue <= 0.05", lambda: Kswin(0.05, 60, 20), levels[:2])

    distances = []
    for first, second in [(30, 70), (20, 40), (30, 30), (7, 13), (100, 900)]:
        for share in (0.1, 0.3, 0.5, 0.9):
            steps = max(1, round(share * first * second))
            # ks_2samp's own exact law, for samples whose distance is exactly steps / (first * second) where possible
            unit = math.gcd(first, second)
            steps = max(unit, steps // unit * unit)
            value = scipy.stats._stats_py._attempt_exact_2kssamp(first, second, unit, steps / (first * second), "two-sided")
            assert value[0]
            distances.append({"call": "scipy _attempt_exact_2kssamp, as in ks_2samp(method='exact')", "recent": first, "older": second, "steps": steps, "p_value": float(value[2])})

    run_lengths = [
        {"call": "cusum_run_length (Page's integral equation, 400 nodes)", "slack": k, "threshold": h, "shift": s,
         "up": cusum_run_length(k, h, s), "down": cusum_run_length(k, h, -s)}
        for k, h in [(0.5, 3.0), (0.5, 4.0), (0.5, 5.0), (0.5, 8.0), (0.5, 8.06), (0.25, 8.0), (1.0, 2.5)]
        for s in (0.0, 0.5, 1.0, 2.0)
    ]
    target = pathlib.Path(__file__).with_name("detectors.json")
    target.write_text(json.dumps({
        "versions": {"river": "0.26.0", "scipy": scipy.__version__, "numpy": np.__version__},
        "cases": cases, "distances": distances, "run_lengths": run_lengths}, indent=1) + "\n")


main()
