use serde::Serialize;

use crate::interval::Interval;

/// What a look at a group sequential test found.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct LookOutcome {
    pub(super) information: f64,
    pub(super) fraction: f64,
    pub(super) z: f64,
    pub(super) boundary: f64,
    pub(super) alpha_spent: f64,
    pub(super) decision: LookDecision,
    pub(super) estimate: f64,
    pub(super) interval: Interval,
    pub(super) p_value: Option<f64>,
}

impl LookOutcome {
    /// The information at the look.
    #[must_use]
    pub fn information(&self) -> f64 {
        self.information
    }

    /// The information over the planned maximum; above 1 where the last look came late.
    #[must_use]
    pub fn fraction(&self) -> f64 {
        self.fraction
    }

    /// The z-value.
    #[must_use]
    pub fn z(&self) -> f64 {
        self.z
    }

    /// The critical value: the look rejects if z is at least this (|z|, for two sides). 40 stands for one that is never reached.
    #[must_use]
    pub fn boundary(&self) -> f64 {
        self.boundary
    }

    /// How much of the error rate this look and those before it may use, both sides together.
    #[must_use]
    pub fn alpha_spent(&self) -> f64 {
        self.alpha_spent
    }

    /// What follows.
    #[must_use]
    pub fn decision(&self) -> LookDecision {
        self.decision
    }

    /// The effect that fits the data best, z/√information; in a test that stops early it is too far out on average.
    ///
    /// For one without that bias see [`GroupSequential::adjusted_estimate`](super::GroupSequential::adjusted_estimate).
    #[must_use]
    pub fn estimate(&self) -> f64 {
        self.estimate
    }

    /// The repeated confidence interval of the effect (Jennison and Turnbull, 1989): (z ± boundary)/√information.
    ///
    /// The intervals of all looks hold the effect together with probability 1 − α, whether or not the test stops where it should.
    #[must_use]
    pub fn interval(&self) -> Interval {
        self.interval
    }

    /// The p-value by the stagewise order, once the test has ended.
    ///
    /// The probability without effect to stop at an earlier look, or to be as far out at this one: it is at most α exactly where the test rejects.
    #[must_use]
    pub fn p_value(&self) -> Option<f64> {
        self.p_value
    }
}

/// What follows from a look.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum LookDecision {
    /// Go on to the next look.
    Continue,
    /// There is an effect; the test has ended.
    Reject,
    /// All the error rate is spent and there is no evidence of an effect; the test has ended.
    Retain,
}
