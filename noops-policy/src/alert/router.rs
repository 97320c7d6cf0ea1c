use std::collections::{BTreeMap, BTreeSet, VecDeque};

use noops_core::Timestamp;
use serde::{Deserialize, Serialize};

use super::config::Config;
use super::event::{AlertEvent, Outcome};
use super::fingerprint::Fingerprint;
use super::model::Alert;
use super::silence::Silence;
use super::suppression::SuppressionRecord;

mod explain;
mod flush;
mod group;
mod holds;
mod inhibition;
mod lifecycle;
mod peer;
mod stored;
mod tally;

use group::{Entry, Group};
use holds::{Deploy, SilenceIndex};
use inhibition::Inhibitions;
use stored::StoredRouter;

/// The state of alerting: what fires, who was told of it, and why others were not.
///
/// [`Router::step`] is a pure function of this state, the time and an event. It can be stored and restored at any moment,
/// and the same events give the same outcomes, byte for byte.
///
/// A group is told first when it has waited for `group_wait`; of changes when `group_wait` has passed since the change and
/// `group_interval` since the last notification; and again, unchanged, exactly `repeat_interval` after the last one.
/// An alert that fires anew after it was over is a change, however fast it happened, unless it is flapping.
///
/// What is held back (silences, maintenance, inhibition, deploys, muted routes) is told once nothing holds it back any more,
/// if it fires still. A resolution is not held back, with one exception: while alerts of the group that the receiver was
/// told of still fire and are held back, the resolution of others waits, so that nobody closes an incident that is open.
///
/// A clock that goes backwards stands still until it has caught up.
///
/// # Complexity
///
/// An event about an alert costs its own lookups, logarithmic in the alerts; its routes are matched once, when it is new.
/// Telling a group is linear in the group; the beginning or end of a silence, deploy or maintenance window and a reload are
/// linear in all alerts; a source that begins or ends to inhibit costs its targets.
///
/// # Examples
///
/// ```
/// use std::time::Duration;
/// use noops_core::Timestamp;
/// use noops_policy::alert::{Alert, AlertEvent, Config, Outcome, Router};
///
/// let yaml = "{receivers: [{name: tickets}], route: {receiver: tickets, group_by: [alertname], group_wait: 30s}}";
/// let mut router = Router::new(Config::from_yaml("alerts.yaml", yaml)?);
///
/// let start = Timestamp::UNIX_EPOCH;
/// let alert = Alert::new([("alertname", "Drift"), ("model", "fraud")], start);
/// assert!(router.step(start, AlertEvent::Firing(alert)).is_empty());
///
/// let due = router.next_wakeup().expect("the group waits");
/// assert_eq!(due, start + Duration::from_secs(30));
/// let outcomes = router.step(due, AlertEvent::Tick);
/// let [Outcome::Notify(notification)] = outcomes.as_slice() else {
///     panic!("one notification");
/// };
/// assert_eq!(notification.receiver(), "tickets");
/// # Ok::<(), noops_policy::alert::AlertError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "StoredRouter", into = "StoredRouter")]
pub struct Router {
    config: Config,
    latest: Option<Timestamp>,
    alerts: BTreeMap<Fingerprint, Box<Entry>>,
    groups: BTreeMap<u64, Group>,
    next_group: u64,
    silences: BTreeMap<String, Silence>,
    deploys: Vec<Deploy>,
    history: VecDeque<Forgotten>,
    // All below follows from the above and is not stored.
    group_of_key: BTreeMap<String, u64>,
    alert_timers: BTreeSet<(Timestamp, Fingerprint)>,
    group_timers: BTreeSet<(Timestamp, u64)>,
    holds_due: Option<Timestamp>,
    open_windows: BTreeSet<usize>,
    silence_index: SilenceIndex,
    inhibitions: Inhibitions,
}

impl Router {
    /// A router to which nothing has happened.
    #[must_use]
    pub fn new(config: Config) -> Self {
        Self {
            config,
            latest: None,
            alerts: BTreeMap::new(),
            groups: BTreeMap::new(),
            next_group: 0,
            silences: BTreeMap::new(),
            deploys: Vec::new(),
            history: VecDeque::new(),
            group_of_key: BTreeMap::new(),
            alert_timers: BTreeSet::new(),
            group_timers: BTreeSet::new(),
            holds_due: None,
            open_windows: BTreeSet::new(),
            silence_index: SilenceIndex::default(),
            inhibitions: Inhibitions::default(),
        }
    }

