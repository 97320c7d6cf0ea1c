use noops_stats::SortedSample;
use noops_stats::two_sample::KolmogorovSmirnov;

use self::one_sided::OneSided;
use super::method::Method;
use super::outcome::{EffectKind, Sizes, TestOutcome};
use super::sample::check_sample;
use super::settings::{Alternative, TestSettings};
use crate::error::CanaryError;

mod one_sided;
#[cfg(test)]
mod tests;

/// The two-sample Kolmogorov–Smirnov test: do the two distributions differ anywhere?
///
/// # Formula
///
/// With F the champion's and G the candidate's empirical distribution function, the statistic is max |F − G|, max (F − G)
/// where the alternative is that the candidate's values are greater, and max (G − F) where it is that they are less. It is the
/// estimate and the effect as well; there is no interval.
///
/// The p-value is exact, also with ties, wherever that takes a few million steps at most: every way to label the pooled values
/// is equally likely, and the probability of a gap this large is summed over lattice paths (Schröer and Trenkler, 1995).
/// Beyond that the limit law is used: Kolmogorov's, for two sides of unequal size; the exact law without ties, for two sides
/// of equal size; and for one side exp(−2 z² − 2 z (a + 2 b) / (3 √(a b (a + b)))), z = D √(a b / (a + b)), a the larger and b
/// the smaller size (Hodges, 1958, as scipy).
///
/// # Numerical notes
///
/// Values must be independent. With ties the limit laws are on the safe side; the exact law is not, so that a p-value can be
/// smaller than scipy's, which knows no ties. The test sees changes of spread and shape, and pays for it: a shift is seen
/// sooner by [`mann_whitney`](super::mann_whitney()).
///
/// # Errors
///
/// [`CanaryError::TooFew`] for an empty sample and [`CanaryError::NotFinite`]. Equal samples are no error: their p-value is 1.
///
/// # Complexity
///
/// O(n + m) after sorting, and a few million steps for an exact p-value.
///
/// # Examples
///
/// ```
/// use noops_canary::batch::{TestSettings, kolmogorov_smirnov};
///
/// let outcome = kolmogorov_smirnov(&[1.0, 2.0, 3.0], &[4.0, 5.0, 6.0], &TestSettings::default())?;
/// assert_eq!(outcome.statistic(), Some(1.0));
/// // Two of 20 labellings.
/// assert!((outcome.p_value() - 0.1).abs() < 1e-12);
/// # Ok::<(), noops_canary::CanaryError>(())
/// ```
pub fn kolmogorov_smirnov(
    champion: &[f64],
    candidate: &[f64],
    settings: &TestSettings,
) -> Result<TestOutcome, CanaryError> {
    check_sample("champion", champion, 1)?;
    check_sample("candidate", candidate, 1)?;
    let sizes = Sizes::of(champion, candidate);
    let champion = SortedSample::new(champion);
    let candidate = SortedSample::new(candidate);
    let alternative = settings.alternative();
    let (distance, p_value, is_exact) = match alternative {
        Alternative::TwoSided => {
            let found = KolmogorovSmirnov::of(&champion, &candidate);
            (found.distance(), found.p_value(), found.is_exact())
        }
        Alternative::Greater => OneSided::of(&champion, &candidate).told(),
        // The gap of the exchanged samples.
        Alternative::Less => OneSided::of(&candidate, &champion).told(),
    };
    let method = if is_exact {
        Method::KolmogorovSmirnovExact
    } else {
        Method::KolmogorovSmirnov
    };
    Ok(
        TestOutcome::new(method, alternative, p_value, settings.alpha(), sizes)
            .with_statistic(distance)
            .with_estimate(distance, None)
            .with_effect(EffectKind::KolmogorovDistance, distance),
    )
}
