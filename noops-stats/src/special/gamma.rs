use super::beta::{away_from_zero, deviance_term, gamma_remainder, ln_complement, mills_ratio};

/// ln P(a, x), the logarithm of P(X <= x) for X gamma with shape `a` and unit scale.
///
/// # Numerical notes
///
/// A power series below the shape and a continued fraction above it, both in logarithms, so that tails far below 1e-300 keep their
/// digits; near a shape above ten million, where both are slow, Temme's uniform expansion (DLMF 8.12.7). A shape that is not finite and above zero, and a NaN, count as no evidence: the logarithm of one.
///
/// # Complexity
///
/// Some steps far from the shape, of the order of its root near it, never more than some ten thousand.
///
/// # Examples
///
/// ```
/// use noops_stats::special::ln_regularized_gamma_lower;
///
/// // Shape one is the exponential distribution.
/// assert!((ln_regularized_gamma_lower(1.0, 2.0) - (1.0 - (-2.0_f64).exp()).ln()).abs() < 1e-12);
/// ```
#[must_use]
pub fn ln_regularized_gamma_lower(a: f64, x: f64) -> f64 {
    if !is_shape(a) || x.is_nan() || x == f64::INFINITY {
        return 0.0;
    }
    if x <= 0.0 {
        return f64::NEG_INFINITY;
    }
    if x < a + 1.0 {
        (ln_density(a, x) + libm::log(lower_series(a, x))).min(0.0)
    } else {
        ln_complement(ln_density(a, x) + libm::log(a * upper_fraction(a, x)))
    }
}

/// ln Q(a, x), the logarithm of P(X > x) for X gamma with shape `a` and unit scale.
///
/// See [`ln_regularized_gamma_lower`], of which it is the complement.
///
/// # Examples
///
/// ```
/// use noops_stats::special::ln_regularized_gamma_upper;
///
/// // Never got as 1 - P: this tail is below the smallest number.
/// assert!((ln_regularized_gamma_upper(1.0, 2000.0) + 2000.0).abs() < 1e-9);
/// ```
#[must_use]
pub fn ln_regularized_gamma_upper(a: f64, x: f64) -> f64 {
    if !is_shape(a) || x.is_nan() || x <= 0.0 {
        return 0.0;
    }
    if x == f64::INFINITY {
        return f64::NEG_INFINITY;
    }
    if x < a + 1.0 {
        ln_complement(ln_density(a, x) + libm::log(lower_series(a, x)))
    } else {
        (ln_density(a, x) + libm::log(a * upper_fraction(a, x))).min(0.0)
    }
}

/// ln of the integral of `t^(a - 1) e^(x (1 - t))` from 0 to 1, which is `ln(γ(a, x) x^-a e^x)`.
///
/// Unlike its factors it neither overflows nor loses digits, and it rises in `x`. Below `x = 0` the lower bound `-ln(a - x)` stands in
/// for it, which is exact at zero.
///
/// # Examples
///
/// ```
/// use noops_stats::special::ln_scaled_gamma_lower;
///
/// assert!((ln_scaled_gamma_lower(1.0, 3.0) - ((3.0_f64.exp() - 1.0) / 3.0).ln()).abs() < 1e-12);
/// ```
#[must_use]
pub fn ln_scaled_gamma_lower(a: f64, x: f64) -> f64 {
    if !is_shape(a) || x.is_nan() {
        return 0.0;
    }
    if x <= 0.0 {
        return -libm::log(a - x);
    }
    if x == f64::INFINITY {
        return f64::INFINITY;
    }
    if x < a + 1.0 {
        libm::log(lower_series(a, x)) - libm::log(a)
    } else {
        ln_regularized_gamma_lower(a, x) - ln_density(a, x) - libm::log(a)
    }
}

