//! The controller: what it is made of, how it begins, what it is shown, and when it thinks.

use std::sync::Arc;

use arrow_array::RecordBatch;
use jiff::Timestamp;
use noops_core::{
    Alias, AliasMove, ArtifactStore, AuditLog, Clock, Digest, Error, ErrorKind, Label, ModelLoader,
    ModelRegistry, ModelVersion, Notification, Notifier, Severity, TrainedModel, Trainer,
    TrainingRequest,
};
use noops_drift::QualityGate;
use noops_policy::{Action, Decision, Governor, PolicyError, PolicySet};
use tokio::task::JoinHandle;

use super::candidate::{self, Candidate};
use super::facts::{FactBook, fact_schema};
use super::journal::{self, Entry, Evidence, PolicyDocument, Start, Subject};
use super::reference::{Reference, quality_gate};
use super::settings::ControlSettings;
use super::state::{Champion, ControlState, live_share};
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
    acted: Vec<Acted>,
    /// How a training ended that was waited for.
    pub(super) outcome: Option<Result<TrainedModel, Error>>,
    /// A training that is done, until what came of it is safely in the registry or refused.
    pub(super) trained: Option<TrainedModel>,
}

impl Controller {
    /// Trains the first version, measures it, and puts it into service if the policies let it in.
    ///
    /// # Errors
    ///
    /// `Invalid` when a policy does not load or refuses the first version; otherwise what a component reports. Nothing is
    /// registered or written down unless the policies load.
    pub async fn bootstrap(
        components: Components,
        settings: ControlSettings,
        first: &TrainingRequest,
    ) -> Result<(Self, Vec<Acted>), Error> {
        let policies = load_policies(&components.policies)?;
        let start = Start {
            policies: components.policies.clone(),
            facts: policies.schema().clone(),
            settings: settings.clone(),
        };
        // An earlier attempt to begin that was cut off is gone on with, as of its own time.
        let now =
            journal::append_start(components.audit.as_ref(), &start, first.snapshot_at).await?;
        let first = TrainingRequest {
            snapshot_at: now,
            ..first.clone()
        };

        let trained = components.trainer.train(&first).await?;
        let candidate = Candidate::measure(
            &trained,
            None,
            components.artifacts.as_ref(),
            components.loader.as_ref(),
            &settings,
            now,
        )
        .await?;
        let mut book = FactBook::new(policies.schema(), now);
        book.trained(&candidate)?;
        let decision = policies.decide(Action::Register, book.facts(), now);
        let because = decision.explain();
        let subject = Subject::Candidate {
            digest: candidate.digest(),
        };
        let mut governor = Governor::new(settings.governor.clone());
        let target = settings.model.as_str();
        let allowed =
            decision.is_allowed() && governor.check(Action::Register, target, now).is_ok();
        let entry = Entry {
            subject: subject.clone(),
            decision,
            facts: book.facts().to_record(),
            evidence: None,
            because: because.clone(),
        };
        let written = journal::append_entry(components.audit.as_ref(), &entry)
            .await?
            .sequence;
        if !allowed {
            return Err(Error::new(
                ErrorKind::Invalid,
                "start with the first version",
                because,
            ));
        }

        let version = components.registry.register(candidate.registration).await?;
        point_champion(
            components.registry.as_ref(),
            &settings,
            None,
            version.digest(),
            now,
        )
        .await?;
        let reference = Reference::of(&version)?;
        let champion = Champion {
            digest: version.digest(),
            number: version.number(),
            since: now,
            mean_score: reference.mean_score,
        };
        governor.record(Action::Register, target, now);
        let mut state = ControlState::new(policies.digest(), champion, &reference, &settings, now)?;
        (state.governor, state.written) = (governor, written);
        let controller = Self::assemble(components, settings, policies, state).await?;
        Ok((
            controller,
            vec![Acted {
                at: now,
                action: Action::Register,
                allowed,
                subject,
                because,
            }],
        ))
    }

    /// Goes on from a saved state at `now`: the present, or for a replay the time up to which events were shown before the state
    /// was saved. What the audit log says was done since the save and up to `now` counts against the limits of the governor.
    ///
    /// # Errors
    ///
    /// `Conflict` when the policies or the settings are not those the state was made under; otherwise what a component reports.
    pub async fn resume(
        components: Components,
        settings: ControlSettings,
        mut state: ControlState,
        now: Timestamp,
    ) -> Result<Self, Error> {
        let policies = load_policies(&components.policies)?;
        if policies.digest() != state.policies {
            return Err(Error::new(
                ErrorKind::Conflict,
                "resume",
                "the policies have changed since this run began",
            ));
        }
        if Digest::of_json(&settings) != state.settings {
            return Err(Error::new(
                ErrorKind::Conflict,
                "resume",
                "the settings have changed since this run began",
            ));
        }
        Self::remember_what_was_done(&components, &settings, &mut state, now).await?;
        Self::put_alias_back(&components, &settings, &mut state).await?;
        Self::assemble(components, settings, policies, state).await
    }

