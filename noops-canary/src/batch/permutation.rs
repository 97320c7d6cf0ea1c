use noops_stats::SplitMix64;

use super::clusters::{Clusters, singly};
use super::method::Method;
use super::outcome::{Sizes, TestOutcome};
use super::sample::check_sample;
use super::settings::Alternative;
use crate::error::CanaryError;

mod settings;
pub(super) mod statistic;

pub use self::settings::{PermutationSettings, PermutationStatistic};

/// The permutation test of two independent samples: how often would as large a difference come from dealing the values out at random?
///
/// # Formula
///
/// With C(n + m, n) arrangements at most as many as [`PermutationSettings::permutations`], all are tried and p is the share that is as far
/// out as the data. Otherwise B random ones are, and p = (1 + b)/(1 + B) where b are as far out (Phipson and Smyth, 2010). Two-sided
/// it is twice the smaller of both tails, as in `scipy.stats.permutation_test`.
///
/// # Error rates
///
/// P(p ≤ α) ≤ α for any sample size and any B, if all values come from one distribution. Of a random p-value the count b is
/// binomial: by Clopper and Pearson's interval, with 9,999 permutations one of .05 is within .0458 and .0545 of the exact one 19 times
/// in 20, and one of .01 within .0081 and .0122.
///
/// # Numerical notes
///
/// The hypothesis is equal distributions: with the plain differences unequal spread counts against it too, so to compare means
/// alone take the studentised one. Arrangements within 1e-12 of the largest deviation count as equal to the data. Values must
/// be independent; for several of one unit use [`cluster_permutation_test`]. There is no interval.
///
/// # Errors
///
/// [`CanaryError::TooFew`], [`CanaryError::NotFinite`], [`CanaryError::Setting`] for the number of permutations, and
/// [`CanaryError::Input`] for values beyond 1e150, whose squares cannot be held.
///
/// # Complexity
///
/// O((n + m) B).
///
/// # Examples
///
/// ```
/// use noops_canary::batch::{PermutationSettings, PermutationStatistic, permutation_test};
///
/// let champion = [12.1, 11.8, 12.6, 12.0, 11.9];
/// let candidate = [13.0, 12.9, 13.4, 12.8, 13.1];
/// let settings = PermutationSettings::default();
/// let outcome = permutation_test(&champion, &candidate, PermutationStatistic::MeanDifference, &settings)?;
/// // No other of the 252 arrangements is as far out, but for the mirror image.
/// assert!((outcome.p_value() - 2.0 / 252.0).abs() < 1e-15);
/// # Ok::<(), noops_canary::CanaryError>(())
/// ```
pub fn permutation_test(
    champion: &[f64],
    candidate: &[f64],
    statistic: PermutationStatistic,
    settings: &PermutationSettings,
) -> Result<TestOutcome, CanaryError> {
    check_sample("champion", champion, statistic.needs())?;
    check_sample("candidate", candidate, statistic.needs())?;
    independent(&singly(champion), &singly(candidate), statistic, settings)
}

/// The permutation test of two samples of units with several values each: whole units are dealt out.
///
/// As [`permutation_test`], which see, with the sides of the units permuted and the statistic of all their values.
///
/// # Errors
///
/// As for [`permutation_test`], and [`CanaryError::Input`] for a unit on both sides.
///
/// # Examples
///
/// ```
/// use noops_canary::batch::{Clusters, PermutationSettings, PermutationStatistic, cluster_permutation_test};
///
/// // Three users a side: whatever their requests say, 20 arrangements cannot show more than 2/20.
/// let champion = Clusters::new(&[1.0, 1.1, 1.2, 1.0], &[1, 1, 2, 3])?;
/// let candidate = Clusters::new(&[9.0, 9.1, 9.2, 9.0], &[4, 4, 5, 6])?;
/// let settings = PermutationSettings::default();
/// let outcome = cluster_permutation_test(&champion, &candidate, PermutationStatistic::MeanDifference, &settings)?;
/// assert!((outcome.p_value() - 0.1).abs() < 1e-15);
/// # Ok::<(), noops_canary::CanaryError>(())
/// ```
pub fn cluster_permutation_test(
    champion: &Clusters,
    candidate: &Clusters,
    statistic: PermutationStatistic,
    settings: &PermutationSettings,
) -> Result<TestOutcome, CanaryError> {
    champion.check_apart(candidate)?;
    for (column, side) in [("champion", champion), ("candidate", candidate)] {
        if side.units().len() < statistic.needs() {
            return Err(CanaryError::TooFew {
                column,
                needed: statistic.needs(),
                found: side.units().len(),
            });
        }
    }
    independent(&champion.blocks(), &candidate.blocks(), statistic, settings)
}

