use super::*;
use crate::direction::Direction;

fn estimate(value: f64, lower: f64, upper: f64) -> Finding {
    Finding::estimate(value, Interval::new(lower, upper)).unwrap()
}

fn judged(rule: Rule, finding: Option<Finding>) -> GateVerdict {
    let gate = Gate::new([Criterion::new("metric", rule)]).unwrap();
    let findings = finding.map(|finding| ("metric".to_owned(), finding));
    let report = gate.judge(&findings.into_iter().collect());
    assert!(report.explain().contains("`metric`"));
    report.verdict()
}

#[test]
fn an_interval_passes_only_as_a_whole() {
    let cases = [
        (Rule::AtLeast(0.8), 0.81, 0.9, GateVerdict::Pass),
        (Rule::AtLeast(0.8), 0.79, 0.9, GateVerdict::Undecided),
        (Rule::AtLeast(0.8), 0.6, 0.79, GateVerdict::Fail),
        (Rule::AtMost(0.8), 0.6, 0.79, GateVerdict::Pass),
        (Rule::AtMost(0.8), 0.79, 0.9, GateVerdict::Undecided),
        (Rule::AtMost(0.8), 0.81, 0.9, GateVerdict::Fail),
    ];
    for (rule, lower, upper, verdict) in cases {
        assert_eq!(
            judged(rule, Some(estimate(lower, lower, upper))),
            verdict,
            "{rule:?}"
        );
    }
}

#[test]
fn a_margin_holds_in_the_direction_of_harm() {
    let rule = |direction| Rule::NonInferior(Margin::new(direction, 0.1).unwrap());
    let (low, high) = (Direction::LowerIsBetter, Direction::HigherIsBetter);
    let cases = [
        (low, -0.5, 0.09, GateVerdict::Pass),
        (low, -0.5, 0.1, GateVerdict::Undecided),
        (low, 0.11, 0.2, GateVerdict::Fail),
        (high, -0.09, 0.5, GateVerdict::Pass),
        (high, -0.1, 0.5, GateVerdict::Undecided),
        (high, -0.2, -0.11, GateVerdict::Fail),
    ];
    for (direction, lower, upper, verdict) in cases {
        let found = judged(rule(direction), Some(estimate(lower, lower, upper)));
        assert_eq!(found, verdict, "{direction:?} {lower} {upper}");
    }
}

#[test]
fn no_data_never_pass() {
    let margin = Margin::new(Direction::LowerIsBetter, 1e300).unwrap();
    let rules = [
        Rule::AtLeast(-1e300),
        Rule::AtMost(1e300),
        Rule::NonInferior(margin),
        Rule::EverySlice,
    ];
    for rule in rules {
        assert_eq!(judged(rule, None), GateVerdict::Undecided);
        let unknown = Finding::estimate(0.0, None).unwrap();
        assert_eq!(judged(rule, Some(unknown)), GateVerdict::Undecided);
    }
    assert_eq!(Gate::new([]), Err(CanaryError::Empty));
}

#[test]
fn a_failure_outweighs_what_is_undecided() {
    let gate = Gate::new([
        Criterion::new("missing", Rule::EverySlice),
        Criterion::new("low", Rule::AtLeast(0.5)),
        Criterion::new("high", Rule::AtLeast(0.5)),
    ])
    .unwrap();
    let findings = BTreeMap::from([
        ("low".to_owned(), estimate(0.1, 0.0, 0.2)),
        ("high".to_owned(), Finding::exact(0.6).unwrap()),
    ]);
    let report = gate.judge(&findings);
    assert_eq!(report.verdict(), GateVerdict::Fail);
    let text = report.explain();
    for part in ["fails: `low`", "besides: `missing`", "Passed: `high`"] {
        assert!(text.contains(part), "{text}");
    }
}

#[test]
fn contradictory_criteria_are_refused_also_when_read() {
    let twice = [
        Criterion::new("a", Rule::AtLeast(0.5)),
        Criterion::new("a", Rule::AtMost(0.5)),
    ];
    assert!(Gate::new(twice).unwrap_err().to_string().contains("`a`"));
    assert!(Gate::new([Criterion::new("a", Rule::AtLeast(f64::NAN))]).is_err());
    assert!(Gate::new([Criterion::new(" ", Rule::EverySlice)]).is_err());
    assert!(serde_json::from_str::<Gate>(r#"{"criteria":[]}"#).is_err());
    let gate = Gate::new([Criterion::new("a", Rule::AtMost(0.25))]).unwrap();
    let text = serde_json::to_string(&gate).unwrap();
    assert_eq!(serde_json::from_str::<Gate>(&text).unwrap(), gate);
}

#[test]
fn a_number_that_is_none_is_no_finding() {
    for wrong in [f64::NAN, f64::INFINITY] {
        assert!(Finding::estimate(wrong, None).is_err());
        assert!(Finding::exact(wrong).is_err());
    }
    let finding = estimate(0.5, 0.4, 0.6);
    let text = serde_json::to_string(&finding).unwrap();
    assert_eq!(serde_json::from_str::<Finding>(&text).unwrap(), finding);
}
