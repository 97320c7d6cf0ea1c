//! The steps of a reconciliation, in the order they are taken.

use jiff::{SignedDuration, Timestamp};
use noops_canary::{Judgement, Stage, Transition};
use noops_core::{
    Error, ErrorKind, ModelVersion, Notification, Severity, TimeSpan, TrainedModel, TrainingRequest,
};
use noops_drift::{Counts, GateVerdict};
use noops_policy::Action;

use super::candidate::{Candidate, Offline};
use super::controller::{Acted, Controller, Permit, Question, point_champion, training_lost};
use super::experiment::Experiment;
use super::journal::{self, Entry, Evidence, Subject};
use super::reference::{Reference, quality_gate};
use super::state::{Champion, DriftWindow, Service, TrainingJob, harm_monitor};
use super::watch::{BatchEnd, before, block};

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
            if self
                .may(Action::Quarantine, question, acted)
                .await?
                .is_granted()
            {
                self.state.gate.quarantined_since = Some(since);
                self.state.gate.healthy_batches = 0;
                let violations = self.violations();
                self.tell(
                    Severity::Ticket,
                    "inputs are in quarantine".to_owned(),
                    violations,
                    now,
                );
                self.discard_open_evidence(since);
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
            // The batch that began the quarantine holds the broken rows, however few they turned out to be in the end.
            if passed && since != gate.batch_since {
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
            if self
                .may(Action::Release, question, acted)
                .await?
                .is_granted()
            {
                self.state.gate.quarantined_since = None;
            }
        }
        self.state.gate.counts = Counts::new(&self.reference.inputs);
        self.state.gate.report = None;
        self.state.gate.batch_since = now;
        self.state.service = Service::default();
        Ok(())
    }

    /// Takes a training that is done and due, measures the candidate against the champion, and registers it if the policies
    /// let it in. Until then the result is kept: what fails on the way is tried again next time.
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
        if self.trained.is_none() {
            let Some(outcome) = self.training_outcome().await else {
                return Ok(());
            };
            match outcome {
                Ok(trained) => self.trained = Some(trained),
                Err(error) => return self.give_up_training(&job, &error, now),
            }
        }
        match self.measure(&job).await {
            Ok(candidate) if self.is_known(&candidate) => {
                let error = Error::new(
                    ErrorKind::Invalid,
                    "admit a candidate",
                    "the training gave a version that was tried before",
                );
                return self.give_up_training(&job, &error, now);
            }
            Ok(candidate) => self.admit(candidate, now, acted).await?,
            Err(error) if error.is_retryable() => return Err(error),
            Err(error) => return self.give_up_training(&job, &error, now),
        }
        self.trained = None;
        self.state.training = None;
        Ok(())
    }

    /// How the training under way has ended, if it has.
    async fn training_outcome(&mut self) -> Option<Result<TrainedModel, Error>> {
        if self.outcome.is_some() {
            return self.outcome.take();
        }
        self.continue_training();
        let handle = self.training.take_if(|handle| handle.is_finished())?;
        Some(handle.await.unwrap_or_else(|gone| Err(training_lost(gone))))
    }

    fn give_up_training(
        &mut self,
        job: &TrainingJob,
        error: &Error,
        now: Timestamp,
    ) -> Result<(), Error> {
        self.trained = None;
        self.state.training = None;
        self.state.failed_candidates += 1;
        self.tell(
            Severity::Ticket,
            format!("training {} failed", job.request.run),
            error.to_string(),
            now,
        );
        Ok(())
    }

    fn is_known(&self, candidate: &Candidate) -> bool {
        let digest = candidate.digest();
        digest == self.state.champion.digest || self.state.ended.contains(&digest)
    }

    async fn measure(&self, job: &TrainingJob) -> Result<Candidate, Error> {
        let trained = self.trained.as_ref().ok_or_else(|| nothing_trained(job))?;
        let champion = self.deployment.champion();
        let (artifacts, loader) = (
            self.components.artifacts.as_ref(),
            self.components.loader.as_ref(),
        );
        // Dated by the job and not by this attempt, so that a second attempt registers the same.
        Candidate::measure(
            trained,
            Some(&champion),
            artifacts,
            loader,
            &self.settings,
            job.ready_at,
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
        let decision = match self.may(Action::Register, question, acted).await? {
            Permit::Granted => {
                self.components
                    .registry
                    .register(candidate.registration)
                    .await?;
                // What was just registered need not wait for the next poll.
                self.state.registry_seen = Timestamp::MIN;
                return Ok(());
            }
            Permit::Held => {
                let title = format!("{subject} is held back");
                self.tell(
                    Severity::Ticket,
                    title,
                    "too many registrations".to_owned(),
                    now,
                );
                return Ok(());
            }
            Permit::Denied(decision) => *decision,
        };
        let because = decision.explain();
        let facts = book.facts().to_record();
        let entry = Entry {
            subject: subject.clone(),
            decision,
            facts,
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

    /// Takes the oldest version that has not been tried and that the policies allow, whoever registered it, into shadow.
    pub(super) async fn find_candidate(
        &mut self,
        now: Timestamp,
        acted: &mut Vec<Acted>,
    ) -> Result<(), Error> {
        let polled = self.state.registry_seen > before(now, self.settings.registry_poll);
        if self.state.experiment.is_some() || polled {
            return Ok(());
        }
        let versions = self
            .components
            .registry
            .versions(&self.settings.model)
            .await?;
        self.state.registry_seen = now;
        for version in versions {
            // A version from the future is the work of a clock that is ahead, or of a run that was cut off after this moment.
            let registered = version.registration().registered_at <= now;
            let newer = version.number() > self.state.champion.number;
            if !registered || !newer || self.state.ended.contains(&version.digest()) {
                continue;
            }
            let metric = |name: &str| version.registration().metrics.get(name).copied();
            let mut book = self.book(now)?;
            book.candidate(metric("auc"), metric("brier"), &Offline::NotCompared)?;
            let subject = Subject::Version {
                number: version.number(),
                digest: version.digest(),
            };
            let question = Question::new(now, &book, subject);
            if self
                .may(Action::Shadow, question, acted)
                .await?
                .is_granted()
            {
                return self.start_experiment(version, now).await;
            }
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
                    format!("version {number} cannot be served"),
                    error.to_string(),
                    now,
                );
                Ok(())
            }
        }
    }

    /// Asks the rollout what it would do next, and does it if the policies agree.
    pub(super) async fn step_rollout(
        &mut self,
        now: Timestamp,
        acted: &mut Vec<Acted>,
    ) -> Result<(), Error> {
        let Some(experiment) = &self.state.experiment else {
            return Ok(());
        };
        let judgement = experiment.judge.verdict();
        let proposal = experiment.rollout.step(now, &judgement);
        let Some(transition) = proposal else {
            return Ok(());
        };
        let (rollout, judge) = (experiment.rollout.clone(), experiment.judge.clone());
        let evidence = Evidence {
            rollout,
            judge,
            proposal,
        };
        let subject = Subject::Version {
            number: experiment.number,
            digest: experiment.candidate,
        };
        let stage = experiment.stage();
        let mut book = self.book(now)?;
        book.rollout(stage, &judgement, proposal)?;
        let action = action_of(transition);
        let question = Question {
            evidence: Some(evidence),
            detail: judgement.explain(),
            ..Question::new(now, &book, subject)
        };
        if !self.may(action, question, acted).await?.is_granted() {
            return Ok(());
        }
        match transition {
            Transition::Advance { .. } => self.ramp(transition, &judgement, now),
            Transition::Promote => self.promote(now).await?,
            Transition::RollBack { .. } => self.roll_back(judgement.explain(), now),
        }
        Ok(())
    }

    fn ramp(&mut self, transition: Transition, judgement: &Judgement, now: Timestamp) {
        if let (Some(experiment), Some(model)) =
            (&mut self.state.experiment, self.deployment.challenger())
        {
            let stage: Stage = experiment.rollout.apply(now, transition, judgement);
            self.deployment
                .challenge(model, experiment.salt(), stage.share());
        }
    }

    async fn promote(&mut self, now: Timestamp) -> Result<(), Error> {
        let Some(model) = self.deployment.challenger() else {
            return Ok(());
        };
        // What can fail comes first, so that a failure leaves everything as it was.
        let reference = Reference::of(model.version())?;
        let gate = quality_gate(&reference, &self.settings)?;
        let harm = harm_monitor(&self.settings, reference.mean_score)?;
        point_champion(
            self.components.registry.as_ref(),
            &self.settings,
            Some(self.state.champion.digest),
            model.digest(),
            now,
        )
        .await?;

        self.deployment.crown(model.clone());
        self.state.experiment = None;
        self.state.failed_candidates = 0;
        self.state.champion = Champion {
            digest: model.digest(),
            number: model.version().number(),
            since: now,
            mean_score: reference.mean_score,
        };
        // Everything is measured against the new champion from here on. The open batch has passed the gate so far: nothing is
        // promoted while it fails.
        self.state.harm = harm;
        self.state.drift = DriftWindow::new(&reference);
        self.state.gate.counts = Counts::new(&reference.inputs);
        self.gate = gate;
        self.reference = reference;
        // Predictions of the old champion that still wait for a label say nothing about the new one.
        for awaited in self.state.awaiting.values_mut() {
            awaited.champion = None;
            awaited.challenger = None;
        }
        Ok(())
    }

    fn roll_back(&mut self, because: String, now: Timestamp) {
        let Some(experiment) = self.state.experiment.take() else {
            return;
        };
        self.deployment.withdraw();
        self.state.ended.insert(experiment.candidate);
        self.state.failed_candidates += 1;
        let title = format!("version {} was rolled back", experiment.number);
        self.tell(Severity::Ticket, title, because, now);
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
        if !self
            .may(Action::Retrain, question, acted)
            .await?
            .is_granted()
        {
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
        if self
            .may(Action::Escalate, question, acted)
            .await?
            .is_granted()
        {
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

    /// What was predicted from broken inputs is no evidence about a model, even if the label came before the gate saw it.
    fn discard_open_evidence(&mut self, since: Timestamp) {
        self.state
            .harm
            .discard_from(block(since, self.settings.batch));
        if let Some(experiment) = &mut self.state.experiment {
            experiment
                .judge
                .discard_from(block(since, self.settings.judge_block));
        }
    }

    /// Keeps a message for people until it is delivered.
    fn tell(&mut self, severity: Severity, title: String, body: String, now: Timestamp) {
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
    pub(super) async fn tell_people(&mut self) {
        let mut undelivered = Vec::new();
        for notification in std::mem::take(&mut self.state.untold) {
            if self
                .components
                .notifier
                .notify(&notification)
                .await
                .is_err()
            {
                undelivered.push(notification);
            }
        }
        self.state.untold = undelivered;
    }
}

/// What a rollout's transition is called in policies.
pub(super) fn action_of(transition: Transition) -> Action {
    match transition {
        Transition::Advance { .. } => Action::Ramp,
        Transition::Promote => Action::Promote,
        Transition::RollBack { .. } => Action::Rollback,
    }
}

fn nothing_trained(job: &TrainingJob) -> Error {
    Error::new(
        ErrorKind::Unavailable,
        "measure a candidate",
        "the training has no result",
    )
    .with("run", &job.request.run)
}
