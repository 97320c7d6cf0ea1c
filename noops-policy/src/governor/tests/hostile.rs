use std::num::NonZeroU32;

use super::*;

fn everything() -> GovernorSettings {
    let flap = FlapLimit::new(NonZeroU32::new(2).unwrap(), seconds(50));
    let backoff = Backoff::new(seconds(1), 2, seconds(8)).unwrap();
    GovernorSettings::default()
        .with_cooldown(Action::Promote, seconds(1))
        .with_backoff(Action::Promote, backoff)
        .with_budget(Action::Retrain, 3, seconds(60))
        .with_automatic(Action::Rollback, 2, seconds(60))
        .with_blast_radius(ActionClass::Safety, BlastRadius::new(3, seconds(60)))
        .with_total(TotalBudget::new(20, seconds(60)))
        .with_max_depth(3)
        .with_flap(flap)
        .with_permit_life(seconds(30))
}

fn used() -> Governor {
    let mut governor = Governor::new(everything());
    for (epoch, action) in [Action::Promote, Action::Rollback, Action::Promote]
        .into_iter()
        .enumerate()
    {
        let ask = request(action, &["a"], u64::try_from(epoch).unwrap());
        let second = 10 * i64::try_from(epoch).unwrap();
        let permit = governor.authorise(&ask, at(second)).unwrap();
        assert!(governor.execute(permit, at(second)).is_ok());
    }
    governor
}

