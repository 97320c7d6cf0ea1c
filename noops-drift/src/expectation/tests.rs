mod hostile;
mod inferred;
mod masks;
mod rates;
#[cfg(feature = "yaml")]
mod yaml;

use std::sync::Arc;

use arrow_array::{
    ArrayRef, Float64Array, Int64Array, RecordBatch, StringArray, TimestampSecondArray,
};
use jiff::{SignedDuration, Timestamp};
use noops_core::Probability;

use super::*;
use crate::gate::GateVerdict;

fn batch(columns: Vec<(&str, ArrayRef)>) -> RecordBatch {
    RecordBatch::try_from_iter_with_nullable(
        columns.into_iter().map(|(name, array)| (name, array, true)),
    )
    .unwrap()
}

fn numbers(values: &[Option<f64>]) -> ArrayRef {
    Arc::new(Float64Array::from(values.to_vec()))
}

fn integers(values: &[Option<i64>]) -> ArrayRef {
    Arc::new(Int64Array::from(values.to_vec()))
}

fn texts(values: &[Option<&str>]) -> ArrayRef {
    Arc::new(StringArray::from(values.to_vec()))
}

fn rate(rate: f64) -> Probability {
    Probability::new(rate).unwrap()
}

fn check_one(column: ColumnExpectation, array: ArrayRef) -> ExpectationReport {
    let name = column.name().to_owned();
    Expectations::new(vec![column])
        .unwrap()
        .check(&batch(vec![(name.as_str(), array)]), None)
        .unwrap()
}

fn blamed(report: &ExpectationReport) -> Vec<usize> {
    report.quarantine().values().set_indices().collect()
}

fn check_frame(rule: CrossRule, columns: Vec<(&str, ArrayRef)>) -> ExpectationReport {
    Expectations::new(Vec::new())
        .unwrap()
        .with_frame(FrameExpectation::default().with_rule(rule))
        .unwrap()
        .check(&batch(columns), None)
        .unwrap()
}

#[test]
fn a_row_outside_the_range_is_listed_with_its_value() {
    let report = check_one(
        ColumnExpectation::new("age").with_range(Range::new(0.0, 130.0).unwrap()),
        numbers(&[Some(0.0), None, Some(130.5), Some(-0.0), Some(-1.0)]),
    );
    let rule = report.column("age").unwrap().rule(RuleKind::Range).unwrap();
    assert_eq!(rule.verdict(), GateVerdict::Fail);
    assert_eq!(rule.failing(), 2);
    assert_eq!(rule.observed(), &Observation::Rows(2));
    assert_eq!(rule.limit(), "numbers at least 0 and at most 130");
    let listed: Vec<(u64, &[String])> = rule
        .rows()
        .iter()
        .map(|row| (row.row(), row.values()))
        .collect();
    assert_eq!(
        listed,
        [
            (2, ["130.5".to_owned()].as_slice()),
            (4, ["-1".to_owned()].as_slice())
        ]
    );
    assert_eq!(blamed(&report), [2, 4]);
    assert_eq!((report.accepted(), report.quarantined()), (3, 2));
}

#[test]
fn samples_can_be_hidden_and_lists_cut() {
    let column = ColumnExpectation::new("x").with_range(Range::at_least(0.0).unwrap());
    let report = Expectations::new(vec![column])
        .unwrap()
        .with_listed_rows(2)
        .with_samples(Samples::Hidden)
        .check(&batch(vec![("x", numbers(&[Some(-1.0); 5]))]), None)
        .unwrap();
    let rule = report.column("x").unwrap().rule(RuleKind::Range).unwrap();
    assert_eq!(rule.failing(), 5);
    assert_eq!(rule.rows().len(), 2);
    assert!(rule.rows().iter().all(|row| row.values().is_empty()));
    assert!(!serde_json::to_string(&report).unwrap().contains("-1"));
}

