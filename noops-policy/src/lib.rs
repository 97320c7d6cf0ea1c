#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

mod action;
mod cel;
mod decision;
mod document;
mod error;
mod fact;
mod flip;
mod governor;
mod set;
mod suggest;

pub use action::{Action, UnknownAction};
pub use cel::{Clause, Condition, Evaluation, Truth};
pub use decision::{Decision, Effect, RuleOutcome};
pub use document::{Enforcement, Expectation, RuleEffect};
pub use error::{PolicyError, Position};
pub use fact::{
    FactDecl, FactEntry, FactRecord, FactSchema, FactState, FactType, FactValue, Facts,
};
pub use flip::Flip;
pub use governor::{Budget, Governor, GovernorSettings, Refusal, RefusalReason};
pub use set::{PolicySet, TestFailure};
