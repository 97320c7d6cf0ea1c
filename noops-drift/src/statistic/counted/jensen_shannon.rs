use std::f64::consts::LN_2;

use super::cells::Cells;
use super::divergence::{Divergence, compare};
use super::excess::excess;
use super::reading::{Over, Reading, StatisticScale};
use crate::error::DriftError;
use crate::statistic::comparison::{Comparison, Method};
use crate::statistic::log_base::LogBase;
use crate::statistic::settings::TestSettings;

/// The Jensen–Shannon distance of two rows of counts over the same cells, with a calibrated verdict.
///
/// 0 for equal shares; 1 in base 2 for rows that share no cell. It obeys the triangle inequality; its square, the
/// divergence, does not. The usual threshold of 0.1 ignores the number of rows: of unchanged batches with eight equal
/// categories, 2,000 reference rows and 50 current ones, 92 % exceed it in base 2 and 81 % in nats.
///
/// # Formula
///
/// √JS with JS = ½ Σ p ln(p / a) + ½ Σ q ln(q / a), a = ½ (p + q), in the base that is asked for and without smoothing.
/// Without drift 8 n̂ JS in nats, with n̂ = nm/(n + m), is chi-square with one degree of freedom less than there are cells,
/// corrected to the exact mean and the variance that it has in cells of this size; in large cells the correction is nil.
///
/// With a tolerance τ > 0 the p-value is the larger of the tail of the non-central law, with 8 n̂ times the tolerated divergence for
/// its non-centrality, and that of the delta method, as in [`psi`](super::psi).
///
/// The statistic is over the cells as they are given. The p-value, the critical value and the smallest visible shift are
/// for the cells that are left when those with an expected count below 5 in the smaller side are joined. Joining only
/// shrinks the distance, so where nothing is thin the verdict is drift exactly beyond the critical value, and elsewhere a
/// statistic slightly beyond it need not be.
/// Unless set, the relevant shift is 0.212 in base 2: that of a small shift with a PSI of 0.25.
///
/// # Errors
///
/// [`DriftError::UnequalCells`] and [`DriftError::InvalidSetting`].
///
/// # Numerical notes
///
/// Rows must be independent. Nearly equal shares keep their relative accuracy. An empty side gives a statistic of 0 and
/// no verdict, since nothing is known.
///
/// # Complexity
///
/// O(cells), and some hundred terms more for every cell with fewer than a few thousand rows.
///
/// # Examples
///
/// ```
/// use noops_drift::statistic::{LogBase, TestSettings, Verdict, jensen_shannon_distance};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let settings = TestSettings::default();
/// let apart = jensen_shannon_distance(&[400, 0], &[0, 900], LogBase::Two, &settings)?;
/// assert!((apart.statistic() - 1.0).abs() < 1e-12);
/// assert_eq!(apart.verdict(), Verdict::Drift);
/// # Ok(())
/// # }
/// ```
pub fn jensen_shannon_distance(
    reference: &[u64],
    current: &[u64],
    base: LogBase,
    settings: &TestSettings,
) -> Result<Comparison, DriftError> {
    let method = Method::JensenShannonDistance { base };
    let scale = StatisticScale::Root(base.per_nat());
    jensen_shannon(reference, current, method, scale, settings)
}

/// The Jensen–Shannon divergence of two rows of counts over the same cells, with a calibrated verdict.
///
/// The square of [`jensen_shannon_distance`], which see for the law and its limits. Unless set, the relevant shift is
/// 0.045 in base 2.
///
/// # Errors
///
/// [`DriftError::UnequalCells`] and [`DriftError::InvalidSetting`].
///
/// # Examples
///
/// ```
/// use noops_drift::statistic::{LogBase, TestSettings, jensen_shannon_divergence};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let settings = TestSettings::default();
/// let [bits, nats] = [LogBase::Two, LogBase::E]
///     .map(|base| jensen_shannon_divergence(&[300, 700], &[450, 550], base, &settings));
/// assert!((bits?.statistic() * 2.0_f64.ln() - nats?.statistic()).abs() < 1e-15);
/// # Ok(())
/// # }
/// ```
pub fn jensen_shannon_divergence(
    reference: &[u64],
    current: &[u64],
    base: LogBase,
    settings: &TestSettings,
) -> Result<Comparison, DriftError> {
    let method = Method::JensenShannonDivergence { base };
    let scale = StatisticScale::Multiple(base.per_nat());
    jensen_shannon(reference, current, method, scale, settings)
}

fn jensen_shannon(
    reference: &[u64],
    current: &[u64],
    method: Method,
    scale: StatisticScale,
    settings: &TestSettings,
) -> Result<Comparison, DriftError> {
    settings.validate()?;
    let cells = Cells::join_thin(reference, current)?;
    let reading = Reading {
        method,
        scale,
        over: Over::Given,
    };
    Ok(compare(
        &cells,
        &MixtureEntropy::BALANCED,
        &reading,
        settings,
    ))
}

/// w Σ p ln(p / a) + v Σ q ln(q / a) with a = w p + v q: the entropy of a mixture that knowing the side takes away.
///
/// With equal weights it is the Jensen–Shannon divergence, and weighted by the rows it is the G statistic over 2N.
pub(super) struct MixtureEntropy {
    reference: f64,
    current: f64,
}

impl MixtureEntropy {
    pub(super) const BALANCED: Self = Self {
        reference: 0.5,
        current: 0.5,
    };

    /// Both sides weighted by their rows; there must be some.
    pub(super) fn weighted_by_rows(cells: &Cells) -> Self {
        let (n, m) = (cells.reference_rows(), cells.current_rows());
        Self {
            reference: n / (n + m),
            current: m / (n + m),
        }
    }

    fn mixture(&self, p: f64, q: f64) -> f64 {
        self.reference * p + self.current * q
    }
}

impl Divergence for MixtureEntropy {
    fn cell(&self, p: f64, q: f64) -> f64 {
        let a = self.mixture(p, q);
        if a > 0.0 {
            self.reference * excess(p, a, self.current * (p - q))
                + self.current * excess(q, a, self.reference * (q - p))
        } else {
            0.0
        }
    }

    fn by_reference(&self, p: f64, q: f64) -> f64 {
        self.reference * (p / self.mixture(p, q)).ln()
    }

    fn by_current(&self, p: f64, q: f64) -> f64 {
        self.current * (q / self.mixture(p, q)).ln()
    }

    fn curvature(&self) -> f64 {
        2.0 / (self.reference * self.current)
    }

    fn largest(&self) -> f64 {
        if self.reference == self.current {
            LN_2
        } else {
            -self.reference * self.reference.ln() - self.current * self.current.ln()
        }
    }
}
