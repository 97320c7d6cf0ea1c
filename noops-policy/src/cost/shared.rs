#[cfg(not(all(test, loom)))]
use std::sync::{Mutex, MutexGuard, PoisonError};

use jiff::Timestamp;
#[cfg(all(test, loom))]
use loom::sync::{Mutex, MutexGuard};

use crate::cost::{
    Adjustment, BudgetPath, CostBudget, CostError, CostGovernor, CostRefusal, CostStatus, Money,
    Reservation, Restatement, Settlement, SpendRequest,
};

/// A [`CostGovernor`] for many threads.
///
/// Each operation is atomic: whatever the threads, what is spent and reserved together never exceeds a hard cap by a
/// reservation that is not for safety.
///
/// # Examples
///
/// ```
/// use std::time::Duration;
/// use noops_core::Timestamp;
/// use noops_policy::cost::{CostBudget, CostError, CostGovernor, SharedCostGovernor, SpendRequest};
/// use noops_policy::slo::Window;
///
/// let day = Duration::from_secs(86_400);
/// let now = Timestamp::UNIX_EPOCH;
/// let mut governor = CostGovernor::new("EUR".parse()?);
/// governor.set_budget(CostBudget::new("acme".parse()?, Window::rolling(day)?, "3".parse()?)?, now);
/// let shared = SharedCostGovernor::new(governor);
/// let requests = (0..4)
///     .map(|key| SpendRequest::new(format!("job-{key}"), "acme".parse()?, "1".parse()?, day))
///     .collect::<Result<Vec<_>, CostError>>()?;
/// std::thread::scope(|scope| {
///     for request in &requests {
///         scope.spawn(|| shared.reserve(request, now));
///     }
/// });
/// assert_eq!(shared.status(&"acme".parse()?, now)?.reserved(), "3".parse()?);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct SharedCostGovernor {
    governor: Mutex<CostGovernor>,
}

impl SharedCostGovernor {
    /// Shares a ledger.
    pub fn new(governor: CostGovernor) -> Self {
        Self {
            governor: Mutex::new(governor),
        }
    }

    /// As [`CostGovernor::set_budget`].
    pub fn set_budget(&self, budget: CostBudget, now: Timestamp) {
        self.lock().set_budget(budget, now);
    }

    /// As [`CostGovernor::reserve`].
    ///
    /// # Errors
    ///
    /// As [`CostGovernor::reserve`].
    pub fn reserve(
        &self,
        request: &SpendRequest,
        now: Timestamp,
    ) -> Result<Reservation, CostRefusal> {
        self.lock().reserve(request, now)
    }

    /// As [`CostGovernor::commit`].
    ///
    /// # Errors
    ///
    /// As [`CostGovernor::commit`].
    pub fn commit(
        &self,
        key: &str,
        actual: Money,
        now: Timestamp,
    ) -> Result<Settlement, CostError> {
        self.lock().commit(key, actual, now)
    }

    /// As [`CostGovernor::refund`].
    ///
    /// # Errors
    ///
    /// As [`CostGovernor::refund`].
    pub fn refund(&self, key: &str, now: Timestamp) -> Result<Money, CostError> {
        self.lock().refund(key, now)
    }

    /// As [`CostGovernor::expire`].
    #[must_use]
    pub fn expire(&self, now: Timestamp) -> Vec<Reservation> {
        self.lock().expire(now)
    }

    /// As [`CostGovernor::adjust`].
    ///
    /// # Errors
    ///
    /// As [`CostGovernor::adjust`].
    pub fn adjust(
        &self,
        adjustment: &Adjustment,
        now: Timestamp,
    ) -> Result<Restatement, CostError> {
        self.lock().adjust(adjustment, now)
    }

    /// As [`CostGovernor::status`].
    ///
    /// # Errors
    ///
    /// As [`CostGovernor::status`].
    pub fn status(&self, path: &BudgetPath, now: Timestamp) -> Result<CostStatus, CostError> {
        self.lock().status(path, now)
    }

    /// The ledger as it is at this moment, to store or to look at.
    #[must_use]
    pub fn snapshot(&self) -> CostGovernor {
        self.lock().clone()
    }

    /// No operation unwinds halfway, so that a lock whose holder did unwind still guards a whole ledger.
    #[cfg(not(all(test, loom)))]
    fn lock(&self) -> MutexGuard<'_, CostGovernor> {
        self.governor.lock().unwrap_or_else(PoisonError::into_inner)
    }

    #[cfg(all(test, loom))]
    #[expect(
        clippy::unwrap_used,
        reason = "model checking stops at the first panic"
    )]
    fn lock(&self) -> MutexGuard<'_, CostGovernor> {
        self.governor.lock().unwrap()
    }
}

