use std::time::Duration;

use jiff::SignedDuration;
use serde::{Deserialize, Serialize};

use crate::error::PolicyError;
use crate::fact::{FactType, FactValue};

/// The declaration of one fact: its name, type, unit, range, greatest age and meaning.
///
/// The name is dotted, such as `harm.max_e`. A value outside the declared range is invalid, and one older than the
/// greatest age is stale; neither is ever read as a number.
///
/// # Examples
///
/// ```
/// use std::time::Duration;
/// use noops_policy::FactDecl;
///
/// let psi = FactDecl::double("drift.psi")
///     .with_min(0.0)
///     .with_max_age(Duration::from_secs(3600))
///     .with_meaning("population stability index of the worst feature");
/// assert_eq!(psi.name(), "drift.psi");
/// assert_eq!(psi.min(), Some(0.0));
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FactDecl {
    name: String,
    #[serde(rename = "type")]
    fact_type: FactType,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    unit: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    min: Option<f64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    max: Option<f64>,
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        with = "duration_text"
    )]
    max_age: Option<Duration>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    max_items: Option<usize>,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    meaning: String,
}

impl FactDecl {
    /// The items that a list may have where its declaration does not say.
    pub const MAX_ITEMS: usize = 100;

    /// The bytes that a text may have; a longer one is invalid, so that the cost of a condition can be told beforehand.
    pub const MAX_TEXT_BYTES: usize = 1024;

    /// Declares a fact of type `fact_type`. The name is checked when the schema is built.
    pub fn new(name: impl Into<String>, fact_type: FactType) -> Self {
        Self {
            name: name.into(),
            fact_type,
            unit: None,
            min: None,
            max: None,
            max_age: None,
            max_items: None,
            meaning: String::new(),
        }
    }

    /// Declares a fact that is true or false.
    pub fn bool(name: impl Into<String>) -> Self {
        Self::new(name, FactType::Bool)
    }

    /// Declares a whole number.
    pub fn int(name: impl Into<String>) -> Self {
        Self::new(name, FactType::Int)
    }

    /// Declares a floating point number.
    pub fn double(name: impl Into<String>) -> Self {
        Self::new(name, FactType::Double)
    }

    /// Declares text.
    pub fn text(name: impl Into<String>) -> Self {
        Self::new(name, FactType::Text)
    }

    /// Declares a span of time.
    pub fn duration(name: impl Into<String>) -> Self {
        Self::new(name, FactType::Duration)
    }

    /// Declares a moment.
    pub fn timestamp(name: impl Into<String>) -> Self {
        Self::new(name, FactType::Timestamp)
    }

    /// Names the unit. Conditions that compare or add facts of different units are refused.
    #[must_use]
    pub fn with_unit(mut self, unit: impl Into<String>) -> Self {
        self.unit = Some(unit.into());
        self
    }

    /// Sets the least valid value.
    #[must_use]
    pub fn with_min(mut self, min: f64) -> Self {
        self.min = Some(min);
        self
    }

    /// Sets the greatest valid value.
    #[must_use]
    pub fn with_max(mut self, max: f64) -> Self {
        self.max = Some(max);
        self
    }

    /// Sets the age beyond which a value is stale. It is checked when the schema is built: above `i64::MAX` seconds it
    /// is refused.
    #[must_use]
    pub fn with_max_age(mut self, max_age: Duration) -> Self {
        self.max_age = Some(max_age);
        self
    }

    /// Sets how many items a list may have: a longer one is invalid. Without it, [`FactDecl::MAX_ITEMS`].
    #[must_use]
    pub fn with_max_items(mut self, max_items: usize) -> Self {
        self.max_items = Some(max_items);
        self
    }

    /// Says in a sentence what the fact means.
    #[must_use]
    pub fn with_meaning(mut self, meaning: impl Into<String>) -> Self {
        self.meaning = meaning.into();
        self
    }

    /// The dotted name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The type.
    pub fn fact_type(&self) -> FactType {
        self.fact_type
    }

    /// The unit, if one is named.
    pub fn unit(&self) -> Option<&str> {
        self.unit.as_deref()
    }

    /// The least valid value, if bounded.
    pub fn min(&self) -> Option<f64> {
        self.min
    }

    /// The greatest valid value, if bounded.
    pub fn max(&self) -> Option<f64> {
        self.max
    }

