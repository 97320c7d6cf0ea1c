use noops_core::{Alpha, Share};
use proptest::prelude::*;
use serde_json::Value;

use super::*;
use crate::assignment::Arm;
use crate::sequential::counts::Concentrations;
use crate::simulation::Random;

fn at(ratio: f64) -> Share {
    Share::from_ratio(ratio).unwrap()
}

fn pair(candidate: f64) -> [Share; 2] {
    [at(1.0 - candidate), at(candidate)]
}

fn single(concentration: f64) -> AllocationSettings {
    AllocationSettings::default()
        .with_concentrations(Concentrations::single(concentration).unwrap())
}

/// The units until a mismatch is reported, `most` if none is before.
fn stop(
    settings: &AllocationSettings,
    said: f64,
    true_share: f64,
    most: u32,
    random: &mut Random,
) -> u32 {
    let mut watch = SampleRatioMismatch::new(2, settings.clone()).unwrap();
    let shares = pair(said);
    for unit in 1..=most {
        let arm = usize::from(random.uniform() < true_share);
        watch.observe(arm, &shares).unwrap();
        if watch.max_log_e().rejects(settings.alpha()) {
            return unit;
        }
    }
    most
}

#[test]
fn median_detection_times_are_those_published() {
    for (said, true_share, expected, runs) in [
        (0.1, 0.0556, 612.0, 301),
        (0.5, 0.45, 1_657.0, 301),
        (0.5, 0.48, 10_729.0, 101),
    ] {
        let mut random = Random::new(7);
        let mut stops: Vec<u32> = (0..runs)
            .map(|_| stop(&single(100.0), said, true_share, 60_000, &mut random))
            .collect();
        stops.sort_unstable();
        let median = f64::from(stops[runs / 2]);
        // The median of so many has a deviation of some 4 to 5 %.
        assert!(
            (median / expected - 1.0).abs() < 0.15,
            "{said} {true_share}: {median}"
        );
    }
}

#[test]
fn several_arms_agree_with_mpmath() {
    let all: Value = serde_json::from_str(include_str!("../../../testdata/counts.json")).unwrap();
    let rows = all["arms"].as_array().unwrap();
    assert!(!rows.is_empty());
    for row in rows {
        let numbers = |key: &str| -> Vec<u64> {
            let cells = row[key].as_array().unwrap();
            cells.iter().map(|cell| cell.as_u64().unwrap()).collect()
        };
        let shares: Vec<Share> = numbers("ppm")
            .iter()
            .map(|&ppm| Share::from_ppm(u32::try_from(ppm).unwrap()).unwrap())
            .collect();
        let settings = single(row["k"].as_f64().unwrap());
        let mut watch = SampleRatioMismatch::new(shares.len(), settings).unwrap();
        watch.observe_counts(&numbers("counts"), &shares).unwrap();
        let expected = row["log_e"].as_f64().unwrap();
        assert!(
            (watch.log_e().get() - expected).abs() < 1e-9,
            "{row}: {:?}",
            watch.log_e()
        );
    }
}

#[test]
fn right_shares_rarely_alarm_while_they_are_ramped() {
    let mut random = Random::new(3);
    let settings = AllocationSettings::default().with_alpha(Alpha::FIVE_PERCENT);
    let (mut strata, mut ramped) = (0, 0);
    for _ in 0..200 {
        let mut by_strata = SampleRatioMismatch::new(2, settings.clone()).unwrap();
        let mut by_grid = RampedSampleRatio::new(settings.clone());
        for unit in 0..2_000_u32 {
            let share = [0.01, 0.05, 0.25, 0.5][(unit / 500) as usize];
            let is_candidate = random.uniform() < share;
            by_strata
                .observe(usize::from(is_candidate), &pair(share))
                .unwrap();
            by_grid.observe(
                if is_candidate {
                    Arm::Challenger
                } else {
                    Arm::Champion
                },
                at(share),
            );
            if unit % 10 == 0 {
                by_grid.look();
            }
        }
        strata += usize::from(by_strata.verdict().is_mismatch());
        ramped += usize::from(by_grid.look().is_mismatch());
    }
    // scipy.stats.binom.sf(20, 200, 0.05) = 0.0011
    assert!(strata <= 20 && ramped <= 20, "{strata} {ramped}");
}

