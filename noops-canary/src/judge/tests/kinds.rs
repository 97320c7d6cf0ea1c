use super::*;

#[test]
fn events_without_requests_are_compared_by_their_ratio() {
    let crashes = || MetricSpec::new("crashes", MetricKind::Events).with_margin(half_more());
    let mut equal = judge([crashes()]);
    let mut worse = judge([crashes()]);
    for event in 0..600 {
        let arm = if event % 2 == 0 {
            Arm::Champion
        } else {
            Arm::Challenger
        };
        equal.observe_event("crashes", arm, share(0.5)).unwrap();
        let arm = if event % 3 == 0 {
            Arm::Champion
        } else {
            Arm::Challenger
        };
        worse.observe_event("crashes", arm, share(0.5)).unwrap();
    }
    assert_eq!(equal.verdict(), Verdict::Promote);
    assert_eq!(
        worse.verdict(),
        rolled_back(Cause::Metric("crashes".to_owned()))
    );
    let judgement = worse.judgement();
    let estimate = judgement.metrics()[0].estimate();
    assert_eq!(
        (estimate.scale(), estimate.value()),
        (Scale::Ratio, Some(2.0))
    );
}

#[test]
fn an_absolute_margin_of_a_rate_is_about_the_difference() {
    let metric = || {
        MetricSpec::new("errors", MetricKind::Rate)
            .with_margin(Tolerance::absolute(0.02).unwrap())
            .with_harm(Tolerance::absolute(0.02).unwrap())
    };
    let mut judge = judge([metric()]);
    // Half a per cent instead of a quarter: twice as many, and far within the margin.
    alternate(&mut judge, 20_000, failing(400, 200));
    assert_eq!(judge.verdict(), Verdict::Promote);
    let judgement = judge.judgement();
    let metric = &judgement.metrics()[0];
    assert_eq!(
        (metric.estimate().scale(), metric.margin()),
        (Scale::Difference, Some(0.02))
    );
    assert!((metric.estimate().value().unwrap() - 0.0025).abs() < 5e-4);
}

#[test]
fn a_floor_proves_what_a_vanishing_rate_cannot() {
    let relative = Tolerance::relative(0.1).unwrap();
    let metric = |margin| MetricSpec::new("errors", MetricKind::Rate).with_margin(margin);
    for (margin, promoted) in [
        (relative, false),
        (relative.with_floor(0.02).unwrap(), true),
    ] {
        let mut judge = judge([metric(margin)]);
        // Ten failures in each arm: nothing like enough for a ratio of 1.1.
        alternate(&mut judge, 20_000, failing(1_000, 1_000));
        assert_eq!(judge.verdict() == Verdict::Promote, promoted);
    }
}

#[test]
fn means_are_compared_by_difference_or_ratio_and_clipping_is_counted() {
    let latency = |margin| {
        MetricSpec::new(
            "latency",
            MetricKind::Mean {
                lower: 0.0,
                upper: 1000.0,
            },
        )
        .with_margin(margin)
    };
    let values = |slower: f64| {
        move |request: u64, arm: Arm| {
            let noise = (request / 2 % 7) as f64 * 10.0;
            let own = if arm == Arm::Challenger { slower } else { 0.0 };
            [Some(if request.is_multiple_of(1_000) {
                5_000.0
            } else {
                200.0 + noise + own
            })]
        }
    };
    for margin in [
        Tolerance::absolute(60.0).unwrap(),
        Tolerance::relative(0.3).unwrap(),
    ] {
        let mut equal = judge([latency(margin)]);
        alternate(&mut equal, 8_000, values(0.0));
        assert_eq!(equal.verdict(), Verdict::Promote, "{margin:?}");
        assert_eq!(equal.judgement().metrics()[0].clipped(), 8);
        let mut slow = judge([latency(margin)]);
        alternate(&mut slow, 8_000, values(120.0));
        assert_eq!(
            slow.verdict(),
            rolled_back(Cause::Metric("latency".to_owned()))
        );
    }
}

#[test]
fn requests_above_a_threshold_are_events() {
    let slow =
        MetricSpec::new("slow", MetricKind::Above { threshold: 100.0 }).with_margin(half_more());
    let mut judge = judge([slow]);
    // The threshold itself is not above it.
    alternate(&mut judge, 8_000, |request, _| {
        [Some(if (request / 2) % 10 == 0 {
            100.5
        } else {
            100.0
        })]
    });
    let judgement = judge.judgement();
    let metric = &judgement.metrics()[0];
    assert_eq!(
        (metric.champion_events(), metric.candidate_events()),
        (Some(400), Some(400))
    );
    assert_eq!(judge.verdict(), Verdict::Promote);
}

