#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

mod action;
pub mod alert;
pub mod approval;
pub mod backtest;
pub mod cel;
mod condition;
pub mod cost;
mod decision;
mod document;
mod error;
mod fact;
mod flip;
pub mod governance;
pub mod governor;
pub mod json_schema;
mod parameter;
#[cfg(feature = "rego")]
pub mod rego;
pub mod runbook;
mod set;
pub mod slo;
mod suggest;

pub use action::{Action, UnknownAction};
pub use condition::{Clause, Condition, Evaluation, Truth};
pub use decision::{Decision, Effect, RuleOutcome};
pub use document::{Enforcement, Expectation, RuleEffect};
pub use error::{PolicyError, Position};
pub use fact::{
    FactDecl, FactEntry, FactRecord, FactSchema, FactState, FactType, FactValue, Facts,
};
pub use flip::{FactChange, Flip};
pub use governor::{Budget, Governor, GovernorSettings, Refusal, RefusalReason};
pub use set::{PolicySet, RefusedReload, Reload, ReloadRefused, TestFailure, Verdict};

#[doc = include_str!("../POLICIES.md")]
pub mod guide {}
