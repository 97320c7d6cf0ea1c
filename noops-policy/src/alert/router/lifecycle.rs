use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;

use noops_core::Timestamp;

use super::group::{Entry, Group, Phase};
use super::{Forgotten, Router};
use crate::alert::config::{Compiled, SendResolved};
use crate::alert::duration::after;
use crate::alert::event::Outcome;
use crate::alert::fingerprint::Fingerprint;
use crate::alert::model::Alert;
use crate::alert::route::{Route, matching};
use crate::alert::suppression::{Suppression, SuppressionRecord, note};

impl Router {
    pub(super) fn fire(&mut self, alert: Alert, now: Timestamp, outcomes: &mut Vec<Outcome>) {
        let fingerprint = alert.fingerprint();
        if let Some(end) = alert.ends_at().filter(|end| *end <= now) {
            self.resolve(fingerprint, end, now);
            return;
        }
        let expires = alert
            .ends_at()
            .unwrap_or_else(|| after(now, self.config.resolve_timeout()));
        let most = self.config.compiled().max_alerts;
        let full = self.alerts.len() >= most
            && !self.alerts.contains_key(&fingerprint)
            && !self.make_room();
        let Some(entry) = self.alerts.get_mut(&fingerprint) else {
            if full {
                let rule = Suppression::Capacity { most };
                let record = SuppressionRecord::new(fingerprint, None, rule, now);
                self.remember(fingerprint, vec![record.clone()]);
                outcomes.push(Outcome::Suppressed(record));
            } else {
                self.begin(alert, expires, now);
            }
            return;
        };
        if entry.is_firing() {
            // The start of an episode names it, so it stays when the sender restarts and counts anew.
            let start = entry.alert.starts_at();
            entry.alert = alert.with_starts_at(start);
            entry.phase = Phase::Firing { expires };
            if expires < entry.rings {
                set_timer(&mut self.alert_timers, entry, expires);
            }
            return;
        }
        let late = entry
            .late_until
            .filter(|until| now < *until && alert.starts_at() <= entry.alert.starts_at());
        if let Some(until) = late {
            let rule = Suppression::ResolvedByPeer { until };
            let record = SuppressionRecord::new(fingerprint, None, rule, now);
            note(&mut entry.records, record.clone());
            outcomes.push(Outcome::Suppressed(record));
            return;
        }
        self.begin(alert, expires, now);
    }

    /// Forgets one alert that is over, so that what is only remembered keeps nobody from being heard.
    fn make_room(&mut self) -> bool {
        let timers = self.alert_timers.iter().take(MOST_LOOKED_AT);
        let over = timers.map(|(_, fingerprint)| *fingerprint).find(|found| {
            self.alerts
                .get(found)
                .is_some_and(|entry| !entry.is_firing() && entry.groups.is_empty())
        });
        let Some(fingerprint) = over else {
            return false;
        };
        let Some(entry) = self.alerts.remove(&fingerprint) else {
            return false;
        };
        self.alert_timers.remove(&(entry.rings, fingerprint));
        self.remember(fingerprint, entry.records);
        true
    }

    /// Begins an episode of an alert that does not fire.
    pub(super) fn begin(&mut self, alert: Alert, expires: Timestamp, now: Timestamp) {
        let compiled = Arc::clone(self.config.compiled());
        let fingerprint = alert.fingerprint();
        let groups = self.place(&compiled, &alert);
        let mut entry = match self.alerts.remove(&fingerprint) {
            Some(mut known) => {
                let before = known.alert.starts_at();
                // Episodes are ordered by start and number, whatever start the sender states.
                if alert.starts_at() > before {
                    known.episode = 0;
                    known.alert = alert;
                } else {
                    known.episode = known.episode.saturating_add(1);
                    known.alert = alert.with_starts_at(before);
                }
                known
            }
            None => Box::new(Entry {
                groups: Vec::new(),
                rings: expires,
                alert,
                phase: Phase::Firing { expires },
                episode: 0,
                starts: VecDeque::new(),
                acknowledged: None,
                late_until: None,
                records: Vec::new(),
                hold: None,
            }),
        };
        entry.phase = Phase::Firing { expires };
        entry.acknowledged = None;
        entry.late_until = None;
        if let Some(flapping) = &compiled.flapping {
            entry.starts.push_back(now);
            while entry.starts.len() > flapping.episodes {
                entry.starts.pop_front();
            }
        }
        set_timer(&mut self.alert_timers, &mut entry, expires);
        let touched = self.inhibitions.insert(&compiled.inhibitions, &entry.alert);
        entry.hold = self.hold_of(&entry.alert, now);
        entry.groups = groups.clone();
        self.alerts.insert(fingerprint, entry);
        for id in groups {
            if let Some(group) = self.groups.get_mut(&id) {
                group.members.entry(fingerprint).or_insert(None);
            }
            self.schedule_change(id, now);
        }
        self.review(touched, now);
    }

