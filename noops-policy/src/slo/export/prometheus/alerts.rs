use super::Subject;
use super::recordings::ratio_name;
use crate::slo::export::yaml::{Rule, RuleName};
use crate::slo::{AlertRouting, BurnRateRule, BurnRateRules, Route, Severity};

/// One alert for each severity that has rules and is not switched off.
pub(super) fn of(
    subject: &Subject<'_>,
    rules: &BurnRateRules,
    routing: &AlertRouting,
) -> Vec<Rule> {
    [
        (Severity::Page, "page", routing.page()),
        (Severity::Ticket, "ticket", routing.ticket()),
    ]
    .into_iter()
    .filter_map(|(severity, name, route)| alert(subject, rules, routing, severity, name, route))
    .collect()
}

fn alert(
    subject: &Subject<'_>,
    rules: &BurnRateRules,
    routing: &AlertRouting,
    severity: Severity,
    severity_name: &str,
    route: &Route,
) -> Option<Rule> {
    let Route::Enabled {
        labels: of_route,
        annotations: about_route,
    } = route
    else {
        return None;
    };
    let conditions: Vec<String> = rules
        .rules()
        .iter()
        .filter(|rule| rule.severity() == severity)
        .map(|rule| condition(subject, rule))
        .collect();
    if conditions.is_empty() {
        return None;
    }
    let mut labels = routing.labels().clone();
    labels.extend(of_route.clone());
    labels.insert("noops_severity".to_owned(), severity_name.to_owned());
    let mut annotations = routing.annotations().clone();
    annotations.extend(about_route.clone());
    annotations.entry("title".to_owned()).or_insert_with(|| {
        format!("({severity_name}) {{{{ $labels.noops_id }}}} burns its error budget too fast")
    });
    Some(Rule {
        name: RuleName::Alert(routing.name().unwrap_or(DEFAULT_NAME).to_owned()),
        // Without the window, which would make another alert of it whenever another rule is the first to hold.
        expression: format!(
            "max without (noops_window) (\n{}\n)",
            conditions.join("\nor ignoring (noops_window)\n")
        ),
        labels,
        annotations,
    })
}

/// Both windows of a rule above its threshold; the long one says that it matters, the short one that it lasts.
fn condition(subject: &Subject<'_>, rule: &BurnRateRule) -> String {
    let threshold = rule.threshold(subject.objective.target());
    let above = |window| {
        format!(
            "  ({}{} > {threshold})",
            ratio_name(window),
            subject.selector
        )
    };
    format!(
        "(\n{}\n  and ignoring (noops_window)\n{}\n)",
        above(rule.short()),
        above(rule.long())
    )
}

const DEFAULT_NAME: &str = "SloBudgetBurn";
