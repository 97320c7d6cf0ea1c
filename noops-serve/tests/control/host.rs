//! A service that predicts, shows its controller everything, and writes down what it sees.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use noops_canary::rollout::{AdvanceOn, RampStage, RolloutSpec, StageGate};
use noops_core::{
    Alias, AliasTarget, ArtifactStore, AuditEntry, AuditLog, Digest, Error, FencingToken,
    InMemoryArtifacts, InMemoryAuditLog, InMemoryNotifier, InMemoryRegistry, ManualClock,
    ModelRegistry, ModelVersion, Notification, Registration, Share, TrainingRequest,
};
use noops_policy::{Action, GovernorSettings};
use noops_serve::{
    Acted, Components, ControlSettings, ControlState, Controller, DeploymentSettings,
    PolicyDocument, Request,
};

use crate::model::{Line, LineLoader, LineTrainer};
use crate::policies;
use crate::world::{Broken, DAY, World, asked_at, at, features};

/// Everything that outlives a process, and the trainer.
#[derive(Clone, Debug)]
pub(crate) struct Surroundings {
    pub(crate) world: World,
    pub(crate) registry: Arc<InMemoryRegistry>,
    pub(crate) artifacts: Arc<InMemoryArtifacts>,
    pub(crate) audit: Arc<InMemoryAuditLog>,
    pub(crate) notifier: Arc<InMemoryNotifier>,
    pub(crate) trainer: Arc<LineTrainer>,
    clock: Arc<ManualClock>,
    token: FencingToken,
}

impl Surroundings {
    pub(crate) fn new(world: World) -> Self {
        Self::learning_from(world, 7)
    }

    /// The trainer learns from so many days.
    pub(crate) fn learning_from(world: World, days: i64) -> Self {
        Self {
            registry: Arc::new(InMemoryRegistry::new()),
            artifacts: Arc::new(InMemoryArtifacts::new()),
            audit: Arc::new(InMemoryAuditLog::new()),
            notifier: Arc::new(InMemoryNotifier::new()),
            trainer: Arc::new(LineTrainer::new(world.clone(), days)),
            clock: Arc::new(ManualClock::new(at(0))),
            token: FencingToken::NONE,
            world,
        }
    }

    /// The same for a process that holds a lease.
    pub(crate) fn with_token(mut self, number: u64) -> Self {
        self.token = FencingToken::new(number);
        self
    }

    pub(crate) fn components(&self, policies: Vec<PolicyDocument>) -> Components {
        Components {
            registry: self.registry.clone(),
            artifacts: self.artifacts.clone(),
            audit: self.audit.clone(),
            notifier: self.notifier.clone(),
            trainer: self.trainer.clone(),
            loader: Arc::new(LineLoader),
            clock: self.clock.clone(),
            token: self.token,
            policies,
            deployment: DeploymentSettings::default(),
        }
    }

    pub(crate) async fn versions(&self) -> Vec<ModelVersion> {
        self.registry.versions(&settings().model).await.unwrap()
    }

    pub(crate) async fn champions(&self) -> Vec<AliasTarget> {
        let (model, alias) = (settings().model, Alias::champion());
        self.registry.alias_history(&model, &alias).await.unwrap()
    }

    pub(crate) async fn log(&self) -> Vec<AuditEntry> {
        self.audit.entries().await.unwrap()
    }
}

/// The service. The hour is the next one to live through.
#[derive(Debug)]
pub(crate) struct Host {
    pub(crate) around: Surroundings,
    pub(crate) controller: Controller,
    pub(crate) hour: i64,
    pub(crate) diary: Diary,
    /// When somebody else registers a line that is upside down.
    intruder_at: Option<i64>,
}

/// What was seen.
#[derive(Clone, Debug, Default)]
pub(crate) struct Diary {
    pub(crate) acted: Vec<Acted>,
    /// How many rows each version has answered.
    pub(crate) answers: BTreeMap<Digest, u64>,
    pub(crate) answers_while_training: u64,
    pub(crate) refusals: u64,
}

impl Host {
    pub(crate) async fn start(world: World) -> Self {
        Self::start_in(Surroundings::new(world), settings()).await
    }

    pub(crate) async fn start_in(around: Surroundings, settings: ControlSettings) -> Self {
        let components = around.components(policies::all());
        let (controller, acted) = Controller::bootstrap(components, settings, &first())
            .await
            .unwrap();
        Self {
            around,
            controller,
            hour: 0,
            diary: Diary {
                acted,
                ..Diary::default()
            },
            intruder_at: None,
        }
    }

    /// A life in which everything happens: a bad version from somebody else, broken inputs, and a truth that turns.
    pub(crate) async fn start_eventful(seed: u64) -> Self {
        let world =
            World::stable(seed)
                .turning_at(5 * DAY)
                .broken(8 * DAY, 10 * DAY, Broken::Missing);
        Self {
            intruder_at: Some(2 * DAY + 5),
            ..Self::start(world).await
        }
    }

    pub(crate) async fn live_until(&mut self, hour: i64) {
        while self.hour < hour {
            self.live_an_hour().await;
        }
    }

    /// Lives until something has been done, and not beyond an hour.
    pub(crate) async fn live_until_done(&mut self, action: Action, before: i64) {
        let done = self.times(action);
        while self.times(action) == done {
            assert!(self.hour < before, "no {action} before hour {before}");
            self.live_an_hour().await;
        }
    }

    /// Lives until the controller is refused, and not beyond an hour.
    pub(crate) async fn live_until_refused(&mut self, before: i64) -> Error {
        loop {
            assert!(
                self.hour < before,
                "nothing was refused before hour {before}"
            );
            if let Err(error) = self.try_to_live_an_hour().await {
                return error;
            }
        }
    }

