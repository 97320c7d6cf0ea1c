use std::num::NonZeroUsize;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::lease::FencingToken;
use crate::training::sweep::pruning::Pruning;
use crate::training::sweep::sampling::Sampling;

/// Which measures are better.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Direction {
    /// Small ones, such as a loss.
    Minimise,
    /// Large ones, such as an accuracy.
    Maximise,
}

impl Direction {
    /// Whether one measure is better than another.
    #[must_use]
    pub fn is_better(self, one: f64, other: f64) -> bool {
        self.cost(one) < self.cost(other)
    }

    /// The measure as something to minimise.
    pub(super) fn cost(self, value: f64) -> f64 {
        match self {
            Self::Minimise => value,
            Self::Maximise => -value,
        }
    }
}

/// How a [`Sweep`](crate::sweep::Sweep) searches, and for how long.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct SweepSettings {
    direction: Direction,
    sampling: Sampling,
    pruning: Pruning,
    seed: u64,
    parallel_trials: NonZeroUsize,
    max_trials: u64,
    deadline: Option<Timestamp>,
    token: FencingToken,
}

impl Default for SweepSettings {
    fn default() -> Self {
        Self {
            direction: Direction::Minimise,
            sampling: Sampling::default(),
            pruning: Pruning::None,
            seed: 0,
            parallel_trials: NonZeroUsize::MIN,
            max_trials: 100,
            deadline: None,
            token: FencingToken::NONE,
        }
    }
}

impl SweepSettings {
    /// Sets which measures are better; small ones unless told.
    #[must_use]
    pub fn with_direction(mut self, direction: Direction) -> Self {
        self.direction = direction;
        self
    }

    /// Sets how trials are proposed.
    #[must_use]
    pub fn with_sampling(mut self, sampling: Sampling) -> Self {
        self.sampling = sampling;
        self
    }

    /// Sets when a trial is given up early; never unless told.
    #[must_use]
    pub fn with_pruning(mut self, pruning: Pruning) -> Self {
        self.pruning = pruning;
        self
    }

    /// Sets the seed of all proposals.
    #[must_use]
    pub fn with_seed(mut self, seed: u64) -> Self {
        self.seed = seed;
        self
    }

    /// Sets how many trials run side by side; 1 unless told.
    #[must_use]
    pub fn with_parallel_trials(mut self, parallel_trials: NonZeroUsize) -> Self {
        self.parallel_trials = parallel_trials;
        self
    }

    /// Sets how many trials there are at most, those of earlier rounds included; 100 unless told. A sweep may be run again with
    /// more.
    #[must_use]
    pub fn with_max_trials(mut self, max_trials: u64) -> Self {
        self.max_trials = max_trials;
        self
    }

    /// Sets a time on the clock of the host from which no trial starts, and those that report are told to stop.
    #[must_use]
    pub fn with_deadline(mut self, deadline: Timestamp) -> Self {
        self.deadline = Some(deadline);
        self
    }

    /// Sets the token of the lease that makes this the only process that runs the sweep.
    #[must_use]
    pub fn with_token(mut self, token: FencingToken) -> Self {
        self.token = token;
        self
    }

    /// Which measures are better.
    #[must_use]
    pub fn direction(&self) -> Direction {
        self.direction
    }

    /// How trials are proposed.
    #[must_use]
    pub fn sampling(&self) -> Sampling {
        self.sampling
    }

    /// When a trial is given up early.
    #[must_use]
    pub fn pruning(&self) -> Pruning {
        self.pruning
    }

    /// The seed.
    #[must_use]
    pub fn seed(&self) -> u64 {
        self.seed
    }

    /// How many trials run side by side.
    #[must_use]
    pub fn parallel_trials(&self) -> NonZeroUsize {
        self.parallel_trials
    }

    /// How many trials there are at most.
    #[must_use]
    pub fn max_trials(&self) -> u64 {
        self.max_trials
    }

    /// The time from which no trial starts.
    #[must_use]
    pub fn deadline(&self) -> Option<Timestamp> {
        self.deadline
    }

    /// The token the state is written with.
    #[must_use]
    pub fn token(&self) -> FencingToken {
        self.token
    }

    /// What the trials depend on: everything but the budget and the token.
    pub(super) fn plan(&self) -> impl Serialize + use<> {
        (
            self.direction,
            self.sampling,
            self.pruning,
            self.seed,
            self.parallel_trials,
        )
    }
}
