use noops_core::Alpha;

use super::method::Method;
use super::outcome::{EffectKind, Sizes, TestOutcome};
use super::sample::check_sample;
use super::settings::{Alternative, Margin, TestSettings};
use super::studentised::{Moments, Studentised, not_worse, twice};
use crate::error::CanaryError;

/// The paired t-test: is the mean of the differences, candidate minus champion on the same request, other than zero?
///
/// # Formula
///
/// t = d̄ / (s / √n), against Student's law with n − 1 degrees of freedom; `scipy.stats.ttest_rel`. The effect is Cohen's d of the
/// differences, d̄ / s.
///
/// # Numerical notes
///
/// The error rate is exact for normal differences and holds in large samples of independent pairs. Against rare huge differences use
/// `wilcoxon_signed_rank`. Looking again while data come in voids the p-value.
///
/// # Errors
///
/// [`CanaryError::TooFew`] below two pairs, [`CanaryError::Length`], [`CanaryError::NotFinite`], [`CanaryError::Constant`] when all
/// differences are the same, [`CanaryError::Input`] when squares overflow.
///
/// # Complexity
///
/// Two passes.
///
/// # Examples
///
/// ```
/// use noops_canary::batch::{TestSettings, paired_t_test};
///
/// let champion = [20.0, 35.0, 50.0, 80.0, 110.0];
/// let candidate = [18.0, 32.0, 48.5, 77.0, 106.0];
/// let outcome = paired_t_test(&champion, &candidate, &TestSettings::default())?;
/// assert_eq!(outcome.degrees_of_freedom(), Some(4.0));
/// assert!(outcome.p_value() < 0.01);
/// # Ok::<(), noops_canary::CanaryError>(())
/// ```
pub fn paired_t_test(
    champion: &[f64],
    candidate: &[f64],
    settings: &TestSettings,
) -> Result<TestOutcome, CanaryError> {
    let compared = Compared::of(champion, candidate)?;
    let alternative = settings.alternative();
    let p_value = compared.law.p_value(alternative, 0.0);
    let statistic = compared.law.statistic(0.0);
    Ok(compared.outcome(alternative, p_value, statistic, settings.alpha()))
}

/// Whether the candidate is worse by less than a margin in the mean of paired differences.
///
/// The null hypothesis is "worse by the margin or more". The interval is one-sided at level 1 − `alpha`.
///
/// # Formula
///
/// t = (d̄ − M) / (s / √n), where M is [`Margin::limit`]; otherwise as [`paired_t_test`].
///
/// # Errors
///
/// As [`paired_t_test`].
///
/// # Complexity
///
/// Two passes.
///
/// # Examples
///
/// ```
/// use noops_canary::Direction;
/// use noops_canary::batch::{Margin, paired_t_non_inferiority};
/// use noops_core::Alpha;
///
/// let champion = [0.81, 0.79, 0.90, 0.66, 0.72];
/// let candidate = [0.80, 0.80, 0.89, 0.67, 0.71];
/// let margin = Margin::new(Direction::HigherIsBetter, 0.03)?;
/// let outcome = paired_t_non_inferiority(&champion, &candidate, margin, Alpha::FIVE_PERCENT)?;
/// assert!(outcome.rejects(Alpha::FIVE_PERCENT));
/// # Ok::<(), noops_canary::CanaryError>(())
/// ```
pub fn paired_t_non_inferiority(
    champion: &[f64],
    candidate: &[f64],
    margin: Margin,
    alpha: Alpha,
) -> Result<TestOutcome, CanaryError> {
    let compared = Compared::of(champion, candidate)?;
    let alternative = not_worse(margin);
    let p_value = compared.law.p_value(alternative, margin.limit());
    let statistic = compared.law.statistic(margin.limit());
    Ok(compared.outcome(alternative, p_value, statistic, alpha))
}

/// Whether the mean of paired differences lies inside ± a margin, by two one-sided t-tests (TOST).
///
/// # Formula
///
/// The larger p-value of the tests of "at most −M" and "at least M", M being [`Margin::size`]; the statistic is the t of that
/// one, positive inside the margin. The interval has level 1 − 2 `alpha`.
///
/// # Errors
///
/// As [`paired_t_test`], and [`CanaryError::Setting`] for an `alpha` of one half or more.
///
/// # Complexity
///
/// Two passes.
///
/// # Examples
///
/// ```
/// use noops_canary::Direction;
/// use noops_canary::batch::{Margin, paired_t_equivalence};
/// use noops_core::Alpha;
///
/// let champion = [0.81, 0.79, 0.90, 0.66, 0.72];
/// let candidate = [0.80, 0.80, 0.89, 0.67, 0.71];
/// let margin = Margin::new(Direction::HigherIsBetter, 0.03)?;
/// let outcome = paired_t_equivalence(&champion, &candidate, margin, Alpha::FIVE_PERCENT)?;
/// assert!(outcome.rejects(Alpha::FIVE_PERCENT));
/// # Ok::<(), noops_canary::CanaryError>(())
/// ```
pub fn paired_t_equivalence(
    champion: &[f64],
    candidate: &[f64],
    margin: Margin,
    alpha: Alpha,
) -> Result<TestOutcome, CanaryError> {
    let both = twice(alpha)?;
    let compared = Compared::of(champion, candidate)?;
    let found = compared.law.equivalence(margin.size());
    Ok(compared.outcome(Alternative::TwoSided, found.p_value, found.statistic, both))
}

struct Compared {
    law: Studentised,
    cohens: f64,
    sizes: Sizes,
}

impl Compared {
    fn of(champion: &[f64], candidate: &[f64]) -> Result<Self, CanaryError> {
        check_sample("champion", champion, 2)?;
        if candidate.len() != champion.len() {
            return Err(CanaryError::Length {
                column: "candidate",
                expected: champion.len(),
                found: candidate.len(),
            });
        }
        check_sample("candidate", candidate, 2)?;
        let differences = champion.iter().zip(candidate).map(|(old, new)| new - old);
        let moments = Moments::of("differences", differences)?;
        if moments.variance <= 0.0 {
            return Err(CanaryError::Constant {
                column: "differences",
            });
        }
        Ok(Self {
            law: Studentised {
                estimate: moments.mean,
                deviation: (moments.variance / moments.n).sqrt(),
                freedom: moments.n - 1.0,
            },
            cohens: moments.mean / moments.variance.sqrt(),
            sizes: Sizes::of(champion, candidate),
        })
    }

    fn outcome(
        self,
        alternative: Alternative,
        p_value: f64,
        statistic: f64,
        alpha: Alpha,
    ) -> TestOutcome {
        let interval = self.law.interval(alternative, alpha);
        TestOutcome::new(Method::PairedT, alternative, p_value, alpha, self.sizes)
            .with_statistic(statistic)
            .with_degrees_of_freedom(self.law.freedom)
            .with_estimate(self.law.estimate, Some(interval))
            .with_effect(EffectKind::CohensDz, self.cohens)
    }
}

#[cfg(test)]
mod tests;
