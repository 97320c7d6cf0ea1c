use noops_core::Alpha;

use super::{normal, normal_reference, reference_of};
use crate::sequential::{
    CategoryBet, CategoryReference, ColumnReference, DriftMonitor, KsBand, PitBet, ReferenceCdf,
};
use crate::testing::{Draws as _, SplitMix64};

const LOOKS: usize = 10_000;
const RUNS: usize = 100;
/// scipy.stats.binom.sf(12, 100, 0.05) is 0.0015: more alarms than this are not an error rate of 5 %.
const MOST_ALARMS: usize = 12;

/// How many of the gates of fresh references ever alarm on a stream from the same law.
fn alarms(seed: u64, rows: usize, draw: impl Fn(&mut SplitMix64) -> f64) -> usize {
    let mut random = SplitMix64(seed);
    let run = |_| {
        let reference = reference_of(rows, &mut || draw(&mut random));
        let mut gate = PitBet::new(reference, Alpha::FIVE_PERCENT);
        (0..LOOKS).for_each(|_| gate.observe(draw(&mut random)));
        gate.evidence().alarmed()
    };
    (0..RUNS).map(run).filter(|alarmed| *alarmed).count()
}

#[test]
fn unchanged_numbers_ever_alarm_at_most_at_alpha_for_small_and_large_references() {
    for rows in [500, 2_000, 20_000] {
        let found = alarms(rows as u64, rows, normal);
        assert!(found <= MOST_ALARMS, "{found} alarms at {rows} rows");
    }
}

#[test]
fn ties_inflated_zeros_and_missing_rows_ever_alarm_at_most_at_alpha() {
    let dice = |random: &mut SplitMix64| (random.unit() * 6.0).floor();
    let zeros = |random: &mut SplitMix64| {
        if random.unit() < 0.6 {
            0.0
        } else {
            normal(random).exp()
        }
    };
    let gaps = |random: &mut SplitMix64| {
        if random.unit() < 0.3 {
            f64::NAN
        } else {
            normal(random)
        }
    };
    for rows in [500, 2_000] {
        for found in [
            alarms(11, rows, dice),
            alarms(12, rows, zeros),
            alarms(13, rows, gaps),
        ] {
            assert!(found <= MOST_ALARMS, "{found} alarms at {rows} rows");
        }
    }
}

/// The same gate with a reference that claims to have a thousand times as many rows, so that its error is next to nothing.
#[test]
fn a_reference_taken_for_the_truth_alarms_far_too_often() {
    let mut random = SplitMix64(5);
    let mut found = 0;
    for _ in 0..RUNS {
        let honest = normal_reference(2_000, &mut random);
        let counts: Vec<u64> = honest.counts().iter().map(|count| count * 1_000).collect();
        let boast = ReferenceCdf::from_cells(honest.edges(), &counts).unwrap();
        let mut gate = PitBet::new(boast, Alpha::FIVE_PERCENT);
        (0..LOOKS).for_each(|_| gate.observe(normal(&mut random)));
        found += usize::from(gate.evidence().alarmed());
    }
    assert!(found > 2 * MOST_ALARMS, "{found} alarms");
}

#[test]
fn the_band_ever_alarms_at_most_at_alpha() {
    for rows in [500, 2_000, 20_000] {
        let mut random = SplitMix64(rows as u64 + 1);
        let mut found = 0;
        for _ in 0..RUNS {
            let mut band = KsBand::new(normal_reference(rows, &mut random), Alpha::FIVE_PERCENT);
            (0..LOOKS).for_each(|_| band.observe(normal(&mut random)));
            found += usize::from(band.look().alarmed_at().is_some());
        }
        assert!(found <= MOST_ALARMS, "{found} alarms at {rows} rows");
    }
}

#[test]
fn unchanged_categories_ever_alarm_at_most_at_alpha() {
    // The last two are unlisted and missing.
    let shares = [0.5, 0.3, 0.1, 0.05, 0.03, 0.02];
    let draw = |random: &mut SplitMix64| {
        let counts = random.counts(&shares, 1);
        counts.iter().position(|count| *count == 1).unwrap()
    };
    for rows in [500, 2_000, 20_000] {
        let mut random = SplitMix64(rows + 2);
        let mut found = 0;
        for _ in 0..RUNS / 2 {
            let counts = random.counts(&shares, rows);
            let reference = CategoryReference::new(&counts[..4])
                .unwrap()
                .with_unlisted(counts[4])
                .with_missing(counts[5]);
            let mut gate = CategoryBet::new(reference, Alpha::FIVE_PERCENT);
            for _ in 0..LOOKS {
                match draw(&mut random) {
                    5 => gate.observe_missing(),
                    place => gate.observe(place),
                }
            }
            found += usize::from(gate.evidence().alarmed());
        }
        // scipy.stats.binom.sf(8, 50, 0.05) is 0.0008.
        assert!(found <= 8, "{found} alarms at {rows} rows");
    }
}

#[test]
fn a_model_of_many_equal_columns_ever_alarms_at_most_at_alpha_and_lists_none() {
    let mut random = SplitMix64(21);
    let mut alarmed = 0;
    let mut listed = 0;
    for _ in 0..RUNS / 2 {
        let names = ["a", "b", "c", "d", "e", "f"];
        let columns =
            names.map(|name| ColumnReference::number(name, normal_reference(500, &mut random)));
        let mut monitor = DriftMonitor::new(&columns, Alpha::FIVE_PERCENT).unwrap();
        for offset in 0..2_000 {
            // Five columns are copies of one: e-BH and the mean allow any dependence.
            let shared = normal(&mut random);
            let row = [shared, shared, shared, shared, shared, normal(&mut random)];
            monitor.observe_numbers(offset, &row).unwrap();
        }
        let evidence = monitor.evidence();
        alarmed += usize::from(evidence.alarmed_at().is_some());
        listed += usize::from(evidence.drifted().next().is_some());
    }
    // scipy.stats.binom.sf(8, 50, 0.05) is 0.0008.
    assert!(
        alarmed <= 8 && listed <= 8,
        "{alarmed} alarms, {listed} lists"
    );
}