    pub(crate) async fn live_an_hour(&mut self) {
        self.try_to_live_an_hour().await.unwrap();
    }

    /// An hour at whose end the controller may be refused.
    pub(crate) async fn try_to_live_an_hour(&mut self) -> Result<(), Error> {
        let rows: Vec<_> = self.around.world.rows(self.hour).collect();
        let ids = rows.iter().map(|row| row.id()).collect();
        let xs = features(rows.iter().map(|row| row.x).collect());
        let request = Request::new(ids, xs).unwrap();

        self.around.clock.set(asked_at(self.hour));
        let deployment = self.controller.deployment().clone();
        let reply = deployment.predict(&request).await.unwrap();
        for answer in &reply {
            match answer {
                Ok(prediction) => {
                    *self.diary.answers.entry(prediction.version()).or_default() += 1;
                    let training = self.controller.state().training().is_some();
                    self.diary.answers_while_training += u64::from(training);
                }
                Err(_) => self.diary.refusals += 1,
            }
        }

        self.controller
            .observe_inputs(request.record_batch().unwrap())
            .unwrap();
        self.controller
            .observe_exposures(deployment.drain_exposures())
            .unwrap();
        self.controller.observe_shadows(&deployment.score_shadows());
        for label in self.around.world.labels(self.hour) {
            self.controller.observe_label(&label).unwrap();
        }
        if self.intruder_at == Some(self.hour) {
            self.push(&upside_down().to_bytes(), |_| ()).await;
        }

        self.hour += 1;
        self.around.clock.set(at(self.hour));
        // The clock of the world runs faster than the machine.
        if self
            .controller
            .state()
            .training()
            .is_some_and(|job| job.ready_at() <= at(self.hour))
        {
            self.controller.training_done().await;
        }
        let acted = self.controller.reconcile(at(self.hour)).await?;
        self.diary.acted.extend(acted);
        Ok(())
    }

    /// Registers a version past the controller: the champion's registration with other bytes, changed as told.
    pub(crate) async fn push(
        &self,
        artifact: &[u8],
        change: impl FnOnce(&mut Registration),
    ) -> ModelVersion {
        let digest = self.around.artifacts.put(artifact).await.unwrap();
        let champion = self.controller.deployment().champion();
        let mut registration = Registration {
            digest,
            registered_at: asked_at(self.hour),
            ..champion.version().registration().clone()
        };
        change(&mut registration);
        self.around.registry.register(registration).await.unwrap()
    }

    pub(crate) fn save(&self) -> String {
        serde_json::to_string(self.controller.state()).unwrap()
    }

    /// Another process takes over from a saved state, at the hour in which it was saved.
    pub(crate) async fn resume(&mut self, saved: &str, hour: i64) {
        let state: ControlState = serde_json::from_str(saved).unwrap();
        let components = self.around.components(policies::all());
        self.controller = Controller::resume(components, settings(), state, at(hour))
            .await
            .unwrap();
        self.hour = hour;
    }

    /// A process with a newer lease, which takes over while this one goes on as if nothing had happened.
    pub(crate) async fn successor(&self, token: u64) -> Self {
        let around = self.around.clone().with_token(token);
        let (components, state) = (
            around.components(policies::all()),
            self.controller.state().clone(),
        );
        let controller = Controller::resume(components, settings(), state, at(self.hour))
            .await
            .unwrap();
        Self {
            around,
            controller,
            hour: self.hour,
            diary: Diary::default(),
            intruder_at: None,
        }
    }

    /// What was done, the refusals left out.
    pub(crate) fn actions(&self) -> Vec<Action> {
        let allowed = self.diary.acted.iter().filter(|acted| acted.allowed);
        allowed.map(|acted| acted.action).collect()
    }

    pub(crate) fn times(&self, action: Action) -> usize {
        let done = self.actions();
        done.iter().filter(|done| **done == action).count()
    }

    /// What people were told since the last call.
    pub(crate) fn messages(&self) -> Vec<Notification> {
        self.around.notifier.take()
    }

    /// The titles of what people were told since the last call.
    pub(crate) fn told(&self) -> Vec<String> {
        let messages = self.messages().into_iter();
        messages.map(|message| message.title).collect()
    }
}

pub(crate) fn settings() -> ControlSettings {
    let gate = StageGate::new(hours(12), hours(240), 200);
    let ramp = [
        (100_000, gate.with_advance_on(AdvanceOn::NoHarm)),
        (500_000, gate),
    ];
    let ramp = ramp.map(|(ppm, gate)| RampStage::new(Share::from_ppm(ppm).unwrap(), gate));
    let shadow = StageGate::new(hours(24), hours(240), 500);
    let plan = RolloutSpec::canary(Some(shadow), ramp.to_vec()).unwrap();
    let governor = GovernorSettings::default()
        .with_cooldown(Action::Retrain, hours(72))
        .with_cooldown(Action::Escalate, hours(30 * 24));
    ControlSettings::new("tides".parse().unwrap(), plan).with_governor(governor)
}

pub(crate) fn first() -> TrainingRequest {
    TrainingRequest {
        run: "tides-1".to_owned(),
        snapshot_at: at(0),
        parent: None,
        quarantined: Vec::new(),
    }
}

/// How long an eventful life is watched: well beyond its last event.
pub(crate) const LIFE: i64 = 40 * DAY;

/// The opposite of the truth before it turns.
pub(crate) fn upside_down() -> Line {
    Line {
        intercept: 0.8,
        slope: -0.6,
    }
}

const fn hours(hours: u64) -> Duration {
    Duration::from_secs(hours * 3600)
}