#[test]
fn what_was_learnt_at_one_share_counts_at_the_next() {
    // Every third exposure of the candidate is lost, in eight short stages.
    let mut ramped = RampedSampleRatio::new(AllocationSettings::default());
    let mut strata = SampleRatioMismatch::new(2, AllocationSettings::default()).unwrap();
    for stage in 1..=8_u32 {
        let share = 0.02 * f64::from(stage);
        let candidate = (600.0 * share * 2.0 / 3.0).round() as u64;
        let champion = (600.0 * (1.0 - share)).round() as u64;
        ramped.observe_counts(champion, candidate, at(share));
        strata
            .observe_counts(&[champion, candidate], &pair(share))
            .unwrap();
    }
    let verdict = ramped.look();
    assert!(verdict.is_mismatch(), "{verdict:?}");
    assert!(verdict.log_e() > strata.max_log_e());
}

#[test]
fn the_verdict_says_what_was_expected() {
    let mut watch = SampleRatioMismatch::new(2, AllocationSettings::default()).unwrap();
    watch.observe_counts(&[90, 10], &pair(0.1)).unwrap();
    watch.observe_counts(&[60, 40], &pair(0.5)).unwrap();
    let verdict = watch.verdict();
    let expected: Vec<f64> = verdict.arms().iter().map(ArmAllocation::expected).collect();
    assert!((expected[0] - 140.0).abs() < 1e-9 && (expected[1] - 60.0).abs() < 1e-9);
    assert_eq!(verdict.arms()[1].observed(), 50);
    let mut ramped = RampedSampleRatio::new(AllocationSettings::default());
    ramped.observe_counts(90, 10, at(0.1));
    ramped.observe_counts(60, 40, at(0.5));
    assert!((ramped.look().arms()[1].expected() - 60.0).abs() < 1e-9);
}

#[test]
fn a_unit_in_an_arm_without_a_share_is_a_mismatch() {
    let shares = [at(0.5), at(0.5), Share::ZERO];
    let mut watch = SampleRatioMismatch::new(3, AllocationSettings::default()).unwrap();
    watch.observe(2, &shares).unwrap();
    assert!(watch.verdict().is_mismatch());
    let stored = serde_json::to_string(&watch).unwrap();
    assert_eq!(
        serde_json::from_str::<SampleRatioMismatch>(&stored).unwrap(),
        watch
    );
    let mut ramped = RampedSampleRatio::new(AllocationSettings::default());
    ramped.observe(Arm::Challenger, Share::ZERO);
    assert!(ramped.look().is_mismatch());
}

#[test]
fn bad_input_is_refused_and_changes_nothing() {
    let mut watch = SampleRatioMismatch::new(2, AllocationSettings::default()).unwrap();
    watch.observe(1, &pair(0.5)).unwrap();
    let before = watch.clone();
    assert!(watch.observe(2, &pair(0.5)).is_err());
    assert!(watch.observe(0, &[at(0.5)]).is_err());
    assert!(watch.observe(0, &[at(0.5), at(0.4)]).is_err());
    assert!(watch.observe(0, &[Share::FULL, Share::ZERO]).is_err());
    assert!(watch.observe_counts(&[1], &pair(0.5)).is_err());
    assert_eq!(watch, before);
    for arms in [0, 1, usize::MAX] {
        assert!(SampleRatioMismatch::new(arms, AllocationSettings::default()).is_err());
    }
}

