//! The comparison in plain words, for a terminal.

use comfy_table::presets::UTF8_FULL_CONDENSED;
use comfy_table::{CellAlignment, Table};
use noops_canary::Interval;
use noops_canary::offline::fairness::{FourFifthsVerdict, GroupMetric};
use noops_canary::offline::{OfflineVerdict, SliceReport};

use crate::compare::{Compared, LOG_LOSS, Measured};
use crate::fair::{Fairness, SHOWN};
use crate::frame::printable;

/// A paragraph, a table of the metrics, and for every group column its slices and what each group gets.
pub(crate) fn tell(compared: &Compared) -> String {
    let mut parts = vec![
        printable(&compared.gate.explain()),
        format!(
            "{} rows, {} of them positive.\n{}",
            compared.rows,
            compared.positives,
            metrics(compared)
        ),
    ];
    for (column, report) in &compared.slices {
        parts.push(slices(column, report));
    }
    for fairness in &compared.fairness {
        parts.push(by_group(fairness));
    }
    parts.join("\n\n")
}

fn metrics(compared: &Compared) -> String {
    let mut table = table(&[
        "metric",
        "champion",
        "candidate",
        "difference",
        "p-value",
        "gate",
    ]);
    for metric in &compared.metrics {
        let mut results = compared.gate.results().iter();
        let verdict = results.find(|result| result.criterion().name() == metric.name);
        table.add_row(vec![
            metric.name.to_owned(),
            in_words(&metric.champion),
            in_words(&metric.candidate),
            in_words(&metric.difference),
            metric.p_value.map_or_else(String::new, short_p_value),
            verdict.map_or_else(String::new, |result| result.verdict().to_string()),
        ]);
    }
    table.trim_fmt()
}

fn slices(column: &str, report: &SliceReport) -> String {
    let mut table = table(&["slice", "rows", "difference", "adjusted p-value", "verdict"]);
    for slice in report.slices() {
        let comparison = slice.comparison();
        table.add_row(vec![
            printable(slice.slice()),
            comparison.n().to_string(),
            in_words(&Measured {
                value: Some(comparison.mean_difference()),
                interval: comparison.interval(),
            }),
            short_p_value(slice.adjusted_p_value()),
            match slice.verdict() {
                OfflineVerdict::NonInferior => "not worse",
                OfflineVerdict::Inferior => "worse",
                OfflineVerdict::Undecided => "undecided",
            }
            .to_owned(),
        ]);
    }
    format!(
        "difference in {LOG_LOSS} by `{}`\n{}",
        printable(column),
        table.trim_fmt()
    )
}

fn by_group(fairness: &Fairness) -> String {
    let mut table = table(&[
        "group",
        "rows",
        "selected",
        "true positives",
        "false positives",
        "accuracy",
        "four fifths",
    ]);
    let impacts = fairness.four_fifths.groups();
    for group in fairness.candidate.groups() {
        let mut impacts = impacts.iter();
        let impact = impacts.find(|impact| impact.selection().group() == group.name());
        let rate = |metric| group.value(metric).map_or_else(String::new, short);
        table.add_row(vec![
            printable(group.name()),
            group.rows().to_string(),
            rate(GroupMetric::SelectionRate),
            rate(GroupMetric::TruePositiveRate),
            rate(GroupMetric::FalsePositiveRate),
            rate(GroupMetric::Accuracy),
            impact
                .map_or("", |impact| four_fifths(impact.verdict()))
                .to_owned(),
        ]);
    }
    let mut text = format!(
        "what the candidate gives by `{}`\n{}",
        printable(fairness.name()),
        table.trim_fmt()
    );
    for (name, disparity) in SHOWN {
        let value = |grouped: &noops_canary::offline::fairness::GroupedMetrics| {
            grouped.disparity(disparity()).map_or_else(
                || "unknown".to_owned(),
                |found| {
                    in_words(&Measured {
                        value: Some(found.value()),
                        interval: found.interval(),
                    })
                },
            )
        };
        text.push_str(&format!(
            "\n{}: champion {}, candidate {}",
            name.replace('_', " "),
            value(&fairness.champion),
            value(&fairness.candidate)
        ));
    }
    text.push_str(&format!(
        "\nfour-fifths rule: {}",
        four_fifths(fairness.four_fifths.verdict())
    ));
    text
}

fn four_fifths(verdict: FourFifthsVerdict) -> &'static str {
    match verdict {
        FourFifthsVerdict::Adverse => "adverse",
        FourFifthsVerdict::Fair => "fair",
        FourFifthsVerdict::TooFew => "too few to tell",
    }
}

fn table(header: &[&str]) -> Table {
    let mut table = Table::new();
    table
        .load_style(UTF8_FULL_CONDENSED)
        .set_header(header.to_vec());
    let numbers = header.len().saturating_sub(2);
    for column in table.column_iter_mut().skip(1).take(numbers) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    table
}

fn in_words(measured: &Measured) -> String {
    let ends = |interval: &Interval| {
        format!(
            " ({} to {})",
            short(interval.lower()),
            short(interval.upper())
        )
    };
    match measured.value {
        Some(value) => format!(
            "{}{}",
            short(value),
            measured.interval.as_ref().map_or_else(String::new, ends)
        ),
        None => "undefined".to_owned(),
    }
}

fn short(number: f64) -> String {
    if number.is_infinite() {
        if number > 0.0 { "∞" } else { "-∞" }.to_owned()
    } else if number != 0.0 && number.abs() < 0.001 {
        format!("{number:.2e}")
    } else {
        format!("{number:.4}")
    }
}

fn short_p_value(p_value: f64) -> String {
    if p_value >= 0.001 || p_value == 0.0 {
        format!("{p_value:.3}")
    } else {
        format!("{p_value:.1e}")
    }
}
