//! What came of routing a request.

use std::fmt;
use std::sync::Arc;

use noops_core::ModelName;

use crate::runtime::{AnsweredBy, Prediction, Refusal, Reply};

/// The answers of a request, with who gave each and why.
#[derive(Clone, Debug)]
#[must_use]
pub struct Routed {
    pub(super) rows: Vec<RoutedRow>,
}

impl Routed {
    /// The rows of a reply, of which nobody is named yet: what a router of the host's own begins with.
    pub fn of(reply: Reply) -> Self {
        let rows = reply.into_iter().map(RoutedRow::of).collect();
        Self { rows }
    }

    /// One row per row of the request, in order.
    #[must_use]
    pub fn rows(&self) -> &[RoutedRow] {
        &self.rows
    }

    /// The answers and refusals alone, in the order of the request.
    #[must_use]
    pub fn into_reply(self) -> Reply {
        self.rows.into_iter().map(|row| row.answer).collect()
    }

    /// How many rows were answered by a later stage than the first.
    #[must_use]
    pub fn escalated(&self) -> usize {
        let escalated = self.rows.iter().filter(|row| row.escalations > 0);
        escalated.count()
    }

    /// The rows whose answer was vetoed, in order. Each tells why: see [`RoutedRow::veto`].
    pub fn vetoed(&self) -> impl Iterator<Item = usize> {
        let rows = self.rows.iter().enumerate();
        rows.filter(|(_, row)| row.veto.is_some())
            .map(|(row, _)| row)
    }

    /// How many rows stayed where they were, though unsure, because the budget was spent.
    #[must_use]
    pub fn refused_by_budget(&self) -> usize {
        let refused = |row: &&RoutedRow| row.unescalated == Some(Unescalated::Budget);
        self.rows.iter().filter(refused).count()
    }
}

/// What came of routing one row.
#[derive(Clone, Debug)]
pub struct RoutedRow {
    pub(super) answer: Result<Prediction, Refusal>,
    pub(super) target: Option<Arc<ModelName>>,
    pub(super) escalations: usize,
    pub(super) unescalated: Option<Unescalated>,
    pub(super) veto: Option<Veto>,
}

impl RoutedRow {
    pub(super) fn of(answer: Result<Prediction, Refusal>) -> Self {
        Self {
            answer,
            target: None,
            escalations: 0,
            unescalated: None,
            veto: None,
        }
    }

    pub(super) fn refused(because: impl fmt::Display) -> Self {
        Self::of(Err(Refusal::Model(because.to_string())))
    }

    /// The answer, or why there is none.
    ///
    /// # Errors
    ///
    /// The refusal of the row.
    pub fn answer(&self) -> Result<&Prediction, &Refusal> {
        self.answer.as_ref()
    }

    /// The name of whoever gave the answer; `None` where there is none, and for constant scores in the place of a vetoed answer.
    #[must_use]
    pub fn target(&self) -> Option<&ModelName> {
        self.target.as_deref()
    }

    /// How many stages of a cascade gave the row on before the one whose answer this is: 0 for the first.
    #[must_use]
    pub fn escalations(&self) -> usize {
        self.escalations
    }

    /// Why an unsure answer stands, if it does although there was a stage to ask.
    #[must_use]
    pub fn unescalated(&self) -> Option<Unescalated> {
        self.unescalated
    }

    /// Why the answer of a model was kept back, if it was. The answer is a fallback's then.
    #[must_use]
    pub fn veto(&self) -> Option<&Veto> {
        self.veto.as_ref()
    }

    pub(super) fn name_target(&mut self, name: &Arc<ModelName>) {
        // Whoever is within has said so already, and constants have no name.
        if self.target.is_none() && self.answer.is_ok() && self.veto.is_none() {
            self.target = Some(name.clone());
        }
    }

    /// Marks what stands in for a vetoed answer.
    pub(super) fn standing_in(mut self, veto: Veto) -> Self {
        if let Ok(prediction) = &mut self.answer {
            prediction.answered_by = AnsweredBy::Fallback;
        }
        self.veto = Some(veto);
        self
    }

    pub(super) fn is_fallback(&self) -> bool {
        let answer = self.answer.as_ref();
        answer.is_ok_and(|prediction| prediction.answered_by() == AnsweredBy::Fallback)
    }
}

/// Why an unsure answer stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Unescalated {
    /// The budget was spent.
    Budget,
    /// The next stage could not have answered in time.
    Deadline,
    /// Too many rows waited for the next stage.
    Overloaded,
    /// The next stage failed, or had nothing but its fallback to offer.
    Failed,
}

/// Why the answer of a model was kept back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Veto {
    pub(super) cause: VetoCause,
    pub(super) because: String,
}

impl Veto {
    /// What the guard did.
    #[must_use]
    pub fn cause(&self) -> VetoCause {
        self.cause
    }

    /// The reason, for people.
    #[must_use]
    pub fn because(&self) -> &str {
        &self.because
    }
}

/// What a guard did that kept an answer back.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum VetoCause {
    /// It vetoed.
    Verdict,
    /// It failed.
    Failed,
    /// Its verdict came, or would have come, after the deadline.
    Late,
}
