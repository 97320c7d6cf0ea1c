use super::*;

#[test]
fn every_condition_of_a_gate_is_needed() {
    let stage = ramping();
    let decided = |second, event: &RolloutEvent| stage.step(at(second), event).decision().cloned();
    assert_eq!(decided(159, &promote(200)), None);
    assert_eq!(decided(160, &promote(199)), None);
    let of_one_arm = RolloutEvent::Judged {
        verdict: RolloutVerdict::Promote,
        evidence: EvidenceSummary::new(margins(), 100, 5_000),
    };
    assert_eq!(decided(160, &of_one_arm), None);
    for verdict in [RolloutVerdict::Continue, RolloutVerdict::Insufficient] {
        assert_eq!(decided(160, &judged(verdict, 200)), None);
    }
    assert!(matches!(
        decided(160, &promote(200)),
        Some(Decision::Advance { .. })
    ));
}

#[test]
fn time_alone_promotes_nothing() {
    let stage = take(&ramping(), 150, &promote(500));
    assert_eq!(stage.stage(), ramping().stage());
    let step = stage.step(at(200), &RolloutEvent::Tick);
    assert_eq!(step.state(), &stage);
}

#[test]
fn a_share_that_is_not_in_force_bakes_nothing() {
    let shadow = in_force(&started(canary()), 0);
    let ramp = take(&shadow, 100, &promote(100));
    assert_eq!(ramp.step(at(500), &promote(5_000)).decision(), None);
    // In force at last: the bake begins, and what was judged before does not count.
    let seen = take(&ramp, 500, &promote(5_000));
    let late = in_force(&seen, 500);
    assert_eq!(late.baked(at(530)), Duration::from_secs(30));
    assert_eq!(late.step(at(560), &promote(5_099)).decision(), None);
    assert!(late.step(at(560), &promote(5_100)).decision().is_some());
}

#[test]
fn no_harm_suffices_where_the_gate_says_so() {
    let easy = gate().with_advance_on(AdvanceOn::NoHarm);
    let spec = RolloutSpec::canary(Some(easy), ramp(&[10_000], gate())).unwrap();
    let shadow = in_force(&started(spec), 0);
    let undecided = judged(RolloutVerdict::Continue, 100);
    assert!(shadow.step(at(60), &undecided).decision().is_some());
    let poor = judged(RolloutVerdict::Insufficient, 100);
    assert_eq!(shadow.step(at(60), &poor).decision(), None);
}

#[test]
fn harm_rolls_back_from_any_stage_at_once() {
    for stage in [started(canary()), ramping()] {
        let step = stage.step(at(0), &harm(0));
        assert_eq!(step.state().stage(), Stage::RolledBack);
        assert_eq!(step.state().because(), Some("latency"));
    }
}

#[test]
fn an_overdue_stage_is_rolled_back_by_default() {
    let stage = ramping();
    assert_eq!(stage.step(at(699), &RolloutEvent::Tick).decision(), None);
    for event in [
        RolloutEvent::Tick,
        judged(RolloutVerdict::Insufficient, 100),
        judged(RolloutVerdict::Continue, 5_000),
    ] {
        let step = stage.step(at(700), &event);
        assert_eq!(step.state().stage(), Stage::RolledBack, "{event:?}");
    }
}

#[test]
fn evidence_that_comes_with_the_deadline_still_counts() {
    let step = ramping().step(at(700), &promote(200));
    assert!(matches!(step.decision(), Some(Decision::Advance { .. })));
}

fn with(on_inconclusive: OnInconclusive) -> Rollout {
    let gate = gate().with_on_inconclusive(on_inconclusive);
    in_force(&started(RolloutSpec::shadow_only(gate).unwrap()), 0)
}

#[test]
fn an_extension_is_given_once() {
    let stage = with(OnInconclusive::ExtendOnce);
    let inconclusive = judged(RolloutVerdict::Inconclusive, 100);
    let step = stage.step(at(300), &inconclusive);
    assert_eq!(step.decision(), Some(&Decision::Extend));
    let extended = step.into_state();
    assert!(extended.is_extended());
    assert_eq!(extended.step(at(899), &inconclusive).decision(), None);
    assert!(extended.step(at(899), &promote(100)).decision().is_some());
    let over = extended.step(at(900), &RolloutEvent::Tick);
    assert_eq!(over.state().stage(), Stage::NotProven);
}

#[test]
fn a_hold_waits_for_a_person_and_still_protects() {
    let held = take(&with(OnInconclusive::Hold), 600, &RolloutEvent::Tick);
    assert!(held.is_held());
    let step = held.step(at(9_000), &promote(500));
    assert_eq!(step.ignored(), Some(Ignored::Held));
    assert_eq!(step.decision(), None);
    assert_eq!(held.step(at(99_000), &RolloutEvent::Tick).decision(), None);
    assert!(held.step(at(9_000), &harm(0)).state().is_final());

    let generation = held.generation();
    let resumed = take(&held, 9_000, &RolloutEvent::Resume { generation });
    assert!(!resumed.is_held());
    assert_eq!(
        resumed.step(at(9_599), &RolloutEvent::Tick).decision(),
        None
    );
    assert!(resumed.step(at(9_100), &promote(500)).decision().is_some());
}

#[test]
fn a_verdict_of_another_judge_says_nothing() {
    let foreign = |verdict| RolloutEvent::Judged {
        verdict,
        evidence: EvidenceSummary::new(other_margins(), 5_000, 5_000),
    };
    let because = "latency".to_owned();
    for verdict in [
        RolloutVerdict::Promote,
        RolloutVerdict::RollBack { because },
    ] {
        let stage = ramping();
        let step = stage.step(at(400), &foreign(verdict));
        assert_eq!(step.ignored(), Some(Ignored::ForeignEvidence));
        assert_eq!(step.state(), &stage);
    }
}

#[test]
fn a_verdict_on_fewer_events_than_before_does_not_promote() {
    let stage = take(&ramping(), 200, &judged(RolloutVerdict::Continue, 300));
    for (n_champion, n_candidate) in [(299, 299), (299, 400), (400, 299)] {
        let event = RolloutEvent::Judged {
            verdict: RolloutVerdict::Promote,
            evidence: EvidenceSummary::new(margins(), n_champion, n_candidate),
        };
        let step = stage.step(at(200), &event);
        assert_eq!(step.ignored(), Some(Ignored::StaleEvidence), "{event:?}");
        assert_eq!(step.state(), &stage);
    }
    assert!(stage.step(at(200), &harm(1)).state().is_final());
}

#[test]
fn a_clock_that_goes_backwards_makes_a_stage_younger() {
    let stage = ramping();
    assert_eq!(stage.baked(at(-100_000)), Duration::ZERO);
    assert_eq!(stage.step(at(-100_000), &promote(500)).decision(), None);
    let failed = take(&stage, -5, &harm(0));
    assert_eq!(failed.since(), at(100));
}

#[test]
fn a_step_that_is_thrown_away_has_no_effect() {
    let stage = ramping();
    let before = stage.clone();
    let denied = stage.step(at(200), &promote(200));
    assert!(denied.decision().is_some());
    drop(denied);
    assert_eq!(stage, before);
    assert!(stage.step(at(201), &promote(200)).decision().is_some());
}