    /// The age beyond which a value is stale, if it can become stale.
    pub fn max_age(&self) -> Option<Duration> {
        self.max_age
    }

    /// How many items a list may have, if it is declared.
    pub fn max_items(&self) -> Option<usize> {
        self.max_items
    }

    /// What the fact means.
    pub fn meaning(&self) -> &str {
        &self.meaning
    }

    /// Whether `value` is finite, within the declared range, and no longer than it may be.
    pub(crate) fn admits(&self, value: &FactValue) -> bool {
        let room = self.max_items.unwrap_or(Self::MAX_ITEMS);
        value.items().is_none_or(|items| items <= room)
            && value.all_texts(|text| text.len() <= Self::MAX_TEXT_BYTES)
            && value.all_numbers(|number| {
                self.min.is_none_or(|min| number >= min) && self.max.is_none_or(|max| number <= max)
            })
    }

    pub(crate) fn check(&self) -> Result<(), PolicyError> {
        let refuse = |problem: String| {
            Err(PolicyError::InvalidFact {
                name: self.name.clone(),
                problem,
            })
        };
        if self.name.len() > MAX_NAME_BYTES {
            return refuse(format!("name is longer than {MAX_NAME_BYTES} bytes"));
        }
        for segment in self.name.split('.') {
            if !is_identifier(segment) {
                return refuse(
                    "name must be identifiers joined by dots, such as `drift.psi`".to_owned(),
                );
            }
            if RESERVED.contains(&segment) {
                return refuse(format!(
                    "`{segment}` is a reserved word of the condition language; choose another name"
                ));
            }
        }
        if let Some(max_age) = self.max_age
            && SignedDuration::try_from(max_age).is_err()
        {
            return refuse(format!(
                "max_age of `{}` seconds is above `{}`; leave it out for facts that do not become stale",
                max_age.as_secs(),
                i64::MAX
            ));
        }
        if self.max_items.is_some() && !self.fact_type.is_list() {
            return refuse(format!(
                "`max_items` is for lists and the fact is {}; remove it",
                self.fact_type
            ));
        }
        if self.min.is_none() && self.max.is_none() {
            return Ok(());
        }
        if !self.fact_type.is_numeric() {
            return refuse(format!(
                "a range needs a number and the fact is {}; remove `min` and `max`",
                self.fact_type
            ));
        }
        let finite = |bound: Option<f64>| bound.is_none_or(f64::is_finite);
        if !finite(self.min) || !finite(self.max) {
            return refuse("a bound must be finite; leave it out for no bound".to_owned());
        }
        match (self.min, self.max) {
            (Some(min), Some(max)) if min > max => {
                refuse(format!("min `{min}` is above max `{max}`; swap them"))
            }
            _ => Ok(()),
        }
    }
}

pub(crate) fn is_identifier(segment: &str) -> bool {
    let mut bytes = segment.bytes();
    bytes
        .next()
        .is_some_and(|first| first.is_ascii_alphabetic() || first == b'_')
        && bytes.all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}

/// Durations as ISO 8601 text (`PT2H`); friendly text such as `2h` is read too.
mod duration_text {
    use std::time::Duration;

    use jiff::SignedDuration;
    use serde::de::Error as _;
    use serde::ser::Error as _;
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    pub(super) fn serialize<S: Serializer>(
        duration: &Option<Duration>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        let signed: Option<SignedDuration> = match duration {
            None => None,
            Some(duration) => Some(SignedDuration::try_from(*duration).map_err(S::Error::custom)?),
        };
        signed.serialize(serializer)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Option<Duration>, D::Error> {
        let signed: Option<SignedDuration> = Option::deserialize(deserializer)?;
        match signed {
            None => Ok(None),
            Some(signed) => Duration::try_from(signed)
                .map(Some)
                .map_err(|_| D::Error::custom("`max_age` must not be negative")),
        }
    }
}

/// The reserved words of CEL, and `has`, which the condition language offers as a function.
const RESERVED: [&str; 20] = [
    "as",
    "break",
    "const",
    "continue",
    "else",
    "false",
    "for",
    "function",
    "has",
    "if",
    "import",
    "in",
    "let",
    "loop",
    "namespace",
    "null",
    "package",
    "return",
    "true",
    "void",
];

/// Names longer than this are refused.
const MAX_NAME_BYTES: usize = 128;