    /// Ends the episode of an alert; one that does not fire is left alone.
    pub(super) fn resolve(&mut self, fingerprint: Fingerprint, end: Timestamp, now: Timestamp) {
        let compiled = Arc::clone(self.config.compiled());
        let memory = compiled
            .flapping
            .as_ref()
            .map_or(compiled.resolve_timeout, |flapping| {
                flapping.within.max(compiled.resolve_timeout)
            });
        let Some(entry) = self
            .alerts
            .get_mut(&fingerprint)
            .filter(|entry| entry.is_firing())
        else {
            return;
        };
        let forget = after(now, memory);
        set_timer(&mut self.alert_timers, entry, forget);
        entry.phase = Phase::Resolved { forget };
        entry.hold = None;
        entry.alert = entry.alert.clone().with_ends_at(end);
        let alert = entry.alert.clone();
        let groups = entry.groups.clone();
        for id in groups {
            self.leave(&compiled, id, fingerprint, now);
        }
        self.forget_left_groups(fingerprint);
        let touched = self.inhibitions.remove(&compiled.inhibitions, &alert);
        self.review(touched, now);
    }

    /// The timer of an alert rang: it was not heard of again, or is no longer remembered.
    pub(super) fn expire(&mut self, fingerprint: Fingerprint, at: Timestamp, now: Timestamp) {
        let Some(entry) = self.alerts.get_mut(&fingerprint) else {
            return;
        };
        if at < entry.deadline() {
            let deadline = entry.deadline();
            set_timer(&mut self.alert_timers, entry, deadline);
            return;
        }
        if entry.is_firing() {
            self.resolve(fingerprint, at, now);
            return;
        }
        let awaited = entry.groups.iter().any(|id| {
            self.groups
                .get(id)
                .is_some_and(|group| group.members.contains_key(&fingerprint))
        });
        if awaited && now < Timestamp::MAX {
            // A receiver is still to be told that it is over.
            let forget = after(now, self.config.resolve_timeout());
            entry.phase = Phase::Resolved { forget };
            set_timer(&mut self.alert_timers, entry, forget);
            return;
        }
        if let Some(entry) = self.alerts.remove(&fingerprint) {
            for id in &entry.groups {
                if let Some(group) = self.groups.get_mut(id) {
                    group.members.remove(&fingerprint);
                }
            }
            self.remember(fingerprint, entry.records);
        }
    }

    /// Gives every alert without an end of its own another resolve timeout.
    pub(super) fn extend_alerts(&mut self, now: Timestamp) {
        let until = after(now, self.config.resolve_timeout());
        for entry in self.alerts.values_mut() {
            if entry.is_firing() && entry.deadline() < until {
                entry.phase = Phase::Firing { expires: until };
                set_timer(&mut self.alert_timers, entry, until);
            }
        }
    }

    /// The groups of an alert, made where they are missing.
    pub(super) fn place(&mut self, compiled: &Compiled, alert: &Alert) -> Vec<u64> {
        let mut ids = Vec::new();
        for index in matching(&compiled.routes, alert) {
            let Some(route) = compiled.routes.get(index) else {
                continue;
            };
            let labels = route.group_by.labels_of(alert);
            let key = route.group_key(&labels);
            let id = match self.group_of_key.get(&key) {
                Some(id) => *id,
                None => {
                    let id = self.next_group;
                    self.next_group = self.next_group.saturating_add(1);
                    self.group_of_key.insert(key.clone(), id);
                    self.groups.insert(
                        id,
                        Group {
                            id,
                            key,
                            route_key: route.key.clone(),
                            labels,
                            members: BTreeMap::new(),
                            change_due: None,
                            repeat_due: None,
                            last_notified: None,
                            repeats: 0,
                            escalation: None,
                            armed: None,
                            route: index,
                        },
                    );
                    id
                }
            };
            ids.push(id);
        }
        ids
    }

