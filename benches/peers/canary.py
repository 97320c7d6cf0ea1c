"""Canaries by scipy, statsmodels, gbstats and confseq: canary.py [--repeat N] [--skip NAME ...] [--small]

Prints a table in Markdown with the rows that `cargo bench -p noops-benches --bench canary` measures: the fastest of several runs, on data of the
same shape and law, all in memory before. One thread, as ours: set OMP_NUM_THREADS=1. Fails when an answer is wrong. --small takes a hundredth
of the rows, to see whether it runs. A package that is not installed is skipped, and the table says so.

    pip install numpy==1.26.4 pandas==1.5.3 scipy==1.17.1 statsmodels==0.15.0 gbstats==0.8.0
    pip install confseq==0.0.11   # builds C++: needs a compiler, CMake, Ninja or make, and the headers of Boost 1.70; runs with numpy below 2 only
"""

import argparse
import importlib
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
    parser.add_argument("--skip", nargs="*", default=[], choices=["scipy", "statsmodels", "gbstats", "confseq"])
    parser.add_argument("--small", action="store_true")
    arguments = parser.parse_args()
    share = 100 if arguments.small else 1
    table = Table(arguments.repeat)
    parts = {"scipy": scipy_rows, "statsmodels": statsmodels_rows, "gbstats": gbstats_rows, "confseq": confseq_rows}
    for name, part in parts.items():
        if name in arguments.skip:
            continue
        try:
            importlib.import_module(name)
        except ImportError as missing:
            table.absent.append(f"{name} ({missing})")
            continue
        part(table, share)
    table.show()


class Table:
    """Measures, and keeps what was measured."""

    def __init__(self, repeat: int) -> None:
        self.repeat = repeat
        self.rows: list[tuple[str, str, float, str]] = []
        self.absent: list[str] = []

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
        names = ("numpy", "scipy", "statsmodels", "gbstats", "confseq")
        print(f"Python {platform.python_version()}, {', '.join(map(version, names))}; the fastest of {self.repeat} runs.\n")
        for name in self.absent:
            print(f"Not measured: {name}.\n")
        print("| group of ours | peer | fastest | rate |")
        print("| --- | --- | --- | --- |")
        for group, peer, seconds, rate in self.rows:
            print(f"| `{group}` | {peer} | {duration(seconds)} | {rate} |")


