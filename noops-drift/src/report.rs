use noops_core::{Alpha, Digest};
use serde::{Deserialize, Serialize};

use crate::column_counts::ColumnCounts;
use crate::counts::Counts;
use crate::error::DriftError;
use crate::profile::{ColumnProfile, Profile};
use crate::statistic::{Comparison, PsiSettings, Verdict, jensen_shannon_distance, psi};

impl Profile {
    /// Compares current data with the reference, column by column.
    ///
    /// Nulls, non-finite numbers and unlisted categories are cells of their own, so a jump in nulls is drift. The error
    /// rate holds for all columns together (Holm's procedure): if none has drifted beyond the tolerance, the probability
    /// that any is called drifted is at most alpha, however the columns depend on each other. It holds for one look;
    /// looking every hour and acting on the first alarm is a different, larger error rate.
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
        let share = match std::num::NonZeroUsize::new(self.columns().len()) {
            Some(columns) => settings.alpha.split(columns),
            None => settings.alpha,
        };
        let test = PsiSettings::default()
            .with_alpha(share)
            .with_tolerance(settings.tolerance)
            .with_relevant(settings.relevant);
        test.validate()?;
        let mut columns = Vec::with_capacity(self.columns().len());
        for (profile, counts) in self.columns().iter().zip(current.columns()) {
            columns.push(ColumnDrift::compare(profile, counts, &test)?);
        }
        reject_step_down(&mut columns, settings.alpha);
        Ok(DriftReport {
            profile: self.digest(),
            alpha: settings.alpha,
            rows_reference: self.rows(),
            rows_current: current.rows(),
            columns,
        })
    }
}

/// The error rate of [`Profile::compare`], the shift it forgives and the shift it must not miss.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct DriftSettings {
    alpha: Alpha,
    tolerance: f64,
    relevant: f64,
}

impl DriftSettings {
    /// Sets the error rate for all columns together; 5 % unless set.
    #[must_use]
    pub fn with_alpha(mut self, alpha: Alpha) -> Self {
        self.alpha = alpha;
        self
    }

    /// Sets the true PSI up to which a column counts as unchanged; 0.02 unless set.
    #[must_use]
    pub fn with_tolerance(mut self, tolerance: f64) -> Self {
        self.tolerance = tolerance;
        self
    }

    /// Sets the true PSI that "no drift" must be able to rule out; 0.25 unless set.
    #[must_use]
    pub fn with_relevant(mut self, relevant: f64) -> Self {
        self.relevant = relevant;
        self
    }

    /// The error rate for all columns together.
    pub fn alpha(&self) -> Alpha {
        self.alpha
    }

    /// The true PSI up to which a column counts as unchanged.
    pub fn tolerance(&self) -> f64 {
        self.tolerance
    }

    /// The true PSI that "no drift" must be able to rule out.
    pub fn relevant(&self) -> f64 {
        self.relevant
    }
}

impl Default for DriftSettings {
    fn default() -> Self {
        Self {
            alpha: Alpha::FIVE_PERCENT,
            tolerance: 0.02,
            relevant: 0.25,
        }
    }
}

/// What [`Profile::compare`] found.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[must_use]
pub struct DriftReport {
    profile: Digest,
    alpha: Alpha,
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
            .filter(|column| column.verdict.is_drift())
    }

    /// The share of columns that drifted; 0 without columns.
    pub fn share_drifted(&self) -> f64 {
        rate(self.drifted().count() as u64, self.columns.len() as u64)
    }

    /// The column with the smallest p-value, and among equals the largest PSI.
    pub fn worst(&self) -> Option<&ColumnDrift> {
        self.columns.iter().min_by(|a, b| {
            let by_p_value = a.psi.p_value().total_cmp(&b.psi.p_value());
            by_p_value.then_with(|| b.psi.statistic().total_cmp(&a.psi.statistic()))
        })
    }
}

/// How one column changed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ColumnDrift {
    column: String,
    psi: Comparison,
    jensen_shannon: f64,
    adjusted_p_value: f64,
    reference: ColumnRates,
    current: ColumnRates,
    verdict: Verdict,
}

impl ColumnDrift {
    fn compare(
        profile: &ColumnProfile,
        current: &ColumnCounts,
        test: &PsiSettings,
    ) -> Result<Self, DriftError> {
        let reference_cells = profile.counts().all_cells();
        let current_cells = current.all_cells();
        let psi = psi(&reference_cells, &current_cells, test)?;
        Ok(Self {
            column: profile.name().to_owned(),
            jensen_shannon: jensen_shannon_distance(&reference_cells, &current_cells)?,
            adjusted_p_value: psi.p_value(),
            reference: ColumnRates::of(profile.counts()),
            current: ColumnRates::of(current),
            verdict: psi.verdict(),
            psi,
        })
    }

    /// The column.
    pub fn column(&self) -> &str {
        &self.column
    }

    /// The PSI over all cells, tested at this column's equal share of alpha.
    pub fn psi(&self) -> &Comparison {
        &self.psi
    }

    /// The Jensen–Shannon distance over all cells, from 0 to 1.
    pub fn jensen_shannon(&self) -> f64 {
        self.jensen_shannon
    }

    /// Holm's p-value: the smallest error rate for all columns together at which this column is called drifted.
    pub fn adjusted_p_value(&self) -> f64 {
        self.adjusted_p_value
    }

    /// Rates in the reference.
    pub fn reference(&self) -> ColumnRates {
        self.reference
    }

    /// Rates in the current data.
    pub fn current(&self) -> ColumnRates {
        self.current
    }

    /// The answer, with the error rate held for all columns together.
    pub fn verdict(&self) -> Verdict {
        self.verdict
    }
}

/// How often the values of a column are not what they should be.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct ColumnRates {
    missing: f64,
    not_finite: f64,
    unseen: f64,
    out_of_range: f64,
}

impl ColumnRates {
    fn of(counts: &ColumnCounts) -> Self {
        let rows = counts.rows();
        let present = counts.present();
        Self {
            missing: rate(counts.missing(), rows),
            not_finite: rate(counts.not_finite(), rows),
            unseen: rate(counts.unseen(), present),
            out_of_range: rate(counts.out_of_range(), present),
        }
    }

    /// The share of rows that are null.
    pub fn missing(&self) -> f64 {
        self.missing
    }

    /// The share of rows that are NaN or infinite.
    pub fn not_finite(&self) -> f64 {
        self.not_finite
    }

    /// The share of usable values that are categories the profile does not list.
    pub fn unseen(&self) -> f64 {
        self.unseen
    }

    /// The share of usable values that are outside the range of the reference.
    pub fn out_of_range(&self) -> f64 {
        self.out_of_range
    }
}

/// Holm's procedure: the i-th smallest of m p-values is multiplied by m − i + 1, and never falls below the one before it.
fn reject_step_down(columns: &mut [ColumnDrift], alpha: Alpha) {
    let mut left = columns.len() as f64;
    let mut order: Vec<&mut ColumnDrift> = columns.iter_mut().collect();
    order.sort_by(|a, b| a.psi.p_value().total_cmp(&b.psi.p_value()));
    let mut floor = 0.0_f64;
    for column in order {
        let adjusted = (column.psi.p_value() * left).min(1.0).max(floor);
        column.adjusted_p_value = adjusted;
        if adjusted < alpha.get() {
            column.verdict = Verdict::Drift;
        }
        floor = adjusted;
        left -= 1.0;
    }
}

fn rate(part: u64, whole: u64) -> f64 {
    if whole == 0 {
        0.0
    } else {
        part as f64 / whole as f64
    }
}

#[cfg(test)]
mod tests;
