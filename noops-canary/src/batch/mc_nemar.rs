use noops_core::Alpha;
use noops_stats::special::{
    binomial_sf, chi_square_sf, clopper_pearson_lower, normal_sf, normal_upper_quantile,
};

use super::method::Method;
use super::outcome::{EffectKind, Sizes, TestOutcome};
use super::proportions::Proportion;
use super::settings::{Alternative, TestSettings};
use crate::error::CanaryError;
use crate::interval::Interval;

mod difference;
mod table;

pub use self::difference::{mc_nemar_difference, mc_nemar_equivalence, mc_nemar_non_inferiority};
pub use self::table::PairedTable;

/// McNemar's test of paired yes-or-no outcomes, from the pairs in which the two models disagree.
///
/// `only_champion` counts the pairs in which only the champion succeeded, `only_candidate` those in which only the candidate did. The
/// estimate, and the effect, is the conditional odds ratio `only_candidate` / `only_champion`; 1 is no difference.
///
/// # Formula
///
/// Up to a million disagreements the test is exact: without a difference `only_candidate` is binomial with probability ½; the two-sided
/// p-value is twice the smaller tail, the interval Clopper and Pearson's of the probability turned into odds. Beyond, the statistic is
/// (|b − c| − 1)² / (b + c) against the chi-square law with one degree of freedom (Edwards' continuity correction), or its signed root
/// against the normal law for a one-sided alternative, and the interval is Wilson's turned into odds. It is
/// `statsmodels.stats.contingency_tables.mcnemar(exact=True)` and `(exact=False, correction=True)`.
///
/// # Numerical notes
///
/// Pairs must be independent. Pairs that agree say nothing about which model is better and are not needed; for a difference of
/// rates they are: use [`mc_nemar_difference`]. Without any disagreement the p-value is 1. The sizes of the outcome are the numbers of
/// disagreements. Looking again while data come in voids the p-value.
///
/// # Errors
///
/// [`CanaryError::Input`] for more than 2⁵² disagreements.
///
/// # Complexity
///
/// Constant beyond a million disagreements, and at most a million terms of a sum up to there.
///
/// # Examples
///
/// ```
/// use noops_canary::batch::{TestSettings, mc_nemar};
///
/// let outcome = mc_nemar(60, 35, &TestSettings::default())?;
/// assert!((outcome.p_value() - 0.013_378_7).abs() < 1e-7);
/// # Ok::<(), noops_canary::CanaryError>(())
/// ```
pub fn mc_nemar(
    only_champion: u64,
    only_candidate: u64,
    settings: &TestSettings,
) -> Result<TestOutcome, CanaryError> {
    let disagreements = only_champion.saturating_add(only_candidate);
    if disagreements > Proportion::MAX_TRIALS {
        return Err(CanaryError::Input {
            input: "disagreements",
            reason: "is above 2^52; pass a sample of the pairs",
        });
    }
    let counts = Counts {
        champion: only_champion as f64,
        candidate: only_candidate as f64,
    };
    let (alternative, alpha) = (settings.alternative(), settings.alpha());
    let sizes = Sizes {
        champion: disagreements,
        candidate: disagreements,
    };
    let odds_ratio = counts.candidate / counts.champion;
    let exact = disagreements <= EXACT_UP_TO;
    let outcome = if exact {
        let p_value = counts.exact_p_value(alternative);
        TestOutcome::new(Method::McNemarExact, alternative, p_value, alpha, sizes)
            .with_statistic(counts.candidate)
    } else {
        counts.corrected(alternative, alpha, sizes)
    };
    let interval = match Proportion::new(only_candidate, disagreements) {
        Ok(share) => counts.interval(share, alternative, alpha),
        Err(_) => Interval::between(0.0, f64::INFINITY),
    };
    Ok(outcome
        .with_estimate(odds_ratio, Some(interval))
        .with_effect(EffectKind::OddsRatio, odds_ratio))
}

#[derive(Clone, Copy, Debug)]
struct Counts {
    champion: f64,
    candidate: f64,
}

impl Counts {
    fn n(&self) -> f64 {
        self.champion + self.candidate
    }

    /// P(X >= wins) where either side wins a disagreement with probability one half.
    fn at_least(&self, wins: f64) -> f64 {
        binomial_sf(wins as u64, self.n() as u64, 0.5)
    }

    fn exact_p_value(&self, alternative: Alternative) -> f64 {
        match alternative {
            Alternative::TwoSided => 2.0 * self.at_least(self.champion.max(self.candidate)),
            Alternative::Greater => self.at_least(self.candidate),
            Alternative::Less => self.at_least(self.champion),
        }
    }

    fn corrected(&self, alternative: Alternative, alpha: Alpha, sizes: Sizes) -> TestOutcome {
        let gap = self.candidate - self.champion;
        let deviation = self.n().sqrt();
        let (p_value, statistic) = match alternative {
            Alternative::TwoSided => {
                let z = (gap.abs() - 1.0).max(0.0) / deviation;
                (chi_square_sf(z * z, 1.0), z * z)
            }
            Alternative::Greater => {
                let z = (gap - 1.0) / deviation;
                (normal_sf(z), z)
            }
            Alternative::Less => {
                let z = (gap + 1.0) / deviation;
                (normal_sf(-z), z)
            }
        };
        let outcome = TestOutcome::new(Method::McNemar, alternative, p_value, alpha, sizes)
            .with_statistic(statistic);
        match alternative {
            Alternative::TwoSided => outcome.with_degrees_of_freedom(1.0),
            Alternative::Greater | Alternative::Less => outcome,
        }
    }

    /// Of the odds that a disagreement is in the candidate's favour.
    fn interval(&self, share: Proportion, alternative: Alternative, alpha: Alpha) -> Interval {
        let tail = match alternative {
            Alternative::TwoSided => alpha.get() / 2.0,
            Alternative::Greater | Alternative::Less => alpha.get(),
        };
        let (lower, upper) = if share.trials() <= EXACT_UP_TO {
            // Each end with its own small side, so that nothing is lost near 0 or 1.
            let lower = clopper_pearson_lower(self.candidate as u64, self.n() as u64, tail);
            let upper = clopper_pearson_lower(self.champion as u64, self.n() as u64, tail);
            (lower / (1.0 - lower), (1.0 - upper) / upper)
        } else {
            let wilson = share.wilson_at(normal_upper_quantile(tail).max(0.0));
            let odds = |share: f64| share / (1.0 - share);
            (odds(wilson.lower()), odds(wilson.upper()))
        };
        match alternative {
            Alternative::TwoSided => Interval::between(lower, upper),
            Alternative::Greater => Interval::between(lower, f64::INFINITY),
            Alternative::Less => Interval::between(0.0, upper),
        }
    }
}

const EXACT_UP_TO: u64 = 1_000_000;

#[cfg(test)]
mod tests;
