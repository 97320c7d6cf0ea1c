use std::collections::BTreeMap;
use std::num::NonZeroU64;

use noops_core::{Alpha, Digest};
use serde::{Deserialize, Serialize};

use crate::error::CanaryError;

/// A budget of error for using the same test set again and again.
///
/// Each comparison on a test set [opens](Self::open) a use of it and gets the error rate to test at; the result is [closed](Self::close) as passed or not,
/// which is all that may be published. The budget refuses a use where the schedule is exhausted.
///
/// # Formula
///
/// Use `i` after `k` passes gets `alpha w_i v_k / C(i - 1, k)` with `w_i = 1 / uses` or `6 / (pi^2 i^2)` by schedule, `v_k = 6 / (pi^2 (k + 1)^2)`
/// and `C` the binomial coefficient.
///
/// # Error rates
///
/// The chance of *any* wrong pass over all uses of one test set is at most alpha, also when each candidate is chosen in view of all earlier results:
/// splitting alpha over the uses alone would not do, as the candidate of use `i` can be any of one per history of passes and
/// failures. With only those bits published, the candidates form a tree fixed before the test set is drawn; the formula gives its
/// nodes, `C(i - 1, k)` of them at use `i` after `k` passes, error rates that add up to at most alpha (a union bound). While
/// nothing passes there is one history, and each use costs little more than its share of a plain split.
///
/// # Assumptions
///
/// Only the bit leaves the test set. Publishing estimates, intervals or p-values lets candidates follow them, and voids the guarantee; publish a best
/// score by the [`Ladder`](crate::offline::Ladder) if one must be, on rows kept for it. Nobody has fitted a model to the test set by another
/// way, and each test keeps the error rate it is given.
///
/// # Examples
///
/// ```
/// use std::num::NonZeroU64;
///
/// use noops_canary::offline::{Disclosure, SpendingSchedule, TestSetBudget};
/// use noops_core::{Alpha, Digest};
///
/// let uses = NonZeroU64::new(2).ok_or("zero")?;
/// let mut budget = TestSetBudget::new(Alpha::FIVE_PERCENT, SpendingSchedule::Equal { uses });
/// let set = Digest::of(b"rows of the test set");
/// let allowance = budget.open(set)?;
/// assert!(allowance.alpha().get() < 0.025);
/// budget.close(set, Disclosure::Failed)?;
/// let _ = budget.open(set)?;
/// budget.close(set, Disclosure::Failed)?;
/// assert!(budget.open(set).is_err());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "RawBudget")]
pub struct TestSetBudget {
    alpha: Alpha,
    schedule: SpendingSchedule,
    sets: BTreeMap<Digest, Usage>,
}

impl TestSetBudget {
    /// A budget of `alpha` for each test set.
    #[must_use]
    pub fn new(alpha: Alpha, schedule: SpendingSchedule) -> Self {
        Self {
            alpha,
            schedule,
            sets: BTreeMap::new(),
        }
    }

    /// Opens a use of a test set, and says at which error rate to test.
    ///
    /// # Errors
    ///
    /// [`CanaryError::Input`] while another use of it is open, where the schedule allows no further use, or where the error rate left is below
    /// 10^-12, at which no test of these data means anything. An error changes nothing.
    pub fn open(&mut self, set: Digest) -> Result<Allowance, CanaryError> {
        let usage = self.sets.get(&set).copied().unwrap_or_default();
        if usage.open {
            return Err(CanaryError::Input {
                input: "test set",
                reason: "has an open use; close it with its result first",
            });
        }
        let exhausted = CanaryError::Input {
            input: "test set",
            reason: "has no error rate left; collect a new test set",
        };
        let number = usage.uses.saturating_add(1);
        if number > self.schedule.most_uses() {
            return Err(exhausted);
        }
        let alpha = self.alpha.get() * self.schedule.share(number) * share_after(usage, number);
        match Alpha::new(alpha) {
            Ok(alpha) if alpha.get() >= LEAST_ALPHA => {
                let opened = Usage {
                    uses: number,
                    passes: usage.passes,
                    open: true,
                };
                self.sets.insert(set, opened);
                Ok(Allowance { alpha, number })
            }
            _ => Err(exhausted),
        }
    }

