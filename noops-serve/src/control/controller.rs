//! The controller: what it is made of, what it is shown, and when it thinks.

use std::sync::Arc;

use arrow_array::RecordBatch;
use jiff::Timestamp;
use noops_core::{
    ArtifactStore, AuditLog, Clock, Error, ErrorKind, FencingToken, Label, ModelLoader,
    ModelRegistry, ModelVersion, Notifier, TrainedModel, Trainer,
};
use noops_drift::QualityGate;
use noops_policy::{Action, Decision, PolicySet};
use tokio::task::JoinHandle;

use super::candidate;
use super::facts::FactBook;
use super::journal::{self, Entry, Evidence, PolicyDocument, Subject};
use super::reference::Reference;
use super::settings::ControlSettings;
use super::state::ControlState;
use crate::runtime::{Deployment, DeploymentSettings, Exposure, ServedModel, ShadowScore};

/// What a controller works with.
#[derive(Clone, Debug)]
pub struct Components {
    /// Where versions are registered.
    pub registry: Arc<dyn ModelRegistry>,
    /// Where their bytes are.
    pub artifacts: Arc<dyn ArtifactStore>,
    /// Where decisions are written down.
    pub audit: Arc<dyn AuditLog>,
    /// Who tells people.
    pub notifier: Arc<dyn Notifier>,
    /// Who trains.
    pub trainer: Arc<dyn Trainer>,
    /// Who turns bytes into a model.
    pub loader: Arc<dyn ModelLoader>,
    /// What time it is for the deployment.
    pub clock: Arc<dyn Clock>,
    /// The right to act, from the lease of whoever runs this controller, who also renews it; [`FencingToken::NONE`] when nobody else can act.
    /// Controllers that may follow one another share the audit log as well as the registry: every act is written down first, and the log
    /// refuses it from a holder whose successor has acted.
    pub token: FencingToken,
    /// The policies, checked before anything happens.
    pub policies: Vec<PolicyDocument>,
    /// The bounds beside the prediction path.
    pub deployment: DeploymentSettings,
}

/// Something that was decided and done.
#[derive(Clone, Debug, PartialEq)]
pub struct Acted {
    /// When.
    pub at: Timestamp,
    /// What.
    pub action: Action,
    /// Whether the policy allowed it; a refused candidate is an act too.
    pub allowed: bool,
    /// To what.
    pub subject: Subject,
    /// Why.
    pub because: String,
}

/// Looks after one model: watches it, retrains it when labels show harm, brings candidates up through shadow and ramp, and
/// takes them back, by policy, with every decision on the audit log.
///
/// It is level-triggered: [`reconcile`](Self::reconcile) looks at what is, asks the policies what may be done, and does it.
/// Calling it twice, late, or after a crash is safe. It reads no clock and starts no task but the training; the host shows
/// it events and says what time it is.
#[derive(Debug)]
pub struct Controller {
    pub(super) components: Components,
    pub(super) settings: ControlSettings,
    pub(super) policies: PolicySet,
    pub(super) state: ControlState,
    pub(super) reference: Reference,
    pub(super) gate: QualityGate,
    pub(super) deployment: Arc<Deployment>,
    pub(super) training: Option<JoinHandle<Result<TrainedModel, Error>>>,
    /// What was done by a reconciliation that failed later on.
    pub(super) acted: Vec<Acted>,
    /// How a training ended that was waited for.
    pub(super) outcome: Option<Result<TrainedModel, Error>>,
    /// A training that is done, until what came of it is safely in the registry or refused.
    pub(super) trained: Option<TrainedModel>,
    /// Whether a newer holder of the lease has acted, which ends this controller.
    pub(super) fenced: bool,
}

impl Controller {
    /// Where predictions are asked for.
    #[must_use]
    pub fn deployment(&self) -> &Arc<Deployment> {
        &self.deployment
    }

    /// Everything the controller remembers: save it whenever it may be lost.
    #[must_use]
    pub fn state(&self) -> &ControlState {
        &self.state
    }

