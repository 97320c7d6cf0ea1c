//! What must people know?

use jiff::Timestamp;
use noops_core::{Error, Notification, Severity};
use noops_policy::Action;

use crate::control::controller::{Acted, Controller, Question};
use crate::control::journal::Subject;

impl Controller {
    /// Calls a person when the policies say that automation has come to its end.
    pub(in crate::control) async fn escalate(
        &mut self,
        now: Timestamp,
        acted: &mut Vec<Acted>,
    ) -> Result<(), Error> {
        let book = self.book(now)?;
        let question = Question::new(now, &book, Subject::Automation);
        if self
            .may(Action::Escalate, question, acted)
            .await?
            .is_granted()
        {
            self.done(Action::Escalate, now);
            let body = acted
                .last()
                .map(|act| act.because.clone())
                .unwrap_or_default();
            self.tell(
                Severity::Page,
                "automation needs a person".to_owned(),
                body,
                now,
            );
        }
        Ok(())
    }

    /// Keeps a message for people until it is delivered.
    pub(super) fn tell(&mut self, severity: Severity, title: String, body: String, now: Timestamp) {
        let key = format!("{}/{now}/{title}", self.settings.model);
        self.state.untold.push(Notification {
            key,
            severity,
            title,
            body,
            at: now,
        });
    }

    /// Delivers what people have not been told. What cannot be delivered is kept for the next time, and holds up nothing else.
    pub(in crate::control) async fn tell_people(&mut self) {
        let mut undelivered = 0;
        // Removed only when delivered: this call may be dropped while a notifier hangs.
        while let Some(notification) = self.state.untold.get(undelivered).cloned() {
            match self.components.notifier.notify(&notification).await {
                Ok(()) => drop(self.state.untold.remove(undelivered)),
                Err(_) => undelivered += 1,
            }
        }
    }
}
