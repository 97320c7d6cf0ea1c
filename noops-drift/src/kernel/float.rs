use fearless_simd::Level;

use super::scalar;

/// A number that can be counted: `f64`, or `f32` with the same answers.
pub(crate) trait Float: Copy + PartialOrd + Send + Sync + std::fmt::Debug + 'static {
    const INFINITY: Self;
    const NEG_INFINITY: Self;

    /// The largest of these numbers that is at most `value`: then `x > at_most(value)` is `f64::from(x) > value`.
    fn at_most(value: f64) -> Self;

    /// The smallest of these numbers that is at least `value`.
    fn at_least(value: f64) -> Self;

    fn is_not_a_number(self) -> bool;

    fn widen(self) -> f64;

    /// Adds to `above` how many values are above each edge, and tells how many are ordinary.
    fn compare(
        level: Level,
        edges: &[Self],
        ordinary: (Self, Self),
        values: &[Self],
        above: &mut [u64],
    ) -> u64;
}

impl Float for f64 {
    const INFINITY: Self = f64::INFINITY;
    const NEG_INFINITY: Self = f64::NEG_INFINITY;

    fn at_most(value: f64) -> Self {
        value
    }

    fn at_least(value: f64) -> Self {
        value
    }

    fn is_not_a_number(self) -> bool {
        self.is_nan()
    }

    fn widen(self) -> f64 {
        self
    }

    fn compare(
        level: Level,
        edges: &[Self],
        ordinary: (Self, Self),
        values: &[Self],
        above: &mut [u64],
    ) -> u64 {
        #[cfg(target_arch = "x86_64")]
        {
            if let Some(avx512) = level.as_avx512() {
                return super::x86::f64_avx512::compare(avx512, edges, ordinary, values, above);
            }
            if let Some(avx2) = level.as_avx2() {
                return super::x86::f64_avx2::compare(avx2, edges, ordinary, values, above);
            }
        }
        let _ = level;
        scalar::compare(edges, ordinary, values, above)
    }
}

impl Float for f32 {
    const INFINITY: Self = f32::INFINITY;
    const NEG_INFINITY: Self = f32::NEG_INFINITY;

    fn at_most(value: f64) -> Self {
        let near = value as f32;
        if f64::from(near) > value {
            near.next_down()
        } else {
            near
        }
    }

    fn at_least(value: f64) -> Self {
        let near = value as f32;
        if f64::from(near) < value {
            near.next_up()
        } else {
            near
        }
    }

    fn is_not_a_number(self) -> bool {
        self.is_nan()
    }

    fn widen(self) -> f64 {
        f64::from(self)
    }

    fn compare(
        level: Level,
        edges: &[Self],
        ordinary: (Self, Self),
        values: &[Self],
        above: &mut [u64],
    ) -> u64 {
        #[cfg(target_arch = "x86_64")]
        {
            if let Some(avx512) = level.as_avx512() {
                return super::x86::f32_avx512::compare(avx512, edges, ordinary, values, above);
            }
            if let Some(avx2) = level.as_avx2() {
                return super::x86::f32_avx2::compare(avx2, edges, ordinary, values, above);
            }
        }
        let _ = level;
        scalar::compare(edges, ordinary, values, above)
    }
}
