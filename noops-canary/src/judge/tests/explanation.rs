use super::*;

#[test]
fn a_promotion_names_estimate_margin_evidence_data_and_what_would_have_changed_it() {
    let mut judge = judge([errors()]);
    alternate(&mut judge, 8_000, failing(10, 10));
    let text = judge.judgement().explain();
    for part in [
        "Promote",
        "`errors` is not worse",
        "ratio 1.000",
        "margin 1.500",
        "4000 requests of the champion and 4000 of the candidate",
        "mismatch",
        "would have gone on",
        "20",
    ] {
        assert!(text.contains(part), "{part} in {text}");
    }
}

#[test]
fn a_rollback_names_its_cause_first() {
    let mut judge = judge([errors()]);
    alternate(&mut judge, 2_000, failing(20, 2));
    let text = judge.judgement().explain();
    assert!(
        text.starts_with("Roll back: the candidate is worse on `errors`."),
        "{text}"
    );
    assert!(text.contains("`errors` is worse"), "{text}");
}

#[test]
fn an_open_comparison_names_the_margin_that_would_pass_now_and_it_does() {
    let mut open = judge([errors().with_margin(Tolerance::relative(0.1).unwrap())]);
    alternate(&mut open, 8_000, failing(10, 10));
    let judgement = open.judgement();
    assert!(matches!(judgement.verdict(), Verdict::Continue { .. }));
    let provable = judgement.metrics()[0].provable_margin().unwrap();
    assert!(
        judgement
            .explain()
            .contains("would pass now with a margin at")
    );
    // A hair above it passes, a hair below does not.
    for (factor, passes) in [(1.001, true), (0.999, false)] {
        let margin = Tolerance::relative(provable * factor - 1.0).unwrap();
        let mut again = judge([errors().with_margin(margin)]);
        alternate(&mut again, 8_000, failing(10, 10));
        assert_eq!(again.verdict() == Verdict::Promote, passes, "{factor}");
    }
}

#[test]
fn no_explanation_holds_a_number_that_is_none() {
    let kinds = [
        MetricKind::Rate,
        MetricKind::Events,
        MetricKind::Mean {
            lower: 0.0,
            upper: 1.0,
        },
        MetricKind::Above { threshold: 0.5 },
    ];
    for (kind, requests) in kinds
        .into_iter()
        .flat_map(|kind| [(kind, 0), (kind, 1), (kind, 500)])
    {
        let mut judge = judge([MetricSpec::new("m", kind).with_margin(half_more())]);
        if kind == MetricKind::Events {
            for _ in 0..requests {
                judge
                    .observe_event("m", Arm::Challenger, share(0.5))
                    .unwrap();
            }
        } else {
            alternate(&mut judge, requests, |_, _| [Some(1.0)]);
        }
        let text = judge.judgement().explain();
        assert!(!text.contains("NaN") && !text.contains("inf"), "{text}");
    }
}

#[test]
fn a_mismatch_is_explained_by_the_mismatch_and_not_by_a_margin() {
    let mut judge = judge([errors()]);
    for request in 0..2_000 {
        let arm = if request % 3 == 0 {
            Arm::Champion
        } else {
            Arm::Challenger
        };
        let values = [flag(request % 15 < 2)];
        let unit = Unit::of_number(request);
        judge
            .observe(&Observation::new(at(0), unit, arm, share(0.5), &values))
            .unwrap();
    }
    let text = judge.judgement().explain();
    assert!(text.starts_with("Inconclusive"), "{text}");
    assert!(text.contains("for a mismatch stayed below 1000"), "{text}");
    assert!(!text.contains("would promote"), "{text}");
}

#[test]
fn a_goal_is_told_what_it_has_to_show() {
    let mut judge = judge([errors().with_role(Role::Goal)]);
    alternate(&mut judge, 8_000, failing(10, 10));
    let text = judge.judgement().explain();
    assert!(text.contains("20.00 for being better on a goal"), "{text}");
}
