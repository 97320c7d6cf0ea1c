use super::*;

#[test]
fn no_data_is_never_a_pass() {
    for min_outcomes in [0, 1, 100] {
        let spec = spec([errors()]).with_min_outcomes(min_outcomes);
        let found = Judge::new(spec).unwrap().verdict();
        let needed = min_outcomes.max(1);
        let because = Shortfall::TooFew {
            metric: "errors".to_owned(),
            champion: 0,
            candidate: 0,
            needed,
        };
        assert_eq!(found, Verdict::Insufficient { because });
    }
}

#[test]
fn an_arm_without_requests_is_insufficient() {
    let mut judge = judge([errors()]);
    for request in 0..2_000 {
        let values = [flag(request % 10 == 0)];
        let unit = Unit::of_number(request);
        let observation = Observation::new(at(0), unit, Arm::Champion, share(0.001), &values);
        judge.observe(&observation).unwrap();
    }
    assert!(matches!(
        judge.verdict(),
        Verdict::Insufficient {
            because: Shortfall::TooFew { candidate: 0, .. }
        }
    ));
}

#[test]
fn equal_arms_go_from_insufficient_over_continue_to_promote() {
    let mut judge = judge([errors()]);
    alternate(&mut judge, 100, failing(10, 10));
    assert!(matches!(judge.verdict(), Verdict::Insufficient { .. }));
    alternate(&mut judge, 200, failing(10, 10));
    assert!(matches!(judge.verdict(), Verdict::Continue { .. }));
    alternate(&mut judge, 8_000, failing(10, 10));
    assert_eq!(judge.verdict(), Verdict::Promote);
}

#[test]
fn harm_rolls_back_before_the_smallest_number_of_outcomes() {
    let mut judge = Judge::new(spec([errors()]).with_min_outcomes(10_000)).unwrap();
    alternate(&mut judge, 400, failing(20, 2));
    assert_eq!(
        judge.verdict(),
        rolled_back(Cause::Metric("errors".to_owned()))
    );
}

#[test]
fn a_constant_metric_is_insufficient_unless_it_may_be_constant() {
    let floor = Tolerance::relative(0.5).unwrap().with_floor(0.01).unwrap();
    let constant = errors().with_margin(floor);
    for (metric, promoted) in [
        (constant.clone(), false),
        (constant.that_may_be_constant(), true),
    ] {
        let mut judge = judge([metric]);
        alternate(&mut judge, 8_000, |_, _| [Some(0.0)]);
        let constant = Shortfall::Constant {
            metric: "errors".to_owned(),
        };
        let expected = if promoted {
            Verdict::Promote
        } else {
            Verdict::Insufficient { because: constant }
        };
        assert_eq!(judge.verdict(), expected);
    }
}

#[test]
fn missing_values_are_insufficient_above_the_share_allowed() {
    // The challenger loses one value in eight: a failure that leaves no record looks like a success.
    let values = |request: u64, arm: Arm| {
        let missing = arm == Arm::Challenger && (request / 2) % 8 == 3;
        [if missing {
            None
        } else {
            flag((request / 2).is_multiple_of(10))
        }]
    };
    let mut judge = judge([errors()]);
    alternate(&mut judge, 8_000, values);
    let Verdict::Insufficient {
        because: Shortfall::Missing { metric, share },
    } = judge.verdict()
    else {
        panic!("{:?}", judge.verdict());
    };
    assert_eq!((metric.as_str(), share), ("errors", 0.125));
    let lenient = spec([errors()]).with_max_missing(Probability::new(0.2).unwrap());
    let mut judge = Judge::new(lenient).unwrap();
    alternate(&mut judge, 8_000, values);
    assert_eq!(judge.verdict(), Verdict::Promote);
}