/// The permutation test of pairs: the signs of the differences are dealt out.
///
/// As [`permutation_test`], which see, for values measured on the same things. All 2ⁿ signs are tried if they are no more than the
/// permutations. The hypothesis is that the differences are symmetric about zero.
///
/// # Errors
///
/// As for [`permutation_test`], and [`CanaryError::Length`] for samples of different lengths.
///
/// # Examples
///
/// ```
/// use noops_canary::batch::{Alternative, PermutationSettings, PermutationStatistic, paired_permutation_test};
///
/// let champion = [10.0, 14.0, 9.0, 22.0, 17.0, 11.0];
/// let candidate = [9.0, 12.0, 8.5, 19.0, 16.0, 10.0];
/// let settings = PermutationSettings::default().with_alternative(Alternative::Less);
/// let outcome = paired_permutation_test(&champion, &candidate, PermutationStatistic::MeanDifference, &settings)?;
/// assert!((outcome.p_value() - 1.0 / 64.0).abs() < 1e-15);
/// # Ok::<(), noops_canary::CanaryError>(())
/// ```
pub fn paired_permutation_test(
    champion: &[f64],
    candidate: &[f64],
    statistic: PermutationStatistic,
    settings: &PermutationSettings,
) -> Result<TestOutcome, CanaryError> {
    settings.check()?;
    if champion.len() != candidate.len() {
        return Err(CanaryError::Length {
            column: "candidate",
            expected: champion.len(),
            found: candidate.len(),
        });
    }
    check_sample("champion", champion, statistic.needs())?;
    check_sample("candidate", candidate, statistic.needs())?;
    check_size([champion, candidate])?;

    let differences: Vec<f64> = candidate.iter().zip(champion).map(|(b, a)| b - a).collect();
    let mut scratch = differences.clone();
    let observed = statistic.of_pairs(&mut scratch);
    let mut tails = Tails::new(statistic, observed, largest(&differences, 0.0));
    let budget = settings.permutations();
    let exact = u32::try_from(differences.len())
        .ok()
        .and_then(|pairs| 1_u32.checked_shl(pairs))
        .filter(|signs| *signs <= budget);
    if let Some(signs) = exact {
        for pattern in 0..signs {
            flip(&differences, &mut scratch, |row| (pattern >> row) & 1 == 1);
            tails.add(statistic.of_pairs(&mut scratch));
        }
    } else {
        let mut random = SplitMix64(settings.seed());
        tails.add_data();
        for _ in 0..budget {
            flip(&differences, &mut scratch, |_| random.next() >> 63 == 1);
            tails.add(statistic.of_pairs(&mut scratch));
        }
    }
    scratch.copy_from_slice(&differences);
    let estimate = statistic.plain().of_pairs(&mut scratch);
    Ok(tails.outcome(settings, estimate, Sizes::of(champion, candidate)))
}

fn flip(differences: &[f64], flipped: &mut [f64], mut turn: impl FnMut(usize) -> bool) {
    for (row, (to, from)) in flipped.iter_mut().zip(differences).enumerate() {
        *to = if turn(row) { -from } else { *from };
    }
}

fn independent(
    champion: &[&[f64]],
    candidate: &[&[f64]],
    statistic: PermutationStatistic,
    settings: &PermutationSettings,
) -> Result<TestOutcome, CanaryError> {
    settings.check()?;
    check_size(champion.iter().chain(candidate).copied())?;
    let (first, second) = (champion.concat(), candidate.concat());
    let sizes = Sizes::of(&first, &second);
    let pooled: Vec<f64> = first.iter().chain(&second).copied().collect();
    // Away from a common offset, which would cost digits.
    let centre = statistic::median(&mut pooled.clone());
    let blocks: Vec<Vec<f64>> = champion
        .iter()
        .chain(candidate)
        .map(|block| block.iter().map(|x| x - centre).collect())
        .collect();

    let mut deal = Deal {
        champion: Vec::with_capacity(pooled.len()),
        candidate: Vec::with_capacity(pooled.len()),
        statistic,
    };
    let mut sides: Vec<bool> = (0..blocks.len())
        .map(|block| block < champion.len())
        .collect();
    let observed = deal.of(&blocks, &sides);
    let mut tails = Tails::new(statistic, observed, largest(&pooled, centre));
    if arrangements(champion.len(), candidate.len()) <= u64::from(settings.permutations()) {
        loop {
            tails.add(deal.of(&blocks, &sides));
            if !next_arrangement(&mut sides) {
                break;
            }
        }
    } else {
        let mut random = SplitMix64(settings.seed());
        tails.add_data();
        for _ in 0..settings.permutations() {
            random.shuffle(&mut sides);
            tails.add(deal.of(&blocks, &sides));
        }
    }
    let estimate = statistic
        .plain()
        .of(&mut first.clone(), &mut second.clone());
    Ok(tails.outcome(settings, estimate, sizes))
}

