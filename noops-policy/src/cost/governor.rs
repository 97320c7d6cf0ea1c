mod books;
mod stored;

#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use self::books::{Enforcement, Entry, State};
use self::stored::RawGovernor;
use crate::cost::account::Account;
use crate::cost::{
    Adjustment, BudgetPath, CostBudget, CostError, CostEvent, CostEventKind, CostRefusal,
    CostStatus, Currency, Money, PeriodState, Purpose, Reservation, RestatedPeriod, Restatement,
    Settlement, SpendRequest, Timeliness,
};
use crate::suggest::nearest;

/// The guard between a decision and its bill: money is reserved before it is spent, in every budget above it at once.
///
/// [`reserve`](Self::reserve) sets money aside if no hard cap on the way up is exceeded by it; then
/// [`commit`](Self::commit) books what was really spent, or [`refund`](Self::refund) gives it back. What is not settled when
/// its lease ends is no longer set aside, so that a crash holds no money for ever. What was spent is always booked: beyond
/// the reservation, after the lease, and by a safety action beyond every cap; it is reported, and blocks what comes next.
///
/// Every operation is idempotent by its key. A clock that goes backwards opens nothing: the time of the latest booking counts
/// as now until the clock has caught up. It is pure state made of an append-only journal: a stored ledger is refused unless
/// booking the entries of its journal one by one leads to it.
///
/// For many threads there is [`SharedCostGovernor`](crate::cost::SharedCostGovernor).
///
/// # Complexity
///
/// An operation is logarithmic in the ledger, and linear in the charges that have left the window since the last one.
///
/// # Examples
///
/// ```
/// use std::time::Duration;
/// use noops_core::Timestamp;
/// use noops_policy::cost::{CostBudget, CostGovernor, Purpose, SpendRequest};
/// use noops_policy::slo::{CalendarUnit, Window};
///
/// let now: Timestamp = "2026-03-10T12:00:00Z".parse()?;
/// let month = Window::calendar(CalendarUnit::Month, "UTC")?;
/// let mut governor = CostGovernor::new("EUR".parse()?);
/// governor.set_budget(CostBudget::new("acme".parse()?, month.clone(), "100".parse()?)?, now);
/// governor.set_budget(CostBudget::new("acme/risk".parse()?, month, "60".parse()?)?, now);
///
/// let hour = Duration::from_secs(3600);
/// let retrain = SpendRequest::new("retrain-1", "acme/risk/fraud".parse()?, "40".parse()?, hour)?;
/// let reservation = governor.reserve(&retrain, now)?;
/// assert_eq!(reservation.warnings().len(), 1); // 40 of 60: past 50 % of the team's budget
///
/// let again = SpendRequest::new("retrain-2", "acme/risk/fraud".parse()?, "40".parse()?, hour)?;
/// let refusal = governor.reserve(&again, now).unwrap_err();
/// assert!(refusal.to_string().contains("exceeds the hard cap 60.00 of `acme/risk` by 20.00"));
///
/// let rollback = again.clone().with_purpose(Purpose::Safety);
/// assert_eq!(governor.reserve(&rollback, now)?.over_caps().len(), 1);
///
/// let settlement = governor.commit("retrain-1", "35.50".parse()?, now)?;
/// assert_eq!(settlement.released(), "4.50".parse()?);
/// assert_eq!(governor.status(&"acme".parse()?, now)?.used(), "75.50".parse()?);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(try_from = "RawGovernor", into = "RawGovernor")]
pub struct CostGovernor {
    currency: Currency,
    accounts: BTreeMap<BudgetPath, Account>,
    entries: BTreeMap<String, Entry>,
    adjustments: BTreeMap<String, (Adjustment, Restatement)>,
    leases: BTreeSet<(Timestamp, String)>,
    latest: Option<Timestamp>,
    archived_before: Option<Timestamp>,
    journal: Vec<CostEvent>,
}

impl CostGovernor {
    /// A ledger in a currency, without budgets: nothing may be spent.
    pub fn new(currency: Currency) -> Self {
        Self {
            currency,
            accounts: BTreeMap::new(),
            entries: BTreeMap::new(),
            adjustments: BTreeMap::new(),
            leases: BTreeSet::new(),
            latest: None,
            archived_before: None,
            journal: Vec::new(),
        }
    }

