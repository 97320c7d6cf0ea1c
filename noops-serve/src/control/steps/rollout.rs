//! Is there a better version?

use jiff::Timestamp;
use noops_canary::rollout::{Decision, Rollout};
use noops_core::{Error, ModelVersion, Severity};
use noops_drift::Counts;
use noops_policy::Action;

use crate::control::alias::point_champion;
use crate::control::controller::{Acted, Controller, Question, leaves_open};
use crate::control::experiment::{Experiment, propose, reason};
use crate::control::journal::{Evidence, Subject};
use crate::control::reference::{Reference, quality_gate};
use crate::control::state::{Champion, DriftWindow, harm_monitor};
use crate::control::watch::before;

impl Controller {
    /// Takes the oldest version that has not been tried and that the policies allow, whoever registered it, into shadow.
    pub(in crate::control) async fn find_candidate(
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
            let mut book = self.book(now)?;
            book.metrics(version.registration())?;
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
                self.start_experiment(version, now).await?;
                self.done(Action::Shadow, now);
                return Ok(());
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
                    &self.settings.judge,
                    now,
                )?;
                self.deployment
                    .challenge(model, experiment.salt(), experiment.rollout.share());
                self.state.experiment = Some(experiment);
                Ok(())
            }
            Err(error) if leaves_open(&error) => Err(error),
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
    pub(in crate::control) async fn step_rollout(
        &mut self,
        now: Timestamp,
        acted: &mut Vec<Acted>,
    ) -> Result<(), Error> {
        let Some(experiment) = &self.state.experiment else {
            return Ok(());
        };
        let proposal = propose(&experiment.rollout, &experiment.judge, now);
        let action = proposal.decision.as_ref().and_then(action_of);
        let (Some(action), Some(decision)) = (action, proposal.decision) else {
            // Only books are kept.
            if let Some(experiment) = &mut self.state.experiment {
                experiment.rollout = proposal.step.into_state();
            }
            return Ok(());
        };
        let judgement = experiment.judge.judgement();
        let evidence = Evidence {
            rollout: experiment.rollout.clone(),
            judge: experiment.judge.clone(),
            proposal: Some(decision.clone()),
        };
        let subject = Subject::Version {
            number: experiment.number,
            digest: experiment.candidate,
        };
        let rollout = experiment.rollout.clone();
        let mut book = self.book(now)?;
        book.rollout(&rollout, &judgement, Some(&decision))?;
        let question = Question {
            evidence: Some(evidence),
            detail: reason(&decision, &judgement),
            ..Question::new(now, &book, subject)
        };
        // A step that is not allowed is thrown away, and proposed again.
        if !self.may(action, question, acted).await?.is_granted() {
            return Ok(());
        }
        match &decision {
            Decision::Promote => {
                if let Err(error) = self.promote(now).await {
                    if !leaves_open(&error) {
                        let title = "a promotion needs a person".to_owned();
                        self.tell(Severity::Ticket, title, error.to_string(), now);
                    }
                    return Err(error);
                }
            }
            Decision::RollBack { .. } => self.roll_back(reason(&decision, &judgement), now),
            _ => self.ramp(proposal.step.into_state(), now),
        }
        self.done(action, now);
        Ok(())
    }

    fn ramp(&mut self, entered: Rollout, now: Timestamp) {
        if let (Some(experiment), Some(model)) =
            (&mut self.state.experiment, self.deployment.challenger())
        {
            experiment.rollout = entered;
            self.deployment
                .challenge(model, experiment.salt(), experiment.rollout.share());
            experiment.acknowledge(now);
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
            self.components.token,
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
}

/// What a rollout's decision is called in policies; nothing for those that move no traffic.
pub(in crate::control) fn action_of(decision: &Decision) -> Option<Action> {
    match decision {
        Decision::Advance { .. } => Some(Action::Ramp),
        Decision::Promote => Some(Action::Promote),
        Decision::RollBack { .. } => Some(Action::Rollback),
        _ => None,
    }
}
