use noops_core::Alpha;
use serde::{Deserialize, Serialize};

/// On which sides of zero a z-value counts as evidence.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Sides {
    /// Above zero only.
    One,
    /// Above and below, each with half of the error rate.
    Two,
}

impl Sides {
    /// The error rate of each side.
    pub(super) fn part(self, alpha: Alpha) -> f64 {
        alpha.get() / self.count()
    }

    pub(super) fn count(self) -> f64 {
        match self {
            Self::One => 1.0,
            Self::Two => 2.0,
        }
    }

    /// The z from which paths still go on below a critical value.
    pub(super) fn lower(self, critical: f64) -> f64 {
        match self {
            Self::One => f64::NEG_INFINITY,
            Self::Two => -critical,
        }
    }

    pub(super) fn reaches(self, z: f64, critical: f64) -> bool {
        match self {
            Self::One => z >= critical,
            Self::Two => z.abs() >= critical,
        }
    }
}
