use noops_core::Alpha;
use noops_stats::special::{normal_sf, normal_upper_quantile};

use super::table::PairedTable;
use crate::batch::method::Method;
use crate::batch::outcome::{Sizes, TestOutcome};
use crate::batch::proportions::check_margin;
use crate::batch::proportions::score::{bisect, over_deviation};
use crate::batch::settings::{Alternative, Margin, TestSettings};
use crate::batch::studentised::{not_worse, twice};
use crate::error::CanaryError;
use crate::interval::Interval;

/// The score test of the difference of two paired rates, candidate minus champion, with Tango's interval.
///
/// # Formula
///
/// z = (b − c) / √(b + c), b and c being the pairs in which only the candidate and only the champion succeeded: McNemar's test without
/// a correction, against the normal law. The interval inverts the score test of every difference (Tango 1998), so it excludes 0 exactly
/// when the test rejects, and has a width also without any disagreement.
///
/// # Numerical notes
///
/// A large-sample test; with fewer than some ten disagreements [`mc_nemar`](super::mc_nemar) is exact. Pairs must be independent.
///
/// # Errors
///
/// None at present; a [`PairedTable`] is checked when it is made.
///
/// # Complexity
///
/// Some hundred steps of root finding, whatever the counts.
///
/// # Examples
///
/// ```
/// use noops_canary::batch::{PairedTable, TestSettings, mc_nemar_difference};
///
/// let table = PairedTable::new(880, 12, 40, 68)?;
/// let outcome = mc_nemar_difference(table, &TestSettings::default())?;
/// assert!(outcome.interval().is_some_and(|interval| interval.is_above(0.0)));
/// # Ok::<(), noops_canary::CanaryError>(())
/// ```
pub fn mc_nemar_difference(
    table: PairedTable,
    settings: &TestSettings,
) -> Result<TestOutcome, CanaryError> {
    let score = Score::of(table);
    let alternative = settings.alternative();
    let z = score.statistic(0.0);
    let p_value = match alternative {
        Alternative::TwoSided => 2.0 * normal_sf(z.abs()),
        Alternative::Greater => normal_sf(z),
        Alternative::Less => normal_sf(-z),
    };
    Ok(score.outcome(alternative, p_value, z, settings.alpha()))
}

/// Whether the candidate's rate is worse by less than a margin on the same requests, by Tango's (1998) score test.
///
/// The null hypothesis is "worse by the margin or more". The margin is a difference of rates, so below 1.
///
/// # Formula
///
/// z = (b − c − nM) / √(n(2q̃ + M(1 − M))), where M is [`Margin::limit`] and q̃ is the most likely rate of pairs in which only the
/// champion succeeds if the rates differ by exactly M. The interval is one-sided at level 1 − `alpha` and inverts the same test.
///
/// # Errors
///
/// [`CanaryError::Setting`] for a margin of 1 or more.
///
/// # Complexity
///
/// Some hundred steps of root finding, whatever the counts.
///
/// # Examples
///
/// ```
/// use noops_canary::Direction;
/// use noops_canary::batch::{Margin, PairedTable, mc_nemar_non_inferiority};
/// use noops_core::Alpha;
///
/// let table = PairedTable::new(880, 15, 12, 93)?;
/// let margin = Margin::new(Direction::HigherIsBetter, 0.02)?;
/// let outcome = mc_nemar_non_inferiority(table, margin, Alpha::FIVE_PERCENT)?;
/// assert!(outcome.rejects(Alpha::FIVE_PERCENT));
/// # Ok::<(), noops_canary::CanaryError>(())
/// ```
pub fn mc_nemar_non_inferiority(
    table: PairedTable,
    margin: Margin,
    alpha: Alpha,
) -> Result<TestOutcome, CanaryError> {
    check_margin(margin)?;
    let score = Score::of(table);
    let alternative = not_worse(margin);
    let z = score.statistic(margin.limit());
    let p_value = match alternative {
        Alternative::Less => normal_sf(-z),
        Alternative::Greater | Alternative::TwoSided => normal_sf(z),
    };
    Ok(score.outcome(alternative, p_value, z, alpha))
}

