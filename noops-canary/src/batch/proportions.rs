use noops_core::Alpha;
use noops_stats::special::{normal_sf, normal_upper_quantile};

use self::score::Score;
use super::method::Method;
use super::outcome::{EffectKind, Sizes, TestOutcome};
use super::settings::{Alternative, Margin, TestSettings};
use super::studentised::{not_worse, twice};
use crate::error::CanaryError;
use crate::interval::Interval;

mod proportion;
pub(super) mod score;

pub use self::proportion::Proportion;

/// The score test of two proportions: does the candidate's rate differ from the champion's?
///
/// The estimate is the difference of the rates, candidate minus champion.
///
/// # Formula
///
/// z = (p₂ − p₁) / √(p(1 − p)(1/n₁ + 1/n₂)), p being the pooled rate; z² is Pearson's chi-square without a correction
/// (`statsmodels.stats.proportion.proportions_ztest`). The interval is Newcombe's (1998, method 10), built from the Wilson interval of
/// each rate; it keeps inside \[−1, 1\] and has a width also at rates of 0 and 1. The effect is Cohen's h, 2 asin √p₂ − 2 asin √p₁.
///
/// # Numerical notes
///
/// Trials must be independent: requests of one user are not. The p-value is that of the normal law; with fewer than some five successes
/// expected on a side use [`fisher_exact`](super::fisher_exact), which never exceeds its error rate. Test and interval are
/// different approximations and may disagree at the very edge of significance. When nobody succeeds, or everybody, there is no evidence
/// of a difference: the p-value is 1. Looking again while data come in voids the p-value.
///
/// # Errors
///
/// None at present; a [`Proportion`] is checked when it is made.
///
/// # Complexity
///
/// Constant.
///
/// # Examples
///
/// ```
/// use noops_canary::batch::{Proportion, TestSettings, two_proportions};
///
/// let champion = Proportion::new(200, 10_000)?;
/// let candidate = Proportion::new(260, 10_000)?;
/// let outcome = two_proportions(champion, candidate, &TestSettings::default())?;
/// assert!(outcome.p_value() < 0.005);
/// assert!(outcome.interval().is_some_and(|interval| interval.is_above(0.0)));
/// # Ok::<(), noops_canary::CanaryError>(())
/// ```
pub fn two_proportions(
    champion: Proportion,
    candidate: Proportion,
    settings: &TestSettings,
) -> Result<TestOutcome, CanaryError> {
    let score = Score::new(champion, candidate);
    let alternative = settings.alternative();
    let z = score.pooled_statistic();
    let p_value = match alternative {
        Alternative::TwoSided => 2.0 * normal_sf(z.abs()),
        Alternative::Greater => normal_sf(z),
        Alternative::Less => normal_sf(-z),
    };
    let interval = newcombe(champion, candidate, alternative, settings.alpha());
    Ok(
        outcome(champion, candidate, alternative, p_value, settings.alpha())
            .with_statistic(z)
            .with_estimate(score.difference(), Some(interval)),
    )
}

/// Whether the candidate's rate is worse by less than a margin, by the score test of Farrington and Manning (1990).
///
/// The null hypothesis is "worse by the margin or more". The margin is a difference of rates, so below 1.
///
/// # Formula
///
/// z = (p₂ − p₁ − M) / √(p̃₁(1 − p̃₁)/n₁ + p̃₂(1 − p̃₂)/n₂), where M is [`Margin::limit`] and p̃₁, p̃₂ = p̃₁ + M are the most likely
/// rates that differ by exactly M. The interval is one-sided at level 1 − `alpha` and inverts the same test (the interval of Miettinen and
/// Nurminen 1985 without their factor N/(N − 1)), so it excludes the margin exactly when the test rejects at `alpha`.
///
/// # Numerical notes
///
/// A large-sample test, but a good one: its error rate stays near `alpha` also at rates near 0 where a test with the observed
/// variances is far off. Trials must be independent.
///
/// # Errors
///
/// [`CanaryError::Setting`] for a margin of 1 or more.
///
/// # Complexity
///
/// Some ten thousand steps of root finding (below a millisecond), whatever the counts.
///
/// # Examples
///
/// ```
/// use noops_canary::Direction;
/// use noops_canary::batch::{Margin, Proportion, two_proportions_non_inferiority};
/// use noops_core::Alpha;
///
/// let champion = Proportion::new(200, 10_000)?;
/// let candidate = Proportion::new(205, 10_000)?;
/// let margin = Margin::new(Direction::LowerIsBetter, 0.005)?;
/// let outcome =
///     two_proportions_non_inferiority(champion, candidate, margin, Alpha::FIVE_PERCENT)?;
/// assert!(outcome.rejects(Alpha::FIVE_PERCENT));
/// # Ok::<(), noops_canary::CanaryError>(())
/// ```
pub fn two_proportions_non_inferiority(
    champion: Proportion,
    candidate: Proportion,
    margin: Margin,
    alpha: Alpha,
) -> Result<TestOutcome, CanaryError> {
    check_margin(margin)?;
    let score = Score::new(champion, candidate);
    let alternative = not_worse(margin);
    let z = score.statistic(margin.limit());
    let p_value = match alternative {
        Alternative::Less => normal_sf(-z),
        Alternative::Greater | Alternative::TwoSided => normal_sf(z),
    };
    Ok(outcome(champion, candidate, alternative, p_value, alpha)
        .with_statistic(z)
        .with_estimate(score.difference(), Some(score.interval(alternative, alpha))))
}

