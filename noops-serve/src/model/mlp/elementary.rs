//! Elementary functions on vectors.
//!
//! A lane's result depends on that lane only, and a function is the same sequence of operations for every batch: what keeps scores
//! independent of the batch to the last bit.

use fearless_simd::{Simd, prelude::*};

/// `exp(x)`: Cody and Waite's reduction by the logarithm of two, and the polynomial of the Cephes library.
#[inline(always)]
pub(crate) fn exp<S: Simd>(simd: S, x: S::f32s) -> S::f32s {
    let low = x.simd_lt(splat::<S>(simd, LEAST));
    let high = x.simd_gt(splat::<S>(simd, GREATEST));
    let within = high.select(
        splat::<S>(simd, GREATEST),
        low.select(splat::<S>(simd, LEAST), x),
    );
    let n = (within * std::f32::consts::LOG2_E).round_ties_even();
    let r = n.mul_add(splat::<S>(simd, -LN_2_HIGH), within);
    let r = n.mul_add(splat::<S>(simd, -LN_2_LOW), r);
    let mut p = splat::<S>(simd, 1.987_569_1e-4);
    for coefficient in [
        1.398_2e-3,
        8.333_452e-3,
        4.166_579_6e-2,
        1.666_666_5e-1,
        0.5,
    ] {
        p = p.mul_add(r, splat::<S>(simd, coefficient));
    }
    let p = p.mul_add(r * r, r) + 1.0;
    // In two steps, because 2ⁿ itself may be too small or too large for a number.
    let half = (n * 0.5).floor();
    let result = p * power_of_two::<S>(simd, half) * power_of_two::<S>(simd, n - half);
    // NaN was neither low nor high but its integers mean nothing.
    x.is_nan().select(x, result)
}

/// `1 / (1 + exp(-x))`.
#[inline(always)]
pub(crate) fn sigmoid<S: Simd>(simd: S, x: S::f32s) -> S::f32s {
    S::f32s::splat(simd, 1.0) / (exp::<S>(simd, -x) + 1.0)
}

/// The hyperbolic tangent: a polynomial near zero, where the difference of exponentials would cancel, and the exponential elsewhere.
#[inline(always)]
pub(crate) fn tanh<S: Simd>(simd: S, x: S::f32s) -> S::f32s {
    let size = x.abs();
    let square = x * x;
    let mut p = splat::<S>(simd, -5.704_988_7e-3);
    for coefficient in [2.063_909e-2, -5.373_971_5e-2, 1.333_144_2e-1, -0.333_332_8] {
        p = p.mul_add(square, splat::<S>(simd, coefficient));
    }
    let near = (p * square).mul_add(x, x);
    let far = splat::<S>(simd, 1.0) - splat::<S>(simd, 2.0) / (exp::<S>(simd, size * 2.0) + 1.0);
    let far = far.copysign(x);
    let result = size.simd_lt(splat::<S>(simd, 0.625)).select(near, far);
    x.is_nan().select(x, result)
}

/// The error function: its series near zero, where formula 7.1.26 of Abramowitz and Stegun would cancel, and the formula elsewhere, which
/// is within 1.5e-7 before rounding.
#[inline(always)]
pub(crate) fn erf<S: Simd>(simd: S, x: S::f32s) -> S::f32s {
    let size = x.abs();
    let square = x * x;
    let mut near = splat::<S>(simd, -8.548_327e-4);
    for coefficient in [
        5.223_977_6e-3,
        -2.686_617e-2,
        0.112_837_92,
        -0.376_126_4,
        std::f32::consts::FRAC_2_SQRT_PI,
    ] {
        near = near.mul_add(square, splat::<S>(simd, coefficient));
    }
    let one = splat::<S>(simd, 1.0);
    let t = one / size.mul_add(splat::<S>(simd, 0.327_591_1), one);
    let mut p = splat::<S>(simd, 1.061_405_4);
    for coefficient in [-1.453_152, 1.421_413_7, -0.284_496_74, 0.254_829_6] {
        p = p.mul_add(t, splat::<S>(simd, coefficient));
    }
    let far = (one - p * t * exp::<S>(simd, -square)).copysign(x);
    let result = size.simd_lt(splat::<S>(simd, 0.5)).select(near * x, far);
    x.is_nan().select(x, result)
}

#[inline(always)]
fn splat<S: Simd>(simd: S, value: f32) -> S::f32s {
    S::f32s::splat(simd, value)
}

