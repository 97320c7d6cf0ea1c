use std::borrow::Cow;
use std::collections::BTreeMap;

use jiff::Timestamp;
use noops_core::Digest;
use serde::{Deserialize, Serialize};

use crate::error::PolicyError;
use crate::fact::cell::Cell;
use crate::fact::value::without_signed_zero;
use crate::fact::{FactDecl, FactSchema, FactType, FactValue};

/// What is known of a fact at a moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum FactState {
    /// A value that is in range and recent enough.
    Known,
    /// No value was ever set.
    Missing,
    /// The value is further from now than the declared greatest age.
    Stale,
    /// The value is not finite or out of the declared range.
    Invalid,
}

/// A fact's value and the moment it was true.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FactEntry {
    value: FactValue,
    at: Timestamp,
}

impl FactEntry {
    /// The value.
    pub fn value(&self) -> &FactValue {
        &self.value
    }

    /// The moment at which it was true.
    pub fn at(&self) -> Timestamp {
        self.at
    }
}

/// Facts by name: the stored form of [`Facts`].
pub type FactRecord = BTreeMap<String, FactEntry>;

/// What is known: one typed slot per declared fact, each with the time of its value.
///
/// # Examples
///
/// ```
/// use noops_core::Timestamp;
/// use noops_policy::{FactDecl, FactSchema, FactState, Facts};
///
/// let schema = FactSchema::new(vec![FactDecl::double("drift.psi").with_min(0.0)])?;
/// let now = Timestamp::UNIX_EPOCH;
/// let mut facts = Facts::new(&schema);
/// assert_eq!(facts.state("drift.psi", now), Some(FactState::Missing));
/// facts.set("drift.psi", f64::NAN, now)?;
/// assert_eq!(facts.state("drift.psi", now), Some(FactState::Invalid));
/// facts.set("drift.psi", 0.31, now)?;
/// assert_eq!(facts.state("drift.psi", now), Some(FactState::Known));
///
/// let slip = facts.set("drift.pssi", 0.31, now).unwrap_err();
/// assert_eq!(slip.to_string(), "unknown fact `drift.pssi`; did you mean `drift.psi`?");
/// # Ok::<(), noops_policy::PolicyError>(())
/// ```
#[derive(Clone, Debug)]
pub struct Facts {
    schema: FactSchema,
    slots: Vec<Option<FactEntry>>,
    /// What `slots` come to for a condition: one for each.
    cells: Vec<Cell>,
}

impl PartialEq for Facts {
    fn eq(&self, other: &Self) -> bool {
        self.schema == other.schema && self.slots == other.slots
    }
}

impl Facts {
    /// Knows nothing yet.
    pub fn new(schema: &FactSchema) -> Self {
        Self {
            schema: schema.clone(),
            slots: vec![None; schema.len()],
            cells: vec![Cell::MISSING; schema.len()],
        }
    }

    /// Sets a fact. A whole number given for a declared double is taken as that double.
    ///
    /// A value that is not finite or out of range is kept, and its state is [`FactState::Invalid`]. Zero has no sign: a
    /// negative zero becomes zero.
    ///
    /// The newest value counts, whatever the order of arrival: one that is older than the stored one is checked and
    /// then dropped, and of two of the same moment the later call wins. [`Facts::forget`] makes room for an older value,
    /// such as after a stamp in the future.
    ///
    /// # Errors
    ///
    /// [`PolicyError::UnknownFact`] for a name that is not declared, [`PolicyError::WrongType`] for a value of another
    /// type, and [`PolicyError::InvalidFact`] for text that is not the span of time or the moment it is declared to be;
    /// the facts are then unchanged.
    pub fn set(
        &mut self,
        name: &str,
        value: impl Into<FactValue>,
        at: Timestamp,
    ) -> Result<(), PolicyError> {
        let Some(index) = self.schema.slot(name) else {
            return Err(self.schema.unknown(name));
        };
        let (Some(slot), Some(cell), Some(decl)) = (
            self.slots.get_mut(index),
            self.cells.get_mut(index),
            self.schema.facts().get(index),
        ) else {
            return Err(self.schema.unknown(name));
        };
        let value = conform(decl, value.into())?;
        if slot.as_ref().is_none_or(|stored| stored.at <= at) {
            let entry = FactEntry { value, at };
            *cell = Cell::new(decl, &entry);
            *slot = Some(entry);
        }
        Ok(())
    }

    /// Forgets a fact, which is missing from then on. An undeclared name is missing already.
    pub fn forget(&mut self, name: &str) {
        let Some(index) = self.schema.slot(name) else {
            return;
        };
        if let (Some(slot), Some(cell)) = (self.slots.get_mut(index), self.cells.get_mut(index)) {
            *slot = None;
            *cell = Cell::MISSING;
        }
    }

    /// The schema.
    pub fn schema(&self) -> &FactSchema {
        &self.schema
    }