/// ln of the integral of `t^(a - 1) e^(-x (t - 1))` from 1 to infinity, which is `ln(Γ(a, x) x^-a e^x)`; `a` may be negative.
///
/// # Examples
///
/// ```
/// use noops_stats::special::ln_scaled_gamma_upper;
///
/// assert!((ln_scaled_gamma_upper(2.0, 3.0) - (4.0_f64 / 9.0).ln()).abs() < 1e-12);
/// ```
#[must_use]
pub fn ln_scaled_gamma_upper(a: f64, x: f64) -> f64 {
    if !a.is_finite() || !is_shape(x) {
        return 0.0;
    }
    if x < a - 1.0 {
        ln_regularized_gamma_upper(a, x) - ln_density(a, x) - libm::log(a)
    } else {
        libm::log(upper_fraction(a, x))
    }
}

fn is_shape(a: f64) -> bool {
    a.is_finite() && a > 0.0
}

/// ln(x^a e^-x / Γ(a + 1)) by Loader's saddle-point expansion, where the naive sum would cancel.
fn ln_density(a: f64, x: f64) -> f64 {
    if a < 1.0 {
        return a * libm::log(x) - x - libm::lgamma(a + 1.0);
    }
    -deviance_term(a, x, a - x) - gamma_remainder(a) - 0.5 * libm::log(std::f64::consts::TAU * a)
}

/// 1 + x / (a + 1) + x² / ((a + 1)(a + 2)) + ..., which is P(a, x) over the density of [`ln_density`].
fn lower_series(a: f64, x: f64) -> f64 {
    if is_near_large_shape(a, x) {
        return expanded(a, x, -1.0);
    }
    let (mut sum, mut term, mut shape) = (1.0, 1.0, a);
    for _ in 0..STEPS {
        shape += 1.0;
        term *= x / shape;
        sum += term;
        if term <= sum * f64::EPSILON * 0.25 {
            break;
        }
    }
    sum
}

/// Γ(a, x) x^-a e^x by Legendre's continued fraction, evaluated after Lentz.
fn upper_fraction(a: f64, x: f64) -> f64 {
    if is_near_large_shape(a, x) {
        return expanded(a, x, 1.0) / a;
    }
    let mut b = x + 1.0 - a;
    let mut c = 1.0 / TINY;
    let mut d = 1.0 / away_from_zero(b);
    let mut value = d;
    let mut i = 0.0;
    for _ in 0..STEPS {
        i += 1.0;
        let numerator = i * (a - i);
        b += 2.0;
        d = 1.0 / away_from_zero(numerator * d + b);
        c = away_from_zero(b + numerator / c);
        let factor = c * d;
        value *= factor;
        if (factor - 1.0).abs() <= f64::EPSILON {
            break;
        }
    }
    value.max(f64::MIN_POSITIVE)
}

/// Where the series and the fraction would take more than [`STEPS`].
fn is_near_large_shape(a: f64, x: f64) -> bool {
    a > EXPANSION_FROM && (x - a).abs() < 0.1 * a
}

/// Temme's expansion with its first correction: the tail above `x` (side 1) or below it (side -1) over the density of [`ln_density`].
fn expanded(a: f64, x: f64, side: f64) -> f64 {
    let excess = x - a;
    let w = libm::copysign(libm::sqrt(2.0 * deviance_term(a, x, -excess)), excess);
    let correction = if w.abs() < NEAR_THE_SHAPE {
        -1.0 / (3.0 * a.sqrt())
    } else {
        a.sqrt() / excess - 1.0 / w
    };
    a.sqrt() * libm::exp(gamma_remainder(a)) * (mills_ratio(side * w) + side * correction)
}

const STEPS: u32 = 100_000;
const TINY: f64 = 1e-300;
const EXPANSION_FROM: f64 = 1e7;
/// In deviations: nearer to the shape the two reciprocals of the correction cancel.
const NEAR_THE_SHAPE: f64 = 1e-3;

#[cfg(test)]
mod tests {
    use super::*;

    fn close(found: f64, expected: f64) {
        assert!(
            (found - expected).abs() <= 1e-10 * expected.abs().max(1e-3),
            "{found} {expected}"
        );
    }

