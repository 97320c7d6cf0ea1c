use std::collections::BTreeMap;

use noops_core::Share;
use serde::{Deserialize, Serialize};

/// The side of a comparison that serves a unit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Arm {
    /// The model in service.
    Champion,
    /// The model that may replace it.
    Challenger,
}

/// The name that separates one rollout's assignment from every other's.
///
/// Use the rollout's identifier: with a fresh salt a fresh set of units meets the challenger first, so
/// that the same ones are not always the first to be served by something new.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Salt(String);

impl Salt {
    /// Takes any text, also the empty one.
    pub fn new(salt: impl Into<String>) -> Self {
        Self(salt.into())
    }

    /// The text of the salt.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// The place of a unit in `0..1_000_000` under a salt.
///
/// # Formula
///
/// FNV-1a 64 over the salt, one zero byte and the unit (all UTF-8), then the MurmurHash3 64-bit finaliser
/// `fmix64`, then `(hash * 1_000_000) >> 64` in 128 bits. The finaliser is needed: the high bits of FNV-1a
/// alone hardly change with the last bytes. The function is part of the contract and will not change, so
/// that another program, in any language, can reproduce an assignment.
///
/// # Examples
///
/// ```
/// use noops_canary::{Salt, bucket};
///
/// let salt = Salt::new("checkout-42");
/// assert_eq!(bucket(&salt, "user-1"), bucket(&salt, "user-1"));
/// assert!(bucket(&salt, "user-1") < 1_000_000);
/// ```
#[must_use]
pub fn bucket(salt: &Salt, unit: &str) -> u32 {
    let bytes = salt.0.bytes().chain(std::iter::once(0)).chain(unit.bytes());
    let hash = fmix64(bytes.fold(FNV_OFFSET, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(FNV_PRIME)
    }));
    ((u128::from(hash) * BUCKETS) >> 64) as u32
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
    overrides: BTreeMap<String, Arm>,
}

impl Assignment {
    /// Gives `share` of all units to the challenger.
    #[must_use]
    pub fn new(salt: Salt, share: Share) -> Self {
        Self {
            salt,
            share,
            overrides: BTreeMap::new(),
        }
    }

    /// Pins a unit to an arm. Pinned units are served but stay out of the analysis: somebody chose them.
    #[must_use]
    pub fn with_override(mut self, unit: impl Into<String>, arm: Arm) -> Self {
        self.overrides.insert(unit.into(), arm);
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
        let pinned = self.overrides.get(unit).copied();
        let arm = pinned.unwrap_or_else(|| {
            if bucket(&self.salt, unit) < self.share.ppm() {
                Arm::Challenger
            } else {
                Arm::Champion
            }
        });
        Assigned {
            arm,
            share: self.share,
            overridden: pinned.is_some(),
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
}

/// One assignment: the arm and the share in force at that moment.
///
/// Store the share with the outcome: [`RateComparison`](crate::RateComparison) needs the one in force when the
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

fn fmix64(mut hash: u64) -> u64 {
    hash ^= hash >> 33;
    hash = hash.wrapping_mul(0xff51_afd7_ed55_8ccd);
    hash ^= hash >> 33;
    hash = hash.wrapping_mul(0xc4ce_b9fe_1a85_ec53);
    hash ^ (hash >> 33)
}

const FNV_OFFSET: u64 = 0xcbf2_9ce4_8422_2325;
const FNV_PRIME: u64 = 0x0000_0100_0000_01b3;
const BUCKETS: u128 = 1_000_000;

#[cfg(test)]
mod tests {
    use super::*;

    fn challenged(salt: &str, ppm: u32) -> Vec<bool> {
        let assignment = Assignment::new(Salt::new(salt), Share::from_ppm(ppm).unwrap());
        (0..20_000)
            .map(|unit| assignment.arm(&format!("user-{unit}")) == Arm::Challenger)
            .collect()
    }

    // Computed by an independent Python implementation of the formula above.
    #[test]
    fn buckets_equal_the_published_vectors() {
        let vectors = [
            ("", "", 722_706),
            ("", "a", 378_389),
            ("a", "", 527_285),
            ("checkout-42", "user-1", 741_115),
            ("checkout-42", "user-2", 148_794),
            ("checkout-43", "user-1", 901_929),
            ("fraud", "4111-1111", 105_767),
            ("señal", "日本", 979_352),
        ];
        for (salt, unit, expected) in vectors {
            assert_eq!(bucket(&Salt::new(salt), unit), expected, "{salt}/{unit}");
        }
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
    fn salt_and_unit_do_not_run_together() {
        assert_ne!(bucket(&Salt::new("ab"), "c"), bucket(&Salt::new("a"), "bc"));
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
}
