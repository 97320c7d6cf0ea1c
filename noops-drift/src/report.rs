mod batch;
mod cells;
mod column;
mod correction;
mod frames;
#[cfg(feature = "html")]
mod page;
mod rates;
mod samples;
mod settings;
#[cfg(test)]
mod tests;
mod words;

use std::cmp::Ordering;

use noops_core::{Alpha, Digest};
use serde::{Deserialize, Serialize};

pub use self::cells::ColumnCells;
pub use self::column::ColumnDrift;
pub use self::correction::Correction;
use self::rates::rate;
pub use self::rates::{ColumnRates, RateKind};
pub use self::samples::SampleStatistics;
pub use self::settings::DriftSettings;
use crate::counts::Counts;
use crate::error::DriftError;
use crate::profile::Profile;

impl Profile {
    /// Compares current data with the reference, column by column.
    ///
    /// Usable values are compared by their PSI. The rates of nulls, of non-finite numbers, of unlisted categories and, for a reference of one number, of other numbers are
    /// tested on their own, so a jump in nulls is drift however rare they were and however few the rows are. The
    /// tolerance is for the PSI only: a rate that has changed at all is drift once the rows prove it.
    ///
    /// The error rate holds for all columns together, by the [`Correction`] of the settings. With Holm's, the default: if
    /// none has drifted beyond the tolerance and no rate has changed, the probability that any is called drifted is at
    /// most alpha, up to the accuracy of the law of the [`psi`](crate::statistic::psi), however the columns depend on
    /// each other. It holds for one look; looking every hour and acting on the first alarm is a different, larger error
    /// rate.
    ///
    /// # Formula
    ///
    /// If T of the n + m rows of reference and current data are null, the current nulls X are hypergeometric while the
    /// rate is unchanged, and the p-value is 2 min(P(X ≥ x), P(X ≤ x)) with X taken as binomial with T trials and
    /// probability m / (n + m), whose tails are the larger. The rarer of null and not null is counted. The p-value of a
    /// column is the smallest of its PSI and its rates, times their number (Bonferroni); rates that are 0 on both sides
    /// are not counted.
    ///
    /// # Errors
    ///
    /// [`DriftError::ProfileMismatch`] or [`DriftError::MalformedCounts`] for counts over something else,
    /// [`DriftError::InvalidSetting`].
    ///
    /// # Examples
    ///
    /// ```
    /// use noops_drift::{Counts, DriftSettings, Profile, ProfileSettings};
    ///
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let reference: Vec<f64> = (0..2_000).map(|i| f64::from(i % 100)).collect();
    /// let profile = Profile::of_values("score", &reference, &ProfileSettings::default())?;
    /// let mut today = Counts::new(&profile);
    /// today.observe_values(&profile, &(0..500).map(|i| f64::from(i % 50)).collect::<Vec<f64>>())?;
    ///
    /// let report = profile.compare(&today, &DriftSettings::default())?;
    /// assert_eq!(report.drifted().count(), 1);
    /// # Ok(())
    /// # }
    /// ```
    pub fn compare(
        &self,
        current: &Counts,
        settings: &DriftSettings,
    ) -> Result<DriftReport, DriftError> {
        current.check_made_for(self)?;
        settings.psi_test(1).validate()?;
        let peers = settings.correction().equal_shares(self.columns().len());
        let mut columns = Vec::with_capacity(self.columns().len());
        for (profile, counts) in self.columns().iter().zip(current.columns()) {
            columns.push(ColumnDrift::compare(profile, counts, settings, peers)?);
        }
        settings.correction().decide(&mut columns, settings.alpha());
        Ok(DriftReport {
            profile: self.digest(),
            alpha: settings.alpha(),
            correction: settings.correction(),
            rows_reference: self.rows(),
            rows_current: current.rows(),
            columns,
        })
    }
}

/// What [`Profile::compare`] or [`of_frames`](Self::of_frames) found.
///
/// It stores as JSON or any other format of serde, is a table as [`to_batch`](Self::to_batch), and with the feature `html`
/// a page for a person as `to_html`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[must_use]
pub struct DriftReport {
    profile: Digest,
    alpha: Alpha,
    correction: Correction,
    rows_reference: u64,
    rows_current: u64,
    columns: Vec<ColumnDrift>,
}

impl DriftReport {
    /// The digest of the profile.
    pub fn profile(&self) -> Digest {
        self.profile
    }

    /// The error rate for all columns together.
    pub fn alpha(&self) -> Alpha {
        self.alpha
    }

    /// What the error rate is a rate of.
    #[must_use]
    pub fn correction(&self) -> Correction {
        self.correction
    }

    /// Rows of the reference.
    pub fn rows_reference(&self) -> u64 {
        self.rows_reference
    }

    /// Rows of the current data.
    pub fn rows_current(&self) -> u64 {
        self.rows_current
    }

    /// Every column, in the order of the profile.
    pub fn columns(&self) -> &[ColumnDrift] {
        &self.columns
    }

    /// The columns that drifted.
    pub fn drifted(&self) -> impl Iterator<Item = &ColumnDrift> {
        self.columns
            .iter()
            .filter(|column| column.verdict().is_drift())
    }

    /// Whether any column drifted: the answer for the whole frame, at the error rate of the report.
    #[must_use]
    pub fn any_drifted(&self) -> bool {
        self.drifted().next().is_some()
    }

    /// The share of columns that drifted; 0 without columns.
    pub fn share_drifted(&self) -> f64 {
        rate(self.drifted().count() as u64, self.columns.len() as u64)
    }

    /// The column with the smallest p-value, and among equals the largest PSI.
    pub fn worst(&self) -> Option<&ColumnDrift> {
        self.columns.iter().min_by(|a, b| worse_first(a, b))
    }

    /// Every column, the [`worst`](Self::worst) first; those that drifted come before all others.
    #[must_use]
    pub fn worst_first(&self) -> Vec<&ColumnDrift> {
        let mut columns: Vec<&ColumnDrift> = self.columns.iter().collect();
        columns.sort_by(|a, b| worse_first(a, b));
        columns
    }
}

fn worse_first(a: &ColumnDrift, b: &ColumnDrift) -> Ordering {
    let by_p_value = a.p_value().total_cmp(&b.p_value());
    by_p_value.then_with(|| b.psi().statistic().total_cmp(&a.psi().statistic()))
}
