use arrow_array::types::Int32Type;
use arrow_array::{BinaryArray, BooleanArray, DictionaryArray, NullArray, UInt64Array};
use arrow_schema::{DataType, Field, Schema};

use super::*;

fn every_rule(name: &str) -> ColumnExpectation {
    ColumnExpectation::new(name)
        .with_types(vec![ColumnType::Kind(TypeKind::Number)])
        .with_max_null_rate(rate(0.1))
        .with_max_nan_rate(rate(0.1))
        .with_range(Range::new(0.0, 1.0).unwrap())
        .with_allowed(Domain::Numbers(vec![0.5]))
        .with_disallowed(Domain::Texts(vec!["x".to_owned()]))
        .with_unique(Uniqueness::default())
        .with_length(Length { min: 1, max: None })
        .with_order(Order::Ascending)
        .with_freshness(Freshness {
            max_age: SignedDuration::MAX,
            max_ahead: SignedDuration::MAX,
        })
}

fn check_everything(array: ArrayRef) -> ExpectationReport {
    let name = |name: &str| name.to_owned();
    let mut frame = FrameExpectation::default();
    for rule in [
        CrossRule::AtMost {
            left: name("x"),
            right: name("x"),
        },
        CrossRule::Equal {
            left: name("x"),
            right: name("x"),
        },
        CrossRule::NullTogether {
            when: name("x"),
            then: name("x"),
        },
        CrossRule::Sum {
            parts: vec![name("x")],
            total: name("x"),
            tolerance: 0.0,
        },
        CrossRule::LabelRate(LabelRate::new("x", "1", "x", rate(0.2), rate(0.8)).unwrap()),
    ] {
        frame = frame.with_rule(rule);
    }
    Expectations::new(vec![every_rule("x")])
        .unwrap()
        .with_frame(frame)
        .unwrap()
        .check(&batch(vec![("x", array)]), Some(Timestamp::UNIX_EPOCH))
        .unwrap()
}

#[test]
fn every_rule_meets_every_type_without_a_panic() {
    let dictionary: DictionaryArray<Int32Type> =
        vec![Some("a"), None, Some("b")].into_iter().collect();
    let empty_dictionary: DictionaryArray<Int32Type> =
        vec![None::<&str>, None].into_iter().collect();
    let arrays: Vec<ArrayRef> = vec![
        numbers(&[Some(f64::INFINITY), Some(f64::NEG_INFINITY), Some(f64::NAN)]),
        numbers(&[Some(f64::MAX), Some(f64::MIN), Some(5e-324), None]),
        integers(&[Some(i64::MAX), Some(i64::MIN), None]),
        Arc::new(UInt64Array::from(vec![u64::MAX, 0])),
        Arc::new(TimestampSecondArray::from(vec![i64::MAX, i64::MIN])),
        Arc::new(BooleanArray::from(vec![Some(true), None])),
        Arc::new(NullArray::new(3)),
        Arc::new(BinaryArray::from_vec(vec![
            b"x".as_slice(),
            b"y".as_slice(),
        ])),
        Arc::new(dictionary),
        Arc::new(empty_dictionary),
        texts(&[Some(""), None, Some("ä")]),
    ];
    for array in arrays {
        for part in [array.slice(0, 0), array.slice(1, array.len() - 1), array] {
            let rows = part.len() as u64;
            let report = check_everything(part);
            assert_eq!(report.rows(), rows);
            assert_eq!(report.accepted() + report.quarantined(), rows);
            let written = serde_json::to_string(&report).unwrap();
            // serde_json writes a number that is NaN or infinite as null.
            assert!(!written.contains(":null"), "{written}");
        }
    }
}

#[test]
fn an_empty_batch_and_a_column_of_nulls_are_undecided() {
    let column = || {
        ColumnExpectation::new("x")
            .with_max_null_rate(rate(1.0))
            .with_range(Range::new(0.0, 1.0).unwrap())
            .with_unique(Uniqueness::default())
    };
    let columns: [Vec<Option<f64>>; 2] = [Vec::new(), vec![None; 3]];
    for values in columns {
        let report = check_one(column(), numbers(&values));
        assert_eq!(report.verdict(), GateVerdict::Undecided);
        assert_eq!(report.quarantined(), 0);
        let range = report.column("x").unwrap().rule(RuleKind::Range).unwrap();
        assert_eq!(range.observed(), &Observation::Nothing);
    }
}

