"""Drift by numpy, scipy, Evidently and River: drift.py [--repeat N] [--skip NAME ...] [--small]

Prints a table in Markdown with the rows that `cargo bench -p noops-benches --bench drift` measures: the fastest of several runs, on data of the
same shape and law, all in memory before. One thread, as ours: set OMP_NUM_THREADS=1. Fails when an answer is wrong. --small takes a hundredth
of the rows, to see whether it runs.
"""

import argparse
import importlib.metadata
import math
import platform
import sys
import time
from collections.abc import Callable

import numpy


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--skip", nargs="*", default=[], choices=["numpy", "scipy", "evidently", "river"])
    parser.add_argument("--small", action="store_true")
    arguments = parser.parse_args()
    share = 100 if arguments.small else 1
    table = Table(arguments.repeat)
    parts = {"numpy": numpy_rows, "scipy": scipy_rows, "evidently": evidently_rows, "river": river_rows}
    for name, part in parts.items():
        if name not in arguments.skip:
            part(table, share)
    table.show()


class Table:
    """Measures, and keeps what was measured."""

    def __init__(self, repeat: int) -> None:
        self.repeat = repeat
        self.rows: list[tuple[str, str, float, str]] = []

    def add(self, group: str, peer: str, work: Callable, check: Callable[..., bool], rate: Callable[[float], str], repeat: int | None = None) -> None:
        fastest = math.inf
        for _ in range(repeat or self.repeat):
            start = time.perf_counter()
            answer = work()
            fastest = min(fastest, time.perf_counter() - start)
            if not check(answer):
                sys.exit(f"{group} by {peer}: wrong answer {answer}")
        self.rows.append((group, peer, fastest, rate(fastest)))
        print(f"{group} by {peer}: {duration(fastest)}", file=sys.stderr)

    def show(self) -> None:
        versions = ", ".join(f"{name} {importlib.metadata.version(name)}" for name in ("numpy", "scipy", "evidently", "pandas", "river"))
        print(f"Python {platform.python_version()}, {versions}; the fastest of {self.repeat} runs.\n")
        print("| group of ours | peer | fastest | rate |")
        print("| --- | --- | --- | --- |")
        for group, peer, seconds, rate in self.rows:
            print(f"| `{group}` | {peer} | {duration(seconds)} | {rate} |")


