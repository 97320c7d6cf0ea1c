use std::fmt;

use jiff::Timestamp;

use crate::cost::{BudgetPath, Money};

/// Why an amount, a budget, a booking or a stored ledger was refused.
///
/// Being out of money is not among these: that is a [`CostRefusal`](crate::cost::CostRefusal).
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum CostError {
    /// Text or a number that is no amount of money.
    Amount {
        /// The amount as it was given.
        given: String,
        /// What is wrong with it and what to do.
        problem: &'static str,
    },
    /// Text that is no currency code.
    Currency {
        /// The code as it was given.
        given: String,
    },
    /// Text that is no path of a budget.
    Path {
        /// The path as it was given.
        given: String,
        /// What is wrong with it and what to do.
        problem: &'static str,
    },
    /// A key that cannot name a booking.
    Key {
        /// The key as it was given.
        given: String,
    },
    /// A setting out of its range.
    Setting {
        /// The setting.
        name: &'static str,
        /// What is wrong and what to do.
        problem: String,
    },
    /// A path that no budget covers.
    NoBudget {
        /// The path.
        path: BudgetPath,
        /// The budget nearest to it, if one is near.
        suggestion: Option<BudgetPath>,
    },
    /// A key that no reservation has.
    UnknownReservation {
        /// The key.
        key: String,
        /// The open reservation nearest to it, if one is near.
        suggestion: Option<String>,
    },
    /// A reservation that was settled in another way before.
    Settled {
        /// The key.
        key: String,
        /// How it was settled.
        how: &'static str,
    },
    /// A key that was used before for something else.
    KeyReused {
        /// The key.
        key: String,
    },
    /// A charge later than now.
    Future {
        /// The key of the adjustment.
        key: String,
        /// When it is said to have been incurred.
        charged_at: Timestamp,
        /// The latest time known.
        now: Timestamp,
    },
    /// A charge to a time whose entries have been moved out of the ledger.
    Archived {
        /// The key of the adjustment.
        key: String,
        /// The time before which there are no entries any more.
        before: Timestamp,
    },
    /// A stored ledger that no sequence of operations leads to.
    Ledger {
        /// The number of the first wrong entry, from 1.
        entry: usize,
        /// What is wrong with it.
        problem: String,
    },
    /// The fact schema does not declare what the governor publishes.
    Facts {
        /// What the fact table said.
        problem: String,
    },
}

impl CostError {
    pub(crate) fn amount(given: Money, problem: &'static str) -> Self {
        Self::Amount {
            given: given.to_string(),
            problem,
        }
    }
}

impl fmt::Display for CostError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Amount { given, problem } => write!(f, "amount `{given}` {problem}"),
            Self::Currency { given } => write!(
                f,
                "currency `{given}` must be three capital letters, such as `EUR`"
            ),
            Self::Path { given, problem } => write!(f, "budget path `{given}` {problem}"),
            Self::Key { given } => write!(
                f,
                "key `{given}` must be 1 to 128 bytes of visible text, such as `retrain-2026-03-01`"
            ),
            Self::Setting { name, problem } => write!(f, "`{name}`: {problem}"),
            Self::NoBudget { path, suggestion } => {
                write!(f, "no budget covers `{path}`")?;
                match suggestion {
                    Some(near) => write!(f, "; did you mean `{near}`?"),
                    None => write!(f, "; set one for it or for a path above it"),
                }
            }
            Self::UnknownReservation { key, suggestion } => {
                write!(f, "no reservation has the key `{key}`")?;
                match suggestion {
                    Some(near) => write!(f, "; did you mean `{near}`?"),
                    None => write!(f, "; book what was spent without one as an adjustment"),
                }
            }
            Self::Settled { key, how } => write!(
                f,
                "reservation `{key}` is settled: {how}; book a correction as an adjustment"
            ),
            Self::KeyReused { key } => write!(
                f,
                "key `{key}` was used for something else; give every booking a key of its own"
            ),
            Self::Future {
                key,
                charged_at,
                now,
            } => write!(
                f,
                "adjustment `{key}` was incurred at `{charged_at}`, later than now, `{now}`; book it then"
            ),
            Self::Archived { key, before } => write!(
                f,
                "adjustment `{key}` was incurred before `{before}`, up to which the ledger is archived; correct the archive"
            ),
            Self::Ledger { entry, problem } => {
                write!(f, "stored ledger, entry `{entry}`: {problem}")
            }
            Self::Facts { problem } => write!(f, "facts of the budget: {problem}"),
        }
    }
}

impl std::error::Error for CostError {}
