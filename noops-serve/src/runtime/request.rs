//! What a caller asks and gets.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use arrow_array::{RecordBatch, UInt64Array};
use arrow_select::take::take_record_batch;
use noops_canary::Arm;
use noops_core::{Contract, Digest, Encoded, Error, ErrorKind, Rejection, Rows, Scores};

use super::exposure::AnsweredBy;
use super::served::Call;

/// Rows to predict, each with an id of its own.
///
/// # Examples
///
/// ```
/// use std::time::Duration;
/// use noops_core::Rows;
/// use noops_serve::Request;
///
/// let request = Request::of_rows(vec!["order-1".to_owned()], Rows::one(vec![0.25]))?
///     .with_timeout(Duration::from_millis(5));
/// assert_eq!(request.ids(), ["order-1"]);
/// # Ok::<(), noops_core::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Request {
    ids: Vec<String>,
    units: Option<Vec<String>>,
    input: Input,
    call: Call,
    forced: Option<Forced>,
}

/// Who is to answer, whatever the assignment says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Forced {
    Arm(Arm),
    #[cfg(feature = "http")]
    Version(Digest),
}

/// The values of a request. Cloning copies no value.
#[derive(Clone, Debug)]
pub(crate) enum Input {
    Arrow(RecordBatch),
    Rows {
        rows: Arc<Rows>,
        /// The features whose values they are, where the request was made for one contract.
        order: Option<Arc<[String]>>,
    },
}

impl Input {
    pub(crate) fn encode(&self, contract: &Contract) -> Result<Encoded, Error> {
        match self {
            Self::Arrow(rows) => contract.encode(rows),
            Self::Rows { rows, order } => {
                let names = contract.rules().iter().map(|rule| rule.feature().name());
                if let Some(order) = order
                    && !names.eq(order.iter().map(String::as_str))
                {
                    return Err(Error::new(
                        ErrorKind::Unavailable,
                        "read rows",
                        "the model has other features, or in another order; ask again",
                    ));
                }
                contract.encode_rows(rows)
            }
        }
    }

    /// Some of the rows; values without names are those of `order`, unless it is known whose they are.
    fn part(&self, wanted: &[usize], order: &Arc<[String]>) -> Result<Self, Error> {
        match self {
            Self::Arrow(rows) => {
                let wanted = wanted.iter().map(|&row| row as u64);
                let wanted: UInt64Array = wanted
                    .filter(|&row| row < rows.num_rows() as u64)
                    .map(Some)
                    .collect();
                let part = take_record_batch(rows, &wanted).map_err(|error| {
                    Error::new(
                        ErrorKind::Invalid,
                        "take rows of a request",
                        "Arrow refused",
                    )
                    .caused_by(error)
                })?;
                Ok(Self::Arrow(part))
            }
            Self::Rows { rows, order: known } => {
                let of = wanted.iter().filter(|&&row| row < rows.len());
                let numbers = of.clone().flat_map(|&row| rows.numbers_of(row)).copied();
                let texts = of.clone().flat_map(|&row| rows.texts_of(row)).cloned();
                let part = Rows::new(of.count(), numbers.collect(), texts.collect())?;
                Ok(Self::Rows {
                    rows: Arc::new(part),
                    order: known.clone().or_else(|| Some(order.clone())),
                })
            }
        }
    }
}

impl Request {
    /// Rows in Arrow with one id each. The id joins a label to its prediction, and decides the arm unless units are given.
    ///
    /// # Errors
    ///
    /// Refuses a number of ids that differs from the number of rows.
    pub fn new(ids: Vec<String>, rows: RecordBatch) -> Result<Self, Error> {
        one_per_row("ids", ids.len(), rows.num_rows())?;
        Ok(Self::of_input(ids, Input::Arrow(rows)))
    }

    /// Rows without Arrow: the quickest way in for one row.
    ///
    /// # Errors
    ///
    /// Refuses a number of ids that differs from the number of rows.
    pub fn of_rows(ids: Vec<String>, rows: Rows) -> Result<Self, Error> {
        one_per_row("ids", ids.len(), rows.len())?;
        Ok(Self::of_input(
            ids,
            Input::Rows {
                rows: Arc::new(rows),
                order: None,
            },
        ))
    }

    fn of_input(ids: Vec<String>, input: Input) -> Self {
        Self {
            ids,
            units: None,
            input,
            call: Call::default(),
            forced: None,
        }
    }

    /// The unit each row belongs to (a customer, say): a unit stays with its arm.
    ///
    /// # Errors
    ///
    /// Refuses a number of units that differs from the number of rows.
    pub fn with_units(mut self, units: Vec<String>) -> Result<Self, Error> {
        one_per_row("units", units.len(), self.ids.len())?;
        self.units = Some(units);
        Ok(self)
    }

