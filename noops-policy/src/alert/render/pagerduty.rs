use std::collections::BTreeMap;
use std::fmt;

use noops_core::Digest;
use serde::{Serialize, Serializer};
use serde_json::Value;

use super::error::RenderError;
use super::settings::RenderSettings;
use super::text;
use crate::alert::{AlertStatus, Notification, NotifiedAlert, Severity};

/// An event for PagerDuty's Events API, version 2.
///
/// Source: PagerDuty developer documentation, "Send an alert event". Limits: 255 bytes of deduplication key (a longer one
/// is replaced by its digest), 1024 characters of summary, 512 KB in all: custom details that do not fit are left out,
/// and the event says how many.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[must_use]
pub struct PagerDutyEvent {
    routing_key: RoutingKey,
    event_action: PagerDutyAction,
    dedup_key: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    payload: Option<PagerDutyPayload>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    links: Vec<PagerDutyLink>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    images: Vec<PagerDutyImage>,
}

impl PagerDutyEvent {
    /// What the event asks for.
    pub fn action(&self) -> PagerDutyAction {
        self.event_action
    }

    /// What events of one incident have in common.
    pub fn dedup_key(&self) -> &str {
        &self.dedup_key
    }

    /// What the event says; none for one that only acknowledges or resolves.
    pub fn payload(&self) -> Option<&PagerDutyPayload> {
        self.payload.as_ref()
    }

    /// The links.
    pub fn links(&self) -> &[PagerDutyLink] {
        &self.links
    }
}

/// The secret that says which service an event is for. It is written into the event, and never into debug output.
///
/// # Examples
///
/// ```
/// use noops_policy::alert::render::RoutingKey;
///
/// let key = RoutingKey::new("0123456789abcdef0123456789abcdef")?;
/// assert_eq!(format!("{key:?}"), "RoutingKey(…)");
/// assert!(RoutingKey::new("too short").is_err());
/// # Ok::<(), noops_policy::alert::render::RenderError>(())
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct RoutingKey(String);

impl RoutingKey {
    /// Checks the form of a key.
    ///
    /// # Errors
    ///
    /// Refuses what is not 32 ASCII letters and digits.
    pub fn new(key: &str) -> Result<Self, RenderError> {
        if key.len() == 32 && key.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
            return Ok(Self(key.to_owned()));
        }
        Err(RenderError::RoutingKey {
            length: key.chars().count(),
        })
    }
}

impl fmt::Debug for RoutingKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("RoutingKey(…)")
    }
}

impl Serialize for RoutingKey {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

/// What an event asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum PagerDutyAction {
    /// Open an incident, or add to it.
    Trigger,
    /// Somebody is on it.
    Acknowledge,
    /// It is over.
    Resolve,
}

/// How bad an event is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum PagerDutySeverity {
    /// A person is woken up.
    Critical,
    /// A person looks in working hours.
    Warning,
    /// A person may want to know.
    Info,
}

impl From<Severity> for PagerDutySeverity {
    fn from(severity: Severity) -> Self {
        match severity {
            Severity::Page => Self::Critical,
            Severity::Ticket => Self::Warning,
            Severity::Info => Self::Info,
        }
    }
}

/// What an event says.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct PagerDutyPayload {
    summary: String,
    source: String,
    severity: PagerDutySeverity,
    timestamp: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    component: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    group: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    class: Option<String>,
    custom_details: BTreeMap<String, Value>,
}

impl PagerDutyPayload {
    /// The summary, of at most 1024 characters.
    pub fn summary(&self) -> &str {
        &self.summary
    }

    /// How bad it is.
    pub fn severity(&self) -> PagerDutySeverity {
        self.severity
    }

    /// Everything else, by name.
    pub fn custom_details(&self) -> &BTreeMap<String, Value> {
        &self.custom_details
    }
}

/// A link beside an event.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct PagerDutyLink {
    href: String,
    text: String,
}

/// A picture beside an event.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct PagerDutyImage {
    src: String,
    alt: String,
}

/// Renders an event that opens an incident while the notification fires, and closes it when it is resolved.
///
/// Pages are critical, tickets warnings. The component is the common label `component` or else `model`, the group the
/// common label `service`, and the class the common label `alertname`. Links are the runbooks and the places that alerts
/// came from, images the annotations `image_url`; both only where they are plain web links.
pub fn pagerduty_event(
    notification: &Notification,
    routing_key: &RoutingKey,
    settings: &RenderSettings,
) -> PagerDutyEvent {
    match notification.status() {
        AlertStatus::Resolved => bare(notification, routing_key, PagerDutyAction::Resolve),
        AlertStatus::Firing => PagerDutyEvent {
            payload: Some(payload(notification, settings)),
            links: links(notification),
            images: images(notification),
            ..bare(notification, routing_key, PagerDutyAction::Trigger)
        },
    }
}

/// Renders an event that says that somebody is on it.
pub fn pagerduty_acknowledge(
    notification: &Notification,
    routing_key: &RoutingKey,
) -> PagerDutyEvent {
    bare(notification, routing_key, PagerDutyAction::Acknowledge)
}