#[test]
fn a_record_of_the_future_is_refused() {
    let good = serde_json::to_string(&used()).unwrap();
    assert_eq!(serde_json::from_str::<Governor>(&good).unwrap(), used());
    let latest = r#""latest":"1970-01-01T00:00:20Z""#;
    for (bad, message) in [
        (
            good.replace(latest, r#""latest":"1970-01-01T00:00:19Z""#),
            "after its latest time",
        ),
        (good.replace(latest, r#""latest":null"#), "no latest time"),
    ] {
        assert_ne!(good, bad);
        let error = serde_json::from_str::<Governor>(&bad).unwrap_err();
        assert!(error.to_string().contains(message), "{error}");
    }
    let unknown = good.replacen("\"switch\"", "\"swich\":1,\"switch\"", 1);
    assert!(serde_json::from_str::<Governor>(&unknown).is_err());
}

#[test]
fn an_oversized_state_is_refused() {
    let run = r#"{"action":"promote","target":"a","at":"1970-01-01T00:00:00Z"}"#;
    let state = |count| {
        let runs = vec![run; count].join(",");
        format!(
            r#"{{"settings":{{}},"switch":"running","latest":"1970-01-01T00:00:00Z","runs":[{runs}]}}"#
        )
    };
    assert!(serde_json::from_str::<Governor>(&state(Governor::MAX_RUNS)).is_ok());
    let error = serde_json::from_str::<Governor>(&state(Governor::MAX_RUNS + 1)).unwrap_err();
    assert!(error.to_string().contains("`4097` runs"), "{error}");
}

#[test]
fn memory_is_bounded_and_what_does_not_fit_is_refused() {
    let settings = GovernorSettings::default()
        .with_total(TotalBudget::new(u32::MAX, seconds(100)))
        .with_permit_life(seconds(100));
    let mut governor = Governor::new(settings);
    let ids: Vec<String> = (0..Targets::MAX).map(|id| id.to_string()).collect();
    let ids: Vec<&str> = ids.iter().map(String::as_str).collect();
    for epoch in 0..4 {
        let second = i64::try_from(epoch).unwrap();
        let ask = request(Action::Promote, &ids, epoch);
        assert!(governor.authorise(&ask, at(second)).is_ok());
    }
    let refusal = governor
        .authorise(&request(Action::Promote, &["a"], 9), at(50))
        .unwrap_err();
    assert_eq!(
        refusal.reason(),
        &RefusalReason::Full {
            limit: Governor::MAX_RUNS,
            until: Some(at(100))
        }
    );
    // What is recorded without asking pushes out the oldest, which is made up for by refusing until it would have ended.
    governor.record(Action::Promote, "a", at(99));
    assert_eq!(governor.runs.len(), Governor::MAX_RUNS);
    assert!(governor.check(Action::Promote, "b", at(99)).is_err());
    assert!(governor.check(Action::Promote, "b", at(100)).is_ok());
    assert_eq!(governor.keys.len(), 4);
    governor.record(Action::Promote, &"é".repeat(10_000), at(300));
    assert_eq!(governor.runs.len(), 1);
    assert!(governor.runs[0].target.len() <= Targets::MAX_ID);
    assert_eq!(governor.keys.len(), 0);
    let ask = request(Action::Promote, &["a"], 10);
    assert!(governor.authorise(&ask, at(301)).is_ok());
    assert_eq!(governor.keys.len(), 1);
}

#[test]
fn a_clock_that_goes_backwards_thaws_lapses_and_freshens_nothing() {
    let mut governor = used();
    assert_eq!(governor.frozen(at(-1_000_000)).count(), 1);
    assert!(governor.check(Action::Promote, "a", at(0)).is_err());
    let ask = request(Action::Retrain, &["b"], 70)
        .with_facts(FactBasis::new(Digest::ZERO, Timestamp::MIN));
    assert!(governor.authorise(&ask, Timestamp::MIN).is_ok());
    let strict = everything().with_max_fact_age(seconds(10));
    let mut strict = Governor::new(strict);
    strict.record(Action::Notify, "a", at(100));
    let old = request(Action::Retrain, &["b"], 71).with_facts(FactBasis::new(Digest::ZERO, at(80)));
    assert!(strict.authorise(&old, at(85)).is_err());
}

#[test]
fn times_and_durations_at_their_ends_do_not_overflow() {
    let backoff = Backoff::new(Duration::MAX, u32::MAX, Duration::MAX).unwrap();
    let settings = GovernorSettings::default()
        .with_backoff(Action::Promote, backoff.with_quiet(Duration::MAX))
        .with_total(TotalBudget::new(u32::MAX, Duration::MAX).with_safety_reserve(u32::MAX))
        .with_flap(FlapLimit::new(NonZeroU32::MIN, Duration::MAX).with_quiet(Duration::MAX))
        .with_max_fact_age(Duration::MAX)
        .with_permit_life(Duration::MAX)
        .with_fleet(
            FleetLimits::default()
                .with_max_age(Duration::MAX)
                .with_min_healthy(0),
        );
    let mut governor = Governor::new(settings);
    let fleet = Fleet::new("all", u64::MAX, u64::MAX, Timestamp::MIN).unwrap();
    let ask = |action, epoch| {
        request(action, &["a"], epoch)
            .with_facts(FactBasis::new(Digest::ZERO, Timestamp::MIN))
            .with_fleet(fleet.clone())
    };
    assert!(
        governor
            .authorise(&ask(Action::Promote, 1), Timestamp::MIN)
            .is_ok()
    );
    assert!(governor.authorise(&ask(Action::Promote, 2), at(0)).is_err());
    let permit = governor
        .authorise(&ask(Action::Rollback, 3), at(0))
        .unwrap();
    assert_eq!(permit.freezes(), ["a"]);
    assert!(governor.authorise(&ask(Action::Ramp, 4), at(1)).is_err());
    governor.record(Action::Promote, "a", Timestamp::MAX);
    assert_eq!(governor.forward(at(0)), Timestamp::MAX);
}

#[test]
fn a_cause_as_deep_as_can_be_is_refused_and_causes_nothing_deeper() {
    let mut governor = used();
    let permit = governor
        .authorise(&request(Action::Retrain, &["b"], 80), at(21))
        .unwrap();
    let json = serde_json::to_string(&permit.cause()).unwrap();
    let deepest = json.replace("\"depth\":1", "\"depth\":4294967295");
    let cause: Cause = serde_json::from_str(&deepest).unwrap();
    assert_eq!(cause.depth(), u32::MAX);
    let ask = request(Action::Retrain, &["b"], 81).with_cause(cause.clone());
    assert!(governor.authorise(&ask, at(21)).is_err());
    let tell = request(Action::Notify, &["b"], 82).with_cause(cause);
    let permit = governor.authorise(&tell, at(21)).unwrap();
    assert_eq!(permit.cause().depth(), u32::MAX);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn any_state_that_is_read_answers_and_a_stored_one_answers_alike(
        asks in prop::collection::vec((0_usize..14, 0_usize..4, -100_i64..100), 1..40)
    ) {
        let targets = ["a", "b", "c", "d"];
        let mut unbroken = Governor::new(everything());
        let mut clock = 0;
        for (epoch, (action, target, step)) in asks.into_iter().enumerate() {
            clock += step;
            let json = serde_json::to_string(&unbroken).unwrap();
            let mut resumed: Governor = serde_json::from_str(&json).unwrap();
            prop_assert_eq!(&resumed, &unbroken);
            let ask = request(
                Action::ALL[action],
                &[targets[target]],
                u64::try_from(epoch).unwrap(),
            );
            let dry = ask.clone().with_mode(Mode::DryRun);
            let rehearsed = resumed.authorise(&dry, at(clock)).map(|permit| permit.plan());
            prop_assert_eq!(&resumed, &unbroken);
            let before = unbroken.clone();
            let answer = unbroken.authorise(&ask, at(clock));
            prop_assert_eq!(&answer, &resumed.authorise(&ask, at(clock)));
            prop_assert_eq!(rehearsed, answer.as_ref().map(Permit::plan).map_err(Clone::clone));
            match answer {
                Ok(permit) => prop_assert!(unbroken.execute(permit, at(clock)).is_ok()),
                Err(refusal) => {
                    if !matches!(refusal.reason(), RefusalReason::Flapping { .. }) {
                        prop_assert_eq!(&unbroken, &before);
                    }
                }
            }
        }
    }
}
