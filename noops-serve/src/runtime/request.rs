//! What a caller asks and gets.

use std::fmt;

use arrow_array::RecordBatch;
use noops_core::{Digest, Error, ErrorKind, Rejection};

use super::exposure::AnsweredBy;

/// Rows to predict, each with an id of its own.
#[derive(Clone, Debug)]
pub struct Request {
    ids: Vec<String>,
    units: Option<Vec<String>>,
    rows: RecordBatch,
}

impl Request {
    /// Rows with one id each. The id joins a label to its prediction, and decides the arm unless units are given.
    ///
    /// # Errors
    ///
    /// Refuses a number of ids that differs from the number of rows.
    pub fn new(ids: Vec<String>, rows: RecordBatch) -> Result<Self, Error> {
        one_per_row("ids", ids.len(), &rows)?;
        Ok(Self {
            ids,
            units: None,
            rows,
        })
    }

    /// The unit each row belongs to (a customer, say): a unit stays with its arm.
    ///
    /// # Errors
    ///
    /// Refuses a number of units that differs from the number of rows.
    pub fn with_units(mut self, units: Vec<String>) -> Result<Self, Error> {
        one_per_row("units", units.len(), &self.rows)?;
        self.units = Some(units);
        Ok(self)
    }

    /// The ids, one per row.
    #[must_use]
    pub fn ids(&self) -> &[String] {
        &self.ids
    }

    /// The rows.
    #[must_use]
    pub fn rows(&self) -> &RecordBatch {
        &self.rows
    }

    pub(crate) fn units(&self) -> &[String] {
        self.units.as_deref().unwrap_or(&self.ids)
    }
}

fn one_per_row(what: &'static str, given: usize, rows: &RecordBatch) -> Result<(), Error> {
    if given == rows.num_rows() {
        return Ok(());
    }
    let error = Error::new(
        ErrorKind::Invalid,
        "build a request",
        "there must be one per row",
    );
    Err(error
        .with("what", what)
        .with("given", given)
        .with("rows", rows.num_rows()))
}

/// The answer for one row.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Prediction {
    pub(crate) score: f32,
    pub(crate) version: Digest,
    pub(crate) answered_by: AnsweredBy,
}

impl Prediction {
    /// The first number of the model's output.
    #[must_use]
    pub fn score(&self) -> f32 {
        self.score
    }

    /// The version that answered.
    #[must_use]
    pub fn version(&self) -> Digest {
        self.version
    }

    /// The arm that answered.
    #[must_use]
    pub fn answered_by(&self) -> AnsweredBy {
        self.answered_by
    }
}

/// Why one row has no answer.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Refusal {
    /// The row breaks the contract.
    Contract(Rejection),
    /// The model failed.
    Model(String),
    /// Too many rows wait already.
    Overloaded,
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Contract(rejection) => rejection.fmt(f),
            Self::Model(message) => write!(f, "the model failed: {message}"),
            Self::Overloaded => f.write_str("too many rows wait already; come back later"),
        }
    }
}

impl std::error::Error for Refusal {}

/// One answer or refusal per row, in the order of the request.
pub type Reply = Vec<Result<Prediction, Refusal>>;
