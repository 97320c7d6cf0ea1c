use noops_core::Alpha;
use serde::{Deserialize, Serialize};

use super::column::ColumnDrift;
use crate::fdr::{benjamini_hochberg, benjamini_yekutieli, holm};

/// What an error rate over many columns is a rate of.
///
/// # Examples
///
/// ```
/// use noops_drift::Correction;
///
/// assert_eq!(Correction::Holm.adjust(&[0.25, 0.0625]), [0.25, 0.125]);
/// assert_eq!(Correction::BenjaminiHochberg.adjust(&[0.25, 0.0625]), [0.25, 0.125]);
/// assert_eq!(Correction::BenjaminiYekutieli.adjust(&[0.25, 0.0625]), [0.375, 0.1875]);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[non_exhaustive]
pub enum Correction {
    /// The probability that any column is called drifted wrongly, however the columns depend on each other.
    #[default]
    Holm,
    /// The expected share of wrong calls among the columns that are called drifted, **if** the columns are independent
    /// or positively dependent.
    BenjaminiHochberg,
    /// The same share, however the columns depend on each other.
    BenjaminiYekutieli,
}

impl Correction {
    /// Adjusts p-values: those that stay below the error rate are rejected.
    ///
    /// A NaN counts as 1.
    #[must_use]
    pub fn adjust(self, p_values: &[f64]) -> Vec<f64> {
        match self {
            Self::Holm => holm(p_values),
            Self::BenjaminiHochberg => benjamini_hochberg(p_values),
            Self::BenjaminiYekutieli => benjamini_yekutieli(p_values),
        }
    }

    /// The number of tests among which alpha may be shared equally so that whatever passes at its share passes here.
    pub(super) fn equal_shares(self, columns: usize) -> usize {
        match self {
            Self::Holm | Self::BenjaminiHochberg => columns,
            Self::BenjaminiYekutieli => (columns as f64 * harmonic(columns)).ceil() as usize,
        }
    }

    /// Gives every column its adjusted p-value, and the verdict to those below alpha.
    pub(super) fn decide(self, columns: &mut [ColumnDrift], alpha: Alpha) {
        let tests = columns.len();
        let p_values: Vec<f64> = columns.iter().map(ColumnDrift::p_value).collect();
        let adjusted = self.adjust(&p_values);
        let rejected = adjusted.iter().filter(|p| **p < alpha.get()).count();
        let mut order: Vec<(&mut ColumnDrift, f64)> = columns.iter_mut().zip(adjusted).collect();
        order.sort_by(|a, b| a.0.p_value().total_cmp(&b.0.p_value()));
        // A p-value that stays below alpha when multiplied by its factor is enough for its column to be rejected.
        let per_rejected = tests as f64 / rejected.max(1) as f64;
        let dependent = harmonic(tests);
        for (rank, (column, adjusted)) in order.into_iter().enumerate() {
            let factor = match self {
                Self::Holm => tests.saturating_sub(rank) as f64,
                Self::BenjaminiHochberg => per_rejected,
                Self::BenjaminiYekutieli => per_rejected * dependent,
            };
            column.decide(adjusted, factor, alpha);
        }
    }
}

/// 1 + 1/2 + … + 1/n
fn harmonic(n: usize) -> f64 {
    (1..=n).rev().map(|k| 1.0 / k as f64).sum()
}