    /// Takes an event at `now` and says who is to be told, and who would have been were it not for a rule.
    ///
    /// What fell due since the last step is done first, except when the event is [`AlertEvent::Restarted`].
    pub fn step(&mut self, now: Timestamp, event: AlertEvent) -> Vec<Outcome> {
        let first = self.latest.is_none();
        let now = self.latest.map_or(now, |latest| latest.max(now));
        self.latest = Some(now);
        let mut outcomes = Vec::new();
        if first {
            // A maintenance window may be open already.
            self.refresh_holds(now);
        }
        match event {
            AlertEvent::Restarted => {
                self.extend_alerts(now);
                self.pass_time(now);
            }
            event => {
                self.pass_time(now);
                self.take(now, event, &mut outcomes);
            }
        }
        self.flush_due(now, &mut outcomes);
        outcomes
    }

    /// When the next step is due, whatever happens; nothing falls due where there is none.
    ///
    /// Every notification falls due at a wakeup. Some wakeups come to nothing: that an alert was heard of moves its timer
    /// only when it rings.
    pub fn next_wakeup(&self) -> Option<Timestamp> {
        let alert = self.alert_timers.first().map(|(at, _)| *at);
        let group = self.group_timers.first().map(|(at, _)| *at);
        [alert, group, self.holds_due].into_iter().flatten().min()
    }

    /// The configuration in force.
    pub fn config(&self) -> &Config {
        &self.config
    }

    /// The alerts that fire, by fingerprint.
    pub fn firing(&self) -> impl Iterator<Item = &Alert> {
        self.alerts
            .values()
            .filter(|entry| entry.is_firing())
            .map(|entry| &entry.alert)
    }

    /// The silences that have not ended, by identity.
    pub fn silences(&self) -> impl Iterator<Item = &Silence> {
        self.silences.values()
    }

    fn take(&mut self, now: Timestamp, event: AlertEvent, outcomes: &mut Vec<Outcome>) {
        match event {
            // A restart is done before time passes.
            AlertEvent::Tick | AlertEvent::Restarted => {}
            AlertEvent::Firing(alert) => self.fire(alert, now, outcomes),
            AlertEvent::Resolved(fingerprint) => self.resolve(fingerprint, now, now),
            AlertEvent::SilenceAdded(silence) => self.add_silence(silence, now),
            AlertEvent::SilenceExpired { id } => {
                self.silences.remove(&id);
                self.refresh_holds(now);
            }
            AlertEvent::Acknowledge { fingerprint, by } => {
                if let Some(entry) = self.alerts.get_mut(&fingerprint).filter(|e| e.is_firing()) {
                    entry.acknowledged = Some(by);
                }
            }
            AlertEvent::DeployStarted { labels } => self.start_deploy(labels, now),
            AlertEvent::DeployEnded { labels } => self.end_deploy(&labels, now),
            AlertEvent::PeerNotified(notification) => self.heed(&notification, now),
            AlertEvent::ConfigReloaded(config) => {
                self.config = config;
                self.rebuild(now);
            }
        }
    }

    /// Does what fell due and needs no receiver: ends alerts, and reviews what holds notifications back.
    fn pass_time(&mut self, now: Timestamp) {
        while let Some((at, fingerprint)) = self
            .alert_timers
            .first()
            .copied()
            .filter(|(at, _)| *at <= now)
        {
            self.alert_timers.remove(&(at, fingerprint));
            self.expire(fingerprint, at, now);
        }
        if self.holds_due.is_some_and(|due| due <= now) {
            self.refresh_holds(now);
        }
    }

    fn flush_due(&mut self, now: Timestamp, outcomes: &mut Vec<Outcome>) {
        if self.group_timers.first().is_none_or(|(at, _)| now < *at) {
            return;
        }
        let due: Vec<u64> = self
            .group_timers
            .iter()
            .take_while(|(at, _)| *at <= now)
            .map(|(_, id)| *id)
            .collect();
        for id in due {
            self.flush(id, now, outcomes);
        }
    }
}

/// The records of an alert that is over and forgotten.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Forgotten {
    fingerprint: Fingerprint,
    records: Vec<SuppressionRecord>,
}

#[cfg(test)]
mod tests;
