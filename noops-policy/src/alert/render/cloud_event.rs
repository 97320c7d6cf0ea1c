use serde::{Deserialize, Serialize};

use super::alertmanager::{AlertmanagerWebhook, alertmanager_webhook};
use super::settings::RenderSettings;
use super::text;
use crate::alert::{AlertStatus, Notification};

/// A notification as an event in the structured JSON form of CloudEvents 1.0.
///
/// Source: CloudEvents specification and its JSON event format. The data is the body of [`AlertmanagerWebhook`]. Alerts
/// are left out, and counted, until the event has at most 64 KiB, the size that every intermediary must forward; labels
/// that are larger than that by themselves are not cut.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[must_use]
pub struct CloudEvent {
    specversion: String,
    id: String,
    source: String,
    #[serde(rename = "type")]
    kind: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    subject: Option<String>,
    time: String,
    datacontenttype: String,
    data: AlertmanagerWebhook,
}

impl CloudEvent {
    /// The id: the idempotency key of the notification, so that the same news has the same id.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// The type: `dev.noops.alert.firing` or `dev.noops.alert.resolved`.
    pub fn kind(&self) -> &str {
        &self.kind
    }

    /// The data.
    pub fn data(&self) -> &AlertmanagerWebhook {
        &self.data
    }
}

/// Renders an event.
pub fn cloud_event(notification: &Notification, settings: &RenderSettings) -> CloudEvent {
    let subject = text::line(notification.group_key(), MAX_SUBJECT);
    let mut event = CloudEvent {
        specversion: "1.0".to_owned(),
        id: notification.idempotency_key().to_string(),
        source: settings.source().to_owned(),
        kind: match notification.status() {
            AlertStatus::Firing => "dev.noops.alert.firing",
            AlertStatus::Resolved => "dev.noops.alert.resolved",
        }
        .to_owned(),
        subject: (!subject.is_empty()).then_some(subject),
        time: notification.at().to_string(),
        datacontenttype: "application/json".to_owned(),
        data: alertmanager_webhook(notification, settings),
    };
    let mut size = json_size(&event);
    while size > MAX_EVENT
        && let Some(left_out) = event.data.truncate_one()
    {
        // The comma goes with it; the count may take digits, which `COUNT_DIGITS` has room for.
        size = size.saturating_sub(json_size(&left_out));
    }
    event
}

fn json_size<T: Serialize>(value: &T) -> usize {
    serde_json::to_vec(value).map_or(usize::MAX, |json| json.len())
}

const MAX_SUBJECT: usize = 1024;

/// For the digits of the count of what is left out.
const COUNT_DIGITS: usize = 32;

const MAX_EVENT: usize = 64 * 1024 - COUNT_DIGITS;
