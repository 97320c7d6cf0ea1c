use super::*;

#[test]
fn a_forecast_is_met_within_a_factor_of_two_by_steady_evidence() {
    let tight = || errors().with_margin(Tolerance::relative(0.2).unwrap());
    let mut judge = judge([tight()]);
    alternate(&mut judge, 2_000, failing(10, 10));
    let Verdict::Continue { needs } = judge.verdict() else {
        panic!("{:?}", judge.verdict());
    };
    let forecast = needs.requests().unwrap();
    assert_eq!(needs.metric(), Some("errors"));
    let mut needed = 0;
    while judge.verdict() != Verdict::Promote {
        alternate(&mut judge, 100, failing(10, 10));
        needed += 100;
        assert!(needed < 100_000);
    }
    assert!(
        needed <= 2 * forecast && forecast <= 2 * needed,
        "{needed} {forecast}"
    );
    // One request a second.
    let minutes = needs.minutes().unwrap();
    assert!(
        (minutes * 60.0 / forecast as f64 - 1.0).abs() < 0.01,
        "{minutes} {forecast}"
    );
}

#[test]
fn a_mean_is_forecast_as_well() {
    let latency = MetricSpec::new(
        "latency",
        MetricKind::Mean {
            lower: 0.0,
            upper: 1.0,
        },
    )
    .with_margin(Tolerance::absolute(0.05).unwrap());
    let values = |request: u64, _: Arm| [Some(0.1 * (request / 2 % 7) as f64)];
    let mut judge = judge([latency]);
    alternate(&mut judge, 400, values);
    let Verdict::Continue { needs } = judge.verdict() else {
        panic!("{:?}", judge.verdict());
    };
    let forecast = needs.requests().unwrap();
    let mut needed = 0;
    while judge.verdict() != Verdict::Promote {
        alternate(&mut judge, 20, values);
        needed += 20;
        assert!(needed < 100_000);
    }
    assert!(
        needed <= 2 * forecast && forecast <= 2 * needed,
        "{needed} {forecast}"
    );
}

#[test]
fn the_slowest_metric_is_named() {
    let slow =
        MetricSpec::new("slow", MetricKind::Rate).with_margin(Tolerance::relative(0.05).unwrap());
    let mut judge = judge([errors(), slow]);
    alternate(&mut judge, 400, |request, arm| {
        let [failed] = failing(10, 10)(request, arm);
        [failed, failed]
    });
    let Verdict::Continue { needs } = judge.verdict() else {
        panic!("{:?}", judge.verdict());
    };
    assert_eq!(needs.metric(), Some("slow"));
    assert!(needs.to_string().contains("`slow`"), "{needs}");
}

#[test]
fn nothing_is_forecast_where_the_estimate_is_outside_the_margin() {
    let metric = errors()
        .with_margin(Tolerance::relative(0.1).unwrap())
        .with_harm(Tolerance::relative(0.1).unwrap());
    let mut judge = judge([metric]);
    // A ratio of 1.25.
    alternate(&mut judge, 2_000, failing(10, 8));
    let Verdict::Continue { needs } = judge.verdict() else {
        panic!("{:?}", judge.verdict());
    };
    assert_eq!(
        (needs.requests(), needs.minutes(), needs.metric()),
        (None, None, Some("errors"))
    );
    assert!(
        judge
            .judgement()
            .explain()
            .contains("not on its way to being proven")
    );
}

#[test]
fn a_goal_that_is_not_better_yet_is_forecast_too() {
    let goal = || {
        let metric = MetricSpec::new("errors", MetricKind::Rate);
        metric.with_margin(half_more()).with_role(Role::Goal)
    };
    let needs = |requests, challenger| {
        let mut judge = judge([goal()]);
        alternate(&mut judge, requests, failing(10, challenger));
        match judge.verdict() {
            Verdict::Continue { needs } => needs,
            other => panic!("{other:?}"),
        }
    };
    // Proven to be no worse, but no better and never going to be.
    assert_eq!(needs(8_000, 10).requests(), None);
    let better = needs(1_600, 12);
    let forecast = better.requests().unwrap();
    let mut judge = judge([goal()]);
    alternate(&mut judge, 1_600, failing(10, 12));
    let mut needed = 0;
    while judge.verdict() != Verdict::Promote {
        alternate(&mut judge, 120, failing(10, 12));
        needed += 120;
        assert!(needed < 200_000);
    }
    assert!(
        needed <= 2 * forecast && forecast <= 2 * needed,
        "{needed} {forecast}"
    );
}
