//! The steps of a reconciliation, in the order they are taken.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use noops_canary::{Stage, Transition};
use noops_core::{
    Error, ModelVersion, Notification, Severity, TimeSpan, TrainedModel, TrainingRequest,
};
use noops_drift::{Counts, GateVerdict};
use noops_policy::Action;

use super::candidate::{Candidate, Offline};
use super::controller::{Acted, Controller, Question, point_champion};
use super::experiment::Experiment;
use super::journal::{self, Entry, Evidence, Subject};
use super::reference::{Reference, quality_gate};
use super::state::{Champion, DriftWindow, Service, TrainingJob, harm_monitor};
use super::watch::{BatchEnd, before};
use crate::runtime::ServedModel;

impl Controller {
    /// Judges the batch of inputs: puts broken ones into quarantine, and ends the quarantine when they are whole again.
    pub(super) async fn watch_inputs(
        &mut self,
        now: Timestamp,
        acted: &mut Vec<Acted>,
    ) -> Result<(), Error> {
        let end = self
            .state
            .judge_batch(&self.reference, &self.gate, &self.settings, now)?;
        if self.state.gate.quarantined_since.is_none() {
            let since = self.state.gate.batch_since;
            let book = self.book(now)?;
            let question = Question {
                detail: self.violations(),
                ..Question::new(now, &book, Subject::Inputs { since })
            };
            if self.may(Action::Quarantine, question, acted).await? {
                self.state.gate.quarantined_since = Some(since);
                self.state.gate.healthy_batches = 0;
                self.tell(
                    Severity::Ticket,
                    "inputs are in quarantine",
                    self.violations(),
                    now,
                )
                .await?;
            }
        }
        if end == BatchEnd::Over {
            self.state
                .measure_drift(&self.reference, &self.settings, now)?;
            self.end_batch(now, acted).await?;
        }
        Ok(())
    }

    async fn end_batch(&mut self, now: Timestamp, acted: &mut Vec<Acted>) -> Result<(), Error> {
        let gate = &mut self.state.gate;
        let passed = gate
            .report
            .as_ref()
            .is_some_and(|report| report.verdict() == GateVerdict::Pass);
        if let Some(since) = gate.quarantined_since {
            if passed {
                gate.healthy_batches += 1;
            } else {
                gate.healthy_batches = 0;
                gate.spans.push(TimeSpan {
                    from: gate.batch_since,
                    until: now,
                });
                gate.rows_quarantined += gate.counts.rows();
            }
            let book = self.book(now)?;
            let question = Question::new(now, &book, Subject::Inputs { since });
            if self.may(Action::Release, question, acted).await? {
                self.state.gate.quarantined_since = None;
            }
        }
        self.state.gate.counts = Counts::new(&self.reference.inputs);
        self.state.gate.report = None;
        self.state.gate.batch_since = now;
        self.state.service = Service::default();
        Ok(())
    }

    /// Takes a finished training, measures the candidate against the champion, and registers it if the policies let it in.
    pub(super) async fn collect_training(
        &mut self,
        now: Timestamp,
        acted: &mut Vec<Acted>,
    ) -> Result<(), Error> {
        let Some(job) = self
            .state
            .training
            .clone()
            .filter(|job| job.ready_at <= now)
        else {
            return Ok(());
        };
        self.continue_training();
        let Some(handle) = &mut self.training else {
            return Ok(());
        };
        let finished = handle.await;
        self.training = None;
        self.state.training = None;
        let candidate = match finished.unwrap_or_else(|gone| Err(training_lost(gone))) {
            Ok(trained) => self.measure(trained, now).await,
            Err(error) => Err(error),
        };
        match candidate {
            Ok(candidate) => self.admit(candidate, now, acted).await,
            Err(error) => {
                self.state.failed_candidates += 1;
                self.tell(
                    Severity::Ticket,
                    &format!("training {} failed", job.request.run),
                    error.to_string(),
                    now,
                )
                .await
            }
        }
    }

    async fn measure(&self, trained: TrainedModel, now: Timestamp) -> Result<Candidate, Error> {
        let champion = self.deployment.champion();
        let (artifacts, loader) = (
            self.components.artifacts.as_ref(),
            self.components.loader.as_ref(),
        );
        Candidate::measure(
            trained,
            Some(&champion),
            artifacts,
            loader,
            &self.settings,
            now,
        )
        .await
    }