    /// An answer is worth nothing after `timeout`, counted from the call: rows that cannot make it are refused at once, and rows that
    /// did not make it are not run.
    #[must_use]
    pub fn with_timeout(mut self, timeout: Duration) -> Self {
        self.call = self.call.with_timeout(timeout);
        self
    }

    /// Rows of a higher priority are run first, and take the place of others when the queue is full.
    #[must_use]
    pub fn with_priority(mut self, priority: Priority) -> Self {
        self.call = self.call.with_priority(priority);
        self
    }

    /// Has one arm answer, whatever the assignment says. Exposures say so, since such an answer is nothing to judge by.
    #[must_use]
    pub fn with_arm(mut self, arm: Arm) -> Self {
        self.forced = Some(Forced::Arm(arm));
        self
    }

    /// The ids, one per row.
    #[must_use]
    pub fn ids(&self) -> &[String] {
        &self.ids
    }

    /// The rows, where they came in Arrow.
    #[must_use]
    pub fn record_batch(&self) -> Option<&RecordBatch> {
        match &self.input {
            Input::Arrow(rows) => Some(rows),
            Input::Rows { .. } => None,
        }
    }

    pub(crate) fn units(&self) -> &[String] {
        self.units.as_deref().unwrap_or(&self.ids)
    }

    pub(crate) fn input(&self) -> &Input {
        &self.input
    }

    pub(crate) fn call(&self) -> Call {
        self.call
    }

    /// Some of the rows, for another model, when a part of the time is spent. Values without names are those of the features in
    /// `order`: a model that reads others does not get them.
    pub(crate) fn part(
        &self,
        rows: &[usize],
        spent: Duration,
        order: &Arc<[String]>,
    ) -> Result<Self, Error> {
        let pick = |texts: &[String]| {
            let picked = rows.iter().filter_map(|&row| texts.get(row));
            picked.cloned().collect()
        };
        Ok(Self {
            ids: pick(&self.ids),
            units: self.units.as_deref().map(pick),
            input: self.input.part(rows, order)?,
            call: self.call.less(spent),
            forced: self.forced,
        })
    }

    /// Has one version answer, see [`with_arm`](Self::with_arm).
    #[cfg(feature = "http")]
    pub(crate) fn with_version(mut self, version: Digest) -> Self {
        self.forced = Some(Forced::Version(version));
        self
    }

    /// Says in which order the values of the rows are: a model that reads others does not get them.
    #[cfg(feature = "http")]
    pub(crate) fn with_order(mut self, contract: &Contract) -> Self {
        if let Input::Rows { order, .. } = &mut self.input {
            *order = Some(contract.names());
        }
        self
    }

    pub(crate) fn forced(&self) -> Option<Forced> {
        self.forced
    }
}

fn one_per_row(what: &'static str, given: usize, rows: usize) -> Result<(), Error> {
    if given == rows {
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
        .with("rows", rows))
}

/// How much a request matters: a smaller level goes first.
///
/// # Examples
///
/// ```
/// use noops_serve::Priority;
///
/// assert!(Priority::level(1) < Priority::default());
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Priority(u8);

impl Priority {
    /// A level; the smallest goes first. Requests that say nothing are in the middle, at 128.
    #[must_use]
    pub fn level(level: u8) -> Self {
        Self(level)
    }

    pub(crate) fn rank(self) -> u8 {
        self.0
    }
}

impl Default for Priority {
    fn default() -> Self {
        Self(128)
    }
}

/// The answer for one row.
#[derive(Clone, Debug)]
pub struct Prediction {
    pub(crate) answer: Answer,
    pub(crate) version: Digest,
    pub(crate) answered_by: AnsweredBy,
}

/// The numbers of one row: those among which a batch left them, or a constant's.
#[derive(Clone, Debug)]
pub(crate) enum Answer {
    Scored { scores: Arc<Scores>, row: usize },
    Constant(Arc<[f32]>),
}

impl Prediction {
    /// The first number of the model's output.
    #[must_use]
    pub fn score(&self) -> f32 {
        self.scores().first().copied().unwrap_or(f32::NAN)
    }

    /// All numbers of the model's output.
    #[must_use]
    pub fn scores(&self) -> &[f32] {
        match &self.answer {
            Answer::Scored { scores, row } => scores.row(*row).unwrap_or_default(),
            Answer::Constant(scores) => scores,
        }
    }

    /// The version that answered. For a constant it is the digest of its numbers.
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
    /// The answer would have come after its deadline.
    TooLate,
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Contract(rejection) => rejection.fmt(f),
            Self::Model(message) => write!(f, "the model failed: {message}"),
            Self::Overloaded => f.write_str("too many rows wait already; come back later"),
            Self::TooLate => f.write_str(
                "the answer would come after its deadline; allow more time or come back later",
            ),
        }
    }
}

impl std::error::Error for Refusal {}

/// One answer or refusal per row, in the order of the request.
pub type Reply = Vec<Result<Prediction, Refusal>>;