#[test]
fn excluded_ends_are_outside() {
    let column = || ColumnExpectation::new("x").with_range(Range::between(0.0, 1.0).unwrap());
    let values = [0.0, -0.0, f64::MIN_POSITIVE, 0.5, 1.0_f64.next_down(), 1.0];
    let report = check_one(column(), numbers(&values.map(Some)));
    assert_eq!(blamed(&report), [0, 1, 5]);
    // No integer lies between.
    let report = check_one(column(), integers(&[Some(0), Some(1), None]));
    assert_eq!(blamed(&report), [0, 1]);
}

#[test]
fn large_integers_are_compared_exactly() {
    let limit = 9_007_199_254_740_992_i64;
    let column = ColumnExpectation::new("id").with_range(Range::at_most(limit as f64).unwrap());
    let report = check_one(column, integers(&[Some(limit), Some(limit + 1)]));
    assert_eq!(blamed(&report), [1]);
    let column = ColumnExpectation::new("id").with_unique(Uniqueness::default());
    let report = check_one(
        column,
        integers(&[Some(limit), Some(limit + 1), Some(limit)]),
    );
    assert_eq!(blamed(&report), [2]);
    let report = check_frame(
        CrossRule::Equal {
            left: "a".to_owned(),
            right: "b".to_owned(),
        },
        vec![
            ("a", integers(&[Some(limit), Some(7)])),
            ("b", integers(&[Some(limit + 1), Some(7)])),
        ],
    );
    assert_eq!(blamed(&report), [0]);
}

#[test]
fn nan_breaks_a_range_unless_it_has_a_rule_of_its_own() {
    let values = numbers(&[Some(f64::NAN), Some(0.5), None, Some(0.1)]);
    let ranged = ColumnExpectation::new("x").with_range(Range::new(0.0, 1.0).unwrap());
    assert_eq!(blamed(&check_one(ranged.clone(), values.clone())), [0]);

    let tolerant = ranged.clone().with_max_nan_rate(rate(0.25));
    let report = check_one(tolerant, values.clone());
    assert_eq!(report.verdict(), GateVerdict::Pass);
    assert!(blamed(&report).is_empty());

    let strict = ranged.with_max_nan_rate(rate(0.0));
    let report = check_one(strict, values);
    let column = report.column("x").unwrap();
    assert_eq!(
        column.rule(RuleKind::NanRate).unwrap().verdict(),
        GateVerdict::Fail
    );
    assert_eq!(
        column.rule(RuleKind::Range).unwrap().verdict(),
        GateVerdict::Pass
    );
    assert_eq!(blamed(&report), [0]);
}

#[test]
fn a_null_rate_above_its_limit_fails_and_blames_rows_only_at_a_limit_of_zero() {
    let values = numbers(&[Some(1.0), None, None, Some(1.0)]);
    let report = check_one(
        ColumnExpectation::new("x").with_max_null_rate(rate(0.4)),
        values.clone(),
    );
    let rule = report
        .column("x")
        .unwrap()
        .rule(RuleKind::NullRate)
        .unwrap();
    assert_eq!(rule.verdict(), GateVerdict::Fail);
    assert_eq!(rule.observed(), &Observation::Rate(0.5));
    assert_eq!(rule.failing(), 2);
    assert!(blamed(&report).is_empty());
    let report = check_one(
        ColumnExpectation::new("x").with_max_null_rate(rate(0.5)),
        values.clone(),
    );
    assert_eq!(report.verdict(), GateVerdict::Pass);
    let report = check_one(
        ColumnExpectation::new("x").with_max_null_rate(rate(0.0)),
        values,
    );
    assert_eq!(blamed(&report), [1, 2]);
}

