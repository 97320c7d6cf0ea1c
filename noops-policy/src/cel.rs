//! The Common Expression Language: values, types, and expressions that are checked when they are loaded.
//!
//! Conditions and parameters of policies are written in it; [`Expression`] is the language on its own, for hosts that want
//! it for their own purposes.

pub(crate) mod ast;
pub(crate) mod checker;
pub(crate) mod environment;
pub(crate) mod error;
pub(crate) mod eval;
mod expression;
pub(crate) mod function;
mod lexer;
mod library;
mod literal;
mod macros;
mod map;
pub(crate) mod parser;
mod signatures;
pub(crate) mod typed;
pub(crate) mod types;
mod unify;
pub(crate) mod value;

pub use environment::Environment;
pub use eval::{EvaluationError, EvaluationErrorKind};
pub use expression::Expression;
pub use map::{Map, MapError};
pub use types::Type;
pub use value::Value;
