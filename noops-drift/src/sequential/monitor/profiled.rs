use arrow_array::RecordBatch;
use noops_core::Alpha;

use super::{ColumnReference, DriftMonitor, Intake, Observation};
use crate::error::DriftError;
use crate::frame::{Frame, Values};
use crate::profile::{Binning, ColumnProfile, Profile, Quantile};
use crate::sequential::category_reference::CategoryReference;
use crate::sequential::reference::ReferenceCdf;

impl ColumnReference {
    /// What a column of a profile says: the quantiles of a number, the listed categories of a text, and the missing rows.
    ///
    /// NaN is missing, as a null is; an infinity is in the outermost cell, and so is a number beyond the reference's range.
    /// Only where the reference has a single number does everything else have cells of its own.
    ///
    /// # Errors
    ///
    /// [`DriftError::InvalidInput`] for a text with more than 4,096 listed categories.
    pub fn of_profile(column: &ColumnProfile) -> Result<Self, DriftError> {
        let counts = column.counts();
        match column.binning() {
            Binning::Number { .. } => {
                let (edges, mut cells) = cells(column);
                if let Some(first) = cells.first_mut() {
                    *first = first.saturating_add(counts.negative_infinity());
                }
                if let Some(last) = cells.last_mut() {
                    *last = last.saturating_add(counts.positive_infinity());
                }
                let cdf = ReferenceCdf::from_cells(&edges, &cells)?.with_missing(missing(column));
                Ok(Self::number(column.name(), cdf))
            }
            Binning::Category { .. } => Ok(Self::category(column.name(), categories(column)?)),
        }
    }
}