    /// The currency of every amount.
    pub fn currency(&self) -> &Currency {
        &self.currency
    }

    /// The budgets, by path.
    pub fn budgets(&self) -> impl Iterator<Item = &CostBudget> {
        self.accounts.values().map(Account::budget)
    }

    /// The entries, in the order in which they were booked.
    pub fn journal(&self) -> &[CostEvent] {
        &self.journal
    }

    /// The reservations that are neither settled nor expired, by key.
    pub fn open_reservations(&self) -> impl Iterator<Item = &Reservation> {
        self.entries
            .values()
            .filter(|entry| entry.state == State::Open)
            .map(|entry| &entry.reservation)
    }

    /// Sets the budget of its path, or replaces it. What was spent and reserved below the path counts against it at once.
    ///
    /// # Complexity
    ///
    /// Linear in the journal for a new path.
    pub fn set_budget(&mut self, budget: CostBudget, now: Timestamp) {
        let now = self.forward(now);
        let path = budget.path().clone();
        let account = match self.accounts.get(&path) {
            Some(account) => account.with_budget(budget.clone(), now),
            None => self.open_account(budget.clone(), now),
        };
        self.accounts.insert(path, account);
        self.enter(now, CostEventKind::BudgetSet { budget });
    }

    /// Sets money aside in every budget at and above the path, or in none. Leases that are over hold nothing.
    ///
    /// The same request again gives the same answer and books nothing.
    ///
    /// # Errors
    ///
    /// A [`CostRefusal`] if it would exceed a hard cap and is not for safety, if no budget covers the path, or if its key was
    /// used before; nothing is changed then.
    pub fn reserve(
        &mut self,
        request: &SpendRequest,
        now: Timestamp,
    ) -> Result<Reservation, CostRefusal> {
        self.book(request, now, Enforcement::Caps)
    }

    /// Books what was spent for a reservation and releases the rest.
    ///
    /// More than was reserved is booked too, and so is what was spent after the lease had ended. The same again gives the
    /// same answer and books nothing.
    ///
    /// # Errors
    ///
    /// [`CostError::Amount`] for an amount below zero, [`CostError::UnknownReservation`] for a key without a reservation,
    /// [`CostError::Settled`] for one that was refunded or committed with another amount; nothing is changed then.
    pub fn commit(
        &mut self,
        key: &str,
        actual: Money,
        now: Timestamp,
    ) -> Result<Settlement, CostError> {
        if actual.is_negative() {
            return Err(CostError::amount(
                actual,
                "must not be below zero; book a credit as an adjustment",
            ));
        }
        let entry = self.entry(key)?;
        let settled = |how| {
            Err(CostError::Settled {
                key: key.to_owned(),
                how,
            })
        };
        let timeliness = match &entry.state {
            State::Committed(settlement) if settlement.actual == actual => {
                return Ok(settlement.clone());
            }
            State::Committed(_) => return settled("committed with another amount"),
            State::Refunded => return settled("refunded"),
            State::Open => Timeliness::InTime,
            State::Expired => Timeliness::Late,
        };
        let now = self.forward(now);
        let reservation = entry.reservation.clone();
        let path = reservation.request.path().clone();
        let purpose = reservation.request.purpose();
        let before = self.uses(&path, now);
        let held = match timeliness {
            Timeliness::InTime => reservation.amount(),
            Timeliness::Late => Money::ZERO,
        };
        self.hold(&path, held.micros().saturating_neg());
        self.charge(&path, now, purpose, actual, now);
        let settlement = Settlement {
            key: key.to_owned(),
            held,
            actual,
            at: now,
            timeliness,
            notices: self.notices(&before, actual, now),
        };
        self.settle(&reservation, State::Committed(settlement.clone()));
        let key = key.to_owned();
        self.enter(now, CostEventKind::Committed { key, actual });
        Ok(settlement)
    }

