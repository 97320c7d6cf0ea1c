use fearless_simd::{Simd, f64x4, prelude::*};
use serde::{Deserialize, Serialize};

use crate::kernel::Lookup;
use crate::sequential::change_prior::{FIRST, MOST_WEALTH};
use crate::sequential::legendre::cell_means;
use crate::sequential::reference::ReferenceCdf;

/// Sixteen bets on the cell of a value: four scores, two sizes, two signs; four for each score, as many as a rate has.
///
/// Sizes are rows and scores are columns, so that one row of scores meets one row of wealth. Rows are aligned, so that none
/// lies in two cache lines.
#[derive(Clone, Debug, PartialEq)]
#[repr(align(32))]
pub(super) struct PolynomialBets {
    cells: Lookup<f64>,
    scores: Vec<Scores>,
    /// 1 / (1 + λ V ε).
    keep: Table,
    /// λ / (1 + λ V ε).
    stake: Table,
    up: Table,
    down: Table,
}

impl PolynomialBets {
    pub(super) fn new(reference: &ReferenceCdf, failure: f64) -> Self {
        let scores = centred_scores(reference);
        let error = reference.band(failure);
        let variation = total_variation(&scores);
        let mut keep = [[0.0; 4]; SIZES.len()];
        let mut stake = keep;
        for ((keep, stake), size) in keep.iter_mut().zip(&mut stake).zip(SIZES) {
            let bets = keep.iter_mut().zip(stake).zip(variation).zip(UNIT_SPREAD);
            for (((keep, stake), variation), spread) in bets {
                let lambda = size * spread;
                *keep = 1.0 / (1.0 + lambda * variation * error * (1.0 + ROUNDING));
                *stake = lambda * *keep;
            }
        }
        Self {
            cells: Lookup::new(reference.edges(), STEPS),
            scores: scores.into_iter().map(Scores).collect(),
            keep,
            stake,
            up: [[FIRST; 4]; SIZES.len()],
            down: [[FIRST; 4]; SIZES.len()],
        }
    }

    /// The cell of a value of this reference, from a table.
    #[inline(always)]
    pub(super) fn cell_of(&self, edges: &[f64], value: f64) -> usize {
        self.cells.bin(edges, value)
    }

    /// Bets on a value in this cell. Returns the sum of the wealths.
    #[inline(always)]
    pub(super) fn bet<S: Simd>(&mut self, simd: S, cell: usize, fresh: f64) -> f64 {
        let scores: f64x4<S> = self
            .scores
            .get(cell)
            .copied()
            .unwrap_or_default()
            .0
            .simd_into(simd);
        let fresh = f64x4::splat(simd, fresh);
        let mut sums = f64x4::splat(simd, 0.0);
        let sides = self.up.iter_mut().zip(&mut self.down);
        for ((up, down), (keep, stake)) in sides.zip(self.keep.iter().zip(&self.stake)) {
            let keep: f64x4<S> = (*keep).simd_into(simd);
            let stake: f64x4<S> = (*stake).simd_into(simd);
            let mut gained: f64x4<S> = (*up).simd_into(simd);
            let mut lost: f64x4<S> = (*down).simd_into(simd);
            let lean = stake * scores;
            gained = (gained + fresh) * (keep + lean);
            lost = (lost + fresh) * (keep - lean);
            gained.store_slice(up);
            lost.store_slice(down);
            sums += gained + lost;
        }
        let sum = total(sums.into());
        if sum > MOST_WEALTH {
            self.cut_off()
        } else {
            sum
        }
    }

    /// Lets a row pass without a bet. Returns the sum of the wealths.
    pub(super) fn skip(&mut self, fresh: f64) -> f64 {
        for wealth in self.up.iter_mut().chain(&mut self.down).flatten() {
            *wealth = (*wealth + fresh).min(MOST_WEALTH);
        }
        self.sum()
    }

    /// The sum of the wealths, to the bit what the last bet returned.
    pub(super) fn sum(&self) -> f64 {
        total(self.sums())
    }

    /// The sum of the wealths of each score.
    pub(super) fn sums(&self) -> [f64; 4] {
        let mut sums = [0.0; 4];
        for (up, down) in self.up.iter().zip(&self.down) {
            for ((sum, up), down) in sums.iter_mut().zip(up).zip(down) {
                *sum += up + down;
            }
        }
        sums
    }

