use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::cost::budget::above_zero;
use crate::cost::{BudgetPath, CostError, Money, Purpose};

/// A wish to spend money: how much, where, for how long it is held, and what for.
///
/// The key makes it idempotent: the same request asked twice is booked once.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "RawRequest", into = "RawRequest")]
pub struct SpendRequest {
    key: String,
    path: BudgetPath,
    amount: Money,
    lease: Duration,
    purpose: Purpose,
}

impl SpendRequest {
    /// A request for [`Purpose::Other`]. Ask for the most that it may cost, and for a lease that outlasts the work: what is
    /// not settled when the lease ends is no longer held.
    ///
    /// # Errors
    ///
    /// [`CostError::Key`] for an unusable key, [`CostError::Amount`] for an amount that is not above zero,
    /// [`CostError::Setting`] for a lease of nothing or of more than 366 days.
    pub fn new(
        key: impl Into<String>,
        path: BudgetPath,
        amount: Money,
        lease: Duration,
    ) -> Result<Self, CostError> {
        if lease.is_zero() || lease > MAX_LEASE {
            return Err(CostError::Setting {
                name: "lease",
                problem: format!("`{lease:?}` must be above zero and at most 366 days"),
            });
        }
        Ok(Self {
            key: checked_key(key.into())?,
            path,
            amount: above_zero(amount)?,
            lease,
            purpose: Purpose::Other,
        })
    }

    /// Sets what the money is for.
    #[must_use]
    pub fn with_purpose(mut self, purpose: Purpose) -> Self {
        self.purpose = purpose;
        self
    }

    /// The key.
    pub fn key(&self) -> &str {
        &self.key
    }

    /// Where the money is spent.
    pub fn path(&self) -> &BudgetPath {
        &self.path
    }

    /// How much is to be held.
    pub fn amount(&self) -> Money {
        self.amount
    }

    /// How long it is to be held.
    pub fn lease(&self) -> Duration {
        self.lease
    }

    /// What the money is for.
    pub fn purpose(&self) -> Purpose {
        self.purpose
    }
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawRequest {
    key: String,
    path: BudgetPath,
    amount: Money,
    lease: Duration,
    purpose: Purpose,
}

impl TryFrom<RawRequest> for SpendRequest {
    type Error = CostError;

    fn try_from(raw: RawRequest) -> Result<Self, CostError> {
        Ok(Self::new(raw.key, raw.path, raw.amount, raw.lease)?.with_purpose(raw.purpose))
    }
}

impl From<SpendRequest> for RawRequest {
    fn from(request: SpendRequest) -> Self {
        Self {
            key: request.key,
            path: request.path,
            amount: request.amount,
            lease: request.lease,
            purpose: request.purpose,
        }
    }
}

/// Money that was charged or credited outside any reservation, such as a late invoice.
///
/// The key makes it idempotent: the same adjustment booked twice counts once.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "RawAdjustment", into = "RawAdjustment")]
pub struct Adjustment {
    key: String,
    path: BudgetPath,
    amount: Money,
    charged_at: Timestamp,
    purpose: Purpose,
}

impl Adjustment {
    /// An amount, below zero for a credit, that counts in the period that contains `charged_at`, for [`Purpose::Other`].
    ///
    /// # Errors
    ///
    /// [`CostError::Key`] for an unusable key, [`CostError::Amount`] for an amount of zero.
    pub fn new(
        key: impl Into<String>,
        path: BudgetPath,
        amount: Money,
        charged_at: Timestamp,
    ) -> Result<Self, CostError> {
        if amount == Money::ZERO {
            return Err(CostError::amount(amount, "adjusts nothing; leave it out"));
        }
        Ok(Self {
            key: checked_key(key.into())?,
            path,
            amount,
            charged_at,
            purpose: Purpose::Other,
        })
    }

    /// Sets what the money was for.
    #[must_use]
    pub fn with_purpose(mut self, purpose: Purpose) -> Self {
        self.purpose = purpose;
        self
    }

    /// The key.
    pub fn key(&self) -> &str {
        &self.key
    }

    /// Where the money was spent.
    pub fn path(&self) -> &BudgetPath {
        &self.path
    }

    /// How much: below zero for a credit.
    pub fn amount(&self) -> Money {
        self.amount
    }

    /// When it was incurred.
    pub fn charged_at(&self) -> Timestamp {
        self.charged_at
    }

    /// What the money was for.
    pub fn purpose(&self) -> Purpose {
        self.purpose
    }
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawAdjustment {
    key: String,
    path: BudgetPath,
    amount: Money,
    charged_at: Timestamp,
    purpose: Purpose,
}

impl TryFrom<RawAdjustment> for Adjustment {
    type Error = CostError;

    fn try_from(raw: RawAdjustment) -> Result<Self, CostError> {
        Ok(Self::new(raw.key, raw.path, raw.amount, raw.charged_at)?.with_purpose(raw.purpose))
    }
}

impl From<Adjustment> for RawAdjustment {
    fn from(adjustment: Adjustment) -> Self {
        Self {
            key: adjustment.key,
            path: adjustment.path,
            amount: adjustment.amount,
            charged_at: adjustment.charged_at,
            purpose: adjustment.purpose,
        }
    }
}

fn checked_key(key: String) -> Result<String, CostError> {
    if key.trim().is_empty() || key.len() > MAX_KEY || key.chars().any(char::is_control) {
        Err(CostError::Key {
            given: key.escape_debug().take(MAX_KEY).collect(),
        })
    } else {
        Ok(key)
    }
}

const MAX_KEY: usize = 128;
/// A longer lease would hold money over more than a year of periods.
const MAX_LEASE: Duration = Duration::from_secs(366 * 86_400);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_that_hold_nothing_or_for_ever_are_refused() {
        let request = |key: &str, amount: &str, lease| {
            SpendRequest::new(key, "a".parse().unwrap(), amount.parse().unwrap(), lease)
        };
        let hour = Duration::from_secs(3600);
        assert!(request("k", "1", hour).is_ok());
        assert!(request("k", "0", hour).is_err());
        assert!(request("k", "-1", hour).is_err());
        assert!(request("k", "1", Duration::ZERO).is_err());
        assert!(request("k", "1", Duration::MAX).is_err());
        for key in ["", " ", "a\nb", &"k".repeat(129)] {
            assert!(request(key, "1", hour).is_err(), "{key:?}");
        }
        let json = serde_json::to_string(&request("k", "1", hour).unwrap()).unwrap();
        let hostile = json.replace("\"1.00\"", "\"-1.00\"");
        assert!(serde_json::from_str::<SpendRequest>(&hostile).is_err());
    }
}
