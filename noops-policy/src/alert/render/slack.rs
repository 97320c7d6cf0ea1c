use std::collections::BTreeMap;
use std::fmt::Write as _;

use serde::{Deserialize, Serialize};

use super::settings::RenderSettings;
use super::text;
use crate::alert::{AlertStatus, Notification, NotifiedAlert};

/// A message for Slack's incoming webhooks, in blocks.
///
/// Source: Slack developer documentation, "Block Kit" and "Formatting text". Limits: 50 blocks, 150 characters of header,
/// 3000 characters of section; `&`, `<` and `>` are escaped, so that no label can mention a channel or forge a link.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[must_use]
pub struct SlackMessage {
    text: String,
    blocks: Vec<SlackBlock>,
}

impl SlackMessage {
    /// What is shown where blocks are not.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The blocks.
    pub fn blocks(&self) -> &[SlackBlock] {
        &self.blocks
    }
}

/// A part of a message.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "lowercase", deny_unknown_fields)]
pub enum SlackBlock {
    /// A line in large type.
    Header {
        /// The line.
        text: SlackText,
    },
    /// A paragraph.
    Section {
        /// The paragraph.
        text: SlackText,
    },
    /// Small print.
    Context {
        /// Its parts.
        elements: Vec<SlackText>,
    },
}

/// A text of a message.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", content = "text", deny_unknown_fields)]
pub enum SlackText {
    /// Text without markup.
    #[serde(rename = "plain_text")]
    Plain(String),
    /// Text with Slack's markup.
    #[serde(rename = "mrkdwn")]
    Markup(String),
}

impl SlackText {
    /// The text as it is sent.
    pub fn as_str(&self) -> &str {
        match self {
            Self::Plain(text) | Self::Markup(text) => text,
        }
    }
}

/// Renders a message: a header, a paragraph for each alert, and the links.
pub fn slack_message(notification: &Notification, settings: &RenderSettings) -> SlackMessage {
    let summary = summary(notification);
    let mut blocks = vec![SlackBlock::Header {
        text: SlackText::Plain(escaped(&text::line(&summary, MAX_HEADER), MAX_HEADER)),
    }];
    let alerts = notification.alerts();
    for notified in alerts.iter().take(MAX_ALERTS) {
        blocks.push(SlackBlock::Section {
            text: SlackText::Markup(paragraph(notified)),
        });
    }
    let left_out = alerts.len().saturating_sub(MAX_ALERTS);
    if left_out > 0 {
        blocks.push(small(format!("{left_out} more alerts are left out")));
    }
    if let Some(links) = footer(notification, settings) {
        blocks.push(small(links));
    }
    SlackMessage {
        text: escaped(&summary, MAX_SECTION),
        blocks,
    }
}

/// `[FIRING:2] Drift: the summary`, on any number of lines and of any length.
pub(super) fn summary(notification: &Notification) -> String {
    let firing = notification
        .alerts()
        .iter()
        .filter(|notified| notified.status() == AlertStatus::Firing)
        .count();
    let mut summary = match notification.status() {
        AlertStatus::Firing => format!("[FIRING:{firing}]"),
        AlertStatus::Resolved => "[RESOLVED]".to_owned(),
    };
    let labels = notification.common_labels();
    let name = labels
        .get("alertname")
        .map_or_else(|| notification.group_key(), String::as_str);
    summary.push(' ');
    summary.push_str(&text::short(name, MAX_HEADER));
    let annotations = notification.common_annotations();
    if let Some(said) = annotations.get("summary").filter(|said| !said.is_empty()) {
        summary.push_str(": ");
        summary.push_str(&text::short(said, MAX_SECTION));
    }
    summary
}

fn paragraph(notified: &NotifiedAlert) -> String {
    let alert = notified.alert();
    let mut words = format!("{} since {}", notified.status(), alert.starts_at());
    for name in ["summary", "description"] {
        if let Some(said) = alert.annotations().get(name) {
            words.push('\n');
            words.push_str(&text::short(said, MAX_SECTION));
        }
    }
    words.push('\n');
    words.push_str(&text::short(&pairs(alert.labels()), MAX_SECTION));
    escaped(&words, MAX_SECTION)
}

fn pairs(labels: &BTreeMap<String, String>) -> String {
    let mut pairs = String::new();
    for (name, value) in labels {
        if pairs.len() > MAX_SECTION * 4 {
            break;
        }
        let name = text::line(name, MAX_SECTION);
        let value = text::line(value, MAX_SECTION);
        // Writing to a string cannot fail.
        let _ = write!(pairs, "{name}={value} ");
    }
    pairs.trim_end().to_owned()
}

fn footer(notification: &Notification, settings: &RenderSettings) -> Option<String> {
    let mut parts: Vec<String> = Vec::new();
    let runbook = notification.runbook().or_else(|| {
        notification
            .alerts()
            .iter()
            .find_map(|notified| notified.alert().runbook())
    });
    for (link, name) in [
        (runbook, "runbook"),
        (Some(settings.external_url()), "alerts"),
    ] {
        if let Some(link) = link.and_then(text::link)
            && let Some(link) = escaped_whole(link, MAX_LINK)
        {
            parts.push(format!("<{link}|{name}>"));
        }
    }
    if let Some(owner) = notification.owner() {
        parts.push(format!("owner {}", escaped(&text::line(owner, 255), 255)));
    }
    (!parts.is_empty()).then(|| parts.join("  "))
}

fn small(text: String) -> SlackBlock {
    SlackBlock::Context {
        elements: vec![SlackText::Markup(text)],
    }
}

/// The text with `&`, `<` and `>` escaped, of at most `most` characters; one that is cut ends with `…`.
fn escaped(text: &str, most: usize) -> String {
    if let Some(whole) = escaped_whole(text, most) {
        return whole;
    }
    let mut out = String::new();
    let mut room = most.saturating_sub(1);
    for character in text.chars() {
        let mut buffer = [0; 4];
        let piece = escape(character).unwrap_or(character.encode_utf8(&mut buffer));
        let Some(rest) = room.checked_sub(piece.chars().count()) else {
            break;
        };
        room = rest;
        out.push_str(piece);
    }
    out.push('…');
    out
}

/// The text with `&`, `<` and `>` escaped, if that has at most `most` characters.
fn escaped_whole(text: &str, most: usize) -> Option<String> {
    let mut out = String::new();
    let mut room = most;
    for character in text.chars() {
        let mut buffer = [0; 4];
        let piece = escape(character).unwrap_or(character.encode_utf8(&mut buffer));
        room = room.checked_sub(piece.chars().count())?;
        out.push_str(piece);
    }
    Some(out)
}

fn escape(character: char) -> Option<&'static str> {
    match character {
        '&' => Some("&amp;"),
        '<' => Some("&lt;"),
        '>' => Some("&gt;"),
        '\0' => Some(" "),
        _ => None,
    }
}

const MAX_HEADER: usize = 150;

const MAX_SECTION: usize = 3000;

/// With the name of the link and of a second one, less than a section.
const MAX_LINK: usize = 1200;

/// One header, and two lines of small print, make 50 blocks.
const MAX_ALERTS: usize = 47;
