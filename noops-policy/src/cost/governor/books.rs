//! How the ledger is kept: what the public operations of the governor are made of.

use jiff::{SignedDuration, Timestamp};

use super::CostGovernor;
use crate::cost::account::Account;
use crate::cost::outcome::Notices;
use crate::cost::{
    BudgetPath, CostBudget, CostEvent, CostEventKind, CostRefusal, CostRefusalReason, Money,
    OverCap, Purpose, Reservation, Settlement, SoftCapWarning, SpendRequest,
};

/// A reservation and what became of it.
#[derive(Clone, Debug)]
pub(super) struct Entry {
    pub(super) reservation: Reservation,
    pub(super) state: State,
}

#[derive(Clone, Debug, PartialEq)]
pub(super) enum State {
    Open,
    Committed(Settlement),
    Refunded,
    Expired,
}

/// Whether a booking has to respect the hard caps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Enforcement {
    Caps,
    /// The booking was admitted when entries existed that are archived now.
    Nothing,
}

/// What is used of one budget.
pub(super) struct Use {
    path: BudgetPath,
    micros: i128,
}

impl CostGovernor {
    pub(super) fn forward(&self, now: Timestamp) -> Timestamp {
        self.latest.map_or(now, |latest| latest.max(now))
    }

    pub(super) fn enter(&mut self, now: Timestamp, kind: CostEventKind) {
        self.latest = Some(self.forward(now));
        self.journal.push(CostEvent::new(now, kind));
    }

    /// The accounts of a path and of those above it that have one, the organisation's first.
    pub(super) fn above(&self, path: &BudgetPath) -> impl Iterator<Item = &Account> {
        path.lineage().filter_map(|path| self.accounts.get(&path))
    }

    pub(super) fn is_covered(&self, path: &BudgetPath) -> bool {
        self.above(path).next().is_some()
    }

    pub(super) fn book(
        &mut self,
        request: &SpendRequest,
        now: Timestamp,
        enforcement: Enforcement,
    ) -> Result<Reservation, CostRefusal> {
        let refuse = |reason| Err(CostRefusal::new(request, reason));
        let now = self.forward(now);
        if let Some(entry) = self.entries.get(request.key()) {
            let reservation = &entry.reservation;
            return if reservation.request != *request {
                refuse(CostRefusalReason::KeyReused)
            } else if entry.state != State::Open || reservation.expires_at <= now {
                refuse(CostRefusalReason::Settled)
            } else {
                Ok(reservation.clone())
            };
        }
        let path = request.path();
        if !self.is_covered(path) {
            let suggestion = self.near(path);
            return refuse(CostRefusalReason::NoBudget { suggestion });
        }
        let mut notices = Notices::default();
        for account in self.above(path) {
            let used = self.used(account, now);
            let after = used.saturating_add(request.amount().micros());
            note(account, used, after, request.amount(), now, &mut notices);
        }
        let is_bound = enforcement == Enforcement::Caps && request.purpose() != Purpose::Safety;
        if is_bound && !notices.over_caps.is_empty() {
            let over_caps = notices.over_caps;
            return refuse(CostRefusalReason::HardCap { over_caps });
        }
        for reservation in self.lapsed(now) {
            self.end_lease(&reservation, now);
        }
        let reservation = Reservation {
            request: request.clone(),
            reserved_at: now,
            expires_at: SignedDuration::try_from(request.lease())
                .ok()
                .and_then(|lease| now.checked_add(lease).ok())
                .unwrap_or(Timestamp::MAX),
            notices,
        };
        self.hold(path, request.amount().micros());
        let key = request.key().to_owned();
        self.leases.insert((reservation.expires_at, key.clone()));
        let entry = Entry {
            reservation: reservation.clone(),
            state: State::Open,
        };
        self.entries.insert(key, entry);
        let request = request.clone();
        self.enter(now, CostEventKind::Reserved { request });
        Ok(reservation)
    }

    pub(super) fn hold(&mut self, path: &BudgetPath, micros: i128) {
        for path in path.lineage() {
            if let Some(account) = self.accounts.get_mut(&path) {
                account.hold(micros);
            }
        }
    }

    pub(super) fn charge(
        &mut self,
        path: &BudgetPath,
        at: Timestamp,
        purpose: Purpose,
        amount: Money,
        now: Timestamp,
    ) {
        for path in path.lineage() {
            if let Some(account) = self.accounts.get_mut(&path) {
                account.charge(at, purpose, amount.micros(), now);
            }
        }
    }

    pub(super) fn settle(&mut self, reservation: &Reservation, state: State) {
        self.leases
            .remove(&(reservation.expires_at, reservation.key().to_owned()));
        if let Some(entry) = self.entries.get_mut(reservation.key()) {
            entry.state = state;
        }
    }

    /// The open reservations whose lease is over, the longest over first.
    pub(super) fn lapsed(&self, now: Timestamp) -> Vec<Reservation> {
        self.overdue(now).cloned().collect()
    }

    fn overdue(&self, now: Timestamp) -> impl Iterator<Item = &Reservation> {
        self.leases
            .iter()
            .take_while(move |(until, _)| *until <= now)
            .filter_map(|(_, key)| self.entries.get(key))
            .map(|entry| &entry.reservation)
    }

