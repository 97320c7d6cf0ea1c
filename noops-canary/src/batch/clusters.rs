use crate::error::CanaryError;

use super::sample::check_sample;

/// Values grouped by the unit (the user, the session, the host) they came from.
///
/// Several values of one unit are not independent; what is drawn at random is the unit. Resampling whole units is what keeps the error
/// rate where a test of the single values would be far too sure of itself.
///
/// # Examples
///
/// ```
/// use noops_canary::batch::Clusters;
///
/// let clusters = Clusters::new(&[120.0, 130.0, 80.0], &[7, 7, 9])?;
/// assert_eq!(clusters.units(), &[7, 9]);
/// # Ok::<(), noops_canary::CanaryError>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Clusters {
    units: Vec<u64>,
    blocks: Vec<Vec<f64>>,
}

impl Clusters {
    /// Groups `values` by the unit at the same position.
    ///
    /// # Errors
    ///
    /// [`CanaryError::Length`] for columns of different lengths, [`CanaryError::TooFew`] for none, and
    /// [`CanaryError::NotFinite`].
    ///
    /// # Complexity
    ///
    /// O(n log n).
    pub fn new(values: &[f64], units: &[u64]) -> Result<Self, CanaryError> {
        if values.len() != units.len() {
            return Err(CanaryError::Length {
                column: "units",
                expected: values.len(),
                found: units.len(),
            });
        }
        check_sample("values", values, 1)?;
        let mut rows: Vec<(u64, f64)> = units.iter().copied().zip(values.iter().copied()).collect();
        rows.sort_by_key(|(unit, _)| *unit);
        let runs = || rows.chunk_by(|one, next| one.0 == next.0);
        Ok(Self {
            units: runs()
                .filter_map(|run| run.first())
                .map(|row| row.0)
                .collect(),
            blocks: runs()
                .map(|run| run.iter().map(|row| row.1).collect())
                .collect(),
        })
    }

    /// The units, in rising order.
    #[must_use]
    pub fn units(&self) -> &[u64] {
        &self.units
    }

    /// The values of each unit, in the order of the units.
    pub(crate) fn blocks(&self) -> Vec<&[f64]> {
        self.blocks.iter().map(Vec::as_slice).collect()
    }

    /// Refuses a unit that is on both sides: its values would be compared with themselves.
    pub(crate) fn check_apart(&self, other: &Self) -> Result<(), CanaryError> {
        if self
            .units
            .iter()
            .any(|unit| other.units.binary_search(unit).is_ok())
        {
            return Err(CanaryError::Input {
                input: "units",
                reason: "has a unit on both sides; leave out units that saw both models",
            });
        }
        Ok(())
    }
}

/// Every value as a unit of its own.
pub(crate) fn singly(values: &[f64]) -> Vec<&[f64]> {
    values.chunks(1).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_of_a_unit_stay_together_in_their_order() {
        let clusters = Clusters::new(&[1.0, 2.0, 3.0, 4.0], &[5, 2, 5, 2]).unwrap();
        assert_eq!(clusters.units(), &[2, 5]);
        assert_eq!(clusters.blocks(), vec![&[2.0, 4.0][..], &[1.0, 3.0][..]]);
    }

    #[test]
    fn what_cannot_be_grouped_is_refused() {
        assert!(Clusters::new(&[1.0], &[1, 2]).is_err());
        assert!(Clusters::new(&[], &[]).is_err());
        assert!(Clusters::new(&[f64::NAN], &[1]).is_err());
        let one = Clusters::new(&[1.0, 2.0], &[1, 2]).unwrap();
        let other = Clusters::new(&[1.0, 2.0], &[2, 3]).unwrap();
        assert!(one.check_apart(&other).is_err());
    }
}
