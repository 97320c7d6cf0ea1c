//! The clauses of [`Notifier`].

use super::artifacts::together;
use super::{at, kind};
use crate::{ErrorKind, Notification, Notifier, Severity};

/// Every clause that holds while messages can be delivered. `received` tells what has arrived so far, or since it was asked last.
pub async fn all(notifier: &dyn Notifier, received: &impl AsyncFn() -> Vec<Notification>) {
    what_is_acknowledged_arrives_whole(notifier, received).await;
    the_same_notification_again_is_no_error(notifier, received).await;
    many_at_once_all_arrive(notifier, received).await;
}

/// Of every severity, with whatever text.
pub async fn what_is_acknowledged_arrives_whole(
    notifier: &dyn Notifier,
    received: &impl AsyncFn() -> Vec<Notification>,
) {
    let severities = [Severity::Info, Severity::Ticket, Severity::Page];
    let sent: Vec<Notification> = severities
        .into_iter()
        .map(|severity| Notification {
            severity,
            ..notification(&format!("whole/{severity:?}"))
        })
        .collect();
    for notification in &sent {
        notifier.notify(notification).await.unwrap();
    }
    let arrived = received().await;
    for notification in &sent {
        assert!(
            arrived.contains(notification),
            "{notification:?} is missing"
        );
    }
}

/// After a crash nobody knows whether a message went out, so it comes again. A notifier may fold repeats, and may not refuse them.
pub async fn the_same_notification_again_is_no_error(
    notifier: &dyn Notifier,
    received: &impl AsyncFn() -> Vec<Notification>,
) {
    let again = notification("again");
    for _ in 0..3 {
        notifier.notify(&again).await.unwrap();
    }
    let arrived = received().await;
    let times = arrived.iter().filter(|arrived| **arrived == again).count();
    assert!((1..=3).contains(&times), "it arrived {times} times");
}

/// None is lost behind another.
pub async fn many_at_once_all_arrive(
    notifier: &dyn Notifier,
    received: &impl AsyncFn() -> Vec<Notification>,
) {
    let sent: Vec<Notification> = (0..10)
        .map(|n| notification(&format!("at once/{n}")))
        .collect();
    let calls = sent.iter().map(|sent| notifier.notify(sent)).collect();
    for delivered in together(calls).await {
        delivered.unwrap();
    }
    let arrived = received().await;
    for notification in &sent {
        assert!(
            arrived.contains(notification),
            "{notification:?} is missing"
        );
    }
}

/// The clause of a notifier whose messages cannot be delivered at the moment.
pub async fn what_cannot_be_delivered_is_unavailable(notifier: &dyn Notifier) {
    let delivered = notifier.notify(&notification("lost")).await;
    assert_eq!(kind(delivered), ErrorKind::Unavailable);
}

fn notification(key: &str) -> Notification {
    Notification {
        key: format!("conformance/{key}"),
        severity: Severity::Ticket,
        title: format!("a test: {key}"),
        // What markup, quoting and line ends would change.
        body: "drift of `amount`: <0.31> & \"more\"\nsecond line\t— ünï".to_owned(),
        at: at(1_000),
    }
}

#[cfg(test)]
mod tests {
    use async_trait::async_trait;

    use super::*;
    use crate::{Error, InMemoryNotifier};

    /// Says that it delivered, or that it did not, and keeps nothing.
    #[derive(Debug)]
    struct Nowhere {
        is_honest: bool,
    }

    #[async_trait]
    impl Notifier for Nowhere {
        async fn notify(&self, _: &Notification) -> Result<(), Error> {
            if self.is_honest {
                let message = "nobody answers";
                return Err(Error::new(ErrorKind::Unavailable, "notify", message));
            }
            Ok(())
        }
    }

    #[tokio::test]
    async fn the_notifier_in_memory_keeps_the_contract() {
        let notifier = InMemoryNotifier::new();
        all(&notifier, &async || notifier.take()).await;
    }

    #[tokio::test]
    async fn a_notifier_that_is_away_keeps_the_contract() {
        what_cannot_be_delivered_is_unavailable(&Nowhere { is_honest: true }).await;
    }

    #[tokio::test]
    #[should_panic(expected = "is missing")]
    async fn a_message_that_never_arrives_is_noticed() {
        all(&Nowhere { is_honest: false }, &async || {
            Vec::<Notification>::new()
        })
        .await;
    }

    #[tokio::test]
    #[should_panic(expected = "this call must fail")]
    async fn a_loss_that_is_hidden_is_noticed() {
        what_cannot_be_delivered_is_unavailable(&Nowhere { is_honest: false }).await;
    }
}
