use std::collections::BTreeMap;
use std::sync::Arc;

use noops_core::Timestamp;
use serde::{Deserialize, Serialize};

use super::fingerprint::Fingerprint;
use super::severity::Severity;

/// Something that is wrong: labels that identify it, annotations that describe it, and since when.
///
/// Cloning is cheap: clones share their text.
///
/// # Examples
///
/// ```
/// use noops_core::Timestamp;
/// use noops_policy::alert::{Alert, Severity};
///
/// let alert = Alert::new([("alertname", "ErrorBudgetBurn"), ("severity", "page")], Timestamp::UNIX_EPOCH)
///     .with_annotation("runbook_url", "https://runbooks.example/burn");
/// assert_eq!(alert.severity(), Severity::Page);
/// assert_eq!(alert.runbook(), Some("https://runbooks.example/burn"));
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "RawAlert", into = "RawAlert")]
pub struct Alert(Arc<Body>);

impl Alert {
    /// An alert with these labels, firing since `starts_at`. Labels with an empty value are dropped.
    #[must_use]
    pub fn new<N: Into<String>, V: Into<String>>(
        labels: impl IntoIterator<Item = (N, V)>,
        starts_at: Timestamp,
    ) -> Self {
        let labels: BTreeMap<String, String> = labels
            .into_iter()
            .map(|(name, value)| (name.into(), value.into()))
            .filter(|(_, value)| !value.is_empty())
            .collect();
        Self(Arc::new(Body {
            fingerprint: Fingerprint::of(&labels),
            severity: Severity::of(&labels),
            labels,
            annotations: BTreeMap::new(),
            starts_at,
            ends_at: None,
            generator_url: None,
        }))
    }

    /// Adds an annotation.
    #[must_use]
    pub fn with_annotation(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        Arc::make_mut(&mut self.0)
            .annotations
            .insert(name.into(), value.into());
        self
    }

    /// States when the alert ends unless it is sent again.
    #[must_use]
    pub fn with_ends_at(mut self, ends_at: Timestamp) -> Self {
        Arc::make_mut(&mut self.0).ends_at = Some(ends_at);
        self
    }

    /// States where the alert came from.
    #[must_use]
    pub fn with_generator_url(mut self, url: impl Into<String>) -> Self {
        Arc::make_mut(&mut self.0).generator_url = Some(url.into());
        self
    }

    /// The same alert, firing since another time.
    #[must_use]
    pub(super) fn with_starts_at(mut self, starts_at: Timestamp) -> Self {
        if self.0.starts_at != starts_at {
            Arc::make_mut(&mut self.0).starts_at = starts_at;
        }
        self
    }

    /// The identity.
    pub fn fingerprint(&self) -> Fingerprint {
        self.0.fingerprint
    }

    /// The labels, none of them empty.
    pub fn labels(&self) -> &BTreeMap<String, String> {
        &self.0.labels
    }

    /// A label; the empty text when it is absent.
    pub fn label(&self, name: &str) -> &str {
        self.0.labels.get(name).map_or("", String::as_str)
    }

    /// The annotations.
    pub fn annotations(&self) -> &BTreeMap<String, String> {
        &self.0.annotations
    }

    /// How loudly a person is told: see [`Severity::of`].
    pub fn severity(&self) -> Severity {
        self.0.severity
    }

    /// Since when it fires.
    pub fn starts_at(&self) -> Timestamp {
        self.0.starts_at
    }

    /// When it ends or ended, where that is known.
    pub fn ends_at(&self) -> Option<Timestamp> {
        self.0.ends_at
    }

    /// Where it came from.
    pub fn generator_url(&self) -> Option<&str> {
        self.0.generator_url.as_deref()
    }

    /// What to do about it: the annotation `runbook_url`, or `runbook`.
    pub fn runbook(&self) -> Option<&str> {
        RUNBOOK_ANNOTATIONS
            .iter()
            .find_map(|name| self.0.annotations.get(*name))
            .map(String::as_str)
            .filter(|text| !text.trim().is_empty())
    }

    /// Whether it says that users are hurt: the label `user_impact` is `true`.
    pub fn hurts_users(&self) -> bool {
        self.label(USER_IMPACT) == "true"
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Body {
    fingerprint: Fingerprint,
    severity: Severity,
    labels: BTreeMap<String, String>,
    annotations: BTreeMap<String, String>,
    starts_at: Timestamp,
    ends_at: Option<Timestamp>,
    generator_url: Option<String>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawAlert {
    labels: BTreeMap<String, String>,
    #[serde(default)]
    annotations: BTreeMap<String, String>,
    starts_at: Timestamp,
    #[serde(default)]
    ends_at: Option<Timestamp>,
    #[serde(default)]
    generator_url: Option<String>,
}

impl From<RawAlert> for Alert {
    fn from(raw: RawAlert) -> Self {
        let mut alert = Self::new(raw.labels, raw.starts_at);
        let body = Arc::make_mut(&mut alert.0);
        body.annotations = raw.annotations;
        body.ends_at = raw.ends_at;
        body.generator_url = raw.generator_url;
        alert
    }
}

impl From<Alert> for RawAlert {
    fn from(alert: Alert) -> Self {
        let body = Arc::unwrap_or_clone(alert.0);
        Self {
            labels: body.labels,
            annotations: body.annotations,
            starts_at: body.starts_at,
            ends_at: body.ends_at,
            generator_url: body.generator_url,
        }
    }
}

/// The annotations that hold a runbook, the Prometheus convention first.
pub(super) const RUNBOOK_ANNOTATIONS: [&str; 2] = ["runbook_url", "runbook"];

const USER_IMPACT: &str = "user_impact";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_alert_reads_back_equal() {
        let alert = Alert::new([("a", "b"), ("empty", "")], Timestamp::UNIX_EPOCH)
            .with_annotation("summary", "it burns")
            .with_generator_url("https://example.test/graph");
        let json = serde_json::to_string(&alert).unwrap();
        assert_eq!(serde_json::from_str::<Alert>(&json).unwrap(), alert);
        assert!(!json.contains("empty"));
    }

    #[test]
    fn annotations_and_times_are_no_part_of_the_identity() {
        let one = Alert::new([("a", "b")], Timestamp::UNIX_EPOCH);
        let other = Alert::new([("a", "b")], Timestamp::MAX).with_annotation("x", "y");
        assert_eq!(one.fingerprint(), other.fingerprint());
    }
}
