use fearless_simd::Simd;
use serde::{Deserialize, Serialize};

use super::evidence::ColumnEvidence;
use crate::error::DriftError;
use crate::frame::{CATEGORY, NUMBER};
use crate::sequential::budget::ErrorBudget;
use crate::sequential::category_bet::CategoryBet;
use crate::sequential::category_reference::CategoryReference;
use crate::sequential::change_prior::Stake;
use crate::sequential::pit_bet::PitBet;
use crate::sequential::reference::ReferenceCdf;

/// A column to watch, and what the reference says about it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ColumnReference {
    name: String,
    kind: Kind,
}

impl ColumnReference {
    /// A column of numbers.
    #[must_use]
    pub fn number(name: impl Into<String>, reference: ReferenceCdf) -> Self {
        Self {
            name: name.into(),
            kind: Kind::Number(reference),
        }
    }

    /// A column of categories.
    #[must_use]
    pub fn category(name: impl Into<String>, reference: CategoryReference) -> Self {
        Self {
            name: name.into(),
            kind: Kind::Category(reference),
        }
    }

    /// The name of the column.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
enum Kind {
    Number(ReferenceCdf),
    Category(CategoryReference),
}

/// What a row has in a column.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub enum Observation {
    /// A number; NaN is a missing value.
    Number(f64),
    /// The category at this place of the reference; a place beyond the listed ones is unlisted.
    Category(usize),
    /// A category that the reference does not list.
    Unlisted,
    /// Nothing.
    Missing,
}

/// A watched column.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Column {
    name: String,
    gate: Gate,
}

impl Column {
    pub(super) fn new(reference: &ColumnReference, budget: ErrorBudget) -> Self {
        let gate = match &reference.kind {
            Kind::Number(cdf) => Gate::Number(Box::new(PitBet::with_budget(cdf.clone(), budget))),
            Kind::Category(counts) => {
                Gate::Category(CategoryBet::with_budget(counts.clone(), budget))
            }
        };
        Self {
            name: reference.name.clone(),
            gate,
        }
    }

    pub(super) fn name(&self) -> &str {
        &self.name
    }

    pub(super) fn is_number(&self) -> bool {
        matches!(self.gate, Gate::Number(_))
    }

    /// The reference of a column of categories.
    pub(super) fn categories(&self) -> Option<&CategoryReference> {
        match &self.gate {
            Gate::Number(_) => None,
            Gate::Category(gate) => Some(gate.reference()),
        }
    }

    /// Fails when the gate has no place for the observation.
    pub(super) fn check(&self, value: Observation) -> Result<(), DriftError> {
        let (expected, found) = match (&self.gate, value) {
            (Gate::Number(_), Observation::Category(_) | Observation::Unlisted) => {
                (NUMBER, CATEGORY)
            }
            (Gate::Category(_), Observation::Number(_)) => (CATEGORY, NUMBER),
            _ => return Ok(()),
        };
        Err(DriftError::TypeChanged {
            column: self.name.clone(),
            expected,
            found,
        })
    }

    /// Counts an observation that was checked, and returns the evidence.
    pub(super) fn bet(&mut self, value: Observation, stake: Stake) -> f64 {
        match (&mut self.gate, value) {
            (Gate::Number(gate), Observation::Number(number)) => gate.bet(number, stake),
            (Gate::Number(gate), _) => gate.bet(f64::NAN, stake),
            (Gate::Category(gate), Observation::Category(place)) => gate.bet(Some(place), stake),
            (Gate::Category(gate), Observation::Unlisted) => gate.bet(Some(usize::MAX), stake),
            (Gate::Category(gate), _) => gate.bet(None, stake),
        }
    }

    /// The cell of a number, in a column of numbers.
    #[inline(always)]
    pub(super) fn cell_of(&self, value: f64) -> usize {
        match &self.gate {
            Gate::Number(gate) => gate.cell_of(value),
            Gate::Category(_) => 0,
        }
    }

    /// Counts a number in a column that was checked to be one of numbers, and returns the evidence.
    #[inline(always)]
    pub(super) fn bet_on<S: Simd>(
        &mut self,
        simd: S,
        value: f64,
        cell: usize,
        stake: Stake,
    ) -> f64 {
        match &mut self.gate {
            Gate::Number(gate) => gate.bet_on(simd, value, cell, stake),
            Gate::Category(gate) => gate.bet(None, stake),
        }
    }

    pub(super) fn evidence(&self) -> ColumnEvidence {
        let evidence = match &self.gate {
            Gate::Number(gate) => gate.evidence(),
            Gate::Category(gate) => gate.evidence(),
        };
        ColumnEvidence::new(self.name.clone(), evidence)
    }

    pub(super) fn current(&self) -> f64 {
        match &self.gate {
            Gate::Number(gate) => gate.current(),
            Gate::Category(gate) => gate.current(),
        }
    }

    pub(super) fn rows(&self) -> u64 {
        match &self.gate {
            Gate::Number(gate) => gate.rows(),
            Gate::Category(gate) => gate.rows(),
        }
    }

    pub(super) fn budget(&self) -> ErrorBudget {
        match &self.gate {
            Gate::Number(gate) => gate.budget(),
            Gate::Category(gate) => gate.budget(),
        }
    }

    pub(super) fn reset(&mut self) {
        match &mut self.gate {
            Gate::Number(gate) => gate.reset(),
            Gate::Category(gate) => gate.reset(),
        }
    }
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
enum Gate {
    Number(Box<PitBet>),
    Category(CategoryBet),
}
