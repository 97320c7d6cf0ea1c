use super::*;
use crate::shadow::PairedSettings;

fn two() -> Judge {
    let latency = MetricSpec::new(
        "latency",
        MetricKind::Mean {
            lower: 0.0,
            upper: 1.0,
        },
    )
    .with_margin(Tolerance::absolute(0.1).unwrap());
    judge([errors(), latency])
}

#[test]
fn values_that_cannot_be_are_refused_by_name_and_change_nothing() {
    let mut judge = two();
    alternate(&mut judge, 100, |request, _| {
        [flag(request % 9 == 0), Some(0.5)]
    });
    let before = judge.clone();
    let (nan, infinite) = (f64::NAN, f64::INFINITY);
    for (values, culprit) in [
        ([Some(nan), Some(0.5)], "errors"),
        ([Some(0.5), Some(0.5)], "errors"),
        ([Some(-1.0), Some(0.5)], "errors"),
        ([Some(2.0), Some(0.5)], "errors"),
        ([Some(infinite), Some(0.5)], "errors"),
        ([Some(0.0), Some(nan)], "latency"),
        ([Some(0.0), Some(-infinite)], "latency"),
        ([None, Some(infinite)], "latency"),
    ] {
        let observation =
            Observation::new(at(100), Unit::of("u"), Arm::Champion, share(0.5), &values);
        let error = judge.observe(&observation).unwrap_err().to_string();
        assert!(error.contains(culprit), "{error}");
        assert_eq!(judge, before);
    }
}

#[test]
fn a_wrong_number_of_values_is_refused_and_changes_nothing() {
    let mut judge = two();
    let before = judge.clone();
    for count in [0, 1, 3, 1_000] {
        let values = vec![Some(0.0); count];
        let observation =
            Observation::new(at(0), Unit::of("u"), Arm::Champion, share(0.5), &values);
        assert!(matches!(
            judge.observe(&observation),
            Err(CanaryError::Length { expected: 2, found, .. }) if found == count
        ));
        assert_eq!(judge, before);
    }
}

#[test]
fn time_may_run_backwards_only_as_far_as_is_allowed() {
    let mut judge = Judge::new(spec([errors()]).with_max_lateness_seconds(60)).unwrap();
    let values = [Some(0.0)];
    let mut see = |second: i64| {
        let observation = Observation::new(
            at(second),
            Unit::of("u"),
            Arm::Champion,
            share(0.5),
            &values,
        );
        judge.observe(&observation)
    };
    see(1_000).unwrap();
    see(940).unwrap();
    assert!(matches!(see(939), Err(CanaryError::TimeBackwards { .. })));
    // The latest request counts, not the last one.
    see(950).unwrap();
    assert!(see(939).is_err());
    assert!(see(i64::from(i32::MIN)).is_err());
    assert_eq!(judge.requests(Arm::Champion), 3);
}

#[test]
fn the_ends_of_time_are_no_trouble() {
    let mut judge = judge([errors()]);
    let values = [Some(0.0)];
    for moment in [Timestamp::MIN, Timestamp::MAX] {
        let observation =
            Observation::new(moment, Unit::of("u"), Arm::Champion, share(0.5), &values);
        judge.observe(&observation).unwrap();
    }
    assert!(!judge.judgement().explain().contains("NaN"));
}

#[test]
fn a_share_of_nothing_or_everything_proves_nothing() {
    for (arm, all) in [(Arm::Champion, Share::ZERO), (Arm::Challenger, Share::FULL)] {
        let mut judge = judge([errors()]);
        for request in 0..5_000 {
            let values = [flag(request % 3 == 0)];
            let unit = Unit::of_number(request);
            judge
                .observe(&Observation::new(at(0), unit, arm, all, &values))
                .unwrap();
        }
        assert!(
            matches!(judge.verdict(), Verdict::Insufficient { .. }),
            "{:?}",
            judge.verdict()
        );
    }
}

#[test]
fn metrics_of_another_name_or_kind_are_refused_and_change_nothing() {
    let events = MetricSpec::new("crashes", MetricKind::Events).with_margin(half_more());
    let pairs = MetricSpec::new("loss", MetricKind::Paired(PairedSettings::default()));
    let mut judge = judge([errors(), events, pairs]);
    let before = judge.clone();
    let zero = Probability::ZERO;
    for name in ["errors", "loss", "unknown", ""] {
        let error = judge
            .observe_event(name, Arm::Champion, share(0.5))
            .unwrap_err()
            .to_string();
        assert!(error.contains(&format!("`{name}`")), "{error}");
    }
    for name in ["errors", "crashes", "unknown", ""] {
        let error = judge
            .observe_pair(name, 0, zero, zero)
            .unwrap_err()
            .to_string();
        assert!(error.contains(&format!("`{name}`")), "{error}");
    }
    assert_eq!(judge, before);
}

