//! The plan in tables, for a terminal.

use comfy_table::presets::UTF8_FULL_CONDENSED;
use comfy_table::{CellAlignment, Table};
use noops_canary::planning::{MetricPlan, Requirement, StagePlan};

use crate::planned::{Planned, Ramp};
use crate::words::{duration, percent, printable};

/// A table of each stage, and one of the ramp that is suggested.
pub(crate) fn of(planned: &Planned<'_>) -> Vec<String> {
    let mut parts: Vec<String> = planned
        .plan
        .stages()
        .iter()
        .enumerate()
        .map(|(place, stage)| {
            let head = heading(place + 1, stage, planned);
            format!("{head}\n{}", metrics(stage, planned))
        })
        .collect();
    parts
        .push("Minutes, unless another unit is named; the slowest metric is marked with *.".into());
    parts.extend(planned.ramp.as_ref().map(ramp));
    parts
}

fn heading(number: usize, stage: &StagePlan, planned: &Planned<'_>) -> String {
    let share = stage.stage().share();
    let requests = |minutes: f64| {
        let requests = planned.requests_in(minutes);
        format!(
            "{requests:.0} requests, {:.0} of them the candidate's",
            requests * share.ratio()
        )
    };
    let mut text = format!("Stage {number}, {share}: ");
    if let Some(minutes) = stage.stage().max_minutes() {
        text.push_str(&format!(
            "{} bring {}; ",
            duration(minutes),
            requests(minutes)
        ));
    }
    match stage.promotion() {
        Some(needed) => text.push_str(&format!(
            "all proofs take {}, {}",
            duration(needed.minutes()),
            requests(needed.minutes())
        )),
        None => text.push_str("nothing is ever proven"),
    }
    text
}

fn metrics(stage: &StagePlan, planned: &Planned<'_>) -> String {
    let effect = planned.asked.effect;
    let mut header: Vec<String> = [
        "metric",
        "proven 50 %",
        "proven 80 %",
        "proven 90 %",
        "with all",
        "requests",
    ]
    .map(str::to_owned)
    .to_vec();
    header.push(format!("x{effect} found 50 %"));
    header.push(format!("x{effect} found 80 %"));
    if planned.asked.minutes.is_some() {
        header.push("smallest found".to_owned());
    }
    let mut table = table(&header);
    for metric in stage.metrics() {
        let name = printable(metric.name());
        let mut row = vec![if stage.slowest() == Some(metric.name()) {
            format!("{name} *")
        } else {
            name
        }];
        match metric.proof() {
            Some(proof) => {
                let needed = [
                    proof.half(),
                    proof.eighty(),
                    proof.ninety(),
                    proof.promotion(),
                ];
                row.extend(needed.map(minutes));
                row.push(requests(
                    proof.promotion(),
                    planned.is_paired(metric.name()),
                ));
            }
            None => row.extend([NOT_ASKED; 5].map(str::to_owned)),
        }
        match metric.harms().first() {
            Some(harm) => row.extend([harm.half(), harm.eighty()].map(minutes)),
            None => row.extend([NOT_ASKED; 2].map(str::to_owned)),
        }
        if planned.asked.minutes.is_some() {
            row.push(smallest(metric));
        }
        table.add_row(row);
    }
    table.trim_fmt()
}

fn ramp(ramp: &Ramp<'_>) -> String {
    let mut table =
        table(&["stage", "share", "found", "bad events if it gets there"].map(str::to_owned));
    for (place, chosen) in ramp.plan.shares().iter().enumerate() {
        table.add_row(vec![
            format!("{}", place + 1),
            chosen.share().to_string(),
            percent(chosen.detection()),
            format!("{:.1}", chosen.expected_excess()),
        ]);
    }
    let head = format!(
        "Suggested ramp, by `{}`, for at most {} bad events beyond the champion's",
        printable(&ramp.asked.metric),
        ramp.asked.settings.budget()
    );
    if ramp.plan.shares().is_empty() {
        return format!("{head}: there is none.");
    }
    format!("{head}:\n{}", table.trim_fmt())
}

fn table(header: &[String]) -> Table {
    let mut table = Table::new();
    table
        .load_style(UTF8_FULL_CONDENSED)
        .set_header(header.to_vec());
    for column in table.column_iter_mut().skip(1) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    table
}

fn minutes(needed: Option<Requirement>) -> String {
    let Some(minutes) = needed.map(|needed| needed.minutes()) else {
        return NEVER.to_owned();
    };
    let digits = match minutes {
        minutes if minutes >= 100.0 => 0,
        minutes if minutes >= 10.0 => 1,
        _ => 2,
    };
    format!("{minutes:.digits$}")
}

fn requests(needed: Option<Requirement>, paired: bool) -> String {
    match needed {
        None => NEVER.to_owned(),
        Some(needed) if paired => format!("{} pairs", needed.requests()),
        Some(needed) => needed.requests().to_string(),
    }
}

fn smallest(metric: &MetricPlan) -> String {
    match metric.smallest_effect() {
        Some(effect) => format!("x{effect:.2}"),
        None if metric.harms().is_empty() => NOT_ASKED.to_owned(),
        None => "nothing".to_owned(),
    }
}

/// Of a metric that need not be proven, or is only watched.
const NOT_ASKED: &str = "-";
const NEVER: &str = "never";
