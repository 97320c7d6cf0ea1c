use noops_core::Alpha;
use noops_stats::SortedSample;
use noops_stats::two_sample::rank_sum_law;

use self::differences::Differences;
use self::rank_sum::RankSum;
use super::method::Method;
use super::outcome::{EffectKind, Sizes, TestOutcome};
use super::pairwise::{Pairwise, median};
use super::rank_law::{RankLaw, tail_of};
use super::sample::check_sample;
use super::settings::{Alternative, Margin, TestSettings};
use super::studentised::{not_worse, twice};
use crate::error::CanaryError;

mod differences;
mod rank_sum;
#[cfg(test)]
mod tests;

/// Mann and Whitney's test: do the candidate's values tend to be larger, or smaller?
///
/// # Formula
///
/// The statistic U counts the pairs in which the candidate's value is the larger one, ties by half (Mann and Whitney, 1947).
/// The effect is U over the number of pairs, P(candidate > champion) + ½ P(equal).
///
/// Where no values are equal and there are at most 10,000 pairs the p-value is exact, from the recursion on which sample has
/// the largest value. Otherwise U is taken as normal with mean nm/2 and variance nm/12 · (N + 1 − Σ(t³ − t) / (N(N − 1))), N =
/// n + m, t over the groups of equal values, and is moved by ½ towards the mean. A two-sided p-value is twice the smaller one.
///
/// There is no estimate: that of the shift costs more than the test. [`hodges_lehmann`] has both.
///
/// # Numerical notes
///
/// Values must be independent, and the hypothesis is that both distributions are **equal**: where spreads differ the test errs
/// somewhat more or less often than it says, also if neither sample tends to be larger. Use
/// [`brunner_munzel`](super::brunner_munzel()) there. The normal law is a poor one far in the tails of small samples with ties.
///
/// # Errors
///
/// [`CanaryError::TooFew`] for an empty sample, [`CanaryError::NotFinite`], and [`CanaryError::Constant`] when all values of
/// both samples are the same.
///
/// # Complexity
///
/// O(n + m) after sorting; the exact law has at most some 50 million terms to add, for one value against
/// 10,000.
///
/// # Examples
///
/// ```
/// use noops_canary::batch::{TestSettings, mann_whitney};
///
/// let outcome = mann_whitney(&[1.0, 2.0, 3.0], &[4.0, 5.0, 6.0, 7.0], &TestSettings::default())?;
/// assert_eq!(outcome.statistic(), Some(12.0));
/// // Two of the 35 orders are as extreme.
/// assert!((outcome.p_value() - 2.0 / 35.0).abs() < 1e-12);
/// # Ok::<(), noops_canary::CanaryError>(())
/// ```
pub fn mann_whitney(
    champion: &[f64],
    candidate: &[f64],
    settings: &TestSettings,
) -> Result<TestOutcome, CanaryError> {
    let samples = Samples::of(champion, candidate)?;
    let alternative = settings.alternative();
    let ranked = samples.ranked()?;
    let p_value = ranked.p_value(alternative);
    Ok(ranked.outcome(
        &samples,
        &ranked.sums,
        p_value,
        alternative,
        settings.alpha(),
    ))
}

