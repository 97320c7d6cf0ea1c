//! Whether an answer may leave.

use std::fmt::Debug;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use noops_core::{Contract, Error, ErrorKind};

use super::features::FeatureReader;
use super::{RowFeatures, Target, Veto, VetoCause};

/// A safety check of the host's own.
///
/// # Contract
///
/// * `judge` MUST NOT block: it is called on the path of the prediction, once per answered row.
/// * An error, a panic, and a verdict after the request's deadline keep the answer back as a veto does.
pub trait Guard: Debug + Send + Sync + 'static {
    /// Whether the answer for a row may leave.
    ///
    /// # Errors
    ///
    /// When it cannot tell, which keeps the answer back.
    fn judge(&self, row: &Judged<'_>) -> Result<Verdict, Error>;
}

/// What a guard says of an answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It may leave.
    Pass,
    /// It may not.
    Veto {
        /// The reason, for people.
        because: String,
    },
}

/// A row and its answer, as a guard sees them.
#[derive(Clone, Copy, Debug)]
pub struct Judged<'a> {
    pub(super) id: &'a str,
    pub(super) features: RowFeatures<'a>,
    pub(super) scores: &'a [f32],
}

impl<'a> Judged<'a> {
    /// The id of the row.
    #[must_use]
    pub fn id(&self) -> &'a str {
        self.id
    }

    /// The features, as they came.
    #[must_use]
    pub fn features(&self) -> RowFeatures<'a> {
        self.features
    }

    /// The scores that are to leave.
    #[must_use]
    pub fn scores(&self) -> &'a [f32] {
        self.scores
    }
}

/// The safety check of a [`Guarded`](super::Guarded) router: a guard of the host's, or another model.
#[derive(Clone, Debug)]
pub struct GuardCheck(pub(super) Check);

#[derive(Clone, Debug)]
pub(super) enum Check {
    Host {
        guard: Arc<dyn Guard>,
        reader: FeatureReader,
    },
    Model {
        target: Target,
        above: f32,
    },
}

impl GuardCheck {
    /// A guard of the host's, which reads rows by a contract. Nothing is refused or repaired by it; a request that cannot be read by it
    /// is vetoed.
    ///
    /// # Errors
    ///
    /// As for [`Contract::new`].
    pub fn host(guard: Arc<dyn Guard>, reads: &Contract) -> Result<Self, Error> {
        Ok(Self(Check::Host {
            guard,
            reader: FeatureReader::new(reads)?,
        }))
    }

    /// A model that is shown the rows, not the answers, and vetoes where its first number is above a threshold. It also keeps back what
    /// it cannot answer, refuses, or answers with its fallback.
    ///
    /// # Errors
    ///
    /// Refuses a threshold that is NaN.
    pub fn model(target: Target, above: f32) -> Result<Self, Error> {
        if above.is_nan() {
            return Err(Error::new(
                ErrorKind::Invalid,
                "build a guard",
                "the threshold is NaN; give a number",
            )
            .with("model", target.name()));
        }
        Ok(Self(Check::Model { target, above }))
    }
}

/// Asks a guard of the host's.
pub(super) fn ask(guard: &dyn Guard, judged: &Judged<'_>) -> Option<Veto> {
    let verdict = catch_unwind(AssertUnwindSafe(|| guard.judge(judged)));
    match verdict {
        Ok(Ok(Verdict::Pass)) => None,
        Ok(Ok(Verdict::Veto { because })) => Some(Veto {
            cause: VetoCause::Verdict,
            because,
        }),
        Ok(Err(error)) => Some(failed(&error.to_string())),
        Err(_) => Some(failed("it panicked")),
    }
}

pub(super) fn failed(because: &str) -> Veto {
    Veto {
        cause: VetoCause::Failed,
        because: format!("the guard failed: {because}"),
    }
}

pub(super) fn late() -> Veto {
    Veto {
        cause: VetoCause::Late,
        because: "the guard had no verdict by the deadline".to_owned(),
    }
}
