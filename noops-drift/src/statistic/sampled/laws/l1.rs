use std::f64::consts::FRAC_2_PI;

use super::ChiSquarePair;
use noops_stats::special::{normal_upper_quantile, upper_quantile};

/// The law of S = Σ wᵢ |Zᵢ| for a centred Gaussian vector Z: what an L1 distance of two samples follows without drift,
/// times the root of the effective size nm/(n + m).
///
/// # Formula
///
/// S is matched to √(a χ²₁ + b χ²ₖ). The leading scale a is the largest variance of a signed sum Σ ±wᵢ Zᵢ, which rules the
/// far tail, P(S > x) ≈ e^(−x²/2a); b and k give S its mean and its second moment, which are known in closed form,
///
/// E |X| = σₓ √(2/π), E |XY| = (2/π) σₓ σᵧ (√(1 − ρ²) + ρ asin ρ).
///
/// One term alone is half-normal, exactly. Against simulation of bridges and multinomials of 2 to 64 cells the tail is
/// right to 10 % of itself at 5 % and to 25 % at 0.1 %; for bridges, and so for the area between two distribution
/// functions, it is too heavy, never too light.
///
/// # Complexity
///
/// O(cells²) to make; a tail is a quadrature of some hundred nodes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct L1Law {
    /// The law of (S / unit)².
    square: ChiSquarePair,
    unit: f64,
}

impl L1Law {
    /// The law of ∫ |B(F(x))| dx for a Brownian bridge B that stands at `levels` (in \[0, 1\]) over widths `weights`.
    pub(crate) fn of_bridge(weights: &[f64], levels: &[f64]) -> Self {
        Self::of_bridges(weights, levels, levels, 0.5)
    }

    /// The law of √(nm/(n + m)) ∫ |(Fₙ − F) − (Gₘ − G)| dx for two samples whose distribution functions stand at
    /// `reference` and `current` over widths `weights`, with `balance` = n/(n + m).
    ///
    /// Without drift both levels agree and the balance does not matter.
    pub(crate) fn of_bridges(
        weights: &[f64],
        reference: &[f64],
        current: &[f64],
        balance: f64,
    ) -> Self {
        let balance = if (0.0..=1.0).contains(&balance) {
            balance
        } else {
            0.5
        };
        let cells: Vec<(f64, (f64, f64))> = weights
            .iter()
            .zip(reference.iter().zip(current))
            .map(|(weight, (r, c))| (*weight, (probability(*r), probability(*c))))
            .collect();
        let covariance = |one: (f64, f64), other: (f64, f64)| {
            let bridge = |a: f64, b: f64| a.min(b) * (1.0 - a.max(b));
            (1.0 - balance) * bridge(one.0, other.0) + balance * bridge(one.1, other.1)
        };
        Self::matched(&cells, covariance, None)
    }

    /// The law of ½ Σ |Zᵢ| for the limit of √n times the deviations of the shares of a multinomial of probabilities
    /// `shares`, which are scaled to sum to one: total variation.
    pub(crate) fn of_multinomial(shares: &[f64]) -> Self {
        let clean = |share: f64| {
            if share.is_finite() {
                share.max(0.0)
            } else {
                0.0
            }
        };
        let largest = shares.iter().copied().map(clean).fold(0.0, f64::max);
        if largest <= 0.0 {
            return Self::nothing();
        }
        let total: f64 = shares.iter().map(|share| clean(*share) / largest).sum();
        let cells: Vec<(f64, (usize, f64))> = shares
            .iter()
            .enumerate()
            .map(|(i, share)| (0.5, (i, clean(*share) / largest / total)))
            .collect();
        // Half the sum of |Zᵢ| is the largest Z(A) over sets A of cells, with variance P(A) (1 − P(A)): at most a quarter,
        // and when one cell has more than half of the mass, at most that of this cell.
        let top = 1.0 / total;
        let leading = if top > 0.5 { top * (1.0 - top) } else { 0.25 };
        Self::matched(
            &cells,
            |(i, p), (j, q)| if i == j { p * (1.0 - p) } else { -p * q },
            Some(leading),
        )
    }