    /// A change of a group is told when it has waited, and the receiver was left in peace for long enough.
    pub(super) fn schedule_change(&mut self, id: u64, now: Timestamp) {
        let compiled = self.config.compiled();
        let Some(group) = self.groups.get_mut(&id) else {
            return;
        };
        let Some(route) = compiled.routes.get(group.route) else {
            return;
        };
        let waited = after(now, route.group_wait);
        let due = group
            .last_notified
            .map_or(waited, |at| waited.max(after(at, route.group_interval)));
        let due = group.change_due.map_or(due, |earlier| earlier.min(due));
        group.change_due = Some(due);
        if group.armed.is_none_or(|armed| due < armed) {
            arm(&mut self.group_timers, group, Some(due));
        }
    }

    /// An alert of a group is over: forgotten if nobody was told of it, news otherwise.
    fn leave(&mut self, compiled: &Compiled, id: u64, fingerprint: Fingerprint, now: Timestamp) {
        let Some(group) = self.groups.get_mut(&id) else {
            return;
        };
        let awaited = compiled.routes.get(group.route).is_some_and(|route| {
            let told = group.members.get(&fingerprint).copied().flatten();
            told.is_some_and(|told| awaits_end(compiled, route, told.levels))
        });
        if !awaited {
            group.members.remove(&fingerprint);
        }
        // The others may have waited for it.
        self.schedule_change(id, now);
    }

    /// An alert that is over belongs to the groups whose receivers are still to be told.
    fn forget_left_groups(&mut self, fingerprint: Fingerprint) {
        let groups = &self.groups;
        if let Some(entry) = self.alerts.get_mut(&fingerprint) {
            entry.groups.retain(|id| {
                groups
                    .get(id)
                    .is_some_and(|group| group.members.contains_key(&fingerprint))
            });
        }
    }

    pub(super) fn remember(&mut self, fingerprint: Fingerprint, records: Vec<SuppressionRecord>) {
        if records.is_empty() {
            return;
        }
        if self.history.len() >= MAX_HISTORY {
            self.history.pop_front();
        }
        self.history.push_back(Forgotten {
            fingerprint,
            records,
        });
    }
}

/// Sets the timer of an alert.
fn set_timer(timers: &mut BTreeSet<(Timestamp, Fingerprint)>, entry: &mut Entry, at: Timestamp) {
    let fingerprint = entry.alert.fingerprint();
    timers.remove(&(entry.rings, fingerprint));
    timers.insert((at, fingerprint));
    entry.rings = at;
}

/// Sets the timer of a group.
pub(super) fn arm(
    timers: &mut BTreeSet<(Timestamp, u64)>,
    group: &mut Group,
    at: Option<Timestamp>,
) {
    if let Some(armed) = group.armed {
        timers.remove(&(armed, group.id));
    }
    if let Some(at) = at {
        timers.insert((at, group.id));
    }
    group.armed = at;
}

/// The receiver of a route and those of the first `levels` of its escalation chain, each once.
pub(super) fn receivers<'a>(
    compiled: &'a Compiled,
    route: &'a Route,
    levels: usize,
) -> Vec<&'a str> {
    let mut found = vec![route.receiver.as_str()];
    let chain = route
        .escalation
        .as_ref()
        .and_then(|name| compiled.escalations.get(name));
    for level in chain.into_iter().flatten().take(levels) {
        if !found.contains(&level.receiver.as_str()) {
            found.push(&level.receiver);
        }
    }
    found
}

pub(super) fn hears_ends(compiled: &Compiled, receiver: &str) -> bool {
    compiled.receivers.get(receiver) == Some(&SendResolved::Yes)
}

/// Whether any receiver that was told wants to hear of the end.
pub(super) fn awaits_end(compiled: &Compiled, route: &Route, levels: usize) -> bool {
    receivers(compiled, route, levels)
        .into_iter()
        .any(|receiver| hears_ends(compiled, receiver))
}

/// More forgotten alerts lose their records, oldest first.
pub(super) const MAX_HISTORY: usize = 1024;

/// How many timers are looked at for an alert that may be forgotten.
const MOST_LOOKED_AT: usize = 64;
