use super::*;

fn resume(rollout: &Rollout) -> RolloutEvent {
    RolloutEvent::Resume {
        generation: rollout.generation(),
    }
}

fn promote_now(rollout: &Rollout) -> RolloutEvent {
    RolloutEvent::PromoteNow {
        generation: rollout.generation(),
        by: "ada".to_owned(),
    }
}

fn changed(rollout: &Rollout) -> RolloutEvent {
    RolloutEvent::SpecChanged {
        generation: rollout.generation(),
        judge: other_margins(),
    }
}

#[test]
fn a_pause_stops_advances_promotion_and_deadlines() {
    let paused = take(&ramping(), 130, &RolloutEvent::Pause);
    assert!(paused.is_paused());
    for event in [promote(500), promote_now(&paused)] {
        let step = paused.step(at(400), &event);
        assert_eq!(step.ignored(), Some(Ignored::Paused));
        assert_eq!(step.state(), &paused);
    }
    let tick = paused.step(at(99_000), &RolloutEvent::Tick);
    assert_eq!(tick.state(), &paused);
    assert_eq!(paused.baked(at(99_000)), Duration::from_secs(30));
}

#[test]
fn protection_is_never_paused() {
    let paused = take(&ramping(), 130, &RolloutEvent::Pause);
    assert_eq!(take(&paused, 131, &harm(0)).stage(), Stage::RolledBack);
}

#[test]
fn a_stage_does_not_age_during_a_pause() {
    let paused = take(&ramping(), 130, &RolloutEvent::Pause);
    let resumed = take(&paused, 1_130, &resume(&paused));
    assert_eq!(resumed.baked(at(1_131)), Duration::from_secs(31));
    let in_force = in_force(&resumed, 1_131);
    // The acknowledgement of the share came before the pause and still holds.
    assert_eq!(in_force.step(at(1_159), &promote(200)).decision(), None);
    assert!(in_force.step(at(1_160), &promote(200)).decision().is_some());
    assert_eq!(
        in_force.step(at(1_699), &RolloutEvent::Tick).decision(),
        None
    );
    assert!(
        in_force
            .step(at(1_700), &RolloutEvent::Tick)
            .state()
            .is_final()
    );
}

#[test]
fn a_share_put_in_force_during_a_pause_bakes_from_the_resumption() {
    let shadow = started(canary());
    let paused = take(&shadow, 10, &RolloutEvent::Pause);
    let applied = in_force(&paused, 500);
    let resumed = take(&applied, 1_000, &resume(&applied));
    assert_eq!(resumed.baked(at(1_030)), Duration::from_secs(30));
}

#[test]
fn a_late_resumption_does_not_end_a_later_pause() {
    let first = take(&ramping(), 130, &RolloutEvent::Pause);
    let word = resume(&first);
    let resumed = take(&first, 140, &word);
    let second = take(&resumed, 150, &RolloutEvent::Pause);
    let step = second.step(at(160), &word);
    assert_eq!(step.ignored(), Some(Ignored::StaleGeneration));
    assert!(step.state().is_paused());
}

#[test]
fn a_person_promotes_from_any_stage_and_it_is_recorded() {
    for stage in [started(canary()), ramping(), started(blue_green())] {
        let step = stage.step(at(101), &promote_now(&stage));
        assert_eq!(step.decision(), Some(&Decision::Promote));
        assert_eq!(step.state().promoted_by(), Some("ada"));
    }
    let shadow = started(shadow_only());
    let step = shadow.step(at(101), &promote_now(&shadow));
    assert_eq!(step.ignored(), Some(Ignored::NeverMovesTraffic));
}

#[test]
fn a_promotion_that_was_asked_for_in_another_generation_is_ignored() {
    let word = promote_now(&started(canary()));
    let step = ramping().step(at(101), &word);
    assert_eq!(step.ignored(), Some(Ignored::StaleGeneration));
}

#[test]
fn a_person_aborts_at_any_time() {
    let reason = "freeze".to_owned();
    let abort = RolloutEvent::Abort { reason };
    let paused = take(&ramping(), 130, &RolloutEvent::Pause);
    for stage in [started(shadow_only()), ramping(), paused] {
        let step = stage.step(at(131), &abort);
        assert_eq!(step.state().stage(), Stage::Aborted);
        assert_eq!(step.state().because(), Some("freeze"));
        assert_eq!(step.state().share(), Share::ZERO);
    }
}

#[test]
fn changed_margins_start_a_new_test() {
    let stage = take(&ramping(), 110, &promote(5_000));
    let step = stage.step(at(120), &changed(&stage));
    assert_eq!(step.decision(), Some(&Decision::Restart));
    let restarted = in_force(step.state(), 120);
    assert_eq!(restarted.stage(), Stage::Shadow);
    assert_eq!(restarted.judge(), other_margins());
    assert_eq!(restarted.n_candidate_in_stage(), 0);
    // The old evidence is foreign, and the new judge counts from zero.
    let old = restarted.step(at(400), &promote(9_000));
    assert_eq!(old.ignored(), Some(Ignored::ForeignEvidence));
    let new = |events| RolloutEvent::Judged {
        verdict: RolloutVerdict::Promote,
        evidence: EvidenceSummary::new(other_margins(), events, events),
    };
    assert_eq!(restarted.step(at(400), &new(99)).decision(), None);
    assert!(restarted.step(at(400), &new(100)).decision().is_some());
}

#[test]
fn a_pause_outlives_changed_margins() {
    let paused = take(&ramping(), 130, &RolloutEvent::Pause);
    let restarted = take(&paused, 140, &changed(&paused));
    assert!(restarted.is_paused());
    assert_eq!(restarted.stage(), Stage::Shadow);
}

#[test]
fn margins_that_did_not_change_restart_nothing() {
    let stage = ramping();
    let same = RolloutEvent::SpecChanged {
        generation: stage.generation(),
        judge: margins(),
    };
    let step = stage.step(at(120), &same);
    assert_eq!(step.ignored(), Some(Ignored::AlreadySo));
    assert_eq!(step.state(), &stage);
}

#[test]
fn a_word_given_before_a_hold_or_a_pause_does_not_outlive_it() {
    let gate = gate().with_on_inconclusive(OnInconclusive::Hold);
    let spec = RolloutSpec::canary(None, ramp(&[10_000], gate)).unwrap();
    let stage = in_force(&started(spec), 0);
    let held = take(&stage, 600, &RolloutEvent::Tick);
    let step = held.step(at(601), &promote_now(&stage));
    assert_eq!(step.ignored(), Some(Ignored::StaleGeneration));

    let paused = take(&held, 602, &RolloutEvent::Pause);
    let step = paused.step(at(603), &resume(&held));
    assert_eq!(step.ignored(), Some(Ignored::StaleGeneration));
    let resumed = take(&paused, 604, &resume(&paused));
    assert!(!resumed.is_paused() && !resumed.is_held());
}
