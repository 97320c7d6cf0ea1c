//! Assigning units to arms, and judging pairs.
//!
//! `cargo bench -p noops-benches --bench canary`

use std::error::Error;
use std::hint::black_box;

use criterion::{BenchmarkId, Criterion, Throughput};
use noops_benches::SplitMix64;
use noops_canary::{Judge, JudgeSettings, Salt, Verdict, bucket};
use noops_core::{LogE, Probability, UnitError};

fn main() -> Result<(), Box<dyn Error>> {
    let mut criterion = noops_benches::criterion();
    assign(&mut criterion);
    judge(&mut criterion)?;
    criterion.final_summary();
    Ok(())
}

fn assign(criterion: &mut Criterion) {
    let salt = Salt::new("checkout-42");
    let units: Vec<String> = (0..UNITS).map(|unit| format!("user-{unit:08}")).collect();
    let buckets = |units: &[String]| -> u64 {
        units
            .iter()
            .map(|unit| u64::from(bucket(&salt, unit)))
            .sum()
    };
    let hashes = |units: &[String]| -> u64 {
        units
            .iter()
            .map(|unit| fnv1a(salt.as_str(), unit))
            .fold(0, |all, hash| all ^ hash)
    };
    let (expected_buckets, expected_hashes) = (buckets(&units), hashes(&units));
    // Uniform buckets average half a million; a thousand of them stray by less than a tenth of that.
    assert!(
        (450_000..550_000).contains(&(expected_buckets / UNITS as u64)),
        "the buckets are not uniform"
    );

    let mut group = criterion.benchmark_group("canary/bucket");
    group.throughput(Throughput::Elements(UNITS as u64));
    group.bench_function(BenchmarkId::new("noops", UNITS), |bencher| {
        bencher.iter(|| {
            let sum = buckets(black_box(&units));
            assert_eq!(sum, expected_buckets);
            sum
        });
    });
    group.bench_function(BenchmarkId::new("floor-fnv1a", UNITS), |bencher| {
        bencher.iter(|| {
            let all = hashes(black_box(&units));
            assert_eq!(all, expected_hashes);
            all
        });
    });
    group.finish();
}

fn judge(criterion: &mut Criterion) -> Result<(), Box<dyn Error>> {
    let pairs = better_candidate()?;
    let empty = Judge::new(JudgeSettings::default())?;
    let judged = fill(&empty, &pairs);
    assert_eq!(judged.verdict().verdict(), Verdict::Promote);
    let mean = mean_difference(&pairs);
    assert!((mean + 0.03).abs() < 0.01);

    let mut group = criterion.benchmark_group("canary/observe-pair");
    group.throughput(Throughput::Elements(PAIRS as u64));
    group.bench_function(BenchmarkId::new("noops", PAIRS), |bencher| {
        bencher.iter(|| {
            let judge = fill(&empty, black_box(&pairs));
            assert_eq!(judge.loss().pairs(), PAIRS as u64);
            judge
        });
    });
    group.bench_function(BenchmarkId::new("floor-mean", PAIRS), |bencher| {
        bencher.iter(|| {
            let found = mean_difference(black_box(&pairs));
            assert_eq!(found, mean);
            found
        });
    });
    group.finish();

    let mut group = criterion.benchmark_group("canary/verdict");
    group.bench_function(BenchmarkId::new("noops", PAIRS), |bencher| {
        bencher.iter(|| {
            let judgement = black_box(&judged).verdict();
            assert_eq!(judgement.verdict(), Verdict::Promote);
            judgement
        });
    });
    group.bench_function(BenchmarkId::new("floor-thresholds", PAIRS), |bencher| {
        bencher.iter(|| {
            let promote = passes_thresholds(black_box(&judged));
            assert!(promote);
            promote
        });
    });
    group.finish();
    Ok(())
}

struct Pair {
    block: u64,
    champion: Probability,
    candidate: Probability,
}

/// A candidate that loses 0.03 less on average.
fn better_candidate() -> Result<Vec<Pair>, UnitError> {
    let mut generator = SplitMix64::new(3);
    (0..PAIRS)
        .map(|index| {
            let champion = 0.2 + 0.1 * generator.next_f64();
            let candidate = champion - 0.05 + 0.04 * generator.next_f64();
            Ok(Pair {
                block: index as u64 / PAIRS_PER_BLOCK,
                champion: Probability::new(champion)?,
                candidate: Probability::new(candidate)?,
            })
        })
        .collect()
}

fn fill(empty: &Judge, pairs: &[Pair]) -> Judge {
    let mut judge = empty.clone();
    for pair in pairs {
        judge.observe_pair(pair.block, pair.champion, pair.candidate);
    }
    judge.close_before(pairs.len() as u64 / PAIRS_PER_BLOCK);
    judge
}

fn mean_difference(pairs: &[Pair]) -> f64 {
    let sum: f64 = pairs
        .iter()
        .map(|pair| pair.candidate.get() - pair.champion.get())
        .sum();
    sum / pairs.len() as f64
}

/// The comparisons that a verdict comes down to, without the record of its evidence.
fn passes_thresholds(judge: &Judge) -> bool {
    let settings = judge.settings();
    let harmed = |evidence: LogE| evidence.get() >= (2.0 / settings.alpha_rollback().get()).ln();
    !harmed(judge.loss().worse())
        && !harmed(judge.failures().evidence())
        && judge.loss().pairs() >= settings.min_pairs()
        && judge.loss().not_worse().rejects(settings.alpha_promote())
}

fn fnv1a(salt: &str, unit: &str) -> u64 {
    let bytes = salt.bytes().chain(std::iter::once(0)).chain(unit.bytes());
    bytes.fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
    })
}

const UNITS: usize = 1_000;
const PAIRS: usize = 10_000;
const PAIRS_PER_BLOCK: u64 = 100;