    /// Gives back what is set aside for a reservation, of which nothing was spent. Returns what became free by it: nothing if
    /// the lease has been ended before.
    ///
    /// The same again gives the same answer and books nothing.
    ///
    /// # Errors
    ///
    /// [`CostError::UnknownReservation`] for a key without a reservation, [`CostError::Settled`] for one that was committed;
    /// nothing is changed then.
    pub fn refund(&mut self, key: &str, now: Timestamp) -> Result<Money, CostError> {
        let entry = self.entry(key)?;
        let amount = entry.reservation.amount();
        match &entry.state {
            State::Refunded => return Ok(amount),
            State::Expired => return Ok(Money::ZERO),
            State::Committed(_) => {
                return Err(CostError::Settled {
                    key: key.to_owned(),
                    how: "committed",
                });
            }
            State::Open => {}
        }
        let now = self.forward(now);
        let reservation = entry.reservation.clone();
        self.hold(reservation.request.path(), amount.micros().saturating_neg());
        self.settle(&reservation, State::Refunded);
        let key = key.to_owned();
        self.enter(now, CostEventKind::Refunded { key });
        Ok(amount)
    }

    /// Ends the leases that are over, and returns their reservations. A reservation still can be committed afterwards.
    #[must_use]
    pub fn expire(&mut self, now: Timestamp) -> Vec<Reservation> {
        let now = self.forward(now);
        let expired = self.lapsed(now);
        for reservation in &expired {
            self.end_lease(reservation, now);
        }
        expired
    }

    /// Books what was charged or credited outside any reservation, in the period in which it was incurred: a closed period is
    /// restated, the current one is charged. It is never refused for want of money, which is spent already.
    ///
    /// The same again gives the same answer and books nothing.
    ///
    /// # Errors
    ///
    /// [`CostError::NoBudget`] for a path that no budget covers, [`CostError::Future`] for a charge later than now,
    /// [`CostError::Archived`] for one to an archived time, [`CostError::KeyReused`] for the key of another adjustment;
    /// nothing is changed then.
    pub fn adjust(
        &mut self,
        adjustment: &Adjustment,
        now: Timestamp,
    ) -> Result<Restatement, CostError> {
        let key = || adjustment.key().to_owned();
        if let Some((known, restatement)) = self.adjustments.get(adjustment.key()) {
            return if known == adjustment {
                Ok(restatement.clone())
            } else {
                Err(CostError::KeyReused { key: key() })
            };
        }
        let path = adjustment.path();
        if !self.is_covered(path) {
            return Err(self.no_budget(path));
        }
        let now = self.forward(now);
        let charged_at = adjustment.charged_at();
        if charged_at > now {
            return Err(CostError::Future {
                key: key(),
                charged_at,
                now,
            });
        }
        if let Some(before) = self.archived_before.filter(|before| charged_at < *before) {
            return Err(CostError::Archived { key: key(), before });
        }
        let uses = self.uses(path, now);
        let restated = self.restated(path, charged_at, now);
        let purpose = adjustment.purpose();
        self.charge(path, charged_at, purpose, adjustment.amount(), now);
        let periods = restated
            .into_iter()
            .map(|period| RestatedPeriod {
                after: self
                    .accounts
                    .get(&period.budget)
                    .map_or(period.before, |account| {
                        account.spent_in(period.span).into()
                    }),
                ..period
            })
            .collect();
        let restatement = Restatement {
            key: key(),
            periods,
            notices: self.notices(&uses, adjustment.amount(), now),
        };
        self.adjustments
            .insert(key(), (adjustment.clone(), restatement.clone()));
        let adjustment = adjustment.clone();
        self.enter(now, CostEventKind::Adjusted { adjustment });
        Ok(restatement)
    }

    /// Where the budget of a path stands.
    ///
    /// # Errors
    ///
    /// [`CostError::NoBudget`] for a path that has none of its own.
    pub fn status(&self, path: &BudgetPath, now: Timestamp) -> Result<CostStatus, CostError> {
        let account = self.account(path)?;
        let now = self.forward(now);
        let charges = account.spent(now);
        let lapsed = self.lapsed_under(path, now);
        Ok(CostStatus {
            budget: account.budget().clone(),
            at: now,
            span: account.span(now),
            spent: charges.into(),
            reserved: Money::clamped(account.held().saturating_sub(lapsed)),
            safety: Money::clamped(charges.of(Purpose::Safety)),
        })
    }

