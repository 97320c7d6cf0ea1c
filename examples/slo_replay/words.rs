//! What happened in plain words, for a terminal.

use std::time::Duration;

use comfy_table::presets::UTF8_FULL_CONDENSED;
use comfy_table::{CellAlignment, ContentArrangement, Table};
use noops_policy::slo::{
    AlertReason, BudgetTier, Burn, BurnRateRule, Severity, SloReport, TierReason,
};

use crate::objective::Watched;
use crate::replay::{Replay, Turn};

/// A paragraph on the budget, the timeline, and tables of the alerts, the tiers and the burn at the end.
pub(crate) fn tell(watched: &Watched, replay: &Replay) -> String {
    let mut parts = vec![budget(watched, replay), timeline(replay)];
    parts.push(if replay.alerts.is_empty() {
        "No alert fired.".to_owned()
    } else {
        alerts(&replay.alerts)
    });
    parts.extend(held_back(replay));
    if !replay.tiers.is_empty() {
        parts.push(tiers(replay));
    }
    parts.push(burns(&replay.report));
    parts.extend(uncounted(&replay.report));
    parts.join("\n\n")
}

fn budget(watched: &Watched, replay: &Replay) -> String {
    let (objective, report) = (&watched.objective, &replay.report);
    let budget = report.budget();
    let spent = match budget.consumed() {
        Some(consumed) => format!("{} of it is spent", percent(consumed)),
        None => "without events, nothing is known of it".to_owned(),
    };
    let end = match budget.exhausted_at() {
        Some(at) if budget.consumed().is_some_and(|part| part < 1.0) => {
            format!("\nAt the pace of the shortest window it lasts until {at}.")
        }
        _ => String::new(),
    };
    format!(
        "`{}`: {} of events shall be good over {}.\n{} lines from {} to {}: {} bad of {} events.\nError budget: {spent}; tier {}.{end}",
        objective.name(),
        percent(objective.target().ratio()),
        length(objective.window().nominal_length()),
        replay.rows,
        replay.from,
        report.at(),
        budget.tally().bad(),
        budget.tally().total(),
        tier(report.tier()),
    )
}

fn timeline(replay: &Replay) -> String {
    format!(
        "{}\n        bad: share of the shortest window, full at 100 %, `.` no events; P page, t ticket;\n        budget: A awareness, M mitigation, F frozen",
        replay.timeline.drawn(COLUMNS)
    )
}

fn alerts(turns: &[Turn]) -> String {
    let mut table = table(&["at (UTC)", "alert", "windows", "burn", "factor", "why"]);
    for turn in turns {
        let alert = &turn.alert;
        let what = if turn.has_fired() {
            "fired"
        } else {
            "resolved"
        };
        table.add_row(vec![
            turn.at.strftime("%m-%d %H:%M").to_string(),
            format!("{} {what}", severity(alert.severity())),
            windows(alert.rule()),
            format!("{}, {}", rate(alert.long()), rate(alert.short())),
            format!("{:.1}", alert.rule().factor()),
            why(turn),
        ]);
    }
    table.trim_fmt()
}

/// Of what fired, the lower bound of the bad share over the long window and the threshold that it is above.
fn why(turn: &Turn) -> String {
    let alert = &turn.alert;
    let reason = match (alert.reason(), alert.lower_bound()) {
        (AlertReason::BothWindows, Some(bound)) => {
            format!(
                "surely above {} > {}",
                percent(bound),
                percent(alert.threshold())
            )
        }
        (AlertReason::BothWindows, None) => "both windows burn".to_owned(),
        (AlertReason::LongWindow, _) => "long window calm".to_owned(),
        (AlertReason::ShortWindow, _) => "short window calm".to_owned(),
        (AlertReason::NotProven, _) => "too few events".to_owned(),
        (AlertReason::NoEvents, _) => "no events".to_owned(),
    };
    match turn.lasted {
        Some(lasted) => format!("{reason} after {}", length(lasted)),
        None => reason,
    }
}

