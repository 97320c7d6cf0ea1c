//! What the tools in use get wrong, each as a test that this one does not.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

use noops_canary::judge::{
    Judge, JudgeSpec, MetricKind, MetricSpec, Observation, Tolerance, Unit, Units, Verdict,
};
use noops_canary::{Arm, Assignment, Salt};
use noops_core::{Share, Timestamp};

fn share(ratio: f64) -> Share {
    Share::from_ratio(ratio).unwrap()
}

fn judge(metric: MetricSpec) -> Judge {
    let spec = JudgeSpec::new([metric])
        .unwrap()
        .with_units(Units::Independent);
    // As few outcomes as there are: nothing else shall stand in the way of a promotion.
    Judge::new(spec.with_min_outcomes(1)).unwrap()
}

fn tell(judge: &mut Judge, arm: Arm, value: f64) {
    let unit = Unit::of_number(judge.requests(arm));
    let values = [Some(value)];
    let observation = Observation::new(Timestamp::UNIX_EPOCH, unit, arm, share(0.5), &values);
    judge.observe(&observation).unwrap();
}

fn latency() -> MetricSpec {
    MetricSpec::new(
        "latency",
        MetricKind::Mean {
            lower: 0.0,
            upper: 200.0,
        },
    )
    .with_margin(Tolerance::relative(0.25).unwrap())
}

#[test]
fn a_hundredfold_latency_that_kayenta_passes_is_not_promoted() {
    // Kayenta #6278: ten points of 1 against seven of 100 and three of 1.
    let mut judge = judge(latency());
    for point in 0..10 {
        tell(&mut judge, Arm::Champion, 1.0);
        tell(
            &mut judge,
            Arm::Challenger,
            if point < 7 { 100.0 } else { 1.0 },
        );
        assert_ne!(judge.verdict(), Verdict::Promote);
    }
    // Forty more points like them, and it is rolled back.
    for point in 0..40 {
        tell(&mut judge, Arm::Champion, 1.0);
        tell(
            &mut judge,
            Arm::Challenger,
            if point % 10 < 7 { 100.0 } else { 1.0 },
        );
    }
    assert!(
        matches!(judge.verdict(), Verdict::RollBack { .. }),
        "{:?}",
        judge.verdict()
    );
}

#[test]
fn the_rank_test_flags_what_kayenta_passes() {
    use noops_canary::batch::{TestSettings, mann_whitney};
    let (champion, candidate) = (
        [1.0; 10],
        [
            100.0, 100.0, 100.0, 100.0, 100.0, 100.0, 100.0, 1.0, 1.0, 1.0,
        ],
    );
    let outcome = mann_whitney(&champion, &candidate, &TestSettings::default()).unwrap();
    assert!(outcome.p_value() < 0.01, "{}", outcome.p_value());
}

#[test]
fn sparse_errors_that_kayenta_passes_are_not_promoted() {
    // Kayenta #426: errors of six minutes, none of the champion's and 0, 1, 2, 1, 0, 0 of the candidate's: counts, not points.
    let margin = Tolerance::relative(0.25).unwrap();
    let errors = MetricSpec::new("errors", MetricKind::Events).with_margin(margin);
    let mut judge = judge(errors);
    for minute in [0, 1, 2, 1, 0, 0] {
        for _ in 0..minute {
            judge
                .observe_event("errors", Arm::Challenger, share(0.5))
                .unwrap();
        }
        assert_ne!(judge.verdict(), Verdict::Promote);
    }
    // Going on like that it is found soon.
    for _ in 0..8 {
        judge
            .observe_event("errors", Arm::Challenger, share(0.5))
            .unwrap();
    }
    assert!(
        matches!(judge.verdict(), Verdict::RollBack { .. }),
        "{:?}",
        judge.verdict()
    );
}

#[test]
fn no_data_neither_passes_nor_fails() {
    // Argo Rollouts calls it a success, Flagger a failure.
    assert!(matches!(
        judge(latency()).verdict(),
        Verdict::Insufficient { .. }
    ));
}

#[test]
fn a_candidate_that_cannot_be_told_from_the_champion_is_not_shipped_for_that() {
    // GrowthBook recommends shipping what is inconclusive.
    let mut judge = judge(latency());
    for point in 0..30 {
        let value = f64::from(point % 7) * 20.0;
        tell(&mut judge, Arm::Champion, value);
        tell(&mut judge, Arm::Challenger, value);
        assert_ne!(judge.verdict(), Verdict::Promote);
    }
    assert!(matches!(judge.verdict(), Verdict::Continue { .. }));
}

#[test]
fn a_long_rollout_does_not_fail_by_the_sum_of_its_failures() {
    // Flagger counts failed checks over the whole rollout and never forgets one.
    let margin = Tolerance::relative(0.25).unwrap();
    let mut judge = judge(MetricSpec::new("errors", MetricKind::Rate).with_margin(margin));
    for request in 0..40_000_u32 {
        let failed = f64::from(u8::from(request % 50 == 0));
        tell(&mut judge, Arm::Champion, failed);
        tell(&mut judge, Arm::Challenger, failed);
        if request % 1_000 == 0 {
            assert!(!matches!(judge.verdict(), Verdict::RollBack { .. }));
        }
    }
    assert_eq!(judge.verdict(), Verdict::Promote);
}

#[test]
fn both_arms_constant_and_different_give_the_same_verdict_every_time() {
    // Kayenta adds random noise there.
    let verdict = || {
        let mut judge = judge(latency());
        for _ in 0..200 {
            tell(&mut judge, Arm::Champion, 10.0);
            tell(&mut judge, Arm::Challenger, 60.0);
        }
        (judge.verdict(), judge.digest())
    };
    assert!(matches!(verdict().0, Verdict::RollBack { .. }));
    assert_eq!(verdict(), verdict());
}

#[test]
fn shares_below_a_per_cent_are_not_rounded_to_nothing_and_ten_per_cent_is_ten() {
    // iter8's weights gave 5.6 % instead of 10 %; others truncate 0.5 % to 0.
    for ppm in [5_000, 100_000] {
        let assignment = Assignment::new(Salt::new("rollout"), Share::from_ppm(ppm).unwrap());
        let units = 40_000;
        let served = (0..units)
            .filter(|n| assignment.arm(&format!("u{n}")) == Arm::Challenger)
            .count();
        let expected = f64::from(units) * f64::from(ppm) / 1e6;
        assert!(
            (served as f64 - expected).abs() < 5.0 * expected.sqrt(),
            "{served} of {expected}"
        );
    }
}

#[test]
fn a_candidate_that_is_down_is_rolled_back_within_a_dozen_requests() {
    let margin = Tolerance::relative(0.25).unwrap();
    let mut judge = judge(MetricSpec::new("errors", MetricKind::Rate).with_margin(margin));
    let mut requests = 0;
    while !matches!(judge.verdict(), Verdict::RollBack { .. }) {
        tell(&mut judge, Arm::Champion, 0.0);
        tell(&mut judge, Arm::Challenger, 1.0);
        requests += 1;
        assert!(requests <= 12);
    }
}
