use std::collections::BTreeMap;
use std::sync::Arc;

use noops_core::{Digest, Timestamp};

use super::Router;
use super::group::{Entry, Escalation, Group, Told};
use super::lifecycle::{arm, hears_ends, receivers};
use super::tally::{News, Tally};
use crate::alert::config::{Compiled, Level};
use crate::alert::duration::after;
use crate::alert::event::Outcome;
use crate::alert::fingerprint::Fingerprint;
use crate::alert::notification::{AlertStatus, Notification, NotificationReason, NotifiedAlert};
use crate::alert::route::Route;
use crate::alert::severity::Severity;
use crate::alert::suppression::{Suppression, SuppressionRecord, note};

impl Router {
    /// Tells the receivers of a group what there is to tell, and sets its next timer.
    pub(super) fn flush(&mut self, id: u64, now: Timestamp, outcomes: &mut Vec<Outcome>) {
        let compiled = Arc::clone(self.config.compiled());
        let Some(mut group) = self.groups.remove(&id) else {
            return;
        };
        arm(&mut self.group_timers, &mut group, None);
        let Some(route) = compiled.routes.get(group.route) else {
            self.group_of_key.remove(&group.key);
            return;
        };
        group.change_due = None;
        let tally = self.tally(&compiled, route, &mut group, now, outcomes);
        let due = |at: Option<Timestamp>| at.is_some_and(|at| at <= now);
        let escalates = due(group.escalation.and_then(|escalation| escalation.at));
        let repeats = due(group.repeat_due) && !tally.firing.is_empty();
        // While a known alert fires unseen, an end alone would close an incident that is open.
        let ends = !tally.resolved.is_empty() && (!tally.firing.is_empty() || tally.quiet == 0);
        if tally.news == News::Some || ends || repeats {
            self.tell_route(&compiled, route, &mut group, &tally, now, outcomes);
            if ends {
                self.tell_levels_of_ends(&compiled, route, &mut group, &tally, now, outcomes);
                for (fingerprint, _) in &tally.resolved {
                    group.members.remove(fingerprint);
                    if let Some(entry) = self.alerts.get_mut(fingerprint) {
                        entry.groups.retain(|id| *id != group.id);
                    }
                }
            }
        }
        let chain = chain(&compiled, route);
        if tally.news == News::Some && group.escalation.is_none_or(|e| e.at.is_none()) {
            group.escalation = chain.first().map(|level| Escalation {
                level: 0,
                at: Some(after(now, level.after)),
            });
        } else if escalates {
            self.escalate(route, chain, &mut group, &tally, now, outcomes);
        }
        self.rest(route, group, &tally, now);
    }

    fn tell_route(
        &self,
        compiled: &Compiled,
        route: &Route,
        group: &mut Group,
        tally: &Tally,
        now: Timestamp,
        outcomes: &mut Vec<Outcome>,
    ) {
        let ended: &[(Fingerprint, Told)] = if hears_ends(compiled, &route.receiver)
            && (!tally.firing.is_empty() || tally.quiet == 0)
        {
            &tally.resolved
        } else {
            &[]
        };
        let repeats = group.repeat_due.is_some_and(|at| at <= now) && !tally.firing.is_empty();
        if tally.news == News::None && ended.is_empty() && !repeats {
            return;
        }
        let reason = if tally.news == News::None && ended.is_empty() {
            group.repeats = group.repeats.saturating_add(1);
            NotificationReason::Repeat {
                number: group.repeats,
            }
        } else if tally.firing.is_empty() {
            NotificationReason::Resolved
        } else if group.members.values().all(Option::is_none) {
            NotificationReason::First
        } else {
            NotificationReason::Changed
        };
        let ended = ended.iter().map(|(fingerprint, _)| *fingerprint);
        let alerts = self.alerts_of(&tally.firing, ended);
        outcomes.push(Outcome::Notify(notification(
            route,
            group,
            &route.receiver,
            reason,
            alerts,
            now,
        )));
        group.last_notified = Some(now);
        for fingerprint in &tally.firing {
            let Some(entry) = self.alerts.get(fingerprint) else {
                continue;
            };
            let known = group.members.get(fingerprint).copied().flatten();
            group.members.insert(
                *fingerprint,
                Some(told(entry, known.map_or(0, |told| told.levels))),
            );
        }
    }

