use noops_core::Probability;
use proptest::prelude::*;

use super::*;
use crate::assignment::Arm;
use crate::judge::{Judge, JudgeSettings};
use crate::paired::PairedSettings;

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(second).unwrap()
}

fn share(ppm: u32) -> Share {
    Share::from_ppm(ppm).unwrap()
}

/// Each stage stays at least 60 s and 100 pairs, at most 600 s.
fn plan() -> RolloutPlan {
    let gate = StageGate::new(Duration::from_secs(60), Duration::from_secs(600), 100);
    let ramp = [10_000, 500_000].map(|ppm| RampStage::new(share(ppm), gate));
    RolloutPlan::new(gate, ramp.to_vec()).unwrap()
}

fn judge(pairs: u64, difference: f64) -> Judge {
    let paired = PairedSettings::default().with_harm(0.05);
    let settings = JudgeSettings::default()
        .with_min_pairs(100)
        .with_paired(paired);
    let mut judge = Judge::new(settings).unwrap();
    for pair in 0..pairs {
        let champion = Probability::new(0.3).unwrap();
        let candidate = Probability::new(0.3 + difference).unwrap();
        judge.observe_pair(pair / 10, champion, candidate);
    }
    judge.close_before(pairs / 10);
    judge
}

fn promote(pairs: u64) -> Judgement {
    let judgement = judge(pairs, -0.09).verdict();
    assert_eq!(judgement.verdict(), Verdict::Promote);
    judgement
}

fn undecided(pairs: u64) -> Judgement {
    let judgement = judge(pairs, 0.002).verdict();
    assert!(matches!(judgement.verdict(), Verdict::Continue { .. }));
    judgement
}

fn harmful() -> Judgement {
    let mut judge = judge(0, 0.0);
    for _ in 0..30 {
        judge.observe_failure(Arm::Challenger, share(100_000));
    }
    judge.verdict()
}

/// Says nothing about any pair.
fn empty() -> Judgement {
    judge(0, 0.0).verdict()
}

fn started() -> Rollout {
    Rollout::start("r-1".to_owned(), plan(), at(0))
}

fn first() -> Stage {
    Stage::Ramp {
        index: 0,
        share: share(10_000),
    }
}

fn second() -> Stage {
    Stage::Ramp {
        index: 1,
        share: share(500_000),
    }
}

#[test]
fn a_good_candidate_walks_the_whole_plan() {
    let mut rollout = started();
    let stages = [(100, 300), (200, 400), (300, 500)].map(|(second, pairs)| {
        let judgement = promote(pairs);
        let transition = rollout.step(at(second), &judgement).unwrap();
        rollout.apply(at(second), transition, &judgement)
    });
    assert_eq!(stages, [first(), second(), Stage::Promoted]);
    assert_eq!(rollout.share(), Share::FULL);
    assert_eq!(rollout.generation(), 3);
}

#[test]
fn the_shadow_stage_is_left_only_on_evidence() {
    let rollout = started();
    assert_eq!(rollout.step(at(100), &undecided(300)), None);
    assert_eq!(rollout.step(at(59), &promote(300)), None);
    assert_eq!(
        rollout.step(at(60), &promote(300)),
        Some(Transition::Advance { to: first() })
    );
    assert_eq!(rollout.share(), Share::ZERO);
}

#[test]
fn pairs_are_counted_anew_in_each_stage() {
    let mut rollout = started();
    let transition = rollout.step(at(100), &promote(300)).unwrap();
    rollout.apply(at(100), transition, &promote(300));
    assert_eq!(rollout.step(at(200), &promote(390)), None);
    assert_eq!(rollout.pairs_in_stage(&promote(390)), 90);
    assert_eq!(
        rollout.step(at(200), &undecided(400)),
        Some(Transition::Advance { to: second() })
    );
}

#[test]
fn a_saved_rollout_proposes_and_applies_what_an_unbroken_one_does() {
    let mut unbroken = started();
    let text = serde_json::to_string(&unbroken).unwrap();
    // Looks in between leave no trace, so it does not matter that the save was made before them.
    assert_eq!(unbroken.step(at(30), &promote(300)), None);
    let mut replayed: Rollout = serde_json::from_str(&text).unwrap();
    let judgement = promote(300);
    let proposed = unbroken.step(at(100), &judgement);
    assert_eq!(replayed.step(at(100), &judgement), proposed);
    for rollout in [&mut unbroken, &mut replayed] {
        rollout.apply(at(100), proposed.unwrap(), &judgement);
    }
    assert_eq!(unbroken, replayed);
    assert_eq!(replayed.pairs_in_stage(&promote(350)), 50);
}

