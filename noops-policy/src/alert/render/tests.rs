use std::num::NonZeroUsize;

use jiff::Timestamp;
use proptest::prelude::*;
use serde::Serialize;
use serde_json::Value;

use super::*;
use crate::alert::{Alert, AlertStatus, Notification};

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

/// One alert that fires, and one that is over and came from a place that is no link.
fn drift() -> Notification {
    let labels = |feature: &'static str| {
        [
            ("alertname", "Drift"),
            ("model", "fraud"),
            ("severity", "page"),
            ("feature", feature),
        ]
    };
    let amount = Alert::new(labels("amount"), at("2026-01-09T16:59:00Z"))
        .with_annotation("summary", "input drift")
        .with_generator_url("https://graphs.example.test/drift?feature=amount");
    let age = Alert::new(labels("age & <b>"), at("2026-01-09T16:58:00Z"))
        .with_annotation("summary", "input drift")
        .with_ends_at(at("2026-01-09T17:30:00Z"))
        .with_generator_url("javascript:alert(1)");
    Notification::sample(vec![
        (amount, AlertStatus::Firing),
        (age, AlertStatus::Resolved),
    ])
}

fn settings() -> RenderSettings {
    RenderSettings::default()
        .with_external_url("https://alerts.example.test")
        .unwrap()
}

fn key() -> RoutingKey {
    RoutingKey::new("0123456789abcdef0123456789abcdef").unwrap()
}

#[track_caller]
fn assert_golden(rendered: &impl Serialize, golden: &str) {
    let golden: Value = serde_json::from_str(golden).unwrap();
    assert_eq!(serde_json::to_value(rendered).unwrap(), golden);
}

#[test]
fn payloads_equal_those_written_by_hand_from_the_published_formats() {
    assert_golden(
        &alertmanager_webhook(&drift(), &settings()),
        include_str!("../../../testdata/alert/alertmanager-webhook.json"),
    );
    assert_golden(
        &pagerduty_event(&drift(), &key(), &settings()),
        include_str!("../../../testdata/alert/pagerduty-event.json"),
    );
    assert_golden(
        &slack_message(&drift(), &settings()),
        include_str!("../../../testdata/alert/slack-message.json"),
    );
    assert_golden(
        &cloud_event(&drift(), &settings()),
        include_str!("../../../testdata/alert/cloud-event.json"),
    );
}

#[test]
fn a_resolved_group_resolves_and_an_acknowledged_one_acknowledges() {
    let over = Notification::sample(vec![(
        Alert::new([("alertname", "Drift")], Timestamp::UNIX_EPOCH),
        AlertStatus::Resolved,
    )]);
    let event = serde_json::to_value(pagerduty_event(&over, &key(), &settings())).unwrap();
    assert_eq!(event["event_action"], "resolve");
    assert!(event.get("payload").is_none());
    let acknowledged = pagerduty_acknowledge(&drift(), &key());
    assert_eq!(acknowledged.action(), PagerDutyAction::Acknowledge);
    assert_eq!(
        acknowledged.dedup_key(),
        pagerduty_event(&drift(), &key(), &settings()).dedup_key()
    );
    assert_eq!(
        cloud_event(&over, &settings()).kind(),
        "dev.noops.alert.resolved"
    );
}

#[test]
fn a_webhook_counts_the_alerts_that_it_leaves_out() {
    let one = settings().with_max_alerts(NonZeroUsize::MIN);
    let webhook = alertmanager_webhook(&drift(), &one);
    assert_eq!((webhook.alerts().len(), webhook.truncated_alerts()), (1, 1));
}

#[test]
fn many_alerts_fit_every_limit_and_those_left_out_are_counted() {
    let alerts = (0..3000)
        .map(|index| {
            let alert = Alert::new(
                [("alertname", "Drift".to_owned()), ("n", index.to_string())],
                Timestamp::UNIX_EPOCH,
            )
            .with_annotation("description", "d".repeat(200));
            (alert, AlertStatus::Firing)
        })
        .collect();
    let told = Notification::sample(alerts);

    let slack = slack_message(&told, &settings());
    assert_eq!(slack.blocks().len(), 50);
    let json = serde_json::to_string(&slack).unwrap();
    assert!(json.contains("2953 more alerts are left out"));

    let event = pagerduty_event(&told, &key(), &settings());
    assert!(serde_json::to_vec(&event).unwrap().len() <= 512_000);
    let details = event.payload().unwrap().custom_details();
    let listed = details["firing"].as_array().unwrap().len();
    assert!(listed > 1000);
    assert_eq!(
        details["truncated"],
        format!(
            "{} alerts do not fit the size limit of an event and are left out",
            3000 - listed
        )
    );

    let event = cloud_event(&told, &settings());
    let size = serde_json::to_vec(&event).unwrap().len();
    assert!((50_000..=65_536).contains(&size), "{size}");
    let data = event.data();
    assert_eq!(data.truncated_alerts(), 3000 - data.alerts().len() as u64);
}

