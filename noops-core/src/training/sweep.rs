//! Searching for the parameters that train the best model.

mod jobs;
mod parzen;
mod pruning;
mod sampling;
mod settings;
mod space;
mod state;
mod trial;

pub use pruning::Pruning;
pub use sampling::Sampling;
pub use settings::{Direction, SweepSettings};
pub use space::{ParameterRange, ParameterValue, Scale, SearchSpace};
pub use state::{SweepEnd, SweepReport, SweepState, TrialOutcome, TrialRecord};
pub use trial::{Trial, Verdict};

use std::future::Future;
use std::sync::Arc;

use futures_util::stream::{FuturesUnordered, StreamExt};
use jiff::Timestamp;

use crate::clock::Clock;
use crate::digest::Digest;
use crate::error::{Error, ErrorKind};
use crate::state::StateStore;

/// A search for the parameters that give the best measure.
///
/// # Reproducible
///
/// Trial `i` is a function of the space, the settings and the trials up to `i - p`, where `p` is the number of parallel trials:
/// proposals and pruning look at those and at nothing else, and trial `i` waits for all of them. The same sweep over the same
/// objective is thus the same trials, however long each took, and however often the sweep was interrupted. The price is that a
/// trial that is much slower than the others holds up the ones more than `p` after it. (Over training jobs, what a trial reports
/// while it runs is seen as often as it is polled; what pruning saw is then not the same twice.)
///
/// # Resumed
///
/// Every finished trial is stored before the next is proposed; a sweep that is run again with the same key goes on where it was.
/// Trials that were under way are run again, over training jobs as the same runs, unless the deadline had stopped them.
///
/// # Examples
///
/// ```
/// use std::sync::Arc;
///
/// use noops_core::sweep::{Scale, SearchSpace, Sweep, SweepSettings};
/// use noops_core::{InMemoryStates, SystemClock};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), noops_core::Error> {
/// let space = SearchSpace::new().with_float("rate", 1e-4, 1.0, Scale::Logarithmic)?;
/// let sweep = Sweep::new(space, SweepSettings::default().with_max_trials(40), Arc::new(SystemClock))?;
/// let report = sweep
///     .run(&InMemoryStates::new(), "sweep/rate", |trial| async move {
///         let rate = trial.float("rate")?;
///         Ok((rate.log10() + 2.0).powi(2))
///     })
///     .await?;
/// let best = report.best().expect("a trial succeeded");
/// assert!(best.value().unwrap_or(f64::MAX) < 0.1);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct Sweep {
    space: SearchSpace,
    settings: SweepSettings,
    clock: Arc<dyn Clock>,
    plan: Digest,
}

/// Where the state is, and which generation of it.
struct Store<'a> {
    states: &'a dyn StateStore,
    key: &'a str,
    generation: u64,
}