    /// P(S > x √`effective_size`): how often two samples without drift are more than `x` apart.
    pub(crate) fn sf(&self, x: f64, effective_size: f64) -> f64 {
        let x = x * effective_size.sqrt();
        if x.is_nan() || x <= 0.0 {
            return 1.0;
        }
        if self.unit <= 0.0 {
            return 0.0;
        }
        let scaled = x / self.unit;
        self.square.sf(scaled * scaled)
    }

    /// The distance that two samples without drift exceed with probability `tail`.
    pub(crate) fn upper_quantile(&self, tail: f64, effective_size: f64) -> f64 {
        if self.unit <= 0.0 || effective_size <= 0.0 {
            return 0.0;
        }
        let pair = &self.square;
        let guess = 2.0 * (pair.leading + pair.rest * pair.freedom);
        let square = upper_quantile(tail, guess, |x| pair.sf(x));
        square.sqrt() * self.unit / effective_size.sqrt()
    }

    /// A true distance that exceeds `critical` with probability `power` at least: whatever the drift, the sum signed along it
    /// has no more than the leading variance.
    pub(crate) fn visible_from(&self, critical: f64, power: f64, effective_size: f64) -> f64 {
        let deviation = self.square.leading.sqrt() * self.unit / effective_size.sqrt();
        critical + normal_upper_quantile(1.0 - power) * deviation
    }

    /// Fits the pair to weighted cells. `leading` is the largest variance of a signed sum in units of the weights as given,
    /// or nothing when all covariances are positive and the plain sum has it.
    fn matched<T: Copy>(
        cells: &[(f64, T)],
        covariance: impl Fn(T, T) -> f64,
        leading: Option<f64>,
    ) -> Self {
        let unit = cells
            .iter()
            .map(|cell| cell.0)
            .filter(|weight| weight.is_finite())
            .fold(0.0, f64::max);
        if unit <= 0.0 {
            return Self::nothing();
        }
        let scaled: Vec<(f64, f64, T)> = cells
            .iter()
            .filter(|(weight, _)| weight.is_finite() && *weight > 0.0)
            .map(|(weight, cell)| {
                let deviation = covariance(*cell, *cell).max(0.0).sqrt();
                (weight / unit, deviation, *cell)
            })
            .filter(|(_, deviation, _)| *deviation > 0.0)
            .collect();
        let mut first = 0.0;
        let mut second = 0.0;
        let mut plain = 0.0;
        for (i, (weight, deviation, cell)) in scaled.iter().enumerate() {
            let size = weight * deviation;
            first += FRAC_2_PI.sqrt() * size;
            second += size * size;
            plain += size * size;
            for (other_weight, other_deviation, other) in scaled.iter().skip(i + 1) {
                let product = size * other_weight * other_deviation;
                let rho =
                    (covariance(*cell, *other) / (deviation * other_deviation)).clamp(-1.0, 1.0);
                second += 2.0 * FRAC_2_PI * product * ((1.0 - rho * rho).sqrt() + rho * rho.asin());
                plain += 2.0 * product * rho;
            }
        }
        let leading = leading.map_or(plain, |given| given / unit / unit);
        if second <= 0.0 || leading <= 0.0 {
            return Self::nothing();
        }
        Self {
            square: match_moments(first, second, leading.min(second)),
            unit,
        }
    }

    /// The law of zero.
    fn nothing() -> Self {
        Self {
            square: ChiSquarePair {
                shift: 0.0,
                leading: 0.0,
                rest: 0.0,
                freedom: 1.0,
            },
            unit: 0.0,
        }
    }
}

/// The pair whose root has mean `first` and second moment `second`, with the leading scale given.
fn match_moments(first: f64, second: f64, leading: f64) -> ChiSquarePair {
    let left = second - leading;
    let with = |freedom: f64| ChiSquarePair {
        shift: 0.0,
        leading,
        rest: left / freedom,
        freedom,
    };
    if left <= FLAT * second {
        return ChiSquarePair {
            rest: 0.0,
            ..with(1.0)
        };
    }
    // The more degrees of freedom, the steadier the sum and the larger the mean of its root.
    let (mut low, mut high) = (FEWEST, MOST);
    if with(high).mean_root() <= first {
        return with(high);
    }
    if with(low).mean_root() >= first {
        return with(low);
    }
    for _ in 0..HALVINGS {
        let middle = (low * high).sqrt();
        if with(middle).mean_root() < first {
            low = middle;
        } else {
            high = middle;
        }
    }
    with((low * high).sqrt())
}