#[test]
fn domains_lengths_and_orders_blame_their_rows() {
    let words = texts(&[Some("AT"), Some("FR"), None, Some("DEU"), Some("AT")]);
    let list = Domain::Texts(vec!["DEU".to_owned(), "AT".to_owned()]);
    let allowed = ColumnExpectation::new("c").with_allowed(list.clone());
    assert_eq!(blamed(&check_one(allowed, words.clone())), [1]);
    let disallowed = ColumnExpectation::new("c").with_disallowed(list);
    assert_eq!(blamed(&check_one(disallowed, words.clone())), [0, 3, 4]);
    let length = ColumnExpectation::new("c").with_length(Length {
        min: 2,
        max: Some(2),
    });
    assert_eq!(blamed(&check_one(length, words.clone())), [3]);
    let unique = ColumnExpectation::new("c").with_unique(Uniqueness::default());
    assert_eq!(blamed(&check_one(unique, words)), [4]);

    let steps = numbers(&[Some(1.0), None, Some(1.0), Some(3.0), Some(2.0), Some(2.5)]);
    let order = |order| ColumnExpectation::new("t").with_order(order);
    assert_eq!(
        blamed(&check_one(order(Order::Ascending), steps.clone())),
        [4]
    );
    assert_eq!(
        blamed(&check_one(order(Order::StrictlyAscending), steps.clone())),
        [2, 4]
    );
    assert_eq!(
        blamed(&check_one(order(Order::Descending), steps.clone())),
        [3, 5]
    );
    assert_eq!(
        blamed(&check_one(order(Order::StrictlyDescending), steps)),
        [2, 3, 5]
    );
}

#[test]
fn more_values_than_uniqueness_compares_are_undecided_unless_one_repeats() {
    let unique = || ColumnExpectation::new("x").with_unique(Uniqueness { max_values: 3 });
    let verdict = |array| check_one(unique(), array).verdict();
    let four = [Some(1), Some(2), Some(3), Some(4)];
    assert_eq!(verdict(integers(&four)), GateVerdict::Undecided);
    assert_eq!(verdict(integers(&four[..3])), GateVerdict::Pass);
    let repeated = [Some(1), Some(1), Some(3), Some(4)];
    assert_eq!(verdict(integers(&repeated)), GateVerdict::Fail);
    let words = [Some("a"), Some("b"), Some("c"), Some("d")];
    assert_eq!(verdict(texts(&words)), GateVerdict::Undecided);
    assert_eq!(verdict(texts(&words[..3])), GateVerdict::Pass);
    let zeros = [Some(0.0), Some(-0.0), Some(f64::NAN)];
    assert_eq!(blamed(&check_one(unique(), numbers(&zeros))), [1]);
}

#[test]
fn a_stale_column_fails_and_a_time_in_the_future_is_blamed() {
    let now = Timestamp::from_second(1_000_000).unwrap();
    let column = ColumnExpectation::new("at").with_freshness(Freshness {
        max_age: SignedDuration::from_secs(60),
        max_ahead: SignedDuration::from_secs(5),
    });
    let expectations = Expectations::new(vec![column]).unwrap();
    let check = |seconds: Vec<Option<i64>>| {
        let array: ArrayRef = Arc::new(TimestampSecondArray::from(seconds));
        expectations
            .check(&batch(vec![("at", array)]), Some(now))
            .unwrap()
    };
    let fresh = check(vec![Some(1), Some(999_940), None, Some(1_000_005)]);
    assert_eq!(fresh.verdict(), GateVerdict::Pass, "{fresh:?}");
    let stale = check(vec![Some(1), Some(999_939)]);
    let rule = stale
        .column("at")
        .unwrap()
        .rule(RuleKind::Freshness)
        .unwrap();
    assert_eq!(rule.verdict(), GateVerdict::Fail);
    assert_eq!(rule.observed(), &Observation::Seconds(61.0));
    assert!(blamed(&stale).is_empty());
    let ahead = check(vec![Some(1_000_000), Some(1_000_006)]);
    assert_eq!(ahead.verdict(), GateVerdict::Fail);
    assert_eq!(blamed(&ahead), [1]);
    assert_eq!(check(vec![None, None]).verdict(), GateVerdict::Undecided);

    let refused = expectations.check(&batch(vec![("at", numbers(&[None]))]), None);
    assert_eq!(
        refused.unwrap_err().to_string(),
        "input `now` is missing and column `at` has a freshness rule; pass the time of the check"
    );
}

