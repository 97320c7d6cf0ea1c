mod alerts;
mod recordings;
mod source;

use std::collections::{BTreeMap, BTreeSet};

pub use self::source::CounterArithmetic;

use self::source::Source;
use super::ExportError;
use super::promql::{foreign_template, is_label, quoted, unbalanced};
use super::yaml::{File, Group};
use crate::slo::import::has_window;
use crate::slo::{
    AlertRouting, BudgetingMethod, BurnRateRules, ImportedSlo, Objective, Queries, Route,
};

/// The recording and alerting rules of objectives, for Prometheus.
///
/// For each objective there are the error ratio of every window (`slo:sli_error:ratio_rate5m` and so on, and one
/// for the whole period), `slo:objective:ratio`, `slo:error_budget:ratio`, `slo:time_period:days`,
/// `slo:current_burn_rate:ratio`, `slo:period_burn_rate:ratio`, `slo:period_error_budget_remaining:ratio` and
/// `noops_slo_info`, and one alert each for pages and for tickets. The names of the series are those that
/// dashboards made for Sloth expect; their labels are `noops_id`, `noops_service`, `noops_slo`, `noops_window`
/// and `noops_severity`, beside those of the objective.
///
/// What the rules do not do: they have no guard for low traffic, which only the tracker in the process has; a
/// window without events has no error ratio, so that it does not fire. A calendar window becomes a rolling one of
/// its usual length, because PromQL knows neither months nor time zones. The period of an objective that comes
/// with queries is the average of its shortest window, as in Sloth, and so weighs every moment alike, whatever
/// its traffic.
///
/// # Examples
///
/// ```
/// use noops_policy::slo::{BurnRateRules, PrometheusRules, import};
///
/// let slos = import(
///     "slo.yaml",
///     r#"
/// version: prometheus/v1
/// service: fraud
/// slos:
///   - name: availability
///     objective: 99.9
///     sli:
///       events:
///         error_query: sum(rate(http_requests_total{code=~"5.."}[{{.window}}]))
///         total_query: sum(rate(http_requests_total[{{.window}}]))
/// "#,
/// )?;
/// let mut rules = PrometheusRules::default();
/// for slo in &slos {
///     let objective = slo.objective();
///     let period = objective.window().nominal_length();
///     rules = rules.with_imported(slo, &BurnRateRules::for_target(objective.target(), period)?)?;
/// }
/// let yaml = rules.to_yaml();
/// assert!(yaml.starts_with("groups:\n"));
/// assert!(yaml.contains("slo:sli_error:ratio_rate5m"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq)]
pub struct PrometheusRules {
    ids: BTreeSet<String>,
    file: File,
}

impl PrometheusRules {
    /// Adds an imported objective with its queries and routing.
    ///
    /// # Errors
    ///
    /// As [`PrometheusRules::with_queries`].
    pub fn with_imported(
        self,
        slo: &ImportedSlo,
        rules: &BurnRateRules,
    ) -> Result<Self, ExportError> {
        self.with_queries(slo.objective(), slo.queries(), rules, slo.routing())
    }

    /// Adds an objective that is measured by PromQL.
    ///
    /// The queries must be instant vectors; whether they are PromQL at all is for `promtool check rules` to say.
    ///
    /// # Errors
    ///
    /// [`ExportError`] for a query without `{{.window}}` or with a bracket or string that it does not close, for raw
    /// values (a ratio cannot be made of them: count the events, and use [`PrometheusRules::with_counters`]), for a
    /// budget that counts slices of time, for rules that belong to another target, for label names that Prometheus
    /// or these rules keep for themselves, for templates other than `$value` and labels, and for an objective that is
    /// there already.
    pub fn with_queries(
        self,
        objective: &Objective,
        queries: &Queries,
        rules: &BurnRateRules,
        routing: &AlertRouting,
    ) -> Result<Self, ExportError> {
        let source = Source::of(queries).ok_or_else(|| {
            refused_query(
                objective,
                "value",
                "is a raw value; count good and bad events and export the counters",
            )
        })?;
        for (name, query) in queries.texts() {
            if !has_window(query) {
                return Err(refused_query(
                    objective,
                    name,
                    "has no `{{.window}}`; put it where the range stands",
                ));
            }
            if let Some(problem) = unbalanced(&source::at_window(query, "1m")) {
                return Err(refused_query(
                    objective,
                    name,
                    &format!("{problem}; close it"),
                ));
            }
        }
        self.with(objective, &source, rules, routing)
    }

