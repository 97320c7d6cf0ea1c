use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};

use crate::error::{Error, ErrorKind};

/// How the values of a range are spread.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Scale {
    /// Equal steps are equally large.
    Linear,
    /// Equal steps multiply by the same factor; for what spans orders of magnitude.
    Logarithmic,
}

/// The values that a parameter may take, ends included.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum ParameterRange {
    /// A real number.
    Float {
        /// The least.
        low: f64,
        /// The most.
        high: f64,
        /// How they are spread.
        scale: Scale,
    },
    /// A whole number.
    Integer {
        /// The least.
        low: i64,
        /// The most.
        high: i64,
        /// How they are spread.
        scale: Scale,
    },
    /// One of some words without an order.
    Category {
        /// The words.
        choices: Vec<String>,
    },
}

/// The value of one parameter in one trial. Its text is what a job is given.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum ParameterValue {
    /// A real number.
    Float(f64),
    /// A whole number.
    Integer(i64),
    /// One of the words.
    Category(String),
}

impl fmt::Display for ParameterValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Float(value) => write!(f, "{value}"),
            Self::Integer(value) => write!(f, "{value}"),
            Self::Category(value) => f.write_str(value),
        }
    }
}

/// What a sweep searches: parameters by name.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct SearchSpace {
    ranges: BTreeMap<String, ParameterRange>,
}

impl SearchSpace {
    /// A space without parameters.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a real number.
    ///
    /// # Errors
    ///
    /// `Invalid` when the name is taken or empty, an end is not finite, the ends are not in order, the width overflows, or a
    /// logarithmic range does not begin above zero.
    pub fn with_float(
        self,
        name: impl Into<String>,
        low: f64,
        high: f64,
        scale: Scale,
    ) -> Result<Self, Error> {
        let name: String = name.into();
        let is_range = low < high && (high - low).is_finite();
        if !is_range {
            return Err(refuse(
                &name,
                "the range must be finite, and its low below its high",
            ));
        }
        if scale == Scale::Logarithmic && low <= 0.0 {
            return Err(refuse(&name, "a logarithmic range must begin above zero"));
        }
        self.with(name, ParameterRange::Float { low, high, scale })
    }

    /// Adds a whole number.
    ///
    /// # Errors
    ///
    /// `Invalid` when the name is taken or empty, an end is beyond 2^52, the ends are not in order, or a logarithmic range does
    /// not begin above zero.
    pub fn with_integer(
        self,
        name: impl Into<String>,
        low: i64,
        high: i64,
        scale: Scale,
    ) -> Result<Self, Error> {
        let name: String = name.into();
        let is_exact = |end: i64| end.unsigned_abs() <= MAX_INTEGER;
        if low > high || !is_exact(low) || !is_exact(high) {
            return Err(refuse(
                &name,
                "the range must lie within 2^52 of zero, and its low not above its high",
            ));
        }
        if scale == Scale::Logarithmic && low < 1 {
            return Err(refuse(&name, "a logarithmic range must begin above zero"));
        }
        self.with(name, ParameterRange::Integer { low, high, scale })
    }

    /// Adds a choice between words.
    ///
    /// # Errors
    ///
    /// `Invalid` when the name is taken or empty, or there are no choices, more than 1,000, or one twice.
    pub fn with_category<T: Into<String>>(
        self,
        name: impl Into<String>,
        choices: impl IntoIterator<Item = T>,
    ) -> Result<Self, Error> {
        let name: String = name.into();
        let choices: Vec<String> = choices
            .into_iter()
            .take(MAX_CHOICES + 1)
            .map(Into::into)
            .collect();
        let mut distinct: Vec<&String> = choices.iter().collect();
        distinct.sort();
        distinct.dedup();
        if choices.is_empty() || choices.len() > MAX_CHOICES || distinct.len() != choices.len() {
            return Err(refuse(&name, "there must be 1 to 1,000 choices, each once"));
        }
        self.with(name, ParameterRange::Category { choices })
    }

    /// The ranges by name.
    #[must_use]
    pub fn ranges(&self) -> &BTreeMap<String, ParameterRange> {
        &self.ranges
    }

    fn with(mut self, name: String, range: ParameterRange) -> Result<Self, Error> {
        if name.is_empty() || self.ranges.contains_key(&name) {
            return Err(refuse(&name, "a parameter needs a name of its own"));
        }
        self.ranges.insert(name, range);
        Ok(self)
    }
}

impl ParameterRange {
    /// The value at a place between 0 and 1, for numbers.
    pub(super) fn at(&self, place: f64) -> ParameterValue {
        let place = within_one(place);
        match self {
            Self::Float { low, high, scale } => {
                ParameterValue::Float(spread(*low, *high, *scale, place).clamp(*low, *high))
            }
            Self::Integer { low, high, scale } => {
                // Every number owns a cell from half below to half above it, so that the ends are no less likely.
                let value = spread(*low as f64 - 0.5, *high as f64 + 0.5, *scale, place);
                ParameterValue::Integer((value.round() as i64).clamp(*low, *high))
            }
            Self::Category { choices } => {
                let index = (place * choices.len() as f64) as usize;
                let choice = choices.get(index).or_else(|| choices.last());
                ParameterValue::Category(choice.cloned().unwrap_or_default())
            }
        }
    }

