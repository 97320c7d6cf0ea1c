//! How a controller begins, and how it goes on after a crash.

use std::sync::Arc;

use jiff::Timestamp;
use noops_core::{Digest, Error, ErrorKind, Notification, Severity, TrainingRequest};
use noops_policy::{Action, Governor, PolicyError, PolicySet};

use super::alias::{champion_alias, point_champion};
use super::candidate::{self, Candidate};
use super::controller::{Acted, Components, Controller};
use super::facts::{FactBook, fact_schema};
use super::journal::{self, Entry, PolicyDocument, Start, Subject};
use super::reference::{Reference, quality_gate};
use super::settings::ControlSettings;
use super::state::{Champion, ControlState, live_share};
use crate::runtime::{Deployment, ServedModel};

impl Controller {
    /// Trains the first version, measures it, and puts it into service if the policies let it in.
    ///
    /// # Errors
    ///
    /// `Invalid` when the settings could not be carried out, or a policy does not load or refuses the first version; otherwise what a component reports. Nothing is
    /// registered or written down unless the policies load.
    pub async fn bootstrap(
        components: Components,
        settings: ControlSettings,
        first: &TrainingRequest,
    ) -> Result<(Self, Vec<Acted>), Error> {
        settings.check()?;
        let policies = load_policies(&components.policies)?;
        let start = Start {
            policies: components.policies.clone(),
            facts: policies.schema().clone(),
            settings: settings.clone(),
        };
        // An earlier attempt to begin that was cut off is gone on with, as of its own time.
        let (log, token) = (components.audit.as_ref(), components.token);
        let now = journal::append_start(log, &start, first.snapshot_at, token).await?;
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
        let written = journal::append_entry(log, &entry, token).await?.sequence;
        if !allowed {
            return Err(Error::new(
                ErrorKind::Invalid,
                "start with the first version",
                because,
            ));
        }

        let (registry, artifacts) = (components.registry.as_ref(), components.artifacts.as_ref());
        let version = candidate
            .registration
            .register_stored(registry, artifacts)
            .await?;
        point_champion(
            components.registry.as_ref(),
            &settings,
            None,
            version.digest(),
            now,
            token,
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
            components.token,
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
            fenced: false,
        };
        controller.continue_training();
        Ok(controller)
    }
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
