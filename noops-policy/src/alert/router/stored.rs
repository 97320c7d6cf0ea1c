use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;

use noops_core::Timestamp;
use serde::{Deserialize, Serialize};

use super::group::{Entry, Group};
use super::holds::{Deploy, MAX_DEPLOYS, MAX_SILENCES};
use super::inhibition::Inhibitions;
use super::lifecycle::{MAX_HISTORY, arm};
use super::{Forgotten, Router};
use crate::alert::AlertError;
use crate::alert::config::{Compiled, Config};
use crate::alert::duration::after;
use crate::alert::fingerprint::Fingerprint;
use crate::alert::model::Alert;
use crate::alert::route::matching;
use crate::alert::silence::Silence;
use crate::alert::suppression::MAX_RECORDS;

/// A router as it is stored: what follows from the rest is left out.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct StoredRouter {
    config: Config,
    latest: Option<Timestamp>,
    alerts: Vec<Entry>,
    groups: Vec<Group>,
    next_group: u64,
    silences: Vec<Silence>,
    deploys: Vec<Deploy>,
    history: VecDeque<Forgotten>,
}

impl From<Router> for StoredRouter {
    fn from(router: Router) -> Self {
        Self {
            config: router.config,
            latest: router.latest,
            alerts: router.alerts.into_values().map(|entry| *entry).collect(),
            groups: router.groups.into_values().collect(),
            next_group: router.next_group,
            silences: router.silences.into_values().collect(),
            deploys: router.deploys,
            history: router.history,
        }
    }
}

impl TryFrom<StoredRouter> for Router {
    type Error = AlertError;

    fn try_from(stored: StoredRouter) -> Result<Self, AlertError> {
        stored.check()?;
        let mut router = Self::new(stored.config);
        router.latest = stored.latest;
        router.alerts = stored
            .alerts
            .into_iter()
            .map(|entry| (entry.alert.fingerprint(), Box::new(entry)))
            .collect();
        router.groups = stored
            .groups
            .into_iter()
            .map(|group| (group.id, group))
            .collect();
        router.next_group = stored.next_group;
        router.silences = stored
            .silences
            .into_iter()
            .map(|silence| (silence.id().to_owned(), silence))
            .collect();
        router.deploys = stored.deploys;
        router.history = stored.history;
        if let Some(latest) = stored.latest {
            router.rebuild(latest);
        }
        Ok(router)
    }
}

impl StoredRouter {
    fn check(&self) -> Result<(), AlertError> {
        let refuse = |problem: String| Err(AlertError::State { problem });
        let known: BTreeSet<Fingerprint> = self
            .alerts
            .iter()
            .map(|entry| entry.alert.fingerprint())
            .collect();
        if known.len() != self.alerts.len() {
            return refuse("an alert is there twice".to_owned());
        }
        if self.latest.is_none() && !(self.alerts.is_empty() && self.groups.is_empty()) {
            return refuse("there are alerts or groups, and `latest` is absent".to_owned());
        }
        if let Some(late) = self
            .alerts
            .iter()
            .find(|entry| entry.deadline() < entry.rings)
        {
            let fingerprint = late.alert.fingerprint();
            return refuse(format!("the timer of `{fingerprint}` rings too late"));
        }
        let ids: BTreeSet<u64> = self.groups.iter().map(|group| group.id).collect();
        let keys: BTreeSet<&str> = self.groups.iter().map(|group| group.key.as_str()).collect();
        if ids.len() != self.groups.len() || keys.len() != self.groups.len() {
            return refuse("a group is there twice".to_owned());
        }
        if ids.last().is_some_and(|last| *last >= self.next_group) {
            return refuse(format!("a group is not below `{}`", self.next_group));
        }
        if self.next_group > u64::MAX / 2 {
            return refuse("`next_group` is too high".to_owned());
        }
        for group in &self.groups {
            if let Some(stranger) = group.members.keys().find(|member| !known.contains(member)) {
                return refuse(format!("group `{}` holds unknown `{stranger}`", group.key));
            }
        }
        let longest = self
            .alerts
            .iter()
            .map(|entry| entry.records.len())
            .chain(self.history.iter().map(|forgotten| forgotten.records.len()))
            .max()
            .unwrap_or(0);
        for (what, count, most) in [
            ("records", longest, MAX_RECORDS),
            ("history", self.history.len(), MAX_HISTORY),
            ("silences", self.silences.len(), MAX_SILENCES),
            ("deploys", self.deploys.len(), MAX_DEPLOYS),
        ] {
            if count > most {
                return refuse(format!(
                    "`{what}` has `{count}` entries, more than `{most}`"
                ));
            }
        }
        Ok(())
    }
}

