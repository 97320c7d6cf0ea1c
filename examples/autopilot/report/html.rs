//! The report as one page: no script, no request, readable in light and dark and on paper.

use maud::{DOCTYPE, Markup, PreEscaped, html};

use super::format::{change, counted, fixed, grouped, micros, month, percent};
use super::plot::legend;
use super::{Mark, Month, Report, Timeline, charts};

/// The whole page as HTML.
pub(crate) fn render(report: &Report, timeline: &Timeline) -> String {
    let page = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                title { (TITLE) }
                style { (PreEscaped(include_str!("style.css"))) }
            }
            body {
                main {
                    header {
                        h1 { (TITLE) }
                        p.lead { (summary(report)) }
                    }
                    (tiles(report))
                    (figures(report, timeline))
                    (decisions(&timeline.marks))
                    (months(&report.monthly))
                    footer {
                        p {
                            "Seed " (report.seed) " · replayed in " (fixed(report.wall_seconds, 1)) " s. "
                            "Times are the airports’ local clock."
                        }
                    }
                }
            }
        }
    };
    page.into_string()
}

/// The result in words, the bad news included.
fn summary(report: &Report) -> String {
    let candidate = &report.bad_candidate;
    let exposed = percent(candidate.exposed_share, 2);
    let candidate = match &candidate.caught_by {
        Some(stage) => format!("was caught by {stage}, exposed to {exposed} of live traffic"),
        None => format!("was not caught and was exposed to {exposed} of live traffic"),
    };
    let rows = counted(report.bad_week.rows_quarantined, "row");
    let week = if report.bad_week.caught {
        format!("was caught and {rows} quarantined")
    } else {
        format!("was not caught; {rows} quarantined")
    };
    let audit = if report.audit.verified {
        "and it verifies"
    } else {
        "and it does not verify"
    };
    format!(
        "The autopilot made {predictions} ({failed} failed) and received {labels}. \
         Its Brier score was {brier} against {frozen_brier} of the model frozen after January: {brier_change}, where lower is better. \
         Its AUC was {auc} against {frozen_auc}: {auc_change}, where higher is better. \
         On the way it took {retrains}, {promotions}, {rollbacks} and {escalations} to a person. \
         The candidate that was made bad on purpose {candidate}; the week of data that was corrupted on purpose {week}. \
         The audit trail has {entries} entries, {audit}.",
        predictions = counted(report.predictions, "prediction"),
        failed = grouped(report.failed_predictions),
        labels = counted(report.labels, "label"),
        brier = fixed(report.brier.autopilot, 4),
        frozen_brier = fixed(report.brier.frozen, 4),
        brier_change = change(&report.brier),
        auc = fixed(report.auc.autopilot, 4),
        frozen_auc = fixed(report.auc.frozen, 4),
        auc_change = change(&report.auc),
        retrains = counted(report.retrains, "retrain"),
        promotions = counted(report.promotions, "promotion"),
        rollbacks = counted(report.rollbacks, "rollback"),
        escalations = counted(report.escalations, "escalation"),
        entries = grouped(report.audit.entries),
    )
}

fn tiles(report: &Report) -> Markup {
    let candidate = &report.bad_candidate;
    let caught_by = candidate.caught_by.as_deref();
    html! {
        section.tiles aria-label="Key results" {
            (tile("Brier score", &fixed(report.brier.autopilot, 4), &format!("frozen {}: {}", fixed(report.brier.frozen, 4), change(&report.brier))))
            (tile("AUC", &fixed(report.auc.autopilot, 4), &format!("frozen {}: {}", fixed(report.auc.frozen, 4), change(&report.auc))))
            (tile("Predictions", &grouped(report.predictions), &format!("{} failed", grouped(report.failed_predictions))))
            (tile("Retrains", &grouped(report.retrains), &counted(report.promotions, "promotion")))
            (tile("Rollbacks", &grouped(report.rollbacks), &counted(report.escalations, "escalation")))
            (tile("Bad candidate", caught_by.map_or("not caught", |_| "caught"), &match caught_by {
                Some(stage) => format!("by {stage}, at {} of traffic", percent(candidate.exposed_share, 2)),
                None => format!("{} of traffic", percent(candidate.exposed_share, 2)),
            }))
            (tile("Bad week", if report.bad_week.caught { "caught" } else { "not caught" }, &format!("{} quarantined", counted(report.bad_week.rows_quarantined, "row"))))
            (tile("Audit trail", if report.audit.verified { "verified" } else { "broken" }, &format!("{} entries", grouped(report.audit.entries))))
            (tile("Prediction, median", &micros(report.predict_p50_us), &format!("{} at p99", micros(report.predict_p99_us))))
        }
    }
}

fn tile(label: &str, value: &str, note: &str) -> Markup {
    html! {
        div.tile {
            p.label { (label) }
            p.value { (value) }
            p.note { (note) }
        }
    }
}