    /// Tells the further receivers, whom the alert escalated to, that it is over.
    fn tell_levels_of_ends(
        &self,
        compiled: &Compiled,
        route: &Route,
        group: &mut Group,
        tally: &Tally,
        now: Timestamp,
        outcomes: &mut Vec<Outcome>,
    ) {
        let most = tally.resolved.iter().map(|(_, told)| told.levels).max();
        for receiver in receivers(compiled, route, most.unwrap_or(0)) {
            if receiver == route.receiver || !hears_ends(compiled, receiver) {
                continue;
            }
            let knows = |told: &Told| receivers(compiled, route, told.levels).contains(&receiver);
            let ended: Vec<Fingerprint> = tally
                .resolved
                .iter()
                .filter(|(_, told)| knows(told))
                .map(|(fingerprint, _)| *fingerprint)
                .collect();
            let firing: Vec<Fingerprint> = tally
                .firing
                .iter()
                .filter(|fingerprint| {
                    let told = group.members.get(fingerprint).copied().flatten();
                    told.is_some_and(|told| knows(&told))
                })
                .copied()
                .collect();
            if ended.is_empty() {
                continue;
            }
            let reason = if firing.is_empty() {
                NotificationReason::Resolved
            } else {
                NotificationReason::Changed
            };
            let alerts = self.alerts_of(&firing, ended);
            outcomes.push(Outcome::Notify(notification(
                route, group, receiver, reason, alerts, now,
            )));
        }
    }

    fn escalate(
        &mut self,
        route: &Route,
        chain: &[Level],
        group: &mut Group,
        tally: &Tally,
        now: Timestamp,
        outcomes: &mut Vec<Outcome>,
    ) {
        let Some(escalation) = group.escalation else {
            return;
        };
        let Some(level) = chain.get(escalation.level) else {
            group.escalation = None;
            return;
        };
        let mut open = Vec::new();
        for fingerprint in &tally.firing {
            let Some(entry) = self.alerts.get_mut(fingerprint) else {
                continue;
            };
            let Some(by) = entry.acknowledged.clone() else {
                open.push(*fingerprint);
                continue;
            };
            let rule = Suppression::Acknowledged { by };
            let record = SuppressionRecord::new(*fingerprint, Some(&level.receiver), rule, now);
            note(&mut entry.records, record.clone());
            outcomes.push(Outcome::Suppressed(record));
        }
        if open.is_empty() {
            // Those that are held back keep the level waiting: it is told when nothing holds them back.
            if tally.quiet == 0 {
                group.escalation = None;
            }
            return;
        }
        let next = escalation.level.saturating_add(1);
        let reason = NotificationReason::Escalation {
            level: u32::try_from(next).unwrap_or(u32::MAX),
        };
        let alerts = self.alerts_of(&open, []);
        outcomes.push(Outcome::Notify(notification(
            route,
            group,
            &level.receiver,
            reason,
            alerts,
            now,
        )));
        for fingerprint in &open {
            if let Some(Some(told)) = group.members.get_mut(fingerprint) {
                told.levels = told.levels.max(next);
            }
        }
        group.escalation = Some(Escalation {
            level: next,
            at: chain.get(next).map(|level| after(now, level.after)),
        });
    }

