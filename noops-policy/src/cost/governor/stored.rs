use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::CostGovernor;
use super::books::{Enforcement, State};
use crate::cost::{CostError, CostEvent, CostEventKind, Currency};

/// What is stored: the entries, of which everything else is derived.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawGovernor {
    currency: Currency,
    latest: Option<Timestamp>,
    archived_before: Option<Timestamp>,
    journal: Vec<CostEvent>,
}

impl From<CostGovernor> for RawGovernor {
    fn from(governor: CostGovernor) -> Self {
        Self {
            currency: governor.currency,
            latest: governor.latest,
            archived_before: governor.archived_before,
            journal: governor.journal,
        }
    }
}

impl TryFrom<RawGovernor> for CostGovernor {
    type Error = CostError;

    /// Books the entries anew; each must be admitted, and must leave exactly itself behind.
    fn try_from(raw: RawGovernor) -> Result<Self, CostError> {
        let mut governor = Self::new(raw.currency);
        governor.archived_before = raw.archived_before;
        let entries = raw.journal.len();
        for (index, event) in raw.journal.into_iter().enumerate() {
            let refuse = |problem: String| {
                Err(CostError::Ledger {
                    entry: index.saturating_add(1),
                    problem,
                })
            };
            if governor.latest.is_some_and(|latest| event.at() < latest) {
                return refuse("it is earlier than the one before it".to_owned());
            }
            if let Err(problem) = governor.rebook(&event) {
                return refuse(problem);
            }
            let is_itself = governor.journal.last() == Some(&event);
            if !is_itself || governor.journal.len() != index.saturating_add(1) {
                return refuse("it does not follow from those before it".to_owned());
            }
        }
        let is_ahead = |time: Option<Timestamp>| time > raw.latest;
        if is_ahead(governor.latest) || is_ahead(raw.archived_before) {
            return Err(CostError::Ledger {
                entry: entries,
                problem: "the latest time of the ledger is earlier".to_owned(),
            });
        }
        governor.latest = raw.latest;
        Ok(governor)
    }
}

impl CostGovernor {
    fn rebook(&mut self, event: &CostEvent) -> Result<(), String> {
        let at = event.at();
        match event.kind() {
            CostEventKind::BudgetSet { budget } => {
                self.set_budget(budget.clone(), at);
                Ok(())
            }
            CostEventKind::Reserved { request } => {
                let is_whole = self.archived_before.is_none_or(|before| {
                    before <= at
                        && self
                            .above(request.path())
                            .all(|account| account.span(at).start() >= before)
                });
                let enforcement = if is_whole {
                    Enforcement::Caps
                } else {
                    Enforcement::Nothing
                };
                self.book(request, at, enforcement)
                    .map(drop)
                    .map_err(|refusal| refusal.to_string())
            }
            CostEventKind::Committed { key, actual } => self
                .commit(key, *actual, at)
                .map(drop)
                .map_err(|error| error.to_string()),
            CostEventKind::Refunded { key } => self
                .refund(key, at)
                .map(drop)
                .map_err(|error| error.to_string()),
            CostEventKind::Expired { key } => {
                let entry = self.entry(key).map_err(|error| error.to_string())?;
                let reservation = entry.reservation.clone();
                if entry.state != State::Open || at < reservation.expires_at {
                    return Err(format!("the lease of `{key}` was not over"));
                }
                self.end_lease(&reservation, at);
                Ok(())
            }
            CostEventKind::Adjusted { adjustment } => self
                .adjust(adjustment, at)
                .map(drop)
                .map_err(|error| error.to_string()),
        }
    }
}
