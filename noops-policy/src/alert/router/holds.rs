use std::collections::BTreeMap;
use std::sync::Arc;

use noops_core::Timestamp;
use serde::{Deserialize, Serialize};

use super::Router;
use crate::alert::config::DeployRule;
use crate::alert::duration::after;
use crate::alert::fingerprint::Fingerprint;
use crate::alert::matcher::{Matcher, all_match};
use crate::alert::model::Alert;
use crate::alert::severity::Severity;
use crate::alert::silence::Silence;
use crate::alert::suppression::Suppression;

impl Router {
    pub(super) fn add_silence(&mut self, silence: Silence, now: Timestamp) {
        if self.silences.len() >= MAX_SILENCES && !self.silences.contains_key(silence.id()) {
            // The one that ends first goes: too few silences are loud, too many are not.
            let first = self
                .silences
                .values()
                .min_by_key(|known| (known.until(), known.id()))
                .map(|known| known.id().to_owned());
            if let Some(id) = first {
                self.silences.remove(&id);
            }
        }
        self.silences.insert(silence.id().to_owned(), silence);
        self.refresh_holds(now);
    }

    pub(super) fn start_deploy(&mut self, labels: BTreeMap<String, String>, now: Timestamp) {
        self.deploys.retain(|deploy| deploy.labels != labels);
        if self.deploys.len() >= MAX_DEPLOYS {
            self.deploys.remove(0);
        }
        self.deploys.push(Deploy {
            labels,
            started: now,
            ended: None,
        });
        self.refresh_holds(now);
    }

    pub(super) fn end_deploy(&mut self, labels: &BTreeMap<String, String>, now: Timestamp) {
        let deploy = self
            .deploys
            .iter_mut()
            .find(|deploy| deploy.labels == *labels && deploy.ended.is_none());
        if let Some(deploy) = deploy {
            deploy.ended = Some(now);
            self.refresh_holds(now);
        }
    }

    /// Reviews silences, deploys and maintenance windows, and what they hold back.
    pub(super) fn refresh_holds(&mut self, now: Timestamp) {
        self.index_holds(now);
        let all: Vec<Fingerprint> = self.alerts.keys().copied().collect();
        self.review(all, now);
    }

    /// Drops what has ended, and says when to look again.
    pub(super) fn index_holds(&mut self, now: Timestamp) {
        let compiled = Arc::clone(self.config.compiled());
        let rules = &compiled.deploys;
        self.silences.retain(|_, silence| now < silence.until());
        self.deploys
            .retain(|deploy| rules.iter().any(|rule| now < deploy.quiet_until(rule)));
        self.silence_index = SilenceIndex::of(self.silences.values());
        self.open_windows = compiled
            .maintenance
            .iter()
            .enumerate()
            .filter(|(_, maintenance)| maintenance.window.contains(now))
            .map(|(index, _)| index)
            .collect();
        let silences = self
            .silences
            .values()
            .flat_map(|silence| [silence.from(), silence.until()]);
        let deploys = self
            .deploys
            .iter()
            .flat_map(|deploy| rules.iter().map(|rule| deploy.quiet_until(rule)));
        let windows = compiled
            .maintenance
            .iter()
            .filter_map(|maintenance| maintenance.window.next_change(now));
        self.holds_due = silences
            .chain(deploys)
            .chain(windows)
            .filter(|at| now < *at)
            .min();
    }

    /// Reviews what holds these alerts back; one that nothing holds back any more is a change of its groups.
    pub(super) fn review(&mut self, alerts: impl IntoIterator<Item = Fingerprint>, now: Timestamp) {
        for fingerprint in alerts {
            let Some(entry) = self.alerts.get(&fingerprint).filter(|e| e.is_firing()) else {
                continue;
            };
            let hold = self.hold_of(&entry.alert, now);
            let Some(entry) = self.alerts.get_mut(&fingerprint) else {
                continue;
            };
            let freed = entry.hold.is_some() && hold.is_none();
            entry.hold = hold;
            if freed {
                for id in entry.groups.clone() {
                    self.schedule_change(id, now);
                }
            }
        }
    }