    /// The value and time of a fact, whatever its state; none if it is missing or undeclared.
    pub fn entry(&self, name: &str) -> Option<&FactEntry> {
        let index = self.schema.slot(name)?;
        self.slots.get(index)?.as_ref()
    }

    /// What is known of a fact at `now`; none if it is undeclared.
    ///
    /// A value stamped later than `now` by more than the greatest age is stale too: the clock that stamped it, or this
    /// one, cannot be trusted.
    pub fn state(&self, name: &str, now: Timestamp) -> Option<FactState> {
        let slot = self.schema.slot(name)?;
        Some(match self.read(slot, now) {
            Ok(_) => FactState::Known,
            Err(state) => state,
        })
    }

    /// The facts that have a value, by name.
    pub fn to_record(&self) -> FactRecord {
        self.schema
            .facts()
            .iter()
            .zip(&self.slots)
            .filter_map(|(decl, slot)| {
                slot.as_ref()
                    .map(|entry| (decl.name().to_owned(), entry.clone()))
            })
            .collect()
    }

    /// Reads a record back.
    ///
    /// # Errors
    ///
    /// As [`Facts::set`], for each fact of the record.
    pub fn from_record(schema: &FactSchema, record: &FactRecord) -> Result<Self, PolicyError> {
        let mut facts = Self::new(schema);
        for (name, entry) in record {
            facts.set(name, entry.value.clone(), entry.at)?;
        }
        Ok(facts)
    }

    /// The digest of the record.
    pub fn digest(&self) -> Digest {
        Digest::of_json(&self.to_record())
    }

    /// The value of a slot, or why there is none to use.
    pub(crate) fn read(&self, slot: usize, now: Timestamp) -> Result<&FactValue, FactState> {
        let (Some(Some(entry)), Some(cell)) = (self.slots.get(slot), self.cells.get(slot)) else {
            return Err(FactState::Missing);
        };
        match cell.state(now) {
            FactState::Known => Ok(&entry.value),
            state => Err(state),
        }
    }

    /// The cell of a slot, if its value can be used at `now`.
    pub(crate) fn usable(&self, slot: usize, now: Timestamp) -> Option<&Cell> {
        self.cells.get(slot).filter(|cell| cell.is_usable(now))
    }

    /// These facts in the slots of another schema; a fact that it does not declare alike is missing there.
    pub(crate) fn aligned(&self, schema: &FactSchema) -> Cow<'_, Self> {
        if self.schema.is_same(schema) {
            return Cow::Borrowed(self);
        }
        let mut aligned = Self::new(schema);
        let places = schema
            .facts()
            .iter()
            .zip(aligned.slots.iter_mut().zip(&mut aligned.cells));
        for (decl, (slot, cell)) in places {
            let alike = self
                .entry(decl.name())
                .filter(|entry| entry.value.fact_type() == decl.fact_type());
            if let Some(entry) = alike {
                *cell = Cell::new(decl, entry);
                *slot = Some(entry.clone());
            }
        }
        Cow::Owned(aligned)
    }
}

fn conform(decl: &FactDecl, value: FactValue) -> Result<FactValue, PolicyError> {
    match (decl.fact_type(), value) {
        (FactType::Double, FactValue::Int(whole)) => Ok(FactValue::Double(whole as f64)),
        (FactType::Double, FactValue::Double(number)) => {
            Ok(FactValue::Double(one_representation(number)))
        }
        (FactType::Doubles, FactValue::Doubles(numbers)) => Ok(FactValue::Doubles(
            numbers.into_iter().map(one_representation).collect(),
        )),
        (FactType::Doubles, FactValue::Ints(wholes)) => Ok(FactValue::Doubles(
            wholes.into_iter().map(|whole| whole as f64).collect(),
        )),
        (FactType::Texts, FactValue::Ints(none)) if none.is_empty() => {
            Ok(FactValue::Texts(Vec::new()))
        }
        (FactType::Duration, FactValue::Text(text)) => text
            .parse()
            .map(FactValue::Duration)
            .map_err(|_| unreadable(decl, &text, "PT90S` or `1m 30s")),
        (FactType::Timestamp, FactValue::Text(text)) => text
            .parse()
            .map(FactValue::Timestamp)
            .map_err(|_| unreadable(decl, &text, "2026-03-01T12:00:00Z")),
        (expected, value) if value.fact_type() == expected => Ok(value),
        (_, value) => Err(wrong_type(decl, value.fact_type())),
    }
}

/// One representation of zero, and one of "not a usable number", so that records read back equal.
fn one_representation(number: f64) -> f64 {
    if number.is_finite() {
        without_signed_zero(number)
    } else {
        f64::NAN
    }
}

fn unreadable(decl: &FactDecl, text: &str, example: &str) -> PolicyError {
    PolicyError::InvalidFact {
        name: decl.name().to_owned(),
        problem: format!(
            "`{}` is not a {}; write it as `{example}`",
            text.escape_debug(),
            decl.fact_type()
        ),
    }
}

