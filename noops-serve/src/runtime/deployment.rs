//! Who answers what.

use std::num::NonZeroUsize;
use std::sync::{Arc, Mutex, PoisonError};

use arc_swap::ArcSwap;
use arrow_array::RecordBatch;
use noops_canary::{Assignment, Challenger, Salt, WeightedAssignment};
use noops_core::{Clock, Error, ErrorKind, Share};

use self::arms::Arms;
pub use self::arms::{Constant, Fallback};
pub use self::settings::DeploymentSettings;
use super::exposure::Exposure;
use super::outbox::Outbox;
use super::served::ServedModel;
use super::shadow::{ShadowCopy, ShadowScore};
use crate::telemetry::{ArmRole, ArmTelemetry, PredictionLog, RequestOutcome, ServingEvent};

mod arms;
mod beside;
mod path;
mod settings;

/// A model in service: a champion, perhaps challengers with shares of the traffic, shadows that answer nothing, and a fallback.
///
/// Every request sees one consistent set of arms, however often they are swapped meanwhile; a swap waits for nobody and
/// loses nothing. A challenger is shown every request: those it does not answer reach it as shadow copies, and those it answers
/// reach the champion as shadow copies, so that a judge can compare both on the same requests. Copies wait in a bounded queue
/// until [`score_shadows`](Self::score_shadows) is called and are dropped first when there are too many.
///
/// # Examples
///
/// See the quickstart in the project's README.
#[derive(Debug)]
pub struct Deployment {
    arms: ArcSwap<Arms>,
    clock: Arc<dyn Clock>,
    exposures: Outbox<Exposure>,
    shadow_copies: Outbox<ShadowCopy>,
    observations: PredictionLog,
    telemetry: Arc<ArmTelemetry>,
    settings: DeploymentSettings,
    shadow_salt: Salt,
    /// Arms that were swapped out. Requests that pinned them may still be under way, and whoever is last would have to free the
    /// weights, which takes milliseconds: so that is done here and not by a request.
    retired: Mutex<Vec<Arc<Arms>>>,
}

impl Deployment {
    /// Puts a champion into service.
    #[must_use]
    pub fn new(
        champion: Arc<ServedModel>,
        clock: Arc<dyn Clock>,
        settings: &DeploymentSettings,
    ) -> Self {
        Self {
            observations: PredictionLog::new(
                champion.contract().rules().len(),
                NonZeroUsize::new(settings.observations).unwrap_or(NonZeroUsize::MIN),
                settings.observation_sample,
            ),
            arms: ArcSwap::from_pointee(Arms::of(champion)),
            clock,
            telemetry: Arc::default(),
            exposures: Outbox::new(settings.exposures),
            shadow_copies: Outbox::new(settings.shadow_copies),
            settings: settings.clone(),
            shadow_salt: beside::shadow_salt(),
            retired: Mutex::new(Vec::new()),
        }
    }

    /// The version that answers what no challenger is assigned.
    #[must_use]
    pub fn champion(&self) -> Arc<ServedModel> {
        self.arms.load().champion.clone()
    }

    /// The version that is being compared with the champion; the first of several.
    #[must_use]
    pub fn challenger(&self) -> Option<Arc<ServedModel>> {
        self.arms.load().challengers.first().cloned()
    }

    /// The versions that are being compared with the champion.
    #[must_use]
    pub fn challengers(&self) -> Vec<Arc<ServedModel>> {
        self.arms.load().challengers.clone()
    }

    /// The versions that are shown requests and answer none.
    #[must_use]
    pub fn shadows(&self) -> Vec<Arc<ServedModel>> {
        let arms = self.arms.load();
        arms.shadows
            .iter()
            .map(|shadow| shadow.model.clone())
            .collect()
    }

    /// What answers where the models cannot, if it is a model.
    #[must_use]
    pub fn fallback_model(&self) -> Option<Arc<ServedModel>> {
        match &self.arms.load().fallback {
            Some(Fallback::Model(model)) => Some(model.clone()),
            _ => None,
        }
    }

    /// The challengers' share of the traffic, together; zero in shadow and without one.
    #[must_use]
    pub fn share(&self) -> Share {
        self.arms.load().share()
    }

    /// Brings in a challenger, in the place of any other. `salt` names the comparison: the same salt and share assign the
    /// same units, in every process.
    pub fn challenge(&self, model: Arc<ServedModel>, salt: Salt, share: Share) {
        let assignment = Assignment::new(salt, share);
        self.swap(|arms| arms.challenged(model.clone(), assignment.clone()));
    }

    /// Brings in several challengers, each with its share, in the place of all others.
    ///
    /// # Errors
    ///
    /// Refuses no challengers, one version given twice, and shares that sum to more than everything.
    pub fn challenge_with_many(
        &self,
        challengers: Vec<(Arc<ServedModel>, Share)>,
        salt: Salt,
    ) -> Result<(), Error> {
        let named = challengers
            .iter()
            .map(|(model, share)| Challenger::new(model.digest().to_string(), *share));
        let assignment = WeightedAssignment::new(salt, named.collect()).map_err(|error| {
            Error::new(
                ErrorKind::Invalid,
                "bring in challengers",
                error.to_string(),
            )
        })?;
        let models: Vec<_> = challengers.into_iter().map(|(model, _)| model).collect();
        self.swap(|arms| arms.challenged_by_many(models.clone(), assignment.clone()));
        Ok(())
    }

