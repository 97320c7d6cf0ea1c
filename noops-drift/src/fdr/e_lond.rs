use noops_core::{Alpha, LogE};
use serde::{Deserialize, Serialize};

use super::lond::Lond;
use super::online::{Discovery, OnlineFdr};

/// LOND for e-values: keeps the false discovery rate over time under **any** dependence between the tests.
///
/// Looks at a model day after day share their reference, and often their rows; their p-values are not independent, and
/// this is the rule that does not care.
///
/// # Formula
///
/// Test t rejects when e_t >= 1 / (alpha γ_t (D + 1)) with D discoveries so far and γ_t as in [`Lond`] (Xu and Ramdas,
/// "Online multiple testing with e-values", 2024).
///
/// # Assumptions
///
/// Each e-value has expectation at most 1 under its own null hypothesis, at the moment of the test.
///
/// # Complexity
///
/// O(1) per test; the state is three numbers.
///
/// # Examples
///
/// ```
/// use noops_core::{Alpha, LogE};
/// use noops_drift::fdr::ELond;
///
/// let mut rule = ELond::new(Alpha::FIVE_PERCENT);
/// assert!(rule.test(LogE::new(1_000.0_f64.ln())).is_discovery());
/// assert!(!rule.test(LogE::new(2.0_f64.ln())).is_discovery());
/// assert_eq!((rule.tests(), rule.discoveries()), (2, 1));
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ELond {
    // e >= 1 / level is 1 / e <= level, and 1 / e is a p-value: the book-keeping is that of LOND.
    lond: Lond,
}

impl ELond {
    /// Starts a stream of tests whose false discovery rate is at most `alpha`.
    #[must_use]
    pub fn new(alpha: Alpha) -> Self {
        Self {
            lond: Lond::new(alpha),
        }
    }

    /// The level of the next test: it rejects when the e-value reaches one over it.
    #[must_use]
    pub fn level(&self) -> f64 {
        self.lond.level()
    }

    /// Tests the next e-value.
    pub fn test(&mut self, evidence: LogE) -> Discovery {
        self.lond.test((-evidence.get()).exp())
    }

    /// How many tests there were.
    #[must_use]
    pub fn tests(&self) -> u64 {
        self.lond.tests()
    }

    /// How many of them rejected.
    #[must_use]
    pub fn discoveries(&self) -> u64 {
        self.lond.discoveries()
    }
}
