use super::*;
use crate::alert::notification::{AlertStatus, Notification, NotificationReason};
use crate::alert::suppression::Suppression;

mod behaviour;
mod defects;
mod properties;

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(second).unwrap()
}

fn alert(name: &str, start: i64) -> Alert {
    Alert::new([("alertname", name)], at(start)).with_ends_at(at(1_000_000))
}

fn print(name: &str) -> Fingerprint {
    alert(name, 0).fingerprint()
}

fn config(yaml: &str) -> Config {
    Config::from_yaml("alerts.yaml", yaml).unwrap()
}

/// One group for all alerts: 30 s, 5 min, 4 h.
fn plain() -> Router {
    Router::new(config("{receivers: [{name: r}], route: {receiver: r}}"))
}

/// Steps at every wakeup up to and with `until`, and gives the notifications.
fn run(router: &mut Router, until: i64) -> Vec<Notification> {
    let mut told = Vec::new();
    while let Some(due) = router.next_wakeup().filter(|due| *due <= at(until)) {
        told.extend(notifications(router.step(due, AlertEvent::Tick)));
    }
    told.extend(notifications(router.step(at(until), AlertEvent::Tick)));
    told
}

fn notifications(outcomes: Vec<Outcome>) -> Vec<Notification> {
    outcomes
        .into_iter()
        .filter_map(|outcome| match outcome {
            Outcome::Notify(notification) => Some(notification),
            Outcome::Suppressed(_) => None,
        })
        .collect()
}

fn send(router: &mut Router, second: i64, event: AlertEvent) -> Vec<Notification> {
    notifications(router.step(at(second), event))
}

fn fire(router: &mut Router, second: i64, name: &str) -> Vec<Notification> {
    send(router, second, AlertEvent::Firing(alert(name, second)))
}

fn resolve(router: &mut Router, second: i64, name: &str) -> Vec<Notification> {
    send(router, second, AlertEvent::Resolved(print(name)))
}

/// When, to whom, why, and of which alerts: firing by name, resolved with a minus.
fn summary(told: &[Notification]) -> Vec<String> {
    told.iter()
        .map(|one| {
            let alerts: Vec<String> = one
                .alerts()
                .iter()
                .map(|notified| {
                    let sign = match notified.status() {
                        AlertStatus::Firing => "",
                        AlertStatus::Resolved => "-",
                    };
                    format!("{sign}{}", notified.alert().label("alertname"))
                })
                .collect();
            let reason = match one.reason() {
                NotificationReason::First => "first".to_owned(),
                NotificationReason::Changed => "changed".to_owned(),
                NotificationReason::Resolved => "resolved".to_owned(),
                NotificationReason::Repeat { number } => format!("repeat {number}"),
                NotificationReason::Escalation { level } => format!("level {level}"),
            };
            let mut alerts = alerts;
            alerts.sort();
            format!(
                "{} {} {reason} {}",
                one.at().as_second(),
                one.receiver(),
                alerts.join(" ")
            )
        })
        .collect()
}

fn restored(router: &Router) -> Router {
    let json = serde_json::to_string(router).unwrap();
    let back: Router = serde_json::from_str(&json).unwrap();
    assert_eq!(&back, router);
    assert_eq!(serde_json::to_string(&back).unwrap(), json);
    back
}
