use std::sync::Mutex;

use async_trait::async_trait;

use super::lock;
use crate::error::Error;
use crate::notifier::{Notification, Notifier};

/// Keeps messages until somebody takes them.
#[derive(Debug, Default)]
pub struct InMemoryNotifier {
    messages: Mutex<Vec<Notification>>,
}

impl InMemoryNotifier {
    /// A notifier without messages.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes the messages delivered since the last call.
    #[must_use]
    pub fn take(&self) -> Vec<Notification> {
        std::mem::take(&mut *lock(&self.messages))
    }
}

#[async_trait]
impl Notifier for InMemoryNotifier {
    async fn notify(&self, notification: &Notification) -> Result<(), Error> {
        lock(&self.messages).push(notification.clone());
        Ok(())
    }
}