    /// Sets the next timer of a group, or lets go of it once it is empty and its receiver was left in peace.
    pub(super) fn rest(&mut self, route: &Route, mut group: Group, tally: &Tally, now: Timestamp) {
        let told = group.members.values().any(Option::is_some);
        let peace = group
            .last_notified
            .map(|at| after(at, route.group_interval))
            .filter(|at| now < *at);
        if !told {
            group.escalation = None;
        }
        group.repeat_due = group
            .last_notified
            .filter(|_| told)
            .map(|at| after(at, route.repeat_interval));
        group.change_due = tally.again.filter(|at| now < *at);
        if group.members.is_empty() && peace.is_none() {
            self.group_of_key.remove(&group.key);
            self.groups.remove(&group.id);
            return;
        }
        let empty = group.members.is_empty();
        let next = [
            group.change_due,
            group.repeat_due,
            group.escalation.and_then(|escalation| escalation.at),
            peace.filter(|_| empty),
        ];
        let next = next.into_iter().flatten().filter(|at| now < *at).min();
        arm(&mut self.group_timers, &mut group, next);
        self.groups.insert(group.id, group);
    }

    fn alerts_of(
        &self,
        firing: &[Fingerprint],
        ended: impl IntoIterator<Item = Fingerprint>,
    ) -> Vec<NotifiedAlert> {
        let listed: BTreeMap<Fingerprint, AlertStatus> = firing
            .iter()
            .map(|fingerprint| (*fingerprint, AlertStatus::Firing))
            .chain(
                ended
                    .into_iter()
                    .map(|fingerprint| (fingerprint, AlertStatus::Resolved)),
            )
            .collect();
        listed
            .into_iter()
            .filter_map(|(fingerprint, status)| {
                let entry = self.alerts.get(&fingerprint)?;
                Some(NotifiedAlert {
                    alert: entry.alert.clone(),
                    status,
                    episode: entry.episode,
                })
            })
            .collect()
    }
}

pub(super) fn told(entry: &Entry, levels: usize) -> Told {
    Told {
        start: entry.alert.starts_at(),
        episode: entry.episode,
        levels,
    }
}

pub(super) fn chain<'a>(compiled: &'a Compiled, route: &Route) -> &'a [Level] {
    route
        .escalation
        .as_ref()
        .and_then(|name| compiled.escalations.get(name))
        .map_or(&[], Vec::as_slice)
}

fn notification(
    route: &Route,
    group: &Group,
    receiver: &str,
    reason: NotificationReason,
    alerts: Vec<NotifiedAlert>,
    now: Timestamp,
) -> Notification {
    let loudest = alerts.iter().map(|told| told.alert.severity()).max();
    let severity = route.severity.or(loudest).unwrap_or(Severity::Ticket);
    Notification {
        idempotency_key: idempotency_key(group, receiver, reason, &alerts),
        receiver: receiver.to_owned(),
        group_key: group.key.clone(),
        group_labels: group.labels.clone(),
        severity,
        reason,
        at: now,
        alerts,
        runbook: route.runbook.clone(),
        owner: route.owner.clone(),
    }
}

/// News are named by their content, so that another router with the same news names them alike; a repeat and an
/// escalation by their number as well, because their content is not new.
fn idempotency_key(
    group: &Group,
    receiver: &str,
    reason: NotificationReason,
    alerts: &[NotifiedAlert],
) -> Digest {
    let occasion = match reason {
        NotificationReason::Repeat { number } => format!("repeat {number}"),
        NotificationReason::Escalation { level } => format!("level {level}"),
        NotificationReason::First | NotificationReason::Changed | NotificationReason::Resolved => {
            "news".to_owned()
        }
    };
    let mut parts = vec![group.key.clone(), receiver.to_owned(), occasion];
    parts.extend(alerts.iter().map(|told| {
        let alert = &told.alert;
        let start = alert.starts_at().as_nanosecond();
        format!(
            "{} {start} {} {}",
            alert.fingerprint(),
            told.episode,
            told.status
        )
    }));
    Digest::of_parts(parts.iter().map(String::as_bytes))
}
