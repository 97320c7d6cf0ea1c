use statrs::function::beta::checked_beta_reg;

use noops_stats::special::normal_sf;

/// Size, mean and variance of a sample.
#[derive(Clone, Copy, Debug)]
pub(super) struct Moments {
    pub(super) n: f64,
    pub(super) mean: f64,
    pub(super) variance: f64,
}

impl Moments {
    /// Two passes; nothing below two values, which have no variance.
    pub(super) fn of(values: &[f64]) -> Option<Self> {
        if values.len() < 2 {
            return None;
        }
        let n = values.len() as f64;
        let mean = values.iter().sum::<f64>() / n;
        let variance = values.iter().map(|x| (x - mean) * (x - mean)).sum::<f64>() / (n - 1.0);
        Some(Self { n, mean, variance })
    }
}

/// The law of the difference of two means whose variances need not be equal (Welch, 1947).
#[derive(Clone, Copy, Debug)]
pub(super) struct Welch {
    pub(super) difference: f64,
    pub(super) error: f64,
    freedom: f64,
}

impl Welch {
    /// Nothing when neither sample varies.
    pub(super) fn of(one: Moments, other: Moments) -> Option<Self> {
        let (a, b) = (one.variance / one.n, other.variance / other.n);
        let sum = a + b;
        if !sum.is_normal() {
            return None;
        }
        // As shares of the sum, whose squares neither overflow nor vanish together.
        let (a, b) = (a / sum, b / sum);
        let freedom = 1.0 / (a * a / (one.n - 1.0) + b * b / (other.n - 1.0));
        Some(Self {
            difference: other.mean - one.mean,
            error: sum.sqrt(),
            freedom,
        })
    }

    /// The two-sided p-value.
    pub(super) fn p_value(&self) -> f64 {
        self.two_sided(self.difference.abs() / self.error)
    }

    /// The t beyond which the two-sided p-value is below `alpha`.
    pub(super) fn critical(&self, alpha: f64) -> f64 {
        let (mut low, mut high) = (0.0, 1.0);
        while self.two_sided(high) > alpha && high < LARGEST {
            high *= 2.0;
        }
        for _ in 0..100 {
            let middle = 0.5 * (low + high);
            if self.two_sided(middle) > alpha {
                low = middle;
            } else {
                high = middle;
            }
        }
        high
    }

    fn two_sided(&self, t: f64) -> f64 {
        let freedom = self.freedom;
        if freedom <= EXACT_UP_TO {
            let x = freedom / (freedom + t * t);
            if let Ok(p) = checked_beta_reg(0.5 * freedom, 0.5, x) {
                return p.clamp(0.0, 1.0);
            }
        }
        // Hill's expansion (1970) of t as a normal deviate.
        let a = freedom - 0.5;
        let b = 48.0 * a * a;
        let u = (a * (t * t / freedom).ln_1p()).sqrt();
        (2.0 * normal_sf(u + (u.powi(3) + 3.0 * u) / b)).min(1.0)
    }
}

/// Beyond, the expansion is as good as the continued fraction, which needs ever more terms.
const EXACT_UP_TO: f64 = 1_000.0;
const LARGEST: f64 = 1e150;
