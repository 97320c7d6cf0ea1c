//! The steps of a reconciliation, one question each.

mod inputs;
mod people;
mod rollout;
mod training;

pub(super) use rollout::action_of;
