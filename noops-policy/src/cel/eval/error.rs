use std::borrow::Cow;
use std::fmt;

/// What went wrong while an expression was evaluated.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum EvaluationErrorKind {
    /// A function or operator does not take arguments of these types.
    NoSuchOverload,
    /// A whole number was divided by zero.
    DivisionByZero,
    /// The result is outside the range of its type.
    Overflow,
    /// A double came out infinite or NaN where only finite ones are accepted.
    NotFinite,
    /// A map has no such key.
    NoSuchKey,
    /// A list has no such place, or a text no such character.
    IndexOutOfBounds,
    /// The key is there twice in a map.
    RepeatedKey,
    /// A function was given something of the right type that it cannot work with.
    InvalidArgument,
    /// The expression costs more than it may.
    OutOfFuel,
    /// A variable has no value.
    UnboundVariable,
}

/// Why an expression came to no value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EvaluationError {
    kind: EvaluationErrorKind,
    message: Cow<'static, str>,
    /// The byte of the source at which the failing part begins.
    at: Option<usize>,
}

impl EvaluationError {
    pub(crate) fn new(kind: EvaluationErrorKind, message: impl Into<Cow<'static, str>>) -> Self {
        Self {
            kind,
            message: message.into(),
            at: None,
        }
    }

    /// A declared variable was given no value.
    pub(crate) fn unbound(name: &str) -> Self {
        Self::new(
            EvaluationErrorKind::UnboundVariable,
            format!("`{name}` has no value; bind one"),
        )
    }

    pub(crate) fn invalid(message: impl Into<Cow<'static, str>>) -> Self {
        Self::new(EvaluationErrorKind::InvalidArgument, message)
    }

    /// Places the error, unless an inner part of the expression did already.
    pub(crate) fn placed(mut self, at: usize) -> Self {
        self.at.get_or_insert(at);
        self
    }

    /// What went wrong.
    pub fn kind(&self) -> EvaluationErrorKind {
        self.kind
    }

    /// The byte of the source at which the part that failed begins, where it is known.
    pub fn at(&self) -> Option<usize> {
        self.at
    }
}

impl fmt::Display for EvaluationError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for EvaluationError {}
