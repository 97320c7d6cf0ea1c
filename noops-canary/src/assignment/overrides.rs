use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::Arm;

/// Units and attributes whose arm somebody chose, which therefore stay out of the analysis.
///
/// The order of precedence is: forced unit, forced attribute, denied unit, denied attribute, and only then the hash. A denied unit is
/// always served by the champion. Everything decided here is served but not analysed: such units were not drawn by
/// chance and would bias the comparison and trip the check of the sample ratio.
///
/// The type of arm is [`Arm`] for a plain comparison and the challenger's name for several.
///
/// # Examples
///
/// ```
/// use noops_canary::{Arm, Override, Overrides};
///
/// let overrides = Overrides::default()
///     .with_forced("qa-phone", Arm::Challenger)
///     .with_denied_attribute("plan", "enterprise");
/// let enterprise = [("plan", "enterprise")];
/// assert_eq!(overrides.decide("qa-phone", &enterprise), Override::Forced(&Arm::Challenger));
/// assert!(overrides.decide("user-1", &enterprise).is_denied());
/// assert!(overrides.decide("user-1", &[]).is_left_to_chance());
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Overrides<A = Arm> {
    forced: BTreeMap<String, A>,
    forced_attributes: BTreeMap<String, BTreeMap<String, A>>,
    denied: BTreeSet<String>,
    denied_attributes: BTreeMap<String, BTreeSet<String>>,
}

impl<A> Overrides<A> {
    /// Always serves the unit by `arm`.
    #[must_use]
    pub fn with_forced(mut self, unit: impl Into<String>, arm: A) -> Self {
        self.forced.insert(unit.into(), arm);
        self
    }

    /// Always serves units whose attribute `name` has the text `value` by `arm`.
    #[must_use]
    pub fn with_forced_attribute(
        mut self,
        name: impl Into<String>,
        value: impl Into<String>,
        arm: A,
    ) -> Self {
        let values = self.forced_attributes.entry(name.into()).or_default();
        values.insert(value.into(), arm);
        self
    }

    /// Never serves the unit by a challenger, unless it is forced.
    #[must_use]
    pub fn with_denied(mut self, unit: impl Into<String>) -> Self {
        self.denied.insert(unit.into());
        self
    }

    /// Never serves units whose attribute `name` has the text `value` by a challenger, unless they are forced.
    #[must_use]
    pub fn with_denied_attribute(
        mut self,
        name: impl Into<String>,
        value: impl Into<String>,
    ) -> Self {
        let values = self.denied_attributes.entry(name.into()).or_default();
        values.insert(value.into());
        self
    }

    /// What the lists say about a unit with these attributes, given as pairs of name and value.
    ///
    /// If several attributes force an arm, the first in the order given wins.
    ///
    /// # Complexity
    ///
    /// A few look-ups in ordered maps per attribute; nothing is allocated.
    #[must_use]
    pub fn decide<'a>(&'a self, unit: &str, attributes: &[(&str, &str)]) -> Override<'a, A> {
        let by_unit = self.forced.get(unit);
        let forced = by_unit.or_else(|| {
            let mut matches = attributes.iter().filter_map(|(name, value)| {
                self.forced_attributes
                    .get(*name)
                    .and_then(|values| values.get(*value))
            });
            matches.next()
        });
        if let Some(arm) = forced {
            return Override::Forced(arm);
        }
        let attribute_denied = |(name, value): &(&str, &str)| {
            self.denied_attributes
                .get(*name)
                .is_some_and(|values| values.contains(*value))
        };
        if self.denied.contains(unit) || attributes.iter().any(attribute_denied) {
            Override::Denied
        } else {
            Override::LeftToChance
        }
    }

    /// Whether no list holds anything.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.forced.is_empty()
            && self.forced_attributes.is_empty()
            && self.denied.is_empty()
            && self.denied_attributes.is_empty()
    }

    /// The arms that something is forced to, in no order that means anything.
    pub(super) fn forced_arms(&self) -> impl Iterator<Item = &A> {
        let by_attribute = self.forced_attributes.values().flat_map(BTreeMap::values);
        self.forced.values().chain(by_attribute)
    }
}

// By hand, because a derived one would ask for `A: Default`.
impl<A> Default for Overrides<A> {
    fn default() -> Self {
        Self {
            forced: BTreeMap::new(),
            forced_attributes: BTreeMap::new(),
            denied: BTreeSet::new(),
            denied_attributes: BTreeMap::new(),
        }
    }
}

/// What [`Overrides`] say about a unit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Override<'a, A = Arm> {
    /// This arm serves it.
    Forced(&'a A),
    /// The champion serves it.
    Denied,
    /// The hash decides.
    LeftToChance,
}

impl<A> Override<'_, A> {
    /// Whether the unit is kept from every challenger.
    #[must_use]
    pub fn is_denied(&self) -> bool {
        matches!(self, Self::Denied)
    }

    /// Whether the hash decides, so that the unit belongs in the analysis.
    #[must_use]
    pub fn is_left_to_chance(&self) -> bool {
        matches!(self, Self::LeftToChance)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn force_goes_before_deny_and_deny_before_the_hash() {
        let overrides = Overrides::default()
            .with_forced("both", Arm::Challenger)
            .with_denied("both")
            .with_denied("denied");
        assert_eq!(
            overrides.decide("both", &[]),
            Override::Forced(&Arm::Challenger)
        );
        assert!(overrides.decide("denied", &[]).is_denied());
        assert!(overrides.decide("other", &[]).is_left_to_chance());
    }

    #[test]
    fn attributes_decide_where_the_unit_is_not_listed() {
        let overrides = Overrides::default()
            .with_forced("vip", Arm::Champion)
            .with_forced_attribute("team", "qa", Arm::Challenger)
            .with_denied_attribute("country", "de");
        let qa_in_germany = [("country", "de"), ("team", "qa")];
        assert_eq!(
            overrides.decide("x", &qa_in_germany),
            Override::Forced(&Arm::Challenger)
        );
        assert_eq!(
            overrides.decide("vip", &qa_in_germany),
            Override::Forced(&Arm::Champion)
        );
        assert!(overrides.decide("x", &[("country", "de")]).is_denied());
        assert!(
            overrides
                .decide("x", &[("country", "fr"), ("team", "de")])
                .is_left_to_chance()
        );
    }

    #[test]
    fn lists_survive_json_and_unknown_fields_are_refused() {
        let overrides = Overrides::default()
            .with_forced("a", Arm::Challenger)
            .with_denied_attribute("plan", "enterprise");
        let text = serde_json::to_string(&overrides).unwrap();
        assert_eq!(serde_json::from_str::<Overrides>(&text).unwrap(), overrides);
        assert!(serde_json::from_str::<Overrides>(r#"{"pinned":"champion"}"#).is_err());
        assert!(serde_json::from_str::<Overrides>("{}").unwrap().is_empty());
    }
}
