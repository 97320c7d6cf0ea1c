use super::*;

fn events(name: &str) -> MetricSpec {
    MetricSpec::new(name, MetricKind::Events).with_margin(half_more())
}

fn told(judge: &mut Judge, metric: &str, failures: usize) {
    for _ in 0..failures {
        judge
            .observe_event(metric, Arm::Challenger, share(0.5))
            .unwrap();
    }
}

fn rings(judge: &Judge) -> bool {
    matches!(judge.verdict(), Verdict::RollBack { .. })
}

fn alpha_of(judge: &Judge, name: &str) -> f64 {
    judge
        .judgement()
        .metric(name)
        .unwrap()
        .alpha_harm()
        .unwrap()
        .get()
}

#[test]
fn a_group_rings_by_the_average_so_two_weak_harms_count_together() {
    let group = || judge(["a", "b"].map(|name| events(name).with_group("users")));
    let apart =
        || judge(["a", "b"].map(|name| events(name).with_criticality(Criticality::Critical)));
    let (mut together, mut separate) = (group(), apart());
    let mut failures = 0;
    while !rings(&together) {
        for judge in [&mut together, &mut separate] {
            told(judge, "a", 1);
            told(judge, "b", 1);
        }
        failures += 1;
    }
    // Each has just passed 20; alone each would have to reach 40.
    assert!(!rings(&separate), "after {failures}");
    assert_eq!(
        together.verdict(),
        rolled_back(Cause::Group("users".to_owned()))
    );
    let mut lonely = group();
    told(&mut lonely, "a", failures);
    assert!(!rings(&lonely));
}

#[test]
fn the_only_metric_of_a_group_is_named_and_not_its_group() {
    let mut judge = judge([events("a").with_group("users")]);
    told(&mut judge, "a", 40);
    assert_eq!(judge.verdict(), rolled_back(Cause::Metric("a".to_owned())));
}

#[test]
fn a_watched_metric_has_no_part_in_the_alarm_of_its_group() {
    let watched = errors_named("w").with_group("users");
    let judge = judge([
        events("a").with_group("users"),
        watched.with_role(Role::Watched),
    ]);
    assert_eq!(judge.judgement().metric("w").unwrap().alpha_harm(), None);
}

#[test]
fn weights_too_far_apart_to_split_an_error_rate_are_refused() {
    for weight in [0.0, 1e-320, 1e308, f64::NAN] {
        assert!(JudgeSpec::new([errors().with_weight(weight)]).is_err());
    }
}

#[test]
fn a_critical_metric_alone_is_enough_and_named() {
    let mut judge = judge([
        events("crashes")
            .with_criticality(Criticality::Critical)
            .with_group("users"),
        events("a").with_group("users"),
        events("b").with_group("users"),
    ]);
    told(&mut judge, "crashes", 40);
    assert_eq!(
        judge.verdict(),
        rolled_back(Cause::Metric("crashes".to_owned()))
    );
}

#[test]
fn the_error_rate_is_split_by_weight_and_never_exceeded() {
    let judge = judge([
        events("a")
            .with_weight(3.0)
            .with_criticality(Criticality::Critical),
        events("b").with_weight(0.5).with_group("rest"),
        events("c").with_weight(1.5).with_group("rest"),
    ]);
    assert!((alpha_of(&judge, "a") - 0.03).abs() < 1e-15);
    assert!((alpha_of(&judge, "b") - 0.02).abs() < 1e-15);
    assert_eq!(alpha_of(&judge, "b"), alpha_of(&judge, "c"));
}

#[test]
fn weights_count_in_the_average_of_a_group() {
    let group = |weight: f64| {
        let mut judge = judge([
            events("a").with_weight(weight).with_group("g"),
            events("b").with_group("g"),
        ]);
        let mut failures = 0;
        while !rings(&judge) {
            told(&mut judge, "a", 1);
            failures += 1;
        }
        failures
    };
    assert!(group(20.0) < group(0.05), "{} {}", group(20.0), group(0.05));
}

#[test]
fn slices_take_half_of_the_error_rate() {
    let plain = spec([errors()]);
    let sliced = plain.clone().with_slices(["country"]);
    assert!((alpha_of(&Judge::new(plain).unwrap(), "errors") - 0.05).abs() < 1e-15);
    assert!((alpha_of(&Judge::new(sliced).unwrap(), "errors") - 0.025).abs() < 1e-15);
}

#[test]
fn watched_metrics_take_no_part_of_the_error_rate() {
    let judge = judge([
        errors(),
        MetricSpec::new("w", MetricKind::Rate).with_role(Role::Watched),
    ]);
    assert!((alpha_of(&judge, "errors") - 0.05).abs() < 1e-15);
    assert_eq!(judge.judgement().metric("w").unwrap().alpha_harm(), None);
}

#[test]
fn identical_arms_with_many_metrics_rarely_ring() {
    let names = ["a", "b", "c", "d", "e", "f"];
    let alarms = (0..200)
        .filter(|&seed| {
            let mut random = Random::new(seed);
            let mut judge = judge(names.iter().zip([0, 0, 1, 1, 1, 2]).map(
                |(name, kind)| match kind {
                    0 => errors_named(name).with_criticality(Criticality::Critical),
                    1 => errors_named(name).with_group("g"),
                    _ => errors_named(name).with_weight(2.0),
                },
            ));
            (0..1_500).any(|request| {
                let arm = if random.uniform() < 0.5 {
                    Arm::Challenger
                } else {
                    Arm::Champion
                };
                let values: Vec<Option<f64>> = names
                    .iter()
                    .map(|_| flag(random.uniform() < 0.05))
                    .collect();
                let unit = Unit::of_number(request);
                judge
                    .observe(&Observation::new(at(0), unit, arm, share(0.5), &values))
                    .unwrap();
                request % 10 == 9 && rings(&judge)
            })
        })
        .count();
    // scipy.stats.binom.sf(20, 200, 0.05) = 0.0012
    assert!(alarms <= 20, "{alarms}");
}

fn errors_named(name: &str) -> MetricSpec {
    MetricSpec::new(name, MetricKind::Rate).with_margin(half_more())
}
