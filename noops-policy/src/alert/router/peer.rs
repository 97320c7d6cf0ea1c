use std::sync::Arc;

use noops_core::Timestamp;

use super::Router;
use super::flush::chain;
use super::group::{Escalation, Told};
use super::lifecycle::arm;
use crate::alert::duration::after;
use crate::alert::notification::{AlertStatus, Notification, NotificationReason, NotifiedAlert};

impl Router {
    /// Takes over what another router has told, as if this one had.
    pub(super) fn heed(&mut self, notification: &Notification, now: Timestamp) {
        for notified in &notification.alerts {
            match notified.status {
                AlertStatus::Firing => self.hear_of(notified, now),
                AlertStatus::Resolved => self.hear_of_end(notified, now),
            }
        }
        self.mark_told(notification, now);
    }

    fn hear_of(&mut self, notified: &NotifiedAlert, now: Timestamp) {
        let fingerprint = notified.alert.fingerprint();
        let full = self.alerts.len() >= self.config.compiled().max_alerts;
        let theirs = (notified.alert.starts_at(), notified.episode);
        match self.alerts.get_mut(&fingerprint) {
            None if full || notified.alert.ends_at().is_some_and(|end| end <= now) => {}
            None => {
                let expires = notified
                    .alert
                    .ends_at()
                    .unwrap_or_else(|| after(now, self.config.resolve_timeout()));
                self.begin(notified.alert.clone(), expires, now);
                if let Some(entry) = self.alerts.get_mut(&fingerprint) {
                    entry.episode = notified.episode;
                }
            }
            Some(entry) => {
                // The peer has counted more episodes: so does this router, so that both name the next alike.
                if entry.is_firing() && (entry.alert.starts_at(), entry.episode) < theirs {
                    entry.alert = entry.alert.clone().with_starts_at(theirs.0);
                    entry.episode = theirs.1;
                }
            }
        }
    }

    fn hear_of_end(&mut self, notified: &NotifiedAlert, now: Timestamp) {
        let fingerprint = notified.alert.fingerprint();
        let theirs = (notified.alert.starts_at(), notified.episode);
        let late_until = after(now, self.config.resolve_timeout());
        let full = self.alerts.len() >= self.config.compiled().max_alerts;
        if !self.alerts.contains_key(&fingerprint) && !full {
            // Remembered, so that news of it that are under way do not begin it again.
            self.begin(notified.alert.clone(), late_until, now);
            if let Some(entry) = self.alerts.get_mut(&fingerprint) {
                entry.episode = notified.episode;
            }
        }
        let Some(entry) = self.alerts.get(&fingerprint) else {
            return;
        };
        if (entry.alert.starts_at(), entry.episode) > theirs {
            // It fires anew here, which the peer did not know.
            return;
        }
        let end = notified.alert.ends_at().unwrap_or(now).min(now);
        self.resolve(fingerprint, end, now);
        if let Some(entry) = self.alerts.get_mut(&fingerprint) {
            entry.late_until = Some(late_until);
        }
    }

    fn mark_told(&mut self, notification: &Notification, now: Timestamp) {
        let compiled = Arc::clone(self.config.compiled());
        let Some(group) = self
            .group_of_key
            .get(&notification.group_key)
            .and_then(|id| self.groups.get_mut(id))
        else {
            return;
        };
        let Some(route) = compiled.routes.get(group.route) else {
            return;
        };
        let chain = chain(&compiled, route);
        let at = notification.at.min(now);
        let level = match notification.reason {
            NotificationReason::Escalation { level } => usize::try_from(level)
                .unwrap_or(usize::MAX)
                .min(chain.len()),
            _ => 0,
        };
        if level == 0 && notification.receiver != route.receiver {
            return;
        }
        let mut has_news = false;
        for notified in &notification.alerts {
            let fingerprint = notified.alert.fingerprint();
            if notified.status == AlertStatus::Resolved {
                // Levels that were told beside the receiver are told by the peer as well.
                let over = self.alerts.get_mut(&fingerprint);
                if let Some(entry) = over.filter(|entry| !entry.is_firing()) {
                    group.members.remove(&fingerprint);
                    entry.groups.retain(|id| *id != group.id);
                }
                continue;
            }
            if let Some(member) = group.members.get_mut(&fingerprint) {
                let episode = (notified.alert.starts_at(), notified.episode);
                has_news |= member.is_none_or(|told| (told.start, told.episode) != episode);
                *member = Some(Told {
                    start: notified.alert.starts_at(),
                    episode: notified.episode,
                    levels: member.map_or(0, |told| told.levels).max(level),
                });
            }
        }
        if level > 0 {
            group.escalation = Some(Escalation {
                level,
                at: chain.get(level).map(|next| after(at, next.after)),
            });
        } else {
            group.last_notified = group.last_notified.max(Some(at));
            if let NotificationReason::Repeat { number } = notification.reason {
                group.repeats = group.repeats.max(number);
            } else if has_news
                && group
                    .escalation
                    .is_none_or(|escalation| escalation.at.is_none())
            {
                // Where the peer only told of an end, a chain that has run its course stays there.
                group.escalation = chain.first().map(|first| Escalation {
                    level: 0,
                    at: Some(after(at, first.after)),
                });
            }
        }
        let told = group.members.values().any(Option::is_some);
        group.repeat_due = group
            .last_notified
            .filter(|_| told)
            .map(|at| after(at, route.repeat_interval));
        let next = [
            group.change_due,
            group.repeat_due,
            group.escalation.and_then(|escalation| escalation.at),
        ];
        // An empty group looks at itself once more, and goes.
        let next = next.into_iter().flatten().min().unwrap_or(now);
        arm(&mut self.group_timers, group, Some(next));
    }
}