/// The values as dealt out to both sides.
struct Deal {
    champion: Vec<f64>,
    candidate: Vec<f64>,
    statistic: PermutationStatistic,
}

impl Deal {
    fn of(&mut self, blocks: &[Vec<f64>], to_champion: &[bool]) -> f64 {
        self.champion.clear();
        self.candidate.clear();
        for (block, to_champion) in blocks.iter().zip(to_champion) {
            if *to_champion {
                self.champion.extend_from_slice(block);
            } else {
                self.candidate.extend_from_slice(block);
            }
        }
        self.statistic.of(&mut self.champion, &mut self.candidate)
    }
}

/// How many arrangements are as far out as the data, on both sides.
struct Tails {
    observed: f64,
    tolerance: f64,
    at_least: u32,
    at_most: u32,
    tried: u32,
}

impl Tails {
    /// `scale` is the largest deviation in the data.
    fn new(statistic: PermutationStatistic, observed: f64, scale: f64) -> Self {
        let scale = match statistic {
            PermutationStatistic::MeanDifference | PermutationStatistic::MedianDifference => scale,
            // Without units.
            PermutationStatistic::StudentisedMeanDifference => observed.abs().max(1.0),
        };
        Self {
            observed,
            tolerance: SAME * scale,
            at_least: 0,
            at_most: 0,
            tried: 0,
        }
    }

    fn add(&mut self, statistic: f64) {
        self.at_least += u32::from(statistic >= self.observed - self.tolerance);
        self.at_most += u32::from(statistic <= self.observed + self.tolerance);
        self.tried += 1;
    }

    /// The data are one of the arrangements.
    fn add_data(&mut self) {
        self.add(self.observed);
    }

    fn outcome(&self, settings: &PermutationSettings, estimate: f64, sizes: Sizes) -> TestOutcome {
        let share = |count: u32| f64::from(count) / f64::from(self.tried.max(1));
        let p_value = match settings.alternative() {
            Alternative::Greater => share(self.at_least),
            Alternative::Less => share(self.at_most),
            Alternative::TwoSided => 2.0 * share(self.at_least.min(self.at_most)),
        };
        TestOutcome::new(
            Method::Permutation,
            settings.alternative(),
            p_value,
            settings.alpha(),
            sizes,
        )
        .with_statistic(self.observed)
        .with_estimate(estimate, None)
    }
}

/// C(n + m, n), or more than any setting allows.
fn arrangements(n: usize, m: usize) -> u64 {
    let (fewer, more) = (n.min(m) as u64, n.max(m) as u64);
    let mut count: u64 = 1;
    for chosen in 1..=fewer {
        // A product of consecutive numbers, divided as soon as it can be.
        count = match count.checked_mul(more.saturating_add(chosen)) {
            Some(product) => product / chosen,
            None => return u64::MAX,
        };
        if count > u64::from(u32::MAX) {
            return u64::MAX;
        }
    }
    count
}

/// The next smaller arrangement of the same numbers of `true` and `false`; whether there is one.
fn next_arrangement(sides: &mut [bool]) -> bool {
    let Some(place) = sides.windows(2).rposition(|pair| pair == [true, false]) else {
        return false;
    };
    sides.swap(place, place + 1);
    if let Some(rest) = sides.get_mut(place + 2..) {
        rest.sort_unstable_by(|one, other| other.cmp(one));
    }
    true
}

fn largest(values: &[f64], centre: f64) -> f64 {
    values
        .iter()
        .fold(0.0, |most: f64, x| most.max((x - centre).abs()))
}

pub(super) fn check_size<'a>(
    samples: impl IntoIterator<Item = &'a [f64]>,
) -> Result<(), CanaryError> {
    let mut values = samples.into_iter().flatten();
    if values.any(|x| x.abs() > MOST) {
        return Err(CanaryError::Input {
            input: "values",
            reason: "holds a number beyond 1e150; change the unit",
        });
    }
    Ok(())
}

/// The square of this times any count of values is finite.
const MOST: f64 = 1e150;
/// Two arrangements whose statistics differ by less than this part of the largest deviation are the same to rounding.
const SAME: f64 = 1e-12;

#[cfg(test)]
mod tests;
