use noops_core::Timestamp;

use super::Router;
use super::group::{Group, Told};
use super::lifecycle::awaits_end;
use crate::alert::config::Compiled;
use crate::alert::event::Outcome;
use crate::alert::fingerprint::Fingerprint;
use crate::alert::route::Route;
use crate::alert::suppression::{Suppression, SuppressionRecord, note};

/// What there is to say about a group at one moment.
#[derive(Debug, Default)]
pub(super) struct Tally {
    /// Alerts that fire and that nothing holds back.
    pub(super) firing: Vec<Fingerprint>,
    /// Whether the receiver does not know one of them.
    pub(super) news: News,
    /// Alerts that the receiver knows, and that are over.
    pub(super) resolved: Vec<(Fingerprint, Told)>,
    /// Alerts that the receiver knows, that fire still, and that are held back.
    pub(super) quiet: usize,
    /// When to look again, apart from the timers of the group.
    pub(super) again: Option<Timestamp>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum News {
    #[default]
    None,
    Some,
}

impl Tally {
    fn look_again(&mut self, at: Option<Timestamp>) {
        self.again = self.again.into_iter().chain(at).min();
    }
}

impl Router {
    /// Counts up a group, records what is held back, and lets members go of which there is nothing more to say.
    pub(super) fn tally(
        &mut self,
        compiled: &Compiled,
        route: &Route,
        group: &mut Group,
        now: Timestamp,
        outcomes: &mut Vec<Outcome>,
    ) -> Tally {
        let muted = muted(compiled, route, now);
        let flapping = compiled.flapping.as_ref();
        let due = |at: Option<Timestamp>| at.is_some_and(|at| at <= now);
        let owed = due(group.repeat_due) || due(group.escalation.and_then(|e| e.at));
        let mut tally = Tally::default();
        let alerts = &mut self.alerts;
        group.members.retain(|fingerprint, told| {
            let Some(entry) = alerts.get_mut(fingerprint) else {
                return false;
            };
            let flaps_until = entry.flaps_until(flapping, now).filter(|_| told.is_some());
            if !entry.is_firing() {
                let Some(told) = told.filter(|told| awaits_end(compiled, route, told.levels))
                else {
                    entry.groups.retain(|id| *id != group.id);
                    return false;
                };
                match flaps_until {
                    Some(until) => tally.look_again(Some(until)),
                    None => tally.resolved.push((*fingerprint, told)),
                }
                return true;
            }
            let fresh = !told.is_some_and(|told| told.is_of(entry));
            let rule = entry.hold.as_ref().or(muted.as_ref());
            let held = rule.cloned();
            let rule = match (held, flaps_until) {
                (Some(rule), _) => {
                    tally.quiet += usize::from(told.is_some());
                    if let Suppression::TimeInterval { until, .. } = &rule {
                        tally.look_again(*until);
                    }
                    (fresh || owed).then_some(rule)
                }
                (None, Some(until)) if fresh => {
                    tally.firing.push(*fingerprint);
                    tally.look_again(Some(until));
                    let episodes = u32::try_from(entry.starts.len()).unwrap_or(u32::MAX);
                    Some(Suppression::Flapping { episodes })
                }
                (None, _) => {
                    tally.firing.push(*fingerprint);
                    if fresh {
                        tally.news = News::Some;
                    }
                    None
                }
            };
            if let Some(rule) = rule {
                let receiver = Some(route.receiver.as_str());
                let record = SuppressionRecord::new(*fingerprint, receiver, rule, now);
                note(&mut entry.records, record.clone());
                outcomes.push(Outcome::Suppressed(record));
            }
            true
        });
        tally
    }
}

/// By what the route is muted at this time, if it is.
pub(super) fn muted(compiled: &Compiled, route: &Route, now: Timestamp) -> Option<Suppression> {
    let named = |names: &[String]| -> Vec<_> {
        names
            .iter()
            .filter_map(|name| compiled.intervals.get_key_value(name))
            .collect()
    };
    let (mute, active) = (named(&route.mute), named(&route.active));
    let interval = match mute.iter().find(|(_, times)| times.contains(now)) {
        Some((name, _)) => (*name).clone(),
        None if active.is_empty() || active.iter().any(|(_, times)| times.contains(now)) => {
            return None;
        }
        None => format!("outside {}", route.active.join(", ")),
    };
    let until = mute
        .iter()
        .chain(&active)
        .filter_map(|(_, times)| times.next_change(now))
        .min();
    Some(Suppression::TimeInterval { interval, until })
}
