//! What an autoscaler decided.

use std::fmt;

/// What fixed a number of replicas.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ScaleReason {
    /// The load.
    Load,
    /// A load that jumped within the last stable window.
    Panic,
    /// Replicas that were wanted a short while ago.
    Settling,
    /// The minimum, which the load does not need.
    Minimum,
    /// The maximum, which the load exceeds.
    Maximum,
    /// The budget, which the load exceeds.
    Cost,
    /// The minimum, which the budget does not cover.
    MinimumOverBudget,
    /// The memory, which the load exceeds.
    Memory,
    /// Nothing was measured, so nothing was changed but for the bounds.
    NoMeasurement,
}

impl fmt::Display for ScaleReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Load => "the load needs as many",
            Self::Panic => "the load jumped",
            Self::Settling => "as many were needed a short while ago",
            Self::Minimum => "the minimum is above what the load needs",
            Self::Maximum => "the load needs more than the maximum",
            Self::Cost => "the load needs more than the budget allows",
            Self::MinimumOverBudget => "the minimum is above what the budget allows",
            Self::Memory => "the load needs more than the memory holds",
            Self::NoMeasurement => "nothing was measured",
        })
    }
}

/// How many replicas to run, and why.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub struct ScaleDecision {
    pub(super) replicas: u32,
    pub(super) warm: u32,
    pub(super) because: ScaleReason,
}

impl ScaleDecision {
    /// How many replicas should serve.
    #[must_use]
    pub fn replicas(&self) -> u32 {
        self.replicas
    }

    /// How many more should be loaded and warmed up, ready to serve.
    #[must_use]
    pub fn warm(&self) -> u32 {
        self.warm
    }

    /// What fixed the number of replicas.
    #[must_use]
    pub fn because(&self) -> ScaleReason {
        self.because
    }
}

impl fmt::Display for ScaleDecision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            replicas,
            warm,
            because,
        } = self;
        write!(f, "{replicas} replicas and {warm} warm: {because}")
    }
}
