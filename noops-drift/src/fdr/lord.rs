use noops_core::Alpha;
use serde::{Deserialize, Serialize};

use super::online::probability;
use super::online::{Discovery, OnlineFdr};
use super::sequence;
use super::wealth::{Wealth, invalid};
use crate::error::DriftError;

/// LORD++: levels based on recent discoveries, for independent p-values.
///
/// Each discovery earns budget for the tests that follow it, so more is found where much is to be found.
///
/// # Formula
///
/// With discoveries at tests τ_1 < τ_2 < …, initial wealth w = alpha / 10 and γ as in [`Lond`](super::Lond), test t has
/// level w γ_t + (alpha − w) γ_(t − τ_1) + alpha Σ_(j > 1) γ_(t − τ_j) (Ramdas, Yang, Wainwright and Jordan, "Online control
/// of the false discovery rate with decaying memory", 2017).
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
/// use noops_drift::fdr::{LordPlusPlus, OnlineFdr};
///
/// let mut rule = LordPlusPlus::new(Alpha::FIVE_PERCENT);
/// let poor = rule.level();
/// assert!(rule.test(2.9e-8).is_discovery());
/// assert!(rule.level() > poor);
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Wealth", into = "Wealth")]
pub struct LordPlusPlus {
    wealth: Wealth,
}

impl LordPlusPlus {
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

impl OnlineFdr for LordPlusPlus {
    fn level(&self) -> f64 {
        self.wealth.budget(INITIAL, sequence::slow).min(1.0)
    }

    fn test(&mut self, p_value: f64) -> Discovery {
        let level = self.level();
        let rejected = probability(p_value) <= level;
        self.wealth.count_test();
        self.wealth.advance();
        if rejected {
            self.wealth.pay();
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

impl TryFrom<Wealth> for LordPlusPlus {
    type Error = DriftError;

    fn try_from(wealth: Wealth) -> Result<Self, DriftError> {
        if wealth.time() != wealth.tests() {
            return Err(invalid(format!(
                "`{}` tests cannot end at time `{}`",
                wealth.tests(),
                wealth.time()
            )));
        }
        Ok(Self { wealth })
    }
}

impl From<LordPlusPlus> for Wealth {
    fn from(rule: LordPlusPlus) -> Self {
        rule.wealth
    }
}

/// The part of alpha that is there before the first discovery.
const INITIAL: f64 = 0.1;