    /// Closes the open use of a test set with its result.
    ///
    /// # Errors
    ///
    /// [`CanaryError::Input`] if no use of it is open.
    pub fn close(&mut self, set: Digest, disclosed: Disclosure) -> Result<(), CanaryError> {
        let usage = self.sets.get_mut(&set).filter(|usage| usage.open);
        let Some(usage) = usage else {
            return Err(CanaryError::Input {
                input: "test set",
                reason: "has no open use; open one before closing it",
            });
        };
        usage.open = false;
        if disclosed == Disclosure::Passed {
            usage.passes = usage.passes.saturating_add(1);
        }
        Ok(())
    }

    /// The error rate for each test set.
    #[must_use]
    pub fn alpha(&self) -> Alpha {
        self.alpha
    }

    /// The schedule.
    #[must_use]
    pub fn schedule(&self) -> SpendingSchedule {
        self.schedule
    }

    /// How often a test set was used, an open use included.
    #[must_use]
    pub fn uses(&self, set: Digest) -> u64 {
        self.sets.get(&set).map_or(0, |usage| usage.uses)
    }

    /// How many uses of a test set passed.
    #[must_use]
    pub fn passes(&self, set: Digest) -> u64 {
        self.sets.get(&set).map_or(0, |usage| usage.passes)
    }
}

/// How the error rate is spread over the uses of a test set.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum SpendingSchedule {
    /// The same for a fixed number of uses, then nothing.
    Equal {
        /// The number of uses.
        uses: NonZeroU64,
    },
    /// Less and less, in proportion to `1 / i^2`, without a fixed number of uses.
    Decreasing,
}

impl SpendingSchedule {
    fn most_uses(self) -> u64 {
        match self {
            Self::Equal { uses } => uses.get(),
            Self::Decreasing => u64::MAX - 1,
        }
    }

    fn share(self, number: u64) -> f64 {
        match self {
            Self::Equal { uses } => 1.0 / uses.get() as f64,
            Self::Decreasing => inverse_square(number as f64),
        }
    }
}

/// What was published of one use of a test set.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Disclosure {
    /// The candidate passed.
    Passed,
    /// It did not pass, for whatever reason.
    Failed,
}

/// The permission to use a test set once.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[must_use]
pub struct Allowance {
    alpha: Alpha,
    number: u64,
}

impl Allowance {
    /// The error rate to test at.
    #[must_use]
    pub fn alpha(&self) -> Alpha {
        self.alpha
    }

    /// Which use this is, from 1.
    #[must_use]
    pub fn number(&self) -> u64 {
        self.number
    }
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Usage {
    uses: u64,
    passes: u64,
    open: bool,
}

#[derive(Deserialize)]
struct RawBudget {
    alpha: Alpha,
    schedule: SpendingSchedule,
    sets: BTreeMap<Digest, Usage>,
}

impl TryFrom<RawBudget> for TestSetBudget {
    type Error = CanaryError;

    fn try_from(raw: RawBudget) -> Result<Self, CanaryError> {
        let refuse = |reason| CanaryError::State {
            state: "test-set budget",
            reason,
        };
        for usage in raw.sets.values() {
            if usage.passes.saturating_add(u64::from(usage.open)) > usage.uses {
                return Err(refuse("a test set has more passes than closed uses"));
            }
            if usage.uses > raw.schedule.most_uses() {
                return Err(refuse("a test set has more uses than the schedule allows"));
            }
        }
        Ok(Self {
            alpha: raw.alpha,
            schedule: raw.schedule,
            sets: raw.sets,
        })
    }
}

/// The share of one history among those of equal length, weighted by their passes.
fn share_after(usage: Usage, number: u64) -> f64 {
    let (before, passes) = (number.saturating_sub(1) as f64, usage.passes as f64);
    let histories = if usage.passes == 0 {
        0.0
    } else {
        libm::lgamma(before + 1.0)
            - libm::lgamma(passes + 1.0)
            - libm::lgamma((before - passes).max(0.0) + 1.0)
    };
    inverse_square(passes + 1.0) * libm::exp(-histories.max(0.0))
}

/// Shares of 1 over all whole numbers from 1.
fn inverse_square(number: f64) -> f64 {
    6.0 / (std::f64::consts::PI * std::f64::consts::PI * number * number)
}

const LEAST_ALPHA: f64 = 1e-12;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::simulation::Random;

    fn equal(uses: u64) -> SpendingSchedule {
        SpendingSchedule::Equal {
            uses: NonZeroU64::new(uses).unwrap(),
        }
    }