#[cfg(test)]
fn three_a_day() -> CostGovernor {
    let day = std::time::Duration::from_secs(86_400);
    let window = crate::slo::Window::rolling(day).unwrap();
    let mut governor = CostGovernor::new("EUR".parse().unwrap());
    for (path, amount) in [("o", "3"), ("o/t", "2")] {
        let (path, amount) = (path.parse().unwrap(), amount.parse().unwrap());
        let budget = CostBudget::new(path, window.clone(), amount).unwrap();
        governor.set_budget(budget, Timestamp::UNIX_EPOCH);
    }
    governor
}

#[cfg(test)]
fn one(key: &str, path: &str) -> SpendRequest {
    let minute = std::time::Duration::from_secs(60);
    SpendRequest::new(key, path.parse().unwrap(), "1".parse().unwrap(), minute).unwrap()
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    #[test]
    fn threads_together_get_what_the_caps_allow_and_no_more() {
        let shared = SharedCostGovernor::new(three_a_day());
        let granted: usize = std::thread::scope(|scope| {
            let threads: Vec<_> = (0..4)
                .map(|thread| {
                    let shared = &shared;
                    scope.spawn(move || {
                        (0..5)
                            .map(|index| one(&format!("{thread}-{index}"), "o/t"))
                            .filter(|one| shared.reserve(one, Timestamp::UNIX_EPOCH).is_ok())
                            .count()
                    })
                })
                .collect();
            threads.into_iter().map(|one| one.join().unwrap()).sum()
        });
        assert_eq!(granted, 2);
        let team = shared.status(&"o/t".parse().unwrap(), Timestamp::UNIX_EPOCH);
        assert_eq!(team.unwrap().used(), "2".parse().unwrap());
    }

    #[test]
    fn a_holder_that_unwinds_takes_nothing_with_it() {
        let shared = SharedCostGovernor::new(three_a_day());
        let unwound = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            let _guard = shared.governor.lock().unwrap();
            panic!("boom");
        }));
        assert!(unwound.is_err());
        assert!(
            shared
                .reserve(&one("a", "o"), Timestamp::UNIX_EPOCH)
                .is_ok()
        );
    }
}

/// `RUSTFLAGS="--cfg loom" cargo test -p noops-policy --lib --release cost::shared` tries every interleaving.
#[cfg(all(test, loom))]
mod model {
    use loom::sync::Arc;

    use super::*;

    const NOW: Timestamp = Timestamp::UNIX_EPOCH;

    fn assert_within_caps(shared: &SharedCostGovernor) {
        for path in ["o", "o/t"] {
            let status = shared.status(&path.parse().unwrap(), NOW).unwrap();
            assert_eq!(status.over_cap(), None, "{path}");
        }
    }

    #[test]
    fn reserves_commits_and_refunds_never_exceed_a_cap_and_lose_no_update() {
        loom::model(|| {
            let shared = Arc::new(SharedCostGovernor::new(three_a_day()));
            let worker = |name: &'static str, spends: &'static str| {
                let shared = shared.clone();
                move || {
                    let granted = shared.reserve(&one(name, "o/t"), NOW).is_ok();
                    assert_within_caps(&shared);
                    if granted {
                        let _ = shared.commit(name, spends.parse().unwrap(), NOW).unwrap();
                    }
                    granted
                }
            };
            let first = loom::thread::spawn(worker("first", "1"));
            let second = loom::thread::spawn(worker("second", "0.5"));
            let third = shared.reserve(&one("third", "o/t"), NOW).is_ok();
            if third {
                assert!(shared.refund("third", NOW).is_ok());
            }
            let first = first.join().unwrap();
            let second = second.join().unwrap();
            assert_within_caps(&shared);
            // Two fit; the third is refused only while two others hold theirs.
            assert!([first, second, third].iter().filter(|one| **one).count() >= 2);
            let micros = i128::from(first) * 1_000_000 + i128::from(second) * 500_000;
            let status = shared.status(&"o".parse().unwrap(), NOW).unwrap();
            assert_eq!(status.used().micros(), micros);
            assert_eq!(status.reserved(), Money::ZERO);
        });
    }

    #[test]
    fn one_key_from_two_threads_is_booked_once() {
        loom::model(|| {
            let shared = Arc::new(SharedCostGovernor::new(three_a_day()));
            let other = {
                let shared = shared.clone();
                loom::thread::spawn(move || {
                    let reserved = shared.reserve(&one("a", "o"), NOW).is_ok();
                    (
                        reserved,
                        shared.commit("a", "1".parse().unwrap(), NOW).is_ok(),
                    )
                })
            };
            let _ = shared.reserve(&one("a", "o"), NOW);
            let committed = shared.commit("a", "1".parse().unwrap(), NOW).is_ok();
            let (_, theirs) = other.join().unwrap();
            assert!(committed && theirs);
            let status = shared.status(&"o".parse().unwrap(), NOW).unwrap();
            assert_eq!(status.spent(), "1".parse().unwrap());
        });
    }
}
