use std::num::NonZeroUsize;

use noops_core::Alpha;
use serde::{Deserialize, Serialize};

use super::correction::Correction;
use crate::statistic::TestSettings;

/// The error rate of [`Profile::compare`](crate::Profile::compare), the shift it forgives and the shift it must not miss.
///
/// # Examples
///
/// ```
/// use noops_core::Alpha;
/// use noops_drift::{Correction, DriftSettings};
///
/// let settings = DriftSettings::default()
///     .with_alpha(Alpha::ONE_PERCENT)
///     .with_correction(Correction::BenjaminiYekutieli);
/// assert_eq!(settings.alpha(), Alpha::ONE_PERCENT);
/// assert_eq!(settings.tolerance(), 0.02);
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct DriftSettings {
    alpha: Alpha,
    tolerance: f64,
    relevant: f64,
    correction: Correction,
    sample_limit: u64,
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

    /// Sets what the error rate is a rate of, over many columns; [`Correction::Holm`] unless set.
    #[must_use]
    pub fn with_correction(mut self, correction: Correction) -> Self {
        self.correction = correction;
        self
    }

    /// Sets up to how many rows of each side [`DriftReport::of_frames`](crate::DriftReport::of_frames) also compares the
    /// values themselves; 10 million unless set, and 0 never does.
    #[must_use]
    pub fn with_sample_limit(mut self, rows: u64) -> Self {
        self.sample_limit = rows;
        self
    }

    /// The error rate for all columns together.
    #[must_use]
    pub fn alpha(&self) -> Alpha {
        self.alpha
    }

    /// The true PSI up to which the values of a column count as unchanged.
    #[must_use]
    pub fn tolerance(&self) -> f64 {
        self.tolerance
    }

    /// The true PSI that "no drift" must be able to rule out.
    #[must_use]
    pub fn relevant(&self) -> f64 {
        self.relevant
    }

    /// What the error rate is a rate of, over many columns.
    #[must_use]
    pub fn correction(&self) -> Correction {
        self.correction
    }

    /// Up to how many rows of each side the values themselves are compared.
    #[must_use]
    pub fn sample_limit(&self) -> u64 {
        self.sample_limit
    }

    /// The PSI test that is one of `tests` with equal shares of alpha.
    pub(super) fn psi_test(&self, tests: usize) -> TestSettings {
        let share = match NonZeroUsize::new(tests) {
            Some(tests) => self.alpha.split(tests),
            None => self.alpha,
        };
        TestSettings::default()
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
            correction: Correction::Holm,
            sample_limit: 10_000_000,
        }
    }
}
