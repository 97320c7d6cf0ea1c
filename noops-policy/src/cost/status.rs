use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::cost::{CostBudget, Money};
use crate::slo::Span;

/// Where a budget stands.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[must_use]
pub struct CostStatus {
    pub(crate) budget: CostBudget,
    pub(crate) at: Timestamp,
    pub(crate) span: Span,
    pub(crate) spent: Money,
    pub(crate) reserved: Money,
    pub(crate) safety: Money,
}

impl CostStatus {
    /// The budget.
    pub fn budget(&self) -> &CostBudget {
        &self.budget
    }

    /// The moment it describes: never before the last booking.
    pub fn at(&self) -> Timestamp {
        self.at
    }

    /// The current period.
    pub fn span(&self) -> Span {
        self.span
    }

    /// What was spent in the current period; below zero where credits outweigh charges.
    pub fn spent(&self) -> Money {
        self.spent
    }

    /// What is set aside. It counts in full in the current period, whenever it was set aside.
    pub fn reserved(&self) -> Money {
        self.reserved
    }

    /// What safety actions spent in the current period, contained in [`CostStatus::spent`].
    pub fn spent_on_safety(&self) -> Money {
        self.safety
    }

    /// What is spent or set aside.
    pub fn used(&self) -> Money {
        Money::clamped(self.spent.micros() + self.reserved.micros())
    }

    /// What is left of the amount: below zero when it is overdrawn.
    pub fn remaining(&self) -> Money {
        Money::clamped(self.budget.amount().micros() - self.used().micros())
    }

    /// What may still be reserved before the hard cap refuses: zero when it is exceeded, none without a hard cap.
    pub fn headroom(&self) -> Option<Money> {
        let cap = self.budget.hard_cap()?;
        Some(Money::clamped((cap.micros() - self.used().micros()).max(0)))
    }

    /// The part of the amount that is used: 1 when all of it is.
    pub fn consumed(&self) -> f64 {
        // The amount is above zero.
        self.used().micros() as f64 / self.budget.amount().micros() as f64
    }

    /// The percentages of the soft caps that are reached.
    pub fn reached(&self) -> Vec<u32> {
        self.budget.reached(self.used().micros()).collect()
    }

    /// By how much the hard cap is exceeded; none when it is not.
    pub fn over_cap(&self) -> Option<Money> {
        let cap = self.budget.hard_cap()?;
        let over = self.used().micros() - cap.micros();
        (over > 0).then(|| Money::clamped(over))
    }
}