    async fn admit(
        &mut self,
        candidate: Candidate,
        now: Timestamp,
        acted: &mut Vec<Acted>,
    ) -> Result<(), Error> {
        let mut book = self.book(now)?;
        book.candidate(
            candidate.metric("auc"),
            candidate.metric("brier"),
            &candidate.offline,
        )?;
        let subject = Subject::Candidate {
            digest: candidate.digest(),
        };
        let question = Question::new(now, &book, subject.clone());
        if self.may(Action::Register, question, acted).await? {
            self.components
                .registry
                .register(candidate.registration)
                .await?;
            // What was just registered need not wait for the next poll.
            self.state.registry_seen = Timestamp::MIN;
            return Ok(());
        }
        let decision = self.policies.decide(Action::Register, book.facts(), now);
        let because = decision.explain();
        let entry = Entry {
            subject: subject.clone(),
            decision,
            facts: book.facts().to_record(),
            evidence: None,
            because: because.clone(),
        };
        journal::append_entry(self.components.audit.as_ref(), &entry).await?;
        self.state.ended.insert(candidate.digest());
        self.state.failed_candidates += 1;
        acted.push(Acted {
            at: now,
            action: Action::Register,
            allowed: false,
            subject,
            because,
        });
        Ok(())
    }

    /// Takes the newest version that has not been tried, whoever registered it, into shadow.
    pub(super) async fn find_candidate(
        &mut self,
        now: Timestamp,
        acted: &mut Vec<Acted>,
    ) -> Result<(), Error> {
        if self.state.experiment.is_some()
            || self.state.registry_seen > before(now, self.settings.registry_poll)
        {
            return Ok(());
        }
        self.state.registry_seen = now;
        let versions = self
            .components
            .registry
            .versions(&self.settings.model)
            .await?;
        let untried = |version: &ModelVersion| {
            // A version from the future is the work of a clock that is ahead, or of a run that was cut off after this moment.
            let registered = version.registration().registered_at <= now;
            registered
                && version.number() > self.state.champion.number
                && !self.state.ended.contains(&version.digest())
        };
        let Some(version) = versions.into_iter().rev().find(untried) else {
            return Ok(());
        };
        let metric = |name: &str| version.registration().metrics.get(name).copied();
        let mut book = self.book(now)?;
        book.candidate(metric("auc"), metric("brier"), &Offline::NotCompared)?;
        let subject = Subject::Version {
            number: version.number(),
            digest: version.digest(),
        };
        let question = Question::new(now, &book, subject);
        if self.may(Action::Shadow, question, acted).await? {
            self.start_experiment(version, now).await?;
        }
        Ok(())
    }

    async fn start_experiment(
        &mut self,
        version: ModelVersion,
        now: Timestamp,
    ) -> Result<(), Error> {
        let (number, digest) = (version.number(), version.digest());
        let loaded = match Reference::of(&version) {
            Ok(_) => self.load(version).await,
            Err(error) => Err(error),
        };
        match loaded {
            Ok(model) => {
                let experiment = Experiment::start(
                    digest,
                    number,
                    self.settings.rollout.clone(),
                    self.settings.judge,
                    now,
                )?;
                self.deployment
                    .challenge(model, experiment.salt(), experiment.rollout.share());
                self.state.experiment = Some(experiment);
                Ok(())
            }
            Err(error) if error.is_retryable() => Err(error),
            Err(error) => {
                self.state.ended.insert(digest);
                self.state.failed_candidates += 1;
                self.tell(
                    Severity::Ticket,
                    &format!("version {number} cannot be served"),
                    error.to_string(),
                    now,
                )
                .await
            }
        }
    }

    /// Asks the rollout what it would do next, and does it if the policies agree.
    pub(super) async fn step_rollout(
        &mut self,
        now: Timestamp,
        acted: &mut Vec<Acted>,
    ) -> Result<(), Error> {
        let Some(experiment) = &mut self.state.experiment else {
            return Ok(());
        };
        let judgement = experiment.judge.verdict();
        let rollout = experiment.rollout.clone();
        let proposal = experiment.rollout.step(now, &judgement);
        let Some(transition) = proposal else {
            return Ok(());
        };
        let evidence = Evidence {
            rollout,
            judge: experiment.judge.clone(),
            proposal,
        };
        let subject = Subject::Version {
            number: experiment.number,
            digest: experiment.candidate,
        };
        let stage = experiment.stage();
        let mut book = self.book(now)?;
        book.rollout(stage, &judgement, proposal)?;
        let action = match transition {
            Transition::Advance { .. } => Action::Ramp,
            Transition::Promote => Action::Promote,
            Transition::RollBack { .. } => Action::Rollback,
        };
        let question = Question {
            evidence: Some(evidence),
            detail: judgement.explain(),
            ..Question::new(now, &book, subject)
        };
        if !self.may(action, question, acted).await? {
            return Ok(());
        }
        match transition {
            Transition::Advance { .. } => self.ramp(transition, now),
            Transition::Promote => self.promote(now).await,
            Transition::RollBack { .. } => self.roll_back(judgement.explain(), now).await,
        }
    }

    fn ramp(&mut self, transition: Transition, now: Timestamp) -> Result<(), Error> {
        if let (Some(experiment), Some(model)) =
            (&mut self.state.experiment, self.deployment.challenger())
        {
            let stage: Stage = experiment.rollout.apply(now, transition);
            self.deployment
                .challenge(model, experiment.salt(), stage.share());
        }
        Ok(())
    }

