use std::collections::BTreeMap;
use std::fmt;

use noops_core::{Digest, Timestamp};
use serde::{Deserialize, Serialize};

use super::model::Alert;
use super::severity::Severity;

/// What a receiver is told: one group of alerts, at one time, for one reason.
///
/// The router makes notifications; it sends none. Two routers that saw the same alerts give the same
/// [`Notification::idempotency_key`], so that a sender or receiver can drop the second.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[must_use]
pub struct Notification {
    pub(super) receiver: String,
    pub(super) group_key: String,
    pub(super) group_labels: BTreeMap<String, String>,
    pub(super) severity: Severity,
    pub(super) reason: NotificationReason,
    pub(super) at: Timestamp,
    pub(super) alerts: Vec<NotifiedAlert>,
    pub(super) runbook: Option<String>,
    pub(super) owner: Option<String>,
    pub(super) idempotency_key: Digest,
}

impl Notification {
    /// Who is told.
    pub fn receiver(&self) -> &str {
        &self.receiver
    }

    /// The stable name of the group: the route and the labels that it groups by.
    pub fn group_key(&self) -> &str {
        &self.group_key
    }

    /// The labels that the group has in common by construction.
    pub fn group_labels(&self) -> &BTreeMap<String, String> {
        &self.group_labels
    }

    /// The route's severity, or that of its loudest alert where the route states none.
    pub fn severity(&self) -> Severity {
        self.severity
    }

    /// Why this notification exists.
    pub fn reason(&self) -> NotificationReason {
        self.reason
    }

    /// When it was made.
    pub fn at(&self) -> Timestamp {
        self.at
    }

    /// The alerts, by fingerprint; never empty.
    pub fn alerts(&self) -> &[NotifiedAlert] {
        &self.alerts
    }

    /// Firing while one of the alerts fires.
    pub fn status(&self) -> AlertStatus {
        let firing = self
            .alerts
            .iter()
            .any(|notified| notified.status == AlertStatus::Firing);
        if firing {
            AlertStatus::Firing
        } else {
            AlertStatus::Resolved
        }
    }

    /// The route's runbook.
    pub fn runbook(&self) -> Option<&str> {
        self.runbook.as_deref()
    }

    /// Who answers for the route.
    pub fn owner(&self) -> Option<&str> {
        self.owner.as_deref()
    }

    /// The same for the same news: group, receiver, reason, and each alert's episode and status; not the time.
    pub fn idempotency_key(&self) -> Digest {
        self.idempotency_key
    }

    /// The labels that all alerts have in common.
    #[must_use]
    pub fn common_labels(&self) -> BTreeMap<String, String> {
        common(self.alerts.iter().map(|notified| notified.alert.labels()))
    }

    /// The annotations that all alerts have in common.
    #[must_use]
    pub fn common_annotations(&self) -> BTreeMap<String, String> {
        common(
            self.alerts
                .iter()
                .map(|notified| notified.alert.annotations()),
        )
    }
}

/// An alert inside a notification, with what is said of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NotifiedAlert {
    pub(super) alert: Alert,
    pub(super) status: AlertStatus,
    pub(super) episode: u32,
}

impl NotifiedAlert {
    /// The alert; its end is known when it is resolved.
    pub fn alert(&self) -> &Alert {
        &self.alert
    }

    /// Whether it fires.
    pub fn status(&self) -> AlertStatus {
        self.status
    }

    /// How many times it had fired before with the same start.
    pub fn episode(&self) -> u32 {
        self.episode
    }
}

/// Whether something is wrong still.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum AlertStatus {
    /// It is wrong now.
    Firing,
    /// It is over.
    Resolved,
}

impl fmt::Display for AlertStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Firing => "firing",
            Self::Resolved => "resolved",
        })
    }
}

/// Why a receiver is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum NotificationReason {
    /// The group fires and its receiver has not been told before.
    First,
    /// Alerts have come or gone since the last notification.
    Changed,
    /// Nothing has changed for a repeat interval.
    Repeat {
        /// The number of the repeat in the life of the group, from 1.
        number: u64,
    },
    /// Nobody has acknowledged in time.
    Escalation {
        /// The level of the chain, from 1.
        level: u32,
    },
    /// All alerts that the receiver was told of are over.
    Resolved,
}

fn common<'a>(
    mut maps: impl Iterator<Item = &'a BTreeMap<String, String>>,
) -> BTreeMap<String, String> {
    let mut shared = maps.next().cloned().unwrap_or_default();
    for map in maps {
        shared.retain(|name, value| map.get(name) == Some(value));
    }
    shared
}

#[cfg(test)]
impl Notification {
    /// A notification to render in tests.
    pub(crate) fn sample(alerts: Vec<(Alert, AlertStatus)>) -> Self {
        Self {
            receiver: "on-call".to_owned(),
            group_key: "{}:{alertname=\"Drift\"}".to_owned(),
            group_labels: BTreeMap::from([("alertname".to_owned(), "Drift".to_owned())]),
            severity: Severity::Page,
            reason: NotificationReason::First,
            at: Timestamp::UNIX_EPOCH,
            alerts: alerts
                .into_iter()
                .map(|(alert, status)| NotifiedAlert {
                    alert,
                    status,
                    episode: 0,
                })
                .collect(),
            runbook: Some("https://runbooks.example/drift".to_owned()),
            owner: Some("ml-platform".to_owned()),
            idempotency_key: Digest::of(b"sample"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn common_labels_are_those_that_all_alerts_share() {
        let one = Alert::new([("a", "1"), ("b", "2")], Timestamp::UNIX_EPOCH);
        let two = Alert::new([("a", "1"), ("b", "3")], Timestamp::UNIX_EPOCH);
        let told = Notification::sample(vec![
            (one, AlertStatus::Resolved),
            (two, AlertStatus::Firing),
        ]);
        assert_eq!(
            told.common_labels(),
            BTreeMap::from([("a".to_owned(), "1".to_owned())])
        );
        assert_eq!(told.status(), AlertStatus::Firing);
    }
}
