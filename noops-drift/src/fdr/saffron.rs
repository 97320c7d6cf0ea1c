use noops_core::Alpha;
use serde::{Deserialize, Serialize};

use super::online::probability;
use super::online::{Discovery, OnlineFdr};
use super::sequence;
use super::wealth::Wealth;
use crate::error::DriftError;

/// SAFFRON: an online rule that learns how many null hypotheses are true, for independent p-values.
///
/// A p-value of at most λ = 1/2 is a candidate, and tests that turn out to be candidates cost nothing; where many null
/// hypotheses are false this finds more than [`LordPlusPlus`](super::LordPlusPlus).
///
/// # Formula
///
/// With N tests so far that were no candidates, of which N_j before or at the j-th discovery, initial wealth w = alpha / 2
/// and γ_i = 0.4374901658 i^-1.6, the next test has level min(λ, (1 − λ) (w γ_(N + 1) + (alpha − w) γ_(N − N_1 + 1) + alpha
/// Σ_(j > 1) γ_(N − N_j + 1))) (Ramdas, Zrnic, Wainwright and Jordan, "SAFFRON", 2018).
///
/// # Assumptions
///
/// The false discovery rate is at most alpha when the p-values of the true null hypotheses are independent of each other
/// and of the rest. Under other dependence use [`ELond`](super::ELond).
///
/// # Complexity
///
/// O(D) per test and in memory, for D discoveries so far.
///
/// # Examples
///
/// ```
/// use noops_core::Alpha;
/// use noops_drift::fdr::{OnlineFdr, Saffron};
///
/// let mut rule = Saffron::new(Alpha::FIVE_PERCENT);
/// assert!(rule.test(2.9e-8).is_discovery());
/// // A candidate leaves the level as it is, and what is no candidate lowers it.
/// let rich = rule.level();
/// assert!(!rule.test(0.4).is_discovery());
/// assert_eq!(rule.level(), rich);
/// assert!(!rule.test(0.6).is_discovery());
/// assert!(rule.level() < rich);
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Wealth", into = "Wealth")]
pub struct Saffron {
    wealth: Wealth,
}

impl Saffron {
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

impl OnlineFdr for Saffron {
    fn level(&self) -> f64 {
        ((1.0 - CANDIDATE) * self.wealth.budget(INITIAL, sequence::steep)).min(CANDIDATE)
    }

    fn test(&mut self, p_value: f64) -> Discovery {
        let level = self.level();
        let p = probability(p_value);
        let rejected = p <= level;
        self.wealth.count_test();
        if rejected {
            self.wealth.pay();
        } else if p > CANDIDATE {
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

impl TryFrom<Wealth> for Saffron {
    type Error = DriftError;

    fn try_from(wealth: Wealth) -> Result<Self, DriftError> {
        Ok(Self {
            wealth: wealth.with_accounted_tests()?,
        })
    }
}

impl From<Saffron> for Wealth {
    fn from(rule: Saffron) -> Self {
        rule.wealth
    }
}

/// The part of alpha that is there before the first discovery.
const INITIAL: f64 = 0.5;

/// λ: p-values up to here are candidates.
const CANDIDATE: f64 = 0.5;
