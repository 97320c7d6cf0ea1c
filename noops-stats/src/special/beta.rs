//! The beta function and its incomplete integral, in logarithms and in the arithmetic of `libm` only, so that the bits are the
//! same on every platform.

use std::f64::consts::{FRAC_1_SQRT_2, PI, TAU};

use libm::{erfc, exp, log, log1p};

/// ln B(a, b), the logarithm of the beta function.
///
/// # Formula
///
/// ln Γ(a) + ln Γ(b) − ln Γ(a + b), got from the remainders of Stirling's formula: for large arguments nothing as large as ln Γ
/// is subtracted (Didonato and Morris, "Algorithm 708", 1992).
///
/// # Numerical notes
///
/// NaN unless both arguments are finite and above zero. The error is some 1e-15 of the result, or 1e-15 where that is near zero.
///
/// # Examples
///
/// ```
/// use noops_stats::special::ln_beta;
///
/// assert!((ln_beta(2.0, 3.0) + 12.0_f64.ln()).abs() < 1e-14);
/// ```
#[must_use]
pub fn ln_beta(a: f64, b: f64) -> f64 {
    if !are_shapes(a, b) {
        return f64::NAN;
    }
    let (small, large) = (a.min(b), a.max(b));
    let sum = small + large;
    if large < STIRLING_FROM {
        return libm::lgamma(small) + libm::lgamma(large) - libm::lgamma(sum);
    }
    let ratio = small / large;
    if small < STIRLING_FROM {
        // ln Γ(large) − ln Γ(sum), which is small beside either.
        let fall = small - small * log(sum) - (large - 0.5) * log1p(ratio) + gamma_remainder(large)
            - gamma_remainder(sum);
        return libm::lgamma(small) + fall;
    }
    0.5 * (log(TAU) - log(large)) + (small - 0.5) * log(small / sum) - large * log1p(ratio)
        + gamma_remainder(small)
        + gamma_remainder(large)
        - gamma_remainder(sum)
}

/// ln I_x(a, b), the logarithm of the regularised incomplete beta function: of P(X <= x) for X beta with shapes a and b.
///
/// # Formula
///
/// Didonato and Morris' continued fraction on the side of the smaller tail, behind a factor written as a deviance, in which
/// nothing of the size of the shapes cancels. When both shapes are above a hundred million, where the fraction is slow, Temme's
/// uniform expansion with its first correction (DLMF 8.18.9).
///
/// # Numerical notes
///
/// Right in the tail where the probability itself would be zero, since it is got as a logarithm: relative errors of the probability are
/// below 1e-10, and below 1e-7 in tails under 1e-300. They grow where one shape is far below 1 and the tail towards the other end
/// is wanted, which is then got as a difference from one. A shape that is not finite and above zero, and a NaN, count
/// as no evidence: the logarithm of one.
///
/// # Complexity
///
/// Some steps far from the mean, of the order of the root of the smaller shape at it, never more than some ten thousand.
///
/// # Examples
///
/// ```
/// use noops_stats::special::ln_regularized_beta_lower;
///
/// assert!((ln_regularized_beta_lower(0.5, 1e6, 1e6) - 0.5_f64.ln()).abs() < 1e-12);
/// // P(X <= x) = x² for shapes 2 and 1.
/// assert!((ln_regularized_beta_lower(1e-200, 2.0, 1.0) / 1e-200_f64.ln() - 2.0).abs() < 1e-12);
/// ```
#[must_use]
pub fn ln_regularized_beta_lower(x: f64, a: f64, b: f64) -> f64 {
    if x.is_nan() || !are_shapes(a, b) || x >= 1.0 {
        return 0.0;
    }
    if x <= 0.0 {
        return f64::NEG_INFINITY;
    }
    ln_lower(Point::new(x, a, b))
}

/// ln (1 − I_x(a, b)), the logarithm of P(X > x) for X beta with shapes a and b.
///
/// See [`ln_regularized_beta_lower`], of which it is the mirror image.
///
/// # Examples
///
/// ```
/// use noops_stats::special::ln_regularized_beta_upper;
///
/// // Never got as 1 − I: this tail is 1e-600.
/// assert!((ln_regularized_beta_upper(0.9, 1.0, 600.0) + 600.0 * 10.0_f64.ln()).abs() < 1e-10);
/// ```
#[must_use]
pub fn ln_regularized_beta_upper(x: f64, a: f64, b: f64) -> f64 {
    if x.is_nan() || !are_shapes(a, b) || x <= 0.0 {
        return 0.0;
    }
    if x >= 1.0 {
        return f64::NEG_INFINITY;
    }
    ln_lower(Point::new(x, a, b).mirrored())
}

