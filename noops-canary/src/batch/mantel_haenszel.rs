use noops_core::Alpha;
use noops_stats::special::{chi_square_sf, normal_sf, normal_upper_quantile};
use serde::{Deserialize, Serialize};

use self::sums::Sums;
use super::method::Method;
use super::outcome::{EffectKind, Sizes, TestOutcome};
use super::proportions::{Proportion, check_margin};
use super::settings::{Alternative, Margin, TestSettings};
use super::studentised::not_worse;
use crate::error::CanaryError;
use crate::interval::Interval;

mod sums;

/// The two arms in one stratum: a stage of a ramp, a day, a region.
///
/// # Examples
///
/// ```
/// use noops_canary::batch::{Proportion, Stratum};
///
/// let monday = Stratum::new(Proportion::new(20, 990)?, Proportion::new(1, 10)?);
/// assert_eq!(monday.candidate().trials(), 10);
/// # Ok::<(), noops_canary::CanaryError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Stratum {
    champion: Proportion,
    candidate: Proportion,
}

impl Stratum {
    /// One stratum. Leave out a stratum in which one arm has no trials: it cannot be compared.
    #[must_use]
    pub fn new(champion: Proportion, candidate: Proportion) -> Self {
        Self {
            champion,
            candidate,
        }
    }

    /// The champion's trials.
    #[must_use]
    pub fn champion(&self) -> Proportion {
        self.champion
    }

    /// The candidate's trials.
    #[must_use]
    pub fn candidate(&self) -> Proportion {
        self.candidate
    }
}

/// The test of Cochran, Mantel and Haenszel: do two rates differ when arms are compared only inside strata?
///
/// Pooling the stages of a ramp makes identical models differ (Simpson's paradox) as soon as the base rate moves with the share. This test
/// does not pool. The estimate, and the effect, is Mantel and Haenszel's common odds ratio, candidate over champion.
///
/// # Formula
///
/// χ² = (|Σ(a − E a)| − ½)² / Σ Var a over the strata, a being the candidate's successes with their hypergeometric mean and variance,
/// against the chi-square law with one degree of freedom; the half is the correction
/// for continuity (`statsmodels.stats.contingency_tables.StratifiedTable.test_null_odds(correction=True)`, R's `mantelhaen.test`). One-sided alternatives use its signed root.
/// The odds ratio is Σ(ad/n) / Σ(bc/n), its interval from the variance of Robins, Breslow and Greenland (1986), which is good for few large
/// and for many small strata.
///
/// # Numerical notes
///
/// The test looks for a difference in one direction over all strata; opposite ones cancel. The interval supposes one odds ratio for all
/// strata. The odds ratio is `None` where it is infinite, and its interval then is unbounded on that side. Test and interval are
/// different approximations and may disagree at the very edge of significance. Looking again while data come in voids the p-value.
///
/// # Errors
///
/// [`CanaryError::Empty`] without strata; [`CanaryError::Constant`] when in each stratum nobody or everybody succeeded;
/// [`CanaryError::Input`] for more than 2⁵² trials in all.
///
/// # Complexity
///
/// One pass.
///
/// # Examples
///
/// ```
/// use noops_canary::batch::{Proportion, Stratum, TestSettings, mantel_haenszel};
///
/// // Crook et al. (2009): pooled, the candidate seems worse at converting. It is better on both days.
/// let strata = [
///     Stratum::new(Proportion::new(20_000, 990_000)?, Proportion::new(230, 10_000)?),
///     Stratum::new(Proportion::new(5_000, 500_000)?, Proportion::new(6_000, 500_000)?),
/// ];
/// let outcome = mantel_haenszel(&strata, &TestSettings::default())?;
/// assert!(outcome.estimate().is_some_and(|odds_ratio| (odds_ratio - 1.198).abs() < 1e-4));
/// # Ok::<(), noops_canary::CanaryError>(())
/// ```
pub fn mantel_haenszel(
    strata: &[Stratum],
    settings: &TestSettings,
) -> Result<TestOutcome, CanaryError> {
    let sums = Sums::of(strata)?;
    if sums.variance <= 0.0 {
        return Err(CanaryError::Constant {
            column: "champion and candidate",
        });
    }
    let (alternative, alpha) = (settings.alternative(), settings.alpha());
    let deviation = sums.variance.sqrt();
    let (p_value, statistic) = match alternative {
        Alternative::TwoSided => {
            let z = (sums.excess.abs() - 0.5).max(0.0) / deviation;
            (chi_square_sf(z * z, 1.0), z * z)
        }
        Alternative::Greater => {
            let z = (sums.excess - 0.5) / deviation;
            (normal_sf(z), z)
        }
        Alternative::Less => {
            let z = (sums.excess + 0.5) / deviation;
            (normal_sf(-z), z)
        }
    };
    let odds_ratio = sums.odds_ratio();
    let outcome = TestOutcome::new(
        Method::MantelHaenszel,
        alternative,
        p_value,
        alpha,
        sums.sizes,
    )
    .with_statistic(statistic)
    .with_estimate(odds_ratio, Some(odds_interval(&sums, alternative, alpha)))
    .with_effect(EffectKind::OddsRatio, odds_ratio);
    Ok(match alternative {
        Alternative::TwoSided => outcome.with_degrees_of_freedom(1.0),
        Alternative::Greater | Alternative::Less => outcome,
    })
}

