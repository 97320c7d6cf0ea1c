//! The judgement in plain words, for a terminal.

use comfy_table::presets::UTF8_FULL_CONDENSED;
use comfy_table::{CellAlignment, Table};
use noops_canary::judge::{AaReport, Estimate, MetricJudgement, Scale, SliceJudgement, Verdict};

use crate::frame::printable;
use crate::replay::{Decided, Replay};

/// A paragraph, a table of the metrics, one of the slices, and what else was asked for.
pub(crate) fn tell(replay: &Replay) -> String {
    let judgement = &replay.judgement;
    let mut parts = vec![printable(&judgement.explain())];
    parts.extend(replay.decided.as_ref().map(decided));
    parts.push(metrics(judgement.metrics()));
    if !judgement.slices().is_empty() {
        parts.push(slices(judgement.slices()));
    }
    parts.extend(replay.check.as_ref().map(check));
    parts.join("\n\n")
}

fn decided(decided: &Decided) -> String {
    let what = match &decided.verdict {
        Verdict::Promote => "be promoted",
        _ => "be rolled back",
    };
    format!(
        "It could first {what} after {} requests, at {}.",
        decided.requests, decided.at
    )
}

fn metrics(metrics: &[MetricJudgement]) -> String {
    let mut table = table(&[
        "metric",
        "champion",
        "candidate",
        "estimate",
        "margin",
        "e not worse",
        "e worse",
        "verdict",
    ]);
    for metric in metrics {
        table.add_row(vec![
            printable(metric.name()),
            level(metric.champion_level(), metric.n_champion()),
            level(metric.candidate_level(), metric.n_candidate()),
            estimate(metric.estimate()),
            metric.margin().map_or_else(String::new, short),
            metric.not_worse().to_string(),
            metric.worse().to_string(),
            metric.verdict().as_str().to_owned(),
        ]);
    }
    table.trim_fmt()
}

fn slices(slices: &[SliceJudgement]) -> String {
    let mut table = table(&[
        "slice",
        "metric",
        "champion",
        "candidate",
        "estimate",
        "e worse",
        "verdict",
    ]);
    for slice in slices {
        table.add_row(vec![
            printable(&format!("{} = {}", slice.column(), slice.value())),
            printable(slice.metric()),
            slice.n_champion().to_string(),
            slice.n_candidate().to_string(),
            estimate(slice.estimate()),
            slice.worse().to_string(),
            slice.verdict().as_str().to_owned(),
        ]);
    }
    table.trim_fmt()
}

fn check(report: &AaReport) -> String {
    let sound = if report.is_broken() {
        "something that the judge assumes does not hold on this traffic"
    } else {
        "nothing speaks against the promise"
    };
    format!(
        "A/A: of {} splits of the champion's own requests, {} were rolled back ({:.1} %, promised at most {:.1} %) and {} promoted; {sound}.",
        report.replicates(),
        report.false_alarms(),
        100.0 * report.false_alarm_rate().get(),
        100.0 * report.stated_rate().get(),
        report.promotions()
    )
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

fn level(level: Option<f64>, outcomes: u64) -> String {
    match level {
        Some(level) => format!("{} of {outcomes}", short(level)),
        None => format!("{outcomes}"),
    }
}

fn estimate(estimate: &Estimate) -> String {
    let scale = match estimate.scale() {
        Scale::Ratio => "ratio",
        Scale::Difference => "difference",
    };
    let interval = estimate.interval();
    match estimate.value() {
        Some(value) => format!(
            "{scale} {} ({} to {})",
            short(value),
            short(interval.lower()),
            short(interval.upper())
        ),
        None => format!("{scale} not known yet"),
    }
}

/// About four digits that count.
fn short(number: f64) -> String {
    let size = number.abs();
    if number.is_infinite() {
        return if number > 0.0 { "∞" } else { "-∞" }.to_owned();
    }
    if size != 0.0 && !(0.001..1e6).contains(&size) {
        return format!("{number:.2e}");
    }
    let digits = match size {
        size if size >= 100.0 => 1,
        size if size >= 1.0 => 3,
        _ => 4,
    };
    format!("{number:.digits$}")
}