/// What Stirling's formula leaves out of ln Γ(x): ln Γ(x) − (x − ½) ln x + x − ½ ln 2π, for x above zero.
///
/// The same as [`stirling_error`](super::stirling_error) of x, which takes it out of ln x!.
///
/// # Examples
///
/// ```
/// use noops_stats::special::gamma_remainder;
///
/// assert!((gamma_remainder(1.0) - 0.081_061_466_795_327_26).abs() < 1e-15);
/// ```
#[must_use]
pub fn gamma_remainder(x: f64) -> f64 {
    if x < STIRLING_FROM {
        return libm::lgamma(x) - (x - 0.5) * log(x) + x - 0.5 * log(TAU);
    }
    let square = 1.0 / (x * x);
    let series = BERNOULLI
        .iter()
        .rev()
        .fold(0.0, |sum, coefficient| coefficient + square * sum);
    series / x
}

/// actual · ln(actual / expected) − actual + expected, for both above zero, when their difference is known better than they are.
///
/// Loader's `bd0` ("Fast and accurate computation of binomial probabilities", 2000): the part of a log-likelihood ratio of
/// counts that one cell brings. Never below zero; zero for an `actual` of zero is replaced by its limit, `expected`.
///
/// # Examples
///
/// ```
/// use noops_stats::special::deviance_term;
///
/// let naive = 12.0 * 1.2_f64.ln() - 2.0;
/// assert!((deviance_term(12.0, 10.0, 2.0) - naive).abs() < 1e-14);
/// ```
#[must_use]
pub fn deviance_term(actual: f64, expected: f64, difference: f64) -> f64 {
    if actual <= 0.0 {
        return expected;
    }
    let change = -difference / actual;
    if change.abs() > 0.5 {
        return (actual * log(actual / expected) - difference).max(0.0);
    }
    actual * excess_over_logarithm(change)
}

/// u − ln(1 + u) for |u| <= ½.
fn excess_over_logarithm(u: f64) -> f64 {
    if u.abs() > 0.3 {
        return u - log1p(u);
    }
    // ln(1 + u) = 2 artanh(r), and u − 2 r = u r.
    let r = u / (2.0 + u);
    let square = r * r;
    let series = ODD_RECIPROCALS
        .iter()
        .rev()
        .fold(0.0, |sum, coefficient| coefficient + square * sum);
    r * (u - 2.0 * square * series)
}

/// Where a beta law is asked for its lower tail: the point, its complement, and its distance from the mean times the sum of the
/// shapes. All three are kept because each loses digits when got from the others.
#[derive(Clone, Copy)]
struct Point {
    x: f64,
    y: f64,
    a: f64,
    b: f64,
    /// a − (a + b) x.
    gap: f64,
}

impl Point {
    fn new(x: f64, a: f64, b: f64) -> Self {
        let y = 1.0 - x;
        Self {
            x,
            y,
            a,
            b,
            gap: a * y - b * x,
        }
    }

    fn mirrored(self) -> Self {
        Self {
            x: self.y,
            y: self.x,
            a: self.b,
            b: self.a,
            gap: -self.gap,
        }
    }

    fn sum(self) -> f64 {
        self.a + self.b
    }

    /// a ln(a / (s x)) + b ln(b / (s y)).
    fn deviance(self) -> f64 {
        let Self { x, y, a, b, gap } = self;
        deviance_term(a, self.sum() * x, gap) + deviance_term(b, self.sum() * y, -gap)
    }

    /// ln of x^a y^b / B(a, b).
    fn ln_factor(self) -> f64 {
        let Self { a, b, .. } = self;
        0.5 * (log(a) + log(b / self.sum()) - log(TAU)) - self.deviance()
            + (gamma_remainder(self.sum()) - gamma_remainder(a) - gamma_remainder(b))
    }
}

fn are_shapes(a: f64, b: f64) -> bool {
    a > 0.0 && b > 0.0 && a + b < f64::MAX
}

fn ln_lower(point: Point) -> f64 {
    let Point { x, a, b, gap, .. } = point;
    if a.min(b) > EXPANSION_FROM {
        return if gap >= 0.0 {
            ln_expanded(point)
        } else {
            ln_complement(ln_expanded(point.mirrored()))
        };
    }
    if a.min(b) > 1.0 {
        return if gap >= 0.0 {
            ln_positive_fraction(point)
        } else {
            ln_complement(ln_positive_fraction(point.mirrored()))
        };
    }
    if x * (point.sum() + 2.0) <= a + 1.0 {
        ln_fraction(point)
    } else {
        ln_complement(ln_fraction(point.mirrored()))
    }
}

/// ln (1 − e^`ln_p`).
pub(super) fn ln_complement(ln_p: f64) -> f64 {
    if ln_p >= 0.0 {
        f64::NEG_INFINITY
    } else if ln_p > -0.5 {
        log(-libm::expm1(ln_p))
    } else {
        log1p(-exp(ln_p))
    }
}

