//! Closing the loop: observe, decide by policy, act, prove.

mod alias;
mod begin;
mod candidate;
mod controller;
mod experiment;
mod facts;
mod journal;
mod judge_settings;
mod reference;
mod settings;
mod state;
mod steps;
mod verify;
mod watch;

pub use controller::{Acted, Components, Controller};
pub use experiment::Experiment;
pub use facts::fact_schema;
pub use journal::{Entry, Evidence, PolicyDocument, Start, Subject};
pub use judge_settings::JudgeSettings;
pub use reference::Reference;
pub use settings::ControlSettings;
pub use state::{Champion, ControlState, DriftSummary, TrainingJob};
pub use verify::{Verified, VerifyError, verify_decisions};