    /// After a crash the log may know of more than the state does.
    async fn remember_what_was_done(
        components: &Components,
        settings: &ControlSettings,
        state: &mut ControlState,
        now: Timestamp,
    ) -> Result<(), Error> {
        for entry in components.audit.entries().await? {
            if entry.sequence <= state.written || entry.record.at > now {
                continue;
            }
            let entry = journal::read_entry(&entry)?;
            if entry.decision.is_allowed() {
                state.governor.record(
                    entry.decision.action(),
                    settings.model.as_str(),
                    entry.decision.at(),
                );
            }
        }
        Ok(())
    }

    /// A crash may have come between the move of the alias and the next save, or somebody has moved it: the state decides, and
    /// people are told.
    async fn put_alias_back(
        components: &Components,
        settings: &ControlSettings,
        state: &mut ControlState,
    ) -> Result<(), Error> {
        let registry = components.registry.as_ref();
        let (champion, elsewhere) = (
            state.champion.clone(),
            champion_alias(registry, settings).await?,
        );
        if elsewhere == Some(champion.digest) {
            return Ok(());
        }
        point_champion(
            registry,
            settings,
            elsewhere,
            champion.digest,
            champion.since,
        )
        .await?;
        let title = format!(
            "the champion alias was moved back to version {}",
            champion.number
        );
        let body = "it pointed elsewhere when the controller resumed".to_owned();
        let key = format!("{}/{}/alias", settings.model, champion.since);
        state.untold.push(Notification {
            key,
            severity: Severity::Ticket,
            title,
            body,
            at: champion.since,
        });
        Ok(())
    }

    async fn assemble(
        components: Components,
        settings: ControlSettings,
        policies: PolicySet,
        state: ControlState,
    ) -> Result<Self, Error> {
        let champion = load_version(&components, &settings, &state.champion.digest).await?;
        let reference = Reference::of(champion.version())?;
        let gate = quality_gate(&reference, &settings)?;
        let deployment = Arc::new(Deployment::new(
            champion,
            components.clock.clone(),
            &components.deployment,
        ));
        if let Some(experiment) = &state.experiment {
            let challenger = load_version(&components, &settings, &experiment.candidate).await?;
            deployment.challenge(challenger, experiment.salt(), live_share(Some(experiment)));
        }
        let mut controller = Self {
            components,
            settings,
            policies,
            state,
            reference,
            gate,
            deployment,
            training: None,
            acted: Vec::new(),
            outcome: None,
            trained: None,
        };
        controller.continue_training();
        Ok(controller)
    }

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
    pub fn observe_label(&mut self, label: &Label) {
        self.state.observe_label(&self.settings, label);
    }

    /// Looks at everything, asks the policies, and does what they allow. Call it every so often: hourly, say.
    ///
    /// # Errors
    ///
    /// What a component reports. Nothing is lost: the next call sees the same state and tries again.
    pub async fn reconcile(&mut self, now: Timestamp) -> Result<Vec<Acted>, Error> {
        if self.state.reconciled == Some(now) {
            return Ok(Vec::new());
        }
        let mut acted = std::mem::take(&mut self.acted);
        let stepped = self.steps(now, &mut acted).await;
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
        let appended = journal::append_entry(self.components.audit.as_ref(), entry).await?;
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

pub(super) fn training_lost(gone: tokio::task::JoinError) -> Error {
    Error::new(
        ErrorKind::Unavailable,
        "train a candidate",
        "the training task ended without a result",
    )
    .caused_by(gone)
}

fn load_policies(documents: &[PolicyDocument]) -> Result<PolicySet, Error> {
    let refused =
        |error: PolicyError| Error::new(ErrorKind::Invalid, "load the policies", error.to_string());
    let documents: Vec<(&str, &str)> = documents
        .iter()
        .map(|document| (document.source.as_str(), document.text.as_str()))
        .collect();
    let policies =
        PolicySet::load(&documents, &fact_schema().map_err(refused)?).map_err(refused)?;
    match policies.run_tests().first() {
        None => Ok(policies),
        Some(failure) => Err(Error::new(
            ErrorKind::Invalid,
            "load the policies",
            failure.to_string(),
        )),
    }
}

async fn load_version(
    components: &Components,
    settings: &ControlSettings,
    digest: &Digest,
) -> Result<Arc<ServedModel>, Error> {
    let version = components.registry.version(&settings.model, digest).await?;
    candidate::load(
        version,
        components.artifacts.as_ref(),
        components.loader.as_ref(),
    )
    .await
}

/// Makes the champion alias point at a version, if it does not already. It must point at `from`: a move by somebody else is a
/// `Conflict`, and is not overwritten.
pub(super) async fn point_champion(
    registry: &dyn ModelRegistry,
    settings: &ControlSettings,
    from: Option<Digest>,
    to: Digest,
    at: Timestamp,
) -> Result<(), Error> {
    if champion_alias(registry, settings).await? == Some(to) {
        return Ok(());
    }
    let change = AliasMove {
        alias: Alias::champion(),
        from,
        to,
        at,
    };
    registry.move_alias(&settings.model, &change).await
}

/// Where the champion alias points.
async fn champion_alias(
    registry: &dyn ModelRegistry,
    settings: &ControlSettings,
) -> Result<Option<Digest>, Error> {
    let history = registry
        .alias_history(&settings.model, &Alias::champion())
        .await?;
    Ok(history.last().map(|target| target.digest))
}