    /// Waits until the training under way, if any, has come to its end, well or badly. `reconcile` does not wait: it collects a
    /// training that is done and due, and looks again next time at one that is not. A replay whose clock runs faster than the
    /// machine calls this first, so that what happens does not depend on the machine.
    pub async fn training_done(&mut self) {
        if let Some(handle) = &mut self.training {
            // Taken out only afterwards: this call may be dropped, and the training must not be lost then.
            let ended = handle.await;
            self.training = None;
            self.outcome = Some(ended.unwrap_or_else(|gone| Err(training_lost(gone))));
        }
    }

    /// The settings.
    #[must_use]
    pub fn settings(&self) -> &ControlSettings {
        &self.settings
    }

    /// The kill switch: no action of any kind is taken until [`release_automation`](Self::release_automation), not even a rollback.
    /// Predictions, observation and evidence go on, and what is due is done when automation is released.
    pub fn halt_automation(&mut self) {
        self.state.governor.kill();
    }

    /// Ends what [`halt_automation`](Self::halt_automation) began.
    pub fn release_automation(&mut self) {
        self.state.governor.resume();
    }

    /// Shows rows as they were delivered.
    ///
    /// # Errors
    ///
    /// `Invalid` when a column of the reference profile is missing or of another type; nothing is counted then.
    pub fn observe_inputs(&mut self, rows: &RecordBatch) -> Result<(), Error> {
        self.state.observe_inputs(&self.reference, rows)
    }

    /// Shows what became of requests.
    ///
    /// # Errors
    ///
    /// `Invalid` when a score cannot be counted.
    pub fn observe_exposures(&mut self, exposures: Vec<Exposure>) -> Result<(), Error> {
        if self.fenced {
            // Nothing is judged any more, and so nothing would ever be forgotten.
            return Ok(());
        }
        exposures.into_iter().try_for_each(|exposure| {
            self.state
                .observe_exposure(&self.reference, &self.settings, exposure)
        })
    }

    /// Shows what the arm that did not answer would have said.
    pub fn observe_shadows(&mut self, shadows: &[ShadowScore]) {
        shadows
            .iter()
            .for_each(|shadow| self.state.observe_shadow(shadow));
    }

    /// Shows a label.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Corrupt`](noops_core::ErrorKind::Corrupt) if the judge of a stored state is not one of these settings.
    pub fn observe_label(&mut self, label: &Label) -> Result<(), Error> {
        self.state.observe_label(&self.settings, label)
    }

    /// Looks at everything, asks the policies, and does what they allow. Call it every so often: hourly, say.
    ///
    /// # Errors
    ///
    /// What a component reports. Nothing is lost: the next call sees the same state and tries again.
    ///
    /// [`Fenced`](ErrorKind::Fenced) is for good: a newer holder of the lease has acted. The training under way is given up, this and every
    /// later call does nothing, and what answers stays what it was. Drop the controller, acquire the lease, and
    /// [`resume`](Self::resume) from the newest saved state.
    pub async fn reconcile(&mut self, now: Timestamp) -> Result<Vec<Acted>, Error> {
        if self.fenced {
            let message = "a newer holder of the lease has acted; resume from the newest saved state with a lease of your own";
            return Err(Error::new(ErrorKind::Fenced, "reconcile", message)
                .with("token", self.components.token));
        }
        if self.state.reconciled == Some(now) {
            return Ok(Vec::new());
        }
        let mut acted = std::mem::take(&mut self.acted);
        let stepped = self.steps(now, &mut acted).await;
        if matches!(&stepped, Err(error) if error.kind() == ErrorKind::Fenced) {
            self.stop();
        }
        self.tell_people().await;
        match stepped {
            Ok(()) => {
                self.state.reconciled = Some(now);
                Ok(acted)
            }
            Err(error) => {
                // What was done before the failure is reported with the next success.
                self.acted = acted;
                Err(error)
            }
        }
    }

    /// Ends all acting: from here on it is for the newer holder of the lease.
    fn stop(&mut self) {
        self.fenced = true;
        if let Some(training) = self.training.take() {
            training.abort();
        }
    }

