//! Who is told of what, when, and why not: alert routing as a pure function of events and time.
//!
//! A [`Config`] says who is told of which alerts; a [`Router`] takes [`AlertEvent`]s and gives [`Outcome`]s: notifications
//! for the host to send, and a record of everything that was held back. What a receiver is sent is made by [`render`].

mod config;
mod duration;
mod error;
mod event;
mod fingerprint;
mod matcher;
mod model;
mod notification;
pub mod render;
mod route;
mod router;
pub mod schedule;
mod severity;
mod silence;
mod suppression;

pub use config::{Config, check_alert_rule};
pub use error::AlertError;
pub use event::{AlertEvent, Outcome};
pub use fingerprint::Fingerprint;
pub use matcher::Matcher;
pub use model::Alert;
pub use notification::{AlertStatus, Notification, NotificationReason, NotifiedAlert};
pub use router::Router;
pub use severity::Severity;
pub use silence::Silence;
pub use suppression::{Suppression, SuppressionRecord};