    pub(super) fn wealth(&self) -> PolynomialWealth {
        PolynomialWealth {
            up: self.up,
            down: self.down,
        }
    }

    /// Takes up stored wealth.
    pub(super) fn resume(&mut self, wealth: &PolynomialWealth) {
        self.up = wealth.up;
        self.down = wealth.down;
    }

    #[cold]
    fn cut_off(&mut self) -> f64 {
        for wealth in self.up.iter_mut().chain(&mut self.down).flatten() {
            *wealth = wealth.min(MOST_WEALTH);
        }
        self.sum()
    }
}

fn total([a, b, c, d]: [f64; 4]) -> f64 {
    (a + b) + (c + d)
}

/// The state of [`PolynomialBets`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct PolynomialWealth {
    up: Table,
    down: Table,
}

impl PolynomialWealth {
    pub(super) fn is_valid(&self) -> bool {
        self.all()
            .all(|wealth| (0.0..=MOST_WEALTH).contains(&wealth))
    }

    pub(super) fn is_fresh(&self) -> bool {
        self.all().all(|wealth| wealth == FIRST)
    }

    fn all(&self) -> impl Iterator<Item = f64> + '_ {
        self.up.iter().chain(&self.down).flatten().copied()
    }
}

/// The scores of each cell, with mean 0 over the reference. Without a reference value there is nothing to score.
fn centred_scores(reference: &ReferenceCdf) -> Vec<[f64; 4]> {
    let total = reference.values() as f64;
    if reference.values() == 0 {
        return vec![[0.0; 4]; reference.counts().len()];
    }
    let mut from = 0.0;
    let mut means = [0.0; 4];
    let mut scores = Vec::with_capacity(reference.counts().len());
    for (count, upto) in reference.counts().iter().zip(reference.cumulative()) {
        let to = upto as f64 / total;
        let cell = cell_means(from, to);
        for (mean, score) in means.iter_mut().zip(cell) {
            *mean += *count as f64 / total * score;
        }
        scores.push(cell);
        from = to;
    }
    // Only rounding is left to centre.
    for cell in &mut scores {
        for (score, mean) in cell.iter_mut().zip(means) {
            *score -= mean;
        }
    }
    scores
}

fn total_variation(scores: &[[f64; 4]]) -> [f64; 4] {
    let mut variation = [0.0; 4];
    for (left, right) in scores.iter().zip(scores.iter().skip(1)) {
        for ((sum, left), right) in variation.iter_mut().zip(left).zip(right) {
            *sum += f64::abs(right - left);
        }
    }
    variation
}

type Table = [[f64; 4]; SIZES.len()];

/// The scores of a cell.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
#[repr(align(32))]
struct Scores([f64; 4]);

/// The sizes of the bets on location: a small one for small shifts, a large one to be quick.
///
/// Scores reach ±1, so the largest size times the largest spread has to stay below 1 for every factor to be positive.
const SIZES: [f64; 2] = [0.1, 0.5];
/// √((2k + 1) / 3): scores of a higher degree vary less, so bets on them may be larger.
const UNIT_SPREAD: [f64; 4] = [
    1.0,
    1.290_994_448_735_805_6,
    1.527_525_231_651_946_7,
    1.732_050_807_568_877_2,
];
/// Far above the rounding of the variation.
const ROUNDING: f64 = 1e-9;
/// Steps of the table of cells: 16 to 40 KiB for each column. As many as it takes that no step of normal data holds two of 255
/// edges, which is faster than a smaller table with more to compare; measured.
const STEPS: usize = 1_024;

#[cfg(test)]
mod tests {
    use fearless_simd::{Level, dispatch};
    use proptest::prelude::*;

    use super::*;

    fn reference_of(counts: &[u64], sketch_error: f64) -> ReferenceCdf {
        let edges: Vec<f64> = (1..counts.len()).map(|edge| edge as f64).collect();
        ReferenceCdf::from_cells(&edges, counts)
            .unwrap()
            .with_sketch_error(sketch_error)
            .unwrap()
    }