    /// The error rates of all nodes below one, refused nodes spending nothing.
    fn spent(budget: &TestSetBudget, set: Digest, depth: u64) -> f64 {
        let mut next = budget.clone();
        let Ok(allowance) = next.open(set) else {
            return 0.0;
        };
        if depth == 0 {
            return 0.0;
        }
        let below = [Disclosure::Passed, Disclosure::Failed].map(|disclosed| {
            let mut branch = next.clone();
            branch.close(set, disclosed).unwrap();
            spent(&branch, set, depth - 1)
        });
        allowance.alpha().get() + below.iter().sum::<f64>()
    }

    #[test]
    fn all_histories_together_spend_at_most_alpha() {
        for schedule in [equal(12), SpendingSchedule::Decreasing] {
            let budget = TestSetBudget::new(Alpha::FIVE_PERCENT, schedule);
            let spent = spent(&budget, Digest::ZERO, 12);
            assert!(spent <= 0.05 && spent > 0.03, "{spent}");
        }
    }

    #[test]
    fn candidates_without_merit_rarely_pass() {
        // Ten candidates that are no better each, until one passes: their p-values are uniform.
        let wrong = (0..400)
            .filter(|seed| {
                let mut random = Random::new(*seed);
                let mut budget = TestSetBudget::new(Alpha::FIVE_PERCENT, equal(10));
                (0..10).any(|_| {
                    let alpha = budget.open(Digest::ZERO).unwrap().alpha();
                    let passed = random.uniform() <= alpha.get();
                    let disclosed = if passed {
                        Disclosure::Passed
                    } else {
                        Disclosure::Failed
                    };
                    budget.close(Digest::ZERO, disclosed).unwrap();
                    passed
                })
            })
            .count();
        // scipy.stats.binom.sf(34, 400, 0.05) = 0.0011
        assert!(wrong <= 34, "{wrong}");
    }

    #[test]
    fn test_sets_have_budgets_of_their_own() {
        let mut budget = TestSetBudget::new(Alpha::FIVE_PERCENT, equal(1));
        let (one, other) = (Digest::of(b"one"), Digest::of(b"other"));
        assert!(budget.open(one).is_ok());
        assert!(budget.open(one).is_err());
        assert!(budget.close(other, Disclosure::Passed).is_err());
        budget.close(one, Disclosure::Passed).unwrap();
        assert!(budget.open(one).is_err());
        assert!(budget.open(other).is_ok());
        assert_eq!((budget.uses(one), budget.passes(one)), (1, 1));
    }

    #[test]
    fn passes_cost_more_than_failures() {
        let alpha_after = |disclosed: Disclosure| {
            let mut budget = TestSetBudget::new(Alpha::FIVE_PERCENT, SpendingSchedule::Decreasing);
            for _ in 0..3 {
                let _ = budget.open(Digest::ZERO).unwrap();
                budget.close(Digest::ZERO, disclosed).unwrap();
            }
            budget.open(Digest::ZERO).unwrap().alpha()
        };
        assert!(alpha_after(Disclosure::Passed) < alpha_after(Disclosure::Failed));
    }

    #[test]
    fn a_stored_budget_survives_and_a_forged_one_is_refused() {
        let mut budget = TestSetBudget::new(Alpha::FIVE_PERCENT, equal(3));
        let _ = budget.open(Digest::ZERO).unwrap();
        let text = serde_json::to_string(&budget).unwrap();
        assert_eq!(
            serde_json::from_str::<TestSetBudget>(&text).unwrap(),
            budget
        );
        for (from, to) in [
            (r#""passes":0"#, r#""passes":1"#),
            (r#""uses":1"#, r#""uses":4"#),
            (r#""uses":1"#, r#""uses":18446744073709551615"#),
            (r#""alpha":0.05"#, r#""alpha":1.5"#),
        ] {
            let forged = text.replace(from, to);
            assert_ne!(forged, text);
            assert!(
                serde_json::from_str::<TestSetBudget>(&forged).is_err(),
                "{forged}"
            );
        }
    }

    #[test]
    fn a_set_used_a_million_times_has_nothing_left() {
        let text = format!(
            r#"{{"alpha":0.05,"schedule":"decreasing","sets":{{"{}":{{"uses":{},"passes":{},"open":false}}}}}}"#,
            Digest::ZERO,
            u64::MAX - 2,
            1_000_000
        );
        let mut budget: TestSetBudget = serde_json::from_str(&text).unwrap();
        assert!(budget.open(Digest::ZERO).is_err());
    }
}
