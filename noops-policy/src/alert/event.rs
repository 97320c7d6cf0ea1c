use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::config::Config;
use super::fingerprint::Fingerprint;
use super::model::Alert;
use super::notification::Notification;
use super::silence::Silence;
use super::suppression::SuppressionRecord;

/// What the router is told.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
#[non_exhaustive]
pub enum AlertEvent {
    /// Time has passed: send it when [`super::Router::next_wakeup`] asks for it.
    Tick,
    /// An alert fires, or fires still. One whose end has passed is resolved.
    Firing(Alert),
    /// An alert is over.
    Resolved(Fingerprint),
    /// A silence is ordered, or replaced by another of the same identity.
    SilenceAdded(Silence),
    /// A silence is lifted before its time.
    SilenceExpired {
        /// The silence.
        id: String,
    },
    /// Somebody has taken an alert: it does not escalate until it fires anew. It is repeated still, because a forgotten
    /// acknowledgement must not become a silence.
    Acknowledge {
        /// The alert.
        fingerprint: Fingerprint,
        /// Who has taken it.
        by: String,
    },
    /// A deploy has begun.
    DeployStarted {
        /// What is deployed, and its identity.
        labels: BTreeMap<String, String>,
    },
    /// A deploy has ended.
    DeployEnded {
        /// As it was begun.
        labels: BTreeMap<String, String>,
    },
    /// Another router has sent a notification: what it told, this router need not tell.
    PeerNotified(Box<Notification>),
    /// Another configuration is in force.
    ConfigReloaded(Config),
    /// The router was restored from storage: alerts get another resolve timeout to be heard of.
    Restarted,
}

/// What comes of a step.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
#[non_exhaustive]
#[must_use]
pub enum Outcome {
    /// Somebody is to be told.
    Notify(Notification),
    /// Somebody would have been told, were it not for a rule.
    Suppressed(SuppressionRecord),
}
