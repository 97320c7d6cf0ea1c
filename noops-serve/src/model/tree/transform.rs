//! What is done to the sums of a row before they leave.

/// A function of the sums of one row.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
#[non_exhaustive]
pub enum PostTransform {
    /// The sums as they are.
    #[default]
    None,
    /// `1 / (1 + exp(-slope x))` of each; the slope is 1 everywhere but in LightGBM.
    Logistic {
        /// The slope.
        slope: f64,
    },
    /// `exp(x_i) / Σ exp(x_j)`.
    Softmax,
    /// The softmax over the sums that are not zero; those stay zero.
    SoftmaxZero,
    /// `√2 erf⁻¹(2 x - 1)` of each, the quantile function of the normal distribution, as in ONNX.
    Probit,
    /// `exp(x)` of each.
    Exponential,
    /// `sign(x) x²` of each: LightGBM's `reg_sqrt`.
    SignedSquare,
    /// `ln(1 + exp(x))` of each: LightGBM's `cross_entropy_lambda`.
    Softplus,
    /// 1 where a sum is positive and 0 elsewhere: XGBoost's `binary:hinge`.
    Step,
    /// The index of the largest sum, the first of them, as the only output: XGBoost's `multi:softmax`.
    Largest,
}

impl PostTransform {
    /// How many numbers leave for this many sums.
    #[must_use]
    pub fn width(self, sums: usize) -> usize {
        match self {
            Self::Largest => sums.min(1),
            _ => sums,
        }
    }

    /// Applies the function to the sums of one row and appends what leaves.
    pub fn apply(self, sums: &[f64], out: &mut Vec<f32>) {
        let each = |out: &mut Vec<f32>, function: fn(f64) -> f64| {
            out.extend(sums.iter().map(|&sum| function(sum) as f32));
        };
        match self {
            Self::None => each(out, |sum| sum),
            Self::Logistic { slope } => {
                out.extend(sums.iter().map(|&sum| logistic(slope * sum) as f32));
            }
            Self::Softmax => softmax(sums, |_| true, out),
            Self::SoftmaxZero => softmax(sums, |sum| sum.abs() > ALMOST_ZERO, out),
            Self::Probit => each(out, probit),
            Self::Exponential => each(out, f64::exp),
            Self::SignedSquare => each(out, |sum| sum * sum.abs()),
            Self::Softplus => each(out, |sum| sum.max(0.0) + (-sum.abs()).exp().ln_1p()),
            Self::Step => each(out, |sum| f64::from(u8::from(sum > 0.0))),
            Self::Largest => out.extend(largest(sums).map(|index| index as f32)),
        }
    }
}

fn logistic(value: f64) -> f64 {
    1.0 / (1.0 + (-value).exp())
}

fn softmax(sums: &[f64], counts: fn(f64) -> bool, out: &mut Vec<f32>) {
    let counted = || sums.iter().copied().filter(|&sum| counts(sum));
    let most = counted().fold(f64::NEG_INFINITY, f64::max);
    let total: f64 = counted().map(|sum| (sum - most).exp()).sum();
    out.extend(sums.iter().map(|&sum| {
        if counts(sum) {
            ((sum - most).exp() / total) as f32
        } else {
            0.0
        }
    }));
}

/// Winitzki's approximation of the inverse error function, which is what ONNX Runtime computes.
fn probit(value: f64) -> f64 {
    let x = 2.0 * value - 1.0;
    let log = ((1.0 - x) * (1.0 + x)).ln();
    let half = 2.0 / (std::f64::consts::PI * 0.147) + 0.5 * log;
    let root = (half * half - log / 0.147).sqrt() - half;
    std::f64::consts::SQRT_2 * x.signum() * root.sqrt()
}

fn largest(sums: &[f64]) -> Option<usize> {
    let mut best: Option<(usize, f64)> = None;
    for (index, &sum) in sums.iter().enumerate() {
        if best.is_none_or(|(_, most)| sum > most) {
            best = Some((index, sum));
        }
    }
    best.map(|(index, _)| index)
}

/// Below this ONNX Runtime's `SOFTMAX_ZERO` takes a sum for zero.
const ALMOST_ZERO: f64 = 1e-7;

#[cfg(test)]
mod tests {
    use super::*;

    fn apply(transform: PostTransform, sums: &[f64]) -> Vec<f32> {
        let mut out = Vec::new();
        transform.apply(sums, &mut out);
        assert_eq!(out.len(), transform.width(sums.len()));
        out
    }

    #[test]
    fn a_softmax_of_huge_sums_is_finite_and_adds_up() {
        let out = apply(PostTransform::Softmax, &[1e4, 1e4 - 1.0, -1e30]);
        // scipy.special.softmax([1e4, 1e4 - 1, -1e30])
        assert_eq!(out, [0.731_058_6, 0.268_941_43, 0.0]);
    }

    #[test]
    fn a_sum_of_zero_stays_out_of_softmax_zero() {
        let out = apply(PostTransform::SoftmaxZero, &[0.0, 1.0, 1.0]);
        assert_eq!(out, [0.0, 0.5, 0.5]);
        assert_eq!(apply(PostTransform::SoftmaxZero, &[0.0, 0.0]), [0.0, 0.0]);
    }

    #[test]
    fn logistic_and_softplus_do_not_overflow() {
        let slope = PostTransform::Logistic { slope: 1.0 };
        assert_eq!(apply(slope, &[-1e4, 0.0, 1e4]), [0.0, 0.5, 1.0]);
        // numpy.logaddexp(0, [-1e4, 0, 1e4])
        let out = apply(PostTransform::Softplus, &[-1e4, 0.0, 1e4]);
        assert_eq!(out, [0.0, std::f32::consts::LN_2, 1e4]);
    }

    #[test]
    fn the_largest_is_the_first_of_equals() {
        assert_eq!(apply(PostTransform::Largest, &[1.0, 2.0, 2.0]), [1.0]);
        assert!(apply(PostTransform::Largest, &[]).is_empty());
    }

    #[test]
    fn probit_is_close_to_the_normal_quantile() {
        let out = apply(PostTransform::Probit, &[0.5, 0.975, 0.025]);
        // scipy.stats.norm.ppf([0.5, 0.975, 0.025]); the approximation is good to 4e-3
        for (got, expected) in out.iter().zip([0.0, 1.959_964, -1.959_964]) {
            assert!((got - expected).abs() < 1e-2, "{got} {expected}");
        }
    }

    #[test]
    fn a_step_and_a_signed_square() {
        assert_eq!(
            apply(PostTransform::Step, &[-1.0, 0.0, 1.0]),
            [0.0, 0.0, 1.0]
        );
        assert_eq!(
            apply(PostTransform::SignedSquare, &[-3.0, 2.0]),
            [-9.0, 4.0]
        );
    }
}
