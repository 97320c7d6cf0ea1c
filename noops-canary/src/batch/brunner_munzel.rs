use noops_core::Alpha;
use noops_stats::SortedSample;
use noops_stats::special::{student_sf, student_upper_quantile};

use self::placements::Placements;
use super::method::Method;
use super::outcome::{EffectKind, Sizes, TestOutcome};
use super::rank_law::tail_of;
use super::sample::check_sample;
use super::settings::{Alternative, Margin, TestSettings};
use super::studentised::twice;
use crate::direction::Direction;
use crate::error::CanaryError;
use crate::interval::Interval;

mod placements;
#[cfg(test)]
mod tests;

/// Brunner and Munzel's test: does the candidate tend to have larger, or smaller, values, whatever the two spreads are?
///
/// # Formula
///
/// The estimate is θ = P(candidate > champion) + ½ P(equal). The statistic is (θ − ½) / s with s² = s₁²/n + s₂²/m, s₁² and s₂²
/// the variances of the placements, which are the shares of the other sample below each value, ties by half. It follows
/// Student's law with Satterthwaite's degrees of freedom (Brunner and Munzel, 2000). The interval is θ ± t s, cut to \[0, 1\].
///
/// Where every value of one sample is beyond every value of the other, s is 0 and there is no statistic. A p-value of 0, which
/// scipy reports, would be a claim that so few values cannot bear. With k the smaller size, k disjoint pairs are independent
/// and each is in order with probability at most θ, so the p-value of θ ≤ θ₀ is at most θ₀ᵏ; that is reported, and the
/// interval is the one it gives, from tail^(1/k) to 1.
///
/// # Numerical notes
///
/// Values must be independent. Student's law is an approximation: with fewer than 10 values in a sample the test errs more
/// often than it says, the more so the nearer θ is to 0 or 1, and near complete separation its p-value can be below that of
/// complete separation.
///
/// # Errors
///
/// [`CanaryError::TooFew`] for fewer than two values, [`CanaryError::NotFinite`], and [`CanaryError::Constant`] when all
/// values of both samples are the same.
///
/// # Complexity
///
/// O(n + m) after sorting.
///
/// # Examples
///
/// ```
/// use noops_canary::batch::{TestSettings, brunner_munzel};
///
/// let champion = [1.0, 2.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 2.0, 4.0, 1.0, 1.0];
/// let candidate = [3.0, 3.0, 4.0, 3.0, 1.0, 2.0, 3.0, 1.0, 1.0, 5.0, 4.0];
/// let outcome = brunner_munzel(&champion, &candidate, &TestSettings::default())?;
/// assert!((outcome.p_value() - 0.005_786_208_666).abs() < 1e-9);
/// assert!(outcome.estimate().is_some_and(|theta| (theta - 0.788_961_039).abs() < 1e-9));
/// # Ok::<(), noops_canary::CanaryError>(())
/// ```
pub fn brunner_munzel(
    champion: &[f64],
    candidate: &[f64],
    settings: &TestSettings,
) -> Result<TestOutcome, CanaryError> {
    let theta = Theta::of(champion, candidate)?;
    let alternative = settings.alternative();
    let above = theta.p_value_of_at_most(0.5);
    let below = theta.p_value_of_at_least(0.5);
    let p_value = match alternative {
        Alternative::TwoSided => 2.0 * above.min(below),
        Alternative::Greater => above,
        Alternative::Less => below,
    };
    let tail = tail_of(alternative, settings.alpha().get());
    Ok(theta.outcome(p_value, alternative, settings.alpha(), tail))
}

/// Whether P(candidate > champion) + ½ P(equal) is beyond ½ by less than a margin to the worse.
///
/// # Formula
///
/// The margin is a probability. With d = ½ ± margin, above ½ where lower values are better, the statistic of the p-value is (θ
/// − d) / s by Student's law as in [`brunner_munzel`]; the interval is one-sided at level 1 − alpha. The reported statistic is
/// that of ½.
///
/// # Numerical notes
///
/// Those of [`brunner_munzel`].
///
/// # Errors
///
/// Those of [`brunner_munzel`], and [`CanaryError::Setting`] for a margin of ½ or more, which no candidate could miss.
///
/// # Examples
///
/// ```
/// use noops_canary::Direction;
/// use noops_canary::batch::{Margin, brunner_munzel_non_inferiority};
/// use noops_core::Alpha;
///
/// let cost: Vec<f64> = (0..200).map(|k| f64::from(k * 7919 % 211)).collect();
/// let margin = Margin::new(Direction::LowerIsBetter, 0.1)?;
/// let outcome = brunner_munzel_non_inferiority(&cost, &cost, margin, Alpha::FIVE_PERCENT)?;
/// assert!(outcome.rejects(Alpha::FIVE_PERCENT), "costs more in less than 60 % of all pairs");
/// # Ok::<(), noops_canary::CanaryError>(())
/// ```
pub fn brunner_munzel_non_inferiority(
    champion: &[f64],
    candidate: &[f64],
    margin: Margin,
    alpha: Alpha,
) -> Result<TestOutcome, CanaryError> {
    check_margin(margin)?;
    let theta = Theta::of(champion, candidate)?;
    let limit = 0.5 + margin.limit();
    let (p_value, alternative) = match margin.direction() {
        Direction::LowerIsBetter => (theta.p_value_of_at_least(limit), Alternative::Less),
        Direction::HigherIsBetter => (theta.p_value_of_at_most(limit), Alternative::Greater),
    };
    Ok(theta.outcome(p_value, alternative, alpha, alpha.get()))
}

