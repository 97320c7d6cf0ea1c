//! Tests of ranks and of distribution functions, each with the sorts that it takes.

use std::error::Error;
use std::hint::black_box;

use criterion::Criterion;
use noops_benches::normal_numbers;
use noops_canary::CanaryError;
use noops_canary::batch::{
    TestOutcome, TestSettings, brunner_munzel, hodges_lehmann, kolmogorov_smirnov, mann_whitney,
    wilcoxon_signed_rank,
};

use crate::measure::{group, peer, same};
use crate::peers;

pub(crate) fn bench(criterion: &mut Criterion) -> Result<(), Box<dyn Error>> {
    let large = Samples::of(ROWS);
    let small = Samples::of(FEW);
    let of_mann_whitney: [Peer; 2] = [
        ("anofox", peers::anofox_mann_whitney, 1e-9),
        ("hypors", peers::hypors_mann_whitney, 1e-9),
    ];
    compare(
        criterion,
        "mann-whitney",
        mann_whitney,
        &large,
        &of_mann_whitney,
    )?;
    // Fewer, because statrs finds each rank by a search through all values.
    let [anofox, hypors] = of_mann_whitney;
    let of_few = [
        ("statrs", peers::statrs_mann_whitney as Find, 1e-9),
        anofox,
        hypors,
    ];
    compare(criterion, "mann-whitney-few", mann_whitney, &small, &of_few)?;

    let anofox = ("anofox", peers::anofox_brunner_munzel as Find, 1e-9);
    compare(
        criterion,
        "brunner-munzel",
        brunner_munzel,
        &large,
        &[anofox],
    )?;
    let anofox = ("anofox", peers::anofox_wilcoxon as Find, 1e-9);
    compare(
        criterion,
        "wilcoxon",
        wilcoxon_signed_rank,
        &large,
        &[anofox],
    )?;
    // Kolmogorov's law, each with its own correction for finite samples.
    let anofox = ("anofox", peers::anofox_ks as Find, 1e-2);
    compare(
        criterion,
        "kolmogorov-smirnov",
        kolmogorov_smirnov,
        &large,
        &[anofox],
    )?;
    shift(criterion, &large)?;
    sorts(criterion, &large);
    Ok(())
}

fn compare(
    criterion: &mut Criterion,
    name: &str,
    test: Test,
    samples: &Samples,
    peers: &[Peer],
) -> Result<(), Box<dyn Error>> {
    let n = samples.champion.len();
    let mut group = group(criterion, name, 2 * n);
    group.sample_size(10);
    let found = same(&mut group, "noops", n, || samples.ask(test));
    let p_value = found.ok_or("the test refuses its samples")?.p_value();
    for (name, find, tolerance) in peers {
        let find = || find(black_box(&samples.champion), black_box(&samples.candidate));
        peer(&mut group, name, n, p_value, *tolerance, find);
    }
    group.finish();
    Ok(())
}

/// The shift between the samples with its interval.
fn shift(criterion: &mut Criterion, samples: &Samples) -> Result<(), Box<dyn Error>> {
    let mut group = group(criterion, "hodges-lehmann", 2 * ROWS);
    group.sample_size(10);
    let found = same(&mut group, "noops", ROWS, || samples.ask(hodges_lehmann));
    let shift = found.and_then(|found| found.estimate());
    let shift = shift.ok_or("the samples have no shift")?;
    assert!((shift - SHIFT).abs() < 0.02);
    // They search for it as R does, to a tolerance.
    let find = || {
        let (champion, candidate) = (&samples.champion, &samples.candidate);
        peers::anofox_hodges_lehmann(black_box(champion), black_box(candidate))
    };
    peer(&mut group, "anofox", ROWS, shift, 1e-3, find);
    group.finish();
    Ok(())
}

/// The least that a test of ranks can cost without a radix sort.
fn sorts(criterion: &mut Criterion, samples: &Samples) {
    let mut group = group(criterion, "two-sorts", 2 * ROWS);
    group.sample_size(10);
    let lowest = same(&mut group, "floor-std-unstable", ROWS, || {
        [&samples.champion, &samples.candidate].map(|sample| {
            let mut sorted = black_box(sample).clone();
            sorted.sort_unstable_by(f64::total_cmp);
            sorted.first().copied()
        })
    });
    group.finish();
    assert!(lowest.iter().all(|value| value.is_some_and(|x| x < -3.0)));
}

struct Samples {
    champion: Vec<f64>,
    candidate: Vec<f64>,
}

impl Samples {
    fn of(rows: usize) -> Self {
        Self {
            champion: normal_numbers(1, rows, 0.0),
            candidate: normal_numbers(2, rows, SHIFT),
        }
    }

    fn ask(&self, test: Test) -> Option<TestOutcome> {
        let settings = TestSettings::default();
        test(
            black_box(&self.champion),
            black_box(&self.candidate),
            &settings,
        )
        .ok()
    }
}

type Test = fn(&[f64], &[f64], &TestSettings) -> Result<TestOutcome, CanaryError>;
type Find = fn(&[f64], &[f64]) -> Option<f64>;
/// A name, what finds the p-value, and how near it comes to ours.
type Peer = (&'static str, Find, f64);

const ROWS: usize = 200_000;
const FEW: usize = 5_000;
const SHIFT: f64 = 0.01;