impl Router {
    /// Derives everything that follows from the configuration, keeping what receivers know and when they were told.
    ///
    /// A reload and a restart come through here, so that neither forgets a group interval, nor tells of an alert before it is
    /// known what inhibits it.
    pub(super) fn rebuild(&mut self, now: Timestamp) {
        let compiled = Arc::clone(self.config.compiled());
        let route_of: BTreeMap<&str, usize> = compiled
            .routes
            .iter()
            .enumerate()
            .map(|(index, route)| (route.key.as_str(), index))
            .collect();
        self.groups
            .retain(|_, group| match route_of.get(group.route_key.as_str()) {
                Some(index) => {
                    group.route = *index;
                    true
                }
                None => false,
            });
        self.group_of_key = self
            .groups
            .values()
            .map(|group| (group.key.clone(), group.id))
            .collect();
        self.inhibitions = Inhibitions::default();
        self.alert_timers.clear();
        let fingerprints: Vec<Fingerprint> = self.alerts.keys().copied().collect();
        let mut placed: BTreeSet<(u64, Fingerprint)> = BTreeSet::new();
        let mut moved: Vec<u64> = Vec::new();
        for fingerprint in &fingerprints {
            let Some(mut entry) = self.alerts.remove(fingerprint) else {
                continue;
            };
            self.alert_timers.insert((entry.rings, *fingerprint));
            if entry.is_firing() {
                self.inhibitions.insert(&compiled.inhibitions, &entry.alert);
            }
            entry.groups = if entry.is_firing() {
                self.place(&compiled, &entry.alert)
            } else {
                self.awaiting_groups(&compiled, &entry.alert)
            };
            for id in &entry.groups {
                placed.insert((*id, *fingerprint));
                let Some(group) = self.groups.get_mut(id) else {
                    continue;
                };
                if entry.is_firing() && !group.members.contains_key(fingerprint) {
                    group.members.insert(*fingerprint, None);
                    moved.push(*id);
                }
            }
            self.alerts.insert(*fingerprint, entry);
        }
        self.group_timers.clear();
        for group in self.groups.values_mut() {
            let id = group.id;
            group
                .members
                .retain(|fingerprint, _| placed.contains(&(id, *fingerprint)));
            let armed = group.armed.take();
            arm(&mut self.group_timers, group, armed);
            if group.members.is_empty() && group.armed.is_none() {
                moved.push(id);
            }
        }
        self.index_holds(now);
        self.review(fingerprints, now);
        for id in moved {
            self.schedule_change(id, now);
        }
        self.retime(now);
    }

    /// The groups of an alert that is over, in which somebody is still to be told.
    fn awaiting_groups(&self, compiled: &Compiled, alert: &Alert) -> Vec<u64> {
        matching(&compiled.routes, alert)
            .into_iter()
            .filter_map(|index| compiled.routes.get(index))
            .filter_map(|route| {
                let key = route.group_key(&route.group_by.labels_of(alert));
                let id = self.group_of_key.get(&key)?;
                let group = self.groups.get(id)?;
                group
                    .members
                    .contains_key(&alert.fingerprint())
                    .then_some(*id)
            })
            .collect()
    }

    /// Applies the intervals of the configuration to timers that are set.
    fn retime(&mut self, now: Timestamp) {
        let compiled = Arc::clone(self.config.compiled());
        for group in self.groups.values_mut() {
            let Some(route) = compiled.routes.get(group.route) else {
                continue;
            };
            let repeat = group
                .last_notified
                .map(|at| after(at, route.repeat_interval));
            if group.repeat_due.is_none() || group.repeat_due == repeat {
                continue;
            }
            group.repeat_due = repeat;
            let next = [
                group.change_due,
                repeat,
                group.escalation.and_then(|escalation| escalation.at),
            ];
            let next = next.into_iter().flatten().min().map(|at| at.max(now));
            arm(&mut self.group_timers, group, next);
        }
    }
}
