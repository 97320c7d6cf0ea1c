//! How soon a judge finds harm and proves its absence.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

use noops_canary::Arm;
use noops_canary::judge::{
    Judge, JudgeSpec, MetricKind, MetricSpec, Observation, Tolerance, Unit, Units, Verdict,
};
use noops_core::{Share, Timestamp};
use noops_stats::SplitMix64;

/// The bad events of both arms until a verdict is final, at a share of a half, looked at after every event.
fn events_until_final(seed: u64, rate: f64, ratio: f64) -> (u32, Verdict) {
    let mut random = SplitMix64(seed.wrapping_mul(0xd1b5_4a32_d192_ed03));
    let margin = Tolerance::relative(0.25).unwrap();
    let errors = MetricSpec::new("errors", MetricKind::Rate).with_margin(margin);
    let spec = JudgeSpec::new([errors])
        .unwrap()
        .with_units(Units::Independent);
    let mut judge = Judge::new(spec).unwrap();
    let half = Share::from_ratio(0.5).unwrap();
    let mut events = 0;
    for request in 0..200_000 {
        let challenger = random.unit() < 0.5;
        let failed = random.unit() < if challenger { rate * ratio } else { rate };
        let arm = if challenger {
            Arm::Challenger
        } else {
            Arm::Champion
        };
        let values = [Some(f64::from(u8::from(failed)))];
        let unit = Unit::of_number(request);
        let observation = Observation::new(Timestamp::UNIX_EPOCH, unit, arm, half, &values);
        judge.observe(&observation).unwrap();
        if failed {
            events += 1;
            let verdict = judge.verdict();
            if matches!(verdict, Verdict::Promote | Verdict::RollBack { .. }) {
                return (events, verdict);
            }
        }
    }
    panic!("no verdict");
}

#[test]
fn twice_the_failures_are_rolled_back_after_a_hundred_and_fifteen_events() {
    let runs: Vec<(u32, Verdict)> = (0..200)
        .map(|seed| events_until_final(seed, 0.1, 2.0))
        .collect();
    let mean = runs
        .iter()
        .map(|(events, _)| f64::from(*events))
        .sum::<f64>()
        / 200.0;
    assert!(mean <= 115.0, "{mean}");
    let right = runs
        .iter()
        .filter(|(_, verdict)| *verdict != Verdict::Promote)
        .count();
    assert_eq!(right, 200);
}

#[test]
fn half_as_many_failures_again_are_rolled_back_after_two_hundred_and_sixty_events() {
    let runs: Vec<(u32, Verdict)> = (0..200)
        .map(|seed| events_until_final(seed, 0.1, 1.5))
        .collect();
    let mean = runs
        .iter()
        .map(|(events, _)| f64::from(*events))
        .sum::<f64>()
        / 200.0;
    assert!(mean <= 260.0, "{mean}");
}

#[test]
fn an_identical_candidate_is_promoted_after_a_median_of_seven_hundred_and_eighty_events() {
    let mut runs: Vec<(u32, Verdict)> = (0..101)
        .map(|seed| events_until_final(seed, 0.1, 1.0))
        .collect();
    let promoted = runs
        .iter()
        .filter(|(_, verdict)| *verdict == Verdict::Promote)
        .count();
    // scipy.stats.binom.sf(12, 101, 0.05) = 0.0016
    assert!(promoted >= 89, "{promoted}");
    runs.sort_by_key(|(events, _)| *events);
    assert!(runs[50].0 <= 780, "{}", runs[50].0);
}
