//! Is the champion being harmed, and what came of the last training?

use jiff::{SignedDuration, Timestamp};
use noops_core::{Error, ErrorKind, Severity, TimeSpan, TrainedModel, TrainingRequest};
use noops_policy::Action;

use crate::control::candidate::Candidate;
use crate::control::controller::{Acted, Controller, Permit, Question, leaves_open, training_lost};
use crate::control::journal::{Entry, Subject};
use crate::control::state::TrainingJob;

impl Controller {
    /// Starts a training when the policies want one.
    pub(in crate::control) async fn retrain_when_harmed(
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
        self.done(Action::Retrain, now);
        self.state.training = Some(TrainingJob { request, ready_at });
        self.state.trainings += 1;
        self.state.last_training = now;
        self.continue_training();
        Ok(())
    }

    /// Runs the training the state speaks of, in a task of its own, unless it runs already.
    pub(in crate::control) fn continue_training(&mut self) {
        if let (Some(job), None) = (&self.state.training, &self.training) {
            let (trainer, request) = (self.components.trainer.clone(), job.request.clone());
            self.training = Some(tokio::spawn(async move { trainer.train(&request).await }));
        }
    }

    /// Takes a training that is done and due, measures the candidate against the champion, and registers it if the policies
    /// let it in. Until then the result is kept: what fails on the way is tried again next time.
    pub(in crate::control) async fn collect_training(
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
            Ok(candidate) => match self.admit(candidate, now, acted).await {
                Ok(Admission::Over) => (),
                Ok(Admission::Later) => return Ok(()),
                Err(error) if leaves_open(&error) => return Err(error),
                Err(error) => return self.give_up_training(&job, &error, now),
            },
            Err(error) if leaves_open(&error) => return Err(error),
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
    ) -> Result<Admission, Error> {
        let mut book = self.book(now)?;
        book.trained(&candidate)?;
        let subject = Subject::Candidate {
            digest: candidate.digest(),
        };
        let question = Question::new(now, &book, subject.clone());
        let decision = match self.may(Action::Register, question, acted).await? {
            Permit::Granted => {
                let components = &self.components;
                let (registry, artifacts) =
                    (components.registry.as_ref(), components.artifacts.as_ref());
                candidate
                    .registration
                    .register_stored(registry, artifacts)
                    .await?;
                self.done(Action::Register, now);
                // What was just registered need not wait for the next poll.
                self.state.registry_seen = Timestamp::MIN;
                return Ok(Admission::Over);
            }
            Permit::Held => return Ok(Admission::Later),
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
        self.write_down(&entry).await?;
        self.state.ended.insert(candidate.digest());
        self.state.failed_candidates += 1;
        acted.push(Acted {
            at: now,
            action: Action::Register,
            allowed: false,
            subject,
            because,
        });
        Ok(Admission::Over)
    }
}

/// Whether a candidate has been decided about.
enum Admission {
    /// It is registered or refused.
    Over,
    /// The governor says: not so often.
    Later,
}

fn nothing_trained(job: &TrainingJob) -> Error {
    Error::new(
        ErrorKind::Unavailable,
        "measure a candidate",
        "the training has no result",
    )
    .with("run", &job.request.run)
}
