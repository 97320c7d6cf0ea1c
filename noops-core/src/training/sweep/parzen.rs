use std::f64::consts::{PI, SQRT_2};

use crate::digest::Digest;

/// A density on the unit interval from some of its points: a uniform one of weight 1, and around each point a normal one of weight
/// 1 cut to the interval, as wide as the gap to its farther neighbour.
#[derive(Clone, Debug)]
pub(super) struct Parzen {
    /// Centre and width of each normal density.
    kernels: Vec<(f64, f64)>,
}

impl Parzen {
    pub(super) fn new(mut points: Vec<f64>) -> Self {
        points.sort_by(f64::total_cmp);
        let narrowest = 1.0 / (points.len() as f64 + 2.0).min(100.0);
        let before = [0.0].into_iter().chain(points.iter().copied());
        let after = points.iter().copied().skip(1).chain([1.0]);
        let kernels = points
            .iter()
            .zip(before)
            .zip(after)
            .map(|((point, before), after)| {
                let gap = (point - before).max(after - point);
                (*point, gap.clamp(narrowest, 1.0))
            })
            .collect();
        Self { kernels }
    }

    pub(super) fn density(&self, at: f64) -> f64 {
        let sum: f64 = self
            .kernels
            .iter()
            .map(|(centre, width)| {
                let inside = below((1.0 - centre) / width) - below(-centre / width);
                let z = (at - centre) / width;
                (-0.5 * z * z).exp() / (width * (2.0 * PI).sqrt() * inside)
            })
            .sum();
        (1.0 + sum) / (self.kernels.len() as f64 + 1.0)
    }

    pub(super) fn sample(&self, dice: &mut Dice) -> f64 {
        let Some((centre, width)) = self.kernels.get(dice.below(self.kernels.len() + 1)) else {
            return dice.unit();
        };
        for _ in 0..REJECTIONS {
            let place = centre + width * dice.normal();
            if (0.0..=1.0).contains(&place) {
                return place;
            }
        }
        *centre
    }
}

/// Pseudo-random numbers from a seed: splitmix64 (Steele, Lea and Flood, 2014).
#[derive(Clone, Debug)]
pub(super) struct Dice {
    state: u64,
}

impl Dice {
    /// The numbers of one parameter of one trial.
    pub(super) fn new(seed: u64, index: u64, name: &str) -> Self {
        let digest = Digest::of_parts([
            &b"sweep"[..],
            &seed.to_le_bytes(),
            &index.to_le_bytes(),
            name.as_bytes(),
        ]);
        let head = digest.as_bytes().iter().take(8);
        Self {
            state: head.fold(0u64, |state, byte| (state << 8) | u64::from(*byte)),
        }
    }

    fn draw(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.state;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// Uniform in `0 <= u < 1`.
    pub(super) fn unit(&mut self) -> f64 {
        (self.draw() >> 11) as f64 / (1u64 << 53) as f64
    }

    /// Uniform among `0..count`; 0 where that is empty.
    pub(super) fn below(&mut self, count: usize) -> usize {
        ((self.unit() * count as f64) as usize).min(count.saturating_sub(1))
    }

    /// Standard normal, by Box and Muller.
    fn normal(&mut self) -> f64 {
        let radius = (-2.0 * (1.0 - self.unit()).ln()).sqrt();
        radius * (2.0 * PI * self.unit()).cos()
    }
}

/// The share of a standard normal distribution below a number.
fn below(z: f64) -> f64 {
    0.5 * (1.0 + erf(z / SQRT_2))
}

/// The error function within 1.5e-7 (Abramowitz and Stegun, 7.1.26).
fn erf(x: f64) -> f64 {
    let t = 1.0 / (1.0 + 0.327_591_1 * x.abs());
    let series = t
        * (0.254_829_592
            + t * (-0.284_496_736
                + t * (1.421_413_741 + t * (-1.453_152_027 + t * 1.061_405_429))));
    (1.0 - series * (-x * x).exp()).copysign(x)
}

const REJECTIONS: u32 = 20;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_error_function_has_its_published_values() {
        // Abramowitz and Stegun, table 7.1.
        for (x, published) in [
            (0.0, 0.0),
            (0.5, 0.520_499_877_8),
            (1.0, 0.842_700_793),
            (2.0, 0.995_322_265),
        ] {
            assert!((erf(x) - published).abs() < 2e-7, "{x}");
            assert!((erf(-x) + published).abs() < 2e-7, "{x}");
        }
    }

    #[test]
    fn the_dice_are_splitmix64() {
        // The first outputs of the reference implementation for seed 1234567.
        let mut dice = Dice { state: 1_234_567 };
        assert_eq!(dice.draw(), 6_457_827_717_110_365_317);
        assert_eq!(dice.draw(), 3_203_168_211_198_807_973);
    }

    proptest! {
        #[test]
        fn the_density_integrates_to_one_and_samples_lie_inside(points in proptest::collection::vec(0.0f64..=1.0, 0..30)) {
            let parzen = Parzen::new(points);
            let steps = 4000;
            let mass: f64 = (0..steps)
                .map(|step| parzen.density((f64::from(step) + 0.5) / f64::from(steps)) / f64::from(steps))
                .sum();
            prop_assert!((mass - 1.0).abs() < 1e-3, "{}", mass);
            let mut dice = Dice::new(1, 2, "x");
            for _ in 0..100 {
                prop_assert!((0.0..=1.0).contains(&parzen.sample(&mut dice)));
            }
        }
    }
}
