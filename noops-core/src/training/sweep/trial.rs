use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use jiff::Timestamp;

use crate::clock::Clock;
use crate::error::{Error, ErrorKind};
use crate::training::run::MAX_REASON;
use crate::training::sweep::pruning::Pruning;
use crate::training::sweep::settings::{Direction, SweepSettings};
use crate::training::sweep::space::ParameterValue;
use crate::training::sweep::state::{TrialOutcome, TrialRecord};

/// Whether a trial goes on after a report.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use = "a trial that is told to stop should return"]
pub enum Verdict {
    /// Go on.
    Continue,
    /// Return now, with whatever: the result is not looked at any more.
    Stop,
}

/// A trial under way: its parameters, and where it reports. Clones are the same trial.
#[derive(Clone)]
pub struct Trial {
    shared: Arc<Shared>,
}

struct Shared {
    index: u64,
    interruptions: u64,
    parameters: BTreeMap<String, ParameterValue>,
    earlier: Vec<TrialRecord>,
    direction: Direction,
    pruning: Pruning,
    deadline: Option<Timestamp>,
    clock: Arc<dyn Clock>,
    progress: Mutex<Progress>,
}

#[derive(Default)]
struct Progress {
    reports: Vec<(u64, f64)>,
    is_pruned: bool,
    is_out_of_time: bool,
}

impl Trial {
    pub(super) fn new(
        index: u64,
        interruptions: u64,
        parameters: BTreeMap<String, ParameterValue>,
        earlier: Vec<TrialRecord>,
        settings: &SweepSettings,
        clock: Arc<dyn Clock>,
    ) -> Self {
        Self {
            shared: Arc::new(Shared {
                index,
                interruptions,
                parameters,
                earlier,
                direction: settings.direction(),
                pruning: settings.pruning(),
                deadline: settings.deadline(),
                clock,
                progress: Mutex::new(Progress::default()),
            }),
        }
    }

    /// The place among the trials, counting from 0.
    #[must_use]
    pub fn index(&self) -> u64 {
        self.shared.index
    }

    /// The parameters by name.
    #[must_use]
    pub fn parameters(&self) -> &BTreeMap<String, ParameterValue> {
        &self.shared.parameters
    }

    /// A parameter that is a real number.
    ///
    /// # Errors
    ///
    /// `Invalid` when the space has no such parameter.
    pub fn float(&self, name: &str) -> Result<f64, Error> {
        match self.shared.parameters.get(name) {
            Some(ParameterValue::Float(value)) => Ok(*value),
            _ => Err(self.lacks(name, "the search space has no real number of this name")),
        }
    }

    /// A parameter that is a whole number.
    ///
    /// # Errors
    ///
    /// `Invalid` when the space has no such parameter.
    pub fn integer(&self, name: &str) -> Result<i64, Error> {
        match self.shared.parameters.get(name) {
            Some(ParameterValue::Integer(value)) => Ok(*value),
            _ => Err(self.lacks(name, "the search space has no whole number of this name")),
        }
    }

    /// A parameter that is one of some words.
    ///
    /// # Errors
    ///
    /// `Invalid` when the space has no such parameter.
    pub fn category(&self, name: &str) -> Result<&str, Error> {
        match self.shared.parameters.get(name) {
            Some(ParameterValue::Category(value)) => Ok(value),
            _ => Err(self.lacks(name, "the search space has no choice of this name")),
        }
    }

    /// Tells the measure at a step, and hears whether to go on.
    ///
    /// Steps only go up: one that does not is ignored. A value that is not finite stops the trial where anything is pruned, and is
    /// ignored where nothing is. The first 10,000 reports of a trial count.
    pub fn report(&self, step: u64, value: f64) -> Verdict {
        if self.is_out_of_time() {
            return Verdict::Stop;
        }
        let shared = &self.shared;
        let mut progress = self.progress();
        let is_new = progress.reports.last().is_none_or(|last| last.0 < step);
        if !progress.is_pruned && is_new && progress.reports.len() < MAX_REPORTS {
            if value.is_finite() {
                progress.reports.push((step, value));
                progress.is_pruned = shared.pruning.gives_up(
                    shared.index,
                    &progress.reports,
                    &shared.earlier,
                    shared.direction,
                );
            } else {
                progress.is_pruned = shared.pruning != Pruning::None;
            }
        }
        if progress.is_pruned {
            Verdict::Stop
        } else {
            Verdict::Continue
        }
    }

    /// Whether the trial was stopped because the deadline of the sweep came. Such a trial is not counted; one that came to its end
    /// without asking is.
    pub(super) fn was_out_of_time(&self) -> bool {
        self.progress().is_out_of_time
    }

    /// Whether the deadline of the sweep has come, in which case this trial is stopped.
    pub(super) fn is_out_of_time(&self) -> bool {
        let is_late = self
            .shared
            .deadline
            .is_some_and(|deadline| self.shared.clock.now() >= deadline);
        let mut progress = self.progress();
        // What was pruned before is a result.
        progress.is_out_of_time |= is_late && !progress.is_pruned;
        progress.is_out_of_time
    }

    /// How often the deadline of the sweep stopped trials with these parameters before.
    pub(super) fn interruptions(&self) -> u64 {
        self.shared.interruptions
    }

    /// Notes that the trial was given up, whoever decided it.
    pub(super) fn give_up(&self) {
        self.progress().is_pruned = true;
    }

    /// What is remembered of the trial once its objective returned.
    ///
    /// # Errors
    ///
    /// An error that may not come again is no result: it is handed on.
    pub(super) fn record(&self, result: Result<f64, Error>) -> Result<TrialRecord, Error> {
        let progress = self.progress();
        let outcome = match result {
            _ if progress.is_pruned => TrialOutcome::Pruned,
            Ok(value) if value.is_finite() => TrialOutcome::Completed { value },
            Ok(value) => TrialOutcome::Failed {
                reason: format!("the measure is {value}, not a finite number"),
            },
            Err(error) if error.is_retryable() => return Err(error),
            Err(error) => TrialOutcome::Failed {
                reason: error.to_string().chars().take(MAX_REASON).collect(),
            },
        };
        Ok(TrialRecord::new(
            self.shared.index,
            self.shared.parameters.clone(),
            progress.reports.clone(),
            outcome,
        ))
    }

    fn progress(&self) -> MutexGuard<'_, Progress> {
        self.shared
            .progress
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    fn lacks(&self, name: &str, message: &str) -> Error {
        Error::new(ErrorKind::Invalid, "read a parameter of a trial", message).with("name", name)
    }
}

impl fmt::Debug for Trial {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Trial")
            .field("index", &self.shared.index)
            .field("parameters", &self.shared.parameters)
            .finish_non_exhaustive()
    }
}

const MAX_REPORTS: usize = 10_000;
