use super::*;

/// What must hold of every step, whatever came before.
pub(super) fn check(before: &Rollout, now: Timestamp, event: &RolloutEvent) -> Step {
    let step = before.step(now, event);
    let after = step.state();
    let context = || format!("{before:?}\n{event:?} at {now}\n{step:?}");

    assert!(after.generation() >= before.generation(), "{}", context());
    assert!(after.since() >= before.since(), "{}", context());
    if before.is_final() {
        assert_eq!(after.stage(), before.stage(), "{}", context());
        assert_eq!(step.decision(), None, "{}", context());
    }
    if after.stage() != before.stage() {
        assert!(after.generation() > before.generation(), "{}", context());
        assert!(step.decision().is_some(), "{}", context());
    }
    assert!(
        step.ignored().is_none() || step.decision().is_none(),
        "{}",
        context()
    );

    let verdict = match event {
        RolloutEvent::Judged { verdict, evidence } if evidence.judge() == before.judge() => {
            Some(verdict)
        }
        _ => None,
    };
    let proof = verdict == Some(&RolloutVerdict::Promote);
    let no_harm = verdict == Some(&RolloutVerdict::Continue)
        && before
            .gate()
            .is_some_and(|gate| gate.advance_on() == AdvanceOn::NoHarm)
        && after.share() < Share::FULL;
    let word = matches!(event, RolloutEvent::PromoteNow { .. });
    if after.share() > before.share() || step.decision() == Some(&Decision::Promote) {
        assert!(proof || no_harm || word, "{}", context());
        assert!(before.is_acknowledged() || word, "{}", context());
        assert!(!before.is_paused(), "{}", context());
        assert!(!before.is_held() || word, "{}", context());
    }
    if before.is_paused() && after.stage() != before.stage() {
        // Paused, a rollout can only lose traffic.
        assert!(after.share() <= before.share(), "{}", context());
        assert!(!matches!(event, RolloutEvent::Tick), "{}", context());
    }
    if before.spec().form() == RolloutForm::ShadowOnly {
        assert_eq!(after.share(), Share::ZERO, "{}", context());
    }
    for command in step.commands() {
        let fenced = match command {
            Command::SetShare { share, generation } => {
                assert_eq!(*share, after.share(), "{}", context());
                *generation
            }
            Command::Promote { generation } => {
                assert_eq!(after.stage(), Stage::Promoted, "{}", context());
                *generation
            }
            Command::RollBack { generation, .. } => {
                assert!(after.stage().is_failed(), "{}", context());
                *generation
            }
            Command::Quarantine { .. } => {
                assert!(after.stage().is_failed(), "{}", context());
                after.generation()
            }
            Command::Notify { generation, .. } => *generation,
        };
        assert_eq!(fenced, after.generation(), "{}", context());
    }

    // Doubled, an event does nothing more.
    assert_eq!(after.step(now, event).state(), after, "{}", context());
    step
}

/// Every kind of event, of the present and of other generations, in favour and against, with `more` events seen.
pub(super) fn events(rollout: &Rollout, more: u64) -> Vec<RolloutEvent> {
    let generation = rollout.generation();
    let seen = rollout.seen;
    let evidence = |judge, less: u64| {
        EvidenceSummary::new(
            judge,
            (seen.champion + more).saturating_sub(less),
            (seen.candidate + more).saturating_sub(less),
        )
    };
    let own = |verdict, less| RolloutEvent::Judged {
        verdict,
        evidence: evidence(rollout.judge(), less),
    };
    let because = || "harm".to_owned();
    let other = if rollout.judge() == margins() {
        other_margins()
    } else {
        margins()
    };
    let mut events = vec![
        RolloutEvent::Tick,
        own(RolloutVerdict::Promote, 0),
        own(RolloutVerdict::Promote, more + 1),
        own(RolloutVerdict::Continue, 0),
        own(RolloutVerdict::Insufficient, 0),
        own(RolloutVerdict::Inconclusive, 0),
        own(RolloutVerdict::RollBack { because: because() }, more + 1),
        RolloutEvent::Judged {
            verdict: RolloutVerdict::Promote,
            evidence: evidence(other, 0),
        },
        RolloutEvent::Pause,
        RolloutEvent::Abort { reason: because() },
        RolloutEvent::ShareUnknown,
        RolloutEvent::QuarantineRecorded {
            candidate: candidate(),
        },
    ];
    for generation in [generation - 1, generation] {
        events.extend([
            RolloutEvent::Resume { generation },
            RolloutEvent::PromoteNow {
                generation,
                by: "ada".to_owned(),
            },
            RolloutEvent::SpecChanged {
                generation,
                judge: other,
            },
        ]);
    }
    for generation in [generation - 1, generation, generation + 1] {
        for share in [rollout.share(), share(7)] {
            events.push(RolloutEvent::ShareApplied { generation, share });
            events.push(RolloutEvent::ShareObserved { generation, share });
        }
    }
    events
}

/// Every form, with every way to end without a conclusion, on gates of a few seconds and one event.
pub(super) fn small_specs() -> Vec<RolloutSpec> {
    let gate = |end| {
        StageGate::new(Duration::from_secs(1), Duration::from_secs(2), 1).with_on_inconclusive(end)
    };
    let (hold, back, extend) = (
        gate(OnInconclusive::Hold),
        gate(OnInconclusive::RollBack),
        gate(OnInconclusive::ExtendOnce),
    );
    let easy = back.with_advance_on(AdvanceOn::NoHarm);
    let ring = |name, ppm, gate| Ring::new(name, share(ppm), gate);
    [
        RolloutSpec::canary(Some(easy), ramp(&[10_000], hold)),
        RolloutSpec::canary(None, ramp(&[10_000, 500_000], extend)),
        RolloutSpec::blue_green(extend, hold),
        RolloutSpec::shadow_only(extend),
        RolloutSpec::rings(vec![ring("lab", 1_000, easy), ring("pilot", 9_000, back)]),
    ]
    .map(Result::unwrap)
    .to_vec()
}
