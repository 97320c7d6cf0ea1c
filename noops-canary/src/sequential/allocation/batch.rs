use noops_core::{Alpha, Share};
use noops_stats::special::chi_square_sf;
use serde::{Deserialize, Serialize};

use super::strata::{check_shares, fraction};
use super::verdict::ArmAllocation;
use crate::error::CanaryError;

/// Pearson's chi-square test of a sample ratio, for a single look.
///
/// # Formula
///
/// Σ (O − E)² / E over the arms with a share, chi-square with one degree of freedom less than there are of them.
///
/// # Error rates
///
/// Holds for one look only; watched as units come in, its false alarms pile up. Use
/// [`SampleRatioMismatch`](super::SampleRatioMismatch) for that.
///
/// # Numerical notes
///
/// The law is a limit: trust it from five expected units an arm on, which [`is_reliable`](SampleRatioTest::is_reliable) says. Units in an arm
/// without a share contradict the shares outright: the p-value is 0 and the statistic absent.
///
/// # Errors
///
/// [`CanaryError::Length`] unless there is a share per arm, [`CanaryError::Empty`] without units, [`CanaryError::Input`] for
/// shares that do not sum to one or leave fewer than two arms.
///
/// # Examples
///
/// ```
/// use noops_canary::sequential::srm_chi_square;
/// use noops_core::Share;
///
/// let half = Share::from_ratio(0.5)?;
/// let test = srm_chi_square(&[821_588, 815_482], &[half, half])?;
/// assert!((test.p_value() - 1.822e-6).abs() < 1e-9);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn srm_chi_square(
    observed: &[u64],
    expected: &[Share],
) -> Result<SampleRatioTest, CanaryError> {
    check_shares(expected, observed.len())?;
    let n: f64 = observed.iter().map(|&count| count as f64).sum();
    if n <= 0.0 {
        return Err(CanaryError::Empty);
    }
    let arms: Vec<ArmAllocation> = observed
        .iter()
        .zip(expected)
        .map(|(&count, &share)| ArmAllocation::new(count, n * fraction(share, expected)))
        .collect();
    let degrees = expected
        .iter()
        .filter(|share| **share != Share::ZERO)
        .count()
        .saturating_sub(1);
    let is_impossible = arms
        .iter()
        .any(|arm| arm.observed() > 0 && arm.expected() <= 0.0);
    let sum: f64 = arms
        .iter()
        .filter(|arm| arm.expected() > 0.0)
        .map(|arm| {
            let gap = arm.observed() as f64 - arm.expected();
            gap * (gap / arm.expected())
        })
        .sum();
    let statistic = (!is_impossible).then_some(sum);
    Ok(SampleRatioTest {
        statistic,
        degrees_of_freedom: degrees,
        p_value: statistic.map_or(0.0, |sum| chi_square_sf(sum, degrees as f64)),
        arms,
    })
}

/// What a single look at a sample ratio found.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SampleRatioTest {
    statistic: Option<f64>,
    degrees_of_freedom: usize,
    p_value: f64,
    arms: Vec<ArmAllocation>,
}

impl SampleRatioTest {
    /// Pearson's statistic; `None` where an arm without a share has units.
    #[must_use]
    pub fn statistic(&self) -> Option<f64> {
        self.statistic
    }

    /// One less than the arms with a share.
    #[must_use]
    pub fn degrees_of_freedom(&self) -> usize {
        self.degrees_of_freedom
    }

    /// The p-value.
    #[must_use]
    pub fn p_value(&self) -> f64 {
        self.p_value
    }

    /// Whether the units do not fall as the shares say, at error rate `alpha`.
    #[must_use]
    pub fn rejects(&self, alpha: Alpha) -> bool {
        self.p_value <= alpha.get()
    }

    /// Whether every arm with a share expects at least five units, as the chi-square law needs.
    #[must_use]
    pub fn is_reliable(&self) -> bool {
        self.arms
            .iter()
            .all(|arm| arm.expected() <= 0.0 || arm.expected() >= 5.0)
    }

    /// What each arm received, in the order of the arms.
    #[must_use]
    pub fn arms(&self) -> &[ArmAllocation] {
        &self.arms
    }
}