    /// Shows a model a part of the requests, chosen by a hash of their ids. It answers none; what it would have said comes out of
    /// [`score_shadows`](Self::score_shadows).
    pub fn shadow(&self, model: Arc<ServedModel>, sample: Share) {
        self.swap(|arms| arms.shadowed(model.clone(), self.shadow_salt.clone(), sample));
    }

    /// Takes all shadows out.
    pub fn withdraw_shadows(&self) {
        self.swap(|arms| Arms {
            shadows: Vec::new(),
            ..arms.clone()
        });
    }

    /// Sets what answers where the models cannot.
    pub fn fall_back_to(&self, fallback: Fallback) {
        self.swap(|arms| Arms {
            fallback: Some(fallback.clone()),
            ..arms.clone()
        });
    }

    /// Takes the challenger out of service.
    pub fn withdraw(&self) {
        self.swap(Arms::withdrawn);
    }

    /// Makes a version the champion. It stops being a challenger if it was; others are withdrawn, because they were compared with a
    /// champion that has gone. Shadows and the fallback stay.
    pub fn crown(&self, champion: Arc<ServedModel>) {
        champion.telemetry().count(ServingEvent::Swap, 1);
        self.swap(|arms| arms.crowned(champion.clone()));
    }

    /// The records of rows answered since the last call, oldest first.
    #[must_use]
    pub fn drain_exposures(&self) -> Vec<Exposure> {
        self.exposures.drain()
    }

    /// The sampled rows that were answered since the last call, as the model saw them and with what it said: for drift monitors, for a
    /// comparison with the features recomputed offline, and for the record. See [`PredictionLog`] for the columns.
    ///
    /// # Errors
    ///
    /// `Invalid` when Arrow refuses the columns.
    pub fn drain_observations(&self) -> Result<RecordBatch, Error> {
        self.observations.drain()
    }

    /// How many exposure records and how many shadow copies were dropped because too many waited.
    #[must_use]
    pub fn dropped(&self) -> Dropped {
        Dropped {
            exposures: self.exposures.dropped(),
            shadow_copies: self.shadow_copies.dropped(),
            observations: self.observations.dropped(),
        }
    }

    /// Scores the shadow copies that wait. Call it from a task of its own, never from the path of a prediction.
    #[must_use]
    pub fn score_shadows(&self) -> Vec<ShadowScore> {
        let copies = self.shadow_copies.drain().into_iter();
        copies.flat_map(|copy| self.score_shadow(copy)).collect()
    }

    /// The service levels of each arm, however often the versions in it change.
    #[must_use]
    pub fn telemetry(&self) -> &Arc<ArmTelemetry> {
        &self.telemetry
    }

    /// Frees the weights of versions that were swapped out and that no request uses any more. Every swap does it for those before;
    /// whoever wants the memory back sooner calls it, off the path of a prediction.
    pub fn free_retired(&self) {
        let free: Vec<Arc<Arms>> = {
            let mut retired = self.retired.lock().unwrap_or_else(PoisonError::into_inner);
            let (free, used) = std::mem::take(&mut *retired)
                .into_iter()
                .partition(|arms| Arc::strong_count(arms) == 1);
            *retired = used;
            free
        };
        drop(free);
    }

    fn score_shadow(&self, copy: ShadowCopy) -> Vec<ShadowScore> {
        let (rows, telemetry) = (copy.rows.len() as u64, copy.model.telemetry().clone());
        let start = self.clock.monotonic();
        let scores = copy.score();
        let took = self.clock.monotonic().saturating_sub(start);
        telemetry.count(ServingEvent::ShadowCopy, rows);
        let answered = scores
            .iter()
            .filter(|scored| scored.score.is_some())
            .count() as u64;
        let outcomes = [
            (RequestOutcome::Success, answered),
            (RequestOutcome::Failed, rows.saturating_sub(answered)),
        ];
        for (outcome, rows) in outcomes.into_iter().filter(|(_, rows)| *rows > 0) {
            self.telemetry
                .of(ArmRole::Shadow)
                .record(outcome, took, rows);
        }
        scores
    }

    fn swap(&self, change: impl Fn(&Arms) -> Arms) {
        let before = self.arms.rcu(|arms| change(arms));
        {
            let mut retired = self.retired.lock().unwrap_or_else(PoisonError::into_inner);
            retired.push(before);
        }
        self.free_retired();
    }
}

/// What was dropped beside the prediction path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Dropped {
    /// Exposure records.
    pub exposures: u64,
    /// Shadow copies.
    pub shadow_copies: u64,
    /// Rows as they were served.
    pub observations: u64,
}

#[cfg(test)]
mod tests;