    /// Adds an objective that is measured by our own counters, `noops_slo_events_total`, whose labels are
    /// `noops_service`, `noops_slo` and `outcome` (`good` or `bad`).
    ///
    /// # Errors
    ///
    /// As [`PrometheusRules::with_queries`], less what concerns queries.
    pub fn with_counters(
        self,
        objective: &Objective,
        arithmetic: CounterArithmetic,
        rules: &BurnRateRules,
        routing: &AlertRouting,
    ) -> Result<Self, ExportError> {
        let source = Source::Counters {
            selector: format!(
                "noops_service={},noops_slo={}",
                quoted(objective.service()),
                quoted(objective.name())
            ),
            arithmetic,
        };
        self.with(objective, &source, rules, routing)
    }

    /// The file that Prometheus reads. The same objectives in the same order give the same bytes.
    #[must_use]
    pub fn to_yaml(&self) -> String {
        self.file.to_yaml()
    }

    fn with(
        mut self,
        objective: &Objective,
        source: &Source,
        rules: &BurnRateRules,
        routing: &AlertRouting,
    ) -> Result<Self, ExportError> {
        if objective.budgeting() != BudgetingMethod::Occurrences {
            return Err(ExportError::Budgeting {
                objective: objective.name().to_owned(),
                budgeting: objective.budgeting(),
            });
        }
        if rules.target() != objective.target() {
            return Err(ExportError::Target {
                objective: objective.name().to_owned(),
            });
        }
        check_labels(objective, routing)?;
        let subject = Subject::of(objective);
        if !self.ids.insert(subject.id.clone()) {
            return Err(ExportError::Twins { id: subject.id });
        }
        // One group, because rules of one group are evaluated in order and at one time: the alerts see the ratios of the
        // same evaluation, not those of the one before.
        let mut all = recordings::ratios(&subject, source, rules);
        all.extend(recordings::meta(&subject, rules));
        all.extend(alerts::of(&subject, rules, routing));
        self.file.groups.push(Group {
            name: format!("noops-slo-{}", subject.id),
            rules: all,
        });
        Ok(self)
    }
}

/// What every rule of an objective needs of it.
struct Subject<'a> {
    objective: &'a Objective,
    id: String,
    labels: BTreeMap<String, String>,
    selector: String,
}

impl<'a> Subject<'a> {
    fn of(objective: &'a Objective) -> Self {
        // The name of an objective has no slash, so that no two services and names make one identity.
        let id = format!("{}/{}", objective.service(), objective.name());
        let mut labels = objective.labels().clone();
        labels.retain(|_, value| !value.is_empty());
        labels.insert("noops_id".to_owned(), id.clone());
        labels.insert("noops_slo".to_owned(), objective.name().to_owned());
        if !objective.service().is_empty() {
            labels.insert("noops_service".to_owned(), objective.service().to_owned());
        }
        let selector = format!("{{noops_id={}}}", quoted(&id));
        Self {
            objective,
            id,
            labels,
            selector,
        }
    }

    fn labels_with(&self, name: &str, value: &str) -> BTreeMap<String, String> {
        let mut labels = self.labels.clone();
        labels.insert(name.to_owned(), value.to_owned());
        labels
    }
}

fn check_labels(objective: &Objective, routing: &AlertRouting) -> Result<(), ExportError> {
    let refuse = |label: &str, problem: String| {
        Err(ExportError::Label {
            objective: objective.name().to_owned(),
            label: label.to_owned(),
            problem,
        })
    };
    let mut labels: Vec<&BTreeMap<String, String>> = vec![routing.labels()];
    let mut annotations: Vec<&BTreeMap<String, String>> = vec![routing.annotations()];
    for route in [routing.page(), routing.ticket()] {
        if let Route::Enabled {
            labels: of_route,
            annotations: about_route,
        } = route
        {
            labels.push(of_route);
            annotations.push(about_route);
        }
    }
    let names = labels
        .iter()
        .chain(&annotations)
        .flat_map(|texts| texts.keys())
        .chain(objective.labels().keys());
    for name in names {
        if !is_label(name) {
            return refuse(
                name,
                "has a name that Prometheus does not allow; use letters, digits and `_`, and no digit or `__` first".to_owned(),
            );
        }
        if RESERVED.contains(&name.as_str()) {
            return refuse(
                name,
                "has a name that these rules set; rename it".to_owned(),
            );
        }
    }
    for (name, text) in labels
        .iter()
        .chain(&annotations)
        .flat_map(|texts| texts.iter())
    {
        if let Some(template) = foreign_template(text) {
            return refuse(
                name,
                format!(
                    "has the template `{template}`; use `{{{{ $value }}}}` and `{{{{ $labels.noops_slo }}}}` only"
                ),
            );
        }
    }
    Ok(())
}

fn refused_query(objective: &Objective, query: &'static str, problem: &str) -> ExportError {
    ExportError::Query {
        objective: objective.name().to_owned(),
        query,
        problem: problem.to_owned(),
    }
}

const RESERVED: [&str; 7] = [
    "noops_id",
    "noops_service",
    "noops_slo",
    "noops_window",
    "noops_severity",
    "alertname",
    "outcome",
];
