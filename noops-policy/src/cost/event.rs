use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::cost::{Adjustment, CostBudget, Money, SpendRequest};

/// One entry of the ledger: what was booked, and when.
///
/// The ledger is nothing but its entries: every balance is derived from them, and a stored ledger is accepted only if
/// booking its entries one after the other leads to it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CostEvent {
    at: Timestamp,
    kind: CostEventKind,
}

impl CostEvent {
    pub(crate) fn new(at: Timestamp, kind: CostEventKind) -> Self {
        Self { at, kind }
    }

    /// When it was booked.
    pub fn at(&self) -> Timestamp {
        self.at
    }

    /// What was booked.
    pub fn kind(&self) -> &CostEventKind {
        &self.kind
    }
}

/// What an entry of the ledger says.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum CostEventKind {
    /// A budget was set, or replaced.
    BudgetSet {
        /// The budget.
        budget: CostBudget,
    },
    /// Money was set aside.
    Reserved {
        /// What was asked for.
        request: SpendRequest,
    },
    /// What was set aside was spent, or more or less than that.
    Committed {
        /// The key of the reservation.
        key: String,
        /// What was spent.
        actual: Money,
    },
    /// What was set aside was given back.
    Refunded {
        /// The key of the reservation.
        key: String,
    },
    /// The lease ended before the reservation was settled.
    Expired {
        /// The key of the reservation.
        key: String,
    },
    /// Money was charged or credited outside any reservation.
    Adjusted {
        /// What was charged or credited.
        adjustment: Adjustment,
    },
}
