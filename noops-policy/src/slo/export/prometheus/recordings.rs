use std::collections::BTreeMap;
use std::time::Duration;

use super::Subject;
use super::source::Source;
use crate::slo::export::yaml::{Rule, RuleName};
use crate::slo::{BurnRateRules, Window, duration_text};

/// The name of the series that holds the error ratio of a window.
pub(super) fn ratio_name(window: Duration) -> String {
    format!("slo:sli_error:ratio_rate{}", duration_text::format(window))
}

/// The windows that rules read, shortest first; of an objective without rules the usual shortest one.
fn windows(rules: &BurnRateRules) -> Vec<Duration> {
    let mut windows = rules.windows();
    if windows.is_empty() {
        windows.push(FALLBACK);
    }
    windows
}

/// The error ratio of every window, and of the period.
pub(super) fn ratios(subject: &Subject<'_>, source: &Source, rules: &BurnRateRules) -> Vec<Rule> {
    let windows = windows(rules);
    let period = subject.objective.window().nominal_length();
    let mut recorded: Vec<Rule> = windows
        .iter()
        .map(|window| {
            let text = duration_text::format(*window);
            record(
                &ratio_name(*window),
                source.ratio(&text),
                subject.labels_with("noops_window", &text),
            )
        })
        .collect();
    if !windows.contains(&period) {
        let text = duration_text::format(period);
        let averaged = || {
            let shortest = windows.first().copied().unwrap_or(FALLBACK);
            format!(
                "avg_over_time({}{}[{text}])",
                ratio_name(shortest),
                subject.selector
            )
        };
        recorded.push(record(
            &ratio_name(period),
            source.period_ratio(&text).unwrap_or_else(averaged),
            subject.labels_with("noops_window", &text),
        ));
    }
    recorded
}

/// What dashboards show of an objective.
pub(super) fn meta(subject: &Subject<'_>, rules: &BurnRateRules) -> Vec<Rule> {
    let objective = subject.objective;
    let period = objective.window().nominal_length();
    let selector = &subject.selector;
    let shortest = windows(rules).first().copied().unwrap_or(FALLBACK);
    let over_budget = |window: Duration| {
        format!(
            "{}{selector}\n/ on (noops_id) group_left ()\nslo:error_budget:ratio{selector}",
            ratio_name(window)
        )
    };
    let mut info = subject.labels_with("noops_kind", kind_name(objective));
    info.insert(
        "noops_time_window".to_owned(),
        window_name(objective.window()),
    );
    let plain = |name: &str, expression: String| record(name, expression, subject.labels.clone());
    vec![
        plain(
            "slo:objective:ratio",
            format!("vector({})", objective.target().ratio()),
        ),
        plain(
            "slo:error_budget:ratio",
            format!("vector({})", objective.target().budget()),
        ),
        plain(
            "slo:time_period:days",
            format!("vector({})", period.as_secs_f64() / DAY),
        ),
        plain("slo:current_burn_rate:ratio", over_budget(shortest)),
        plain("slo:period_burn_rate:ratio", over_budget(period)),
        plain(
            "slo:period_error_budget_remaining:ratio",
            format!("1 - slo:period_burn_rate:ratio{selector}"),
        ),
        record("noops_slo_info", "vector(1)".to_owned(), info),
    ]
}

fn record(name: &str, expression: String, labels: BTreeMap<String, String>) -> Rule {
    Rule {
        name: RuleName::Record(name.to_owned()),
        expression,
        labels,
        annotations: BTreeMap::new(),
    }
}

fn kind_name(objective: &crate::slo::Objective) -> &'static str {
    use crate::slo::Kind;
    match objective.kind() {
        Kind::Availability => "availability",
        Kind::Latency => "latency",
        Kind::Quality => "quality",
        Kind::Freshness => "freshness",
        Kind::Drift => "drift",
        Kind::PipelineSuccess => "pipeline-success",
        Kind::Cost => "cost",
    }
}

/// What the window is, because a calendar window is exported as a rolling one.
fn window_name(window: &Window) -> String {
    use crate::slo::CalendarUnit;
    match window {
        Window::Rolling(rolling) => format!("rolling {}", duration_text::format(rolling.length())),
        Window::Calendar(calendar) => {
            let unit = match calendar.unit() {
                CalendarUnit::Day => "day",
                CalendarUnit::Week => "week",
                CalendarUnit::Month => "month",
                CalendarUnit::Quarter => "quarter",
                CalendarUnit::Year => "year",
            };
            format!("calendar {unit} in {}", calendar.time_zone())
        }
    }
}

const DAY: f64 = 86_400.0;

const FALLBACK: Duration = Duration::from_secs(300);