#[test]
fn another_type_fails_and_blames_no_row() {
    let column = ColumnExpectation::new("x")
        .with_types(vec!["Float64".parse().unwrap()])
        .with_range(Range::new(0.0, 1.0).unwrap());
    let report = check_one(column, texts(&[Some("7")]));
    let outcome = report.column("x").unwrap();
    for kind in [RuleKind::DataType, RuleKind::Range] {
        let rule = outcome.rule(kind).unwrap();
        assert_eq!(rule.verdict(), GateVerdict::Fail);
        assert_eq!(rule.observed(), &Observation::Text("Utf8".to_owned()));
    }
    assert_eq!(report.quarantined(), 0);
}

#[test]
fn a_column_that_is_there_twice_fails() {
    let field = |name| Field::new(name, DataType::Float64, true);
    let one = numbers(&[Some(1.0)]);
    let doubled = RecordBatch::try_new(
        Arc::new(Schema::new(vec![field("x"), field("x")])),
        vec![one.clone(), one],
    )
    .unwrap();
    let column = ColumnExpectation::new("x").with_presence(Presence::Optional);
    let report = Expectations::new(vec![column])
        .unwrap()
        .check(&doubled, None)
        .unwrap();
    let rule = &report.columns()[0].rules()[0];
    assert_eq!(rule.rule(), RuleKind::Presence);
    assert_eq!(rule.verdict(), GateVerdict::Fail);
    assert_eq!(
        rule.observed(),
        &Observation::Text("there twice".to_owned())
    );
}

#[test]
fn contradictions_are_refused_with_the_field_named() {
    let refusals = [
        (r#"{"version": 2}"#, "version"),
        (r#"{"version": 1, "colums": []}"#, "colums"),
        (
            r#"{"version": 1, "columns": [{"name": "a", "range": {"min": 2, "max": 1}}]}"#,
            "at least 2 and at most 1",
        ),
        (
            r#"{"version": 1, "columns": [{"name": "a", "range": {}}]}"#,
            "without an end",
        ),
        (
            r#"{"version": 1, "columns": [{"name": "a", "range": {"min": 1, "exclusive_min": 1}}]}"#,
            "two ends",
        ),
        (
            r#"{"version": 1, "columns": [{"name": "a"}, {"name": "a"}]}"#,
            "twice",
        ),
        (
            r#"{"version": 1, "columns": [{"name": "a", "max_null_rate": 1.5}]}"#,
            "between 0 and 1",
        ),
        (
            r#"{"version": 1, "columns": [{"name": "a", "types": ["Floaty"]}]}"#,
            "Floaty",
        ),
        (
            r#"{"version": 1, "columns": [{"name": "a", "length": {"min": 3, "max": 2}}]}"#,
            "length",
        ),
        (
            r#"{"version": 1, "columns": [{"name": "a", "allowed": {"texts": []}}]}"#,
            "allowed",
        ),
        (
            r#"{"version": 1, "columns": [{"name": "a", "freshness": {"max_age": "-PT1H"}}]}"#,
            "negative",
        ),
        (
            r#"{"version": 1, "frame": {"min_rows": 3, "max_rows": 2}}"#,
            "min_rows",
        ),
        (
            r#"{"version": 1, "frame": {"rules": [{"sum": {"parts": [], "total": "t"}}]}}"#,
            "parts",
        ),
        (
            r#"{"version": 1, "frame": {"rules": [{"at_most": {"left": "a", "right": "b", "slack": 1}}]}}"#,
            "slack",
        ),
    ];
    for (json, word) in refusals {
        let refusal = serde_json::from_str::<Expectations>(json)
            .unwrap_err()
            .to_string();
        assert!(refusal.contains(word), "{json}: {refusal}");
    }
    for (low, high) in [(f64::NAN, 1.0), (0.0, f64::INFINITY), (1.0, 0.0)] {
        assert!(Range::new(low, high).is_err());
    }
    assert!(Range::between(1.0, 1.0).is_err());
}
