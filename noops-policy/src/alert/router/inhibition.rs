use std::collections::{BTreeMap, BTreeSet};

use crate::alert::config::InhibitRule;
use crate::alert::fingerprint::Fingerprint;
use crate::alert::matcher::all_match;
use crate::alert::model::Alert;

/// Which firing alerts inhibit which, found by the values of the labels that must be equal.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Inhibitions {
    buckets: BTreeMap<Place, Bucket>,
}

/// A rule, and the values of its `equal` labels; an absent label has the empty value.
type Place = (usize, Vec<String>);

#[derive(Clone, Debug, Default, PartialEq)]
struct Bucket {
    /// Sources that are no targets of the rule.
    pure: BTreeSet<Fingerprint>,
    /// Sources that are targets too: as in Alertmanager they do not inhibit each other, nor themselves.
    both: BTreeSet<Fingerprint>,
    targets: BTreeSet<Fingerprint>,
}

impl Inhibitions {
    /// Adds a firing alert, and gives the targets whose state may have changed.
    pub(super) fn insert(&mut self, rules: &[InhibitRule], alert: &Alert) -> Vec<Fingerprint> {
        let fingerprint = alert.fingerprint();
        let mut touched = Vec::new();
        for (place, role) in roles(rules, alert) {
            let bucket = self.buckets.entry(place).or_default();
            let sources = match role {
                Role::Source => Some(&mut bucket.pure),
                Role::Both => Some(&mut bucket.both),
                Role::Target => None,
            };
            if let Some(sources) = sources {
                if sources.is_empty() {
                    touched.extend(bucket.targets.iter().copied());
                }
                sources.insert(fingerprint);
            }
            if role != Role::Source {
                bucket.targets.insert(fingerprint);
            }
        }
        touched
    }

    /// Removes an alert that is over, and gives the targets whose state may have changed.
    pub(super) fn remove(&mut self, rules: &[InhibitRule], alert: &Alert) -> Vec<Fingerprint> {
        let fingerprint = alert.fingerprint();
        let mut touched = Vec::new();
        for (place, role) in roles(rules, alert) {
            let Some(bucket) = self.buckets.get_mut(&place) else {
                continue;
            };
            bucket.targets.remove(&fingerprint);
            let sources = match role {
                Role::Source => Some(&mut bucket.pure),
                Role::Both => Some(&mut bucket.both),
                Role::Target => None,
            };
            if let Some(sources) = sources {
                sources.remove(&fingerprint);
                if sources.is_empty() {
                    touched.extend(bucket.targets.iter().copied());
                }
            }
            if bucket.pure.is_empty() && bucket.both.is_empty() && bucket.targets.is_empty() {
                self.buckets.remove(&place);
            }
        }
        touched
    }

    /// The first rule by which another firing alert inhibits this one, and that alert.
    pub(super) fn inhibitor<'a>(
        &self,
        rules: &'a [InhibitRule],
        alert: &Alert,
    ) -> Option<(&'a InhibitRule, Fingerprint)> {
        roles(rules, alert).find_map(|((index, values), role)| {
            let bucket = self.buckets.get(&(index, values))?;
            let source = match role {
                Role::Source => None,
                Role::Both => bucket.pure.first(),
                Role::Target => bucket.pure.first().or_else(|| bucket.both.first()),
            };
            Some((rules.get(index)?, *source?))
        })
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Role {
    Source,
    Target,
    Both,
}

/// The rules that an alert takes part in.
fn roles(rules: &[InhibitRule], alert: &Alert) -> impl Iterator<Item = (Place, Role)> {
    rules.iter().enumerate().filter_map(|(index, rule)| {
        let role = match (
            all_match(&rule.source, alert),
            all_match(&rule.target, alert),
        ) {
            (true, true) => Role::Both,
            (true, false) => Role::Source,
            (false, true) => Role::Target,
            (false, false) => return None,
        };
        let values = rule
            .equal
            .iter()
            .map(|label| alert.label(label).to_owned())
            .collect();
        Some(((index, values), role))
    })
}
