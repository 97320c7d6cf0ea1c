use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::time::Duration;

use super::matcher::{Matcher, all_match};
use super::model::Alert;
use super::severity::Severity;

/// A node of the routing tree, with everything that it inherits in place.
#[derive(Clone, Debug)]
pub(super) struct Route {
    /// The matchers from the root, the receiver, and a number where a sibling has the same: two routes never share a key.
    pub(super) key: String,
    pub(super) matchers: Vec<Matcher>,
    pub(super) children: Vec<usize>,
    pub(super) continues: bool,
    pub(super) receiver: String,
    pub(super) group_by: GroupBy,
    pub(super) group_wait: Duration,
    pub(super) group_interval: Duration,
    pub(super) repeat_interval: Duration,
    pub(super) mute: Vec<String>,
    pub(super) active: Vec<String>,
    pub(super) severity: Option<Severity>,
    pub(super) owner: Option<String>,
    pub(super) runbook: Option<String>,
    pub(super) escalation: Option<String>,
}

/// The labels by which a route groups.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum GroupBy {
    /// Every alert is its own group.
    All,
    Labels(Vec<String>),
}

impl GroupBy {
    pub(super) fn labels_of(&self, alert: &Alert) -> BTreeMap<String, String> {
        match self {
            Self::All => alert.labels().clone(),
            Self::Labels(names) => names
                .iter()
                .filter_map(|name| alert.labels().get_key_value(name))
                .map(|(name, value)| (name.clone(), value.clone()))
                .collect(),
        }
    }
}

impl Route {
    pub(super) fn group_key(&self, labels: &BTreeMap<String, String>) -> String {
        let mut key = String::with_capacity(self.key.len() + 48);
        key.push_str(&self.key);
        key.push_str(":{");
        for (index, (name, value)) in labels.iter().enumerate() {
            if index > 0 {
                key.push(',');
            }
            key.push_str(name);
            key.push('=');
            // Writing to a string cannot fail.
            let _ = write!(key, "{value:?}");
        }
        key.push('}');
        key
    }
}

/// The routes of an alert: the deepest that match, the first of siblings unless it continues; indices into `routes`, whose
/// first is the root.
pub(super) fn matching(routes: &[Route], alert: &Alert) -> Vec<usize> {
    let mut found = Vec::new();
    descend(routes, 0, alert, &mut found);
    found
}

/// The depth of the tree is bounded when it is loaded.
fn descend(routes: &[Route], at: usize, alert: &Alert, found: &mut Vec<usize>) -> Descent {
    let Some(route) = routes.get(at) else {
        return Descent::Missed;
    };
    if !all_match(&route.matchers, alert) {
        return Descent::Missed;
    }
    let mut descent = Descent::Missed;
    for child in &route.children {
        if descend(routes, *child, alert, found) == Descent::Matched {
            descent = Descent::Matched;
            if !routes.get(*child).is_some_and(|route| route.continues) {
                break;
            }
        }
    }
    if descent == Descent::Missed {
        found.push(at);
    }
    Descent::Matched
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Descent {
    Matched,
    Missed,
}
