use noops_core::Alpha;

use super::{normal, normal_reference};
use crate::sequential::{
    CategoryBet, CategoryReference, ColumnReference, DriftAspect, DriftMonitor, KsBand,
    Observation, PitBet,
};
use crate::testing::{Draws as _, SplitMix64};

/// The mean number of rows until the alarm, and the aspect that led most often.
fn delay(seed: u64, draw: impl Fn(&mut SplitMix64) -> f64) -> (f64, Option<DriftAspect>) {
    let mut random = SplitMix64(seed);
    let runs = 40;
    let mut rows = 0;
    let mut aspects = Vec::new();
    for _ in 0..runs {
        let mut gate = PitBet::new(normal_reference(20_000, &mut random), Alpha::ONE_PERCENT);
        while !gate.evidence().alarmed() && gate.rows() < 5_000 {
            gate.observe(draw(&mut random));
        }
        rows += gate.rows();
        aspects.push(gate.evidence().aspect());
    }
    aspects.sort_unstable();
    (rows as f64 / f64::from(runs), aspects[aspects.len() / 2])
}

#[test]
fn shifts_of_location_and_spread_are_found_within_their_targets() {
    let (full, aspect) = delay(1, |random| 1.0 + normal(random));
    assert!(full <= 60.0, "{full}");
    assert_eq!(aspect, Some(DriftAspect::Location));
    let (half, aspect) = delay(2, |random| 0.5 + normal(random));
    assert!(half <= 150.0, "{half}");
    assert_eq!(aspect, Some(DriftAspect::Location));
    let (wide, aspect) = delay(3, |random| 1.5 * normal(random));
    assert!(wide <= 180.0, "{wide}");
    assert_eq!(aspect, Some(DriftAspect::Spread));
}

#[test]
fn a_jump_of_the_missing_rate_is_found_and_named() {
    let (rows, aspect) = delay(4, |random| {
        if random.unit() < 0.1 {
            f64::NAN
        } else {
            normal(random)
        }
    });
    assert!(rows <= 60.0, "{rows}");
    assert_eq!(aspect, Some(DriftAspect::Missingness));
}

#[test]
fn values_that_are_no_longer_missing_are_found_too() {
    let mut random = SplitMix64(8);
    let reference = normal_reference(1_400, &mut random).with_missing(600);
    let mut gate = PitBet::new(reference, Alpha::ONE_PERCENT);
    for _ in 0..100 {
        gate.observe(normal(&mut random));
    }
    assert!(gate.evidence().alarmed());
    assert_eq!(gate.evidence().aspect(), Some(DriftAspect::Missingness));
}

#[test]
fn a_change_after_a_long_quiet_time_is_found_nearly_as_fast() {
    let mut random = SplitMix64(6);
    let mut gate = PitBet::new(normal_reference(20_000, &mut random), Alpha::ONE_PERCENT);
    let quiet = 500_000;
    (0..quiet).for_each(|_| gate.observe(normal(&mut random)));
    assert!(!gate.evidence().alarmed());
    while !gate.evidence().alarmed() && gate.rows() < quiet + 5_000 {
        gate.observe(1.0 + normal(&mut random));
    }
    assert!(gate.rows() - quiet <= 150, "{}", gate.rows() - quiet);
}

#[test]
fn the_band_finds_half_a_standard_deviation_and_says_where() {
    let mut random = SplitMix64(9);
    let mut band = KsBand::new(normal_reference(20_000, &mut random), Alpha::FIVE_PERCENT);
    for _ in 0..600 {
        band.observe(0.5 + normal(&mut random));
    }
    let reading = band.look();
    assert!(reading.alarmed_at().is_some_and(|rows| rows <= 500));
    // The two distribution functions are furthest apart half way between their means.
    assert!(reading.at().is_some_and(|at| (at - 0.25).abs() < 0.5));
}

#[test]
fn a_category_that_grew_is_found_and_named() {
    let mut random = SplitMix64(10);
    let reference = CategoryReference::new(&[14_000, 5_000, 1_000]).unwrap();
    let mut gate = CategoryBet::new(reference, Alpha::ONE_PERCENT);
    while !gate.evidence().alarmed() && gate.rows() < 5_000 {
        let counts = random.counts(&[0.6, 0.2, 0.2], 1);
        gate.observe(counts.iter().position(|count| *count == 1).unwrap());
    }
    assert!(gate.rows() <= 150, "{}", gate.rows());
    assert_eq!(gate.evidence().aspect(), Some(DriftAspect::Category(2)));
}

#[test]
fn a_flood_of_unlisted_categories_is_found_and_named() {
    let mut gate = CategoryBet::new(
        CategoryReference::new(&[5_000, 5_000]).unwrap(),
        Alpha::ONE_PERCENT,
    );
    for _ in 0..10 {
        gate.observe(0);
        gate.observe(1);
        gate.observe(77);
    }
    assert!(gate.evidence().alarmed());
    assert_eq!(gate.evidence().aspect(), Some(DriftAspect::Unlisted));
}

#[test]
fn a_monitor_lists_the_columns_that_moved_and_no_other() {
    let mut random = SplitMix64(12);
    let mut columns: Vec<ColumnReference> = ["still", "moved", "wide"]
        .iter()
        .map(|name| ColumnReference::number(*name, normal_reference(20_000, &mut random)))
        .collect();
    let cities = CategoryReference::new(&[10_000, 10_000]).unwrap();
    columns.push(ColumnReference::category("city", cities));
    let mut monitor = DriftMonitor::new(&columns, Alpha::ONE_PERCENT).unwrap();
    for offset in 0..400 {
        let row = [
            Observation::Number(normal(&mut random)),
            Observation::Number(1.0 + normal(&mut random)),
            Observation::Number(2.0 * normal(&mut random)),
            Observation::Category(usize::from(random.unit() < 0.5)),
        ];
        monitor.observe(offset, &row).unwrap();
    }
    let evidence = monitor.evidence();
    assert!(evidence.alarmed_at().is_some_and(|row| row < 100));
    assert_eq!(evidence.drifted().collect::<Vec<_>>(), ["moved", "wide"]);
}
