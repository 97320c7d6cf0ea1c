use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::settings::RenderSettings;
use super::text;
use crate::alert::{AlertStatus, Notification, NotifiedAlert};

/// The body of Alertmanager's webhook, version 4, so that every receiver written for Alertmanager works.
///
/// Source: Prometheus documentation, "Alerting configuration", `webhook_config`. Two values differ in kind: fingerprints
/// have 32 hex digits, and the group key is the router's own.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[must_use]
pub struct AlertmanagerWebhook {
    version: String,
    group_key: String,
    truncated_alerts: u64,
    status: AlertStatus,
    receiver: String,
    group_labels: BTreeMap<String, String>,
    common_labels: BTreeMap<String, String>,
    common_annotations: BTreeMap<String, String>,
    #[serde(rename = "externalURL")]
    external_url: String,
    alerts: Vec<AlertmanagerAlert>,
}

impl AlertmanagerWebhook {
    /// The alerts that are listed.
    pub fn alerts(&self) -> &[AlertmanagerAlert] {
        &self.alerts
    }

    /// How many alerts are not listed.
    pub fn truncated_alerts(&self) -> u64 {
        self.truncated_alerts
    }

    /// Leaves out the last alert, and counts it.
    pub(super) fn truncate_one(&mut self) -> Option<AlertmanagerAlert> {
        let last = self.alerts.pop()?;
        self.truncated_alerts = self.truncated_alerts.saturating_add(1);
        Some(last)
    }
}

/// One alert of the webhook.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct AlertmanagerAlert {
    status: AlertStatus,
    labels: BTreeMap<String, String>,
    annotations: BTreeMap<String, String>,
    starts_at: String,
    ends_at: String,
    #[serde(rename = "generatorURL")]
    generator_url: String,
    fingerprint: String,
}

/// Renders the body of Alertmanager's webhook.
///
/// A generator link that is not plain `http` or `https` is left empty; labels and annotations are passed on as they are.
pub fn alertmanager_webhook(
    notification: &Notification,
    settings: &RenderSettings,
) -> AlertmanagerWebhook {
    let all = notification.alerts();
    let most = settings.max_alerts().map_or(all.len(), |most| most.get());
    let truncated = all.len().saturating_sub(most);
    AlertmanagerWebhook {
        version: "4".to_owned(),
        group_key: notification.group_key().to_owned(),
        truncated_alerts: u64::try_from(truncated).unwrap_or(u64::MAX),
        status: notification.status(),
        receiver: notification.receiver().to_owned(),
        group_labels: notification.group_labels().clone(),
        common_labels: notification.common_labels(),
        common_annotations: notification.common_annotations(),
        external_url: settings.external_url().to_owned(),
        alerts: all.iter().take(most).map(render).collect(),
    }
}

fn render(notified: &NotifiedAlert) -> AlertmanagerAlert {
    let alert = notified.alert();
    AlertmanagerAlert {
        status: notified.status(),
        labels: alert.labels().clone(),
        annotations: alert.annotations().clone(),
        starts_at: alert.starts_at().to_string(),
        ends_at: alert
            .ends_at()
            .map_or_else(|| NEVER.to_owned(), |at: Timestamp| at.to_string()),
        generator_url: alert
            .generator_url()
            .and_then(text::link)
            .unwrap_or_default()
            .to_owned(),
        fingerprint: alert.fingerprint().to_string(),
    }
}

/// Go's zero time, which Alertmanager sends for an end that is not known.
const NEVER: &str = "0001-01-01T00:00:00Z";
