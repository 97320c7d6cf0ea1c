mod rates;
#[cfg(test)]
mod tests;

use std::num::NonZeroUsize;

use noops_core::{Alpha, Digest};
use serde::{Deserialize, Serialize};

pub use self::rates::{ColumnRates, RateKind};
use self::rates::{RateTest, rate};
use crate::column_counts::ColumnCounts;
use crate::counts::Counts;
use crate::error::DriftError;
use crate::profile::{ColumnProfile, Profile};
use crate::statistic::{Comparison, PsiSettings, Verdict, jensen_shannon_distance, psi};

impl Profile {
    /// Compares current data with the reference, column by column.
    ///
    /// Usable values are compared by their PSI. The rates of nulls, of non-finite numbers and of unlisted categories are
    /// tested on their own, so a jump in nulls is drift however rare they were and however few the rows are. The
    /// tolerance is for the PSI only: a rate that has changed at all is drift once the rows prove it.
    ///
    /// The error rate holds for all columns together (Holm's procedure): if none has drifted beyond the tolerance and no
    /// rate has changed, the probability that any is called drifted is at most alpha, up to the accuracy of [`psi`]'s
    /// law, however the columns depend on each other. It holds for one look; looking every hour and acting on the first
    /// alarm is a different, larger error rate.
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
        let peers = self.columns().len();
        let mut columns = Vec::with_capacity(peers);
        for (profile, counts) in self.columns().iter().zip(current.columns()) {
            columns.push(ColumnDrift::compare(profile, counts, settings, peers)?);
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

    /// Sets the true PSI up to which the values of a column count as unchanged; 0.02 unless set.
    ///
    /// The rates of nulls, non-finite numbers and unlisted categories have no tolerance.
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

    /// The true PSI up to which the values of a column count as unchanged.
    pub fn tolerance(&self) -> f64 {
        self.tolerance
    }

    /// The true PSI that "no drift" must be able to rule out.
    pub fn relevant(&self) -> f64 {
        self.relevant
    }

    /// The PSI test that is one of `tests` with equal shares of alpha.
    fn psi_test(&self, tests: usize) -> PsiSettings {
        let share = match NonZeroUsize::new(tests) {
            Some(tests) => self.alpha.split(tests),
            None => self.alpha,
        };
        PsiSettings::default()
            .with_alpha(share)
            .with_tolerance(self.tolerance)
            .with_relevant(self.relevant)
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
            let by_p_value = a.p_value.total_cmp(&b.p_value);
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
    strongest_rate: Option<RateTest>,
    p_value: f64,
    adjusted_p_value: f64,
    jumped: Option<RateKind>,
    reference: ColumnRates,
    current: ColumnRates,
    verdict: Verdict,
}

impl ColumnDrift {
    fn compare(
        profile: &ColumnProfile,
        current: &ColumnCounts,
        settings: &DriftSettings,
        columns: usize,
    ) -> Result<Self, DriftError> {
        let reference = profile.counts();
        let rates = RateTest::all(reference, current);
        let tests = rates.len() + 1;
        let psi = psi(
            &reference.value_cells(),
            &current.value_cells(),
            &settings.psi_test(columns.saturating_mul(tests)),
        )?;
        let strongest_rate = rates
            .into_iter()
            .min_by(|a, b| a.p_value.total_cmp(&b.p_value))
            .map(|rate| RateTest {
                p_value: (rate.p_value * tests as f64).min(1.0),
                ..rate
            });
        let by_rate = strongest_rate.map_or(1.0, |rate| rate.p_value);
        let p_value = (psi.p_value() * tests as f64).min(by_rate);
        Ok(Self {
            column: profile.name().to_owned(),
            jensen_shannon: jensen_shannon_distance(&reference.all_cells(), &current.all_cells())?,
            strongest_rate,
            p_value,
            adjusted_p_value: p_value,
            jumped: None,
            reference: ColumnRates::of(reference),
            current: ColumnRates::of(current),
            verdict: psi.verdict(),
            psi,
        })
    }

    /// The column.
    pub fn column(&self) -> &str {
        &self.column
    }

    /// The PSI of usable values, tested at this test's equal share of alpha.
    ///
    /// Nulls and non-finite numbers are not in it; see [`jumped`](Self::jumped) and [`rate_p_value`](Self::rate_p_value).
    pub fn psi(&self) -> &Comparison {
        &self.psi
    }

    /// The Jensen–Shannon distance over all cells, from 0 to 1.
    pub fn jensen_shannon(&self) -> f64 {
        self.jensen_shannon
    }

    /// The p-value of the rate whose change is the most surprising, times the number of tests of this column; 1 without
    /// a null, a non-finite number or an unlisted category on either side.
    pub fn rate_p_value(&self) -> f64 {
        self.strongest_rate.map_or(1.0, |rate| rate.p_value)
    }

    /// The rate whose change is enough for the verdict; of several, the most surprising one.
    ///
    /// Nothing when the verdict is not drift, or when it is for the PSI alone. The rate may also have fallen: compare
    /// [`reference`](Self::reference) and [`current`](Self::current).
    pub fn jumped(&self) -> Option<RateKind> {
        self.jumped
    }

    /// The p-value of the column: the smallest of its PSI and its rates, times their number.
    pub fn p_value(&self) -> f64 {
        self.p_value
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

/// Holm's procedure: the i-th smallest of m p-values is multiplied by m − i + 1, and never falls below the one before it.
fn reject_step_down(columns: &mut [ColumnDrift], alpha: Alpha) {
    let mut left = columns.len() as f64;
    let mut order: Vec<&mut ColumnDrift> = columns.iter_mut().collect();
    order.sort_by(|a, b| a.p_value.total_cmp(&b.p_value));
    let mut floor = 0.0_f64;
    for column in order {
        let adjusted = (column.p_value * left).min(1.0).max(floor);
        column.adjusted_p_value = adjusted;
        if adjusted < alpha.get() {
            column.verdict = Verdict::Drift;
            column.jumped = column
                .strongest_rate
                .filter(|rate| rate.p_value * left < alpha.get())
                .map(|rate| rate.kind);
        }
        floor = adjusted;
        left -= 1.0;
    }
}
