use super::*;

/// Walks on good evidence from stage to stage, and returns the stages.
fn walk(spec: RolloutSpec) -> Vec<Stage> {
    let mut rollout = started(spec);
    let mut stages = vec![rollout.stage()];
    for round in 1..10 {
        rollout = in_force(&rollout, round * 100);
        let events = 100 * u64::try_from(round).unwrap();
        rollout = take(&rollout, round * 100 + 60, &promote(events));
        if stages.last() != Some(&rollout.stage()) {
            stages.push(rollout.stage());
        }
    }
    stages
}

#[test]
fn a_good_candidate_walks_every_form_to_its_end() {
    let ramp = |index, ppm| Stage::Ramp {
        index,
        share: share(ppm),
    };
    assert_eq!(
        walk(canary()),
        [
            Stage::Shadow,
            ramp(0, 10_000),
            ramp(1, 500_000),
            Stage::Promoted
        ]
    );
    let without_shadow = RolloutSpec::canary(None, super::ramp(&[10_000], gate())).unwrap();
    assert_eq!(walk(without_shadow), [ramp(0, 10_000), Stage::Promoted]);
    let without_ramp = RolloutSpec::canary(Some(gate()), Vec::new()).unwrap();
    assert_eq!(walk(without_ramp), [Stage::Shadow, Stage::Promoted]);
    assert_eq!(
        walk(blue_green()),
        [Stage::Verify, Stage::Bake, Stage::Promoted]
    );
    assert_eq!(walk(shadow_only()), [Stage::Shadow, Stage::Proven]);
    let ring = |index, ppm| Stage::Ring {
        index,
        share: share(ppm),
    };
    assert_eq!(
        walk(rings()),
        [
            ring(0, 1_000),
            ring(1, 50_000),
            ring(2, 1_000_000),
            Stage::Promoted
        ]
    );
}

#[test]
fn a_blue_green_rollout_switches_at_once_and_back_at_once() {
    let green = in_force(&started(blue_green()), 0);
    let switched = green.step(at(60), &promote(100));
    assert_eq!(
        switched.decision(),
        Some(&Decision::Advance { to: Stage::Bake })
    );
    assert_eq!(switched.state().share(), Share::FULL);
    let back = switched.state().step(at(61), &harm(101));
    let because = "latency".to_owned();
    assert!(back.commands().contains(&Command::RollBack {
        generation: back.state().generation(),
        because,
    }));
    assert_eq!(back.state().share(), Share::ZERO);
}

#[test]
fn at_the_full_share_the_champion_needs_no_events() {
    let green = in_force(&started(blue_green()), 0);
    let bake = in_force(&take(&green, 60, &promote(100)), 60);
    let judged = |n_candidate| RolloutEvent::Judged {
        verdict: RolloutVerdict::Promote,
        evidence: EvidenceSummary::new(margins(), 100, n_candidate),
    };
    assert_eq!(bake.step(at(120), &judged(199)).decision(), None);
    let step = bake.step(at(120), &judged(200));
    assert_eq!(step.decision(), Some(&Decision::Promote));
}

#[test]
fn a_shadow_only_rollout_fails_as_not_proven() {
    for event in [harm(0), RolloutEvent::Tick] {
        let step = started(shadow_only()).step(at(600), &event);
        let finding = Stage::NotProven;
        assert_eq!(step.decision(), Some(&Decision::Conclude { finding }));
        assert!(step.state().because().is_some());
        assert!(!step.commands().iter().any(|command| matches!(
            command,
            Command::SetShare { .. } | Command::RollBack { .. } | Command::Promote { .. }
        )));
    }
}

#[test]
fn rings_are_found_by_the_index_of_their_stage() {
    let spec = rings();
    assert_eq!(spec.ring(1).map(Ring::name), Some("pilot"));
    assert_eq!(spec.ring(3), None);
    assert_eq!(canary().ring(0), None);
}

#[test]
fn a_specification_that_cannot_work_is_refused() {
    let hour = Duration::from_secs(3600);
    let refused = |gate| RolloutSpec::shadow_only(gate).unwrap_err();
    assert_eq!(
        refused(StageGate::new(hour * 2, hour, 1)),
        CanaryError::GateDurations { stage: 0 }
    );
    for gate in [
        StageGate::new(hour, hour, 0),
        StageGate::new(Duration::ZERO, Duration::ZERO, 1),
    ] {
        assert!(matches!(refused(gate), CanaryError::Setting { .. }));
    }
    assert!(matches!(
        RolloutSpec::canary(None, Vec::new()).unwrap_err(),
        CanaryError::Specification { .. }
    ));
    for shares in [&[0][..], &[10_000, 10_000], &[50_000, 10_000]] {
        let refused = RolloutSpec::canary(None, ramp(shares, gate())).unwrap_err();
        assert!(matches!(refused, CanaryError::ShareNotRaised { .. }));
    }
    for names in [["lab", "lab"], ["lab", ""]] {
        let shares = [1_000, 2_000].map(share);
        let listed = names.iter().zip(shares);
        let listed = listed.map(|(name, share)| Ring::new(*name, share, gate()));
        let refused = RolloutSpec::rings(listed.collect()).unwrap_err();
        assert!(matches!(refused, CanaryError::Specification { .. }));
    }
}

#[test]
fn the_full_share_is_never_reached_without_evidence() {
    let easy = gate().with_advance_on(AdvanceOn::NoHarm);
    let refused = [
        RolloutSpec::shadow_only(easy),
        RolloutSpec::blue_green(easy, gate()),
        RolloutSpec::blue_green(gate(), easy),
        RolloutSpec::canary(Some(easy), Vec::new()),
        RolloutSpec::canary(None, ramp(&[10_000, 500_000], easy)),
        RolloutSpec::canary(Some(easy), ramp(&[1_000_000], gate())),
    ];
    for spec in refused {
        let error = spec.unwrap_err().to_string();
        assert!(error.contains("`advance_on`"), "{error}");
    }
    assert!(RolloutSpec::canary(Some(easy), ramp(&[10_000], gate())).is_ok());
}

#[test]
fn different_specifications_have_different_digests() {
    let specs = [
        canary(),
        blue_green(),
        rings(),
        shadow_only(),
        canary().with_cool_down(Duration::from_secs(1)),
        canary().with_quarantine(Quarantining::For(Duration::from_secs(1))),
    ];
    let digests: std::collections::BTreeSet<_> = specs.iter().map(RolloutSpec::digest).collect();
    assert_eq!(digests.len(), specs.len());
}