impl DriftMonitor {
    /// Watches every column of a profile; feed it with [`observe_batch`](Self::observe_batch).
    ///
    /// # Errors
    ///
    /// [`DriftError::InvalidInput`] for a profile without a column, or with a text of more than 4,096 listed categories.
    ///
    /// # Examples
    ///
    /// ```
    /// use std::sync::Arc;
    ///
    /// use arrow_array::{ArrayRef, Float64Array, RecordBatch};
    /// use noops_core::Alpha;
    /// use noops_drift::sequential::DriftMonitor;
    /// use noops_drift::{Profile, ProfileSettings};
    ///
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let frame = |from: i32| {
    ///     let x: ArrayRef = Arc::new(Float64Array::from_iter_values((0..2_000).map(|i| f64::from(i * 37 % 1_000 + from))));
    ///     RecordBatch::try_from_iter([("x", x)])
    /// };
    /// let profile = Profile::fit(&[frame(0)?], &ProfileSettings::default())?;
    /// let mut monitor = DriftMonitor::of_profile(&profile, Alpha::ONE_PERCENT)?;
    /// monitor.observe_batch(0, &profile, &frame(0)?)?;
    /// assert_eq!(monitor.evidence().alarmed_at(), None);
    /// monitor.observe_batch(2_000, &profile, &frame(500)?)?;
    /// assert!(monitor.evidence().alarmed_at().is_some());
    /// # Ok(())
    /// # }
    /// ```
    pub fn of_profile(profile: &Profile, alpha: Alpha) -> Result<Self, DriftError> {
        let columns: Result<Vec<ColumnReference>, DriftError> = profile
            .columns()
            .iter()
            .map(ColumnReference::of_profile)
            .collect();
        Self::new(&columns?, alpha)
    }

    /// Counts the rows of a batch, the first of which has the given offset. Rows that were counted before are left alone.
    ///
    /// # Errors
    ///
    /// [`DriftError::InvalidInput`] when the offset leaves a gap, the rows do not all have an offset below `u64::MAX`, or the
    /// profile has other columns or other counts of categories than the one the monitor was made of, and
    /// [`DriftError::MissingColumn`], [`DriftError::DuplicateColumn`], [`DriftError::UnsupportedType`] or
    /// [`DriftError::TypeChanged`] naming the column. No row is counted then.
    ///
    /// # Complexity
    ///
    /// The cells of the batch are held in memory once more.
    pub fn observe_batch(
        &mut self,
        offset: u64,
        profile: &Profile,
        batch: &RecordBatch,
    ) -> Result<Intake, DriftError> {
        let rows = batch.num_rows() as u64;
        let known = profile.columns().iter().map(ColumnProfile::name);
        if !known.eq(self.columns.iter().map(super::Column::name)) {
            return Err(DriftError::InvalidInput {
                input: "profile",
                reason: "has other columns than the monitor; pass the profile it was made of"
                    .to_owned(),
            });
        }
        let frame = Frame::new(batch);
        let mut columns = Vec::with_capacity(self.columns.len());
        for (profile, column) in profile.columns().iter().zip(&self.columns) {
            let values = frame.values(profile.name())?;
            let (expected, found) = (profile.binning().kind(), values.kind());
            let fits = match &values {
                Values::Number(_) => Observation::Number(0.0),
                Values::Text(_) => Observation::Unlisted,
            };
            if expected != found {
                return Err(DriftError::TypeChanged {
                    column: profile.name().to_owned(),
                    expected,
                    found,
                });
            }
            column.check(fits)?;
            // The profile gives each category its place, which means nothing in another reference.
            if let Some(reference) = column.categories()
                && *reference != categories(profile)?
            {
                return Err(DriftError::InvalidInput {
                    input: "profile",
                    reason: format!(
                        "counts other categories in column `{}` than the monitor; pass the profile it was made of",
                        profile.name()
                    ),
                });
            }
            columns.push(observations(profile.binning(), &values));
        }
        let Some(end) = offset.checked_add(rows) else {
            return Err(DriftError::InvalidInput {
                input: "offset",
                reason: format!("`{offset}` leaves no number for the last of `{rows}` rows"),
            });
        };
        if end <= self.next_offset {
            return Ok(Intake::AlreadyCounted);
        }
        self.check(offset.max(self.next_offset), columns.len())?;
        let counted = self.next_offset.saturating_sub(offset) as usize;
        let mut row = vec![Observation::Missing; columns.len()];
        for index in counted..batch.num_rows() {
            for (value, column) in row.iter_mut().zip(&columns) {
                *value = column.get(index).copied().unwrap_or(Observation::Missing);
            }
            self.observe(self.next_offset, &row)?;
        }
        Ok(Intake::Counted)
    }
}

fn observations(binning: &Binning, values: &Values<'_>) -> Vec<Observation> {
    let mut observations = Vec::new();
    match values {
        Values::Number(numbers) => {
            numbers.for_each(|value| {
                observations.push(value.map_or(Observation::Missing, Observation::Number))
            });
        }
        Values::Text(texts) => texts.for_each(|word| {
            observations.push(match word {
                None => Observation::Missing,
                Some(word) => binning
                    .bin_of_category(word)
                    .map_or(Observation::Unlisted, Observation::Category),
            });
        }),
    }
    observations
}

fn missing(column: &ColumnProfile) -> u64 {
    let counts = column.counts();
    counts.missing().saturating_add(counts.nan())
}

fn categories(column: &ColumnProfile) -> Result<CategoryReference, DriftError> {
    let counts = column.counts();
    Ok(CategoryReference::new(counts.bins())?
        .with_unlisted(counts.unseen())
        .with_missing(missing(column)))
}

/// The bounds of the cells, and the finite numbers of the reference in each.
///
/// The last quantile ends the reference and not a cell. A reference of a single number would so have one cell, in which
/// nothing ever changes; there the numbers below and above have cells of their own, which the reference has nothing in.
fn cells(column: &ColumnProfile) -> (Vec<f64>, Vec<u64>) {
    let present = column.counts().present();
    if let Some(range) = column.binning().range()
        && range.min() == range.max()
    {
        let below = range.min().next_down();
        return if below.is_finite() {
            (vec![below, range.min()], vec![0, present, 0])
        } else {
            (vec![range.min()], vec![present, 0])
        };
    }
    let ends = column.quantiles().len().saturating_sub(1);
    let inner = column.quantiles().iter().take(ends);
    let edges = inner.clone().map(Quantile::value).collect();
    let mut below = 0_u64;
    let mut cells: Vec<u64> = inner
        .map(|quantile| {
            let cell = quantile.at_most().saturating_sub(below);
            below = quantile.at_most();
            cell
        })
        .collect();
    cells.push(present.saturating_sub(below));
    (edges, cells)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow_array::{ArrayRef, Float64Array, StringArray};

    use super::*;
    use crate::profile::ProfileSettings;
    use crate::testing::{Draws as _, SplitMix64};

    fn frame(rows: usize, seed: u64, shift: f64) -> RecordBatch {
        let mut random = SplitMix64(seed);
        let x: ArrayRef = Arc::new(Float64Array::from_iter(
            (0..rows).map(|row| (row % 10 > 0).then(|| random.bell() + shift)),
        ));
        let word: ArrayRef = Arc::new(StringArray::from_iter_values(
            (0..rows).map(|_| ["a", "b", "c"][(random.next() % 3) as usize]),
        ));
        RecordBatch::try_from_iter([("x", x), ("word", word)]).unwrap()
    }

    fn monitor() -> (Profile, DriftMonitor) {
        let profile = Profile::fit(&[frame(20_000, 1, 0.0)], &ProfileSettings::default()).unwrap();
        let monitor = DriftMonitor::of_profile(&profile, Alpha::ONE_PERCENT).unwrap();
        (profile, monitor)
    }

    #[test]
    fn a_batch_and_its_rows_one_by_one_are_the_same() {
        let (profile, mut whole) = monitor();
        let mut parts = whole.clone();
        let batch = frame(500, 2, 0.3);
        assert_eq!(
            whole.observe_batch(0, &profile, &batch),
            Ok(Intake::Counted)
        );
        for row in 0..500 {
            parts
                .observe_batch(row as u64, &profile, &batch.slice(row, 1))
                .unwrap();
        }
        assert_eq!(whole, parts);
    }

    #[test]
    fn overlapping_batches_count_every_row_once() {
        let (profile, mut once) = monitor();
        let mut again = once.clone();
        let batch = frame(300, 3, 0.0);
        once.observe_batch(0, &profile, &batch).unwrap();
        again
            .observe_batch(0, &profile, &batch.slice(0, 200))
            .unwrap();
        assert_eq!(
            again.observe_batch(0, &profile, &batch.slice(0, 200)),
            Ok(Intake::AlreadyCounted)
        );
        assert_eq!(
            again.observe_batch(100, &profile, &batch.slice(100, 200)),
            Ok(Intake::Counted)
        );
        assert_eq!(once, again);
    }

    #[test]
    fn a_gap_or_another_column_counts_nothing() {
        let (profile, mut monitor) = monitor();
        let before = monitor.clone();
        assert!(
            monitor
                .observe_batch(1, &profile, &frame(10, 4, 0.0))
                .is_err()
        );
        let x: ArrayRef = Arc::new(Float64Array::from(vec![1.0]));
        let narrow = RecordBatch::try_from_iter([("x", x)]).unwrap();
        assert!(monitor.observe_batch(0, &profile, &narrow).is_err());
        assert_eq!(monitor, before);
    }

    #[test]
    fn a_batch_that_ends_beyond_the_last_offset_counts_nothing() {
        let (profile, monitor) = monitor();
        for start in [u64::MAX - 3, u64::MAX] {
            let mut late = monitor.clone().starting_at(start);
            let before = late.clone();
            assert!(matches!(
                late.observe_batch(start, &profile, &frame(10, 7, 0.0)),
                Err(DriftError::InvalidInput {
                    input: "offset",
                    ..
                })
            ));
            assert_eq!(late, before);
        }
        let mut late = monitor.starting_at(u64::MAX - 3);
        late.observe_batch(u64::MAX - 3, &profile, &frame(3, 7, 0.0))
            .unwrap();
        assert_eq!(late.rows(), 3);
    }

    /// With an `a` in front every category has another place.
    #[test]
    fn a_profile_with_other_categories_counts_nothing() {
        let profile_of = |words: &[&str]| {
            let words: ArrayRef = Arc::new(StringArray::from_iter_values(words));
            let batch = RecordBatch::try_from_iter([("word", words)]).unwrap();
            Profile::fit(&[batch], &ProfileSettings::default()).unwrap()
        };
        let profile = profile_of(&["b", "c", "c"]);
        let other = profile_of(&["a", "b", "c", "c"]);
        let mut monitor = DriftMonitor::of_profile(&profile, Alpha::ONE_PERCENT).unwrap();
        let before = monitor.clone();
        let batch = frame(10, 8, 0.0);
        assert!(matches!(
            monitor.observe_batch(0, &other, &batch),
            Err(DriftError::InvalidInput {
                input: "profile",
                ..
            })
        ));
        assert_eq!(monitor, before);
        assert_eq!(
            monitor.observe_batch(0, &profile, &batch),
            Ok(Intake::Counted)
        );
    }

    #[test]
    fn a_constant_that_changes_is_found_on_either_side_and_at_the_end_of_the_numbers() {
        let constant = |value: f64, rows: usize| {
            let x: ArrayRef = Arc::new(Float64Array::from(vec![value; rows]));
            RecordBatch::try_from_iter([("x", x)]).unwrap()
        };
        for (was, is) in [(7.0, 6.5), (7.0, 7.5), (0.0, -1e-300), (f64::MIN, 0.0)] {
            let profile =
                Profile::fit(&[constant(was, 2_000)], &ProfileSettings::default()).unwrap();
            let mut monitor = DriftMonitor::of_profile(&profile, Alpha::ONE_PERCENT).unwrap();
            monitor
                .observe_batch(0, &profile, &constant(was, 2_000))
                .unwrap();
            assert_eq!(monitor.evidence().alarmed_at(), None, "{was}");
            monitor
                .observe_batch(2_000, &profile, &constant(is, 300))
                .unwrap();
            assert!(
                monitor.evidence().alarmed_at().is_some(),
                "{was} became {is}"
            );
        }
    }

    #[test]
    fn a_shift_of_one_column_is_found_and_named() {
        let (profile, mut monitor) = monitor();
        monitor
            .observe_batch(0, &profile, &frame(5_000, 5, 0.0))
            .unwrap();
        assert_eq!(monitor.evidence().alarmed_at(), None);
        monitor
            .observe_batch(5_000, &profile, &frame(500, 6, 1.0))
            .unwrap();
        let evidence = monitor.evidence();
        assert!(
            evidence.alarmed_at().is_some_and(|row| row < 5_200),
            "{evidence:?}"
        );
        assert_eq!(evidence.drifted().collect::<Vec<_>>(), ["x"]);
    }
}