/// Whether P(candidate > champion) + ½ P(equal) is within a margin of ½, by two one-sided tests.
///
/// # Formula
///
/// The p-value is the larger of those against ½ + margin and ½ − margin (Schuirmann, 1987); the direction of the margin plays
/// no part. The interval has level 1 − 2 alpha.
///
/// # Numerical notes
///
/// Those of [`brunner_munzel`].
///
/// # Errors
///
/// Those of [`brunner_munzel_non_inferiority`], and [`CanaryError::Setting`] for an alpha of one half or more.
pub fn brunner_munzel_equivalence(
    champion: &[f64],
    candidate: &[f64],
    margin: Margin,
    alpha: Alpha,
) -> Result<TestOutcome, CanaryError> {
    check_margin(margin)?;
    let theta = Theta::of(champion, candidate)?;
    let not_above = theta.p_value_of_at_least(0.5 + margin.size());
    let not_below = theta.p_value_of_at_most(0.5 - margin.size());
    let of_interval = twice(alpha)?;
    let p_value = not_above.max(not_below);
    Ok(theta.outcome(p_value, Alternative::TwoSided, of_interval, alpha.get()))
}

fn check_margin(margin: Margin) -> Result<(), CanaryError> {
    if margin.size() < 0.5 {
        return Ok(());
    }
    Err(CanaryError::Setting {
        name: "margin",
        value: margin.size(),
        allowed: "above 0 and below 0.5, a difference of probabilities",
    })
}

/// The estimate and what is known of its law.
struct Theta {
    estimate: f64,
    spread: Spread,
    sizes: Sizes,
}

enum Spread {
    Student {
        deviation: f64,
        degrees: f64,
    },
    /// One sample is beyond the other; the size of the smaller one.
    Separated {
        rows: f64,
    },
}

impl Theta {
    fn of(champion: &[f64], candidate: &[f64]) -> Result<Self, CanaryError> {
        check_sample("champion", champion, 2)?;
        check_sample("candidate", candidate, 2)?;
        let sizes = Sizes::of(champion, candidate);
        let (n, m) = (champion.len() as f64, candidate.len() as f64);
        let champion = SortedSample::new(champion);
        let candidate = SortedSample::new(candidate);
        let (left, right) = (champion.values(), candidate.values());
        if left.first() == right.last() && left.last() == right.first() {
            return Err(CanaryError::Constant {
                column: "champion and candidate",
            });
        }
        let placements = Placements::of(&champion, &candidate);
        let of_champion = placements.variance_of_champion() / n;
        let of_candidate = placements.variance_of_candidate() / m;
        let variance = of_champion + of_candidate;
        let spread = if variance > 0.0 {
            let spent =
                of_champion * of_champion / (n - 1.0) + of_candidate * of_candidate / (m - 1.0);
            Spread::Student {
                deviation: variance.sqrt(),
                degrees: variance * variance / spent,
            }
        } else {
            Spread::Separated { rows: n.min(m) }
        };
        Ok(Self {
            estimate: placements.theta(),
            spread,
            sizes,
        })
    }

    /// The p-value of θ ≤ `limit`.
    fn p_value_of_at_most(&self, limit: f64) -> f64 {
        match self.spread {
            Spread::Student { deviation, degrees } => {
                student_sf((self.estimate - limit) / deviation, degrees)
            }
            Spread::Separated { rows } if self.estimate > 0.5 => libm::pow(limit, rows),
            Spread::Separated { .. } => 1.0,
        }
    }

    /// The p-value of θ ≥ `limit`.
    fn p_value_of_at_least(&self, limit: f64) -> f64 {
        match self.spread {
            Spread::Student { deviation, degrees } => {
                student_sf((limit - self.estimate) / deviation, degrees)
            }
            Spread::Separated { rows } if self.estimate < 0.5 => libm::pow(1.0 - limit, rows),
            Spread::Separated { .. } => 1.0,
        }
    }

    fn outcome(
        &self,
        p_value: f64,
        alternative: Alternative,
        alpha: Alpha,
        tail: f64,
    ) -> TestOutcome {
        let theta = self.estimate;
        let outcome = TestOutcome::new(
            Method::BrunnerMunzel,
            alternative,
            p_value,
            alpha,
            self.sizes,
        )
        .with_effect(EffectKind::ProbabilityOfSuperiority, theta);
        let (outcome, lower, upper) = match self.spread {
            Spread::Student { deviation, degrees } => {
                let reach = student_upper_quantile(tail, degrees) * deviation;
                let outcome = outcome
                    .with_statistic((theta - 0.5) / deviation)
                    .with_degrees_of_freedom(degrees);
                (outcome, theta - reach, theta + reach)
            }
            Spread::Separated { rows } => {
                let least = libm::pow(tail, 1.0 / rows);
                if theta > 0.5 {
                    (outcome, least, 1.0)
                } else {
                    (outcome, 0.0, 1.0 - least)
                }
            }
        };
        let interval = match alternative {
            Alternative::TwoSided => Interval::between(lower.max(0.0), upper.min(1.0)),
            Alternative::Greater => Interval::between(lower.clamp(0.0, 1.0), 1.0),
            Alternative::Less => Interval::between(0.0, upper.clamp(0.0, 1.0)),
        };
        outcome.with_estimate(theta, Some(interval))
    }
}
