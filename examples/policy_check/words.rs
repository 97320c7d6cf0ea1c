//! What was found out in plain words, for a terminal.

use comfy_table::presets::UTF8_FULL_CONDENSED;
use comfy_table::{CellAlignment, ContentArrangement, Table};
use noops_policy::{Clause, RuleOutcome};

use crate::check::{Checked, Decided, Sheet};
use crate::document::NOBODY;
use crate::margin;
use crate::problem::printable;
use crate::wrap::wrapped;

/// A line for each document, the tests that failed, a table of the decisions, and each of them explained.
pub(crate) fn tell(checked: &Checked) -> String {
    let mut parts = vec![documents(checked)];
    for failure in &checked.failures {
        let text = printable(&failure.to_string());
        parts.push(wrapped("FAILED: ", &text, WIDTH, "  "));
    }
    if !checked.decided.is_empty() {
        parts.push(table(&checked.decided));
        parts.extend(checked.decided.iter().map(explained));
        parts.extend(digests(checked));
    }
    parts.retain(|part| !part.is_empty());
    parts.join("\n\n")
}

fn documents(checked: &Checked) -> String {
    let names = checked
        .sheets
        .iter()
        .map(|sheet| sheet.file.chars().count());
    let width = names.max().unwrap_or_default();
    let mut lines: Vec<String> = checked
        .sheets
        .iter()
        .map(|sheet| {
            let file = printable(&sheet.file);
            format!("{file:width$}  {}", state(sheet, checked))
        })
        .collect();
    lines.push(summary(checked));
    lines.join("\n")
}

fn state(sheet: &Sheet, checked: &Checked) -> String {
    let Some(outline) = sheet.outline.as_ref().filter(|_| sheet.is_sound) else {
        return "REFUSED".to_owned();
    };
    let tests = match (outline.tests.len(), checked.failed_of(&outline.policy)) {
        (0, _) => "no tests".to_owned(),
        (tests, _) if checked.digest.is_none() => format!("{} not run", count(tests, "test")),
        (tests, 0) => format!("{} passed", count(tests, "test")),
        (tests, failed) => format!("{failed} of {} FAILED", count(tests, "test")),
    };
    format!(
        "ok  {}, {}, {tests}",
        count(outline.rules.len(), "rule"),
        printable(&outline.enforcement)
    )
}

fn summary(checked: &Checked) -> String {
    let Some((from, facts)) = &checked.schema else {
        return "nothing was checked, for there is no fact schema".to_owned();
    };
    let schema = format!(
        ", checked against {} of {}",
        count(*facts, "fact"),
        printable(from)
    );
    let found = match (checked.problems.len(), checked.failed) {
        (0, 0) => "all sound".to_owned(),
        (0, failed) => format!("{} FAILED", count(failed, "test")),
        (problems, _) => count(problems, "error"),
    };
    format!(
        "{}{schema}: {found}",
        count(checked.sheets.len(), "document")
    )
}

fn table(decided: &[Decided]) -> String {
    let mut table = Table::new();
    table
        .load_style(UTF8_FULL_CONDENSED)
        .set_content_arrangement(ContentArrangement::Dynamic)
        .set_width(WIDTH as u16)
        .set_header(vec!["action", "effect", "decided by", "clause", "margin"]);
    for one in decided {
        let clause = one.first().and_then(margin::deciding);
        let margin = clause.and_then(Clause::margin);
        table.add_row(vec![
            one.decision.action().to_string(),
            one.decision.effect().to_string(),
            rule(one),
            clause.map_or_else(String::new, |clause| printable(clause.text())),
            margin.map_or_else(String::new, short),
        ]);
    }
    if let Some(margins) = table.column_mut(4) {
        margins.set_cell_alignment(CellAlignment::Right);
    }
    table.trim_fmt()
}

fn rule(decided: &Decided) -> String {
    match (&decided.policy, &decided.rule) {
        (Some(policy), Some(rule)) => printable(&format!("{policy}/{rule}")),
        _ => "nobody".to_owned(),
    }
}

/// A paragraph, and below it what every rule that decided looked at.
fn explained(decided: &Decided) -> String {
    let decision = &decided.decision;
    let mut lines = vec![wrapped("", &printable(&decision.explain()), WIDTH, "")];
    if decided.rule.is_none() {
        lines.push(format!("  because {NOBODY}"));
    }
    for rule in decision.rules() {
        lines.extend(clauses(rule));
    }
    lines.join("\n")
}

fn clauses(rule: &RuleOutcome) -> Vec<String> {
    let mut lines = vec![format!(
        "  {}/{} ({}, {}) is {}",
        printable(rule.policy()),
        printable(rule.rule()),
        rule.effect(),
        rule.enforcement(),
        rule.outcome()
    )];
    let indented = |text: String| wrapped("    ", &text, WIDTH, "      ");
    for clause in rule.clauses() {
        let margin = clause
            .margin()
            .map(|margin| format!(", margin {}", short(margin)));
        lines.push(indented(format!(
            "{} is {}{}",
            printable(clause.text()),
            clause.outcome(),
            margin.unwrap_or_default()
        )));
    }
    if let Some(residual) = rule.residual() {
        lines.push(indented(format!(
            "left to be known: {}",
            printable(residual)
        )));
    }
    for (name, value) in rule.parameters() {
        lines.push(indented(printable(&format!("with {name} = {value}"))));
    }
    lines
}

fn digests(checked: &Checked) -> Option<String> {
    let decision = &checked.decided.first()?.decision;
    Some(format!(
        "policies {}\nfacts    {}\nat       {}",
        decision.policy_digest(),
        decision.facts_digest(),
        decision.at()
    ))
}

fn count(number: usize, noun: &str) -> String {
    let plural = if number == 1 { "" } else { "s" };
    format!("{number} {noun}{plural}")
}

/// About four digits that count.
fn short(number: f64) -> String {
    let size = number.abs();
    if size != 0.0 && !(1e-4..1e9).contains(&size) {
        return format!("{number:.2e}");
    }
    let digits = match size {
        size if size >= 100.0 => 1,
        size if size >= 1.0 => 3,
        _ => 4,
    };
    let text = format!("{number:.digits$}");
    match text.contains('.') {
        true => text.trim_end_matches('0').trim_end_matches('.').to_owned(),
        false => text,
    }
}

const WIDTH: usize = 100;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_short() {
        assert_eq!(short(0.1 + 0.2), "0.3");
        assert_eq!(short(-17.20), "-17.2");
        assert_eq!(short(0.0), "0");
        assert_eq!(short(1200.0), "1200");
        assert_eq!(short(1e-7), "1.00e-7");
    }
}