fn wrong_type(decl: &FactDecl, found: FactType) -> PolicyError {
    PolicyError::WrongType {
        name: decl.name().to_owned(),
        expected: decl.fact_type(),
        found,
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn schema() -> FactSchema {
        FactSchema::new(vec![
            FactDecl::double("share").with_min(0.0).with_max(1.0),
            FactDecl::int("n").with_max_age(Duration::from_secs(60)),
            FactDecl::text("env"),
            FactDecl::bool("frozen"),
        ])
        .unwrap()
    }

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    #[test]
    fn values_of_another_type_are_refused_and_change_nothing() {
        let mut facts = Facts::new(&schema());
        let error = facts.set("n", 1.5, at(0)).unwrap_err();
        assert_eq!(
            error.to_string(),
            "fact `n` is declared as int and was given a double value"
        );
        assert_eq!(facts, Facts::new(&schema()));
        facts.set("share", 1, at(0)).unwrap();
        assert_eq!(
            facts.entry("share").unwrap().value(),
            &FactValue::Double(1.0)
        );
    }

    #[test]
    fn states_follow_range_and_age() {
        let mut facts = Facts::new(&schema());
        facts.set("share", 1.01, at(0)).unwrap();
        facts.set("n", 5, at(100)).unwrap();
        assert_eq!(facts.state("share", at(0)), Some(FactState::Invalid));
        assert_eq!(facts.state("env", at(0)), Some(FactState::Missing));
        assert_eq!(facts.state("n", at(160)), Some(FactState::Known));
        assert_eq!(facts.state("n", at(161)), Some(FactState::Stale));
        assert_eq!(facts.state("n", at(40)), Some(FactState::Known));
        assert_eq!(facts.state("n", at(39)), Some(FactState::Stale));
        assert_eq!(facts.state("nothing", at(0)), None);
        facts.forget("n");
        assert_eq!(facts.state("n", at(100)), Some(FactState::Missing));
    }

    #[test]
    fn a_value_that_arrives_late_does_not_replace_a_newer_one() {
        let mut facts = Facts::new(&schema());
        facts.set("n", 7, at(100)).unwrap();
        facts.set("n", 3, at(99)).unwrap();
        assert_eq!(facts.entry("n").unwrap().value(), &FactValue::Int(7));
        assert_eq!(facts.entry("n").unwrap().at(), at(100));
        assert!(facts.set("n", 1.5, at(99)).is_err());
        facts.set("n", 8, at(100)).unwrap();
        assert_eq!(facts.entry("n").unwrap().value(), &FactValue::Int(8));
        facts.forget("n");
        facts.set("n", 3, at(99)).unwrap();
        assert_eq!(facts.entry("n").unwrap().value(), &FactValue::Int(3));
    }

    #[test]
    fn zeros_of_either_sign_have_one_digest() {
        let mut plain = Facts::new(&schema());
        plain.set("share", 0.0, at(0)).unwrap();
        for negative in [FactValue::from(-0.0), FactValue::Double(-0.0)] {
            let mut facts = Facts::new(&schema());
            facts.set("share", negative, at(0)).unwrap();
            assert_eq!(facts.digest(), plain.digest());
            let stored = facts.entry("share").unwrap().value().as_f64().unwrap();
            assert!(stored.is_sign_positive());
        }
    }

    #[test]
    fn records_read_back_equal_even_with_values_that_are_not_finite() {
        let mut facts = Facts::new(&schema());
        facts.set("share", f64::NEG_INFINITY, at(1)).unwrap();
        facts.set("env", "prod", at(2)).unwrap();
        facts.set("frozen", false, at(3)).unwrap();
        let json = serde_json::to_string(&facts.to_record()).unwrap();
        let record: FactRecord = serde_json::from_str(&json).unwrap();
        let back = Facts::from_record(&schema(), &record).unwrap();
        assert_eq!(back, facts);
        assert_eq!(back.digest(), facts.digest());
    }

    #[test]
    fn a_null_for_anything_but_a_double_is_refused() {
        let json = r#"{"env":{"value":null,"at":"1970-01-01T00:00:00Z"}}"#;
        let record: FactRecord = serde_json::from_str(json).unwrap();
        assert!(Facts::from_record(&schema(), &record).is_err());
    }

    #[test]
    fn facts_of_another_schema_are_matched_by_name_and_type() {
        let other = FactSchema::new(vec![FactDecl::text("env"), FactDecl::double("n")]).unwrap();
        let mut facts = Facts::new(&schema());
        facts.set("env", "prod", at(0)).unwrap();
        facts.set("n", 5, at(0)).unwrap();
        let aligned = facts.aligned(&other);
        assert_eq!(aligned.state("env", at(0)), Some(FactState::Known));
        assert_eq!(aligned.state("n", at(0)), Some(FactState::Missing));
    }
}
