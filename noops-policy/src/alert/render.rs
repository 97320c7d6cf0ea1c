//! What is sent to receivers: a notification in the forms that Alertmanager's webhook, PagerDuty, Slack and CloudEvents
//! have published.
//!
//! Rendering sends nothing and never fails: text that is too long is cut on a character boundary and says so, and a link
//! that is not plain `http` or `https` is not passed on as a link.

mod alertmanager;
mod cloud_event;
mod error;
mod pagerduty;
mod settings;
mod slack;
mod text;

pub use alertmanager::{AlertmanagerAlert, AlertmanagerWebhook, alertmanager_webhook};
pub use cloud_event::{CloudEvent, cloud_event};
pub use error::RenderError;
pub use pagerduty::{
    PagerDutyAction, PagerDutyEvent, PagerDutyImage, PagerDutyLink, PagerDutyPayload,
    PagerDutySeverity, RoutingKey, pagerduty_acknowledge, pagerduty_event,
};
pub use settings::RenderSettings;
pub use slack::{SlackBlock, SlackMessage, SlackText, slack_message};

#[cfg(test)]
mod tests;
