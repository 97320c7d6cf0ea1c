use std::collections::BTreeSet;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::class::{ActionClass, Heading};
use super::targets::Targets;
use crate::action::Action;

/// An action that was begun on a target.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Run {
    pub(super) action: Action,
    pub(super) target: String,
    pub(super) at: Timestamp,
    /// How many runs of a row came before it.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub(super) repeats: u32,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) heading: Option<Heading>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) approved: Option<Approved>,
}

impl Run {
    pub(super) fn class(&self) -> ActionClass {
        ActionClass::of(self.action)
    }

    pub(super) fn is_message(&self) -> bool {
        self.class() == ActionClass::Message
    }
}

/// A person approved it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Approved {
    ByAPerson,
}

/// Whether `adding` more fit beside what still counts; if not, when enough of that has ended, which never happens when as many
/// are too many by themselves.
pub(super) fn room(
    mut ends: Vec<Timestamp>,
    adding: usize,
    limit: u32,
) -> Result<(), Option<Timestamp>> {
    let limit = usize::try_from(limit).unwrap_or(usize::MAX);
    let total = ends.len().saturating_add(adding);
    let Some(last) = total.saturating_sub(limit).checked_sub(1) else {
        return Ok(());
    };
    ends.sort_unstable();
    Err(ends.get(last).copied())
}

/// The ends of the targets that still count and are not among `targets`: one for each, that of its last run.
pub(super) fn other_targets<'a>(
    runs: impl DoubleEndedIterator<Item = (&'a Run, Timestamp)>,
    targets: &Targets,
) -> Vec<Timestamp> {
    let mut seen = BTreeSet::new();
    runs.rev()
        .filter(|(run, _)| !targets.contains(&run.target) && seen.insert(run.target.as_str()))
        .map(|(_, end)| end)
        .collect()
}

/// At most as much of an id as a target may have.
pub(super) fn bounded(target: &str) -> &str {
    let end = target.floor_char_boundary(Targets::MAX_ID);
    target.get(..end).unwrap_or_default()
}

fn is_zero(count: &u32) -> bool {
    *count == 0
}