#[test]
fn requests_used_up_without_proof_are_inconclusive_and_never_a_pass() {
    for then in [
        OnInconclusive::Hold,
        OnInconclusive::RollBack,
        OnInconclusive::ExtendOnce,
    ] {
        let spec = spec([errors()])
            .with_max_requests(400)
            .with_on_inconclusive(then);
        let mut judge = Judge::new(spec).unwrap();
        alternate(&mut judge, 399, failing(20, 20));
        assert!(matches!(judge.verdict(), Verdict::Continue { .. }));
        alternate(&mut judge, 1, failing(20, 20));
        let because = Cause::RequestsUsedUp;
        assert_eq!(judge.verdict(), Verdict::Inconclusive { because, then });
    }
}

#[test]
fn requests_used_up_end_a_comparison_that_lacks_data_as_well() {
    let mut judge = Judge::new(spec([errors()]).with_max_requests(400)).unwrap();
    alternate(&mut judge, 400, |_, _| [None]);
    assert!(matches!(
        judge.verdict(),
        Verdict::Inconclusive {
            because: Cause::RequestsUsedUp,
            ..
        }
    ));
}

/// Three requests of the challenger for every two of the champion, at a share that says one for one.
fn mismatched(then: OnInconclusive, every: u64) -> Judge {
    let mut judge = Judge::new(spec([errors()]).with_on_inconclusive(then)).unwrap();
    for request in 0..4_000 {
        let arm = if request % 5 < 2 {
            Arm::Champion
        } else {
            Arm::Challenger
        };
        let failed = [flag(
            request % 25 < 2 || (arm == Arm::Challenger && request % every == 0),
        )];
        let unit = Unit::of_number(request);
        judge
            .observe(&Observation::new(at(0), unit, arm, share(0.5), &failed))
            .unwrap();
    }
    judge
}

#[test]
fn arms_without_their_shares_are_inconclusive_and_waiting_does_not_mend_them() {
    for (then, becomes) in [
        (OnInconclusive::Hold, OnInconclusive::Hold),
        (OnInconclusive::ExtendOnce, OnInconclusive::Hold),
        (OnInconclusive::RollBack, OnInconclusive::RollBack),
    ] {
        let judge = mismatched(then, u64::MAX);
        // Request 0 fails for the challenger in neither case.
        assert!(judge.judgement().mismatch().is_mismatched());
        let verdict = judge.verdict();
        let expected = Verdict::Inconclusive {
            because: Cause::SampleRatioMismatch,
            then: becomes,
        };
        assert_eq!(verdict, expected);
    }
}

#[test]
fn proven_harm_counts_even_where_the_shares_are_wrong() {
    let judge = mismatched(OnInconclusive::Hold, 2);
    assert_eq!(
        judge.verdict(),
        rolled_back(Cause::Metric("errors".to_owned()))
    );
}

#[test]
fn a_goal_has_to_be_better_not_only_no_worse() {
    let goal = || {
        MetricSpec::new("errors", MetricKind::Rate)
            .with_margin(half_more())
            .with_role(Role::Goal)
    };
    let mut equal = judge([goal()]);
    alternate(&mut equal, 10_000, failing(10, 10));
    assert!(matches!(equal.verdict(), Verdict::Continue { .. }));
    let mut better = judge([goal()]);
    alternate(&mut better, 10_000, failing(10, 20));
    assert_eq!(better.verdict(), Verdict::Promote);
    assert_eq!(
        better.judgement().metrics()[0].verdict(),
        MetricVerdict::Better
    );
}

#[test]
fn one_goal_of_two_is_enough_but_both_must_be_no_worse() {
    let goals = || {
        ["a", "b"].map(|name| {
            MetricSpec::new(name, MetricKind::Rate)
                .with_margin(half_more())
                .with_role(Role::Goal)
        })
    };
    let values = |b: u64| {
        move |request: u64, arm: Arm| {
            let [equal] = failing(10, b)(request, arm);
            let [better] = failing(10, 20)(request, arm);
            [better, equal]
        }
    };
    let mut judge_ = judge(goals());
    alternate(&mut judge_, 10_000, values(10));
    assert_eq!(judge_.verdict(), Verdict::Promote);
    let mut worse = judge(goals());
    alternate(&mut worse, 10_000, values(5));
    assert_eq!(worse.verdict(), rolled_back(Cause::Metric("b".to_owned())));
}

