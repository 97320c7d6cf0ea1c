mod ast;
mod checker;
mod condition;
mod eval;
mod lexer;
mod lint;
mod parser;
mod program;
#[cfg(test)]
mod tests;

pub use condition::{Clause, Condition, Evaluation};
pub use eval::Truth;

pub(crate) use ast::Comparison;
pub(crate) use eval::{ClauseValue, Outcome};
pub(crate) use program::ClauseShape;

/// A refusal at a byte of the source.
#[derive(Clone, Debug, PartialEq)]
struct CelError {
    at: usize,
    problem: String,
}

impl CelError {
    fn new(at: usize, problem: impl Into<String>) -> Self {
        Self {
            at,
            problem: problem.into(),
        }
    }
}
