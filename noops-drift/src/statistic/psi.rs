use noops_core::Alpha;
use serde::{Deserialize, Serialize};

use super::cells::Cells;
use super::comparison::{Comparison, Method, Outcome, VISIBLE_POWER, Verdict};
use super::delta::DeltaLaw;
use super::distribution::{
    noncentral_chi_square_sf, noncentral_chi_square_upper_quantile, noncentrality_for_power,
};
use crate::error::DriftError;

/// The population stability index of two rows of counts over the same cells, with a calibrated verdict.
///
/// The usual thresholds 0.1 and 0.25 ignore the number of rows: with a hundred rows of each, unchanged data exceed 0.1
/// in ten cells four times in five. Here the threshold follows from the rows, the cells and the error rate.
///
/// # Formula
///
/// PSI = Σ (p − q) ln(p / q) with p = (r + ½) / (n + ½B), q = (c + ½) / (m + ½B) for reference counts r, current
/// counts c and B cells. Half a row is added to every cell of both sides, so an empty cell is finite. Cells whose
/// expected count is below 5 in the smaller side are joined first.
///
/// Without drift, PSI · nm/(n + m) is chi-square with B − 1 degrees of freedom (Yurdakul and Naranjo, 2020); with a
/// true PSI of δ it is non-central with δ · nm/(n + m) (as in Potgieter et al., arXiv 2307.11878). That law is too
/// narrow when a cell that is rare in the reference has grown, so with a tolerance τ > 0 the p-value is the larger of
/// its tail and that of the delta method,
///
/// P(Z > (PSI − (B − 1)(1/n + 1/m) − τ) / √v), v = Var_p(ln(p/q) + 1 − q/p) / n + Var_q(ln(q/p) + 1 − p/q) / m,
///
/// and the critical value is the larger of both. The verdict is drift when the hypothesis PSI ≤ tolerance is rejected;
/// otherwise it is no drift only if a shift of [`PsiSettings::relevant`] would have shown four times in five, by the
/// non-central law at that critical value.
///
/// # Errors
///
/// [`DriftError::UnequalCells`] and [`DriftError::InvalidSetting`].
///
/// # Numerical notes
///
/// Rows must be independent. Both laws are asymptotic: at a nominal 5 %, simulation gives 3.4 to 5 % without tolerance
/// and 0.1 to 4 % at the edge of a tolerance of at most 1: the smaller the tolerance and the batch and the rarer a
/// cell, the further below the nominal rate.
///
/// # Examples
///
/// ```
/// use noops_drift::{PsiSettings, Verdict, psi};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let settings = PsiSettings::default();
/// let same = psi(&[500, 300, 200], &[260, 140, 100], &settings)?;
/// assert_eq!(same.verdict(), Verdict::NoDrift);
/// let moved = psi(&[500, 300, 200], &[100, 140, 260], &settings)?;
/// assert_eq!(moved.verdict(), Verdict::Drift);
/// let few = psi(&[500, 300, 200], &[5, 3, 2], &settings)?;
/// assert!(matches!(few.verdict(), Verdict::Undecided { .. }));
/// # Ok(())
/// # }
/// ```
pub fn psi(
    reference: &[u64],
    current: &[u64],
    settings: &PsiSettings,
) -> Result<Comparison, DriftError> {
    settings.validate()?;
    let cells = Cells::join_thin(reference, current)?;
    let size = cells.effective_size();
    if cells.pairs.len() < 2 || size <= 0.0 {
        return Ok(Comparison::blind(
            Method::PopulationStability,
            cells.n_reference,
            cells.n_current,
        ));
    }
    let df = (cells.pairs.len() - 1) as f64;
    let alpha = settings.alpha.get();
    let tolerated = settings.tolerance * size;
    let shares = smoothed_shares(&cells);
    let statistic: f64 = shares.iter().map(|(p, q)| (p - q) * (p / q).ln()).sum();
    let mut p_value = noncentral_chi_square_sf(statistic * size, df, tolerated);
    let mut critical = noncentral_chi_square_upper_quantile(alpha, df, tolerated) / size;
    if settings.tolerance > 0.0 {
        let law = DeltaLaw::new(&shares, cells.n_reference as f64, cells.n_current as f64);
        p_value = p_value.max(law.p_value(statistic, settings.tolerance));
        critical = critical.max(law.critical(alpha, settings.tolerance));
    }
    let visible_from = noncentrality_for_power(critical * size, df, VISIBLE_POWER) / size;
    let verdict = if p_value < alpha {
        Verdict::Drift
    } else if visible_from <= settings.relevant {
        Verdict::NoDrift
    } else {
        Verdict::Undecided {
            visible_from: Some(visible_from),
        }
    };
    let outcome = Outcome {
        statistic,
        p_value,
        critical: Some(critical),
        visible_from: Some(visible_from),
        verdict,
    };
    Ok(Comparison::new(
        Method::PopulationStability,
        cells.n_reference,
        cells.n_current,
        outcome,
    ))
}

/// The error rate of [`psi`], the shift it forgives and the shift it must not miss.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct PsiSettings {
    alpha: Alpha,
    tolerance: f64,
    relevant: f64,
}

impl PsiSettings {
    /// Sets how often data within the tolerance may be called drifted; 5 % unless set.
    #[must_use]
    pub fn with_alpha(mut self, alpha: Alpha) -> Self {
        self.alpha = alpha;
        self
    }

    /// Sets the true PSI up to which data count as unchanged; 0 unless set.
    ///
    /// With many rows any test without tolerance calls every batch drifted, because no two days are the same.
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

    /// How often data within the tolerance may be called drifted.
    pub fn alpha(&self) -> Alpha {
        self.alpha
    }

    /// The true PSI up to which data count as unchanged.
    pub fn tolerance(&self) -> f64 {
        self.tolerance
    }

    /// The true PSI that "no drift" must be able to rule out.
    pub fn relevant(&self) -> f64 {
        self.relevant
    }

    pub(crate) fn validate(&self) -> Result<(), DriftError> {
        for (setting, value) in [("tolerance", self.tolerance), ("relevant", self.relevant)] {
            if !(0.0..=MAX_SHIFT).contains(&value) {
                return Err(DriftError::InvalidSetting {
                    setting,
                    value,
                    allowed: "a number from 0 to 100",
                });
            }
        }
        Ok(())
    }
}

impl Default for PsiSettings {
    fn default() -> Self {
        Self {
            alpha: Alpha::FIVE_PERCENT,
            tolerance: 0.0,
            relevant: 0.25,
        }
    }
}

fn smoothed_shares(cells: &Cells) -> Vec<(f64, f64)> {
    let padding = SMOOTHING * cells.pairs.len() as f64;
    let n = cells.n_reference as f64 + padding;
    let m = cells.n_current as f64 + padding;
    let shares = cells
        .pairs
        .iter()
        .map(|(r, c)| ((r + SMOOTHING) / n, (c + SMOOTHING) / m));
    shares.collect()
}

/// More than any PSI that half a row of smoothing allows.
const MAX_SHIFT: f64 = 100.0;
/// Rows added to every cell. Part of what a PSI means: values under another rule are not comparable.
const SMOOTHING: f64 = 0.5;