#[test]
fn a_key_is_never_in_debug_output() {
    let event = pagerduty_event(&drift(), &key(), &settings());
    assert!(!format!("{event:?}").contains("0123456789abcdef"));
    assert_eq!(
        RoutingKey::new("secret").unwrap_err().to_string(),
        "routing key has `6` characters; copy the `32` letters and digits of the integration"
    );
}

#[test]
fn settings_that_would_forge_a_link_are_refused() {
    assert!(settings().with_external_url("javascript:x").is_err());
    assert!(settings().with_source("a b").is_err());
    assert!(settings().with_source("").is_err());
    assert_eq!(
        settings().with_source("urn:noops").unwrap().source(),
        "urn:noops"
    );
}

/// The notification under another group key.
fn with_group_key(told: &Notification, key: String) -> Notification {
    let mut json = serde_json::to_value(told).unwrap();
    json["group_key"] = Value::from(key);
    serde_json::from_value(json).unwrap()
}

fn hostile() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        Just("<!channel>".to_owned()),
        Just("<https://evil.example|here>".to_owned()),
        Just("\n\r\0\t".to_owned()),
        Just("&&&&".to_owned()),
        Just("\u{202e}\u{1f980}é".to_owned()),
        Just("javascript:alert(1)".to_owned()),
        Just("https://ok.example.test/".to_owned()),
        any::<String>(),
    ];
    let repeats = prop_oneof![6 => 1_usize..3, 1 => Just(4000_usize), 1 => Just(30_000_usize)];
    (piece, repeats).prop_map(|(piece, repeats)| {
        let most = 1_000_000 / piece.len().max(1);
        piece.repeat(repeats.min(most))
    })
}

/// What is left of a text of Slack's when its own links are taken out.
fn without_links(text: &str) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('<') {
        out.push_str(before);
        let (link, after) = after.split_once('>').expect("a link is closed");
        let (url, name) = link.split_once('|').expect("a link has a name");
        assert!(url.starts_with("http"), "{url}");
        assert!(["runbook", "alerts"].contains(&name), "{name}");
        rest = after;
    }
    out.push_str(rest);
    out
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]

    #[test]
    fn hostile_alerts_break_no_limit_and_forge_nothing(
        name in hostile(),
        label in hostile(),
        summary in hostile(),
        link in hostile(),
    ) {
        let alert = Alert::new([("alertname", name.clone()), ("team", label)], Timestamp::UNIX_EPOCH)
            .with_annotation("summary", summary)
            .with_annotation("runbook_url", link.clone())
            .with_annotation("image_url", link.clone())
            .with_generator_url(link);
        let told = with_group_key(&Notification::sample(vec![(alert, AlertStatus::Firing)]), name);

        let slack = slack_message(&told, &settings());
        prop_assert!(slack.blocks().len() <= 50);
        prop_assert!((1..=3000).contains(&slack.text().chars().count()));
        for block in slack.blocks() {
            let (text, most) = match block {
                SlackBlock::Header { text } => (text, 150),
                SlackBlock::Section { text } => (text, 3000),
                SlackBlock::Context { elements } => (&elements[0], 3000),
            };
            prop_assert!((1..=most).contains(&text.as_str().chars().count()));
            let rest = without_links(text.as_str());
            prop_assert!(!rest.contains('>'));
        }

        let event = pagerduty_event(&told, &key(), &settings());
        prop_assert!(serde_json::to_vec(&event).unwrap().len() <= 512_000);
        prop_assert!((1..=255).contains(&event.dedup_key().len()));
        let payload = event.payload().unwrap();
        prop_assert!(payload.summary().chars().count() <= 1024);
        prop_assert!(!payload.summary().chars().any(char::is_control));
        let json = serde_json::to_value(event.links()).unwrap();
        for link in json.as_array().unwrap() {
            prop_assert!(link["href"].as_str().unwrap().starts_with("http"));
        }

        let webhook = alertmanager_webhook(&told, &settings());
        let json = serde_json::to_string(&webhook).unwrap();
        prop_assert_eq!(serde_json::from_str::<AlertmanagerWebhook>(&json).unwrap(), webhook);

        let event = cloud_event(&told, &settings());
        let json = serde_json::to_value(&event).unwrap();
        let subject = json["subject"].as_str().unwrap_or("x");
        prop_assert!(!subject.chars().any(char::is_control));
        prop_assert!((1..=1024).contains(&subject.chars().count()));
        prop_assert_eq!(json["id"].as_str().unwrap(), told.idempotency_key().to_string());
    }
}
