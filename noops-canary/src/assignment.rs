use noops_core::Share;
use serde::{Deserialize, Serialize};

pub use self::exposure::{ExposureRecord, WeightedExposureRecord};
pub use self::hash::{Salt, bucket};
pub use self::multi_arm::{Challenger, WeightedAssigned, WeightedAssignment};
pub use self::overrides::{Override, Overrides};
pub use self::rings::{Ring, RingBound, RingDecision, RingFault, RingGate, RingOutcome, Rings};

mod exposure;
mod hash;
mod multi_arm;
mod overrides;
mod rings;

/// The side of a comparison that serves a unit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Arm {
    /// The model in service.
    Champion,
    /// The model that may replace it.
    Challenger,
}

/// Decides which arm serves a unit: sticky, salted, and monotone in the share.
///
/// A unit is served by the challenger when its [`bucket`] is below the share. Raising the share therefore only adds units to
/// the challenger and lowering it only removes the last ones added; no unit changes arm otherwise, on any machine, after
/// any restart.
///
/// # Examples
///
/// ```
/// use noops_canary::{Arm, Assignment, Salt};
/// use noops_core::Share;
///
/// let assignment = Assignment::new(Salt::new("checkout-42"), Share::ZERO)
///     .with_override("qa-phone", Arm::Challenger);
/// assert_eq!(assignment.arm("user-1"), Arm::Champion);
/// assert_eq!(assignment.arm("qa-phone"), Arm::Challenger);
/// assert!(!assignment.assign("qa-phone").in_analysis());
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Assignment {
    salt: Salt,
    share: Share,
    overrides: Overrides,
}

impl Assignment {
    /// Gives `share` of all units to the challenger.
    #[must_use]
    pub fn new(salt: Salt, share: Share) -> Self {
        Self {
            salt,
            share,
            overrides: Overrides::default(),
        }
    }

    /// Pins a unit to an arm. Pinned units are served but stay out of the analysis: somebody chose them.
    #[must_use]
    pub fn with_override(mut self, unit: impl Into<String>, arm: Arm) -> Self {
        self.overrides = self.overrides.with_forced(unit, arm);
        self
    }

    /// Replaces all override lists.
    #[must_use]
    pub fn with_overrides(mut self, overrides: Overrides) -> Self {
        self.overrides = overrides;
        self
    }

    /// The same assignment at another share.
    #[must_use]
    pub fn with_share(mut self, share: Share) -> Self {
        self.share = share;
        self
    }

    /// The arm that serves `unit`.
    ///
    /// # Complexity
    ///
    /// Linear in the length of the salt and the unit; nothing is allocated.
    #[must_use]
    pub fn arm(&self, unit: &str) -> Arm {
        self.assign(unit).arm
    }

    /// The arm that serves `unit`, with what an exposure record needs.
    #[must_use]
    pub fn assign(&self, unit: &str) -> Assigned {
        self.assign_with(unit, &[])
    }

    /// The arm that serves a unit with these attributes, given as pairs of name and value.
    ///
    /// Attributes matter to the [`Overrides`] only; the hash does not see them.
    #[must_use]
    pub fn assign_with(&self, unit: &str, attributes: &[(&str, &str)]) -> Assigned {
        let (arm, overridden) = match self.overrides.decide(unit, attributes) {
            Override::Forced(arm) => (*arm, true),
            Override::Denied => (Arm::Champion, true),
            Override::LeftToChance => (self.drawn(unit), false),
        };
        Assigned {
            arm,
            share: self.share,
            overridden,
        }
    }

    /// The salt.
    #[must_use]
    pub fn salt(&self) -> &Salt {
        &self.salt
    }

    /// The share of the challenger.
    #[must_use]
    pub fn share(&self) -> Share {
        self.share
    }

    /// The override lists.
    #[must_use]
    pub fn overrides(&self) -> &Overrides {
        &self.overrides
    }

    fn drawn(&self, unit: &str) -> Arm {
        if bucket(&self.salt, unit) < self.share.ppm() {
            Arm::Challenger
        } else {
            Arm::Champion
        }
    }
}

/// One assignment: the arm and the share in force at that moment.
///
/// Store the share with the outcome: [`RateComparison`](crate::sequential::RateComparison) needs the one in force when the
/// request was served, not the one in force when it is analysed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Assigned {
    arm: Arm,
    share: Share,
    overridden: bool,
}

impl Assigned {
    /// The arm that serves the unit.
    #[must_use]
    pub fn arm(&self) -> Arm {
        self.arm
    }

    /// The share of the challenger in force at the assignment.
    #[must_use]
    pub fn share(&self) -> Share {
        self.share
    }

    /// Whether an override decided, not the hash.
    #[must_use]
    pub fn is_overridden(&self) -> bool {
        self.overridden
    }

    /// Whether the outcome may be analysed: overridden units were not drawn by chance and would bias it.
    #[must_use]
    pub fn in_analysis(&self) -> bool {
        !self.overridden
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn challenged(salt: &str, ppm: u32) -> Vec<bool> {
        let assignment = Assignment::new(Salt::new(salt), Share::from_ppm(ppm).unwrap());
        (0..20_000)
            .map(|unit| assignment.arm(&format!("user-{unit}")) == Arm::Challenger)
            .collect()
    }

    #[test]
    fn the_realised_share_is_within_binomial_bounds() {
        for ppm in [500, 10_000, 100_000, 500_000] {
            let n = 20_000.0;
            let p = f64::from(ppm) / 1e6;
            let count = challenged("rollout-7", ppm).iter().filter(|x| **x).count() as f64;
            let bound = 4.0 * (n * p * (1.0 - p)).sqrt() + 1.0;
            assert!((count - n * p).abs() < bound, "{ppm}: {count}");
        }
    }

    #[test]
    fn two_salts_choose_independently() {
        let first = challenged("rollout-1", 100_000);
        let second = challenged("rollout-2", 100_000);
        let both = first
            .iter()
            .zip(&second)
            .filter(|(a, b)| **a && **b)
            .count() as f64;
        // Binomial(20 000, 0.01): mean 200, sd 14.
        assert!((both - 200.0).abs() < 60.0, "{both}");
    }

    #[test]
    fn nobody_is_challenged_at_zero_and_everybody_at_full() {
        assert!(challenged("x", 0).iter().all(|x| !x));
        assert!(challenged("x", 1_000_000).iter().all(|x| *x));
    }

    #[test]
    fn overridden_units_stay_out_of_the_analysis() {
        let assignment =
            Assignment::new(Salt::new("x"), Share::FULL).with_override("vip", Arm::Champion);
        let vip = assignment.assign("vip");
        assert_eq!(vip.arm(), Arm::Champion);
        assert!(vip.is_overridden());
        assert!(!vip.in_analysis());
        assert!(assignment.assign("other").in_analysis());
    }

    #[test]
    fn denied_attributes_are_served_by_the_champion_out_of_the_analysis() {
        let overrides = Overrides::default().with_denied_attribute("plan", "enterprise");
        let assignment = Assignment::new(Salt::new("x"), Share::FULL).with_overrides(overrides);
        let denied = assignment.assign_with("user-1", &[("plan", "enterprise")]);
        assert_eq!((denied.arm(), denied.in_analysis()), (Arm::Champion, false));
        let free = assignment.assign_with("user-1", &[("plan", "free")]);
        assert_eq!((free.arm(), free.in_analysis()), (Arm::Challenger, true));
    }
}
