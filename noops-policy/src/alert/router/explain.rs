use noops_core::Timestamp;

use super::Router;
use crate::alert::duration::after;
use crate::alert::fingerprint::Fingerprint;
use crate::alert::suppression::{Suppression, SuppressionRecord};

impl Router {
    /// Why nobody was told of an alert, or is not being told now: what was held back, by rule and receiver, and for an alert
    /// that fires what it waits for.
    ///
    /// Records outlive the alert, and are bounded in number: 16 for an alert, and 1,024 alerts that are over.
    #[must_use]
    pub fn why_not(&self, fingerprint: Fingerprint) -> Vec<SuppressionRecord> {
        let mut records: Vec<SuppressionRecord> = self
            .history
            .iter()
            .filter(|forgotten| forgotten.fingerprint == fingerprint)
            .flat_map(|forgotten| forgotten.records.iter().cloned())
            .collect();
        let Some(entry) = self.alerts.get(&fingerprint) else {
            return records;
        };
        records.extend(entry.records.iter().cloned());
        let (Some(now), true) = (self.latest, entry.is_firing()) else {
            return records;
        };
        if let Some(hold) = &entry.hold
            && !records.iter().any(|record| record.rule == *hold)
        {
            records.push(SuppressionRecord::new(fingerprint, None, hold.clone(), now));
        }
        records.extend(
            entry
                .groups
                .iter()
                .filter_map(|id| self.waits_for(*id, fingerprint, now)),
        );
        records
    }

    fn waits_for(
        &self,
        id: u64,
        fingerprint: Fingerprint,
        now: Timestamp,
    ) -> Option<SuppressionRecord> {
        let group = self.groups.get(&id)?;
        let route = self.config.compiled().routes.get(group.route)?;
        let entry = self.alerts.get(&fingerprint)?;
        let knows = group
            .members
            .get(&fingerprint)
            .copied()
            .flatten()
            .is_some_and(|told| told.is_of(entry));
        let rule = match (knows, group.last_notified, group.change_due) {
            (true, Some(at), _) => Suppression::AlreadyNotified {
                at,
                repeat_at: after(at, route.repeat_interval),
            },
            (false, _, Some(until)) => Suppression::GroupWait { until },
            _ => return None,
        };
        let receiver = Some(route.receiver.as_str());
        Some(SuppressionRecord::new(fingerprint, receiver, rule, now))
    }
}
