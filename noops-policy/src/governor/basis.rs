use std::collections::BTreeMap;

use jiff::Timestamp;
use noops_core::Digest;
use serde::{Deserialize, Serialize};

use super::after;
use crate::fact::{FactState, Facts};

/// The facts that an action rests on, and until when they may be used.
///
/// # Examples
///
/// ```
/// use std::time::Duration;
/// use noops_core::Timestamp;
/// use noops_policy::governor::FactBasis;
/// use noops_policy::{FactDecl, FactSchema, Facts};
///
/// let psi = FactDecl::double("psi").with_max_age(Duration::from_secs(60));
/// let schema = FactSchema::new(vec![psi])?;
/// let now = Timestamp::UNIX_EPOCH;
/// let mut facts = Facts::new(&schema);
/// facts.set("psi", 0.3, now)?;
/// let basis = FactBasis::of(&facts, &["psi"], now);
/// assert_eq!(basis.usable_until(), Timestamp::from_second(60)?);
/// assert_eq!(basis.unusable().count(), 0);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FactBasis {
    digest: Digest,
    oldest: Timestamp,
    usable_until: Timestamp,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    unusable: BTreeMap<String, FactState>,
}

impl FactBasis {
    /// Facts that were all true at `at` and have no end of their own.
    pub fn new(digest: Digest, at: Timestamp) -> Self {
        Self {
            digest,
            oldest: at,
            usable_until: Timestamp::MAX,
            unusable: BTreeMap::new(),
        }
    }

    /// The named facts as they are at `now`. Those that the decision did not need may be left out, such as a constant that was
    /// set long ago; a name that is not declared is missing.
    pub fn of(facts: &Facts, names: &[&str], now: Timestamp) -> Self {
        let mut basis = Self::new(facts.digest(), now);
        for &name in names {
            let state = facts.state(name, now).unwrap_or(FactState::Missing);
            if state != FactState::Known {
                basis.unusable.insert(name.to_owned(), state);
            }
            let Some(entry) = facts.entry(name) else {
                continue;
            };
            basis.oldest = basis.oldest.min(entry.at());
            let declared = facts.schema().facts().iter();
            let max_age = declared
                .filter(|decl| decl.name() == name)
                .find_map(|decl| decl.max_age());
            if let Some(max_age) = max_age {
                basis.usable_until = basis.usable_until.min(after(entry.at(), max_age));
            }
        }
        basis
    }

    /// The digest of all the facts.
    pub fn digest(&self) -> Digest {
        self.digest
    }

    /// The time of the oldest fact.
    pub fn oldest(&self) -> Timestamp {
        self.oldest
    }

    /// Until when every fact is as recent as its declaration asks.
    pub fn usable_until(&self) -> Timestamp {
        self.usable_until
    }

    /// The facts that had no value to use, by name.
    pub fn unusable(&self) -> impl Iterator<Item = (&str, FactState)> + '_ {
        self.unusable
            .iter()
            .map(|(name, state)| (name.as_str(), *state))
    }
}
