//! Between which numbers of replicas a scaler may choose.

use std::num::NonZeroU64;

use noops_core::{Error, ErrorKind};

use super::CostCap;

/// The bytes that replicas may take together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MemoryCeiling {
    per_replica: NonZeroU64,
    total: u64,
}

impl MemoryCeiling {
    /// A ceiling of `total` bytes for replicas of `per_replica` bytes each.
    #[must_use]
    pub fn new(per_replica: NonZeroU64, total: u64) -> Self {
        Self { per_replica, total }
    }

    /// How many replicas fit.
    #[must_use]
    pub fn fits(&self) -> u32 {
        u32::try_from(self.total / self.per_replica).unwrap_or(u32::MAX)
    }
}

/// The bounds of an [`Autoscaler`](super::Autoscaler).
///
/// Where they contradict each other, memory comes first, then the minimum, then cost: a service that must not stop does not stop for
/// money, and says that it overspends.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct ScaleLimits {
    pub(super) minimum: u32,
    pub(super) maximum: u32,
    pub(super) provisioned: u32,
    pub(super) warm: u32,
    pub(super) settle: u32,
    pub(super) cost: Option<CostCap>,
    pub(super) memory: Option<MemoryCeiling>,
}

impl Default for ScaleLimits {
    /// From one replica to a thousand, nothing warm, and no scale-down within 120 s of an equal or higher need.
    fn default() -> Self {
        Self {
            minimum: 1,
            maximum: 1000,
            provisioned: 0,
            warm: 0,
            settle: 120,
            cost: None,
            memory: None,
        }
    }
}

impl ScaleLimits {
    /// Serves with no fewer replicas; 0 lets a model that nobody asks go.
    #[must_use]
    pub fn with_minimum(mut self, replicas: u32) -> Self {
        self.minimum = replicas;
        self
    }

    /// Loads no more replicas, warm ones included.
    #[must_use]
    pub fn with_maximum(mut self, replicas: u32) -> Self {
        self.maximum = replicas;
        self
    }

    /// Keeps so many replicas loaded in all, serving or warm.
    #[must_use]
    pub fn with_provisioned(mut self, replicas: u32) -> Self {
        self.provisioned = replicas;
        self
    }

    /// Keeps so many more replicas loaded than serve.
    #[must_use]
    pub fn with_warm(mut self, replicas: u32) -> Self {
        self.warm = replicas;
        self
    }

    /// Takes no replica away for so many seconds after it was last wanted.
    #[must_use]
    pub fn with_settle(mut self, seconds: u32) -> Self {
        self.settle = seconds;
        self
    }

    /// Spends no more.
    #[must_use]
    pub fn with_cost_cap(mut self, cap: CostCap) -> Self {
        self.cost = Some(cap);
        self
    }

    /// Takes no more memory.
    #[must_use]
    pub fn with_memory_ceiling(mut self, ceiling: MemoryCeiling) -> Self {
        self.memory = Some(ceiling);
        self
    }

    pub(super) fn check(&self) -> Result<(), Error> {
        let refuse = |message: &str| Error::new(ErrorKind::Invalid, "build an autoscaler", message);
        if self.minimum > self.maximum {
            return Err(refuse("the minimum is above the maximum")
                .with("minimum", self.minimum)
                .with("maximum", self.maximum));
        }
        let fits = self.memory_fits();
        if self.minimum > fits {
            return Err(refuse("the minimum does not fit into the memory")
                .with("minimum", self.minimum)
                .with("fits", fits));
        }
        Ok(())
    }

    pub(super) fn memory_fits(&self) -> u32 {
        self.memory.map_or(u32::MAX, |ceiling| ceiling.fits())
    }
}