    /// The place between 0 and 1 of a number of this range.
    pub(super) fn place(&self, value: &ParameterValue) -> Option<f64> {
        let (low, high, scale, value) = match (self, value) {
            (Self::Float { low, high, scale }, ParameterValue::Float(value)) => {
                (*low, *high, *scale, *value)
            }
            (Self::Integer { low, high, scale }, ParameterValue::Integer(value)) => {
                (*low as f64 - 0.5, *high as f64 + 0.5, *scale, *value as f64)
            }
            _ => return None,
        };
        let place = match scale {
            Scale::Linear => (value - low) / (high - low),
            Scale::Logarithmic => (value / low).ln() / (high / low).ln(),
        };
        Some(within_one(place))
    }
}

fn spread(low: f64, high: f64, scale: Scale, place: f64) -> f64 {
    match scale {
        Scale::Linear => low + place * (high - low),
        Scale::Logarithmic => (low.ln() + place * (high.ln() - low.ln())).exp(),
    }
}

fn within_one(place: f64) -> f64 {
    if place.is_nan() {
        0.0
    } else {
        place.clamp(0.0, 1.0)
    }
}

fn refuse(name: &str, message: &str) -> Error {
    Error::new(
        ErrorKind::Invalid,
        "add a parameter to a search space",
        message,
    )
    .with("name", name)
}

/// What a `f64` holds exactly with half a step to spare.
const MAX_INTEGER: u64 = 1 << 52;
const MAX_CHOICES: usize = 1000;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn ranges_that_cannot_be_searched_are_refused() {
        let space = SearchSpace::new;
        let (linear, logarithmic) = (Scale::Linear, Scale::Logarithmic);
        let floats = [
            (1.0, 1.0, linear),
            (2.0, 1.0, linear),
            (f64::NAN, 1.0, linear),
            (0.0, f64::INFINITY, linear),
            (f64::MIN, f64::MAX, linear),
            (0.0, 1.0, logarithmic),
            (-1.0, 1.0, logarithmic),
        ];
        for (low, high, scale) in floats {
            assert!(
                space().with_float("x", low, high, scale).is_err(),
                "{low} {high}"
            );
        }
        let integers = [
            (2, 1, linear),
            (i64::MIN, 0, linear),
            (0, i64::MAX, linear),
            (0, 5, logarithmic),
        ];
        for (low, high, scale) in integers {
            assert!(
                space().with_integer("x", low, high, scale).is_err(),
                "{low} {high}"
            );
        }
        assert!(space().with_category("x", Vec::<String>::new()).is_err());
        assert!(space().with_category("x", ["a", "a"]).is_err());
        assert!(
            space()
                .with_category("x", (0..).map(|n: u64| n.to_string()))
                .is_err()
        );
        assert!(space().with_category("", ["a"]).is_err());
        let twice = space().with_category("x", ["a"]).unwrap();
        assert!(twice.with_float("x", 0.0, 1.0, linear).is_err());
    }

    #[test]
    fn both_ends_of_an_integer_range_are_as_likely_as_the_middle() {
        let range = ParameterRange::Integer {
            low: 1,
            high: 3,
            scale: Scale::Linear,
        };
        let mut counts: BTreeMap<String, u32> = BTreeMap::new();
        for step in 0..3000 {
            let value = range.at((f64::from(step) + 0.5) / 3000.0);
            *counts.entry(value.to_string()).or_default() += 1;
        }
        assert_eq!(
            counts.into_values().collect::<Vec<u32>>(),
            [1000, 1000, 1000]
        );
    }

    proptest! {
        #[test]
        fn a_value_lies_in_its_range_and_where_it_was_taken_from(
            place in 0.0f64..=1.0,
            low in 1e-6f64..1e3,
            factor in 1.01f64..1e6,
            is_log in any::<bool>(),
        ) {
            let scale = if is_log { Scale::Logarithmic } else { Scale::Linear };
            let high = low * factor;
            let range = ParameterRange::Float { low, high, scale };
            let value = range.at(place);
            let ParameterValue::Float(number) = value else { panic!("not a number") };
            prop_assert!((low..=high).contains(&number));
            prop_assert!((range.place(&value).unwrap() - place).abs() < 1e-6);
            // What a job is given as text is the same number.
            prop_assert_eq!(value.to_string().parse::<f64>().unwrap(), number);
        }

        #[test]
        fn an_integer_comes_back_from_its_place(low in -1000i64..1000, width in 0i64..1000, pick in 0i64..1000) {
            let high = low + width;
            let value = ParameterValue::Integer(low + pick % (width + 1));
            let range = ParameterRange::Integer { low, high, scale: Scale::Linear };
            prop_assert_eq!(range.at(range.place(&value).unwrap()), value);
            prop_assert_eq!(range.at(f64::NAN), ParameterValue::Integer(low));
        }
    }
}
