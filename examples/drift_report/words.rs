//! The report in plain words, for a terminal.

use std::path::Path;

use comfy_table::presets::UTF8_FULL_CONDENSED;
use comfy_table::{CellAlignment, Table};
use noops_drift::statistic::Verdict;
use noops_drift::{ColumnDrift, RateKind};

use crate::compare::Compared;
use crate::document::{Column, Document};
use crate::frame::printable;

/// A table of the columns, worst first, what was left out and violated, and a sentence on all of it.
pub(crate) fn tell(
    document: &Document,
    compared: &Compared,
    reference: &Path,
    current: &Path,
) -> String {
    let report = compared.report();
    let mut columns: Vec<(&ColumnDrift, &Column)> =
        report.columns().iter().zip(document.columns()).collect();
    columns.sort_by(|(a, _), (b, _)| {
        let by_verdict = place(a.verdict()).cmp(&place(b.verdict()));
        by_verdict
            .then_with(|| a.p_value().total_cmp(&b.p_value()))
            .then_with(|| b.psi().statistic().total_cmp(&a.psi().statistic()))
    });
    let mut table = Table::new();
    table.load_style(UTF8_FULL_CONDENSED).set_header(vec![
        "column",
        "PSI",
        "p-value",
        "nulls before",
        "nulls now",
        "in words",
    ]);
    for (drift, column) in &columns {
        table.add_row(vec![
            printable(column.name()),
            format!("{:.3}", drift.psi().statistic()),
            short(drift.adjusted_p_value()),
            percent(drift.reference().missing()),
            percent(drift.current().missing()),
            in_words(drift, column),
        ]);
    }
    for column in table.column_iter_mut().skip(1).take(4) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    let mut text = table.trim_fmt();
    text.push('\n');
    for left_out in document.not_compared() {
        let name = printable(&left_out.name);
        text.push_str(&format!("\nnot compared: `{name}` {}", left_out.reason));
    }
    for violation in document.violations().unwrap_or_default() {
        text.push_str(&format!(
            "\nviolated: {}",
            printable(&violation.to_string())
        ));
    }
    if !document.not_compared().is_empty()
        || document
            .violations()
            .is_some_and(|violations| !violations.is_empty())
    {
        text.push('\n');
    }
    text.push('\n');
    text.push_str(&summary(document, compared, reference, current));
    text
}

fn summary(document: &Document, compared: &Compared, reference: &Path, current: &Path) -> String {
    let report = compared.report();
    let of = |verdict: u8| {
        let columns = report.columns().iter();
        columns
            .filter(|column| place(column.verdict()) == verdict)
            .count()
    };
    let drifted = match of(0) {
        0 => "No column".to_owned(),
        some => format!("{some} of {}", counted(report.columns().len(), "column")),
    };
    let mut text = format!(
        "{drifted} drifted from `{}` ({}) to `{}` ({}); if nothing had changed, the chance of calling any column drifted would be at most {}.",
        reference.display(),
        counted_rows(report.rows_reference()),
        current.display(),
        counted_rows(report.rows_current()),
        percent(report.alpha().get()),
    );
    match of(1) {
        0 => {}
        1 => text.push_str(" One column has too few rows to tell."),
        some => text.push_str(&format!(" {some} columns have too few rows to tell.")),
    }
    match document.violations().map(<[_]>::len) {
        None => {}
        Some(0) => text.push_str(" No expectation is violated."),
        Some(some) => text.push_str(&format!(" {} violated.", expectations(some))),
    }
    text
}

fn expectations(count: usize) -> String {
    if count == 1 {
        "1 expectation is".to_owned()
    } else {
        format!("{count} expectations are")
    }
}

/// What happened to a column, in a clause.
fn in_words(drift: &ColumnDrift, column: &Column) -> String {
    if column.n_reference() == 0 {
        return "the reference has no usable value".to_owned();
    }
    match drift.verdict() {
        Verdict::Drift => {
            let (before, now) = (drift.reference(), drift.current());
            let changed = |what: &str, before: f64, now: f64| {
                let direction = if now > before { "more" } else { "fewer" };
                format!(
                    "drift: {direction} {what}, {} before and {} now",
                    percent(before),
                    percent(now)
                )
            };
            match drift.jumped() {
                Some(RateKind::Missing) => changed("nulls", before.missing(), now.missing()),
                Some(RateKind::NotFinite) => {
                    changed("NaN and infinities", before.not_finite(), now.not_finite())
                }
                Some(RateKind::Unseen) => changed(
                    "values of categories that the reference does not list",
                    before.unseen(),
                    now.unseen(),
                ),
                Some(RateKind::OutOfRange) => changed(
                    "values other than the reference's only one",
                    before.out_of_range(),
                    now.out_of_range(),
                ),
                _ => format!("drift: {}", moved(column)),
            }
        }
        Verdict::NoDrift => "no drift".to_owned(),
        Verdict::Undecided {
            visible_from: Some(psi),
        } => format!(
            "too few rows: {} show a PSI from {psi:.2} on",
            counted_rows(column.n_current())
        ),
        Verdict::Undecided { visible_from: None } => format!(
            "too few rows: {} show no shift, however large",
            counted_rows(column.n_current())
        ),
    }
}

/// Which way the values went, where they went one way.
fn moved(column: &Column) -> String {
    let clear = column
        .mann_whitney()
        .is_some_and(|test| test.p_value() < CLEAR);
    match column.reference_larger() {
        Some(share) if clear && share < 0.5 - NOTABLE => format!(
            "values have become larger (in {} of pairs)",
            percent(1.0 - share)
        ),
        Some(share) if clear && share > 0.5 + NOTABLE => {
            format!(
                "values have become smaller (in {} of pairs)",
                percent(share)
            )
        }
        Some(_) => "values are spread differently".to_owned(),
        None => "the shares of the values have changed".to_owned(),
    }
}

/// The worst comes first.
fn place(verdict: Verdict) -> u8 {
    match verdict {
        Verdict::Drift => 0,
        Verdict::Undecided { .. } => 1,
        Verdict::NoDrift => 2,
    }
}

fn counted(count: usize, noun: &str) -> String {
    let ending = if count == 1 { "" } else { "s" };
    format!("{count} {noun}{ending}")
}

/// `1234567` as `1,234,567 rows`.
fn counted_rows(rows: u64) -> String {
    let digits = rows.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text.push_str(if rows == 1 { " row" } else { " rows" });
    text
}

fn percent(share: f64) -> String {
    let percent = 100.0 * share;
    if percent > 0.0 && percent < 0.1 {
        format!("{percent:.1e} %")
    } else {
        format!("{percent:.1} %")
    }
}

fn short(p_value: f64) -> String {
    if p_value >= 0.001 || p_value == 0.0 {
        format!("{p_value:.3}")
    } else {
        format!("{p_value:.1e}")
    }
}

/// How sure a direction must be, and how many pairs beyond half must go it, to be told.
const CLEAR: f64 = 0.001;
const NOTABLE: f64 = 0.05;
