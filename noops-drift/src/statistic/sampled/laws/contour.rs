use std::f64::consts::{FRAC_PI_2, LN_2, PI};

use super::complex::Complex;

/// P(Q > x) for Q = Σ χ²₁ / (jπ)², the limit of the two-sample Cramér–von Mises statistic.
///
/// E e^(sQ) = (√(2s) / sin √(2s))^½.
pub(crate) fn cramer_von_mises_sf(x: f64) -> f64 {
    let ln_transform = |s: Complex| {
        let z = s.scale(2.0).upper_sqrt();
        let iz = Complex::I * z;
        // sin z = ½ i e^(−iz) (1 − e^(2iz)): in the upper half plane no logarithm meets its cut.
        let ln_sine = Complex::new(1.0, 0.0) - iz.scale(2.0).exp();
        (z.ln() + iz - ln_sine.ln() - Complex::new(-LN_2, FRAC_PI_2)).scale(0.5)
    };
    upper_tail(x, 1.0, |j| 1.0 / (PI * PI * j * j), ln_transform)
}

/// P(Q > x) for Q = Σ χ²_d / (j (j + 1)) with `freedom` d, the limit of the Anderson–Darling statistic of d + 1 samples.
///
/// E e^(sQ) = (−2πs / cos(½π √(1 + 8s)))^(d/2).
pub(crate) fn anderson_darling_sf(x: f64, freedom: f64) -> f64 {
    let ln_transform = |s: Complex| {
        let root = Complex::new(1.0 + 8.0 * s.re, 8.0 * s.im).upper_sqrt();
        let iz = Complex::I * root.scale(FRAC_PI_2);
        let ln_cosine = (Complex::new(1.0, 0.0) + iz.scale(2.0).exp()).ln() - iz;
        let ln_numerator = s.scale(2.0 * PI).ln() - Complex::new(0.0, PI);
        (ln_numerator + Complex::new(LN_2, 0.0) - ln_cosine).scale(freedom / 2.0)
    };
    upper_tail(x, freedom, |j| 1.0 / (j * (j + 1.0)), ln_transform)
}

/// P(Q > x) for Q = Σ λⱼ χ²_d by the inversion integral (2πi)⁻¹ ∫ e^(−sx) E e^(sQ) / s ds.
///
/// The path leaves the real axis near the saddle between the pole at 0 and the singularity at 1 / (2λ₁), and bends to the right,
/// where e^(−sx) falls. At the saddle the integrand is as small as the tail itself, so that the far tail keeps its relative
/// accuracy; the trapezoidal rule converges geometrically, because the nearest singularity is a saddle's width away.
fn upper_tail(
    x: f64,
    freedom: f64,
    weight: impl Fn(f64) -> f64,
    ln_transform: impl Fn(Complex) -> Complex,
) -> f64 {
    if x.is_nan() || x <= 0.0 {
        return 1.0;
    }
    let singularity = 0.5 / weight(1.0);
    if x * singularity > UNDERFLOW + 4.0 * freedom {
        return 0.0;
    }
    // Chernoff's bound on λ₁ χ²_d, which Q exceeds: where it says that all of the mass is above, the integral only has rounding.
    let ratio = x / (weight(1.0) * freedom);
    if ratio < 1.0 && freedom / 2.0 * (1.0 + ratio.ln() - ratio) < CERTAIN {
        return 1.0;
    }
    // The slope and the curvature of the logarithm of the transform.
    let weights: Vec<f64> = (1..=SADDLE_TERMS).map(|j| weight(f64::from(j))).collect();
    let slope = |s: f64| -> f64 {
        let terms = weights
            .iter()
            .map(|weight| weight / (1.0 - 2.0 * weight * s));
        freedom * terms.sum::<f64>()
    };
    let (mut start, mut end) = (0.0, singularity);
    for _ in 0..HALVINGS {
        let middle = start + (end - start) / 2.0;
        if slope(middle) < 1.0 / middle + x {
            start = middle;
        } else {
            end = middle;
        }
    }
    let terms = weights.iter().map(|weight| {
        let root = weight / (1.0 - 2.0 * weight * start);
        2.0 * root * root
    });
    let width = 1.0 / (freedom * terms.sum::<f64>() + 1.0 / (start * start)).sqrt();
    let mut sum = 0.0;
    let mut quiet = 0;
    for i in 0..MOST_NODES {
        let t = f64::from(i) * STEP;
        let s = Complex::new(start + width * BEND * t * t, width * t);
        let slope = Complex::new(width * 2.0 * BEND * t, width);
        let value = ((ln_transform(s) - s.scale(x)).exp() * slope).over(s);
        let part = if i == 0 { 0.5 * value.im } else { value.im };
        if !part.is_finite() {
            break;
        }
        sum += part;
        quiet = if value.size() <= NEGLIGIBLE * sum.abs() {
            quiet + 1
        } else {
            0
        };
        if quiet >= 3 {
            break;
        }
    }
    (sum * STEP / PI).clamp(0.0, 1.0)
}

const STEP: f64 = 0.1;
const BEND: f64 = 0.25;
/// The logarithm of what is no longer seen beside one.
const CERTAIN: f64 = -40.0;
const SADDLE_TERMS: u32 = 32;
const HALVINGS: u32 = 40;
const MOST_NODES: u32 = 5_000;
const NEGLIGIBLE: f64 = 1e-18;
/// Beyond it the tail is below the smallest number.
const UNDERFLOW: f64 = 760.0;

#[cfg(test)]
mod tests {
    use super::super::oracle::{close, oracle};
    use super::*;

    #[test]
    fn tails_agree_with_integrals_between_the_poles_to_the_smallest_number() {
        let oracle = oracle();
        let rows = |name: &str| oracle["limits"][name].as_array().unwrap().clone();
        for row in rows("cramer_von_mises") {
            let x = row["x"].as_f64().unwrap();
            close(cramer_von_mises_sf(x), row["tail"].as_f64().unwrap(), 1e-10);
        }
        for row in rows("anderson_darling") {
            let x = row["x"].as_f64().unwrap();
            let freedom = row["freedom"].as_f64().unwrap();
            let tail = row["tail"].as_f64().unwrap();
            close(anderson_darling_sf(x, freedom), tail, 1e-10);
        }
    }

    #[test]
    fn tails_fall_from_one_to_zero() {
        for freedom in [1.0, 2.0, 9.0, 200.0] {
            let mut before = 1.0;
            for x in [
                0.0, 1e-300, 1e-12, 0.01, 0.5, 1.0, 10.0, 200.0, 900.0, 1e300,
            ] {
                let tail = anderson_darling_sf(x, freedom);
                assert!(
                    (0.0..=before + 1e-9).contains(&tail),
                    "{freedom} {x} {tail}"
                );
                before = tail;
            }
        }
        for odd in [f64::NAN, f64::NEG_INFINITY, -1.0] {
            assert_eq!(cramer_von_mises_sf(odd), 1.0);
        }
        assert_eq!(cramer_von_mises_sf(f64::INFINITY), 0.0);
    }
}