fn bare(
    notification: &Notification,
    routing_key: &RoutingKey,
    action: PagerDutyAction,
) -> PagerDutyEvent {
    let key = notification.group_key();
    PagerDutyEvent {
        routing_key: routing_key.clone(),
        event_action: action,
        dedup_key: if key.is_empty() || key.len() > MAX_DEDUP_KEY {
            Digest::of(key.as_bytes()).to_string()
        } else {
            key.to_owned()
        },
        payload: None,
        links: Vec::new(),
        images: Vec::new(),
    }
}

fn payload(notification: &Notification, settings: &RenderSettings) -> PagerDutyPayload {
    let common = notification.common_labels();
    let label = |names: &[&str]| {
        names
            .iter()
            .find_map(|name| common.get(*name))
            .map(|value| text::line(value, MAX_FIELD))
    };
    PagerDutyPayload {
        summary: text::line(&super::slack::summary(notification), MAX_SUMMARY),
        source: settings.source().to_owned(),
        severity: notification.severity().into(),
        timestamp: notification.at().to_string(),
        component: label(&["component", "model"]),
        group: label(&["service"]),
        class: label(&["alertname"]),
        custom_details: details(notification),
    }
}

/// Counts, owner, and as many alerts as fit; those that do not are counted.
fn details(notification: &Notification) -> BTreeMap<String, Value> {
    let mut details: BTreeMap<String, Value> = BTreeMap::new();
    let mut room = MAX_DETAILS;
    let mut left_out: u64 = 0;
    for (name, status) in [
        ("firing", AlertStatus::Firing),
        ("resolved", AlertStatus::Resolved),
    ] {
        let mut count: u64 = 0;
        let mut listed: Vec<Value> = Vec::new();
        for notified in notification.alerts() {
            if notified.status() != status {
                continue;
            }
            count = count.saturating_add(1);
            match alert_within(notified, room) {
                Some((alert, size)) => {
                    room = room.saturating_sub(size);
                    listed.push(alert);
                }
                None => left_out = left_out.saturating_add(1),
            }
        }
        details.insert(format!("num_{name}"), Value::from(count));
        if !listed.is_empty() {
            details.insert(name.to_owned(), Value::Array(listed));
        }
    }
    if let Some(owner) = notification.owner() {
        details.insert(
            "owner".to_owned(),
            Value::from(text::line(owner, MAX_FIELD)),
        );
    }
    if left_out > 0 {
        details.insert(
            "truncated".to_owned(),
            Value::from(format!(
                "{left_out} alerts do not fit the size limit of an event and are left out"
            )),
        );
    }
    details
}

/// The alert's labels and annotations with the size of their JSON, if that fits.
fn alert_within(notified: &NotifiedAlert, room: usize) -> Option<(Value, usize)> {
    let alert = notified.alert();
    let texts = [alert.labels(), alert.annotations()];
    // A look before anything is copied: JSON is never smaller than what it says.
    let least = texts
        .iter()
        .flat_map(|map| map.iter())
        .fold(0_usize, |sum, (name, value)| {
            sum.saturating_add(name.len()).saturating_add(value.len())
        });
    if least > room {
        return None;
    }
    let value = serde_json::json!({
        "labels": alert.labels(),
        "annotations": alert.annotations(),
        "since": alert.starts_at().to_string(),
    });
    let size = value.to_string().len().saturating_add(1);
    (size <= room).then_some((value, size))
}

fn links(notification: &Notification) -> Vec<PagerDutyLink> {
    let runbooks = notification
        .runbook()
        .into_iter()
        .chain(
            notification
                .alerts()
                .iter()
                .filter_map(|notified| notified.alert().runbook()),
        )
        .map(|link| (link, "runbook"));
    let origins = notification
        .alerts()
        .iter()
        .filter_map(|notified| notified.alert().generator_url())
        .map(|link| (link, "source"));
    let mut links: Vec<PagerDutyLink> = Vec::new();
    for (href, name) in runbooks.chain(origins) {
        if links.len() == MAX_LINKS {
            break;
        }
        if let Some(href) = text::link(href)
            && !links.iter().any(|known| known.href == href)
        {
            links.push(PagerDutyLink {
                href: href.to_owned(),
                text: name.to_owned(),
            });
        }
    }
    links
}

fn images(notification: &Notification) -> Vec<PagerDutyImage> {
    notification
        .alerts()
        .iter()
        .filter_map(|notified| {
            let src = text::link(notified.alert().annotations().get("image_url")?)?;
            Some(PagerDutyImage {
                src: src.to_owned(),
                alt: text::line(notified.alert().label("alertname"), MAX_FIELD),
            })
        })
        .take(MAX_LINKS)
        .collect()
}

const MAX_DEDUP_KEY: usize = 255;

const MAX_SUMMARY: usize = 1024;

/// Of a short field, in characters.
const MAX_FIELD: usize = 255;

const MAX_LINKS: usize = 16;

/// Of the alerts in the details, in bytes of JSON: what all other fields can come to leaves this of 512 KB.
const MAX_DETAILS: usize = 400_000;
