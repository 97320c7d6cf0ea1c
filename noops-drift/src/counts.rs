use arrow_array::RecordBatch;
use noops_core::Digest;
use serde::{Deserialize, Serialize};

use crate::column_counts::ColumnCounts;
use crate::error::DriftError;
use crate::frame::{Frame, Numbers, Values, unit, unit_of_names};
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
#[serde(try_from = "RawCounts")]
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
    /// For up to 32 edges every number is compared with each, at about the speed of memory for 10; with more, a table finds its bin.
    /// Texts take O(log b) for b categories, in a dictionary once per word. Nothing is allocated per value.
    pub fn observe(&mut self, profile: &Profile, batch: &RecordBatch) -> Result<(), DriftError> {
        self.check_made_for(profile)?;
        let frame = Frame::new(batch);
        let mut columns = Vec::with_capacity(profile.columns().len());
        for column in profile.columns() {
            columns.push(read_as_profiled(column, &frame)?);
        }
        self.observe_columns(profile, &columns);
        self.rows = self.rows.saturating_add(batch.num_rows() as u64);
        Ok(())
    }

    fn observe_columns(&mut self, profile: &Profile, columns: &[Values<'_>]) {
        let counters = profile.columns().iter().zip(profile.counters());
        for (((column, counter), values), counts) in counters.zip(columns).zip(&mut self.columns) {
            match (counter, values) {
                (Some(counter), Values::Number(values)) => counts.observe_numbers(counter, values),
                (None, Values::Text(values)) => counts.observe_texts(column.binning(), values),
                // Read as profiled, so the kinds agree.
                _ => {}
            }
        }
    }

    /// Counts one number, for a profile of one numeric column; NaN and infinities are counted apart.
    ///
    /// # Errors
    ///
    /// [`DriftError::NotOneNumber`] if the profile is anything else, [`DriftError::ProfileMismatch`] for another profile.
    pub fn observe_value(&mut self, profile: &Profile, value: f64) -> Result<(), DriftError> {
        self.check_one_number(profile)?;
        if let ([column], [counts]) = (profile.columns(), self.columns.as_mut_slice()) {
            counts.observe_value(column.binning(), value);
        }
        self.rows = self.rows.saturating_add(1);
        Ok(())
    }

    /// Counts numbers, for a profile of one numeric column; NaN and infinities are counted apart.
    ///
    /// # Errors
    ///
    /// [`DriftError::NotOneNumber`] if the profile is anything else, [`DriftError::ProfileMismatch`] for another profile.
    pub fn observe_values(&mut self, profile: &Profile, values: &[f64]) -> Result<(), DriftError> {
        self.check_one_number(profile)?;
        self.observe_columns(profile, &[Values::Number(Numbers::of_slice(values))]);
        self.rows = self.rows.saturating_add(values.len() as u64);
        Ok(())
    }

    /// Counts the rows of a view whose columns are those of the profile, in their order; all are numbers.
    ///
    /// # Errors
    ///
    /// [`DriftError::InvalidInput`] unless there are as many columns as the profile has, [`DriftError::TypeChanged`] naming a
    /// column of the profile that is no number, [`DriftError::ProfileMismatch`] for another profile. Nothing is counted then.
    #[cfg(feature = "ndarray")]
    pub fn observe_array(
        &mut self,
        profile: &Profile,
        rows: ndarray::ArrayView2<'_, f64>,
    ) -> Result<(), DriftError> {
        self.check_made_for(profile)?;
        let columns = crate::array::columns(rows, profile.columns().len())?;
        if let Some(column) = profile
            .columns()
            .iter()
            .find(|column| !matches!(column.binning(), Binning::Number { .. }))
        {
            return Err(DriftError::TypeChanged {
                column: column.name().to_owned(),
                expected: column.binning().kind(),
                found: crate::frame::NUMBER,
            });
        }
        let values: Vec<Values<'_>> = columns
            .iter()
            .map(|column| Values::Number(Numbers::of_slice(column)))
            .collect();
        self.observe_columns(profile, &values);
        self.rows = self.rows.saturating_add(rows.nrows() as u64);
        Ok(())
    }

    fn check_one_number(&self, profile: &Profile) -> Result<(), DriftError> {
        self.check_made_for(profile)?;
        match profile.columns() {
            [column] if matches!(column.binning(), Binning::Number { .. }) => Ok(()),
            columns => Err(DriftError::NotOneNumber {
                columns: columns.len(),
            }),
        }
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

/// What counts are read from, before they are checked.
#[derive(Deserialize)]
struct RawCounts {
    profile: Digest,
    rows: u64,
    columns: Vec<ColumnCounts>,
}

impl TryFrom<RawCounts> for Counts {
    type Error = DriftError;

    fn try_from(raw: RawCounts) -> Result<Self, DriftError> {
        let sound = |counts: &ColumnCounts| {
            counts.exact_rows() == u128::from(raw.rows) && counts.out_of_range() <= counts.present()
        };
        match raw.columns.iter().position(|counts| !sound(counts)) {
            Some(column) => Err(DriftError::InvalidState {
                state: "counts",
                reason: format!(
                    "the cells of column `{column}` do not add up to the `{}` rows",
                    raw.rows
                ),
            }),
            None => Ok(Self {
                profile: raw.profile,
                rows: raw.rows,
                columns: raw.columns,
            }),
        }
    }
}

fn read_as_profiled<'a>(
    column: &ColumnProfile,
    frame: &Frame<'a>,
) -> Result<Values<'a>, DriftError> {
    let values = frame.values(column.name())?;
    let changed = |expected, found| {
        Err(DriftError::TypeChanged {
            column: column.name().to_owned(),
            expected,
            found,
        })
    };
    let (expected, found) = (column.binning().kind(), values.kind());
    if expected != found {
        return changed(expected, found);
    }
    // Milliseconds in the bins of seconds are all above the last; plain numbers may be of any unit.
    let found = unit(frame.array(column.name())?.data_type());
    match (found, found.and_then(|_| unit_of_names(column.types()))) {
        (Some(found), Some(expected)) if expected != found => changed(expected, found),
        _ => Ok(values),
    }
}
