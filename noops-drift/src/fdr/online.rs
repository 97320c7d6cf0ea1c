use serde::{Deserialize, Serialize};

/// A rule that decides test after test, for as many tests as ever come, and keeps the false discovery rate at its alpha.
///
/// The level of each test depends on the earlier decisions only, so a decision never has to be taken back.
///
/// # Examples
///
/// ```
/// use noops_core::Alpha;
/// use noops_drift::fdr::{Lond, LordPlusPlus, OnlineFdr, Saffron};
///
/// let alpha = Alpha::FIVE_PERCENT;
/// let mut rules: Vec<Box<dyn OnlineFdr>> = vec![
///     Box::new(Lond::new(alpha)),
///     Box::new(LordPlusPlus::new(alpha)),
///     Box::new(Saffron::new(alpha)),
/// ];
/// for rule in &mut rules {
///     assert!(rule.test(1e-9).is_discovery());
///     assert!(!rule.test(0.4).is_discovery());
///     assert_eq!((rule.tests(), rule.discoveries()), (2, 1));
/// }
/// ```
pub trait OnlineFdr {
    /// The level at which the next p-value will be tested.
    fn level(&self) -> f64;

    /// Tests the next p-value. NaN and anything above 1 count as 1, anything below 0 as 0.
    fn test(&mut self, p_value: f64) -> Discovery;

    /// How many tests there were.
    fn tests(&self) -> u64;

    /// How many of them rejected.
    fn discoveries(&self) -> u64;
}

/// The decision on one test of a stream.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[must_use]
pub struct Discovery {
    level: f64,
    rejected: bool,
}

impl Discovery {
    pub(super) fn new(level: f64, rejected: bool) -> Self {
        Self { level, rejected }
    }

    /// Whether the null hypothesis is rejected.
    #[must_use]
    pub fn is_discovery(self) -> bool {
        self.rejected
    }

    /// The level at which it was tested.
    #[must_use]
    pub fn level(self) -> f64 {
        self.level
    }
}

/// No evidence when it is not a number.
pub(super) fn probability(p: f64) -> f64 {
    if p.is_nan() { 1.0 } else { p.clamp(0.0, 1.0) }
}
