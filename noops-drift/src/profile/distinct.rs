use std::fmt;

use serde::{Deserialize, Serialize};

/// How many different values a reference column had.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Distinct {
    /// So many.
    Exactly(u64),
    /// So many or more: a bounded builder no longer told near numbers apart.
    AtLeast(u64),
}

impl Distinct {
    /// The number, or its lower bound.
    #[must_use]
    pub fn at_least(self) -> u64 {
        match self {
            Self::Exactly(count) | Self::AtLeast(count) => count,
        }
    }
}

impl fmt::Display for Distinct {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Exactly(count) => write!(f, "{count}"),
            Self::AtLeast(count) => write!(f, "{count} or more"),
        }
    }
}
