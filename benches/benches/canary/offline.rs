//! Offline evaluation: a million labelled rows.

use std::error::Error;
use std::hint::black_box;

use criterion::Criterion;
use noops_benches::SplitMix64;
use noops_canary::batch::TestSettings;
use noops_canary::offline::{
    Binning, Evaluation, PairedBootstrap, ReliabilityCurve, area_under_curve, compare, delong_test,
};
use noops_core::Alpha;

use crate::measure::{group, peer, same};
use crate::peers;

pub(crate) fn bench(criterion: &mut Criterion) -> Result<(), Box<dyn Error>> {
    let rows = Rows::new(ROWS);
    areas(criterion, &rows)?;
    calibration(criterion, &rows)?;
    evaluation(criterion, &rows)?;
    bootstrap(criterion, &Rows::new(FEW))
}

fn areas(criterion: &mut Criterion, rows: &Rows) -> Result<(), Box<dyn Error>> {
    let mut group = group(criterion, "auc", ROWS);
    group.sample_size(10);
    let area = same(&mut group, "noops-delong", ROWS, || {
        area_under_curve(black_box(&rows.champion), &rows.labels).ok()
    });
    let area = area.ok_or("the area is undefined")?;
    assert!(area.standard_error().is_some());
    let paired = same(&mut group, "noops-delong-test", ROWS, || {
        let (champion, candidate) = (black_box(&rows.champion), black_box(&rows.candidate));
        delong_test(champion, candidate, &rows.labels, &TestSettings::default()).ok()
    });
    assert!(paired.is_some_and(|found| found.rejects(Alpha::ONE_PERCENT)));
    let find = || peers::anofox_area(black_box(&rows.champion), &rows.labels);
    peer(&mut group, "anofox", ROWS, area.value(), 1e-9, find);
    let _ = same(&mut group, "floor-sort", ROWS, || {
        let mut sorted = black_box(&rows.champion).clone();
        sorted.sort_unstable_by(f64::total_cmp);
        sorted.last().copied()
    });
    group.finish();
    Ok(())
}

fn calibration(criterion: &mut Criterion, rows: &Rows) -> Result<(), Box<dyn Error>> {
    let mut group = group(criterion, "calibration", ROWS);
    group.sample_size(10);
    for (name, binning) in [
        ("noops-equal-width", Binning::EqualWidth),
        ("noops-equal-count", Binning::EqualCount),
    ] {
        let found = same(&mut group, name, ROWS, || {
            let scores = black_box(&rows.champion);
            let curve = ReliabilityCurve::of(scores, &rows.labels, binning, BINS);
            curve.ok().map(|curve| curve.expected_calibration_error())
        });
        let error = found.ok_or("the curve is undefined")?;
        if binning == Binning::EqualWidth {
            let find = || peers::anofox_calibration(black_box(&rows.champion), &rows.labels, BINS);
            peer(&mut group, "anofox-equal-width", ROWS, error, 1e-6, find);
        }
    }
    let _ = same(&mut group, "floor-sum", ROWS, || {
        black_box(&rows.champion).iter().sum::<f64>()
    });
    group.finish();
    Ok(())
}

fn evaluation(criterion: &mut Criterion, rows: &Rows) -> Result<(), Box<dyn Error>> {
    let mut group = group(criterion, "evaluation", ROWS);
    group.sample_size(10);
    let found = same(&mut group, "noops", ROWS, || {
        Evaluation::of(black_box(&rows.champion), &rows.labels).ok()
    });
    assert!(found.is_some());
    let compared = same(&mut group, "noops-compare", ROWS, || {
        let (champion, candidate) = (black_box(&rows.champion), black_box(&rows.candidate));
        let alpha = Alpha::ONE_PERCENT;
        compare(champion, candidate, &rows.labels, &rows.blocks, 0.01, alpha).ok()
    });
    assert!(compared.is_some());
    group.finish();
    Ok(())
}

fn bootstrap(criterion: &mut Criterion, rows: &Rows) -> Result<(), Box<dyn Error>> {
    let bootstrap = PairedBootstrap::default().with_resamples(RESAMPLES);
    let area = |scores: &[f64], labels: &[bool]| {
        area_under_curve(scores, labels)
            .ok()
            .map(|area| area.value())
    };
    let mut group = group(criterion, "bootstrap-auc", FEW * RESAMPLES as usize);
    group.sample_size(10);
    let found = same(&mut group, "noops", FEW, || {
        let (champion, candidate) = (black_box(&rows.champion), black_box(&rows.candidate));
        let compared = bootstrap.compare_scores(champion, candidate, &rows.labels, &rows.own, area);
        compared.ok()
    });
    group.finish();
    let found = found.ok_or("the bootstrap refuses its rows")?;
    let interval = found.interval().ok_or("the bootstrap has no interval")?;
    assert!(interval.is_above(0.0));
    Ok(())
}

/// Rows of a rare class, with scores of two models of which the candidate is the better one.
struct Rows {
    champion: Vec<f64>,
    candidate: Vec<f64>,
    labels: Vec<bool>,
    /// A hundred blocks, as days would be.
    blocks: Vec<u64>,
    /// Each row its own block.
    own: Vec<u64>,
}

impl Rows {
    fn new(count: usize) -> Self {
        let mut generator = SplitMix64::new(1);
        let labels: Vec<bool> = (0..count).map(|_| generator.next_f64() < 0.1).collect();
        let mut scores = |skill: f64| -> Vec<f64> {
            let score = |label: &bool| {
                let chance = (1.0 - skill) * generator.next_f64();
                if *label { chance + skill } else { chance }
            };
            labels.iter().map(score).collect()
        };
        let (champion, candidate) = (scores(0.2), scores(0.3));
        let all = 0..count as u64;
        Self {
            champion,
            candidate,
            blocks: all.clone().map(|row| row % 100).collect(),
            own: all.collect(),
            labels,
        }
    }
}

const ROWS: usize = 1_000_000;
const FEW: usize = 10_000;
const BINS: usize = 15;
const RESAMPLES: u32 = 200;