/// Whether two paired rates differ by less than a margin either way, by two of Tango's score tests (TOST).
///
/// # Formula
///
/// The larger p-value of the tests of "at most −M" and "at least M", M being [`Margin::size`]; the statistic is the z of that
/// one, positive inside the margin. The interval has level 1 − 2 `alpha`.
///
/// # Errors
///
/// [`CanaryError::Setting`] for a margin of 1 or more and for an `alpha` of one half or more.
///
/// # Complexity
///
/// Some hundred steps of root finding, whatever the counts.
///
/// # Examples
///
/// ```
/// use noops_canary::Direction;
/// use noops_canary::batch::{Margin, PairedTable, mc_nemar_equivalence};
/// use noops_core::Alpha;
///
/// let table = PairedTable::new(880, 15, 12, 93)?;
/// let margin = Margin::new(Direction::HigherIsBetter, 0.02)?;
/// let outcome = mc_nemar_equivalence(table, margin, Alpha::FIVE_PERCENT)?;
/// assert!(outcome.rejects(Alpha::FIVE_PERCENT));
/// # Ok::<(), noops_canary::CanaryError>(())
/// ```
pub fn mc_nemar_equivalence(
    table: PairedTable,
    margin: Margin,
    alpha: Alpha,
) -> Result<TestOutcome, CanaryError> {
    check_margin(margin)?;
    let both = twice(alpha)?;
    let score = Score::of(table);
    let z = score
        .statistic(-margin.size())
        .min(-score.statistic(margin.size()));
    Ok(score.outcome(Alternative::TwoSided, normal_sf(z), z, both))
}

#[derive(Clone, Copy, Debug)]
struct Score {
    table: PairedTable,
    n: f64,
    candidate: f64,
    champion: f64,
}

impl Score {
    fn of(table: PairedTable) -> Self {
        Self {
            table,
            n: table.pairs() as f64,
            candidate: table.only_candidate() as f64,
            champion: table.only_champion() as f64,
        }
    }

    fn statistic(&self, shift: f64) -> f64 {
        let distance = self.candidate - self.champion - self.n * shift;
        // Half of what is left is the variance of one pair; on either side the likeliest rate of the rarer kind is at least 0.
        let variance = if shift >= 0.0 {
            2.0 * self.likeliest(self.champion, self.candidate, shift) + shift * (1.0 - shift)
        } else {
            2.0 * self.likeliest(self.candidate, self.champion, -shift) - shift * (1.0 + shift)
        };
        over_deviation(distance, self.n * variance)
    }

    /// The likeliest rate of the kind that was seen `rarer` times when the other kind's is `shift` ≥ 0 above it.
    fn likeliest(&self, rarer: f64, other: f64, shift: f64) -> f64 {
        let n = self.n;
        let a = 2.0 * n;
        let b = -rarer - other + (2.0 * n - other + rarer) * shift;
        let c = -rarer * shift * (1.0 - shift);
        let root = (b * b - 4.0 * a * c).max(0.0).sqrt();
        // The positive root of a quadratic with c ≤ 0, in the form that does not cancel.
        if b <= 0.0 {
            (root - b) / (2.0 * a)
        } else {
            -2.0 * c / (b + root)
        }
    }

    fn outcome(&self, alternative: Alternative, p_value: f64, z: f64, alpha: Alpha) -> TestOutcome {
        let sizes = Sizes {
            champion: self.table.pairs(),
            candidate: self.table.pairs(),
        };
        TestOutcome::new(Method::McNemar, alternative, p_value, alpha, sizes)
            .with_statistic(z)
            .with_estimate(
                self.table.difference(),
                Some(self.interval(alternative, alpha)),
            )
    }

    fn interval(&self, alternative: Alternative, alpha: Alpha) -> Interval {
        let tail = match alternative {
            Alternative::TwoSided => alpha.get() / 2.0,
            Alternative::Greater | Alternative::Less => alpha.get(),
        };
        // A one-sided bound at a level below one half is the estimate itself, which errs on the safe side.
        let z = normal_upper_quantile(tail).max(0.0);
        let difference = self.table.difference();
        let lower = || -bisect(-difference, 1.0, |shift| self.statistic(-shift) <= z);
        let upper = || bisect(difference, 1.0, |shift| self.statistic(shift) >= -z);
        match alternative {
            Alternative::TwoSided => Interval::between(lower(), upper()),
            Alternative::Greater => Interval::between(lower(), f64::INFINITY),
            Alternative::Less => Interval::between(f64::NEG_INFINITY, upper()),
        }
    }
}
