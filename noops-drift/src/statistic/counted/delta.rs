use super::cells::Cells;
use super::divergence::Divergence;
use noops_stats::special::{normal_sf, normal_upper_quantile};

/// The normal law of an estimated distance around the true one, by the delta method.
///
/// It takes its variance from the observed shares, so a cell that is rare on one side makes it wide, where the
/// non-central chi-square law, which knows the true distance only, stays too narrow.
pub(super) struct DeltaLaw {
    bias: f64,
    deviation: f64,
}

impl DeltaLaw {
    /// The law for the tested shares of `cells`; `bias` is what the distance is on average without drift.
    ///
    /// A cell that is empty on one side has no variance of its own, so half a row is added to every cell here, whatever
    /// the distance itself does.
    pub(super) fn new(divergence: &impl Divergence, cells: &Cells, bias: f64) -> Self {
        let shares = cells.tested_shares(HALF_A_ROW);
        let reference = variance(
            shares
                .iter()
                .map(|(p, q)| (*p, divergence.by_reference(*p, *q))),
        );
        let current = variance(
            shares
                .iter()
                .map(|(p, q)| (*q, divergence.by_current(*p, *q))),
        );
        let variance = reference / cells.reference_rows() + current / cells.current_rows();
        Self {
            bias,
            deviation: variance.sqrt(),
        }
    }

    /// The probability that a true distance of `tolerance` is estimated to be more than `distance`.
    pub(super) fn p_value(&self, distance: f64, tolerance: f64) -> f64 {
        let excess = distance - self.bias - tolerance;
        if self.deviation > 0.0 {
            normal_sf(excess / self.deviation)
        } else if excess > 0.0 {
            0.0
        } else {
            1.0
        }
    }

    /// The distance whose p-value is `alpha`.
    pub(super) fn critical(&self, alpha: f64, tolerance: f64) -> f64 {
        self.bias + tolerance + normal_upper_quantile(alpha) * self.deviation
    }
}

/// The variance of values that come with their probabilities.
fn variance(weighted: impl Iterator<Item = (f64, f64)> + Clone) -> f64 {
    let mean: f64 = weighted.clone().map(|(weight, value)| weight * value).sum();
    weighted
        .map(|(weight, value)| weight * (value - mean).powi(2))
        .sum()
}

const HALF_A_ROW: f64 = 0.5;

#[cfg(test)]
mod tests {
    use super::DeltaLaw;
    use crate::statistic::counted::cells::Cells;
    use crate::statistic::counted::psi::PopulationStability;

    fn law(reference: &[u64], current: &[u64]) -> DeltaLaw {
        let cells = Cells::join_thin(reference, current).unwrap();
        DeltaLaw::new(&PopulationStability, &cells, 0.02)
    }

    #[test]
    fn equal_shares_have_no_spread_and_a_safe_p_value() {
        let law = law(&[50, 50], &[50, 50]);
        assert_eq!(law.p_value(0.0, 0.1), 1.0);
        assert_eq!(law.p_value(0.2, 0.1), 0.0);
        assert!((law.critical(0.05, 0.1) - 0.12).abs() < 1e-12);
    }

    #[test]
    fn the_critical_value_has_the_p_value_it_is_for() {
        let law = law(&[200, 800], &[120, 180]);
        let p_value = law.p_value(law.critical(0.01, 0.1), 0.1);
        assert!((p_value - 0.01).abs() < 1e-9, "{p_value}");
    }
}
