use std::fmt;
use std::time::Duration;

use jiff::Timestamp;
use noops_core::Digest;
use serde::{Deserialize, Serialize};

use super::class::ActionClass;
use super::fence::Fenced;
use super::targets::TargetsError;
use crate::fact::FactState;

/// Why an action may not begin now.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum RefusalReason {
    /// Everything is stopped.
    KillSwitch,
    /// The target is empty.
    NoTarget,
    /// The targets are no set of explicit ids.
    InvalidTargets(TargetsError),
    /// The action ran on this target too recently.
    Cooldown {
        /// When it may run on it again.
        until: Timestamp,
    },
    /// The action ran too often.
    Budget {
        /// How often it may run.
        actions: u32,
        /// Within which time.
        window: Duration,
        /// When it may run again; none when the budget allows none at all.
        until: Option<Timestamp>,
    },
    /// There were too many actions over everything.
    Total {
        /// How many there may be.
        actions: u32,
        /// Within which time.
        window: Duration,
        /// When it may run; none when the budget never allows as much.
        until: Option<Timestamp>,
    },
    /// The action ran as often as it may without a person.
    NeedsApproval {
        /// How often it may run without one.
        actions: u32,
        /// Within which time.
        window: Duration,
        /// When it may run again without one; none when it never may.
        until: Option<Timestamp>,
    },
    /// The class of the action would reach too many targets.
    BlastRadius {
        /// The class.
        class: ActionClass,
        /// How many targets it may reach.
        targets: u32,
        /// Within which time.
        window: Duration,
        /// When it may reach these; none when there are too many at once.
        until: Option<Timestamp>,
    },
    /// The chain of actions that caused it is too long.
    TooDeep {
        /// Its depth.
        depth: u32,
        /// The greatest depth.
        limit: u32,
    },
    /// A target turned round too often and is frozen.
    Flapping {
        /// The target.
        target: String,
        /// When it is no longer frozen if nothing asks to turn round again; none when only a person can end it.
        until: Option<Timestamp>,
    },
    /// Flapping is watched for, and it is not said which way a scale action goes.
    NoDirection,
    /// The limits need a count of the fleet, and there is none.
    NoFleet,
    /// The fleet was counted too long ago, or by a clock that is ahead.
    FleetStale {
        /// When it was counted.
        counted: Timestamp,
    },
    /// The fleet is said to be empty.
    FleetEmpty {
        /// Its selector.
        selector: String,
    },
    /// The fleet is said to be smaller than the set of targets.
    FleetTooSmall {
        /// Its size.
        size: u64,
        /// The number of targets.
        targets: usize,
    },
    /// The fleet changed more since the last look than is believed.
    FleetChanged {
        /// Its selector.
        selector: String,
        /// Its size at the last look.
        before: u64,
        /// Its size now.
        size: u64,
    },
    /// More fleets were looked at than are kept in mind.
    TooManyFleets {
        /// How many are.
        limit: usize,
    },
    /// Too few would stay healthy.
    TooFewHealthy {
        /// How many would.
        left: u64,
        /// How many must.
        floor: u64,
    },
    /// The limits need the facts that it rests on, and there are none.
    NoFacts,
    /// A fact that it rests on has no value to use.
    FactUnusable {
        /// The fact.
        fact: String,
        /// Its state.
        state: FactState,
    },
    /// The facts that it rests on are too old, or were stamped by a clock that is ahead.
    FactsStale {
        /// The time of the oldest.
        oldest: Timestamp,
    },
    /// A newer leader has acted.
    Fenced(Fenced),
    /// The same was begun before.
    Repeated {
        /// The idempotency key.
        key: Digest,
        /// When it was begun.
        at: Timestamp,
    },
    /// The permit is too old, or was issued by another governor.
    PermitLapsed {
        /// When it was issued.
        issued: Timestamp,
    },
    /// More is on record than can be kept in mind.
    Full {
        /// How much is kept in mind.
        limit: usize,
        /// When there is room; none when the request is too large.
        until: Option<Timestamp>,
    },
}