/// Mann and Whitney's test with Hodges and Lehmann's estimate of the shift and its interval.
///
/// # Formula
///
/// The test is that of [`mann_whitney`]. The estimate is the median of all nm differences candidate − champion (Hodges and
/// Lehmann, 1963). The interval reaches from the k-th smallest to the k-th largest difference, k the smallest number with P(U
/// ≤ k) above the error rate of one side: exactly for at most 10,000 pairs, as R's `wilcox.test(conf.int = TRUE, exact =
/// TRUE)`, and by the normal law with the correction for continuity, but not for ties, for more.
///
/// # Numerical notes
///
/// The median of the differences is not the difference of the medians unless the shapes are equal. The interval's error rate
/// assumes that the candidate's distribution is the champion's, shifted. Ties only make the interval wider than need be; where
/// there are many, the corrected test can refuse a shift that the interval holds. With so few values that no shift can be
/// refused the interval is unbounded, where R returns the range of the differences and a warning.
///
/// # Errors
///
/// Those of [`mann_whitney`].
///
/// # Complexity
///
/// O(n + m) memory, and O(n + m) time after sorting for each of some 20 counts per order statistic (at most 200, whatever the
/// data): the differences are never formed.
///
/// # Examples
///
/// ```
/// use noops_canary::batch::{TestSettings, hodges_lehmann};
///
/// let champion = [1.1, 2.2, 3.3, 4.4, 5.5, 6.6];
/// let candidate = champion.map(|value| value + 0.5);
/// let outcome = hodges_lehmann(&champion, &candidate, &TestSettings::default())?;
/// assert!((outcome.estimate().unwrap_or(f64::NAN) - 0.5).abs() < 1e-12);
/// assert!(outcome.interval().is_some_and(|interval| interval.contains(0.0)));
/// # Ok::<(), noops_canary::CanaryError>(())
/// ```
pub fn hodges_lehmann(
    champion: &[f64],
    candidate: &[f64],
    settings: &TestSettings,
) -> Result<TestOutcome, CanaryError> {
    let samples = Samples::of(champion, candidate)?;
    let (alternative, alpha) = (settings.alternative(), settings.alpha());
    let ranked = samples.ranked()?;
    let outcome = ranked.outcome(
        &samples,
        &ranked.sums,
        ranked.p_value(alternative),
        alternative,
        alpha,
    );
    Ok(samples.estimated(outcome, alternative, tail_of(alternative, alpha.get())))
}

/// Whether the candidate's values are shifted by less than a margin to the worse, by Mann and Whitney's test.
///
/// # Formula
///
/// The null hypothesis is a shift of the margin or more to the worse. The candidate's values are moved back by the margin and
/// tested one-sided. Statistic and effect are those of the values as they are; the estimate is Hodges and Lehmann's, with the
/// one-sided interval at level 1 − alpha.
///
/// # Numerical notes
///
/// Those of [`hodges_lehmann`]. A margin on the grid of rounded values makes ties of pairs that were none, which the normal law
/// allows for; moving by the margin rounds, so that ties that decimals promise may be missed by one unit in the last place.
///
/// # Errors
///
/// Those of [`mann_whitney`], for the values moved by the margin.
///
/// # Examples
///
/// ```
/// use noops_canary::Direction;
/// use noops_canary::batch::{Margin, mann_whitney_non_inferiority};
/// use noops_core::Alpha;
///
/// let latency: Vec<f64> = (0..50).map(|k| 100.0 + f64::from(k * k % 53)).collect();
/// let margin = Margin::new(Direction::LowerIsBetter, 20.0)?;
/// let outcome = mann_whitney_non_inferiority(&latency, &latency, margin, Alpha::FIVE_PERCENT)?;
/// assert!(outcome.rejects(Alpha::FIVE_PERCENT), "not worse by 20 ms");
/// # Ok::<(), noops_canary::CanaryError>(())
/// ```
pub fn mann_whitney_non_inferiority(
    champion: &[f64],
    candidate: &[f64],
    margin: Margin,
    alpha: Alpha,
) -> Result<TestOutcome, CanaryError> {
    let samples = Samples::of(champion, candidate)?;
    let alternative = not_worse(margin);
    let moved = samples.moved(candidate, -margin.limit()).ranked()?;
    let outcome = moved.outcome(
        &samples,
        &samples.sums(),
        moved.p_value(alternative),
        alternative,
        alpha,
    );
    Ok(samples.estimated(outcome, alternative, alpha.get()))
}

