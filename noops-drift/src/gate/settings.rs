use noops_core::{Alpha, Probability};
use serde::{Deserialize, Serialize};

/// How much worse than the reference a batch may be before a suggested [`QualityGate`](crate::QualityGate) stops it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct GateSettings {
    alpha: Alpha,
    min_rows: u64,
    missing_tolerance: f64,
    not_finite_tolerance: f64,
    unseen_tolerance: f64,
    out_of_range_tolerance: f64,
    max_psi: f64,
}

impl GateSettings {
    /// Sets the error rate for all rules together; 1 % unless set.
    #[must_use]
    pub fn with_alpha(mut self, alpha: Alpha) -> Self {
        self.alpha = alpha;
        self
    }

    /// Sets the rows below which a batch is not judged; 50 unless set.
    #[must_use]
    pub fn with_min_rows(mut self, min_rows: u64) -> Self {
        self.min_rows = min_rows;
        self
    }

    /// Sets the share of nulls allowed on top of the reference; 0.2 unless set.
    #[must_use]
    pub fn with_missing_tolerance(mut self, tolerance: Probability) -> Self {
        self.missing_tolerance = tolerance.get();
        self
    }

    /// Sets the share of NaN and infinities allowed on top of the reference; 0.01 unless set.
    #[must_use]
    pub fn with_not_finite_tolerance(mut self, tolerance: Probability) -> Self {
        self.not_finite_tolerance = tolerance.get();
        self
    }

    /// Sets the share of unlisted categories allowed on top of the reference; 0.05 unless set.
    #[must_use]
    pub fn with_unseen_tolerance(mut self, tolerance: Probability) -> Self {
        self.unseen_tolerance = tolerance.get();
        self
    }

    /// Sets the share of numbers allowed outside the range of the reference; 0.05 unless set.
    #[must_use]
    pub fn with_out_of_range_tolerance(mut self, tolerance: Probability) -> Self {
        self.out_of_range_tolerance = tolerance.get();
        self
    }

    /// Sets the true PSI a column may have; 1 unless set.
    ///
    /// One is far: it stops a change of unit or a swapped column and lets the mix of a weekday or a holiday pass.
    #[must_use]
    pub fn with_max_psi(mut self, max_psi: f64) -> Self {
        self.max_psi = max_psi;
        self
    }

    /// The error rate for all rules together.
    pub fn alpha(&self) -> Alpha {
        self.alpha
    }

    /// The rows below which a batch is not judged.
    pub fn min_rows(&self) -> u64 {
        self.min_rows
    }

    /// The share of nulls allowed on top of the reference.
    pub fn missing_tolerance(&self) -> f64 {
        self.missing_tolerance
    }

    /// The share of NaN and infinities allowed on top of the reference.
    pub fn not_finite_tolerance(&self) -> f64 {
        self.not_finite_tolerance
    }

    /// The share of unlisted categories allowed on top of the reference.
    pub fn unseen_tolerance(&self) -> f64 {
        self.unseen_tolerance
    }

    /// The share of numbers allowed outside the range of the reference.
    pub fn out_of_range_tolerance(&self) -> f64 {
        self.out_of_range_tolerance
    }

    /// The true PSI a column may have.
    pub fn max_psi(&self) -> f64 {
        self.max_psi
    }
}

impl Default for GateSettings {
    fn default() -> Self {
        Self {
            alpha: Alpha::ONE_PERCENT,
            min_rows: 50,
            missing_tolerance: 0.2,
            not_finite_tolerance: 0.01,
            unseen_tolerance: 0.05,
            out_of_range_tolerance: 0.05,
            max_psi: 1.0,
        }
    }
}
