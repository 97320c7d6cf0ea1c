//! Given the facts, what may be done?
//!
//! Conditions in a typed subset of CEL are checked at load against a declared fact schema, evaluated over facts that can
//! be missing, stale or invalid, and combined into decisions that explain themselves.
//!
//! ```
//! use noops_core::Timestamp;
//! use noops_policy::{Action, FactDecl, FactSchema, Facts, PolicySet};
//!
//! let schema = FactSchema::new(vec![FactDecl::double("drift.psi").with_min(0.0)])?;
//! let yaml = "{ policy: drift, owner: team, enforcement: advisory, rules: [
//!     { name: far, effect: trigger, action: retrain, when: drift.psi > 0.2, because: inputs moved }] }";
//! let policies = PolicySet::load(&[("drift.yaml", yaml)], &schema)?;
//! let now = Timestamp::UNIX_EPOCH;
//! let mut facts = Facts::new(&schema);
//! assert!(!policies.decide(Action::Retrain, &facts, now).is_allowed());
//! facts.set("drift.psi", 0.31, now)?;
//! assert!(policies.decide(Action::Retrain, &facts, now).is_allowed());
//! # Ok::<(), noops_policy::PolicyError>(())
//! ```
//!
//! # Concepts
//!
//! - A **fact** is a named, typed value with the time at which it was true. A [`FactSchema`] declares it, with its range
//!   and greatest age; [`Facts`] holds the values.
//! - A [`Condition`] is an expression over facts. Its value is a [`Truth`]: a fact that cannot be used makes it unknown,
//!   never silently false.
//! - A [`PolicySet`] holds rules, read from YAML documents with an owner, reasons and tests. Forbidding rules override,
//!   and what no rule speaks for is denied.
//! - A [`Decision`] says what was decided about an [`Action`], by which rules, with which values, against which facts; a
//!   [`Flip`] says what would have changed it.
//! - A [`Governor`] limits how fast automation acts on decisions: kill switch, cooldowns, budgets.
//!
//! # What it does not do
//!
//! It reads no files and no clock, and it acts on nothing: time is an argument, and the host acts. The condition language
//! has no functions but `has`, no lists beyond the literals of `in`, and no loops.

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