def scipy_rows(table: Table, share: int) -> None:
    from scipy import stats

    rows = 200_000 // share
    generator = numpy.random.default_rng(1)
    champion, candidate = generator.normal(0, 1, rows), generator.normal(0.01, 1, rows)
    rate = values(2 * rows)

    def plausible(found) -> bool:
        return 0 <= found.pvalue <= 1

    tests = {
        "canary/welch": ("`ttest_ind`, with its interval", lambda: with_interval(stats.ttest_ind(candidate, champion, equal_var=False))),
        "canary/mann-whitney": ("`mannwhitneyu`", lambda: stats.mannwhitneyu(candidate, champion)),
        "canary/brunner-munzel": ("`brunnermunzel`", lambda: stats.brunnermunzel(champion, candidate)),
        "canary/wilcoxon": ("`wilcoxon`", lambda: stats.wilcoxon(candidate, champion, correction=True)),
        "canary/kolmogorov-smirnov": ("`ks_2samp`", lambda: stats.ks_2samp(champion, candidate)),
    }
    for group, (peer, test) in tests.items():
        table.add(group, f"scipy {peer}", test, plausible, rate)

    few = 5_000 // share
    table.add(
        "canary/mann-whitney-few",
        "scipy `mannwhitneyu`",
        lambda: stats.mannwhitneyu(candidate[:few], champion[:few], method="asymptotic"),
        plausible,
        values(2 * few),
    )
    # Every difference is formed, so a hundredth of the rows of ours; the memory is the square of them.
    paired = min(2_000, rows)
    table.add(
        "canary/hodges-lehmann",
        f"numpy `median` of all differences, {paired} rows a side, no interval",
        lambda: numpy.median(candidate[:paired, None] - champion[None, :paired]),
        lambda found: abs(found) < 1,
        values(2 * paired),
    )
    samples = max(20, 1_000 // share)
    table.add(
        "canary/permutation",
        "scipy `permutation_test` of means, 9,999 permutations",
        lambda: stats.permutation_test((candidate[:samples], champion[:samples]), mean_difference, vectorized=True, n_resamples=9_999, batch=1_000),
        plausible,
        values(2 * samples),
        repeat=1,
    )
    counts = [[100, 99_900], [40, 99_960]]
    table.add("canary/fisher", "scipy `fisher_exact`, no interval", lambda: stats.fisher_exact(counts), lambda found: math.isclose(found.pvalue, 4.106e-7, rel_tol=1e-3), calls)
    table.add(
        "canary/fisher",
        "scipy `odds_ratio`, with its interval",
        lambda: stats.contingency.odds_ratio(counts).confidence_interval(0.95),
        lambda found: 1 < found.low < 2.5 < found.high,
        calls,
    )
    observed = [821_588, 815_482]
    table.add("canary/srm-chi-square", "scipy `chisquare`", lambda: stats.chisquare(observed), lambda found: math.isclose(found.pvalue, 1.822e-6, rel_tol=1e-3), calls)
    area_rows(table, share)


def area_rows(table: Table, share: int) -> None:
    """The area under the curve and what is offline besides, none of which scipy has under its name."""
    from scipy import stats

    rows = 1_000_000 // share
    generator = numpy.random.default_rng(2)
    labels = generator.random(rows) < 0.1
    champion = numpy.where(labels, 0.2 + 0.8 * generator.random(rows), 0.8 * generator.random(rows))
    candidate = numpy.where(labels, 0.3 + 0.7 * generator.random(rows), 0.7 * generator.random(rows))
    rate = values(rows)

    # P(0.2 + 0.8 U > 0.8 V) for independent uniforms.
    expected = 1 - 0.5 * 0.75**2
    table.add(
        "canary/auc",
        "scipy `mannwhitneyu` over the pairs, no error",
        lambda: stats.mannwhitneyu(champion[labels], champion[~labels]).statistic / (labels.sum() * (~labels).sum()),
        lambda found: abs(found - expected) < 0.05,
        rate,
    )
    table.add(
        "canary/auc",
        "DeLong by scipy `rankdata` (Sun and Xu, 2014), one model",
        lambda: delong(stats.rankdata, [champion], labels),
        lambda found: abs(found[0][0] - expected) < 0.05 and found[1][0, 0] > 0,
        rate,
    )
    table.add(
        "canary/auc",
        "DeLong by scipy `rankdata`, two models",
        lambda: delong(stats.rankdata, [champion, candidate], labels),
        lambda found: found[0][1] > found[0][0],
        rate,
    )
    table.add("canary/auc", "`numpy.sort`", lambda: numpy.sort(champion), lambda found: found[0] == champion.min(), rate)

    def calibration() -> float:
        bins = numpy.minimum((champion * 15).astype(int), 14)
        gaps = numpy.bincount(bins, champion, 15) - numpy.bincount(bins, labels, 15)
        return numpy.abs(gaps).sum() / rows

    table.add("canary/calibration", "`numpy.bincount`, equal width", calibration, lambda found: 0.2 < found < 0.5, rate)

    groups = generator.integers(0, 8, rows)
    decisions = champion > 0.5

    def selection_rates() -> float:
        rates = numpy.bincount(groups, decisions, 8) / numpy.bincount(groups, minlength=8)
        return rates.max() - rates.min()

    table.add("canary/fairness", "`numpy.bincount`, the selection rates alone", selection_rates, lambda found: 0 <= found < 0.3, rate)

    few = max(100, 10_000 // share)
    picks = numpy.random.default_rng(3)

    def bootstrap() -> float:
        differences = []
        for _ in range(20):
            rows_of_draw = picks.integers(0, few, few)
            drawn = labels[rows_of_draw]
            areas, _ = delong(stats.rankdata, [champion[rows_of_draw], candidate[rows_of_draw]], drawn)
            differences.append(areas[1] - areas[0])
        return numpy.median(differences)

    table.add("canary/bootstrap-auc", "DeLong by scipy `rankdata`, 20 draws of ours' 200", bootstrap, lambda found: found > -0.2, values(20 * few))


def delong(rankdata: Callable, scores: list[numpy.ndarray], labels: numpy.ndarray) -> tuple[numpy.ndarray, numpy.ndarray]:
    """Areas and their covariance, by ranks within and across the classes."""
    above, below = labels.sum(), (~labels).sum()
    positives, negatives, areas = [], [], []
    for score in scores:
        high, low = score[labels], score[~labels]
        together = rankdata(numpy.concatenate([high, low]))
        positives.append((together[:above] - rankdata(high)) / below)
        negatives.append(1 - (together[above:] - rankdata(low)) / above)
        areas.append(positives[-1].mean())
    covariance = numpy.atleast_2d(numpy.cov(positives)) / above + numpy.atleast_2d(numpy.cov(negatives)) / below
    return numpy.array(areas), covariance


def statsmodels_rows(table: Table, share: int) -> None:
    from statsmodels.stats.contingency_tables import StratifiedTable, mcnemar
    from statsmodels.stats.proportion import confint_proportions_2indep, proportions_ztest
    from statsmodels.stats.weightstats import CompareMeans, DescrStatsW

    rows = 200_000 // share
    generator = numpy.random.default_rng(1)
    champion, candidate = generator.normal(0, 1, rows), generator.normal(0.01, 1, rows)

    def welch() -> tuple[float, tuple[float, float]]:
        compared = CompareMeans(DescrStatsW(candidate), DescrStatsW(champion))
        return compared.ttest_ind(usevar="unequal")[1], compared.tconfint_diff(usevar="unequal")

    table.add("canary/welch", "statsmodels `CompareMeans`, with its interval", welch, lambda found: 0 <= found[0] <= 1, values(2 * rows))

    def proportions() -> tuple[float, tuple[float, float]]:
        p_value = proportions_ztest([40, 100], [100_000, 100_000])[1]
        return p_value, confint_proportions_2indep(40, 100_000, 100, 100_000, method="newcomb")

    table.add("canary/two-proportions", "statsmodels `proportions_ztest`, with Newcombe's interval", proportions, lambda found: math.isclose(found[0], 3.8e-7, rel_tol=0.1), calls)
    table.add("canary/mc-nemar", "statsmodels `mcnemar`, exact", lambda: mcnemar([[9_000, 40], [60, 900]], exact=True).pvalue, lambda found: 0.04 < found < 0.08, calls)
    tables = [numpy.array([[100, 99_900], [40, 99_960]]), numpy.array([[200, 49_800], [120, 49_880]])]
    table.add("canary/mantel-haenszel", "statsmodels `StratifiedTable`", lambda: StratifiedTable(tables).test_null_odds().pvalue, lambda found: 0 <= found < 1e-9, calls)


def gbstats_rows(table: Table, share: int) -> None:
    from gbstats.frequentist.tests import FrequentistConfig, SequentialConfig, SequentialTwoSidedTTest, TwoSidedTTest
    from gbstats.models.statistics import SampleMeanStatistic
    from gbstats.utils import check_srm

    rows = 100_000 // share
    generator = numpy.random.default_rng(4)
    champion, candidate = generator.random(rows // 2), generator.random(rows // 2)
    # Its statistics are sums that a database has made; making them is not measured here.
    sums = [SampleMeanStatistic(n=len(arm), sum=float(arm.sum()), sum_squares=float((arm**2).sum())) for arm in (champion, candidate)]

    def covers(found) -> bool:
        lower, upper = found.ci
        return lower < upper and 0 <= found.p_value <= 1

    sequential = SequentialConfig(difference_type="absolute", sequential_tuning_parameter=10_000)
    table.add("canary/asymptotic-look", "gbstats `SequentialTwoSidedTTest`, from sums", lambda: SequentialTwoSidedTTest(*sums, sequential).compute_result(), covers, calls)
    fixed = FrequentistConfig(difference_type="absolute")
    table.add("canary/welch", "gbstats `TwoSidedTTest`, from sums", lambda: TwoSidedTTest(*sums, fixed).compute_result(), covers, calls)
    table.add("canary/srm-chi-square", "gbstats `check_srm`", lambda: check_srm([821_588, 815_482], [0.5, 0.5]), lambda found: math.isclose(found, 1.822e-6, rel_tol=1e-3), calls)


def confseq_rows(table: Table, share: int) -> None:
    from confseq import boundaries, quantiles
    from confseq.betting import betting_cs
    from confseq.predmix import predmix_empbern_twosided_cs

    many, few = 100_000 // share, 10_000 // share
    generator = numpy.random.default_rng(5)
    stream = generator.random(many)

    def covers(found) -> bool:
        lower, upper = found
        return lower[-1] < 0.5 < upper[-1]

    # A bound after every value, where ours keeps the state and gives a bound when asked.
    table.add("canary/bounded-mean-observe", "confseq `betting_cs`, 1,000 means", lambda: betting_cs(stream[:few], breaks=1_000, alpha=0.01), covers, values(few), repeat=1)
    table.add("canary/empirical-bernstein-observe", "confseq `predmix_empbern_twosided_cs`", lambda: predmix_empbern_twosided_cs(stream, alpha=0.01), covers, values(many))
    wins = int((stream < 0.5).sum())
    table.add(
        "canary/bernoulli-look",
        "confseq `bernoulli_confidence_interval`",
        lambda: boundaries.bernoulli_confidence_interval(wins, many, 0.01, 1_000, 0.01),
        lambda found: found[0] < 0.5 < found[1],
        calls,
    )
    table.add(
        "canary/quantile-look",
        "confseq `double_stitching_bound`, how many ranks from the median, without the values there",
        lambda: quantiles.double_stitching_bound(0.5, few, 0.01, 1_000),
        lambda found: 0 < float(found) < few,
        calls,
    )
    champion, candidate = stream[: few // 2], stream[few // 2 : few]
    table.add(
        "canary/quantile-comparison-look",
        "confseq `quantile_ab_p_value`",
        lambda: quantiles.quantile_ab_p_value(champion, candidate, 0.5, 1_000),
        lambda found: 0.001 < found <= 1,
        calls,
    )


def with_interval(found):
    found.confidence_interval(0.95)
    return found


def mean_difference(x: numpy.ndarray, y: numpy.ndarray, axis: int) -> numpy.ndarray:
    return numpy.mean(x, axis=axis) - numpy.mean(y, axis=axis)


def values(count: int) -> Callable[[float], str]:
    return lambda seconds: f"{count / seconds / 1e6:.3g} M values/s"


def calls(seconds: float) -> str:
    return f"{1 / seconds:,.0f} calls/s"


def version(name: str) -> str:
    try:
        return f"{name} {importlib.metadata.version(name)}"
    except importlib.metadata.PackageNotFoundError:
        return f"no {name}"


def duration(seconds: float) -> str:
    for unit, size in (("s", 1.0), ("ms", 1e-3), ("µs", 1e-6)):
        if seconds >= size:
            return f"{seconds / size:.3g} {unit}"
    return f"{seconds * 1e9:.3g} ns"


if __name__ == "__main__":
    main()
