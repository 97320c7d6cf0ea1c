use std::collections::{BTreeMap, VecDeque};

use noops_core::Timestamp;
use serde::{Deserialize, Serialize};

use crate::alert::config::Flapping;
use crate::alert::duration::after;
use crate::alert::fingerprint::Fingerprint;
use crate::alert::model::Alert;
use crate::alert::suppression::{Suppression, SuppressionRecord};

/// An alert that fires, or did so lately.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Entry {
    pub(super) alert: Alert,
    pub(super) phase: Phase,
    /// When its timer rings: not later than it must, and earlier where the alert was heard of since.
    pub(super) rings: Timestamp,
    /// How many episodes had the same start before this one: start and number name an episode.
    pub(super) episode: u32,
    /// When it began to fire, lately.
    pub(super) starts: VecDeque<Timestamp>,
    pub(super) acknowledged: Option<String>,
    pub(super) late_until: Option<Timestamp>,
    pub(super) records: Vec<SuppressionRecord>,
    /// The groups that it belongs to; derived.
    #[serde(skip)]
    pub(super) groups: Vec<u64>,
    /// What holds it back wherever it is routed; derived.
    #[serde(skip)]
    pub(super) hold: Option<Suppression>,
}

impl Entry {
    pub(super) fn is_firing(&self) -> bool {
        matches!(self.phase, Phase::Firing { .. })
    }

    /// Until when it counts as flapping, if it does.
    pub(super) fn flaps_until(
        &self,
        flapping: Option<&Flapping>,
        now: Timestamp,
    ) -> Option<Timestamp> {
        let flapping = flapping?;
        let index = self.starts.len().checked_sub(flapping.episodes)?;
        let until = after(*self.starts.get(index)?, flapping.within);
        (now < until).then_some(until)
    }

    /// The moment at which something becomes of it.
    pub(super) fn deadline(&self) -> Timestamp {
        match self.phase {
            Phase::Firing { expires } => expires,
            Phase::Resolved { forget } => forget,
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(super) enum Phase {
    /// Until then, unless it is heard of again.
    Firing { expires: Timestamp },
    /// Remembered until then.
    Resolved { forget: Timestamp },
}

/// Alerts of one route that are told together.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Group {
    pub(super) id: u64,
    pub(super) key: String,
    pub(super) route_key: String,
    pub(super) labels: BTreeMap<String, String>,
    /// Those that fire, and those whose end the receiver is still to be told.
    pub(super) members: BTreeMap<Fingerprint, Option<Told>>,
    pub(super) change_due: Option<Timestamp>,
    pub(super) repeat_due: Option<Timestamp>,
    pub(super) last_notified: Option<Timestamp>,
    pub(super) repeats: u64,
    pub(super) escalation: Option<Escalation>,
    /// The timer that is set; stored, because a flush that came to nothing leaves none behind.
    pub(super) armed: Option<Timestamp>,
    /// The index of its route; derived.
    #[serde(skip)]
    pub(super) route: usize,
}

/// What the receiver of a group knows of an alert: that an episode of it fires.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Told {
    pub(super) start: Timestamp,
    pub(super) episode: u32,
    /// How many levels of the escalation chain know too.
    pub(super) levels: usize,
}

impl Told {
    pub(super) fn is_of(&self, entry: &Entry) -> bool {
        (self.start, self.episode) == (entry.alert.starts_at(), entry.episode)
    }
}

/// How far the escalation of a group has come.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Escalation {
    /// The level that is told next.
    pub(super) level: usize,
    /// When; never, if all levels were told.
    pub(super) at: Option<Timestamp>,
}