#[test]
fn a_tail_learns_its_threshold_from_the_champion_and_keeps_it() {
    let quantile = Probability::new(0.9).unwrap();
    let kind = MetricKind::Tail {
        quantile,
        learn_from: 100,
    };
    let mut judge = judge([MetricSpec::new("p90", kind).with_margin(half_more())]);
    // The champion's values go round 0 to 99; the challenger's, while it learns, are of no account.
    let values = |request: u64, arm: Arm| {
        let round = ((request / 2) % 100) as f64;
        [Some(if arm == Arm::Challenger && request < 200 {
            1e6
        } else {
            round
        })]
    };
    alternate(&mut judge, 198, values);
    assert_eq!(judge.judgement().metrics()[0].threshold(), None);
    alternate(&mut judge, 2, values);
    // The smallest of 0..100 that 90 % do not exceed.
    assert_eq!(judge.judgement().metrics()[0].threshold(), Some(89.0));
    // A champion that gets slower later does not move it.
    alternate(&mut judge, 8_000, |request, arm| {
        values(request, arm).map(|v| v.map(|x| x + 20.0))
    });
    let judgement = judge.judgement();
    assert_eq!(judgement.metrics()[0].threshold(), Some(89.0));
    // 70 to 99 of every hundred are above 89 now.
    assert!((judgement.metrics()[0].champion_level().unwrap() - 0.3).abs() < 0.01);
}

#[test]
fn a_ratio_that_is_read_as_a_tail_finds_what_a_mean_hides() {
    // One request in twenty is ten times slower, the rest a little faster: the mean is the same.
    let quantile = Probability::new(0.95).unwrap();
    let tail = MetricSpec::new(
        "p95",
        MetricKind::Tail {
            quantile,
            learn_from: 500,
        },
    )
    .with_margin(half_more());
    let mean = MetricSpec::new(
        "mean",
        MetricKind::Mean {
            lower: 0.0,
            upper: 1000.0,
        },
    )
    .with_margin(Tolerance::relative(0.2).unwrap());
    let mut judge = judge([tail, mean]);
    alternate(&mut judge, 12_000, |request, arm| {
        let base = 50.0 + (request / 2 % 11) as f64;
        let slow = request / 2 % 10 == 3;
        let value = match (arm, slow) {
            (Arm::Champion, _) => base,
            (Arm::Challenger, true) => base + 270.0,
            (Arm::Challenger, false) => base - 30.0,
        };
        [Some(value), Some(value)]
    });
    assert_eq!(
        judge.verdict(),
        rolled_back(Cause::Metric("p95".to_owned()))
    );
    assert!(
        judge
            .judgement()
            .metric("mean")
            .unwrap()
            .estimate()
            .interval()
            .contains(1.0)
    );
}

#[test]
fn sticky_units_count_once_at_each_share() {
    let sticky = JudgeSpec::new([errors()])
        .unwrap()
        .with_units(Units::Sticky(10));
    let mut judge = Judge::new(sticky).unwrap();
    let failed = [Some(1.0)];
    let mut see = |unit: u64, arm: Arm, ratio: f64| {
        let observation =
            Observation::new(at(0), Unit::of_number(unit), arm, share(ratio), &failed);
        judge.observe(&observation).unwrap();
    };
    for _ in 0..5 {
        see(1, Arm::Champion, 0.1);
        see(2, Arm::Challenger, 0.1);
    }
    see(1, Arm::Champion, 0.5);
    see(2, Arm::Challenger, 0.5);
    for unit in 3..20 {
        see(unit, Arm::Champion, 0.5);
    }
    assert_eq!(judge.repeats(), 9);
    assert_eq!((judge.remembered_units(), judge.unremembered()), (10, 9));
    let judgement = judge.judgement();
    assert_eq!(judgement.metrics()[0].champion_events(), Some(2 + 8));
    assert_eq!(judgement.metrics()[0].candidate_events(), Some(1));
    assert_eq!(judgement.n_champion() + judgement.n_candidate(), 29);
    assert!(judgement.explain().contains("9 repeat a unit"));
}
