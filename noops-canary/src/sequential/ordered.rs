use serde::{Deserialize, Serialize};

use crate::error::CanaryError;

/// Finite values in rising order, at most [`CAPACITY`] of them.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Vec<f64>", into = "Vec<f64>")]
pub(super) struct Ordered(Vec<f64>);

impl Ordered {
    pub(super) fn insert(&mut self, x: f64) -> Result<(), CanaryError> {
        if !x.is_finite() {
            return Err(CanaryError::Input {
                input: "x",
                reason: "is NaN or infinite; pass finite numbers",
            });
        }
        if self.0.len() >= CAPACITY {
            return Err(CanaryError::Input {
                input: "x",
                reason: "is one more than the 65536 values that are kept; use `DistributionBand` for longer streams",
            });
        }
        let position = self.up_to(x);
        self.0.insert(position, x);
        Ok(())
    }

    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    /// The value at a position counted from zero.
    pub(super) fn at(&self, position: usize) -> Option<f64> {
        self.0.get(position).copied()
    }

    /// The number of values below `x`.
    pub(super) fn below(&self, x: f64) -> usize {
        self.0.partition_point(|value| *value < x)
    }

    /// The number of values at or below `x`.
    pub(super) fn up_to(&self, x: f64) -> usize {
        self.0.partition_point(|value| *value <= x)
    }

    pub(super) fn values(&self) -> &[f64] {
        &self.0
    }
}

impl TryFrom<Vec<f64>> for Ordered {
    type Error = CanaryError;

    fn try_from(values: Vec<f64>) -> Result<Self, CanaryError> {
        if values.len() <= CAPACITY
            && values.iter().all(|value| value.is_finite())
            && values.is_sorted()
        {
            Ok(Self(values))
        } else {
            Err(CanaryError::State {
                state: "Ordered",
                reason: "its values are not finite, not in rising order or too many",
            })
        }
    }
}

impl From<Ordered> for Vec<f64> {
    fn from(ordered: Ordered) -> Self {
        ordered.0
    }
}

const CAPACITY: usize = 65_536;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_value_that_fits_is_kept_and_the_next_refused() {
        let mut ordered = Ordered::try_from(vec![0.0; CAPACITY - 1]).unwrap();
        ordered.insert(-1.0).unwrap();
        assert_eq!(ordered.at(0), Some(-1.0));
        assert!(ordered.insert(1.0).is_err());
        assert_eq!(ordered.len(), CAPACITY);
    }
}
