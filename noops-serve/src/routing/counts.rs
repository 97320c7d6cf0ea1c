//! What routing came to, for telemetry.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use noops_core::ModelName;

use super::routed::{Routed, RoutedRow, Unescalated, VetoCause};

/// What became of the rows of a router since it was made. A call that is dropped before it ends is not counted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct RoutingCounts {
    /// Rows that were asked.
    pub rows: u64,
    /// Rows answered, by the name of whoever did. Fallbacks are not among them.
    pub answered: BTreeMap<Arc<ModelName>, u64>,
    /// Rows answered by a fallback: a deployment's, or what stands in for a vetoed answer.
    pub fallbacks: u64,
    /// Rows without an answer.
    pub refused: u64,
    /// Rows that a later stage answered than the first.
    pub escalated: u64,
    /// Unsure answers that stood because the budget was spent.
    pub refused_by_budget: u64,
    /// Unsure answers that stood because the next stage could not have answered in time.
    pub refused_by_deadline: u64,
    /// Unsure answers that stood because too many rows waited for the next stage.
    pub refused_by_overload: u64,
    /// Unsure answers that stood because the next stage failed.
    pub failed_escalations: u64,
    /// Answers that were kept back, for whatever cause.
    pub vetoed: u64,
    /// Those among them that were kept back because the guard failed.
    pub failed_guards: u64,
    /// Those among them that were kept back because the guard was late.
    pub late_guards: u64,
}

impl RoutingCounts {
    fn add(&mut self, row: &RoutedRow) {
        self.rows += 1;
        match (row.answer(), &row.target) {
            (Err(_), _) => self.refused += 1,
            (Ok(_), _) if row.is_fallback() => self.fallbacks += 1,
            (Ok(_), Some(name)) => match self.answered.get_mut(name) {
                Some(answered) => *answered += 1,
                None => {
                    self.answered.insert(name.clone(), 1);
                }
            },
            (Ok(_), None) => (),
        }
        self.escalated += u64::from(row.escalations > 0);
        match row.unescalated() {
            None => (),
            Some(Unescalated::Budget) => self.refused_by_budget += 1,
            Some(Unescalated::Deadline) => self.refused_by_deadline += 1,
            Some(Unescalated::Overloaded) => self.refused_by_overload += 1,
            Some(Unescalated::Failed) => self.failed_escalations += 1,
        }
        let Some(veto) = row.veto() else {
            return;
        };
        self.vetoed += 1;
        self.failed_guards += u64::from(veto.cause() == VetoCause::Failed);
        self.late_guards += u64::from(veto.cause() == VetoCause::Late);
    }
}

/// The counts of a router.
#[derive(Debug, Default)]
pub(super) struct Tally(Mutex<RoutingCounts>);

impl Tally {
    pub(super) fn count(&self, routed: &Routed) {
        let mut counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        for row in &routed.rows {
            counts.add(row);
        }
    }

    pub(super) fn present(&self) -> RoutingCounts {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }
}
