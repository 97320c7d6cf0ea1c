use std::collections::BTreeSet;
use std::time::Duration;

use serde::{Deserialize, Serialize};

/// A burn-rate condition as OpenSLO states it: one window, one threshold.
///
/// It is handed over as it stands. A single window fires late or resets late, whichever its length
/// favours: the multi-window rules that are derived from the target are what pages here.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct BurnCondition {
    name: String,
    policy: String,
    severity: String,
    comparison: Comparison,
    threshold: f64,
    #[serde(serialize_with = "crate::slo::duration_text::serialize")]
    lookback: Duration,
    #[serde(serialize_with = "crate::slo::duration_text::serialize")]
    alert_after: Duration,
    notify_when: BTreeSet<NotifyWhen>,
    targets: Vec<String>,
}

impl BurnCondition {
    pub(super) fn new(name: &str, severity: &str, threshold: f64, lookback: Duration) -> Self {
        Self {
            name: name.to_owned(),
            policy: String::new(),
            severity: severity.to_owned(),
            comparison: Comparison::AtLeast,
            threshold,
            lookback,
            alert_after: Duration::ZERO,
            notify_when: BTreeSet::new(),
            targets: Vec::new(),
        }
    }

    pub(super) fn with_comparison(mut self, comparison: Comparison) -> Self {
        self.comparison = comparison;
        self
    }

    pub(super) fn with_alert_after(mut self, alert_after: Duration) -> Self {
        self.alert_after = alert_after;
        self
    }

    pub(super) fn with_policy(
        mut self,
        policy: &str,
        notify_when: BTreeSet<NotifyWhen>,
        targets: Vec<String>,
    ) -> Self {
        policy.clone_into(&mut self.policy);
        self.notify_when = notify_when;
        self.targets = targets;
        self
    }

    /// The name of the condition.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The name of the alert policy that asks for it.
    pub fn policy(&self) -> &str {
        &self.policy
    }

    /// The severity, in the document's own words.
    pub fn severity(&self) -> &str {
        &self.severity
    }

    /// How the burn rate is compared with the threshold.
    pub fn comparison(&self) -> Comparison {
        self.comparison
    }

    /// The burn rate that is compared with.
    pub fn threshold(&self) -> f64 {
        self.threshold
    }

    /// The window that the burn rate is taken over.
    pub fn lookback(&self) -> Duration {
        self.lookback
    }

    /// For how long the condition must hold before it alerts.
    pub fn alert_after(&self) -> Duration {
        self.alert_after
    }

    /// The turns of events that are notified.
    pub fn notify_when(&self) -> &BTreeSet<NotifyWhen> {
        &self.notify_when
    }

    /// The names of the notification targets.
    pub fn targets(&self) -> &[String] {
        &self.targets
    }
}

/// How a burn rate is compared with a threshold.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Comparison {
    /// At least the threshold: OpenSLO's `gte`, and its default.
    AtLeast,
    /// More than the threshold: OpenSLO's `gt`.
    MoreThan,
}

/// A turn of events that an alert policy notifies.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum NotifyWhen {
    /// The condition holds.
    Breaching,
    /// The condition no longer holds.
    Resolved,
    /// There is nothing to judge by.
    NoData,
}