    /// What holds an alert back wherever it is routed.
    pub(super) fn hold_of(&self, alert: &Alert, now: Timestamp) -> Option<Suppression> {
        let compiled = self.config.compiled();
        if let Some(silence) = self.silence_index.first(&self.silences, alert, now) {
            return Some(Suppression::Silence {
                id: silence.id().to_owned(),
                author: silence.author().to_owned(),
            });
        }
        let window = self
            .open_windows
            .iter()
            .filter_map(|index| compiled.maintenance.get(*index))
            .find(|maintenance| all_match(&maintenance.matchers, alert));
        if let Some(maintenance) = window {
            return Some(Suppression::Maintenance {
                window: maintenance.name.clone(),
            });
        }
        if let Some((rule, source)) = self.inhibitions.inhibitor(&compiled.inhibitions, alert) {
            return Some(Suppression::Inhibition {
                rule: rule.name.clone(),
                source,
            });
        }
        if alert.severity() == Severity::Page && alert.hurts_users() {
            return None;
        }
        compiled
            .deploys
            .iter()
            .find(|rule| {
                self.deploys
                    .iter()
                    .any(|deploy| deploy.concerns(rule, alert) && now < deploy.quiet_until(rule))
            })
            .map(|rule| Suppression::Deploy {
                rule: rule.name.clone(),
            })
    }
}

/// A deploy that is under way or has ended lately.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Deploy {
    labels: BTreeMap<String, String>,
    started: Timestamp,
    ended: Option<Timestamp>,
}

impl Deploy {
    /// A deploy whose end nobody reports keeps no alert quiet for longer than the rule allows.
    fn quiet_until(&self, rule: &DeployRule) -> Timestamp {
        let longest = after(self.started, rule.longest);
        after(
            self.ended.map_or(longest, |ended| ended.min(longest)),
            rule.quiet_for,
        )
    }

    /// A label that the deploy does not state matches no alert: a deploy of nothing quiets nothing.
    fn concerns(&self, rule: &DeployRule, alert: &Alert) -> bool {
        let shares = |label: &String| {
            self.labels
                .get(label)
                .is_some_and(|value| !value.is_empty() && alert.label(label) == value)
        };
        rule.equal.iter().all(shares) && all_match(&rule.matchers, alert)
    }
}

/// Silences by one label value that they ask for, so that an alert is compared with few of them.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct SilenceIndex {
    exact: BTreeMap<String, BTreeMap<String, Vec<String>>>,
    others: Vec<String>,
}

impl SilenceIndex {
    pub(super) fn of<'a>(silences: impl Iterator<Item = &'a Silence>) -> Self {
        let mut index = Self::default();
        for silence in silences {
            let id = silence.id().to_owned();
            match silence.matchers().iter().find_map(Matcher::exact) {
                Some((label, value)) => index
                    .exact
                    .entry(label.to_owned())
                    .or_default()
                    .entry(value.to_owned())
                    .or_default()
                    .push(id),
                None => index.others.push(id),
            }
        }
        index
    }

    /// The silence in force that matches; the first by identity of several.
    fn first<'a>(
        &self,
        silences: &'a BTreeMap<String, Silence>,
        alert: &Alert,
        now: Timestamp,
    ) -> Option<&'a Silence> {
        let exact = self
            .exact
            .iter()
            .filter_map(|(label, values)| values.get(alert.label(label)))
            .flatten();
        exact
            .chain(&self.others)
            .filter_map(|id| silences.get(id))
            .filter(|silence| silence.is_in_force(now) && silence.matches(alert))
            .min_by_key(|silence| silence.id())
    }
}

pub(super) const MAX_SILENCES: usize = 10_000;
pub(super) const MAX_DEPLOYS: usize = 1000;