    /// What is still on the books as held below a path though its lease is over.
    pub(super) fn lapsed_under(&self, path: &BudgetPath, now: Timestamp) -> i128 {
        self.overdue(now)
            .filter(|reservation| reservation.request.path().is_within(path))
            .fold(0_i128, |sum, reservation| {
                sum.saturating_add(reservation.amount().micros())
            })
    }

    pub(super) fn end_lease(&mut self, reservation: &Reservation, now: Timestamp) {
        let micros = reservation.amount().micros().saturating_neg();
        self.hold(reservation.request.path(), micros);
        self.settle(reservation, State::Expired);
        let key = reservation.key().to_owned();
        self.enter(now, CostEventKind::Expired { key });
    }

    pub(super) fn uses(&self, path: &BudgetPath, now: Timestamp) -> Vec<Use> {
        self.above(path)
            .map(|account| Use {
                path: account.budget().path().clone(),
                micros: self.used(account, now),
            })
            .collect()
    }

    /// What is to be said about a change that is on the books already.
    pub(super) fn notices(&self, before: &[Use], asked: Money, now: Timestamp) -> Notices {
        let mut notices = Notices::default();
        for Use { path, micros } in before {
            if let Some(account) = self.accounts.get(path) {
                let after = self.used(account, now);
                note(account, *micros, after, asked, now, &mut notices);
            }
        }
        notices
    }

    fn used(&self, account: &Account, now: Timestamp) -> i128 {
        let lapsed = self.lapsed_under(account.budget().path(), now);
        let spent = account.spent(now).sum();
        spent.saturating_add(account.held()).saturating_sub(lapsed)
    }

    /// The account of a path that had none, with what the journal knows about it.
    pub(super) fn open_account(&self, budget: CostBudget, now: Timestamp) -> Account {
        let path = budget.path().clone();
        let since = self.journal.first().map_or(now, CostEvent::at);
        let mut account = Account::new(budget, since);
        for event in &self.journal {
            match event.kind() {
                CostEventKind::Committed { key, actual } => {
                    let request = self
                        .entries
                        .get(key)
                        .map(|entry| &entry.reservation.request);
                    if let Some(request) = request.filter(|request| request.path().is_within(&path))
                    {
                        let at = event.at();
                        account.charge(at, request.purpose(), actual.micros(), at);
                    }
                }
                CostEventKind::Adjusted { adjustment } if adjustment.path().is_within(&path) => {
                    let micros = adjustment.amount().micros();
                    let purpose = adjustment.purpose();
                    account.charge(adjustment.charged_at(), purpose, micros, event.at());
                }
                _ => {}
            }
        }
        for reservation in self.open_reservations() {
            if reservation.request.path().is_within(&path) {
                account.hold(reservation.amount().micros());
            }
        }
        account
    }

    pub(super) fn take_out(&mut self, before: Timestamp) -> Vec<CostEvent> {
        self.archived_before = Some(before);
        let mut settled_at: std::collections::BTreeMap<String, Timestamp> = Default::default();
        for event in &self.journal {
            if let CostEventKind::Committed { key, .. }
            | CostEventKind::Refunded { key }
            | CostEventKind::Expired { key } = event.kind()
            {
                settled_at.insert(key.clone(), event.at());
            }
        }
        let is_over = |key: &str| settled_at.get(key).is_some_and(|at| *at < before);
        let (kept, taken): (Vec<CostEvent>, Vec<CostEvent>) =
            self.journal
                .drain(..)
                .partition(|event| match event.kind() {
                    CostEventKind::BudgetSet { .. } => true,
                    CostEventKind::Adjusted { adjustment } => adjustment.charged_at() >= before,
                    CostEventKind::Reserved { request } => !is_over(request.key()),
                    CostEventKind::Committed { key, .. }
                    | CostEventKind::Refunded { key }
                    | CostEventKind::Expired { key } => !is_over(key),
                });
        self.journal = kept;
        self.entries.retain(|key, _| !is_over(key));
        self.adjustments
            .retain(|_, (adjustment, _)| adjustment.charged_at() >= before);
        for account in self.accounts.values_mut() {
            account.forget(before);
        }
        taken
    }
}

/// Notes the soft caps that a rise reaches and the hard cap that it exceeds.
fn note(
    account: &Account,
    before: i128,
    after: i128,
    asked: Money,
    now: Timestamp,
    notices: &mut Notices,
) {
    if after <= before {
        return;
    }
    let budget = account.budget();
    let reached = budget.reached(before).count();
    notices.warnings.extend(
        budget
            .reached(after)
            .skip(reached)
            .map(|percent| SoftCapWarning {
                budget: budget.path().clone(),
                percent,
                amount: budget.amount(),
                used: Money::clamped(after),
            }),
    );
    if let Some(cap) = budget.hard_cap().filter(|cap| after > cap.micros()) {
        notices.over_caps.push(OverCap {
            budget: budget.path().clone(),
            cap,
            used: Money::clamped(after.saturating_sub(asked.micros())),
            asked,
            period_end: account.span(now).end(),
        });
    }
}