impl Sweep {
    /// A sweep over a space.
    ///
    /// # Errors
    ///
    /// `Invalid` when the space is empty or the pruning is impossible.
    pub fn new(
        space: SearchSpace,
        settings: SweepSettings,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, Error> {
        if space.ranges().is_empty() {
            let message = "the search space has no parameter";
            return Err(Error::new(ErrorKind::Invalid, "plan a sweep", message));
        }
        settings.pruning().check()?;
        let plan = Digest::of_json(&(&space, settings.plan()));
        Ok(Self {
            space,
            settings,
            clock,
            plan,
        })
    }

    /// Runs the trials that are still missing, and stores each under a key.
    ///
    /// Trials run side by side on the task that polls this, so an objective that computes belongs on a blocking pool. An error
    /// that is [retryable](Error::is_retryable) ends the sweep, which can be run again later; any other makes its trial a failed
    /// one.
    ///
    /// # Errors
    ///
    /// The first retryable error of the objective; those of the store; `Invalid` when the key holds a sweep with another plan
    /// (anything but the budget differs); `Conflict` when somebody else runs this sweep.
    ///
    /// # Complexity
    ///
    /// Each trial looks at all earlier ones and stores the whole state: quadratic in the number of trials, with small constants next
    /// to a training. A state holds every report of every trial, about 30 bytes each.
    pub async fn run<F, T>(
        &self,
        states: &dyn StateStore,
        key: &str,
        objective: F,
    ) -> Result<SweepReport, Error>
    where
        F: Fn(Trial) -> T,
        T: Future<Output = Result<f64, Error>>,
    {
        let (mut state, mut store) = self.load(states, key).await?;
        let start = |trial: Trial| {
            let work = objective(trial.clone());
            async move { (trial, work.await) }
        };
        let mut running = FuturesUnordered::new();
        let mut next: u64 = 0;
        let mut end = SweepEnd::Trials;
        loop {
            while end == SweepEnd::Trials && running.len() < self.settings.parallel_trials().get() {
                while state.holds(next) {
                    next += 1;
                }
                if next >= self.settings.max_trials() || next >= self.may_start_below(&state) {
                    break;
                }
                if self.is_out_of_time() {
                    end = SweepEnd::Deadline;
                    break;
                }
                running.push(start(self.propose(&state, next)));
                next += 1;
            }
            let Some((trial, result)) = running.next().await else {
                break;
            };
            if trial.was_out_of_time() {
                end = SweepEnd::Deadline;
                state.interrupt(trial.parameters().clone());
            } else {
                state.insert(trial.record(result)?);
            }
            self.save(&state, &mut store).await?;
        }
        Ok(state.report(self.settings.direction(), end))
    }

    /// What is stored under a key, whether or not the sweep goes on.
    ///
    /// # Errors
    ///
    /// Those of the store; `Corrupt` when it is no state; `Invalid` when it belongs to another plan.
    pub async fn state(&self, states: &dyn StateStore, key: &str) -> Result<SweepState, Error> {
        Ok(self.load(states, key).await?.0)
    }

    fn propose(&self, state: &SweepState, index: u64) -> Trial {
        let parallel = u64::try_from(self.settings.parallel_trials().get()).unwrap_or(u64::MAX);
        let earlier: Vec<TrialRecord> = state
            .trials()
            .filter(|trial| trial.index().saturating_add(parallel) <= index)
            .cloned()
            .collect();
        let parameters = sampling::propose(&self.space, &self.settings, index, &earlier);
        Trial::new(
            index,
            state.interruptions(&parameters),
            parameters,
            earlier,
            &self.settings,
            self.clock.clone(),
        )
    }

    /// The first index that must still wait for an earlier trial.
    fn may_start_below(&self, state: &SweepState) -> u64 {
        let parallel = u64::try_from(self.settings.parallel_trials().get()).unwrap_or(u64::MAX);
        state.finished_without_gap().saturating_add(parallel)
    }

    fn is_out_of_time(&self) -> bool {
        let now: Timestamp = self.clock.now();
        self.settings
            .deadline()
            .is_some_and(|deadline| now >= deadline)
    }

    async fn load<'a>(
        &self,
        states: &'a dyn StateStore,
        key: &'a str,
    ) -> Result<(SweepState, Store<'a>), Error> {
        let snapshot = states.load(key).await?;
        let generation = snapshot.as_ref().map_or(0, |snapshot| snapshot.generation);
        let state = match snapshot {
            None => SweepState::new(self.plan),
            Some(snapshot) => {
                let corrupt = || {
                    let message = "what is stored is not the state of a sweep";
                    Error::new(ErrorKind::Corrupt, RESUME, message).with("key", key)
                };
                let state: SweepState = serde_json::from_slice(&snapshot.bytes)
                    .map_err(|error| corrupt().caused_by(error))?;
                if !state.is_sound() {
                    return Err(corrupt());
                }
                if state.plan() != self.plan {
                    let message =
                        "the space or the settings have changed: use another key, or those";
                    return Err(Error::new(ErrorKind::Invalid, RESUME, message).with("key", key));
                }
                state
            }
        };
        let store = Store {
            states,
            key,
            generation,
        };
        Ok((state, store))
    }

    async fn save(&self, state: &SweepState, store: &mut Store<'_>) -> Result<(), Error> {
        let bytes = serde_json::to_vec(state).map_err(|error| {
            let message = "the state cannot be written as JSON";
            Error::new(ErrorKind::Invalid, RESUME, message).caused_by(error)
        })?;
        let token = self.settings.token();
        store
            .states
            .save(store.key, store.generation, &bytes, token)
            .await?;
        store.generation = store.generation.saturating_add(1);
        Ok(())
    }
}

const RESUME: &str = "resume a sweep";

#[cfg(test)]
mod tests;
