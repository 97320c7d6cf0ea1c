use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::digest::Digest;
use crate::training::sweep::settings::Direction;
use crate::training::sweep::space::ParameterValue;

/// How a trial ended.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum TrialOutcome {
    /// It gave a measure.
    Completed {
        /// The measure; finite.
        value: f64,
    },
    /// It was given up early.
    Pruned,
    /// It broke.
    Failed {
        /// Why, for a person.
        reason: String,
    },
}

/// A trial that has ended.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TrialRecord {
    index: u64,
    parameters: BTreeMap<String, ParameterValue>,
    reports: Vec<(u64, f64)>,
    outcome: TrialOutcome,
}

impl TrialRecord {
    pub(super) fn new(
        index: u64,
        parameters: BTreeMap<String, ParameterValue>,
        reports: Vec<(u64, f64)>,
        outcome: TrialOutcome,
    ) -> Self {
        Self {
            index,
            parameters,
            reports,
            outcome,
        }
    }

    /// The place among the trials, counting from 0.
    #[must_use]
    pub fn index(&self) -> u64 {
        self.index
    }

    /// The parameters by name.
    #[must_use]
    pub fn parameters(&self) -> &BTreeMap<String, ParameterValue> {
        &self.parameters
    }

    /// What it reported on the way, by step.
    #[must_use]
    pub fn reports(&self) -> &[(u64, f64)] {
        &self.reports
    }

    /// How it ended.
    #[must_use]
    pub fn outcome(&self) -> &TrialOutcome {
        &self.outcome
    }

    /// The measure of a trial that completed.
    #[must_use]
    pub fn value(&self) -> Option<f64> {
        match self.outcome {
            TrialOutcome::Completed { value } => Some(value),
            _ => None,
        }
    }
}

/// What a sweep remembers: the trials that have ended, and the plan they belong to.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SweepState {
    plan: Digest,
    trials: BTreeMap<u64, TrialRecord>,
    /// The parameters of every trial that was stopped by the deadline.
    #[serde(default)]
    interrupted: Vec<BTreeMap<String, ParameterValue>>,
}

impl SweepState {
    pub(super) fn new(plan: Digest) -> Self {
        Self {
            plan,
            trials: BTreeMap::new(),
            interrupted: Vec::new(),
        }
    }

    /// The digest of the space and of every setting but the budget.
    #[must_use]
    pub fn plan(&self) -> Digest {
        self.plan
    }

    /// The trials that have ended, by index.
    pub fn trials(&self) -> impl Iterator<Item = &TrialRecord> {
        self.trials.values()
    }

    pub(super) fn holds(&self, index: u64) -> bool {
        self.trials.contains_key(&index)
    }

    pub(super) fn insert(&mut self, trial: TrialRecord) {
        self.trials.insert(trial.index, trial);
    }

    pub(super) fn interrupt(&mut self, parameters: BTreeMap<String, ParameterValue>) {
        self.interrupted.push(parameters);
    }

    /// How often trials with these parameters were stopped by the deadline. Not of this trial alone: those with the same
    /// parameters share their run.
    pub(super) fn interruptions(&self, parameters: &BTreeMap<String, ParameterValue>) -> u64 {
        let same = self.interrupted.iter().filter(|held| *held == parameters);
        same.count() as u64
    }

    /// Whether every trial is under its own index.
    pub(super) fn is_sound(&self) -> bool {
        self.trials
            .iter()
            .all(|(index, trial)| *index == trial.index)
    }

    /// How many trials have ended before the first that has not.
    pub(super) fn finished_without_gap(&self) -> u64 {
        (0u64..)
            .zip(self.trials.keys())
            .take_while(|(expected, index)| expected == *index)
            .count() as u64
    }

    pub(super) fn report(self, direction: Direction, end: SweepEnd) -> SweepReport {
        let trials: Vec<TrialRecord> = self.trials.into_values().collect();
        let mut best: Option<&TrialRecord> = None;
        for trial in &trials {
            let is_better = match (trial.value(), best.and_then(TrialRecord::value)) {
                (Some(value), Some(record)) => direction.is_better(value, record),
                (Some(_), None) => true,
                (None, _) => false,
            };
            if is_better {
                best = Some(trial);
            }
        }
        SweepReport {
            best: best.cloned(),
            trials,
            end,
        }
    }
}

/// Why a sweep ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum SweepEnd {
    /// All trials have ended.
    Trials,
    /// The deadline came; trials that were told to stop for it are not counted.
    Deadline,
}

/// What a sweep found.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SweepReport {
    best: Option<TrialRecord>,
    trials: Vec<TrialRecord>,
    end: SweepEnd,
}

impl SweepReport {
    /// The completed trial with the best measure, the first of equals; `None` when none completed.
    #[must_use]
    pub fn best(&self) -> Option<&TrialRecord> {
        self.best.as_ref()
    }

    /// All trials by index.
    #[must_use]
    pub fn trials(&self) -> &[TrialRecord] {
        &self.trials
    }

    /// Why it ended.
    #[must_use]
    pub fn end(&self) -> SweepEnd {
        self.end
    }
}