fn held_back(replay: &Replay) -> Option<String> {
    (replay.held_back > 0).then(|| {
        format!(
            "{} looks found a rule burning too fast on too few events to prove it: it was held back.",
            replay.held_back
        )
    })
}

fn tiers(replay: &Replay) -> String {
    let mut table = table(&["at", "budget", "why"]);
    for change in &replay.tiers {
        table.add_row(vec![
            change.at().to_string(),
            format!("{} to {}", tier(change.from()), tier(change.to())),
            match change.reason() {
                TierReason::Spent => "spent",
                TierReason::Recovered => "recovered",
                TierReason::NewWindow => "a new window began",
            }
            .to_owned(),
        ]);
    }
    table.trim_fmt()
}

fn burns(report: &SloReport) -> String {
    let mut table = table(&["window at the end", "burn", "bad", "events", "watched"]);
    for burn in report.burns() {
        table.add_row(vec![
            length(burn.window()),
            rate(burn),
            burn.tally().bad().to_string(),
            burn.tally().total().to_string(),
            percent(burn.coverage()),
        ]);
    }
    for column in table.column_iter_mut().skip(1) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    table.trim_fmt()
}

fn uncounted(report: &SloReport) -> Option<String> {
    (report.late() > 0 || report.early() > 0).then(|| {
        format!(
            "Not counted: {} events that came too late, and {} stamped too far ahead.",
            report.late(),
            report.early()
        )
    })
}

fn table(header: &[&str]) -> Table {
    let mut table = Table::new();
    table
        .load_style(UTF8_FULL_CONDENSED)
        .set_content_arrangement(ContentArrangement::Dynamic)
        .set_width(100)
        .set_header(header.to_vec());
    table
}

fn windows(rule: &BurnRateRule) -> String {
    format!("{}, {}", length(rule.long()), length(rule.short()))
}

fn rate(burn: &Burn) -> String {
    match burn.rate() {
        None => "?".to_owned(),
        Some(rate) if rate >= 100.0 => format!("{rate:.0}"),
        Some(rate) => format!("{rate:.1}"),
    }
}

fn severity(severity: Severity) -> &'static str {
    match severity {
        Severity::Page => "page",
        Severity::Ticket => "ticket",
    }
}

fn tier(tier: BudgetTier) -> &'static str {
    match tier {
        BudgetTier::Healthy => "healthy",
        BudgetTier::Awareness => "awareness",
        BudgetTier::Mitigation => "mitigation",
        BudgetTier::Frozen => "frozen",
    }
}

/// About three digits that count.
fn percent(part: f64) -> String {
    let part = 100.0 * part;
    let digits = match part.abs() {
        size if (99.0..100.0).contains(&size) => 3,
        size if size >= 10.0 => 1,
        size if size >= 1.0 => 2,
        _ => 3,
    };
    let text = format!("{part:.digits$}");
    format!("{} %", text.trim_end_matches('0').trim_end_matches('.'))
}

/// Days, hours, minutes and seconds, those that are there.
fn length(duration: Duration) -> String {
    let mut rest = duration.as_secs();
    let mut text = String::new();
    for (unit, seconds) in [("d", 86_400), ("h", 3_600), ("m", 60), ("s", 1)] {
        if rest >= seconds {
            text.push_str(&format!("{}{unit}", rest / seconds));
            rest %= seconds;
        }
    }
    if text.is_empty() {
        text.push_str("0s");
    }
    text
}

const COLUMNS: usize = 90;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_and_lengths_are_short() {
        assert_eq!(percent(0.999), "99.9 %");
        assert_eq!(percent(0.9995), "99.95 %");
        assert_eq!(percent(1.0), "100 %");
        assert_eq!(percent(0.0), "0 %");
        assert_eq!(percent(12.5), "1250 %");
        assert_eq!(percent(0.0144), "1.44 %");
        assert_eq!(length(Duration::from_secs(3_900)), "1h5m");
        assert_eq!(length(Duration::ZERO), "0s");
    }
}
