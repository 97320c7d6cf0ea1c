//! The report as one page: no script, no request, readable in light and dark, on a narrow screen and on paper.

mod bars;
mod chart;
mod glossary;
mod tables;

use maud::{DOCTYPE, Markup, PreEscaped, html};

use super::DriftReport;
use super::column::ColumnDrift;
use super::correction::Correction;
use super::words::{counted, grouped, number, one_line, p_value, percent};
use crate::statistic::Verdict;

impl DriftReport {
    /// The report as a self-contained HTML page, the worst column first.
    ///
    /// For every column it shows the verdict in a sentence, the shares of reference and current values side by side, the
    /// rates, and every statistic with its p-value, and ends with what each of them means. It needs no script and loads
    /// nothing. Names and categories are escaped, so hostile ones are shown and not run.
    ///
    /// # Complexity
    ///
    /// Linear in the cells, of which at most some tens are drawn per column; neighbouring bins and rare categories share
    /// a bar beyond that.
    ///
    /// # Examples
    ///
    /// ```
    /// use noops_drift::{Counts, DriftSettings, Profile, ProfileSettings};
    ///
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let scores: Vec<f64> = (0..500).map(f64::from).collect();
    /// let profile = Profile::of_values("<score>", &scores, &ProfileSettings::default())?;
    /// let mut today = Counts::new(&profile);
    /// today.observe_values(&profile, &scores)?;
    /// let page = profile.compare(&today, &DriftSettings::default())?.to_html();
    /// assert!(page.starts_with("<!DOCTYPE html>"));
    /// assert!(page.contains("&lt;score&gt;") && !page.contains("<score>"));
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn to_html(&self) -> String {
        let columns = self.worst_first();
        let page = html! {
            (DOCTYPE)
            html lang="en" {
                head {
                    meta charset="utf-8";
                    meta name="viewport" content="width=device-width, initial-scale=1";
                    title { (TITLE) }
                    style { (PreEscaped(include_str!("page/style.css"))) }
                }
                body {
                    main {
                        header {
                            h1 { (TITLE) }
                            p.lead { (summary(self)) }
                        }
                        (tiles(self))
                        (overview(&columns))
                        @for (place, column) in columns.iter().enumerate() {
                            (section(place, column))
                        }
                        (glossary::render())
                        footer {
                            p { "Profile " code { (self.profile().to_string()) } }
                        }
                    }
                }
            }
        };
        page.into_string()
    }
}

/// The result in words.
fn summary(report: &DriftReport) -> String {
    let all = report.columns().len() as u64;
    let drifted = report.drifted().count() as u64;
    let undecided = report
        .columns()
        .iter()
        .filter(|column| matches!(column.verdict(), Verdict::Undecided { .. }))
        .count() as u64;
    let rate = percent(report.alpha().get());
    let promise = match report.correction() {
        Correction::Holm => format!(
            "If nothing had drifted, any column would be called drifted in at most {rate} of such reports."
        ),
        Correction::BenjaminiHochberg => format!(
            "Of the columns called drifted, at most {rate} are expected to be called so wrongly, if the columns are independent or positively dependent."
        ),
        Correction::BenjaminiYekutieli => format!(
            "Of the columns called drifted, at most {rate} are expected to be called so wrongly."
        ),
    };
    let verdict = match (all, drifted) {
        (0, _) => "There was no column to compare.".to_owned(),
        (_, 0) => format!("None of {} drifted.", counted(all, "column")),
        _ => format!(
            "{} of {} drifted.",
            grouped(drifted),
            counted(all, "column")
        ),
    };
    let open = match undecided {
        0 => String::new(),
        some => format!(" {} without enough rows to tell.", are(some)),
    };
    let worst = match report.worst() {
        Some(column) if column.verdict().is_drift() => format!(" The worst: {column}."),
        _ => String::new(),
    };
    format!("{verdict}{open}{worst} {promise}")
}

fn are(count: u64) -> String {
    match count {
        1 => "1 is".to_owned(),
        many => format!("{} are", grouped(many)),
    }
}

fn tiles(report: &DriftReport) -> Markup {
    let drifted = report.drifted().count() as u64;
    let rule = match report.correction() {
        Correction::Holm => "Holm",
        Correction::BenjaminiHochberg => "Benjamini and Hochberg",
        Correction::BenjaminiYekutieli => "Benjamini and Yekutieli",
    };
    html! {
        section.tiles aria-label="Key results" {
            (tile("Columns drifted", &grouped(drifted), &format!("of {}", grouped(report.columns().len() as u64))))
            (tile("Reference", &grouped(report.rows_reference()), "rows"))
            (tile("Current", &grouped(report.rows_current()), "rows"))
            (tile("Error rate", &percent(report.alpha().get()), rule))
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

fn overview(columns: &[&ColumnDrift]) -> Markup {
    html! {
        section.card {
            h2 { "All columns" }
            p.caption { "The worst first. The p-value is corrected for the number of columns." }
            div.scroll tabindex="0" {
                table.numbers {
                    thead {
                        tr { th { "Column" } th { "Verdict" } th { "PSI" } th { "p-value" } th { "Nulls before" } th { "Nulls now" } }
                    }
                    tbody {
                        @for (place, column) in columns.iter().enumerate() {
                            tr {
                                td.subject { a href=(format!("#column-{place}")) { (one_line(column.column())) } }
                                td { (badge(column.verdict())) }
                                td { (number(column.psi().statistic())) }
                                td { (p_value(column.adjusted_p_value())) }
                                td { (percent(column.reference().missing())) }
                                td { (percent(column.current().missing())) }
                            }
                        }
                    }
                }
            }
        }
    }
}

fn section(place: usize, column: &ColumnDrift) -> Markup {
    html! {
        section.card id=(format!("column-{place}")) {
            h2 { span.subject { (one_line(column.column())) } " " (badge(column.verdict())) }
            p.caption { (column.to_string()) "." }
            (chart::render(column))
            div.pair {
                (tables::rates(column))
                (tables::statistics(column))
            }
        }
    }
}

fn badge(verdict: Verdict) -> Markup {
    let (class, word) = match verdict {
        Verdict::Drift => ("badge drift", "drift"),
        Verdict::NoDrift => ("badge calm", "no drift"),
        Verdict::Undecided { .. } => ("badge open", "undecided"),
    };
    html! { span class=(class) { (word) } }
}

const TITLE: &str = "Drift report";