#[test]
fn an_older_judgement_does_not_make_the_next_stage_count_pairs_twice() {
    let mut rollout = started();
    rollout.apply(at(100), Transition::Advance { to: first() }, &promote(300));
    rollout.apply(at(200), Transition::Advance { to: second() }, &empty());
    assert_eq!(rollout.pairs_in_stage(&promote(310)), 10);
}

#[test]
fn the_last_stage_promotes_only_on_standing_evidence() {
    let mut rollout = started();
    rollout.apply(at(0), Transition::Advance { to: first() }, &empty());
    rollout.apply(at(0), Transition::Advance { to: second() }, &empty());
    assert_eq!(rollout.step(at(100), &undecided(300)), None);
    assert_eq!(
        rollout.step(at(100), &promote(300)),
        Some(Transition::Promote)
    );
}

#[test]
fn harm_rolls_back_from_any_stage_at_once() {
    let because = Cause::FailureRate;
    let mut rollout = started();
    assert_eq!(
        rollout.step(at(0), &harmful()),
        Some(Transition::RollBack { because })
    );
    rollout.apply(at(0), Transition::Advance { to: first() }, &empty());
    let transition = rollout.step(at(1), &harmful()).unwrap();
    assert_eq!(
        rollout.apply(at(1), transition, &harmful()),
        Stage::RolledBack { because }
    );
    assert_eq!(rollout.share(), Share::ZERO);
}

#[test]
fn an_overdue_stage_is_rolled_back_as_inconclusive() {
    let rollout = started();
    assert_eq!(rollout.step(at(599), &undecided(300)), None);
    let because = Cause::Inconclusive;
    assert_eq!(
        rollout.step(at(600), &undecided(300)),
        Some(Transition::RollBack { because })
    );
}

#[test]
fn stale_transitions_change_nothing() {
    let mut rollout = started();
    assert_eq!(
        rollout.apply(at(1), Transition::Promote, &empty()),
        Stage::Shadow
    );
    assert_eq!(
        rollout.apply(at(1), Transition::Advance { to: second() }, &empty()),
        Stage::Shadow
    );
    assert_eq!(rollout.generation(), 0);
    rollout.apply(at(1), Transition::Advance { to: first() }, &empty());
    rollout.apply(at(2), Transition::Advance { to: first() }, &empty());
    assert_eq!(
        (rollout.stage(), rollout.generation(), rollout.since()),
        (first(), 1, at(1))
    );
}

#[test]
fn a_clock_that_goes_backwards_opens_no_gate() {
    let mut rollout = Rollout::start("r-1".to_owned(), plan(), at(1000));
    assert_eq!(rollout.step(at(-100_000), &promote(300)), None);
    rollout.apply(at(-5), Transition::Advance { to: first() }, &empty());
    assert_eq!(rollout.since(), at(1000));
}

proptest! {
    #[test]
    fn final_stages_absorb_and_shares_only_rise_before(
        moves in prop::collection::vec((0i64..2000, 0u8..5), 1..40),
    ) {
        let mut rollout = started();
        let (good, open, bad) = (promote(300), undecided(300), harmful());
        for (second, choice) in moves {
            let before = rollout.clone();
            let judgement = match choice {
                0 | 1 => &good,
                2 | 3 => &open,
                _ => &bad,
            };
            let proposed = rollout.step(at(second), judgement);
            prop_assert_eq!(&rollout, &before);
            if let Some(transition) = proposed {
                prop_assert!(!before.stage().is_final());
                rollout.apply(at(second), transition, judgement);
            }
            let rolled_back = matches!(rollout.stage(), Stage::RolledBack { .. });
            prop_assert!(rolled_back || rollout.share() >= before.share());
            let json = serde_json::to_string(&rollout).unwrap();
            prop_assert_eq!(&rollout, &serde_json::from_str::<Rollout>(&json).unwrap());
        }
    }
}
