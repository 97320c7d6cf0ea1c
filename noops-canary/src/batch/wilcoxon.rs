use noops_core::Alpha;

use self::signed_ranks::{SignedRanks, signed_rank_law};
use self::walsh::WalshAverages;
use super::method::Method;
use super::outcome::{EffectKind, Sizes, TestOutcome};
use super::pairwise::{Pairwise, median};
use super::rank_law::{RankLaw, tail_of};
use super::sample::check_sample;
use super::settings::{Alternative, Margin, TestSettings};
use super::studentised::{not_worse, twice};
use crate::error::CanaryError;

mod signed_ranks;
#[cfg(test)]
mod tests;
mod walsh;

/// Wilcoxon's signed-rank test of pairs: are the differences candidate − champion centred on zero?
///
/// # Formula
///
/// Differences of zero are dropped (Wilcoxon, 1945). The statistic W is the sum of the ranks of the positive differences among
/// the absolute values of all, equal ones sharing their mean rank. The effect is the matched-pairs rank-biserial correlation,
/// the ranks of the positive less those of the negative differences over all ranks (Kerby, 2014).
///
/// Where no absolute values are equal and at most 200 are not zero the p-value is exact, given how many are zero. Otherwise W
/// is taken as normal with mean r(r + 1)/4 and variance r(r + 1)(2r + 1)/24 − Σ(t³ − t)/48, t over the groups of equal
/// absolute values among r, and is moved by ½ towards the mean. A two-sided p-value is twice the smaller one.
///
/// The estimate is the pseudo-median, the median of the means of every two differences, each with itself included (Walsh
/// averages; Hodges and Lehmann, 1963); the interval reaches from the k-th smallest to the k-th largest mean, k the smallest
/// number with P(W ≤ k) above the error rate of one side. **Both keep the zeros**: a difference of zero is a shift like any
/// other.
///
/// # Numerical notes
///
/// Pairs must be independent, and differences symmetric about their centre: without that the test is one of the pseudo-median
/// only roughly, and its error rate can be off. Subtraction rounds, so that differences equal in decimals may differ in the
/// last place and then count as untied. With so few pairs that nothing can be refused the interval is unbounded.
///
/// # Errors
///
/// [`CanaryError::Length`] for samples of different length, [`CanaryError::TooFew`] for empty ones, [`CanaryError::NotFinite`]
/// also for a difference that overflows, and [`CanaryError::Constant`] when all differences are zero.
///
/// # Complexity
///
/// O(n log n): the means of two are counted, never formed.
///
/// # Examples
///
/// ```
/// use noops_canary::batch::{TestSettings, wilcoxon_signed_rank};
///
/// let champion = [0.0; 6];
/// let candidate = [1.0, 2.0, 3.0, 4.0, 5.0, -0.5];
/// let outcome = wilcoxon_signed_rank(&champion, &candidate, &TestSettings::default())?;
/// assert_eq!(outcome.statistic(), Some(20.0));
/// // 2 of 64 ways to sign the ranks on either side.
/// assert!((outcome.p_value() - 4.0 / 64.0).abs() < 1e-15);
/// # Ok::<(), noops_canary::CanaryError>(())
/// ```
pub fn wilcoxon_signed_rank(
    champion: &[f64],
    candidate: &[f64],
    settings: &TestSettings,
) -> Result<TestOutcome, CanaryError> {
    let pairs = Pairs::of(champion, candidate)?;
    let (alternative, alpha) = (settings.alternative(), settings.alpha());
    let found = pairs.against(0.0)?;
    let judged = Judged {
        p_value: found.p_value(alternative),
        is_exact: found.law.is_exact(),
        alternative,
        alpha,
        tail: tail_of(alternative, alpha.get()),
    };
    Ok(pairs.outcome(&judged))
}

/// Whether the differences are centred less than a margin to the worse, by Wilcoxon's signed-rank test.
///
/// # Formula
///
/// The null hypothesis is a centre at the margin or beyond it. The margin is taken off the differences, which are then tested
/// one-sided; those at the margin are dropped. Statistic and effect are those of the differences as they are, the interval is
/// one-sided at level 1 − alpha.
///
/// # Numerical notes
///
/// Those of [`wilcoxon_signed_rank`].
///
/// # Errors
///
/// Those of [`wilcoxon_signed_rank`]; [`CanaryError::Constant`] when all differences are the margin.
///
/// # Examples
///
/// ```
/// use noops_canary::Direction;
/// use noops_canary::batch::{Margin, wilcoxon_non_inferiority};
/// use noops_core::Alpha;
///
/// let champion: Vec<f64> = (0..30).map(f64::from).collect();
/// let candidate: Vec<f64> = champion.iter().map(|x| x + 0.01 * x - 0.15).collect();
/// let margin = Margin::new(Direction::LowerIsBetter, 0.1)?;
/// let outcome = wilcoxon_non_inferiority(&champion, &candidate, margin, Alpha::FIVE_PERCENT)?;
/// assert!(outcome.rejects(Alpha::FIVE_PERCENT));
/// # Ok::<(), noops_canary::CanaryError>(())
/// ```
pub fn wilcoxon_non_inferiority(
    champion: &[f64],
    candidate: &[f64],
    margin: Margin,
    alpha: Alpha,
) -> Result<TestOutcome, CanaryError> {
    let pairs = Pairs::of(champion, candidate)?;
    let alternative = not_worse(margin);
    let found = pairs.against(margin.limit())?;
    let judged = Judged {
        p_value: found.p_value(alternative),
        is_exact: found.law.is_exact(),
        alternative,
        alpha,
        tail: alpha.get(),
    };
    Ok(pairs.outcome(&judged))
}