fn probability(level: f64) -> f64 {
    if level.is_nan() {
        0.0
    } else {
        level.clamp(0.0, 1.0)
    }
}

const FEWEST: f64 = 0.25;
/// Beyond this the second term is nearly a constant.
const MOST: f64 = 100.0;
const HALVINGS: usize = 18;
/// A remainder of the second moment that is rounding.
const FLAT: f64 = 1e-12;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{Draws as _, SplitMix64};
    use noops_stats::special::normal_sf;

    #[track_caller]
    fn close(found: f64, expected: f64, relative: f64) {
        assert!(
            (found / expected - 1.0).abs() <= relative,
            "found {found}, expected {expected}"
        );
    }

    #[test]
    fn one_cell_is_half_normal() {
        let law = L1Law::of_bridge(&[3.0], &[0.2]);
        close(law.sf(0.5, 100.0), 2.0 * normal_sf(5.0 / 1.2), 1e-12);
        close(law.upper_quantile(2.0 * normal_sf(2.0), 25.0), 0.48, 1e-9);
    }

    #[test]
    fn two_equal_categories_are_half_normal() {
        let law = L1Law::of_multinomial(&[1.0, 1.0]);
        close(law.sf(0.1, 400.0), 2.0 * normal_sf(4.0), 1e-6);
    }

    #[test]
    fn the_tail_of_the_uniform_bridge_is_that_of_johnson_and_killeen_or_heavier() {
        // P(∫ |B| > 0.5821) = 0.05 and P(∫ |B| > 0.7518) = 0.01 (Johnson and Killeen, 1983).
        let cells = 127_u32;
        let levels: Vec<f64> = (1..=cells).map(|i| f64::from(i) / 128.0).collect();
        let law = L1Law::of_bridge(&vec![1.0 / 128.0; 127], &levels);
        let at_five = law.sf(0.5821, 1.0);
        let at_one = law.sf(0.7518, 1.0);
        assert!((0.049..0.058).contains(&at_five), "{at_five}");
        assert!((0.0098..0.0125).contains(&at_one), "{at_one}");
    }

    #[test]
    fn a_tail_of_total_variation_is_as_often_exceeded_as_it_says() {
        let mut random = SplitMix64(5);
        let shares = [0.3, 0.25, 0.2, 0.15, 0.1];
        let law = L1Law::of_multinomial(&shares);
        let critical = law.upper_quantile(0.05, 200.0);
        let runs = 4_000;
        let mut above = 0;
        for _ in 0..runs {
            let one = random.counts(&shares, 400);
            let other = random.counts(&shares, 400);
            let sum: f64 = one
                .iter()
                .zip(&other)
                .map(|(a, b)| (*a as f64 - *b as f64).abs() / 400.0)
                .sum();
            above += u32::from(0.5 * sum > critical);
        }
        // 5 % is 200 with a deviation of 14; the law errs by up to a tenth.
        assert!((140..=262).contains(&above), "{above}");
    }

    #[test]
    fn quantiles_undo_tails_at_any_scale() {
        for scale in [1e-200, 1.0, 1e200] {
            let weights = [scale, 2.0 * scale, 0.5 * scale];
            let law = L1Law::of_bridge(&weights, &[0.2, 0.5, 0.9]);
            for tail in [0.5, 0.05, 1e-6, 1e-100] {
                close(law.sf(law.upper_quantile(tail, 50.0), 50.0), tail, 1e-6);
            }
        }
    }

    #[test]
    fn hostile_cells_give_probabilities() {
        let odd = [f64::NAN, f64::INFINITY, -1.0, 0.0, 1.0];
        for law in [
            L1Law::of_bridge(&odd, &odd),
            L1Law::of_multinomial(&odd),
            L1Law::of_multinomial(&[]),
            L1Law::of_bridges(&[1.0, 1.0], &[0.1, 0.6], &[0.3, 0.4], f64::NAN),
        ] {
            for x in odd {
                let tail = law.sf(x, 10.0);
                assert!((0.0..=1.0).contains(&tail), "{law:?}: {tail}");
            }
            assert!(law.upper_quantile(0.05, 10.0).is_finite());
        }
    }
}
