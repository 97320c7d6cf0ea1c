use noops_core::Alpha;

use self::law::Hypergeometric;
use super::method::Method;
use super::outcome::{EffectKind, Sizes, TestOutcome};
use super::proportions::Proportion;
use super::settings::{Alternative, TestSettings};
use crate::error::CanaryError;
use crate::interval::Interval;

mod law;

/// Fisher's exact test: do two proportions differ?
///
/// The estimate, and the effect, is the odds ratio, candidate over champion; 1 is no difference.
///
/// # Formula
///
/// Given all totals, the candidate's successes follow the hypergeometric law. One-sided p-values are its tails; the two-sided one is the
/// probability of all tables at most 1 + 10⁻⁷ times as probable as the one observed, the rule of `scipy.stats.fisher_exact` and
/// of R. The odds ratio is the conditional maximum-likelihood estimate (R's, not the sample odds ratio), its interval the exact conditional
/// one, each side inverting a one-sided test at `alpha` / 2 (`scipy.stats.contingency.odds_ratio`); it can therefore include 1 where
/// the two-sided test rejects, and the other way round.
///
/// # Numerical notes
///
/// The error rate is never exceeded, whatever the counts; with small counts it is not used up either. Masses are formed from
/// logarithms without large cancelling terms and tails are sums of positive terms outwards, so small tails keep their
/// relative accuracy. Trials must be independent. The odds ratio is `None` where it is infinite.
///
/// # Errors
///
/// [`CanaryError::Input`] for more than 10¹⁰ trials in all; use [`two_proportions`](super::two_proportions), which is as good there.
///
/// # Complexity
///
/// The p-value takes some twenty standard deviations of the hypergeometric law, so a thousand terms for a million trials; the odds
/// ratio and its interval some two hundred times that.
///
/// # Examples
///
/// ```
/// use noops_canary::batch::{Proportion, TestSettings, fisher_exact};
///
/// let champion = Proportion::new(2, 10)?;
/// let candidate = Proportion::new(8, 10)?;
/// let outcome = fisher_exact(champion, candidate, &TestSettings::default())?;
/// // scipy.stats.fisher_exact([[8, 2], [2, 8]])
/// assert!((outcome.p_value() - 0.023_014_137_565_221_16).abs() < 1e-12);
/// # Ok::<(), noops_canary::CanaryError>(())
/// ```
pub fn fisher_exact(
    champion: Proportion,
    candidate: Proportion,
    settings: &TestSettings,
) -> Result<TestOutcome, CanaryError> {
    if champion.trials().saturating_add(candidate.trials()) > MAX_TRIALS {
        return Err(CanaryError::Input {
            input: "trials",
            reason: "is above 10^10 for both arms together; use `two_proportions`",
        });
    }
    let law = Hypergeometric::of(champion, candidate);
    let alternative = settings.alternative();
    let p_value = match alternative {
        Alternative::TwoSided => law.two_sided(),
        Alternative::Greater => law.upper(law.observed()),
        Alternative::Less => law.lower(law.observed()),
    };
    let sizes = Sizes {
        champion: champion.trials(),
        candidate: candidate.trials(),
    };
    let odds_ratio = law.odds_ratio();
    let interval = interval(&law, alternative, settings.alpha());
    Ok(TestOutcome::new(
        Method::Fisher,
        alternative,
        p_value,
        settings.alpha(),
        sizes,
    )
    .with_estimate(odds_ratio, Some(interval))
    .with_effect(EffectKind::OddsRatio, odds_ratio))
}

fn interval(law: &Hypergeometric, alternative: Alternative, alpha: Alpha) -> Interval {
    match alternative {
        Alternative::TwoSided => Interval::between(
            law.odds_ratio_above(alpha.get() / 2.0),
            law.odds_ratio_below(alpha.get() / 2.0),
        ),
        Alternative::Greater => Interval::between(law.odds_ratio_above(alpha.get()), f64::INFINITY),
        Alternative::Less => Interval::between(0.0, law.odds_ratio_below(alpha.get())),
    }
}

const MAX_TRIALS: u64 = 10_000_000_000;

#[cfg(test)]
mod tests;