/// Whether the differences are centred within a margin of zero, by two one-sided signed-rank tests.
///
/// # Formula
///
/// The p-value is the larger of those against a centre at the margin and at its negative (Schuirmann, 1987); the direction of
/// the margin plays no part. The interval has level 1 − 2 alpha.
///
/// # Numerical notes
///
/// Those of [`wilcoxon_signed_rank`].
///
/// # Errors
///
/// Those of [`wilcoxon_non_inferiority`], and [`CanaryError::Setting`] for an alpha of one half or more.
pub fn wilcoxon_equivalence(
    champion: &[f64],
    candidate: &[f64],
    margin: Margin,
    alpha: Alpha,
) -> Result<TestOutcome, CanaryError> {
    let pairs = Pairs::of(champion, candidate)?;
    let not_above = pairs.against(margin.size())?;
    let not_below = pairs.against(-margin.size())?;
    let judged = Judged {
        p_value: not_above
            .p_value(Alternative::Less)
            .max(not_below.p_value(Alternative::Greater)),
        is_exact: not_above.law.is_exact() && not_below.law.is_exact(),
        alternative: Alternative::TwoSided,
        alpha: twice(alpha)?,
        tail: alpha.get(),
    };
    Ok(pairs.outcome(&judged))
}

/// The differences, candidate less champion.
struct Pairs(Vec<f64>);

impl Pairs {
    fn of(champion: &[f64], candidate: &[f64]) -> Result<Self, CanaryError> {
        check_sample("champion", champion, 1)?;
        check_sample("candidate", candidate, 1)?;
        if candidate.len() != champion.len() {
            return Err(CanaryError::Length {
                column: "candidate",
                expected: champion.len(),
                found: candidate.len(),
            });
        }
        let both = champion.iter().zip(candidate);
        let differences: Vec<f64> = both
            .map(|(champion, candidate)| candidate - champion)
            .collect();
        check_sample("differences", &differences, 1)?;
        Ok(Self(differences))
    }

    fn against(&self, centre: f64) -> Result<Found, CanaryError> {
        let ranks = SignedRanks::of(self.0.iter().map(|difference| difference - centre));
        if ranks.rows() == 0 {
            return Err(CanaryError::Constant {
                column: "differences",
            });
        }
        let law = if ranks.is_tied() || ranks.rows() > EXACT_ROWS {
            RankLaw::normal(ranks.deviation(), ranks.largest())
        } else {
            RankLaw::exact(signed_rank_law(ranks.rows()))
        };
        Ok(Found { ranks, law })
    }

    fn outcome(&self, judged: &Judged) -> TestOutcome {
        let method = if judged.is_exact {
            Method::WilcoxonExact
        } else {
            Method::Wilcoxon
        };
        let rows = self.0.len();
        let ranks = SignedRanks::of(self.0.iter().copied());
        let averages = WalshAverages::of(&self.0);
        let law = if rows > EXACT_ROWS {
            RankLaw::normal(SignedRanks::deviation_without_ties(rows), averages.total())
        } else {
            RankLaw::exact(signed_rank_law(rows))
        };
        let interval = law.interval(&averages, judged.alternative, judged.tail);
        let sizes = Sizes::of(&self.0, &self.0);
        TestOutcome::new(
            method,
            judged.alternative,
            judged.p_value,
            judged.alpha,
            sizes,
        )
        .with_statistic(ranks.twice_positive() as f64 / 2.0)
        .with_estimate(median(&averages), Some(interval))
        .with_effect(EffectKind::RankBiserial, ranks.correlation())
    }
}

struct Found {
    ranks: SignedRanks,
    law: RankLaw,
}

impl Found {
    fn p_value(&self, alternative: Alternative) -> f64 {
        self.law.p_value(self.ranks.twice_positive(), alternative)
    }
}

/// What the tests say, before it is told.
struct Judged {
    p_value: f64,
    is_exact: bool,
    alternative: Alternative,
    alpha: Alpha,
    tail: f64,
}

const EXACT_ROWS: usize = 200;
