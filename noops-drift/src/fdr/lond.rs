use noops_core::Alpha;
use serde::{Deserialize, Serialize};

use super::online::probability;
use super::online::{Discovery, OnlineFdr};
use super::sequence;
use super::wealth::invalid;
use crate::error::DriftError;

/// Levels based on the number of discoveries: the simplest online rule, for independent p-values.
///
/// # Formula
///
/// Test t has level alpha γ_t (D + 1) with D discoveries so far and
/// γ_t = 0.07720838 ln(max(t, 2)) / (t exp(√ln t)) (Javanmard and Montanari, "On online control of false discovery rate",
/// 2015).
///
/// # Assumptions
///
/// The false discovery rate is at most alpha when the p-values of the true null hypotheses are independent of each other
/// and of the rest. Under other dependence use [`ELond`](super::ELond).
///
/// # Complexity
///
/// O(1) per test; the state is three numbers.
///
/// # Examples
///
/// ```
/// use noops_core::Alpha;
/// use noops_drift::fdr::{Lond, OnlineFdr};
///
/// let mut rule = Lond::new(Alpha::FIVE_PERCENT);
/// assert!(rule.test(2.9e-8).is_discovery());
/// assert!(!rule.test(0.067).is_discovery());
/// assert_eq!(rule.discoveries(), 1);
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "RawLond")]
pub struct Lond {
    alpha: Alpha,
    tests: u64,
    discoveries: u64,
}

impl Lond {
    /// Starts a stream of tests whose false discovery rate is at most `alpha`.
    #[must_use]
    pub fn new(alpha: Alpha) -> Self {
        Self {
            alpha,
            tests: 0,
            discoveries: 0,
        }
    }
}

impl OnlineFdr for Lond {
    fn level(&self) -> f64 {
        let share = sequence::slow(self.tests.saturating_add(1));
        self.alpha.get() * share * (self.discoveries as f64 + 1.0)
    }

    fn test(&mut self, p_value: f64) -> Discovery {
        let level = self.level();
        let rejected = probability(p_value) <= level;
        self.tests = self.tests.saturating_add(1);
        self.discoveries = self.discoveries.saturating_add(u64::from(rejected));
        Discovery::new(level, rejected)
    }

    fn tests(&self) -> u64 {
        self.tests
    }

    fn discoveries(&self) -> u64 {
        self.discoveries
    }
}

impl TryFrom<RawLond> for Lond {
    type Error = DriftError;

    fn try_from(raw: RawLond) -> Result<Self, DriftError> {
        if raw.discoveries > raw.tests {
            let reason = format!(
                "`{}` tests cannot make `{}` discoveries",
                raw.tests, raw.discoveries
            );
            return Err(invalid(reason));
        }
        Ok(Self {
            alpha: raw.alpha,
            tests: raw.tests,
            discoveries: raw.discoveries,
        })
    }
}

#[derive(Deserialize)]
struct RawLond {
    alpha: Alpha,
    tests: u64,
    discoveries: u64,
}
