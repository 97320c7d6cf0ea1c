use super::distribution::{normal_sf, normal_upper_quantile};

/// The normal law of an estimated PSI around the true one, by the delta method.
///
/// It takes its variance from the observed shares, so a cell that is rare on one side makes it wide, where the
/// non-central chi-square law, which knows the true PSI only, stays too narrow.
pub(super) struct DeltaLaw {
    bias: f64,
    deviation: f64,
}

impl DeltaLaw {
    /// The law for these pairs of shares p and q, estimated from `n` and `m` rows.
    pub(super) fn new(shares: &[(f64, f64)], n: f64, m: f64) -> Self {
        let df = shares.len().saturating_sub(1) as f64;
        let by_reference = |(p, q): (f64, f64)| (p / q).ln() + 1.0 - q / p;
        let by_current = |(p, q): (f64, f64)| (q / p).ln() + 1.0 - p / q;
        let reference = variance(shares.iter().map(|pair| (pair.0, by_reference(*pair))));
        let current = variance(shares.iter().map(|pair| (pair.1, by_current(*pair))));
        Self {
            bias: df * (1.0 / n + 1.0 / m),
            deviation: (reference / n + current / m).sqrt(),
        }
    }

    /// The probability that a true PSI of `tolerance` is estimated to be more than `psi`.
    pub(super) fn p_value(&self, psi: f64, tolerance: f64) -> f64 {
        let excess = psi - self.bias - tolerance;
        if self.deviation > 0.0 {
            normal_sf(excess / self.deviation)
        } else if excess > 0.0 {
            0.0
        } else {
            1.0
        }
    }

    /// The PSI whose p-value is `alpha`.
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

#[cfg(test)]
mod tests {
    use super::DeltaLaw;

    #[test]
    fn equal_shares_have_no_spread_and_a_safe_p_value() {
        let law = DeltaLaw::new(&[(0.5, 0.5), (0.5, 0.5)], 100.0, 100.0);
        assert_eq!(law.p_value(0.0, 0.1), 1.0);
        assert_eq!(law.p_value(0.2, 0.1), 0.0);
        assert!((law.critical(0.05, 0.1) - 0.12).abs() < 1e-12);
    }

    #[test]
    fn the_critical_value_has_the_p_value_it_is_for() {
        let law = DeltaLaw::new(&[(0.2, 0.4), (0.8, 0.6)], 1_000.0, 300.0);
        let p_value = law.p_value(law.critical(0.01, 0.1), 0.1);
        assert!((p_value - 0.01).abs() < 1e-9, "{p_value}");
    }
}