def numpy_rows(table: Table, share: int) -> None:
    rows = 16_000_000 // share
    generator = numpy.random.default_rng(2)
    values = generator.random(rows)
    reference = generator.random(200_000)

    def rate(seconds: float) -> str:
        return f"{8 * rows / seconds / 1e9:.2f} GB/s"

    total = math.fsum(values[:: max(1, rows // 1000)]) * max(1, rows // 1000)
    table.add("drift/observe-9-edges", "`numpy.sum` (read)", lambda: values.sum(), lambda found: abs(found - total) < 0.1 * total, rate)
    for edges in (9, 32, 256):
        bounds = numpy.quantile(reference, numpy.arange(1, edges + 1) / (edges + 1))
        expected = numpy.diff(numpy.searchsorted(numpy.sort(values), bounds, side="right"), prepend=0, append=rows)
        table.add(
            f"drift/observe-{edges}-edges",
            "`numpy.searchsorted` and `bincount`",
            lambda: numpy.bincount(numpy.searchsorted(bounds, values, side="left"), minlength=edges + 1),
            lambda found: numpy.array_equal(found, expected),
            rate,
            repeat=1,
        )
        # Its bins hold their lower bound and not their upper, which no value here is.
        around = numpy.concatenate([[-math.inf], bounds, [math.inf]])
        table.add(
            f"drift/observe-{edges}-edges",
            "`numpy.histogram`",
            lambda: numpy.histogram(values, around)[0],
            lambda found: numpy.array_equal(found, expected),
            rate,
            repeat=1,
        )


def scipy_rows(table: Table, share: int) -> None:
    import scipy.stats

    rows = 1_000_000 // share
    generator = numpy.random.default_rng(1)
    reference, current = generator.normal(0, 1, rows), generator.normal(0.01, 1, rows)
    # For equally many values, the mean distance of the i-th smallest of both.
    area = numpy.abs(numpy.sort(reference) - numpy.sort(current)).mean()

    def rate(seconds: float) -> str:
        return f"{2 * rows / seconds / 1e6:.1f} M values/s"

    def plausible(found) -> bool:
        return 0 <= found.pvalue <= 1

    table.add("drift/sort", "`numpy.sort`", lambda: numpy.sort(current), lambda found: found[0] == current.min(), lambda s: f"{rows / s / 1e6:.1f} M values/s")
    table.add("drift/ks", "`scipy.stats.ks_2samp`", lambda: scipy.stats.ks_2samp(reference, current), plausible, rate)
    table.add(
        "drift/wasserstein",
        "`scipy.stats.wasserstein_distance`",
        lambda: scipy.stats.wasserstein_distance(reference, current),
        lambda found: math.isclose(found, area, rel_tol=1e-9),
        rate,
    )
    table.add("drift/energy", "`scipy.stats.energy_distance`", lambda: scipy.stats.energy_distance(reference, current), lambda found: 0 < found < 1, rate)
    table.add("drift/mann-whitney", "`scipy.stats.mannwhitneyu`", lambda: scipy.stats.mannwhitneyu(reference, current), plausible, rate)
    table.add("drift/cramer-von-mises", "`scipy.stats.cramervonmises_2samp`", lambda: scipy.stats.cramervonmises_2samp(reference, current), plausible, rate)


def evidently_rows(table: Table, share: int) -> None:
    import pandas
    from evidently import Report
    from evidently.presets import DataDriftPreset

    rows, columns = 200_000 // share, 20
    generator = numpy.random.default_rng(3)

    def frame(mean: float) -> pandas.DataFrame:
        return pandas.DataFrame({f"c{place:04}": generator.normal(mean, 1, rows) for place in range(columns)})

    reference, current = frame(0.0), frame(0.01)
    report = Report([DataDriftPreset()])

    def columns_compared(found) -> bool:
        return sum("ValueDrift" in str(metric) for metric in found.dict()["metrics"]) >= columns

    table.add(
        "drift/comparison",
        "Evidently `DataDriftPreset`",
        lambda: report.run(current, reference),
        columns_compared,
        lambda seconds: f"{8 * rows * columns / seconds / 1e9:.4f} GB/s",
        repeat=1,
    )


def river_rows(table: Table, share: int) -> None:
    from river import drift

    rows = 100_000 // share
    generator = numpy.random.default_rng(4)
    # As in ours: an error rate that jumps from 0.2 to 0.8 in the middle.
    rates = numpy.where(numpy.arange(rows) < rows // 2, 0.2, 0.8)
    stream = (generator.random(rows) < rates).astype(float).tolist()

    def rate(seconds: float) -> str:
        return f"{rows / seconds / 1e6:.3f} M updates/s"

    def alarms(make: Callable) -> Callable[[], int]:
        def run() -> int:
            detector, found = make(), 0
            for value in stream:
                detector.update(value)
                found += detector.drift_detected
            return found

        return run

    kinds = {
        "drift/adwin": ("River `ADWIN`", drift.ADWIN),
        "drift/page-hinkley": ("River `PageHinkley`", drift.PageHinkley),
        "drift/detector (kswin)": ("River `KSWIN`", lambda: drift.KSWIN(seed=1)),
        "drift/detector (ddm)": ("River `DDM`", drift.binary.DDM),
        "drift/detector (eddm)": ("River `EDDM`", drift.binary.EDDM),
        "drift/detector (hddm-a)": ("River `HDDMA`", drift.binary.HDDMA),
        "drift/detector (hddm-w)": ("River `HDDMW`", drift.binary.HDDMW),
        "drift/detector (fhddm)": ("River `FHDDM`", drift.binary.FHDDM),
    }
    for group, (peer, make) in kinds.items():
        table.add(group, peer, alarms(make), lambda found: found > 0, rate, repeat=1)


def duration(seconds: float) -> str:
    for unit, size in (("s", 1.0), ("ms", 1e-3), ("µs", 1e-6)):
        if seconds >= size:
            return f"{seconds / size:.3g} {unit}"
    return f"{seconds * 1e9:.3g} ns"


if __name__ == "__main__":
    main()
