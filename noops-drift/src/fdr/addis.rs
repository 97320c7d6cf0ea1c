use noops_core::Alpha;
use serde::{Deserialize, Serialize};

use super::online::probability;
use super::online::{Discovery, OnlineFdr};
use super::sequence;
use super::wealth::Wealth;
use crate::error::DriftError;

/// ADDIS: SAFFRON that also discards p-values too large to matter, for independent p-values.
///
/// Discrete and conservative tests give too many p-values near 1, which cost [`Saffron`](super::Saffron) budget. Here
/// a p-value above τ = 1/2 is discarded as if it had never been tested.
///
/// # Formula
///
/// With M tests so far whose p-value lay in (λ, τ\], λ = 1/4, of which M_j before or at the j-th discovery, initial wealth
/// w = alpha / 2 and γ_i = 0.4374901658 i^-1.6, the next test has level min(λ, (τ − λ) (w γ_(M + 1) + (alpha − w)
/// γ_(M − M_1 + 1) + alpha Σ_(j > 1) γ_(M − M_j + 1))) (Tian and Ramdas, "ADDIS", 2019).
///
/// # Assumptions
///
/// The false discovery rate is at most alpha when the p-values of the true null hypotheses are independent of each other
/// and of the rest, and each is *uniformly* conservative: P(p <= τ x | p <= τ) <= x. A valid p-value that is not, such as one
/// with an atom inside (0, τ\] and nothing between, breaks the promise. Under other dependence use
/// [`ELond`](super::ELond).
///
/// # Complexity
///
/// O(D) per test and in memory, for D discoveries so far.
///
/// # Examples
///
/// ```
/// use noops_core::Alpha;
/// use noops_drift::fdr::{Addis, OnlineFdr};
///
/// let mut rule = Addis::new(Alpha::FIVE_PERCENT);
/// assert!(rule.test(2.9e-8).is_discovery());
/// // What is discarded costs nothing.
/// let rich = rule.level();
/// assert!(!rule.test(0.9).is_discovery());
/// assert_eq!(rule.level(), rich);
/// assert!(!rule.test(0.4).is_discovery());
/// assert!(rule.level() < rich);
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Wealth", into = "Wealth")]
pub struct Addis {
    wealth: Wealth,
}

impl Addis {
    /// Starts a stream of tests whose false discovery rate is at most `alpha`.
    #[must_use]
    pub fn new(alpha: Alpha) -> Self {
        Self {
            wealth: Wealth::new(alpha),
        }
    }

    /// The false discovery rate that is kept.
    #[must_use]
    pub fn alpha(&self) -> Alpha {
        self.wealth.alpha()
    }
}

impl OnlineFdr for Addis {
    fn level(&self) -> f64 {
        ((DISCARDED - CANDIDATE) * self.wealth.budget(INITIAL, sequence::steep)).min(CANDIDATE)
    }

    fn test(&mut self, p_value: f64) -> Discovery {
        let level = self.level();
        let p = probability(p_value);
        let rejected = p <= level;
        self.wealth.count_test();
        if rejected {
            self.wealth.pay();
        } else if p > CANDIDATE && p <= DISCARDED {
            self.wealth.advance();
        }
        Discovery::new(level, rejected)
    }

    fn tests(&self) -> u64 {
        self.wealth.tests()
    }

    fn discoveries(&self) -> u64 {
        self.wealth.discoveries()
    }
}

impl TryFrom<Wealth> for Addis {
    type Error = DriftError;

    fn try_from(wealth: Wealth) -> Result<Self, DriftError> {
        Ok(Self {
            wealth: wealth.with_accounted_tests()?,
        })
    }
}

impl From<Addis> for Wealth {
    fn from(rule: Addis) -> Self {
        rule.wealth
    }
}

/// The part of alpha that is there before the first discovery.
const INITIAL: f64 = 0.5;

/// λ: p-values up to here are candidates.
const CANDIDATE: f64 = 0.25;

/// τ: p-values above are discarded.
const DISCARDED: f64 = 0.5;
