use arrow_array::RecordBatch;
use noops_core::Digest;
use serde::{Deserialize, Serialize};

use crate::column_counts::ColumnCounts;
use crate::error::DriftError;
use crate::frame::Values;
use crate::profile::{Binning, ColumnProfile, Profile};

/// Current data, counted in the cells of a [`Profile`].
///
/// Counts are integers, so they add up exactly: any split of the rows over batches, threads or machines, merged in any
/// order, gives the same value. They never grow with the data.
///
/// # Examples
///
/// ```
/// use noops_drift::{Counts, Profile, ProfileSettings};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let profile = Profile::of_values("score", &[0.1, 0.2, 0.3, 0.4], &ProfileSettings::default())?;
/// let mut morning = Counts::new(&profile);
/// morning.observe_values(&profile, &[0.15, 0.25])?;
/// let mut evening = Counts::new(&profile);
/// evening.observe_value(&profile, 9.0)?;
/// morning.merge(&evening)?;
/// assert_eq!(morning.rows(), 3);
/// assert_eq!(morning.columns()[0].above(), 1);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counts {
    profile: Digest,
    rows: u64,
    columns: Vec<ColumnCounts>,
}

impl Counts {
    /// Nothing counted yet, in the cells of `profile`.
    pub fn new(profile: &Profile) -> Self {
        let columns = profile
            .columns()
            .iter()
            .map(|column| ColumnCounts::empty(column.binning()))
            .collect();
        Self {
            profile: profile.digest(),
            rows: 0,
            columns,
        }
    }

    /// Counts the rows of a frame. Columns that the profile does not have are left alone.
    ///
    /// # Errors
    ///
    /// [`DriftError::MissingColumn`], [`DriftError::DuplicateColumn`], [`DriftError::UnsupportedType`] or
    /// [`DriftError::TypeChanged`] naming the column, [`DriftError::ProfileMismatch`] for another profile. Nothing is counted then.
    ///
    /// # Complexity
    ///
    /// O(log b) per value for b cells; nothing is allocated per value.
    pub fn observe(&mut self, profile: &Profile, batch: &RecordBatch) -> Result<(), DriftError> {
        self.check_made_for(profile)?;
        let mut frame = Vec::with_capacity(profile.columns().len());
        for column in profile.columns() {
            frame.push(read_as_profiled(column, batch)?);
        }
        for ((column, values), counts) in
            profile.columns().iter().zip(&frame).zip(&mut self.columns)
        {
            let binning = column.binning();
            match values {
                Values::Number(values) => {
                    values.for_each(|value| counts.observe_number(binning, value))
                }
                Values::Text(values) => {
                    values.for_each(|value| counts.observe_text(binning, value))
                }
            }
        }
        self.rows = self.rows.saturating_add(batch.num_rows() as u64);
        Ok(())
    }

    /// Counts one number, for a profile of one numeric column; NaN and infinities are counted apart.
    ///
    /// # Errors
    ///
    /// [`DriftError::NotOneNumber`] if the profile is anything else, [`DriftError::ProfileMismatch`] for another profile.
    pub fn observe_value(&mut self, profile: &Profile, value: f64) -> Result<(), DriftError> {
        self.observe_values(profile, &[value])
    }

    /// Counts numbers, for a profile of one numeric column; NaN and infinities are counted apart.
    ///
    /// # Errors
    ///
    /// [`DriftError::NotOneNumber`] if the profile is anything else, [`DriftError::ProfileMismatch`] for another profile.
    pub fn observe_values(&mut self, profile: &Profile, values: &[f64]) -> Result<(), DriftError> {
        self.check_made_for(profile)?;
        let (column, counts) = match (profile.columns(), self.columns.as_mut_slice()) {
            ([column], [counts]) if matches!(column.binning(), Binning::Number { .. }) => {
                (column, counts)
            }
            (columns, _) => {
                return Err(DriftError::NotOneNumber {
                    columns: columns.len(),
                });
            }
        };
        for value in values {
            counts.observe_number(column.binning(), Some(*value));
        }
        self.rows = self.rows.saturating_add(values.len() as u64);
        Ok(())
    }

    /// Adds what was counted elsewhere, over the same profile.
    ///
    /// # Errors
    ///
    /// [`DriftError::ProfileMismatch`] for counts over another profile, [`DriftError::MalformedCounts`] for counts that
    /// do not have its shape. Nothing is added then.
    pub fn merge(&mut self, other: &Self) -> Result<(), DriftError> {
        if self.profile != other.profile {
            return Err(DriftError::ProfileMismatch {
                profile: other.profile,
                made_for: self.profile,
            });
        }
        let same_shape = self.columns.len() == other.columns.len()
            && self
                .columns
                .iter()
                .zip(&other.columns)
                .all(|(a, b)| a.bins().len() == b.bins().len());
        if !same_shape {
            return Err(DriftError::MalformedCounts {
                column: "*".to_owned(),
            });
        }
        for (counts, more) in self.columns.iter_mut().zip(&other.columns) {
            counts.merge(more);
        }
        self.rows = self.rows.saturating_add(other.rows);
        Ok(())
    }

    /// The digest of the profile in whose cells this is counted.
    pub fn profile(&self) -> Digest {
        self.profile
    }

    /// Rows counted.
    pub fn rows(&self) -> u64 {
        self.rows
    }

    /// The counts per column, in the order of the profile.
    pub fn columns(&self) -> &[ColumnCounts] {
        &self.columns
    }

    /// Fails unless these counts are over `profile` and have its shape.
    pub(crate) fn check_made_for(&self, profile: &Profile) -> Result<(), DriftError> {
        if self.profile != profile.digest() {
            return Err(DriftError::ProfileMismatch {
                profile: profile.digest(),
                made_for: self.profile,
            });
        }
        if self.columns.len() != profile.columns().len() {
            return Err(DriftError::MalformedCounts {
                column: "*".to_owned(),
            });
        }
        let misfit = profile
            .columns()
            .iter()
            .zip(&self.columns)
            .find(|(column, counts)| column.binning().bins() != counts.bins().len());
        match misfit {
            Some((column, _)) => Err(DriftError::MalformedCounts {
                column: column.name().to_owned(),
            }),
            None => Ok(()),
        }
    }
}

fn read_as_profiled<'a>(
    column: &ColumnProfile,
    batch: &'a RecordBatch,
) -> Result<Values<'a>, DriftError> {
    let values = Values::read(batch, column.name())?;
    let (expected, found) = (column.binning().kind(), values.kind());
    if expected == found {
        Ok(values)
    } else {
        Err(DriftError::TypeChanged {
            column: column.name().to_owned(),
            expected,
            found,
        })
    }
}
