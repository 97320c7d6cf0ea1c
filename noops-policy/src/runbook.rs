//! What to do when something is wrong, as steps that check themselves: precondition, action, verification and undo.
//!
//! A [`Runbook`] is a document that is refused at load when it is wrong. A [`RunbookRun`] follows it: it performs nothing
//! itself, it gives orders to a host and is told what became of them. It fails closed: a step begins only while its
//! precondition is known to hold, a step that is not marked safe waits for a person, and a verification that does not
//! hold in time is undone and escalated.

mod document;
mod error;
mod order;
mod run;
mod state;

pub use document::{Automation, Runbook, Step, Undo};
pub use error::RunbookError;
pub use order::{Escalation, Order, Question, RunbookEvent, Task};
pub use run::RunbookRun;
pub use state::{RunState, RunStatus};

#[cfg(test)]
mod tests;
