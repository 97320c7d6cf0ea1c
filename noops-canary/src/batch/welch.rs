use noops_core::Alpha;
use noops_stats::special::gamma_half_ratio;

use super::method::Method;
use super::outcome::{EffectKind, Sizes, TestOutcome};
use super::sample::check_sample;
use super::settings::{Alternative, Margin, TestSettings};
use super::studentised::{Moments, Studentised, not_worse, twice};
use crate::error::CanaryError;

/// Welch's t-test: do the means of two independent samples differ?
///
/// The estimate is the mean of the candidate minus that of the champion. The two variances may differ.
///
/// # Formula
///
/// t = (m₂ − m₁) / √(s₁²/n₁ + s₂²/n₂), against Student's law with the degrees of freedom of Welch (1947) and Satterthwaite:
/// (v₁ + v₂)² / (v₁²/(n₁ − 1) + v₂²/(n₂ − 1)) where vᵢ = sᵢ²/nᵢ. It is `scipy.stats.ttest_ind(equal_var=False)`.
///
/// The effect is Hedges' (1981) g: the difference over the pooled standard deviation, times the exact factor
/// Γ(m/2) / (√(m/2) Γ((m − 1)/2)), m = n₁ + n₂ − 2, that removes its bias.
///
/// # Numerical notes
///
/// The error rate is exact for normal values and holds in large samples of independent values with a variance. Small skewed samples
/// of unequal sizes can miss it: compare with `permutation` or `mann_whitney`. Values of one user, host or hour
/// are not independent: average them first. Looking again while data come in voids the p-value.
///
/// # Errors
///
/// [`CanaryError::TooFew`] below two values a sample, [`CanaryError::NotFinite`], [`CanaryError::Constant`] when neither sample
/// varies (also when the two constants differ: no error rate can be given), [`CanaryError::Input`] when squares overflow.
///
/// # Complexity
///
/// Two passes.
///
/// # Examples
///
/// ```
/// use noops_canary::batch::{TestSettings, welch_t_test};
///
/// let champion = [102.0, 98.0, 105.0, 101.0, 99.0, 103.0];
/// let candidate = [108.0, 112.0, 106.0, 111.0, 109.0, 115.0];
/// let outcome = welch_t_test(&champion, &candidate, &TestSettings::default())?;
/// assert!(outcome.p_value() < 0.001);
/// assert!(outcome.interval().is_some_and(|interval| interval.is_above(0.0)));
/// # Ok::<(), noops_canary::CanaryError>(())
/// ```
pub fn welch_t_test(
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

/// Whether the candidate's mean is worse by less than a margin, by Welch's t-test at the margin.
///
/// The null hypothesis is "worse by the margin or more"; a small p-value is evidence that it is not. The interval is one-sided at
/// level 1 − `alpha` and lies on the good side of the margin exactly when the test rejects at `alpha`.
///
/// # Formula
///
/// t = (m₂ − m₁ − M) / √(s₁²/n₁ + s₂²/n₂), where M is [`Margin::limit`]; otherwise as [`welch_t_test`].
///
/// # Errors
///
/// As [`welch_t_test`].
///
/// # Complexity
///
/// Two passes.
///
/// # Examples
///
/// ```
/// use noops_canary::Direction;
/// use noops_canary::batch::{Margin, welch_non_inferiority};
/// use noops_core::Alpha;
///
/// let champion = [10.1, 9.8, 10.3, 10.0, 9.9, 10.2, 10.0, 9.7];
/// let candidate = [10.2, 9.9, 10.1, 10.3, 10.0, 9.8, 10.1, 9.9];
/// let margin = Margin::new(Direction::LowerIsBetter, 0.5)?;
/// let outcome = welch_non_inferiority(&champion, &candidate, margin, Alpha::FIVE_PERCENT)?;
/// assert!(outcome.rejects(Alpha::FIVE_PERCENT));
/// # Ok::<(), noops_canary::CanaryError>(())
/// ```
pub fn welch_non_inferiority(
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

/// Whether the means differ by less than a margin either way, by two one-sided Welch t-tests (TOST).
///
/// A small p-value is evidence that the difference lies inside ± the margin. The interval has level 1 − 2 `alpha`
/// ([`TestOutcome::alpha`] gives 2 `alpha`) and lies inside the margin exactly when the test rejects at `alpha`.
///
/// # Formula
///
/// The larger p-value of the tests of "the difference is at most −M" and "at least M" (Schuirmann 1987), M being
/// [`Margin::size`]. The statistic is the t of that one, positive inside the margin.
///
/// # Errors
///
/// As [`welch_t_test`], and [`CanaryError::Setting`] for an `alpha` of one half or more.
///
/// # Complexity
///
/// Two passes.
///
/// # Examples
///
/// ```
/// use noops_canary::Direction;
/// use noops_canary::batch::{Margin, welch_equivalence};
/// use noops_core::Alpha;
///
/// let champion = [10.1, 9.8, 10.3, 10.0, 9.9, 10.2, 10.0, 9.7];
/// let candidate = [10.2, 9.9, 10.1, 10.3, 10.0, 9.8, 10.1, 9.9];
/// let margin = Margin::new(Direction::LowerIsBetter, 0.5)?;
/// let outcome = welch_equivalence(&champion, &candidate, margin, Alpha::FIVE_PERCENT)?;
/// assert!(outcome.rejects(Alpha::FIVE_PERCENT));
/// # Ok::<(), noops_canary::CanaryError>(())
/// ```
pub fn welch_equivalence(
    champion: &[f64],
    candidate: &[f64],
    margin: Margin,
    alpha: Alpha,
) -> Result<TestOutcome, CanaryError> {
    let both = twice(alpha)?;
    let compared = Compared::of(champion, candidate)?;
    let found = compared.law.equivalence(margin.size());
    let sides = Alternative::TwoSided;
    Ok(compared.outcome(sides, found.p_value, found.statistic, both))
}

struct Compared {
    law: Studentised,
    hedges: f64,
    sizes: Sizes,
}

impl Compared {
    fn of(champion: &[f64], candidate: &[f64]) -> Result<Self, CanaryError> {
        check_sample("champion", champion, 2)?;
        check_sample("candidate", candidate, 2)?;
        let first = Moments::of("champion", champion.iter().copied())?;
        let second = Moments::of("candidate", candidate.iter().copied())?;
        let (of_first, of_second) = (first.variance / first.n, second.variance / second.n);
        let variance = of_first + of_second;
        if variance <= 0.0 {
            return Err(CanaryError::Constant {
                column: "champion and candidate",
            });
        }
        // Shares instead of squared variances, which may be too small for a number.
        let (share, other) = (of_first / variance, of_second / variance);
        let freedom = 1.0 / (share * share / (first.n - 1.0) + other * other / (second.n - 1.0));
        let estimate = second.mean - first.mean;
        if !estimate.is_finite() {
            return Err(CanaryError::Input {
                input: "candidate",
                reason: "is too far from the champion for a number; pass both in a larger unit",
            });
        }
        Ok(Self {
            law: Studentised {
                estimate,
                deviation: variance.sqrt(),
                freedom,
            },
            hedges: hedges_g(estimate, &first, &second),
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
        TestOutcome::new(Method::Welch, alternative, p_value, alpha, self.sizes)
            .with_statistic(statistic)
            .with_degrees_of_freedom(self.law.freedom)
            .with_estimate(
                self.law.estimate,
                Some(self.law.interval(alternative, alpha)),
            )
            .with_effect(EffectKind::HedgesG, self.hedges)
    }
}

fn hedges_g(difference: f64, first: &Moments, second: &Moments) -> f64 {
    let freedom = first.n + second.n - 2.0;
    let pooled = ((first.n - 1.0) * first.variance + (second.n - 1.0) * second.variance) / freedom;
    // Γ(m/2) / Γ((m − 1)/2) over √(m/2).
    let unbiased = gamma_half_ratio((freedom - 1.0) / 2.0) / (freedom / 2.0).sqrt();
    difference / pooled.sqrt() * unbiased
}

#[cfg(test)]
mod tests;
