//! From two files to a report: at once where the values fit into memory, and batch by batch where they do not.

use std::num::NonZeroUsize;

use arrow_array::RecordBatch;
use noops_core::Alpha;
use noops_drift::{
    Binning, Counts, DriftReport, DriftSettings, ProfileBuilder, ProfileSettings, Quantiles,
    SampleStatistics,
};

use crate::failure::{Failure, fail};
use crate::frame::{Wanted, frames};
use crate::plan::Plan;
use crate::read::Table;

/// A report, and what the values of its columns say beyond their counts.
#[derive(Debug)]
pub(crate) struct Compared {
    report: DriftReport,
    samples: Vec<Option<SampleStatistics>>,
}

impl Compared {
    pub(crate) fn of(
        reference: &Table,
        current: &Table,
        plan: &Plan,
        alpha: Alpha,
    ) -> Result<Self, Failure> {
        Self::within(reference, current, plan, alpha, HELD)
    }

    /// Holds at most about `held` values of either file in memory.
    pub(crate) fn within(
        reference: &Table,
        current: &Table,
        plan: &Plan,
        alpha: Alpha,
        held: u64,
    ) -> Result<Self, Failure> {
        let settings = DriftSettings::default().with_alpha(alpha);
        let sides = (
            Side::new(reference, &plan.reference),
            Side::new(current, &plan.current),
        );
        if let (Some(before), Some(now)) = (sides.0.hold(held)?, sides.1.hold(held)?) {
            let profile = profile_settings(&plan.reference);
            let report = DriftReport::of_frames(&before, &now, &profile, &settings)
                .map_err(|error| refused(reference, current, &error))?;
            let samples = report
                .columns()
                .iter()
                .map(|column| column.samples().cloned())
                .collect();
            return Ok(Self { report, samples });
        }
        let report = stream(&sides.0, &sides.1, &settings)?;
        let samples = sample_in_groups(&sides.0, &sides.1, &report, &settings, held)?;
        Ok(Self { report, samples })
    }

    /// The report.
    pub(crate) fn report(&self) -> &DriftReport {
        &self.report
    }

    /// What the values say, for each column of the report.
    pub(crate) fn samples(&self) -> &[Option<SampleStatistics>] {
        &self.samples
    }
}

/// A file and what is read of it.
struct Side<'a> {
    table: &'a Table,
    wanted: Vec<Wanted>,
}

impl<'a> Side<'a> {
    fn new(table: &'a Table, wanted: &[Wanted]) -> Self {
        Self {
            table,
            wanted: wanted.to_vec(),
        }
    }

    fn only(&self, places: &[usize]) -> Self {
        let wanted = places.iter().filter_map(|place| self.wanted.get(*place));
        Self {
            table: self.table,
            wanted: wanted.cloned().collect(),
        }
    }

    /// All batches, or nothing when there are more values than `most`.
    fn hold(&self, most: u64) -> Result<Option<Vec<RecordBatch>>, Failure> {
        let width = self.wanted.len().max(1) as u64;
        let mut left = most / width;
        let mut batches = Vec::new();
        for batch in frames(self.table, self.wanted.clone())? {
            let batch = batch?;
            let Some(less) = left.checked_sub(batch.num_rows() as u64) else {
                return Ok(None);
            };
            left = less;
            batches.push(batch);
        }
        Ok(Some(batches))
    }
}

/// Two passes in bounded memory; exact for columns of up to a million different numbers, whose quantiles need no rounding.
fn stream(
    reference: &Side<'_>,
    current: &Side<'_>,
    settings: &DriftSettings,
) -> Result<DriftReport, Failure> {
    let refused = |error: &dyn std::error::Error| refused(reference.table, current.table, error);
    let mut builder = ProfileBuilder::new(profile_settings(&reference.wanted));
    for batch in frames(reference.table, reference.wanted.clone())? {
        builder.observe(&batch?).map_err(|error| refused(&error))?;
    }
    let profile = builder.finish().map_err(|error| refused(&error))?;
    let mut counts = Counts::new(&profile);
    for batch in frames(current.table, current.wanted.clone())? {
        counts
            .observe(&profile, &batch?)
            .map_err(|error| refused(&error))?;
    }
    profile
        .compare(&counts, settings)
        .map_err(|error| refused(&error))
}

/// The values of as many columns at a time as fit.
fn sample_in_groups(
    reference: &Side<'_>,
    current: &Side<'_>,
    report: &DriftReport,
    settings: &DriftSettings,
    held: u64,
) -> Result<Vec<Option<SampleStatistics>>, Failure> {
    let mut samples = vec![None; report.columns().len()];
    let rows = report.rows_reference().max(report.rows_current());
    if rows > settings.sample_limit() {
        return Ok(samples);
    }
    let numbers: Vec<usize> = report
        .columns()
        .iter()
        .enumerate()
        .filter(|(_, column)| matches!(column.cells().binning(), Binning::Number { .. }))
        .map(|(place, _)| place)
        .collect();
    let together = usize::try_from(held / rows.max(1))
        .unwrap_or(usize::MAX)
        .max(1);
    for group in numbers.chunks(together) {
        let (before, now) = (reference.only(group), current.only(group));
        // One column is taken even if it alone is more than should be held.
        let (Some(first), Some(second)) = (before.hold(u64::MAX)?, now.hold(u64::MAX)?) else {
            continue;
        };
        let profile = profile_settings(&before.wanted);
        let compared = DriftReport::of_frames(&first, &second, &profile, settings)
            .map_err(|error| refused(reference.table, current.table, &error))?;
        for (place, column) in group.iter().zip(compared.columns()) {
            if let Some(slot) = samples.get_mut(*place) {
                *slot = column.samples().cloned();
            }
        }
    }
    Ok(samples)
}

fn profile_settings(wanted: &[Wanted]) -> ProfileSettings {
    ProfileSettings::default()
        .with_columns(wanted.iter().map(|column| column.name.as_str()))
        .with_quantiles(Quantiles::Bounded { buckets: BUCKETS })
}

fn refused(reference: &Table, current: &Table, error: &dyn std::error::Error) -> Failure {
    fail(format!(
        "cannot compare `{}` with `{}`: {error}",
        current.path().display(),
        reference.path().display()
    ))
}

/// Values of either file that are held in memory: 2 GiB of them.
const HELD: u64 = 1 << 28;
/// Different numbers of a column that are told apart when its bins are cut.
const BUCKETS: NonZeroUsize = match NonZeroUsize::new(1 << 20) {
    Some(buckets) => buckets,
    None => NonZeroUsize::MIN,
};
