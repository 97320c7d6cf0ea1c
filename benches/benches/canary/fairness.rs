//! What eight groups of people get: a million labelled decisions.

use std::error::Error;
use std::hint::black_box;

use criterion::Criterion;
use noops_benches::SplitMix64;
use noops_canary::offline::fairness::{
    Disparity, FairnessSettings, FourFifthsSettings, GroupedMetrics, Groups, Predictions,
    four_fifths,
};

use crate::measure::{group, same};

pub(crate) fn bench(criterion: &mut Criterion) -> Result<(), Box<dyn Error>> {
    let rows = Rows::new();
    let names = (0..GROUPS).map(|place| format!("group {place}"));
    let groups = Groups::new(&rows.groups, names)?;
    let decided = Predictions::decisions(&rows.decisions)?;
    let labelled = Predictions::labelled(&rows.decisions, &rows.labels)?;

    let mut group = group(criterion, "fairness", ROWS);
    group.sample_size(10);
    let settings = FairnessSettings::default();
    let metrics = same(&mut group, "noops-decisions", ROWS, || {
        GroupedMetrics::of(black_box(&decided), &groups, &settings).ok()
    });
    let _ = same(&mut group, "noops-labelled", ROWS, || {
        GroupedMetrics::of(black_box(&labelled), &groups, &settings).ok()
    });
    let rates = same(&mut group, "floor-count", ROWS, || {
        selection_rates(black_box(&rows))
    });
    let metrics = metrics.ok_or("the rows do not fit their groups")?;
    let parity = Disparity::demographic_parity_difference();
    let parity = metrics.disparity(parity).ok_or("no disparity is defined")?;
    let highest = rates.iter().copied().fold(f64::MIN, f64::max);
    let lowest = rates.iter().copied().fold(f64::MAX, f64::min);
    assert!((parity.value() - (highest - lowest)).abs() < 1e-12);

    let disparities = same(&mut group, "noops-disparities", GROUPS, || {
        black_box(&metrics).disparities().len()
    });
    assert!(disparities > 0);
    let selections = metrics.selections();
    let report = same(&mut group, "noops-four-fifths", GROUPS, || {
        four_fifths(black_box(&selections), &FourFifthsSettings::default()).ok()
    });
    assert!(report.is_some_and(|report| report.groups().len() == GROUPS));
    group.finish();
    Ok(())
}

/// The least that it takes: the share of each group that is selected.
fn selection_rates(rows: &Rows) -> [f64; GROUPS] {
    let (mut selected, mut all) = ([0_u64; GROUPS], [0_u64; GROUPS]);
    for (group, decision) in rows.groups.iter().zip(&rows.decisions) {
        if let (Some(selected), Some(all)) = (selected.get_mut(*group), all.get_mut(*group)) {
            *selected += u64::from(*decision);
            *all += 1;
        }
    }
    let mut rates = [0.0; GROUPS];
    for (rate, (selected, all)) in rates.iter_mut().zip(selected.into_iter().zip(all)) {
        *rate = selected as f64 / all as f64;
    }
    rates
}

struct Rows {
    groups: Vec<usize>,
    decisions: Vec<bool>,
    labels: Vec<bool>,
}

impl Rows {
    /// A later group is selected a little less often, whatever its labels.
    fn new() -> Self {
        let mut generator = SplitMix64::new(1);
        let mut rows = Self {
            groups: Vec::with_capacity(ROWS),
            decisions: Vec::with_capacity(ROWS),
            labels: Vec::with_capacity(ROWS),
        };
        for _ in 0..ROWS {
            let group = (generator.next_f64() * GROUPS as f64) as usize;
            let label = generator.next_f64() < 0.3;
            let base = if label { 0.7 } else { 0.2 };
            let chance = base - 0.01 * group as f64;
            rows.groups.push(group);
            rows.labels.push(label);
            rows.decisions.push(generator.next_f64() < chance);
        }
        rows
    }
}

const ROWS: usize = 1_000_000;
const GROUPS: usize = 8;