    /// What was spent for one purpose in the current period of the budget of a path.
    ///
    /// # Errors
    ///
    /// [`CostError::NoBudget`] for a path that has none of its own.
    pub fn spent_on(
        &self,
        path: &BudgetPath,
        purpose: Purpose,
        now: Timestamp,
    ) -> Result<Money, CostError> {
        let charges = self.account(path)?.spent(self.forward(now));
        Ok(Money::clamped(charges.of(purpose)))
    }

    /// What was spent, as it is known now, in the period of a budget that contains `at`; of a rolling budget, in the window
    /// that ends with it. None where part of it is archived.
    ///
    /// # Errors
    ///
    /// [`CostError::NoBudget`] for a path that has none of its own.
    pub fn spent_in_period(
        &self,
        path: &BudgetPath,
        at: Timestamp,
    ) -> Result<Option<Money>, CostError> {
        let account = self.account(path)?;
        let span = account.span(at);
        let is_whole = self
            .archived_before
            .is_none_or(|before| before <= span.start());
        Ok(is_whole.then(|| account.spent_in(span).into()))
    }

    /// Takes the entries about what was settled before a moment out of the ledger and returns them. Nothing that a current
    /// period needs is taken, whatever the moment.
    ///
    /// Their keys are free again, an adjustment to a time before the moment is refused from then on, and a forecast no longer
    /// sees what was spent before it.
    #[must_use]
    pub fn archive(&mut self, before: Timestamp) -> Vec<CostEvent> {
        let Some(latest) = self.latest else {
            return Vec::new();
        };
        let before = self
            .accounts
            .values()
            .map(|account| account.span(latest).start())
            .fold(before.min(latest), Timestamp::min);
        let before = self.archived_before.map_or(before, |old| old.max(before));
        self.take_out(before)
    }

    pub(crate) fn reservation(&self, key: &str) -> Option<&Reservation> {
        self.entries.get(key).map(|entry| &entry.reservation)
    }

    pub(crate) fn account_of(&self, path: &BudgetPath) -> Option<&Account> {
        self.accounts.get(path)
    }

    pub(crate) fn archived_before(&self) -> Option<Timestamp> {
        self.archived_before
    }

    fn account(&self, path: &BudgetPath) -> Result<&Account, CostError> {
        self.accounts.get(path).ok_or_else(|| self.no_budget(path))
    }

    fn entry(&self, key: &str) -> Result<&Entry, CostError> {
        self.entries.get(key).ok_or_else(|| {
            let open = self.open_reservations().map(Reservation::key);
            CostError::UnknownReservation {
                key: key.to_owned(),
                suggestion: nearest(key, open).map(str::to_owned),
            }
        })
    }

    fn no_budget(&self, path: &BudgetPath) -> CostError {
        CostError::NoBudget {
            path: path.clone(),
            suggestion: self.near(path),
        }
    }

    fn near(&self, path: &BudgetPath) -> Option<BudgetPath> {
        let paths = self.accounts.keys().map(BudgetPath::as_str);
        nearest(path.as_str(), paths).and_then(|near| near.parse().ok())
    }

    fn restated(&self, path: &BudgetPath, at: Timestamp, now: Timestamp) -> Vec<RestatedPeriod> {
        self.above(path)
            .map(|account| {
                let span = account.span(at);
                let before = account.spent_in(span).into();
                RestatedPeriod {
                    budget: account.budget().path().clone(),
                    span,
                    before,
                    after: before,
                    state: if account.counts(at, now) {
                        PeriodState::Open
                    } else {
                        PeriodState::Closed
                    },
                }
            })
            .collect()
    }
}

/// Two ledgers are equal when their entries are: everything else is derived from them.
impl PartialEq for CostGovernor {
    fn eq(&self, other: &Self) -> bool {
        self.currency == other.currency
            && self.latest == other.latest
            && self.archived_before == other.archived_before
            && self.journal == other.journal
    }
}
