use std::collections::BTreeMap;
use std::ops::Bound;

use jiff::Timestamp;

use crate::cost::{CostBudget, Money, Purpose};
use crate::slo::{Span, Window};

/// What was charged to one budget and everything below it, in millionths.
///
/// Sums are raw numbers: an amount is so bounded that a hundred billion of them fit, and saturate beyond.
#[derive(Clone, Debug)]
pub(crate) struct Account {
    budget: CostBudget,
    since: Timestamp,
    held: i128,
    charges: BTreeMap<Timestamp, Charges>,
    /// The start of the window that `total` covers: it only ever moves forward.
    from: Timestamp,
    total: Charges,
}

#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Charges {
    by_purpose: [i128; Purpose::ALL.len()],
}

impl Charges {
    fn add(&mut self, purpose: Purpose, micros: i128) {
        for (sum, of) in self.by_purpose.iter_mut().zip(Purpose::ALL) {
            if of == purpose {
                *sum = sum.saturating_add(micros);
            }
        }
    }

    fn plus(mut self, other: &Self) -> Self {
        for (sum, more) in self.by_purpose.iter_mut().zip(other.by_purpose) {
            *sum = sum.saturating_add(more);
        }
        self
    }

    fn minus(mut self, other: &Self) -> Self {
        for (sum, less) in self.by_purpose.iter_mut().zip(other.by_purpose) {
            *sum = sum.saturating_sub(less);
        }
        self
    }

    pub(crate) fn sum(&self) -> i128 {
        self.by_purpose
            .iter()
            .fold(0_i128, |sum, one| sum.saturating_add(*one))
    }

    pub(crate) fn of(&self, purpose: Purpose) -> i128 {
        self.by_purpose
            .iter()
            .zip(Purpose::ALL)
            .find(|(_, of)| *of == purpose)
            .map_or(0, |(sum, _)| *sum)
    }
}

impl Account {
    pub(crate) fn new(budget: CostBudget, since: Timestamp) -> Self {
        Self {
            from: budget.period().span(since).start(),
            budget,
            since,
            held: 0,
            charges: BTreeMap::new(),
            total: Charges::default(),
        }
    }

    /// The same books under another budget.
    pub(crate) fn with_budget(&self, budget: CostBudget, now: Timestamp) -> Self {
        let from = budget.period().span(now).start();
        let mut account = Self {
            budget,
            from,
            ..self.clone()
        };
        account.total = account.between(account.lower(from), Bound::Unbounded);
        account
    }

    pub(crate) fn budget(&self) -> &CostBudget {
        &self.budget
    }

    /// Since when charges are on these books.
    pub(crate) fn since(&self) -> Timestamp {
        self.since
    }

    pub(crate) fn held(&self) -> i128 {
        self.held
    }

    pub(crate) fn span(&self, now: Timestamp) -> Span {
        self.budget.period().span(now)
    }

    /// What counts in the window at `now`.
    pub(crate) fn spent(&self, now: Timestamp) -> Charges {
        let start = self.span(now).start();
        if start < self.from {
            return self.between(self.lower(start), Bound::Unbounded);
        }
        self.total.minus(&self.left_behind(start))
    }

    /// Whether a charge at `at` counts in the window at `now`.
    pub(crate) fn counts(&self, at: Timestamp, now: Timestamp) -> bool {
        self.is_in_window(at, self.span(now).start())
    }

    /// What counts in a period that contains, or of a rolling window ends with, `at`.
    pub(crate) fn spent_in(&self, span: Span) -> Charges {
        let upper = match self.budget.period() {
            Window::Rolling(_) => Bound::Included(span.end()),
            Window::Calendar(_) => Bound::Excluded(span.end()),
        };
        self.between(self.lower(span.start()), upper)
    }

    /// What was charged after `from` and up to `to`.
    pub(crate) fn spent_after(&self, from: Timestamp, to: Timestamp) -> i128 {
        self.between(Bound::Excluded(from), Bound::Included(to))
            .sum()
    }

    pub(crate) fn hold(&mut self, micros: i128) {
        self.held = self.held.saturating_add(micros);
    }

    pub(crate) fn charge(&mut self, at: Timestamp, purpose: Purpose, micros: i128, now: Timestamp) {
        self.advance(now);
        self.charges.entry(at).or_default().add(purpose, micros);
        if self.is_in_window(at, self.from) {
            self.total.add(purpose, micros);
        }
    }

    /// Forgets what was charged before a moment that no current window reaches.
    pub(crate) fn forget(&mut self, before: Timestamp) {
        self.charges = self.charges.split_off(&before);
        // The total reaches back to the last charge, which may be further than the current window.
        self.total = self.between(self.lower(self.from), Bound::Unbounded);
    }

    fn advance(&mut self, now: Timestamp) {
        let start = self.span(now).start();
        if start > self.from {
            self.total = self.total.minus(&self.left_behind(start));
            self.from = start;
        }
    }

    fn is_in_window(&self, at: Timestamp, start: Timestamp) -> bool {
        match self.budget.period() {
            Window::Rolling(_) => at > start,
            Window::Calendar(_) => at >= start,
        }
    }

    /// What the window loses when it begins at `start` instead of `from`.
    fn left_behind(&self, start: Timestamp) -> Charges {
        let upper = match self.budget.period() {
            Window::Rolling(_) => Bound::Included(start),
            Window::Calendar(_) => Bound::Excluded(start),
        };
        self.between(self.lower(self.from), upper)
    }

    /// A rolling window is open at its start, so that it is never longer than its length.
    fn lower(&self, start: Timestamp) -> Bound<Timestamp> {
        match self.budget.period() {
            Window::Rolling(_) => Bound::Excluded(start),
            Window::Calendar(_) => Bound::Included(start),
        }
    }

    fn between(&self, lower: Bound<Timestamp>, upper: Bound<Timestamp>) -> Charges {
        let is_empty = match (lower, upper) {
            (Bound::Unbounded, _) | (_, Bound::Unbounded) => false,
            (Bound::Included(a), Bound::Included(b)) => a > b,
            (Bound::Included(a) | Bound::Excluded(a), Bound::Included(b) | Bound::Excluded(b)) => {
                a >= b
            }
        };
        if is_empty {
            return Charges::default();
        }
        self.charges
            .range((lower, upper))
            .fold(Charges::default(), |sum, (_, more)| sum.plus(more))
    }
}

impl From<Charges> for Money {
    fn from(charges: Charges) -> Self {
        Self::clamped(charges.sum())
    }
}