#[test]
fn specifications_that_contradict_themselves_are_refused_by_name() {
    let absolute = Tolerance::absolute(0.1).unwrap();
    let tenth = Tolerance::relative(0.1).unwrap();
    let mean = |lower, upper| {
        MetricSpec::new("m", MetricKind::Mean { lower, upper }).with_margin(absolute)
    };
    let tail = |quantile, learn_from| {
        let quantile = Probability::new(quantile).unwrap();
        MetricSpec::new(
            "m",
            MetricKind::Tail {
                quantile,
                learn_from,
            },
        )
        .with_margin(tenth)
    };
    let rate = || MetricSpec::new("m", MetricKind::Rate);
    let paired = || MetricSpec::new("m", MetricKind::Paired(PairedSettings::default()));
    let too_wide = PairedSettings::default().with_margin(5.0);
    for (metric, why) in [
        (rate(), "no margin"),
        (
            rate().with_margin(tenth).with_harm(half_more()),
            "harm above margin",
        ),
        (
            rate().with_margin(tenth).with_harm(absolute),
            "harm of another kind than the margin",
        ),
        (
            MetricSpec::new("", MetricKind::Rate).with_margin(tenth),
            "no name",
        ),
        (rate().with_margin(tenth).with_weight(0.0), "no weight"),
        (
            rate().with_margin(tenth).with_weight(f64::NAN),
            "weight NaN",
        ),
        (
            rate().with_margin(tenth).with_weight(f64::INFINITY),
            "infinite weight",
        ),
        (
            MetricSpec::new("m", MetricKind::Events).with_margin(absolute),
            "absolute margin of events",
        ),
        (mean(1.0, 1.0), "empty range"),
        (mean(f64::NAN, 1.0), "range from NaN"),
        (mean(0.0, f64::INFINITY), "endless range"),
        (
            mean(f64::MIN, f64::MAX),
            "range wider than a number can say",
        ),
        (
            mean(-1.0, 1.0).with_margin(tenth),
            "relative margin of what may be negative",
        ),
        (
            MetricSpec::new(
                "m",
                MetricKind::Above {
                    threshold: f64::NAN,
                },
            )
            .with_margin(tenth),
            "threshold",
        ),
        (tail(0.0, 100), "quantile 0"),
        (tail(1.0, 100), "quantile 1"),
        (tail(0.9, 1), "learns from one"),
        (tail(0.9, u32::MAX), "learns from too many"),
        (
            paired().with_margin(absolute),
            "margin beside paired settings",
        ),
        (
            paired().with_direction(Direction::HigherIsBetter),
            "losses that are better when higher",
        ),
        (
            MetricSpec::new("m", MetricKind::Paired(too_wide)),
            "paired margin out of range",
        ),
        (
            rate()
                .with_margin(Tolerance::relative(1.0).unwrap())
                .with_direction(Direction::HigherIsBetter),
            "the loss of everything",
        ),
    ] {
        let made = JudgeSpec::new([metric.clone()]).and_then(Judge::new);
        assert!(made.is_err(), "{why}");
    }
    assert!(JudgeSpec::new([]).is_err(), "no metric");
    assert!(
        JudgeSpec::new([errors(), errors()]).is_err(),
        "one name twice"
    );
    let watched = rate().with_role(Role::Watched);
    let alarm = MetricSpec::new("a", MetricKind::Rate).with_role(Role::Alarm);
    assert!(
        JudgeSpec::new([watched, alarm]).is_err(),
        "nothing to prove"
    );
}

#[test]
fn settings_that_contradict_the_metrics_are_refused() {
    for (budgets, culprit) in [
        (Budgets::default().with_bad_events("unknown", 5), "unknown"),
        (Budgets::default().with_cost("unknown", 5.0), "unknown"),
        (Budgets::default().with_cost("errors", 5.0), "errors"),
        (Budgets::default().with_bad_events("latency", 5), "latency"),
        (Budgets::default().with_cost("latency", f64::NAN), "latency"),
        (Budgets::default().with_cost("latency", 0.0), "latency"),
    ] {
        let spec = two().spec().clone().with_budgets(budgets);
        let error = Judge::new(spec).unwrap_err().to_string();
        assert!(error.contains(culprit), "{error}");
    }
    for units in [Units::Sticky(0), Units::Sticky(u32::MAX)] {
        assert!(Judge::new(spec([errors()]).with_units(units)).is_err());
    }
    assert!(Judge::new(spec([errors()]).with_slices(["a", "b", "a"])).is_err());
    assert!(Judge::new(spec([errors()]).with_slices((0..17).map(|n| n.to_string()))).is_err());
    for replicates in [0, 1_001] {
        assert!(AaCheck::new(&spec([errors()]), replicates).is_err());
    }
}

#[test]
fn tolerances_that_are_no_numbers_are_refused() {
    for value in [0.0, -1.0, f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
        assert!(Tolerance::absolute(value).is_err(), "{value}");
        assert!(Tolerance::relative(value).is_err(), "{value}");
        assert!(half_more().with_floor(value).is_err(), "{value}");
    }
    assert!(Tolerance::relative(100.1).is_err());
}

#[test]
fn the_largest_values_never_give_a_nan() {
    let mean = MetricSpec::new(
        "m",
        MetricKind::Mean {
            lower: -1e300,
            upper: 1e300,
        },
    )
    .with_margin(Tolerance::absolute(1e299).unwrap());
    let above = MetricSpec::new("a", MetricKind::Above { threshold: 0.0 }).with_margin(half_more());
    let mut judge = judge([mean, above]);
    alternate(&mut judge, 400, |request, _| {
        let value = if request % 3 == 0 { f64::MAX } else { f64::MIN };
        [Some(value), Some(value)]
    });
    let text = serde_json::to_string(&judge.judgement()).unwrap();
    assert!(!judge.judgement().explain().contains("NaN"));
    assert!(serde_json::from_str::<Judgement>(&text).is_ok(), "{text}");
}