#[test]
fn a_tampered_state_is_refused() {
    let mut watch = SampleRatioMismatch::new(2, AllocationSettings::default()).unwrap();
    watch.observe_counts(&[900, 400], &pair(0.5)).unwrap();
    let stored = serde_json::to_value(&watch).unwrap();
    for (pointer, value) in [
        ("/max_log_e", Value::from(0.0)),
        ("/current", Value::from(7)),
        ("/arms", Value::from(3)),
        ("/strata/0/counts/0", Value::from(90_000)),
        ("/strata/0/shares/0", Value::from(1)),
    ] {
        let mut altered = stored.clone();
        *altered.pointer_mut(pointer).unwrap() = value;
        assert!(
            serde_json::from_value::<SampleRatioMismatch>(altered).is_err(),
            "{pointer}"
        );
    }
    let ramped = r#"{"settings":{},"strata":{},"max_log_e":9.0}"#;
    assert!(serde_json::from_str::<RampedSampleRatio>(ramped).is_err());
}

#[test]
fn the_chi_square_test_agrees_with_scipy() {
    // scipy.stats.chisquare([821588, 815482], [818535, 818535]) and ([50, 30, 40], [60, 36, 24]).
    let half = srm_chi_square(&[821_588, 815_482], &pair(0.5)).unwrap();
    assert!((half.statistic().unwrap() / CHI_HALF.0 - 1.0).abs() < 1e-12);
    assert!(
        (half.p_value() / CHI_HALF.1 - 1.0).abs() < 1e-10,
        "{}",
        half.p_value()
    );
    let three = srm_chi_square(&[50, 30, 40], &[at(0.5), at(0.3), at(0.2)]).unwrap();
    assert!(
        (three.p_value() / CHI_THREE.1 - 1.0).abs() < 1e-10,
        "{}",
        three.p_value()
    );
    assert!((three.statistic().unwrap() / CHI_THREE.0 - 1.0).abs() < 1e-12);
    assert_eq!(three.degrees_of_freedom(), 2);
    assert!(three.is_reliable());
}

#[test]
fn the_chi_square_test_refuses_what_has_no_ratio() {
    assert!(srm_chi_square(&[0, 0], &pair(0.5)).is_err());
    assert!(srm_chi_square(&[1], &[Share::FULL]).is_err());
    assert!(srm_chi_square(&[1, 2, 3], &pair(0.5)).is_err());
    let impossible = srm_chi_square(&[5, 5, 1], &[at(0.5), at(0.5), Share::ZERO]).unwrap();
    assert_eq!((impossible.p_value(), impossible.statistic()), (0.0, None));
    assert_eq!(
        srm_chi_square(&[u64::MAX, u64::MAX], &pair(0.5))
            .unwrap()
            .p_value(),
        1.0
    );
}

proptest! {
    #[test]
    fn resumed_watches_go_on_exactly(events in prop::collection::vec((0_usize..2, 0_usize..3, 0_u64..40), 1..40), cut in 0_usize..40) {
        let shares = [pair(0.1), pair(0.3), pair(0.5)];
        let mut unbroken = SampleRatioMismatch::new(2, AllocationSettings::default()).unwrap();
        let mut broken = unbroken.clone();
        let mut ramped = RampedSampleRatio::new(AllocationSettings::default());
        for (index, &(arm, stage, count)) in events.iter().enumerate() {
            if index == cut {
                broken = serde_json::from_str(&serde_json::to_string(&broken).unwrap()).unwrap();
                let again: RampedSampleRatio = serde_json::from_str(&serde_json::to_string(&ramped).unwrap()).unwrap();
                prop_assert_eq!(&again, &ramped);
            }
            let counts = if arm == 0 { [count, 0] } else { [0, count] };
            unbroken.observe_counts(&counts, &shares[stage]).unwrap();
            broken.observe_counts(&counts, &shares[stage]).unwrap();
            ramped.observe_counts(counts[0], counts[1], shares[stage][1]);
            ramped.look();
        }
        prop_assert_eq!(unbroken, broken);
    }
}

const CHI_HALF: (f64, f64) = (22.77436884189436, 1.8217928726191858e-06);
const CHI_THREE: (f64, f64) = (13.333333333333332, 0.0012726338013398094);
