use serde::{Deserialize, Serialize};

use crate::cost::{BudgetPath, CostError, Money};
use crate::slo::Window;

/// How much may be spent at a path and everything below it, in each period.
///
/// The period is a [`Window`]: a calendar day, week, month and so on in a time zone, whose budget starts anew with each, or
/// a rolling one. The soft caps, at 50, 80 and 100 % of the amount, warn; the hard cap, at the amount unless it is moved or
/// taken away, refuses.
///
/// # Examples
///
/// ```
/// use noops_policy::cost::CostBudget;
/// use noops_policy::slo::{CalendarUnit, Window};
///
/// let month = Window::calendar(CalendarUnit::Month, "Europe/Berlin")?;
/// let budget = CostBudget::new("acme/risk".parse()?, month, "1000".parse()?)?
///     .with_hard_cap("1200".parse()?)?;
/// assert_eq!(budget.warn_at(), [50, 80, 100]);
/// assert_eq!(budget.hard_cap(), Some("1200".parse()?));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "RawBudget", into = "RawBudget")]
pub struct CostBudget {
    path: BudgetPath,
    period: Window,
    amount: Money,
    hard_cap: Option<Money>,
    warn_at: Vec<u32>,
}

impl CostBudget {
    /// A budget with the usual soft caps, and a hard cap at its amount.
    ///
    /// # Errors
    ///
    /// [`CostError::Amount`] for an amount that is not above zero.
    pub fn new(path: BudgetPath, period: Window, amount: Money) -> Result<Self, CostError> {
        Ok(Self {
            path,
            period,
            amount: above_zero(amount)?,
            hard_cap: Some(amount),
            warn_at: vec![50, 80, 100],
        })
    }

    /// Moves the hard cap.
    ///
    /// # Errors
    ///
    /// [`CostError::Amount`] for an amount that is below zero. A cap of zero stops everything but safety.
    pub fn with_hard_cap(mut self, cap: Money) -> Result<Self, CostError> {
        if cap.is_negative() {
            return Err(CostError::amount(cap, "must not be below zero for a cap"));
        }
        self.hard_cap = Some(cap);
        Ok(self)
    }

    /// Takes the hard cap away: the budget warns and refuses nothing.
    #[must_use]
    pub fn without_hard_cap(mut self) -> Self {
        self.hard_cap = None;
        self
    }

    /// Sets the percentages of the amount at which to warn.
    ///
    /// # Errors
    ///
    /// [`CostError::Setting`] unless they rise and lie between 1 and 1000.
    pub fn with_warn_at(mut self, percentages: Vec<u32>) -> Result<Self, CostError> {
        let in_range = percentages.iter().all(|one| (1..=1000).contains(one));
        let rising = percentages
            .iter()
            .zip(percentages.iter().skip(1))
            .all(|(a, b)| a < b);
        if !in_range || !rising {
            return Err(CostError::Setting {
                name: "warn_at",
                problem: format!(
                    "`{percentages:?}` must be rising percentages between 1 and 1000, such as `[50, 80, 100]`"
                ),
            });
        }
        self.warn_at = percentages;
        Ok(self)
    }

    /// The path that it covers, with everything below.
    pub fn path(&self) -> &BudgetPath {
        &self.path
    }

    /// The period for which the amount is meant.
    pub fn period(&self) -> &Window {
        &self.period
    }

    /// The amount.
    pub fn amount(&self) -> Money {
        self.amount
    }

    /// The amount beyond which nothing but safety is paid for, if there is one.
    pub fn hard_cap(&self) -> Option<Money> {
        self.hard_cap
    }

    /// The percentages of the amount at which to warn.
    pub fn warn_at(&self) -> &[u32] {
        &self.warn_at
    }

    /// The percentages that a use in millionths reaches.
    pub(crate) fn reached(&self, used: i128) -> impl Iterator<Item = u32> {
        // An amount is at most 10^27 millionths, so the product has room.
        let used = used.saturating_mul(100);
        self.warn_at
            .iter()
            .copied()
            .filter(move |&percent| self.amount.micros().saturating_mul(percent.into()) <= used)
    }
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawBudget {
    path: BudgetPath,
    period: Window,
    amount: Money,
    hard_cap: Option<Money>,
    warn_at: Vec<u32>,
}

impl TryFrom<RawBudget> for CostBudget {
    type Error = CostError;

    fn try_from(raw: RawBudget) -> Result<Self, CostError> {
        let budget = Self::new(raw.path, raw.period, raw.amount)?.with_warn_at(raw.warn_at)?;
        match raw.hard_cap {
            Some(cap) => budget.with_hard_cap(cap),
            None => Ok(budget.without_hard_cap()),
        }
    }
}

impl From<CostBudget> for RawBudget {
    fn from(budget: CostBudget) -> Self {
        Self {
            path: budget.path,
            period: budget.period,
            amount: budget.amount,
            hard_cap: budget.hard_cap,
            warn_at: budget.warn_at,
        }
    }
}

pub(crate) fn above_zero(amount: Money) -> Result<Money, CostError> {
    if amount > Money::ZERO {
        Ok(amount)
    } else {
        Err(CostError::amount(amount, "must be above zero"))
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn budget() -> CostBudget {
        let day = Window::rolling(Duration::from_secs(86_400)).unwrap();
        CostBudget::new("a".parse().unwrap(), day, "10".parse().unwrap()).unwrap()
    }

    #[test]
    fn soft_caps_are_reached_exactly() {
        let reached = |used: &str| {
            let used: Money = used.parse().unwrap();
            budget().reached(used.micros()).collect::<Vec<_>>()
        };
        assert_eq!(reached("4.999999"), [] as [u32; 0]);
        assert_eq!(reached("5"), [50]);
        assert_eq!(reached("10"), [50, 80, 100]);
        assert_eq!(budget().reached(i128::MAX).count(), 3);
    }

    #[test]
    fn stored_budgets_are_checked() {
        let json = serde_json::to_string(&budget()).unwrap();
        assert_eq!(serde_json::from_str::<CostBudget>(&json).unwrap(), budget());
        for (good, bad) in [
            ("\"amount\":\"10.00\"", "\"amount\":\"0.00\""),
            ("\"hard_cap\":\"10.00\"", "\"hard_cap\":\"-1\""),
            ("[50,80,100]", "[80,50]"),
            ("[50,80,100]", "[0]"),
            ("\"path\"", "\"paht\""),
        ] {
            assert!(json.contains(good));
            assert!(serde_json::from_str::<CostBudget>(&json.replace(good, bad)).is_err());
        }
    }
}
