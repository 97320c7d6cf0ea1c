//! The summary for the terminal.

use comfy_table::presets::UTF8_FULL_CONDENSED;
use comfy_table::{CellAlignment, Table};

use super::Report;
use super::format::{counted, fixed, grouped, micros, month, percent};

/// The monthly scores as a table, and the key results below it.
pub(crate) fn render(report: &Report) -> String {
    let mut text = monthly(report);
    text.push('\n');
    for (label, value) in key_results(report) {
        text.push_str(&format!("\n  {label:<20} {value}"));
    }
    text.push('\n');
    text
}

fn monthly(report: &Report) -> String {
    let mut table = Table::new();
    table.load_style(UTF8_FULL_CONDENSED).set_header(vec![
        "month",
        "flights",
        "Brier frozen",
        "Brier autopilot",
        "AUC frozen",
        "AUC autopilot",
    ]);
    for entry in &report.monthly {
        table.add_row(vec![
            month(entry.month),
            grouped(entry.n),
            fixed(entry.brier.frozen, 4),
            fixed(entry.brier.autopilot, 4),
            fixed(entry.auc.frozen, 4),
            fixed(entry.auc.autopilot, 4),
        ]);
    }
    table.add_row(vec![
        "all".to_owned(),
        grouped(report.labels),
        fixed(report.brier.frozen, 4),
        fixed(report.brier.autopilot, 4),
        fixed(report.auc.frozen, 4),
        fixed(report.auc.autopilot, 4),
    ]);
    for column in table.column_iter_mut().skip(1) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    table.trim_fmt()
}

fn key_results(report: &Report) -> [(&'static str, String); 11] {
    let candidate = &report.bad_candidate;
    let exposed = percent(candidate.exposed_share, 2);
    let caught = match &candidate.caught_by {
        Some(stage) => format!("caught by {stage}, exposed to {exposed} of live traffic"),
        None => format!("not caught, exposed to {exposed} of live traffic"),
    };
    let rows = counted(report.bad_week.rows_quarantined, "row");
    let week = if report.bad_week.caught {
        format!("caught, {rows} quarantined")
    } else {
        format!("not caught, {rows} quarantined")
    };
    let verified = if report.audit.verified {
        "verified"
    } else {
        "NOT verified"
    };
    [
        (
            "predictions",
            format!(
                "{}, {} failed",
                grouped(report.predictions),
                grouped(report.failed_predictions)
            ),
        ),
        ("retrains", grouped(report.retrains)),
        ("promotions", grouped(report.promotions)),
        ("rollbacks", grouped(report.rollbacks)),
        ("escalations", grouped(report.escalations)),
        ("bad candidate", caught),
        ("bad week", week),
        (
            "audit",
            format!("{} entries, {verified}", grouped(report.audit.entries)),
        ),
        ("predict p50", micros(report.predict_p50_us)),
        ("predict p99", micros(report.predict_p99_us)),
        (
            "wall time",
            format!("{} s (seed {})", fixed(report.wall_seconds, 1), report.seed),
        ),
    ]
}

#[cfg(test)]
mod tests {
    use super::super::sample;
    use super::*;

    #[test]
    fn every_month_has_a_row_with_its_scores() {
        let report = sample::report();
        let text = render(&report);
        for entry in &report.monthly {
            let row = text
                .lines()
                .find(|line| line.contains(&month(entry.month)))
                .unwrap();
            assert!(row.contains(&grouped(entry.n)), "{row}");
            assert!(row.contains(&fixed(entry.brier.frozen, 4)), "{row}");
            assert!(row.contains(&fixed(entry.auc.autopilot, 4)), "{row}");
        }
    }

    #[test]
    fn key_results_follow_the_report() {
        let mut report = sample::report();
        let text = render(&report);
        assert!(text.contains("caught by shadow, exposed to 0.00% of live traffic"));
        assert!(text.contains("caught, 31,234 rows quarantined"));
        assert!(text.contains("57 entries, verified"));
        assert!(text.contains("84.2 µs") && text.contains("1.31 ms"));

        report.bad_candidate.caught_by = None;
        report.bad_candidate.exposed_share = 0.05;
        report.bad_week.caught = false;
        report.audit.verified = false;
        let text = render(&report);
        assert!(text.contains("not caught, exposed to 5.00% of live traffic"));
        assert!(text.contains("not caught, 31,234 rows quarantined"));
        assert!(text.contains("NOT verified"));
    }

    #[test]
    fn a_report_without_months_still_has_its_totals() {
        let mut report = sample::report();
        report.monthly.clear();
        report.brier.autopilot = f64::NAN;
        let text = render(&report);
        assert!(text.contains("1,200,000") && !text.contains("NaN"));
    }
}
