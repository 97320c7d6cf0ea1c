use std::fmt;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::cost::{BudgetPath, Money, SpendRequest};
use crate::slo::Span;

/// Money that is set aside until it is committed, refunded, or its lease ends.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[must_use]
pub struct Reservation {
    pub(crate) request: SpendRequest,
    pub(crate) reserved_at: Timestamp,
    pub(crate) expires_at: Timestamp,
    pub(crate) notices: Notices,
}

impl Reservation {
    /// What was asked for.
    pub fn request(&self) -> &SpendRequest {
        &self.request
    }

    /// The key by which to settle it.
    pub fn key(&self) -> &str {
        self.request.key()
    }

    /// The amount set aside.
    pub fn amount(&self) -> Money {
        self.request.amount()
    }

    /// Since when.
    pub fn reserved_at(&self) -> Timestamp {
        self.reserved_at
    }

    /// When the lease ends.
    pub fn expires_at(&self) -> Timestamp {
        self.expires_at
    }

    /// The soft caps that it reached.
    pub fn warnings(&self) -> &[SoftCapWarning] {
        &self.notices.warnings
    }

    /// The hard caps beyond which it goes: only a safety action may.
    pub fn over_caps(&self) -> &[OverCap] {
        &self.notices.over_caps
    }
}

/// The end of a reservation: what was spent.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[must_use]
pub struct Settlement {
    pub(crate) key: String,
    pub(crate) held: Money,
    pub(crate) actual: Money,
    pub(crate) at: Timestamp,
    pub(crate) timeliness: Timeliness,
    pub(crate) notices: Notices,
}

impl Settlement {
    /// The key of the reservation.
    pub fn key(&self) -> &str {
        &self.key
    }

    /// What was still set aside: nothing if the lease had been ended before.
    pub fn held(&self) -> Money {
        self.held
    }

    /// What was spent.
    pub fn actual(&self) -> Money {
        self.actual
    }

    /// What was spent beyond what was set aside. It is on the books, and counts against every later request.
    pub fn excess(&self) -> Money {
        Money::clamped((self.actual.micros() - self.held.micros()).max(0))
    }

    /// What was set aside and not spent: it is free again.
    pub fn released(&self) -> Money {
        Money::clamped((self.held.micros() - self.actual.micros()).max(0))
    }

    /// When it was booked.
    pub fn at(&self) -> Timestamp {
        self.at
    }

    /// Whether the lease still held the money.
    pub fn timeliness(&self) -> Timeliness {
        self.timeliness
    }

    /// The soft caps that it reached.
    pub fn warnings(&self) -> &[SoftCapWarning] {
        &self.notices.warnings
    }

    /// The hard caps beyond which the spending is now.
    pub fn over_caps(&self) -> &[OverCap] {
        &self.notices.over_caps
    }
}

/// Whether a reservation was settled while its lease held the money.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Timeliness {
    /// The money was still set aside.
    InTime,
    /// The lease had been ended; the spending was booked all the same.
    Late,
}

/// What an adjustment changed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[must_use]
pub struct Restatement {
    pub(crate) key: String,
    pub(crate) periods: Vec<RestatedPeriod>,
    pub(crate) notices: Notices,
}

impl Restatement {
    /// The key of the adjustment.
    pub fn key(&self) -> &str {
        &self.key
    }

    /// The period of each budget concerned, the organisation's first.
    pub fn periods(&self) -> &[RestatedPeriod] {
        &self.periods
    }

    /// The soft caps of the current periods that it reached.
    pub fn warnings(&self) -> &[SoftCapWarning] {
        &self.notices.warnings
    }

    /// The hard caps beyond which the spending of the current periods is now.
    pub fn over_caps(&self) -> &[OverCap] {
        &self.notices.over_caps
    }
}

/// A period whose spending was restated.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RestatedPeriod {
    pub(crate) budget: BudgetPath,
    pub(crate) span: Span,
    pub(crate) before: Money,
    pub(crate) after: Money,
    pub(crate) state: PeriodState,
}

impl RestatedPeriod {
    /// The path of the budget.
    pub fn budget(&self) -> &BudgetPath {
        &self.budget
    }

    /// The period: of a rolling budget, the window that ends with the charge.
    pub fn span(&self) -> Span {
        self.span
    }

    /// What had been spent in it.
    pub fn before(&self) -> Money {
        self.before
    }

    /// What is now known to have been spent in it.
    pub fn after(&self) -> Money {
        self.after
    }

    /// Whether the charge counts in the current period or in one that is over.
    pub fn state(&self) -> PeriodState {
        self.state
    }
}

/// Whether a charge still counts against the budget.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum PeriodState {
    /// It counts in the current period.
    Open,
    /// It belongs to a period that is over: the books change, the budget of today does not.
    Closed,
}

/// A soft cap that was reached.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SoftCapWarning {
    pub(crate) budget: BudgetPath,
    pub(crate) percent: u32,
    pub(crate) amount: Money,
    pub(crate) used: Money,
}

impl SoftCapWarning {
    /// The path of the budget.
    pub fn budget(&self) -> &BudgetPath {
        &self.budget
    }

    /// The percentage of the amount that was reached.
    pub fn percent(&self) -> u32 {
        self.percent
    }

    /// The amount of the budget.
    pub fn amount(&self) -> Money {
        self.amount
    }

    /// What is spent or set aside.
    pub fn used(&self) -> Money {
        self.used
    }
}

impl fmt::Display for SoftCapWarning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "budget `{}` has reached {} %: {} of {} are spent or reserved",
            self.budget, self.percent, self.used, self.amount
        )
    }
}

/// A hard cap that is, or would be, exceeded.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OverCap {
    pub(crate) budget: BudgetPath,
    pub(crate) cap: Money,
    pub(crate) used: Money,
    pub(crate) asked: Money,
    pub(crate) period_end: Timestamp,
}

impl OverCap {
    /// The path of the budget.
    pub fn budget(&self) -> &BudgetPath {
        &self.budget
    }

    /// The hard cap.
    pub fn cap(&self) -> Money {
        self.cap
    }

    /// What was spent or set aside before.
    pub fn used(&self) -> Money {
        self.used
    }

    /// What came, or was to come, on top.
    pub fn asked(&self) -> Money {
        self.asked
    }

    /// By how much the cap is, or would be, exceeded.
    pub fn excess(&self) -> Money {
        Money::clamped(self.used.micros() + self.asked.micros() - self.cap.micros())
    }

    /// When the period ends: of a rolling budget, the moment of the answer.
    pub fn period_end(&self) -> Timestamp {
        self.period_end
    }
}

impl fmt::Display for OverCap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} on top of {} exceeds the hard cap {} of `{}` by {}",
            self.asked,
            self.used,
            self.cap,
            self.budget,
            self.excess()
        )
    }
}

/// What a booking has to be told about it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Notices {
    pub(crate) warnings: Vec<SoftCapWarning>,
    pub(crate) over_caps: Vec<OverCap>,
}