    async fn steps(&mut self, now: Timestamp, acted: &mut Vec<Acted>) -> Result<(), Error> {
        self.state.close_blocks(&self.settings, now);
        self.watch_inputs(now, acted).await?;
        self.collect_training(now, acted).await?;
        self.find_candidate(now, acted).await?;
        self.step_rollout(now, acted).await?;
        self.retrain_when_harmed(now, acted).await?;
        self.escalate(now, acted).await
    }

    /// Asks whether an action may be taken now; if so, writes the decision down before anything is done. What is done then is
    /// to be told to [`done`](Self::done): an attempt that failed does not count as one, and is tried again.
    pub(super) async fn may(
        &mut self,
        action: Action,
        question: Question<'_>,
        acted: &mut Vec<Acted>,
    ) -> Result<Permit, Error> {
        let now = question.now;
        let decision = self.policies.decide(action, question.book.facts(), now);
        if !decision.is_allowed() {
            return Ok(Permit::Denied(Box::new(decision)));
        }
        let target = self.settings.model.as_str();
        if self.state.governor.check(action, target, now).is_err() {
            return Ok(Permit::Held);
        }
        let because = [decision.explain(), question.detail]
            .join(" ")
            .trim_end()
            .to_owned();
        let entry = Entry {
            subject: question.subject.clone(),
            decision,
            facts: question.book.facts().to_record(),
            evidence: question.evidence,
            because: because.clone(),
        };
        self.write_down(&entry).await?;
        acted.push(Acted {
            at: now,
            action,
            allowed: true,
            subject: question.subject,
            because,
        });
        Ok(Permit::Granted)
    }

    /// Counts an action against the limits of the governor.
    pub(super) fn done(&mut self, action: Action, now: Timestamp) {
        self.state
            .governor
            .record(action, self.settings.model.as_str(), now);
    }

    /// Appends an entry, and remembers how far the log has come.
    pub(super) async fn write_down(&mut self, entry: &Entry) -> Result<(), Error> {
        let appended =
            journal::append_entry(self.components.audit.as_ref(), entry, self.components.token)
                .await?;
        self.state.written = self.state.written.max(appended.sequence);
        Ok(())
    }

    /// The facts of this moment.
    pub(super) fn book(&self, now: Timestamp) -> Result<FactBook, Error> {
        let mut book = FactBook::new(self.policies.schema(), now);
        book.state(&self.state)?;
        Ok(book)
    }

    pub(super) async fn load(&self, version: ModelVersion) -> Result<Arc<ServedModel>, Error> {
        candidate::load(
            version,
            self.components.artifacts.as_ref(),
            self.components.loader.as_ref(),
        )
        .await
    }
}

/// The answer to a question.
#[derive(Debug)]
pub(super) enum Permit {
    /// The policies allow it, the governor does too, and it is written down.
    Granted,
    /// The policies do not allow it.
    Denied(Box<Decision>),
    /// The policies allow it, but the governor says: not so often.
    Held,
}

impl Permit {
    pub(super) fn is_granted(&self) -> bool {
        matches!(self, Self::Granted)
    }
}

/// What is asked of the policies.
#[derive(Debug)]
pub(super) struct Question<'a> {
    pub(super) now: Timestamp,
    pub(super) book: &'a FactBook,
    pub(super) subject: Subject,
    pub(super) evidence: Option<Evidence>,
    /// What the evidence says, for a person; may be empty.
    pub(super) detail: String,
}

impl<'a> Question<'a> {
    /// A question that the facts say everything about.
    pub(super) fn new(now: Timestamp, book: &'a FactBook, subject: Subject) -> Self {
        Self {
            now,
            book,
            subject,
            evidence: None,
            detail: String::new(),
        }
    }
}

/// Whether an error says nothing about what was being done: a dependency failed, or this controller may no longer act.
pub(super) fn leaves_open(error: &Error) -> bool {
    error.is_retryable() || error.kind() == ErrorKind::Fenced
}

pub(super) fn training_lost(gone: tokio::task::JoinError) -> Error {
    Error::new(
        ErrorKind::Unavailable,
        "train a candidate",
        "the training task ended without a result",
    )
    .caused_by(gone)
}
