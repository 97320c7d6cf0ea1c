use super::*;

fn set_share(rollout: &Rollout) -> Command {
    Command::SetShare {
        share: rollout.share(),
        generation: rollout.generation(),
    }
}

fn observed(generation: u64, ppm: u32) -> RolloutEvent {
    RolloutEvent::ShareObserved {
        generation,
        share: share(ppm),
    }
}

#[test]
fn a_command_is_repeated_until_it_is_acknowledged() {
    let rollout = started(canary());
    for second in 1..5 {
        let tick = rollout.step(at(second), &RolloutEvent::Tick);
        assert_eq!(tick.commands(), [set_share(&rollout)]);
        assert_eq!(tick.state(), &rollout);
    }
    let known = in_force(&rollout, 5);
    assert!(known.step(at(6), &RolloutEvent::Tick).commands().is_empty());
}

#[test]
fn promotion_rollback_and_quarantine_are_repeated_too() {
    let stage = ramping();
    let word = RolloutEvent::PromoteNow {
        generation: stage.generation(),
        by: "ada".to_owned(),
    };
    let promoted = take(&stage, 101, &word);
    let generation = promoted.generation();
    let tick = promoted.step(at(102), &RolloutEvent::Tick);
    assert_eq!(tick.commands(), [Command::Promote { generation }]);
    let done = in_force(&promoted, 103);
    assert!(
        done.step(at(104), &RolloutEvent::Tick)
            .commands()
            .is_empty()
    );

    let failed = take(&stage, 101, &harm(0));
    let both = failed.step(at(5_000), &RolloutEvent::Tick);
    assert!(matches!(
        both.commands(),
        [Command::RollBack { .. }, Command::Quarantine { .. }]
    ));
    let withdrawn = in_force(&failed, 5_001);
    let recorded = RolloutEvent::QuarantineRecorded {
        candidate: candidate(),
    };
    let tick = withdrawn.step(at(5_002), &RolloutEvent::Tick);
    assert!(matches!(tick.commands(), [Command::Quarantine { .. }]));
    let done = take(&withdrawn, 5_002, &recorded);
    assert!(
        done.step(at(5_003), &RolloutEvent::Tick)
            .commands()
            .is_empty()
    );
    let other = Digest::of(b"another");
    let foreign = RolloutEvent::QuarantineRecorded { candidate: other };
    let step = withdrawn.step(at(5_002), &foreign);
    assert_eq!(step.ignored(), Some(Ignored::NotCommanded));
}

#[test]
fn a_late_acknowledgement_is_ignored() {
    let shadow = started(canary());
    let late = applied(&shadow);
    let ramp = take(&in_force(&shadow, 0), 100, &promote(100));
    let step = ramp.step(at(101), &late);
    assert_eq!(step.ignored(), Some(Ignored::StaleGeneration));
    assert_eq!(step.state(), &ramp);
}

#[test]
fn an_acknowledgement_of_another_share_is_none() {
    let shadow = started(canary());
    let wrong = RolloutEvent::ShareApplied {
        generation: shadow.generation(),
        share: share(1),
    };
    let step = shadow.step(at(1), &wrong);
    assert_eq!(step.ignored(), Some(Ignored::NotCommanded));
    assert!(!step.state().is_acknowledged());
}

#[test]
fn a_router_that_was_moved_is_moved_back_and_the_bake_begins_again() {
    let stage = ramping();
    let step = stage.step(at(150), &observed(stage.generation(), 900_000));
    assert_eq!(step.commands(), [set_share(step.state())]);
    let back = in_force(step.state(), 155);
    assert_eq!(back.baked(at(160)), Duration::from_secs(5));
}

#[test]
fn a_router_that_cannot_be_asked_is_told_again_and_the_bake_goes_on() {
    let stage = ramping();
    let step = stage.step(at(150), &RolloutEvent::ShareUnknown);
    assert_eq!(step.commands(), [set_share(step.state())]);
    assert_eq!(step.state().step(at(160), &promote(200)).decision(), None);
    let back = in_force(step.state(), 155);
    assert!(back.step(at(160), &promote(200)).decision().is_some());
}

#[test]
fn an_old_copy_of_a_state_takes_the_traffic_away() {
    let stage = ramping();
    let ahead = stage.generation() + 5;
    for event in [
        observed(ahead, 500_000),
        RolloutEvent::ShareApplied {
            generation: ahead,
            share: Share::ZERO,
        },
    ] {
        let step = stage.step(at(150), &event);
        assert_eq!(step.state().stage(), Stage::RolledBack);
        assert!(step.state().generation() > ahead);
    }
}

#[test]
fn a_withdrawal_gets_past_a_router_that_is_ahead() {
    let failed = take(&ramping(), 150, &harm(0));
    let ahead = failed.generation() + 5;
    let step = failed.step(at(151), &observed(ahead, 500_000));
    assert_eq!(step.state().stage(), Stage::RolledBack);
    let generation = ahead + 1;
    let because = "latency".to_owned();
    assert!(step.commands().contains(&Command::RollBack {
        generation,
        because
    }));
}

#[test]
fn an_acknowledgement_from_before_the_router_was_moved_says_nothing() {
    let told = take(&started(canary()), 1, &promote(100));
    let obeyed = in_force(&told, 2);
    for (stage, befell) in [
        (&obeyed, observed(told.generation(), 900_000)),
        (&obeyed, observed(0, 900_000)),
        (&obeyed, RolloutEvent::ShareUnknown),
        // Moved before its acknowledgement was heard.
        (&told, observed(told.generation(), 900_000)),
    ] {
        let doubted = take(stage, 3, &befell);
        let step = doubted.step(at(4), &applied(&told));
        assert_eq!(step.ignored(), Some(Ignored::StaleGeneration), "{befell:?}");
        assert!(!step.state().is_acknowledged(), "{befell:?}");
        assert!(in_force(&doubted, 5).is_acknowledged(), "{befell:?}");
    }
}