/// Whether two rates differ by less than a margin either way, by two one-sided score tests (TOST).
///
/// # Formula
///
/// The larger p-value of Farrington and Manning's tests of "at most −M" and "at least M", M being [`Margin::size`]; the
/// statistic is the z of that one, positive inside the margin. The interval has level 1 − 2 `alpha` and inverts the same tests.
///
/// # Errors
///
/// [`CanaryError::Setting`] for a margin of 1 or more and for an `alpha` of one half or more.
///
/// # Complexity
///
/// Some ten thousand steps of root finding (below a millisecond), whatever the counts.
///
/// # Examples
///
/// ```
/// use noops_canary::Direction;
/// use noops_canary::batch::{Margin, Proportion, two_proportions_equivalence};
/// use noops_core::Alpha;
///
/// let champion = Proportion::new(5_000, 10_000)?;
/// let candidate = Proportion::new(5_020, 10_000)?;
/// let margin = Margin::new(Direction::HigherIsBetter, 0.02)?;
/// let outcome = two_proportions_equivalence(champion, candidate, margin, Alpha::FIVE_PERCENT)?;
/// assert!(outcome.rejects(Alpha::FIVE_PERCENT));
/// # Ok::<(), noops_canary::CanaryError>(())
/// ```
pub fn two_proportions_equivalence(
    champion: Proportion,
    candidate: Proportion,
    margin: Margin,
    alpha: Alpha,
) -> Result<TestOutcome, CanaryError> {
    check_margin(margin)?;
    let both = twice(alpha)?;
    let score = Score::new(champion, candidate);
    let z = score
        .statistic(-margin.size())
        .min(-score.statistic(margin.size()));
    let sides = Alternative::TwoSided;
    Ok(outcome(champion, candidate, sides, normal_sf(z), both)
        .with_statistic(z)
        .with_estimate(score.difference(), Some(score.interval(sides, both))))
}

fn outcome(
    champion: Proportion,
    candidate: Proportion,
    alternative: Alternative,
    p_value: f64,
    alpha: Alpha,
) -> TestOutcome {
    let sizes = Sizes {
        champion: champion.trials(),
        candidate: candidate.trials(),
    };
    let angle = |proportion: Proportion| 2.0 * libm::asin(proportion.rate().sqrt());
    TestOutcome::new(Method::TwoProportions, alternative, p_value, alpha, sizes)
        .with_effect(EffectKind::CohensH, angle(candidate) - angle(champion))
}

pub(super) fn check_margin(margin: Margin) -> Result<(), CanaryError> {
    if margin.size() < 1.0 {
        return Ok(());
    }
    Err(CanaryError::Setting {
        name: "margin",
        value: margin.size(),
        allowed: "above 0 and below 1, as a difference of rates",
    })
}

/// Newcombe's hybrid score interval of the difference.
fn newcombe(
    champion: Proportion,
    candidate: Proportion,
    alternative: Alternative,
    alpha: Alpha,
) -> Interval {
    let tail = match alternative {
        Alternative::TwoSided => alpha.get() / 2.0,
        Alternative::Greater | Alternative::Less => alpha.get(),
    };
    // A one-sided bound at a level below one half is the estimate itself, which errs on the safe side.
    let z = normal_upper_quantile(tail).max(0.0);
    let (old, new) = (champion.wilson_at(z), candidate.wilson_at(z));
    let difference = candidate.rate() - champion.rate();
    let lower = difference
        - libm::hypot(
            candidate.rate() - new.lower(),
            old.upper() - champion.rate(),
        );
    let upper = difference
        + libm::hypot(
            new.upper() - candidate.rate(),
            champion.rate() - old.lower(),
        );
    match alternative {
        Alternative::TwoSided => Interval::between(lower, upper),
        Alternative::Greater => Interval::between(lower, f64::INFINITY),
        Alternative::Less => Interval::between(f64::NEG_INFINITY, upper),
    }
}

#[cfg(test)]
mod tests;