impl fmt::Display for RefusalReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::KillSwitch => write!(f, "is stopped by the kill switch"),
            Self::NoTarget => write!(f, "has no target; an empty target never means all of them"),
            Self::InvalidTargets(error) => write!(f, "is refused: {error}"),
            Self::Cooldown { until } => write!(f, "is cooling down until `{until}`"),
            Self::Budget {
                actions,
                window,
                until,
            } => {
                write!(f, "exceeds the budget of `{actions}` in `{window:?}`")?;
                wait(f, *until, "raise the budget to allow any")
            }
            Self::Total {
                actions,
                window,
                until,
            } => {
                write!(
                    f,
                    "exceeds the budget of `{actions}` actions over everything in `{window:?}`"
                )?;
                wait(f, *until, "split the action or raise the budget")
            }
            Self::NeedsApproval {
                actions,
                window,
                until,
            } => {
                write!(
                    f,
                    "needs a person's approval after `{actions}` in `{window:?}`"
                )?;
                wait(f, *until, "none may run without")
            }
            Self::BlastRadius {
                class,
                targets,
                window,
                until,
            } => {
                write!(
                    f,
                    "reaches more than `{targets}` targets of {class} actions in `{window:?}`"
                )?;
                wait(f, *until, "split the action or raise the limit")
            }
            Self::TooDeep { depth, limit } => write!(
                f,
                "is `{depth}` deep in a chain of actions, beyond `{limit}`; a person must begin a new one"
            ),
            Self::Flapping { target, until } => {
                write!(
                    f,
                    "is frozen because `{target}` flaps; a person must acknowledge"
                )?;
                match until {
                    Some(until) => write!(f, ", or nothing turn round until `{until}`"),
                    None => Ok(()),
                }
            }
            Self::NoDirection => write!(f, "does not say which way it goes; say up or down"),
            Self::NoFleet => write!(f, "comes without a count of the fleet; count it"),
            Self::FleetStale { counted } => write!(
                f,
                "rests on a count of the fleet of `{counted}`; count it again"
            ),
            Self::FleetEmpty { selector } => write!(
                f,
                "belongs to fleet `{selector}`, which is said to be empty; check the selector and its source"
            ),
            Self::FleetTooSmall { size, targets } => write!(
                f,
                "has `{targets}` targets in a fleet of `{size}`; check the selector and its source"
            ),
            Self::FleetChanged {
                selector,
                before,
                size,
            } => write!(
                f,
                "belongs to fleet `{selector}`, which went from `{before}` to `{size}` between two looks; a person must acknowledge its size"
            ),
            Self::TooManyFleets { limit } => write!(
                f,
                "belongs to a fleet beyond the `{limit}` that are kept in mind; forget one"
            ),
            Self::TooFewHealthy { left, floor } => write!(
                f,
                "would leave `{left}` healthy, below the floor of `{floor}`; bring some back first"
            ),
            Self::NoFacts => write!(f, "does not say which facts it rests on; say which"),
            Self::FactUnusable { fact, state } => {
                let state = match state {
                    FactState::Known => "known",
                    FactState::Missing => "missing",
                    FactState::Stale => "stale",
                    FactState::Invalid => "invalid",
                };
                write!(
                    f,
                    "rests on fact `{fact}`, which is {state}; measure and decide again"
                )
            }
            Self::FactsStale { oldest } => {
                write!(f, "rests on facts of `{oldest}`; measure and decide again")
            }
            Self::Fenced(fenced) => write!(f, "is refused: {fenced}"),
            Self::Repeated { key, at } => write!(
                f,
                "was begun at `{at}` under key `{}`; verify its outcome, or want it anew under a new epoch",
                key.short()
            ),
            Self::PermitLapsed { issued } => write!(
                f,
                "has a permit of `{issued}` that is no longer known; decide again"
            ),
            Self::Full { limit, until } => {
                write!(
                    f,
                    "finds `{limit}` runs on record, which is all there is room for"
                )?;
                wait(f, *until, "split the action")
            }
        }
    }
}

fn wait(f: &mut fmt::Formatter<'_>, until: Option<Timestamp>, otherwise: &str) -> fmt::Result {
    match until {
        Some(until) => write!(f, "; wait until `{until}`"),
        None => write!(f, "; {otherwise}"),
    }
}