/// Mantel and Haenszel's common difference of rates, candidate minus champion, tested against zero.
///
/// # Formula
///
/// D = Σ w(p₂ − p₁) / Σ w, w = n₁n₂ / (n₁ + n₂), with the variance of Greenland and Robins (1985),
/// Σ w²(p₁(1 − p₁)/n₁ + p₂(1 − p₂)/n₂) / (Σ w)²; z = D / √Var against the normal law, and the interval D ± z √Var.
///
/// # Numerical notes
///
/// For few large strata. In a stratum in which nobody or everybody succeeded on both sides the variance counts as zero, so many sparse
/// strata make the interval too short; merge them, or use [`mantel_haenszel`].
///
/// # Errors
///
/// As [`mantel_haenszel`].
///
/// # Complexity
///
/// One pass.
///
/// # Examples
///
/// ```
/// use noops_canary::batch::{Proportion, Stratum, TestSettings, mantel_haenszel_difference};
///
/// let strata = [
///     Stratum::new(Proportion::new(30, 1_000)?, Proportion::new(45, 1_000)?),
///     Stratum::new(Proportion::new(50, 1_000)?, Proportion::new(65, 1_000)?),
/// ];
/// let outcome = mantel_haenszel_difference(&strata, &TestSettings::default())?;
/// assert!(outcome.estimate().is_some_and(|found| (found - 0.015).abs() < 1e-12));
/// # Ok::<(), noops_canary::CanaryError>(())
/// ```
pub fn mantel_haenszel_difference(
    strata: &[Stratum],
    settings: &TestSettings,
) -> Result<TestOutcome, CanaryError> {
    let law = Wald::of(&Sums::of(strata)?)?;
    let alternative = settings.alternative();
    Ok(law.outcome(0.0, alternative, settings.alpha()))
}

/// Whether the candidate's rate is worse by less than a margin, compared only inside strata.
///
/// The null hypothesis is "worse by the margin or more" in Mantel and Haenszel's common difference. The interval is one-sided at level
/// 1 − `alpha`.
///
/// # Formula
///
/// z = (D − M) / √Var, where M is [`Margin::limit`]; otherwise as [`mantel_haenszel_difference`], whose numerical notes hold.
///
/// # Errors
///
/// As [`mantel_haenszel`], and [`CanaryError::Setting`] for a margin of 1 or more.
///
/// # Complexity
///
/// One pass.
///
/// # Examples
///
/// ```
/// use noops_canary::Direction;
/// use noops_canary::batch::{Margin, Proportion, Stratum, mantel_haenszel_non_inferiority};
/// use noops_core::Alpha;
///
/// let strata = [
///     Stratum::new(Proportion::new(990, 99_000)?, Proportion::new(11, 1_000)?),
///     Stratum::new(Proportion::new(1_500, 50_000)?, Proportion::new(1_510, 50_000)?),
/// ];
/// let margin = Margin::new(Direction::LowerIsBetter, 0.005)?;
/// let outcome = mantel_haenszel_non_inferiority(&strata, margin, Alpha::FIVE_PERCENT)?;
/// assert!(outcome.rejects(Alpha::FIVE_PERCENT));
/// # Ok::<(), noops_canary::CanaryError>(())
/// ```
pub fn mantel_haenszel_non_inferiority(
    strata: &[Stratum],
    margin: Margin,
    alpha: Alpha,
) -> Result<TestOutcome, CanaryError> {
    check_margin(margin)?;
    let law = Wald::of(&Sums::of(strata)?)?;
    Ok(law.outcome(margin.limit(), not_worse(margin), alpha))
}

/// The common difference and its deviation.
struct Wald {
    difference: f64,
    deviation: f64,
    sizes: Sizes,
}

impl Wald {
    fn of(sums: &Sums) -> Result<Self, CanaryError> {
        let deviation = sums.difference_variance.sqrt() / sums.weight;
        if deviation > 0.0 {
            return Ok(Self {
                difference: sums.difference / sums.weight,
                deviation,
                sizes: sums.sizes,
            });
        }
        Err(CanaryError::Constant {
            column: "champion and candidate",
        })
    }

    fn outcome(&self, null: f64, alternative: Alternative, alpha: Alpha) -> TestOutcome {
        let z = (self.difference - null) / self.deviation;
        let reach = |tail: f64| normal_upper_quantile(tail) * self.deviation;
        let (p_value, lower, upper) = match alternative {
            Alternative::TwoSided => {
                let half = reach(alpha.get() / 2.0);
                (
                    2.0 * normal_sf(z.abs()),
                    self.difference - half,
                    self.difference + half,
                )
            }
            Alternative::Greater => (
                normal_sf(z),
                self.difference - reach(alpha.get()),
                f64::INFINITY,
            ),
            Alternative::Less => (
                normal_sf(-z),
                f64::NEG_INFINITY,
                self.difference + reach(alpha.get()),
            ),
        };
        TestOutcome::new(
            Method::MantelHaenszel,
            alternative,
            p_value,
            alpha,
            self.sizes,
        )
        .with_statistic(z)
        .with_estimate(self.difference, Some(Interval::between(lower, upper)))
    }
}

fn odds_interval(sums: &Sums, alternative: Alternative, alpha: Alpha) -> Interval {
    let (odds_ratio, deviation) = (sums.odds_ratio(), sums.ln_odds_deviation());
    if !deviation.is_finite() {
        return Interval::between(0.0, f64::INFINITY);
    }
    let at = |z: f64| odds_ratio * libm::exp(z * deviation);
    match alternative {
        Alternative::TwoSided => {
            let z = normal_upper_quantile(alpha.get() / 2.0);
            Interval::between(at(-z), at(z))
        }
        Alternative::Greater => {
            let z = normal_upper_quantile(alpha.get());
            Interval::between(at(-z), f64::INFINITY)
        }
        Alternative::Less => {
            let z = normal_upper_quantile(alpha.get());
            Interval::between(0.0, at(z))
        }
    }
}

#[cfg(test)]
mod tests;