#[test]
fn cross_column_rules_skip_rows_without_values() {
    let left = numbers(&[Some(1.0), Some(3.0), None, Some(f64::NAN)]);
    let right = numbers(&[Some(1.0), Some(2.0), Some(1.0), Some(1.0)]);
    let columns = || vec![("a", left.clone()), ("b", right.clone())];
    let (a, b) = ("a".to_owned(), "b".to_owned());
    let rule = CrossRule::AtMost {
        left: a.clone(),
        right: b.clone(),
    };
    let report = check_frame(rule, columns());
    assert_eq!(blamed(&report), [1]);
    assert_eq!(report.frame()[0].rows()[0].values(), ["3", "2"]);
    let rule = CrossRule::NullTogether {
        when: a.clone(),
        then: b.clone(),
    };
    assert_eq!(blamed(&check_frame(rule, columns())), [2]);
    let rule = CrossRule::Sum {
        parts: vec![a, b],
        total: "c".to_owned(),
        tolerance: 0.01,
    };
    let mut columns = columns();
    columns.push((
        "c",
        numbers(&[Some(2.005), Some(5.02), Some(9.0), Some(9.0)]),
    ));
    assert_eq!(blamed(&check_frame(rule, columns)), [1]);
    let rule = CrossRule::Equal {
        left: "s".to_owned(),
        right: "t".to_owned(),
    };
    let columns = vec![
        ("s", texts(&[Some("x"), Some("x"), None])),
        ("t", texts(&[Some("x"), Some("y"), Some("x")])),
    ];
    assert_eq!(blamed(&check_frame(rule, columns)), [1]);
}

#[test]
fn missing_new_and_counted_rows_are_rules_of_the_frame() {
    let expectations = Expectations::new(vec![
        ColumnExpectation::new("a"),
        ColumnExpectation::new("gone"),
        ColumnExpectation::new("maybe")
            .with_presence(Presence::Optional)
            .with_range(Range::at_least(0.0).unwrap()),
    ])
    .unwrap()
    .with_frame(
        FrameExpectation::default()
            .with_min_rows(2)
            .with_unknown_columns(UnknownColumns::RefusedExcept(vec!["extra".to_owned()])),
    )
    .unwrap();
    let one = numbers(&[Some(1.0)]);
    let report = expectations
        .check(
            &batch(vec![
                ("a", one.clone()),
                ("extra", one.clone()),
                ("new", one),
            ]),
            None,
        )
        .unwrap();
    let verdicts: Vec<GateVerdict> = report
        .columns()
        .iter()
        .map(ColumnOutcome::verdict)
        .collect();
    assert_eq!(
        verdicts,
        [GateVerdict::Pass, GateVerdict::Fail, GateVerdict::Pass]
    );
    assert_eq!(report.frame()[0].rule(), RuleKind::RowCount);
    assert_eq!(report.frame()[0].verdict(), GateVerdict::Fail);
    assert_eq!(report.frame()[1].columns(), ["new"]);
    assert_eq!(report.quarantined(), 0);
}

#[test]
fn expectations_survive_the_way_through_json() {
    let expectations = Expectations::new(vec![
        ColumnExpectation::new("x")
            .with_types(vec![
                ColumnType::Kind(TypeKind::Time),
                "Timestamp(ms, \"UTC\")".parse().unwrap(),
            ])
            .with_range(Range::between(-1.5, 2.0).unwrap())
            .with_allowed(Domain::Numbers(vec![0.1, 1.0]))
            .with_freshness(Freshness {
                max_age: SignedDuration::from_hours(36),
                max_ahead: SignedDuration::ZERO,
            })
            .with_unique(Uniqueness::default()),
    ])
    .unwrap()
    .with_frame(
        FrameExpectation::default()
            .with_max_rows(9)
            .with_rule(CrossRule::LabelRate(
                LabelRate::new("y", "1", "x", rate(0.1), rate(0.2)).unwrap(),
            )),
    )
    .unwrap();
    let stored = serde_json::to_string(&expectations).unwrap();
    let read: Expectations = serde_json::from_str(&stored).unwrap();
    assert_eq!(read, expectations);
}