    #[test]
    fn integer_shapes_are_poisson_sums() {
        for (a, x) in [(3_u32, 0.5), (3, 5.0), (20, 12.0), (20, 30.0), (90, 91.0)] {
            let mut term = libm::exp(-x);
            let mut upper = 0.0;
            for k in 0..a {
                upper += term;
                term *= x / f64::from(k + 1);
            }
            close(ln_regularized_gamma_upper(f64::from(a), x), upper.ln());
            let lower = (0..400).fold((0.0, term, a), |(sum, term, k), _| {
                (sum + term, term * x / f64::from(k + 1), k + 1)
            });
            close(ln_regularized_gamma_lower(f64::from(a), x), lower.0.ln());
        }
    }

    #[test]
    fn the_halves_add_up_to_one_for_huge_shapes() {
        for a in [0.3_f64, 10.0, 1e4, 1e7, 2e7, 1e12] {
            for offset in [-3.0, -0.1, 0.0, 0.1, 3.0] {
                let x = a + offset * a.sqrt();
                if x > 0.0 {
                    let sum = ln_regularized_gamma_lower(a, x).exp()
                        + ln_regularized_gamma_upper(a, x).exp();
                    assert!((sum - 1.0).abs() < 1e-10, "{a} {x} {sum}");
                }
            }
        }
    }

    #[test]
    fn the_expansion_for_large_shapes_is_the_series() {
        // mpmath, 40 digits: log(sum(x**k / rf(a + 1, k)) / a)
        for (x, expected) in [
            (18_658_359.213_500_127, -14.109_414_255_894_118),
            (19_910_557.280_900_01, -11.403_827_183_021_378),
            (19_986_583.592_135, -9.594_354_301_390_991),
            (19_997_763.932_022_5, -8.537_521_535_800_812),
            (19_999_999.552_786_406, -8.179_850_371_806_473),
            (2e7, -8.179_770_589_912_168),
        ] {
            let found = ln_scaled_gamma_lower(2e7, x);
            assert!((found - expected).abs() < 1e-11, "{x} {found}");
        }
        // Laplace's method at the shape itself.
        let a = 1e14_f64;
        let expected = ((std::f64::consts::PI / (2.0 * a)).sqrt() + 1.0 / (3.0 * a)).ln();
        assert!((ln_scaled_gamma_lower(a, a) - expected).abs() < 1e-12);
    }

    #[test]
    fn the_scaled_integrals_are_continuous_where_the_method_changes() {
        for a in [0.5_f64, 3.0, 100.0, 1e6, 9.9e6] {
            let below = ln_scaled_gamma_lower(a, (a + 1.0) * (1.0 - 1e-13));
            let above = ln_scaled_gamma_lower(a, a + 1.0);
            assert!((below - above).abs() < 1e-9, "{a} {below} {above}");
        }
        for x in [0.5_f64, 3.0, 100.0, 1e6, 9.9e6] {
            let below = ln_scaled_gamma_upper((x + 1.0) * (1.0 + 1e-13), x);
            let above = ln_scaled_gamma_upper(x + 1.0, x);
            assert!((below - above).abs() < 1e-9, "{x} {below} {above}");
        }
    }

    #[test]
    fn hostile_arguments_give_numbers() {
        let hostile = [
            f64::NAN,
            f64::INFINITY,
            f64::NEG_INFINITY,
            0.0,
            -1.0,
            1e-308,
            1e308,
        ];
        for a in hostile {
            for x in hostile {
                assert!(!ln_regularized_gamma_lower(a, x).is_nan(), "{a} {x}");
                assert!(!ln_regularized_gamma_upper(a, x).is_nan(), "{a} {x}");
                assert!(!ln_scaled_gamma_lower(a, x).is_nan(), "{a} {x}");
                assert!(!ln_scaled_gamma_upper(a, x).is_nan(), "{a} {x}");
            }
        }
    }
}
