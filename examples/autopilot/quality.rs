//! How good the predictions were, once the flights have landed.

use std::fs::{File, OpenOptions};
use std::io::{Read, Write};
use std::path::Path;

use noops_canary::offline::Evaluation;

use crate::failure::{Failure, fail};
use crate::report::Pair;

/// The scores of both models for every predicted flight, in order, in memory and in a file.
#[derive(Debug)]
pub(crate) struct Scores {
    file: File,
    unsaved: Vec<u8>,
    pub(crate) autopilot: Vec<f32>,
    pub(crate) frozen: Vec<f32>,
}

impl Scores {
    /// Opens the file and keeps its first `count` flights: what was written after the last checkpoint is predicted again.
    pub(crate) fn open(path: &Path, count: usize) -> Result<Self, Failure> {
        let broken = |error: std::io::Error| {
            fail(format!(
                "cannot read the scores in `{}`: {error}",
                path.display()
            ))
        };
        let mut file = OpenOptions::new()
            .read(true)
            .append(true)
            .create(true)
            .open(path)
            .map_err(broken)?;
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes).map_err(broken)?;
        let keep = count * RECORD;
        if bytes.len() < keep {
            return Err(fail(format!(
                "`{}` is shorter than the saved state says; remove the output folder to begin anew",
                path.display()
            )));
        }
        file.set_len(keep as u64).map_err(broken)?;
        bytes.truncate(keep);
        let numbers: Vec<f32> = bytes
            .as_chunks::<4>()
            .0
            .iter()
            .map(|bytes| f32::from_le_bytes(*bytes))
            .collect();
        let (autopilot, frozen) = numbers
            .as_chunks::<2>()
            .0
            .iter()
            .map(|[autopilot, frozen]| (*autopilot, *frozen))
            .unzip();
        Ok(Self {
            file,
            unsaved: Vec::new(),
            autopilot,
            frozen,
        })
    }

    /// Adds the scores of the next flight; NaN where there is none.
    pub(crate) fn push(&mut self, autopilot: f32, frozen: f32) {
        self.unsaved.extend(autopilot.to_le_bytes());
        self.unsaved.extend(frozen.to_le_bytes());
        self.autopilot.push(autopilot);
        self.frozen.push(frozen);
    }

    /// Makes everything so far durable.
    pub(crate) fn save(&mut self) -> Result<(), Failure> {
        let saved = self
            .file
            .write_all(&self.unsaved)
            .and_then(|()| self.file.sync_data());
        self.unsaved.clear();
        saved.map_err(|error| fail(format!("cannot save the scores: {error}")))
    }
}

/// Scores and labels of a set of flights.
#[derive(Debug, Default)]
pub(crate) struct Compared {
    autopilot: Vec<f64>,
    frozen: Vec<f64>,
    late: Vec<bool>,
}

impl Compared {
    /// Adds a flight that both models have scored.
    pub(crate) fn push(&mut self, autopilot: f32, frozen: f32, late: bool) {
        if autopilot.is_finite() && frozen.is_finite() {
            self.autopilot.push(f64::from(autopilot));
            self.frozen.push(f64::from(frozen));
            self.late.push(late);
        }
    }

    /// How many flights.
    pub(crate) fn len(&self) -> usize {
        self.late.len()
    }

    /// The Brier scores.
    pub(crate) fn brier(&self) -> Option<Pair> {
        self.measure(|evaluation| Some(evaluation.brier().value()))
    }

    /// The areas under the ROC curve, where both outcomes occur.
    pub(crate) fn auc(&self) -> Option<Pair> {
        self.measure(|evaluation| evaluation.auc().map(|auc| auc.value()))
    }

    /// The share of late flights.
    pub(crate) fn late_rate(&self) -> Option<f64> {
        let late = self.late.iter().filter(|late| **late).count();
        (!self.late.is_empty()).then(|| late as f64 / self.late.len() as f64)
    }

    fn measure(&self, metric: impl Fn(&Evaluation) -> Option<f64>) -> Option<Pair> {
        let of = |scores: &[f64]| {
            Evaluation::of(scores, &self.late)
                .ok()
                .and_then(|evaluation| metric(&evaluation))
        };
        Some(Pair {
            frozen: of(&self.frozen)?,
            autopilot: of(&self.autopilot)?,
        })
    }
}

/// Two little-endian `f32`.
const RECORD: usize = 8;
