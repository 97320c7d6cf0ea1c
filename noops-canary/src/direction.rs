use serde::{Deserialize, Serialize};

/// Which way a metric is better.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Direction {
    /// A loss, a latency, a cost, a rate of failures.
    LowerIsBetter,
    /// An accuracy, a conversion rate, a revenue.
    HigherIsBetter,
}

impl Direction {
    /// +1 where a rise is harm, -1 where a fall is.
    pub(crate) fn harm_sign(self) -> f64 {
        match self {
            Self::LowerIsBetter => 1.0,
            Self::HigherIsBetter => -1.0,
        }
    }
}
