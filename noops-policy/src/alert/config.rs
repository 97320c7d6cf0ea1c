use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use noops_core::Digest;
use serde::{Deserialize, Serialize};

use super::AlertError;
use super::matcher::Matcher;
use super::model::{Alert, RUNBOOK_ANNOTATIONS};
use super::route::{Route, matching};
use super::schedule::{MaintenanceWindow, TimeIntervals};
use super::severity::Severity;

mod build;
mod source;

/// Who is told of what, in the form of Alertmanager's configuration file, checked.
///
/// The keys `route`, `receivers`, `inhibit_rules` and `time_intervals` are Alertmanager's; `escalations`, `maintenance`,
/// `deploys`, `flapping`, and on a route `severity`, `owner`, `runbook` and `escalation` are added. A receiver is a name and
/// `send_resolved`: how it is reached is the host's affair. An unknown key is refused.
///
/// A route that pages, by its `severity` or by a matcher on the label `severity`, needs an owner and a runbook.
///
/// # Examples
///
/// ```
/// use noops_policy::alert::Config;
///
/// let yaml = "
/// receivers: [{name: tickets}, {name: on-call}]
/// route:
///   receiver: tickets
///   group_by: [alertname, model]
///   routes:
///     - receiver: on-call
///       matchers: ['severity=\"page\"']
///       owner: ml-platform
///       runbook: https://runbooks.example/
///       group_wait: 10s
/// ";
/// let config = Config::from_yaml("alerts.yaml", yaml)?;
/// assert_eq!(config.receivers().collect::<Vec<_>>(), ["on-call", "tickets"]);
///
/// let error = Config::from_yaml("alerts.yaml", &yaml.replace("receiver: on-call", "receiver: oncall"));
/// assert_eq!(
///     error.unwrap_err().to_string(),
///     "`alerts.yaml`:7:17: unknown receiver `oncall`; did you mean `on-call`?"
/// );
/// # Ok::<(), noops_policy::alert::AlertError>(())
/// ```
#[derive(Clone, Serialize, Deserialize)]
#[serde(try_from = "RawConfig", into = "RawConfig")]
pub struct Config(Arc<Compiled>);

impl Config {
    /// Reads and checks a configuration; `source` is its name in errors.
    ///
    /// # Errors
    ///
    /// [`AlertError::Config`] with the place of the first problem: text that is no YAML or is too large, unknown keys, names
    /// that nothing defines, matchers and times that cannot work, a route that no alert can reach, and a route that pages
    /// without owner or runbook.
    pub fn from_yaml(source: &str, yaml: &str) -> Result<Self, AlertError> {
        Ok(Self(Arc::new(build::compile(source, yaml)?)))
    }

    /// The text that it was read from.
    pub fn yaml(&self) -> &str {
        &self.0.yaml
    }

    /// The digest of the text.
    pub fn digest(&self) -> Digest {
        Digest::of(self.0.yaml.as_bytes())
    }

    /// The receivers, by name.
    pub fn receivers(&self) -> impl Iterator<Item = &str> {
        self.0.receivers.keys().map(String::as_str)
    }

    /// Who is told of an alert, in the order of the routes.
    #[must_use]
    pub fn receivers_of(&self, alert: &Alert) -> Vec<&str> {
        matching(&self.0.routes, alert)
            .into_iter()
            .filter_map(|index| self.0.routes.get(index))
            .map(|route| route.receiver.as_str())
            .collect()
    }

    /// How long an alert that states no end fires after it was last heard of.
    pub fn resolve_timeout(&self) -> Duration {
        self.0.resolve_timeout
    }

    pub(super) fn compiled(&self) -> &Arc<Compiled> {
        &self.0
    }
}

/// Refuses an alert rule that pages without saying what to do (an annotation `runbook_url`) or who answers (a label `owner`
/// or `team`).
///
/// # Errors
///
/// [`AlertError::Rule`] with what is missing.
pub fn check_alert_rule(
    name: &str,
    labels: &BTreeMap<String, String>,
    annotations: &BTreeMap<String, String>,
) -> Result<(), AlertError> {
    let refuse = |problem: &str| {
        Err(AlertError::Rule {
            rule: name.to_owned(),
            problem: problem.to_owned(),
        })
    };
    let says = |map: &BTreeMap<String, String>, names: &[&str]| {
        names
            .iter()
            .filter_map(|name| map.get(*name))
            .any(|text| !text.trim().is_empty())
    };
    if Severity::of(labels) != Severity::Page {
        return Ok(());
    }
    if !says(annotations, &RUNBOOK_ANNOTATIONS) {
        return refuse("it pages and has no runbook; add the annotation `runbook_url`");
    }
    if !says(labels, &OWNER_LABELS) {
        return refuse("it pages and has no owner; add the label `owner`");
    }
    Ok(())
}

/// A configuration in the form that the router uses.
#[derive(Debug)]
pub(super) struct Compiled {
    source: String,
    yaml: String,
    pub(super) resolve_timeout: Duration,
    pub(super) max_alerts: usize,
    pub(super) routes: Vec<Route>,
    pub(super) receivers: BTreeMap<String, SendResolved>,
    pub(super) intervals: BTreeMap<String, TimeIntervals>,
    pub(super) escalations: BTreeMap<String, Vec<Level>>,
    pub(super) maintenance: Vec<Maintenance>,
    pub(super) deploys: Vec<DeployRule>,
    pub(super) inhibitions: Vec<InhibitRule>,
    pub(super) flapping: Option<Flapping>,
}

/// Whether a receiver is told that an alert is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum SendResolved {
    Yes,
    No,
}

/// Who is told when nobody has acknowledged for `after` since the level before.
#[derive(Clone, Debug)]
pub(super) struct Level {
    pub(super) after: Duration,
    pub(super) receiver: String,
}

#[derive(Clone, Debug)]
pub(super) struct Maintenance {
    pub(super) name: String,
    pub(super) matchers: Vec<Matcher>,
    pub(super) window: MaintenanceWindow,
}

#[derive(Clone, Debug)]
pub(super) struct DeployRule {
    pub(super) name: String,
    pub(super) matchers: Vec<Matcher>,
    pub(super) equal: Vec<String>,
    pub(super) quiet_for: Duration,
    pub(super) longest: Duration,
}

#[derive(Clone, Debug)]
pub(super) struct InhibitRule {
    pub(super) name: String,
    pub(super) source: Vec<Matcher>,
    pub(super) target: Vec<Matcher>,
    pub(super) equal: Vec<String>,
}

/// How often an alert may begin to fire within a window before its changes are no longer told.
#[derive(Clone, Copy, Debug)]
pub(super) struct Flapping {
    pub(super) episodes: usize,
    pub(super) within: Duration,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawConfig {
    source: String,
    yaml: String,
}

impl TryFrom<RawConfig> for Config {
    type Error = AlertError;

    fn try_from(raw: RawConfig) -> Result<Self, AlertError> {
        Self::from_yaml(&raw.source, &raw.yaml)
    }
}

impl From<Config> for RawConfig {
    fn from(config: Config) -> Self {
        Self {
            source: config.0.source.clone(),
            yaml: config.0.yaml.clone(),
        }
    }
}

impl PartialEq for Config {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
            || (&self.0.source, &self.0.yaml) == (&other.0.source, &other.0.yaml)
    }
}

impl fmt::Debug for Config {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Config({:?}, {})", self.0.source, self.digest().short())
    }
}

const OWNER_LABELS: [&str; 2] = ["owner", "team"];

#[cfg(test)]
mod tests;
