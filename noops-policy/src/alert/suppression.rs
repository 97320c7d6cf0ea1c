use std::fmt;

use noops_core::Timestamp;
use serde::{Deserialize, Serialize};

use super::fingerprint::Fingerprint;

/// The rule by which somebody was not told.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
#[non_exhaustive]
pub enum Suppression {
    /// A person silenced it.
    Silence {
        /// The silence.
        id: String,
        /// Who ordered it.
        author: String,
    },
    /// It lies in a maintenance window.
    Maintenance {
        /// The name of the window.
        window: String,
    },
    /// A more telling alert fires.
    Inhibition {
        /// The inhibition rule.
        rule: String,
        /// An alert that inhibits it.
        source: Fingerprint,
    },
    /// A deploy is under way, or has just ended.
    Deploy {
        /// The deploy rule.
        rule: String,
    },
    /// The route is muted at this time.
    TimeInterval {
        /// The interval that mutes it, or the intervals outside of which it is.
        interval: String,
        /// When that changes, if it does.
        until: Option<Timestamp>,
    },
    /// Somebody has taken it, so that it does not escalate.
    Acknowledged {
        /// Who has.
        by: String,
    },
    /// It comes and goes so often that its changes are not told one by one.
    Flapping {
        /// How often it has begun to fire within the window.
        episodes: u32,
    },
    /// It waits for others of its group.
    GroupWait {
        /// When the group is told.
        until: Timestamp,
    },
    /// The receiver knows.
    AlreadyNotified {
        /// When it was told last.
        at: Timestamp,
        /// When it is told again.
        repeat_at: Timestamp,
    },
    /// Another router has told the receiver that it is over; news of it firing since the same time is late.
    ResolvedByPeer {
        /// Until when such news is taken to be late.
        until: Timestamp,
    },
    /// More alerts fire than the router holds.
    Capacity {
        /// The greatest number of alerts.
        most: usize,
    },
}

impl fmt::Display for Suppression {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Silence { id, author } => write!(f, "silence `{id}` of `{author}`"),
            Self::Maintenance { window } => write!(f, "maintenance window `{window}`"),
            Self::Inhibition { rule, source } => {
                write!(f, "inhibition rule `{rule}`, because `{source}` fires")
            }
            Self::Deploy { rule } => write!(f, "deploy rule `{rule}`"),
            Self::TimeInterval {
                interval,
                until: Some(until),
            } => write!(f, "the route is muted by `{interval}` until `{until}`"),
            Self::TimeInterval {
                interval,
                until: None,
            } => write!(f, "the route is muted by `{interval}`"),
            Self::Acknowledged { by } => write!(f, "acknowledged by `{by}`"),
            Self::Flapping { episodes } => write!(f, "flapping: began to fire `{episodes}` times"),
            Self::GroupWait { until } => write!(f, "its group is told at `{until}`"),
            Self::AlreadyNotified { at, repeat_at } => {
                write!(f, "told at `{at}`, and again at `{repeat_at}`")
            }
            Self::ResolvedByPeer { until } => {
                write!(f, "a peer told that it is over; late news until `{until}`")
            }
            Self::Capacity { most } => write!(f, "more than `{most}` alerts fire"),
        }
    }
}

/// That a receiver was not told of an alert, and by which rule.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[must_use]
pub struct SuppressionRecord {
    pub(super) fingerprint: Fingerprint,
    pub(super) receiver: Option<String>,
    pub(super) rule: Suppression,
    pub(super) first: Timestamp,
    pub(super) last: Timestamp,
    pub(super) count: u64,
}

impl SuppressionRecord {
    pub(super) fn new(
        fingerprint: Fingerprint,
        receiver: Option<&str>,
        rule: Suppression,
        now: Timestamp,
    ) -> Self {
        Self {
            fingerprint,
            receiver: receiver.map(str::to_owned),
            rule,
            first: now,
            last: now,
            count: 1,
        }
    }

    /// The alert.
    pub fn fingerprint(&self) -> Fingerprint {
        self.fingerprint
    }

    /// Who was not told; none where nobody was, whatever the route.
    pub fn receiver(&self) -> Option<&str> {
        self.receiver.as_deref()
    }

    /// The rule.
    pub fn rule(&self) -> &Suppression {
        &self.rule
    }

    /// When the rule first held a notification back.
    pub fn first(&self) -> Timestamp {
        self.first
    }

    /// When it last did.
    pub fn last(&self) -> Timestamp {
        self.last
    }

    /// How many notifications it held back.
    pub fn count(&self) -> u64 {
        self.count
    }
}

/// The newest records of one alert, at most [`MAX_RECORDS`]; the same rule is one record with a count.
pub(super) fn note(records: &mut Vec<SuppressionRecord>, new: SuppressionRecord) {
    let known = records
        .iter_mut()
        .find(|record| record.rule == new.rule && record.receiver == new.receiver);
    if let Some(record) = known {
        record.last = new.last;
        record.count = record.count.saturating_add(1);
        return;
    }
    if records.len() >= MAX_RECORDS {
        let oldest = records
            .iter()
            .enumerate()
            .min_by_key(|(_, record)| record.last)
            .map(|(index, _)| index);
        if let Some(index) = oldest {
            let _ = records.remove(index);
        }
    }
    records.push(new);
}

/// More rules per alert are forgotten, oldest first.
pub(super) const MAX_RECORDS: usize = 16;

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    #[test]
    fn records_of_one_rule_are_counted_and_all_are_bounded() {
        let fingerprint = Fingerprint::of(&BTreeMap::new());
        let mut records = Vec::new();
        for second in 0..100 {
            let at = Timestamp::from_second(second).unwrap();
            for id in [second.to_string(), "often".to_owned()] {
                let rule = Suppression::Deploy { rule: id };
                note(
                    &mut records,
                    SuppressionRecord::new(fingerprint, Some("r"), rule, at),
                );
            }
        }
        assert_eq!(records.len(), MAX_RECORDS);
        let often = Suppression::Deploy {
            rule: "often".to_owned(),
        };
        let record = records.iter().find(|record| record.rule == often).unwrap();
        assert_eq!(record.count(), 100);
        assert_eq!(record.first(), Timestamp::UNIX_EPOCH);
    }
}