    async fn promote(&mut self, now: Timestamp) -> Result<(), Error> {
        let Some(model) = self.deployment.challenger() else {
            return Ok(());
        };
        point_champion(
            self.components.registry.as_ref(),
            &self.settings,
            model.digest(),
            now,
        )
        .await?;
        self.deployment.crown(model.clone());
        self.state.experiment = None;
        self.state.failed_candidates = 0;
        self.enthrone(&model, now)
    }

    /// Measures everything against the new champion from here on.
    fn enthrone(&mut self, model: &Arc<ServedModel>, now: Timestamp) -> Result<(), Error> {
        let reference = Reference::of(model.version())?;
        self.gate = quality_gate(&reference, &self.settings)?;
        self.state.champion = Champion {
            digest: model.digest(),
            number: model.version().number(),
            since: now,
            mean_score: reference.mean_score,
        };
        self.state.harm = harm_monitor(&self.settings, reference.mean_score)?;
        self.state.drift = DriftWindow::new(&reference);
        self.state.gate.counts = Counts::new(&reference.inputs);
        // Predictions of the old champion that still wait for a label say nothing about the new one.
        for awaited in self.state.awaiting.values_mut() {
            awaited.champion = None;
            awaited.challenger = None;
        }
        self.reference = reference;
        Ok(())
    }

    async fn roll_back(&mut self, because: String, now: Timestamp) -> Result<(), Error> {
        let Some(experiment) = self.state.experiment.take() else {
            return Ok(());
        };
        self.deployment.withdraw();
        self.state.ended.insert(experiment.candidate);
        self.state.failed_candidates += 1;
        self.tell(
            Severity::Ticket,
            &format!("version {} was rolled back", experiment.number),
            because,
            now,
        )
        .await
    }

    /// Starts a training when the policies want one.
    pub(super) async fn retrain_when_harmed(
        &mut self,
        now: Timestamp,
        acted: &mut Vec<Acted>,
    ) -> Result<(), Error> {
        if self.state.training.is_some() {
            return Ok(());
        }
        let run = format!("{}-{}", self.settings.model, self.state.trainings + 1);
        let book = self.book(now)?;
        let question = Question::new(now, &book, Subject::Run { name: run.clone() });
        if !self.may(Action::Retrain, question, acted).await? {
            return Ok(());
        }
        let gate = &self.state.gate;
        // What has not passed the gate yet is not learned from either.
        let unjudged = TimeSpan {
            from: gate.batch_since,
            until: Timestamp::MAX,
        };
        let quarantined = gate.spans.iter().copied().chain([unjudged]).collect();
        let request = TrainingRequest {
            run,
            snapshot_at: now,
            parent: Some(self.state.champion.digest),
            quarantined,
        };
        let takes = SignedDuration::try_from(self.components.trainer.expected_duration())
            .unwrap_or(SignedDuration::MAX);
        let ready_at = now.checked_add(takes).unwrap_or(Timestamp::MAX);
        self.state.training = Some(TrainingJob { request, ready_at });
        self.state.trainings += 1;
        self.state.last_training = now;
        self.continue_training();
        Ok(())
    }

    /// Runs the training the state speaks of, in a task of its own, unless it runs already.
    pub(super) fn continue_training(&mut self) {
        if let (Some(job), None) = (&self.state.training, &self.training) {
            let (trainer, request) = (self.components.trainer.clone(), job.request.clone());
            self.training = Some(tokio::spawn(async move { trainer.train(&request).await }));
        }
    }

    /// Calls a person when the policies say that automation has come to its end.
    pub(super) async fn escalate(
        &mut self,
        now: Timestamp,
        acted: &mut Vec<Acted>,
    ) -> Result<(), Error> {
        let book = self.book(now)?;
        let question = Question::new(now, &book, Subject::Automation);
        if self.may(Action::Escalate, question, acted).await? {
            let body = acted
                .last()
                .map(|act| act.because.clone())
                .unwrap_or_default();
            self.tell(Severity::Page, "automation needs a person", body, now)
                .await?;
        }
        Ok(())
    }

    fn violations(&self) -> String {
        let violations = self
            .state
            .gate
            .report
            .iter()
            .flat_map(|report| report.violations());
        violations
            .map(ToString::to_string)
            .collect::<Vec<_>>()
            .join("; ")
    }

    async fn tell(
        &self,
        severity: Severity,
        title: &str,
        body: String,
        now: Timestamp,
    ) -> Result<(), Error> {
        let notification = Notification {
            key: format!("{}/{now}/{title}", self.settings.model),
            severity,
            title: title.to_owned(),
            body,
            at: now,
        };
        self.components.notifier.notify(&notification).await
    }
}

fn training_lost(gone: tokio::task::JoinError) -> Error {
    Error::new(
        noops_core::ErrorKind::Unavailable,
        "train a candidate",
        "the training task ended without a result",
    )
    .caused_by(gone)
}