fn figures(report: &Report, timeline: &Timeline) -> Markup {
    let arms = legend(&[
        ("frozen", "frozen January model"),
        ("autopilot", "autopilot"),
    ]);
    html! {
        div.pair {
            (figure("Brier score by month", "Lower is better. The axis does not start at zero.", &arms, &charts::monthly_brier(&report.monthly)))
            (figure("AUC by month", "Higher is better. The axis does not start at zero.", &arms, &charts::monthly_auc(&report.monthly)))
        }
        (figure(
            "Drift by day",
            "Population stability index of the feature that moved most and of the model’s scores, on a log scale; smaller values than 0.001 are drawn at 0.001. Below it, the share of the features that had drifted. Rest the pointer on a day for its numbers.",
            &legend(&[("worst", "worst feature"), ("score", "model score"), ("quarantine-band", "quarantined")]),
            &html! { (charts::drift(timeline)) (charts::drifted_features(timeline)) },
        ))
        (figure(
            "Decisions",
            "Every decision on the lane of its kind, with how often it was taken. Rest the pointer on a mark for the reason; the table below has them all.",
            &Markup::default(),
            &charts::decisions(timeline),
        ))
        (figure(
            "Traffic of the challenger",
            "The share of live answers that came from the challenger; the champion gave the rest.",
            &legend(&[("challenger", "challenger"), ("promote", "promotion"), ("rollback", "rollback")]),
            &charts::traffic(timeline),
        ))
        (figure(
            "Brier score over 14 days",
            "Mean over the trailing 14 days, weighted by labels; the first days average what there is. Lower is better. The axis does not start at zero.",
            &legend(&[("frozen", "frozen January model"), ("autopilot", "autopilot"), ("promote", "promotion")]),
            &charts::rolling_brier(timeline),
        ))
    }
}

fn figure(title: &str, caption: &str, legend: &Markup, chart: &Markup) -> Markup {
    html! {
        section.card {
            h2 { (title) }
            p.caption { (caption) }
            (legend)
            (chart)
        }
    }
}

fn decisions(marks: &[Mark]) -> Markup {
    let mut ordered: Vec<&Mark> = marks.iter().collect();
    ordered.sort_by_key(|mark| mark.at);
    html! {
        section.card {
            h2 { "All decisions" }
            p.caption { (counted(u64::try_from(marks.len()).unwrap_or(u64::MAX), "decision")) ", oldest first." }
            div.scroll tabindex="0" {
                table.decisions {
                    thead { tr { th { "Time" } th { "Action" } th { "Subject" } th { "Why" } } }
                    tbody {
                        @for mark in &ordered {
                            tr {
                                td.time { (mark.at.strftime("%Y-%m-%d %H:%M").to_string()) }
                                td.action { span class=(format!("swatch {}", charts::series_of(&mark.action))) {} (mark.action) }
                                td.subject { (mark.subject) }
                                td { (mark.why) }
                            }
                        }
                    }
                }
            }
        }
    }
}

fn months(months: &[Month]) -> Markup {
    html! {
        section.card {
            h2 { "By month" }
            div.scroll tabindex="0" {
                table.numbers {
                    thead {
                        tr {
                            th { "Month" } th { "Flights" }
                            th { "Brier, frozen" } th { "Brier, autopilot" }
                            th { "AUC, frozen" } th { "AUC, autopilot" }
                        }
                    }
                    tbody {
                        @for entry in months {
                            tr {
                                td { (month(entry.month)) }
                                td { (grouped(entry.n)) }
                                td { (fixed(entry.brier.frozen, 4)) }
                                td { (fixed(entry.brier.autopilot, 4)) }
                                td { (fixed(entry.auc.frozen, 4)) }
                                td { (fixed(entry.auc.autopilot, 4)) }
                            }
                        }
                    }
                }
            }
        }
    }
}

const TITLE: &str = "A year of flights on autopilot";

#[cfg(test)]
mod tests {
    use super::super::sample;
    use super::*;

    #[test]
    fn the_page_needs_nothing_from_outside() {
        let page = render(&sample::report(), &sample::timeline(366));
        for forbidden in [
            "http:", "https:", "<script", "<link", "<img", "@import", "url(",
        ] {
            assert!(!page.contains(forbidden), "{forbidden}");
        }
    }

    #[test]
    fn the_page_is_complete_without_data() {
        let mut report = sample::report();
        report.monthly.clear();
        report.brier.autopilot = f64::NAN;
        report.predict_p99_us = f64::INFINITY;
        let page = render(&report, &sample::empty());
        assert!(page.starts_with("<!DOCTYPE html>") && page.ends_with("</html>"));
        assert!(!page.contains("NaN") && !page.contains("inf "));
    }

    #[test]
    fn every_decision_is_in_the_table() {
        let timeline = sample::timeline(366);
        let page = render(&sample::report(), &timeline);
        for mark in &timeline.marks {
            assert!(page.contains(&format!("<td>{}</td>", mark.why)));
        }
        assert!(page.contains("10 decisions, oldest first."));
    }

    #[test]
    fn what_a_decision_says_is_escaped() {
        let mut timeline = sample::timeline(3);
        timeline.marks[0].why = "p < 0.05 & <b>late</b>".to_owned();
        let page = render(&sample::report(), &timeline);
        assert!(page.contains("p &lt; 0.05 &amp; &lt;b&gt;late&lt;/b&gt;"));
        assert!(!page.contains("<b>late"));
    }

    #[test]
    fn the_summary_says_so_when_things_go_wrong() {
        let mut report = sample::report();
        assert!(summary(&report).contains("10.2% lower, where lower is better"));
        report.brier.autopilot = 2.0 * report.brier.frozen;
        report.bad_candidate.caught_by = None;
        report.bad_week.caught = false;
        report.audit.verified = false;
        let text = summary(&report);
        assert!(text.contains("100.0% higher, where lower is better"));
        assert!(text.contains("bad on purpose was not caught"));
        assert!(text.contains("corrupted on purpose was not caught"));
        assert!(text.contains("it does not verify"));
    }
}
