use arrow_array::RecordBatch;

use super::DriftReport;
use super::samples::SampleStatistics;
use super::settings::DriftSettings;
use crate::counts::Counts;
use crate::error::DriftError;
use crate::frame::{Block, Frame, Values};
use crate::profile::{Binning, Profile, ProfileSettings};
use crate::statistic::{SortedSample, TestSettings};

impl DriftReport {
    /// Compares two frames that are at hand, each in one or more batches, their values included.
    ///
    /// What [`Profile::fit`] and [`Profile::compare`] say, and for each column of numbers the
    /// [`SampleStatistics`], if neither side has more rows than [`DriftSettings::sample_limit`]. The verdicts are those of
    /// the counts, so they are the same with and without the values.
    ///
    /// # Errors
    ///
    /// As of [`Profile::fit`] for the reference, as of [`Counts::observe`] for the current data, and
    /// [`DriftError::InvalidSetting`]. With a sample limit above a thousand million,
    /// [`DriftError::InvalidInput`] for more values than the sums of [`cramer_von_mises`](crate::statistic::cramer_von_mises)
    /// can hold.
    ///
    /// # Complexity
    ///
    /// The values of one column at a time are copied and sorted.
    ///
    /// # Examples
    ///
    /// ```
    /// use std::sync::Arc;
    ///
    /// use arrow_array::{ArrayRef, Float64Array, RecordBatch};
    /// use noops_drift::{DriftReport, DriftSettings, ProfileSettings};
    ///
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let frame = |shift: f64| {
    ///     let age: ArrayRef = Arc::new(Float64Array::from_iter_values(
    ///         (0..1_000).map(|row| f64::from(row % 100) + shift),
    ///     ));
    ///     RecordBatch::try_from_iter([("age", age)])
    /// };
    /// let report = DriftReport::of_frames(
    ///     &[frame(0.0)?],
    ///     &[frame(30.0)?],
    ///     &ProfileSettings::default(),
    ///     &DriftSettings::default(),
    /// )?;
    /// assert!(report.any_drifted());
    /// let samples = report.columns()[0].samples().expect("a thousand rows are few");
    /// assert!((samples.ks().statistic() - 0.3).abs() < 1e-12);
    /// # Ok(())
    /// # }
    /// ```
    pub fn of_frames(
        reference: &[RecordBatch],
        current: &[RecordBatch],
        profile: &ProfileSettings,
        drift: &DriftSettings,
    ) -> Result<Self, DriftError> {
        let profile = Profile::fit(reference, profile)?;
        let mut counts = Counts::new(&profile);
        for batch in current {
            counts.observe(&profile, batch)?;
        }
        let mut report = profile.compare(&counts, drift)?;
        if report.rows_reference.max(report.rows_current) > drift.sample_limit() {
            return Ok(report);
        }
        let test = TestSettings::default().with_alpha(drift.alpha());
        let reference: Vec<Frame<'_>> = reference.iter().map(Frame::new).collect();
        let current: Vec<Frame<'_>> = current.iter().map(Frame::new).collect();
        for column in &mut report.columns {
            if let Binning::Number { .. } = column.cells().binning() {
                let before = sample(&reference, column.column())?;
                let now = sample(&current, column.column())?;
                column.attach(SampleStatistics::compare(&before, &now, &test)?);
            }
        }
        Ok(report)
    }
}

/// The numbers of a column, whose nulls and NaN the sample leaves out.
fn sample(frames: &[Frame<'_>], column: &str) -> Result<SortedSample, DriftError> {
    let mut numbers: Vec<f64> = Vec::new();
    for frame in frames {
        if let Values::Number(values) = frame.values(column)? {
            numbers.reserve(values.len());
            // A block holds nulls as NaN.
            values.for_each_block(|block| match block {
                Block::Narrow(values) => {
                    numbers.extend(values.iter().map(|value| f64::from(*value)))
                }
                Block::Wide(values) => numbers.extend_from_slice(values),
            });
        }
    }
    Ok(SortedSample::new(&numbers))
}