/// `2ⁿ` for a whole `n` in -126..=127, by writing it into the exponent.
#[inline(always)]
fn power_of_two<S: Simd>(_: S, n: S::f32s) -> S::f32s {
    let exponent: S::i32s = (n + 127.0).to_int();
    (exponent << 23).bitcast()
}

/// Below this the exponential is zero.
const LEAST: f32 = -104.0;
/// Above this the exponential is infinite.
const GREATEST: f32 = 89.0;
const LN_2_HIGH: f32 = 0.693_359_4;
const LN_2_LOW: f32 = -2.121_944_4e-4;

#[cfg(test)]
mod tests {
    use fearless_simd::{Level, dispatch};

    use super::*;

    fn by_lanes(function: u8, values: &[f32]) -> Vec<f32> {
        let mut values = values.to_vec();
        values.resize(values.len().next_multiple_of(64), 0.0);
        let level = Level::new();
        dispatch!(level, simd => compute(simd, function, &mut values));
        values
    }

    #[inline(always)]
    fn compute<S: Simd>(simd: S, function: u8, values: &mut [f32]) {
        for chunk in values.chunks_exact_mut(S::f32s::LEN) {
            let x = S::f32s::from_slice(simd, chunk);
            let y = match function {
                0 => exp::<S>(simd, x),
                1 => sigmoid::<S>(simd, x),
                2 => tanh::<S>(simd, x),
                _ => erf::<S>(simd, x),
            };
            y.store_slice(chunk);
        }
    }

    fn arguments(from: f64, to: f64) -> Vec<f32> {
        let steps = 200_000;
        let at = |step: i32| from + (to - from) * f64::from(step) / f64::from(steps);
        (0..=steps).map(|step| at(step) as f32).collect()
    }

    /// The largest error relative to the exact value, as `libm` has it in double precision.
    fn worst(function: u8, from: f64, to: f64, exact: fn(f64) -> f64) -> f64 {
        let arguments = arguments(from, to);
        let found = by_lanes(function, &arguments);
        let errors = arguments.iter().zip(&found).map(|(x, y)| {
            let exact = exact(f64::from(*x));
            (f64::from(*y) - exact).abs() / exact.abs().max(f64::MIN_POSITIVE)
        });
        errors.fold(0.0, f64::max)
    }

    #[test]
    fn the_exponential_is_exact_to_1_5e_7() {
        let worst = worst(0, -87.0, 88.7, libm::exp);
        assert!(
            worst < 2.0 * f64::from(f32::EPSILON) / 2.0 * 1.3,
            "{worst:e}"
        );
    }

    #[test]
    fn the_sigmoid_and_the_tangent_are_exact_to_2e_7() {
        let sigmoid = worst(1, -80.0, 80.0, |x| 1.0 / (1.0 + libm::exp(-x)));
        let tanh = worst(2, -30.0, 30.0, libm::tanh);
        assert!(sigmoid < 2e-7 && tanh < 2e-7, "{sigmoid:e} {tanh:e}");
    }

    #[test]
    fn the_error_function_is_exact_to_4e_7() {
        let arguments = arguments(-6.0, 6.0);
        let found = by_lanes(3, &arguments);
        for (x, y) in arguments.iter().zip(&found) {
            let error = (f64::from(*y) - libm::erf(f64::from(*x))).abs();
            assert!(error < 4e-7, "erf({x}) is off by {error:e}");
        }
    }

    #[test]
    fn the_ends_of_the_number_line_are_what_they_should_be() {
        let ends = [
            f32::NEG_INFINITY,
            f32::MIN,
            -200.0,
            0.0,
            200.0,
            f32::MAX,
            f32::INFINITY,
        ];
        let expected: [[f32; 7]; 4] = [
            [
                0.0,
                0.0,
                0.0,
                1.0,
                f32::INFINITY,
                f32::INFINITY,
                f32::INFINITY,
            ],
            [0.0, 0.0, 0.0, 0.5, 1.0, 1.0, 1.0],
            [-1.0, -1.0, -1.0, 0.0, 1.0, 1.0, 1.0],
            [-1.0, -1.0, -1.0, 0.0, 1.0, 1.0, 1.0],
        ];
        for (function, expected) in (0..).zip(expected) {
            let found = by_lanes(function, &ends);
            for (found, expected) in found.iter().zip(expected) {
                assert!(
                    (found - expected).abs() < 1e-7 || *found == expected,
                    "{function}: {found} {expected}"
                );
            }
            let nan = by_lanes(function, &[f32::NAN]);
            assert!(nan.first().is_some_and(|x| x.is_nan()), "{function}");
        }
    }
}