    /// The probabilities of the cells when the distribution function is off by `shifts` (parts of `error`) at the edges.
    fn law(reference: &ReferenceCdf, error: f64, shifts: &[f64]) -> Vec<f64> {
        let total = reference.values() as f64;
        let mut upto = 0.0_f64;
        let mut law = Vec::new();
        let last = reference.counts().len() - 1;
        for (cell, seen) in reference.cumulative().enumerate() {
            let near = (seen as f64 / total + error * shifts[cell]).clamp(0.0, 1.0);
            // The running maximum is a distribution function, and not further off than what it is the maximum of.
            let next = if cell == last { 1.0 } else { upto.max(near) };
            law.push(next - upto);
            upto = next;
        }
        law
    }

    /// The expected factors of all bets, the smallest factor too.
    fn means(bets: &PolynomialBets, law: &[f64]) -> (Vec<f64>, f64) {
        let mut means = Vec::new();
        let mut least = f64::INFINITY;
        for (keep, stake) in bets.keep.iter().zip(&bets.stake) {
            for degree in 0..4 {
                for sign in [1.0, -1.0] {
                    let factors = bets
                        .scores
                        .iter()
                        .map(|scores| keep[degree] + sign * stake[degree] * scores.0[degree]);
                    least = factors.clone().fold(least, f64::min);
                    means.push(factors.zip(law).map(|(factor, p)| factor * p).sum());
                }
            }
        }
        (means, least)
    }

    proptest! {
        #[test]
        fn no_law_within_the_error_of_the_reference_has_a_bet_that_gains(
            counts in prop::collection::vec(prop_oneof![Just(0_u64), 1_u64..40, 1_u64..100_000], 1..9),
            shifts in prop::collection::vec(-1.0_f64..=1.0, 9),
            failure in 1e-6_f64..0.9,
            sketch_error in prop_oneof![Just(0.0), 0.0_f64..0.3],
        ) {
            prop_assume!(counts.iter().any(|count| *count > 0));
            let reference = reference_of(&counts, sketch_error);
            let bets = PolynomialBets::new(&reference, failure);
            let error = reference.band(failure);
            let mut laws = vec![law(&reference, error, &shifts)];
            // The worst for each score and sign: all that can be is moved across each step of the score.
            for degree in 0..4 {
                for sign in [1.0, -1.0] {
                    let mut worst: Vec<f64> = bets
                        .scores
                        .windows(2)
                        .map(|pair| sign * (pair[0].0[degree] - pair[1].0[degree]).signum())
                        .collect();
                    worst.push(0.0);
                    laws.push(law(&reference, error, &worst));
                }
            }
            for law in laws {
                let (means, least) = means(&bets, &law);
                prop_assert!(means.iter().all(|mean| *mean <= 1.0 + 1e-12), "{means:?}");
                prop_assert!(least > 0.0);
            }
        }

        #[test]
        fn every_instruction_set_comes_to_the_same_bits(
            counts in prop::collection::vec(1_u64..1_000, 2..30),
            cells in prop::collection::vec(0_usize..40, 0..60),
        ) {
            let start = PolynomialBets::new(&reference_of(&counts, 0.0), 0.01);
            let run = |level: Level| {
                let mut bets = start.clone();
                let mut sum = 0.0;
                for cell in &cells {
                    sum = dispatch!(level, simd => bets.bet(simd, *cell, 1e-3));
                }
                (bets, sum)
            };
            let (bets, sum) = run(Level::new());
            prop_assert_eq!(run(Level::baseline()), (bets.clone(), sum));
            prop_assert!(cells.is_empty() || bets.sum() == sum);
        }
    }

    /// A law twice as far off as the reference allows for is drift, and a bet of each score gains on it.
    #[test]
    fn a_law_beyond_the_error_of_the_reference_has_a_bet_that_gains() {
        let reference = reference_of(&[100; 256], 0.0);
        let failure = 0.01;
        let bets = PolynomialBets::new(&reference, failure);
        for degree in 0..4 {
            let mut worst: Vec<f64> = bets
                .scores
                .windows(2)
                .map(|pair| (pair[0].0[degree] - pair[1].0[degree]).signum())
                .collect();
            worst.push(0.0);
            let law = law(&reference, 2.0 * reference.band(failure), &worst);
            let (means, _) = means(&bets, &law);
            assert!(
                means.iter().any(|mean| *mean > 1.0),
                "degree {}",
                degree + 1
            );
        }
    }
}