/// Whether the shift is less than a margin either way, by two one-sided tests of Mann and Whitney.
///
/// # Formula
///
/// The p-value is the larger of those against a shift of the margin up and down (Schuirmann, 1987), the direction of the
/// margin plays no part. The interval has level 1 − 2 alpha: equivalence is claimed at `alpha` when it lies inside the
/// margins, but for ties.
///
/// # Numerical notes
///
/// Those of [`mann_whitney_non_inferiority`].
///
/// # Errors
///
/// Those of [`mann_whitney`], for the values moved by the margin, and [`CanaryError::Setting`] for an alpha of one half or
/// more.
pub fn mann_whitney_equivalence(
    champion: &[f64],
    candidate: &[f64],
    margin: Margin,
    alpha: Alpha,
) -> Result<TestOutcome, CanaryError> {
    let samples = Samples::of(champion, candidate)?;
    let size = margin.size();
    let not_above = samples.moved(candidate, -size).ranked()?;
    let not_below = samples.moved(candidate, size).ranked()?;
    let p_value = not_above
        .p_value(Alternative::Less)
        .max(not_below.p_value(Alternative::Greater));
    let of_interval = twice(alpha)?;
    let both = Alternative::TwoSided;
    let outcome = not_above.outcome(&samples, &samples.sums(), p_value, both, of_interval);
    Ok(samples.estimated(outcome, both, alpha.get()))
}

struct Samples {
    champion: SortedSample,
    candidate: SortedSample,
}

impl Samples {
    fn of(champion: &[f64], candidate: &[f64]) -> Result<Self, CanaryError> {
        check_sample("champion", champion, 1)?;
        check_sample("candidate", candidate, 1)?;
        Ok(Self {
            champion: SortedSample::new(champion),
            candidate: SortedSample::new(candidate),
        })
    }

    fn moved(&self, candidate: &[f64], by: f64) -> Self {
        let moved: Vec<f64> = candidate.iter().map(|value| value + by).collect();
        Self {
            champion: self.champion.clone(),
            candidate: SortedSample::new(&moved),
        }
    }

    fn pairs(&self) -> u128 {
        Differences::between(&self.champion, &self.candidate).total()
    }

    fn sums(&self) -> RankSum {
        RankSum::of(&self.champion, &self.candidate)
    }

    fn ranked(&self) -> Result<Ranked, CanaryError> {
        let (champion, candidate) = (self.champion.values(), self.candidate.values());
        if champion.first() == candidate.last() && champion.last() == candidate.first() {
            return Err(CanaryError::Constant {
                column: "champion and candidate",
            });
        }
        let sums = self.sums();
        let pairs = self.pairs();
        let law = if !sums.is_tied() && pairs <= EXACT_PAIRS {
            self.exact_law()
        } else {
            RankLaw::normal(sums.deviation(), pairs)
        };
        Ok(Ranked { sums, law })
    }

    fn exact_law(&self) -> RankLaw {
        let (n, m) = (self.champion.len(), self.candidate.len());
        // The law is the same either way; this one takes less memory.
        RankLaw::exact(rank_sum_law(n.max(m), n.min(m)))
    }

    fn estimated(&self, outcome: TestOutcome, alternative: Alternative, tail: f64) -> TestOutcome {
        let differences = Differences::between(&self.champion, &self.candidate);
        let pairs = self.pairs();
        let law = if pairs <= EXACT_PAIRS {
            self.exact_law()
        } else {
            let pooled = (self.champion.len() + self.candidate.len()) as f64;
            RankLaw::normal((pairs as f64 * (pooled + 1.0) / 12.0).sqrt(), pairs)
        };
        let interval = law.interval(&differences, alternative, tail);
        outcome.with_estimate(median(&differences), Some(interval))
    }
}

struct Ranked {
    sums: RankSum,
    law: RankLaw,
}

impl Ranked {
    fn p_value(&self, alternative: Alternative) -> f64 {
        self.law.p_value(self.sums.twice_u(), alternative)
    }

    /// The outcome for these samples, of which `sums` were taken before any was moved.
    fn outcome(
        &self,
        samples: &Samples,
        sums: &RankSum,
        p_value: f64,
        alternative: Alternative,
        alpha: Alpha,
    ) -> TestOutcome {
        let method = if self.law.is_exact() {
            Method::MannWhitneyExact
        } else {
            Method::MannWhitney
        };
        let sizes = Sizes::of(samples.champion.values(), samples.candidate.values());
        TestOutcome::new(method, alternative, p_value, alpha, sizes)
            .with_statistic(sums.twice_u() as f64 / 2.0)
            .with_effect(EffectKind::ProbabilityOfSuperiority, sums.theta())
    }
}

const EXACT_PAIRS: u128 = 10_000;
