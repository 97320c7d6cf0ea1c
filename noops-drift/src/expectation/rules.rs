use jiff::SignedDuration;
use serde::{Deserialize, Serialize};

use super::invalid;
use crate::error::DriftError;

/// The numbers a column may have; an end that is not given is open.
///
/// Without an end on its side, an infinity is in the range.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "RawRange")]
pub struct Range {
    #[serde(skip_serializing_if = "Option::is_none")]
    min: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    exclusive_min: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    max: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    exclusive_max: Option<f64>,
}

impl Range {
    /// From `min` to `max`, both included.
    ///
    /// # Errors
    ///
    /// [`DriftError::InvalidInput`] unless both are finite and `min` is at most `max`.
    pub fn new(min: f64, max: f64) -> Result<Self, DriftError> {
        Self::of(Some(min), None, Some(max), None)
    }

    /// From `min` upwards.
    ///
    /// # Errors
    ///
    /// [`DriftError::InvalidInput`] unless it is finite.
    pub fn at_least(min: f64) -> Result<Self, DriftError> {
        Self::of(Some(min), None, None, None)
    }

    /// Up to `max`.
    ///
    /// # Errors
    ///
    /// [`DriftError::InvalidInput`] unless it is finite.
    pub fn at_most(max: f64) -> Result<Self, DriftError> {
        Self::of(None, None, Some(max), None)
    }

    /// Between two numbers that are not in the range themselves.
    ///
    /// # Errors
    ///
    /// [`DriftError::InvalidInput`] unless both are finite with a number between them.
    pub fn between(exclusive_min: f64, exclusive_max: f64) -> Result<Self, DriftError> {
        Self::of(None, Some(exclusive_min), None, Some(exclusive_max))
    }

    fn of(
        min: Option<f64>,
        exclusive_min: Option<f64>,
        max: Option<f64>,
        exclusive_max: Option<f64>,
    ) -> Result<Self, DriftError> {
        let range = Self {
            min,
            exclusive_min,
            max,
            exclusive_max,
        };
        for (field, bound) in [
            ("min", min),
            ("exclusive_min", exclusive_min),
            ("max", max),
            ("exclusive_max", exclusive_max),
        ] {
            if bound.is_some_and(|bound| !bound.is_finite()) {
                return Err(invalid(format!(
                    "have a `range` whose `{field}` is not finite; leave an open end out"
                )));
            }
        }
        if min.is_some() && exclusive_min.is_some() || max.is_some() && exclusive_max.is_some() {
            return Err(invalid(
                "have a `range` with two ends on one side; keep one of them".to_owned(),
            ));
        }
        if range == Self::EMPTY {
            return Err(invalid(
                "have a `range` without an end; give `min`, `max`, `exclusive_min` or `exclusive_max`".to_owned(),
            ));
        }
        if range.low() > range.high() {
            return Err(invalid(format!(
                "have a `range` that holds no number, {range}; give a `min` below the `max`"
            )));
        }
        Ok(range)
    }

    /// The smallest number, if it is in the range itself.
    #[must_use]
    pub fn min(&self) -> Option<f64> {
        self.min
    }

    /// The largest number, if it is in the range itself.
    #[must_use]
    pub fn max(&self) -> Option<f64> {
        self.max
    }

    /// The number all others are above.
    #[must_use]
    pub fn exclusive_min(&self) -> Option<f64> {
        self.exclusive_min
    }

    /// The number all others are below.
    #[must_use]
    pub fn exclusive_max(&self) -> Option<f64> {
        self.exclusive_max
    }

    /// The smallest double in the range: an excluded end is moved by one step of the doubles.
    pub(super) fn low(&self) -> f64 {
        match (self.min, self.exclusive_min) {
            (Some(min), _) => min,
            (None, Some(min)) => min.next_up(),
            (None, None) => f64::NEG_INFINITY,
        }
    }

    /// The largest double in the range.
    pub(super) fn high(&self) -> f64 {
        match (self.max, self.exclusive_max) {
            (Some(max), _) => max,
            (None, Some(max)) => max.next_down(),
            (None, None) => f64::INFINITY,
        }
    }

    const EMPTY: Self = Self {
        min: None,
        exclusive_min: None,
        max: None,
        exclusive_max: None,
    };
}

impl std::fmt::Display for Range {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut parts = Vec::new();
        for (words, bound) in [
            ("at least", self.min),
            ("above", self.exclusive_min),
            ("at most", self.max),
            ("below", self.exclusive_max),
        ] {
            if let Some(bound) = bound {
                parts.push(format!("{words} {bound}"));
            }
        }
        f.write_str(&parts.join(" and "))
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawRange {
    min: Option<f64>,
    exclusive_min: Option<f64>,
    max: Option<f64>,
    exclusive_max: Option<f64>,
}

impl TryFrom<RawRange> for Range {
    type Error = DriftError;

    fn try_from(raw: RawRange) -> Result<Self, DriftError> {
        Self::of(raw.min, raw.exclusive_min, raw.max, raw.exclusive_max)
    }
}

/// A list of values.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Domain {
    /// Numbers; a `Float32` column is compared after widening, so list what its values widen to.
    Numbers(Vec<f64>),
    /// Texts, compared byte by byte.
    Texts(Vec<String>),
}

impl Domain {
    /// How many values are listed.
    #[must_use]
    pub fn len(&self) -> usize {
        match self {
            Self::Numbers(numbers) => numbers.len(),
            Self::Texts(texts) => texts.len(),
        }
    }

    /// Whether none is.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    pub(super) fn has_nan(&self) -> bool {
        match self {
            Self::Numbers(numbers) => numbers.iter().any(|number| number.is_nan()),
            Self::Texts(_) => false,
        }
    }
}

/// How many characters a text may have.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Length {
    /// At least so many Unicode scalar values.
    #[serde(default)]
    pub min: u64,
    /// At most so many; any number when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max: Option<u64>,
}

/// How old the newest time of a column may be. Dates are the start of their day; a time without a zone is UTC.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Freshness {
    /// The newest value is at most so old; written as in `1h 30m` or `PT1H30M`.
    pub max_age: SignedDuration,
    /// No value is further in the future than this; for clocks that differ.
    #[serde(default)]
    pub max_ahead: SignedDuration,
}

/// How each value stands to the one before it. Nulls and NaN are skipped.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Order {
    /// Not below it.
    Ascending,
    /// Above it.
    StrictlyAscending,
    /// Not above it.
    Descending,
    /// Below it.
    StrictlyDescending,
}

/// No value occurs twice. Nulls and NaN are skipped, and −0 is 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Uniqueness {
    /// The first so many values of a batch are compared, which bounds the memory. When there are more, and these are all
    /// different, the rule is undecided.
    #[serde(default = "max_values")]
    pub max_values: u64,
}

impl Default for Uniqueness {
    fn default() -> Self {
        Self {
            max_values: max_values(),
        }
    }
}

/// Whether the values of failing rows are in the report. They can be personal data; a report without them names rows only.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Samples {
    /// They are, cut to 80 characters each.
    #[default]
    Shown,
    /// They are not.
    Hidden,
}

fn max_values() -> u64 {
    10_000_000
}
