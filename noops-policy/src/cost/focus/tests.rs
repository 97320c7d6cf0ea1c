use std::time::Duration;

use proptest::prelude::*;

use super::*;
use crate::cost::{CostBudget, SpendRequest};
use crate::slo::Window;

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn row(service: &str) -> FocusRow {
    let span = Span::between(at("2026-03-01T00:00:00.5Z"), at("2026-03-01T00:00:00.7Z"));
    FocusRow::new(
        "-1.5".parse().unwrap(),
        "EUR".parse().unwrap(),
        span,
        span,
        ChargeCategory::Usage,
    )
    .with_service(service)
}

/// Reads RFC 4180 text: the fields of each record.
fn read(csv: &str) -> Vec<Vec<String>> {
    let mut records = vec![vec![String::new()]];
    let mut characters = csv.chars().peekable();
    let mut is_quoted = false;
    while let Some(character) = characters.next() {
        let field = records.last_mut().unwrap().last_mut().unwrap();
        match character {
            '"' if is_quoted && characters.peek() == Some(&'"') => {
                characters.next();
                field.push('"');
            }
            '"' => is_quoted = !is_quoted,
            ',' if !is_quoted => records.last_mut().unwrap().push(String::new()),
            '\r' if !is_quoted && characters.peek() == Some(&'\n') => {
                characters.next();
                records.push(vec![String::new()]);
            }
            other => field.push(other),
        }
    }
    records.pop();
    records
}

fn service_of(csv: &str) -> String {
    let records = read(csv);
    assert_eq!(records.len(), 2);
    assert_eq!(records[0].len(), records[1].len());
    let column = records[0]
        .iter()
        .position(|name| name == "ServiceName")
        .unwrap();
    records[1][column].clone()
}

#[test]
fn a_row_is_written_exactly() {
    let row = row("a \"b\", c")
        .with_tag("k", "v")
        .with_class(ChargeClass::Correction);
    let row = row.with_consumed("0.25".parse().unwrap(), "Hours").unwrap();
    let csv = to_csv(std::slice::from_ref(&row));
    let line = csv.lines().nth(1).unwrap();
    assert_eq!(
        line,
        "-1.50,-1.50,-1.50,EUR,2026-03-01T00:00:00Z,2026-03-01T00:00:01Z,2026-03-01T00:00:00Z,2026-03-01T00:00:01Z,\
         Usage,Correction,0.25,Hours,,,\"a \"\"b\"\", c\",,,\"{\"\"k\"\":\"\"v\"\"}\""
    );
    let json: serde_json::Value = serde_json::from_str(&to_json(&[row])).unwrap();
    assert_eq!(json[0]["BilledCost"], "-1.50");
    assert_eq!(json[0]["SkuId"], serde_json::Value::Null);
    assert_eq!(json[0]["Tags"]["k"], "v");
}

#[test]
fn formulas_are_defused_and_amounts_are_not() {
    for hostile in ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", " =1", "＝1"] {
        let service = service_of(&to_csv(&[row(hostile)]));
        assert_eq!(service, format!("'{hostile}"));
    }
    assert_eq!(service_of(&to_csv(&[row("a-b")])), "a-b");
}

#[test]
fn only_usage_consumes() {
    let span = Span::between(Timestamp::MIN, Timestamp::MAX);
    let tax = FocusRow::new(
        Money::ZERO,
        "EUR".parse().unwrap(),
        span,
        span,
        ChargeCategory::Tax,
    );
    let refused = tax.clone().with_consumed(Money::ZERO, "Hours").unwrap_err();
    assert_eq!(
        refused.to_string(),
        "`consumed`: a charge of category `Tax` consumes nothing; leave it out"
    );
    assert!(to_csv(&[tax]).ends_with("\r\n"));
}

#[test]
fn the_ledger_exports_what_was_spent_and_what_was_corrected() {
    let mut governor = CostGovernor::new("EUR".parse().unwrap());
    let path: BudgetPath = "acme/risk/fraud".parse().unwrap();
    let week = Window::rolling(Duration::from_secs(7 * 86_400)).unwrap();
    let budget = CostBudget::new(path.clone(), week, "100".parse().unwrap()).unwrap();
    let (start, end) = (at("2026-03-31T23:00:00Z"), at("2026-04-01T01:00:00Z"));
    governor.set_budget(budget, start);
    let hold = Duration::from_secs(86_400);
    let request = SpendRequest::new("k", path.clone(), "9".parse().unwrap(), hold).unwrap();
    let _ = governor
        .reserve(&request.with_purpose(Purpose::Training), start)
        .unwrap();
    let _ = governor.commit("k", "7.25".parse().unwrap(), end).unwrap();
    let late = Adjustment::new("late", path.clone(), "1".parse().unwrap(), start).unwrap();
    let _ = governor.adjust(&late, end).unwrap();
    let credit = Adjustment::new("credit", path, "-2".parse().unwrap(), end).unwrap();
    let _ = governor.adjust(&credit, end).unwrap();

    let rows = governor.focus_rows(start, Timestamp::MAX);
    let kinds: Vec<_> = rows
        .iter()
        .map(|row| (row.category(), row.class()))
        .collect();
    assert_eq!(
        kinds,
        [
            (ChargeCategory::Usage, None),
            (ChargeCategory::Adjustment, Some(ChargeClass::Correction)),
            (ChargeCategory::Credit, None),
        ]
    );
    let total: i128 = rows.iter().map(|row| row.billed().micros()).sum();
    assert_eq!(total, 6_250_000);
    let csv = to_csv(&rows);
    assert!(csv.contains(
        "7.25,7.25,7.25,EUR,2026-03-31T23:00:00Z,2026-04-01T01:00:00Z,2026-04-01T00:00:00Z,2026-05-01T00:00:00Z,\
         Usage,,,,acme/risk/fraud,model,training,,acme/risk,"
    ));
    assert!(governor.focus_rows(Timestamp::MIN, start).is_empty());
}

proptest! {
    #[test]
    fn every_text_reads_back(text in "(?s).{0,12}") {
        let read = service_of(&to_csv(&[row(&text)]));
        let expected = match read.strip_prefix('\'') {
            Some(original) => original,
            None => &read,
        };
        prop_assert_eq!(expected, &text);
        prop_assert!(!read.trim_start().starts_with(['=', '+', '-', '@']));
    }
}
