//! Calling a person.

use std::fmt::Debug;

use async_trait::async_trait;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::error::Error;

/// How soon a person should look.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Severity {
    /// For the record.
    Info,
    /// Within days.
    Ticket,
    /// Now.
    Page,
}

/// A message to people.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Notification {
    /// The same key means the same matter: a notifier may fold repeats.
    pub key: String,
    /// How soon to look.
    pub severity: Severity,
    /// One line.
    pub title: String,
    /// The evidence.
    pub body: String,
    /// When it happened.
    pub at: Timestamp,
}

/// Delivers messages to people.
///
/// # Contract
///
/// * Delivery is at least once: after a crash the same notification, with the same key, may come again. It MUST NOT be refused for that.
/// * A failure is reported as [`Unavailable`](crate::ErrorKind::Unavailable) and never hides that the message is undelivered.
#[async_trait]
pub trait Notifier: Debug + Send + Sync + 'static {
    /// Delivers one message.
    async fn notify(&self, notification: &Notification) -> Result<(), Error>;
}
