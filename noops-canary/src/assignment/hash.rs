use serde::{Deserialize, Serialize};

/// The name that separates one rollout's assignment from every other's.
///
/// Use the rollout's identifier: with a fresh salt a fresh set of units meets the challenger first, so
/// that the same ones are not always the first to be served by something new.
///
/// A restarted rollout has a choice, and should make it knowingly. **Keep the cohort** with the salt it had: no user
/// changes arm, but whoever was harmed by the failed attempt is first in line again, and effects carried over from it
/// are in the comparison. **Reshuffle** with [`Salt::of_rollout`] and the next generation: the cohort is drawn afresh, independent of
/// the old one, and some units move back and forth.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Salt(String);

impl Salt {
    /// Takes any text, also the empty one.
    pub fn new(salt: impl Into<String>) -> Self {
        Self(salt.into())
    }

    /// The salt of the given attempt at a rollout: `rollout#generation`.
    ///
    /// The same generation keeps the cohort, the next one reshuffles it. It numbers the attempts: do not pass
    /// [`Rollout::generation`](crate::rollout::Rollout::generation), which changes with every stage.
    ///
    /// # Examples
    ///
    /// ```
    /// use noops_canary::{Salt, bucket};
    ///
    /// let first = Salt::of_rollout("checkout-42", 1);
    /// let second = Salt::of_rollout("checkout-42", 2);
    /// assert_eq!(first.as_str(), "checkout-42#1");
    /// assert_ne!(bucket(&first, "user-1"), bucket(&second, "user-1"));
    /// ```
    #[must_use]
    pub fn of_rollout(rollout: &str, generation: u64) -> Self {
        Self(format!("{rollout}#{generation}"))
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
    let hash = noops_core::unit_hash(&salt.0, unit);
    ((u128::from(hash) * BUCKETS) >> 64) as u32
}

const BUCKETS: u128 = 1_000_000;

#[cfg(test)]
mod tests {
    use super::*;

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
    fn salt_and_unit_do_not_run_together() {
        assert_ne!(bucket(&Salt::new("ab"), "c"), bucket(&Salt::new("a"), "bc"));
    }

    #[test]
    fn a_new_generation_draws_an_independent_cohort_and_the_same_one_keeps_it() {
        let early = |generation: u64| -> Vec<bool> {
            let salt = Salt::of_rollout("checkout", generation);
            (0..20_000)
                .map(|unit| bucket(&salt, &format!("user-{unit}")) < 100_000)
                .collect()
        };
        let (first, second) = (early(1), early(2));
        assert_eq!(first, early(1));
        let both = first.iter().zip(&second).filter(|(a, b)| **a && **b);
        // Binomial(20 000, 0.01): scipy.stats.binom.sf(260, 20000, .01) = 1.9e-5, cdf(139, 20000, .01) = 2.9e-6.
        let both = both.count();
        assert!((140..=260).contains(&both), "{both}");
    }
}