#[test]
fn an_alarm_needs_no_proof_and_a_watched_metric_does_nothing() {
    let silent = |role: Role| MetricSpec::new("rare", MetricKind::Rate).with_role(role);
    let values = |rare: u64| {
        move |request: u64, arm: Arm| {
            let [often] = failing(10, 10)(request, arm);
            [often, flag(arm == Arm::Challenger && request % rare == 1)]
        }
    };
    let mut unproven = judge([errors(), silent(Role::Alarm)]);
    alternate(&mut unproven, 10_000, values(8_000));
    assert_eq!(unproven.verdict(), Verdict::Promote);
    let mut harmed = judge([errors(), silent(Role::Alarm)]);
    alternate(&mut harmed, 10_000, values(20));
    assert_eq!(
        harmed.verdict(),
        rolled_back(Cause::Metric("rare".to_owned()))
    );
    let mut watched = judge([errors(), silent(Role::Watched)]);
    alternate(&mut watched, 10_000, values(20));
    assert_eq!(watched.verdict(), Verdict::Promote);
    assert_eq!(
        watched.judgement().metric("rare").unwrap().verdict(),
        MetricVerdict::Watched
    );
}

#[test]
fn a_fall_is_harm_where_higher_is_better() {
    let sales = || {
        MetricSpec::new("sales", MetricKind::Rate)
            .with_direction(Direction::HigherIsBetter)
            .with_margin(Tolerance::relative(0.3).unwrap())
    };
    let mut falls = judge([sales()]);
    alternate(&mut falls, 10_000, failing(10, 20));
    assert_eq!(
        falls.verdict(),
        rolled_back(Cause::Metric("sales".to_owned()))
    );
    let mut rises = judge([sales()]);
    alternate(&mut rises, 10_000, failing(20, 10));
    assert_eq!(rises.verdict(), Verdict::Promote);
}

#[test]
fn harm_within_its_tolerance_does_not_roll_back() {
    // A fifth more failures, where half more are the margin.
    let strict = errors();
    let tolerant = errors().with_harm(half_more());
    let values = failing(12, 10);
    let mut judge_ = judge([strict]);
    alternate(&mut judge_, 60_000, &values);
    assert_eq!(
        judge_.verdict(),
        rolled_back(Cause::Metric("errors".to_owned()))
    );
    let mut judge_ = judge([tolerant]);
    alternate(&mut judge_, 60_000, &values);
    assert_eq!(judge_.verdict(), Verdict::Promote);
}

#[test]
fn budgets_roll_back_whatever_the_evidence_says() {
    let tokens = MetricSpec::new(
        "tokens",
        MetricKind::Mean {
            lower: 0.0,
            upper: 10.0,
        },
    )
    .with_margin(Tolerance::absolute(5.0).unwrap());
    let values = |request: u64, arm: Arm| {
        let [failed] = failing(10, 10)(request, arm);
        [failed, Some(2.0 + (request / 2 % 2) as f64)]
    };
    // A thousand requests of the candidate: 100 failures, 2,500 tokens.
    for (budgets, cause) in [
        (
            Budgets::default().with_requests(999),
            Some(BudgetKind::Requests),
        ),
        (Budgets::default().with_requests(1_000), None),
        (
            Budgets::default().with_bad_events("errors", 99),
            Some(BudgetKind::BadEvents("errors".to_owned())),
        ),
        (Budgets::default().with_bad_events("errors", 100), None),
        (
            Budgets::default().with_cost("tokens", 2_499.0),
            Some(BudgetKind::Cost("tokens".to_owned())),
        ),
        (Budgets::default().with_cost("tokens", 2_500.0), None),
    ] {
        let spec = spec([errors(), tokens.clone()]).with_budgets(budgets);
        let mut judge = Judge::new(spec).unwrap();
        alternate(&mut judge, 2_000, values);
        match cause {
            Some(kind) => assert_eq!(judge.verdict(), rolled_back(Cause::Budget(kind))),
            None => assert!(!matches!(judge.verdict(), Verdict::RollBack { .. })),
        }
    }
}
