//! What replicas may cost.

use noops_core::{Error, ErrorKind, Timestamp};

/// A budget for a period, spent by replicas as they run.
///
/// At any moment as many replicas are affordable as could run to the end of the period on what is left:
/// `⌊left / (price of a replica hour × hours left)⌋`. What a quiet night saves, a busy day may spend.
///
/// # Examples
///
/// ```
/// use noops_core::Timestamp;
/// use noops_serve::scale::CostCap;
///
/// let midnight = Timestamp::from_second(86_400)?;
/// let cap = CostCap::new(0.5, 120.0, midnight)?;
/// assert_eq!(cap.affordable(Timestamp::UNIX_EPOCH), 10, "24 h at 0.50 each");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct CostCap {
    per_replica_hour: f64,
    left: f64,
    until: Timestamp,
}

impl CostCap {
    /// A budget of `budget` for the time until `until`, in the currency of the price.
    ///
    /// # Errors
    ///
    /// Refuses a price that is not above zero, a negative budget, and what is not finite.
    pub fn new(per_replica_hour: f64, budget: f64, until: Timestamp) -> Result<Self, Error> {
        let priced = per_replica_hour.is_finite() && per_replica_hour > 0.0;
        if priced && budget.is_finite() && budget >= 0.0 {
            return Ok(Self {
                per_replica_hour,
                left: budget,
                until,
            });
        }
        Err(Error::new(
            ErrorKind::Invalid,
            "cap the cost of replicas",
            "the price must be above zero and the budget not below it",
        )
        .with("price", per_replica_hour)
        .with("budget", budget))
    }

    /// What is left of the budget, below zero where a floor on replicas spent more.
    #[must_use]
    pub fn left(&self) -> f64 {
        self.left
    }

    /// What a replica costs in an hour.
    #[must_use]
    pub fn per_replica_hour(&self) -> f64 {
        self.per_replica_hour
    }

    /// How many replicas can run from now to the end of the period. None when nothing is left, and when the period is over: a new
    /// budget has to be given.
    #[must_use]
    pub fn affordable(&self, now: Timestamp) -> u32 {
        let hours = hours_between(now, self.until);
        if hours <= 0.0 || self.left <= 0.0 {
            return 0;
        }
        // A number that is whole but for rounding is that number: or else the cap would flicker.
        let replicas = self.left / (self.per_replica_hour * hours);
        (replicas * (1.0 + 1e-9)).floor() as u32
    }

    /// Takes what `replicas` have cost between two times from the budget.
    pub(super) fn spend(&mut self, from: Timestamp, to: Timestamp, replicas: u32) {
        let hours = hours_between(from, to).max(0.0);
        self.left -= f64::from(replicas) * hours * self.per_replica_hour;
    }
}

fn hours_between(from: Timestamp, to: Timestamp) -> f64 {
    to.duration_since(from).as_secs_f64() / 3600.0
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    #[test]
    fn what_is_spent_evenly_stays_affordable_to_the_end() {
        let mut cap = CostCap::new(0.1, 0.1 * 7.0 * 24.0, at(86_400)).unwrap();
        for second in (0..86_400).step_by(7) {
            assert_eq!(cap.affordable(at(second)), 7, "at {second} s");
            cap.spend(at(second), at(second + 7), 7);
        }
    }

    #[test]
    fn what_is_saved_may_be_spent() {
        let mut cap = CostCap::new(1.0, 20.0, at(36_000)).unwrap();
        assert_eq!(cap.affordable(at(0)), 2);
        cap.spend(at(0), at(18_000), 1);
        assert_eq!(cap.left(), 15.0);
        assert_eq!(cap.affordable(at(18_000)), 3);
    }

    #[test]
    fn nothing_is_affordable_without_money_or_time() {
        let mut cap = CostCap::new(1.0, 1.0, at(7200)).unwrap();
        assert_eq!(cap.affordable(at(7200)), 0);
        cap.spend(at(0), at(3600), 2);
        assert_eq!(cap.affordable(at(3600)), 0);
        cap.spend(at(3600), at(0), 1000);
        assert_eq!(cap.left(), -1.0, "time that goes backwards refunds nothing");
        for (price, budget) in [
            (0.0, 1.0),
            (f64::NAN, 1.0),
            (1.0, -1.0),
            (1.0, f64::INFINITY),
        ] {
            assert!(CostCap::new(price, budget, at(0)).is_err());
        }
    }
}