/// Didonato and Morris' fraction, below the mean and with both shapes above 1: as long as it runs below the second shape, all its
/// terms are positive, and it converges before that.
fn ln_positive_fraction(point: Point) -> f64 {
    let Point { x, y, a, b, gap } = point;
    let c = 1.0 + gap;
    let c0 = b / a;
    let c1 = 1.0 + 1.0 / a;
    let (mut p, mut s) = (1.0, a + 1.0);
    let (mut above, mut below) = (0.0, 1.0);
    let (mut next_above, mut next_below) = (1.0, c / c1);
    let mut ratio = c1 / c;
    let mut n = 0.0;
    for _ in 0..MOST_STEPS {
        n += 1.0;
        let t = n / a;
        let w = n * (b - n) * x;
        let share = a / s;
        let alpha = (p * (p + c0) * share * share) * (w * x);
        let beta = n + w / s + (1.0 + t) / (c1 + t + t) * (c + n * (1.0 + y));
        p = 1.0 + t;
        s += 2.0;
        let new_above = alpha * above + beta * next_above;
        let new_below = alpha * below + beta * next_below;
        if !new_above.is_finite() || !new_below.is_finite() || new_below == 0.0 {
            break;
        }
        let previous = ratio;
        ratio = new_above / new_below;
        if (ratio - previous).abs() <= NEGLIGIBLE * ratio {
            break;
        }
        above = next_above / new_below;
        below = next_below / new_below;
        next_above = ratio;
        next_below = 1.0;
    }
    (point.ln_factor() + log(ratio)).min(0.0)
}

/// The fraction DLMF 8.17.22 by Lentz' method, for small shapes.
fn ln_fraction(point: Point) -> f64 {
    let Point { x, a, b, .. } = point;
    let sum = point.sum();
    let mut d = 1.0 / away_from_zero(1.0 - sum * x / (a + 1.0));
    let mut c = 1.0;
    let mut fraction = d;
    let mut m = 0.0;
    for _ in 0..MOST_STEPS {
        m += 1.0;
        let even = m * (b - m) * x / ((a + 2.0 * m - 1.0) * (a + 2.0 * m));
        d = 1.0 / away_from_zero(1.0 + even * d);
        c = away_from_zero(1.0 + even / c);
        fraction *= d * c;
        let odd = -(a + m) * (sum + m) * x / ((a + 2.0 * m) * (a + 2.0 * m + 1.0));
        d = 1.0 / away_from_zero(1.0 + odd * d);
        c = away_from_zero(1.0 + odd / c);
        let step = d * c;
        fraction *= step;
        if (step - 1.0).abs() <= NEGLIGIBLE {
            break;
        }
    }
    (point.ln_factor() - log(a) + log(fraction)).min(0.0)
}

pub(super) fn away_from_zero(x: f64) -> f64 {
    if x.abs() < SMALLEST { SMALLEST } else { x }
}

/// Temme's expansion below the mean.
fn ln_expanded(point: Point) -> f64 {
    let Point { a, b, gap, .. } = point;
    let deviance = point.deviance();
    let w = libm::sqrt(2.0 * deviance);
    let (mean, rest) = (a / point.sum(), b / point.sum());
    let spread = libm::sqrt(a * rest);
    let correction = if w < NEAR_THE_MEAN {
        (rest - mean) / (3.0 * spread)
    } else {
        spread / gap - 1.0 / w
    };
    let ln_density = -deviance - 0.5 * log(TAU);
    (ln_density + log(mills_ratio(w) + correction)).min(0.0)
}

/// P(Z > w) over the density at w, for Z standard normal and w from a little below zero on.
pub(super) fn mills_ratio(w: f64) -> f64 {
    if w < 20.0 {
        return libm::sqrt(PI / 2.0) * erfc(w * FRAC_1_SQRT_2) * exp(0.5 * w * w);
    }
    let square = 1.0 / (w * w);
    (1.0 - square * (1.0 - square * (3.0 - square * (15.0 - square * (105.0 - square * 945.0)))))
        / w
}

/// From here on eight terms of Stirling's series are exact to a rounding.
const STIRLING_FROM: f64 = 12.0;
/// B_2k / (2k (2k − 1)).
const BERNOULLI: [f64; 8] = [
    1.0 / 12.0,
    -1.0 / 360.0,
    1.0 / 1_260.0,
    -1.0 / 1_680.0,
    1.0 / 1_188.0,
    -691.0 / 360_360.0,
    1.0 / 156.0,
    -3_617.0 / 122_400.0,
];
/// Enough for |r| <= 0.18.
const ODD_RECIPROCALS: [f64; 11] = [
    1.0 / 3.0,
    1.0 / 5.0,
    1.0 / 7.0,
    1.0 / 9.0,
    1.0 / 11.0,
    1.0 / 13.0,
    1.0 / 15.0,
    1.0 / 17.0,
    1.0 / 19.0,
    1.0 / 21.0,
    1.0 / 23.0,
];
const EXPANSION_FROM: f64 = 1e8;
/// In deviations: nearer to the mean the two reciprocals of Temme's correction cancel.
const NEAR_THE_MEAN: f64 = 1e-3;
const NEGLIGIBLE: f64 = 1e-16;
const SMALLEST: f64 = 1e-300;
/// Above what any shapes up to the expansion need.
const MOST_STEPS: usize = 200_000;

#[cfg(test)]
mod tests;
