use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::metric_spec::{MetricKind, MetricSpec};
use crate::error::CanaryError;

/// How much a candidate may cost before it is rolled back, whatever the evidence says.
///
/// # Examples
///
/// ```
/// use noops_canary::judge::Budgets;
///
/// let budgets = Budgets::default()
///     .with_requests(100_000)
///     .with_bad_events("errors", 50)
///     .with_cost("tokens", 2e6);
/// assert_eq!(budgets.requests(), Some(100_000));
/// ```
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct Budgets {
    #[serde(skip_serializing_if = "Option::is_none")]
    requests: Option<u64>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    bad_events: BTreeMap<String, u64>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    cost: BTreeMap<String, f64>,
}

/// Which budget is used up.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BudgetKind {
    /// The candidate's requests.
    Requests,
    /// The candidate's bad events of a metric.
    BadEvents(String),
    /// The sum of a metric over the candidate's requests.
    Cost(String),
}

impl Budgets {
    /// Sets how many requests the candidate may serve.
    #[must_use]
    pub fn with_requests(mut self, requests: u64) -> Self {
        self.requests = Some(requests);
        self
    }

    /// Sets how many bad events of a metric (a rate, or events) the candidate may cause.
    #[must_use]
    pub fn with_bad_events(mut self, metric: impl Into<String>, events: u64) -> Self {
        self.bad_events.insert(metric.into(), events);
        self
    }

    /// Sets how large the sum of a metric (a mean) over the candidate's requests may become.
    #[must_use]
    pub fn with_cost(mut self, metric: impl Into<String>, cost: f64) -> Self {
        self.cost.insert(metric.into(), cost);
        self
    }

    /// How many requests the candidate may serve.
    #[must_use]
    pub fn requests(&self) -> Option<u64> {
        self.requests
    }

    /// How many bad events of a metric the candidate may cause.
    #[must_use]
    pub fn bad_events(&self, metric: &str) -> Option<u64> {
        self.bad_events.get(metric).copied()
    }

    /// How large the sum of a metric may become.
    #[must_use]
    pub fn cost(&self, metric: &str) -> Option<f64> {
        self.cost.get(metric).copied()
    }

    pub(super) fn check(&self, metrics: &[MetricSpec]) -> Result<(), CanaryError> {
        let kind = |name: &str| {
            let mut metrics = metrics.iter();
            metrics
                .find(|metric| metric.name() == name)
                .map(MetricSpec::kind)
        };
        let refuse = |name: &str, reason: &str| CanaryError::Specification {
            part: format!("the budget of `{name}`"),
            reason: reason.to_owned(),
        };
        for name in self.bad_events.keys() {
            if !matches!(
                kind(name),
                Some(MetricKind::Rate | MetricKind::Events | MetricKind::Above { .. })
            ) {
                return Err(refuse(
                    name,
                    "counts events, so name a metric of kind `rate`, `events` or `above`",
                ));
            }
        }
        for (name, cost) in &self.cost {
            if !matches!(kind(name), Some(MetricKind::Mean { .. })) {
                return Err(refuse(name, "is a sum, so name a metric of kind `mean`"));
            }
            if !(*cost > 0.0 && cost.is_finite()) {
                return Err(refuse(name, "is not a number above 0; set one"));
            }
        }
        Ok(())
    }
}
