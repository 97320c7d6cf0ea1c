//! Rules as data.

use noops_core::{Contract, Error, ErrorKind, FeatureKind, ModelName};
use serde::{Deserialize, Serialize};

/// What a feature of a row must be.
///
/// Numbers are compared as a model is shown them, in single precision, before anything is repaired.
///
/// # Examples
///
/// ```
/// use noops_serve::routing::Condition;
///
/// let condition: Condition = serde_json::from_str(r#"{"is": {"feature": "country", "category": "de"}}"#)?;
/// assert_eq!(condition, Condition::is("country", "de"));
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum Condition {
    /// This category.
    Is {
        /// The feature.
        feature: String,
        /// One of its categories.
        category: String,
    },
    /// A number between two finite bounds, both included. A missing one is not.
    Between {
        /// The feature.
        feature: String,
        /// The smallest number.
        min: f32,
        /// The largest number.
        max: f32,
    },
    /// Missing: null or no finite number; for a category, also one that the contract does not know.
    Missing {
        /// The feature.
        feature: String,
    },
}

impl Condition {
    /// A category.
    #[must_use]
    pub fn is(feature: impl Into<String>, category: impl Into<String>) -> Self {
        Self::Is {
            feature: feature.into(),
            category: category.into(),
        }
    }

    /// A number between two finite bounds, both included.
    #[must_use]
    pub fn between(feature: impl Into<String>, min: f32, max: f32) -> Self {
        Self::Between {
            feature: feature.into(),
            min,
            max,
        }
    }

    /// Nothing where a value should be.
    #[must_use]
    pub fn missing(feature: impl Into<String>) -> Self {
        Self::Missing {
            feature: feature.into(),
        }
    }

    /// The feature that it is about.
    #[must_use]
    pub fn feature(&self) -> &str {
        match self {
            Self::Is { feature, .. }
            | Self::Between { feature, .. }
            | Self::Missing { feature } => feature,
        }
    }
}

/// Where rows go that keep some conditions, all of them at once.
///
/// # Examples
///
/// ```
/// use noops_serve::routing::{Condition, Rule};
///
/// let rule = Rule::new(Condition::between("amount", 1e4, f32::MAX), "large".parse()?)
///     .and(Condition::is("country", "de"));
/// let json = serde_json::to_string(&rule)?;
/// assert_eq!(serde_json::from_str::<Rule>(&json)?, rule);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rule {
    when: Vec<Condition>,
    to: ModelName,
}

impl Rule {
    /// Rows that keep a condition go to a target.
    #[must_use]
    pub fn new(when: Condition, to: ModelName) -> Self {
        Self {
            when: vec![when],
            to,
        }
    }

    /// They must keep another condition too.
    #[must_use]
    pub fn and(mut self, condition: Condition) -> Self {
        self.when.push(condition);
        self
    }

    /// The conditions.
    #[must_use]
    pub fn when(&self) -> &[Condition] {
        &self.when
    }

    /// The name of the target.
    #[must_use]
    pub fn to(&self) -> &ModelName {
        &self.to
    }
}

/// A condition that was checked against a contract: the place of its value in a row, and what it must be.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Test {
    Code { place: usize, code: u32 },
    Number { place: usize, min: f32, max: f32 },
    MissingNumber { place: usize },
}

impl Test {
    /// Checks a condition against a contract.
    pub(super) fn of(condition: &Condition, contract: &Contract) -> Result<Self, Error> {
        let name = condition.feature();
        let rules = contract.rules().iter();
        let Some(index) = rules.clone().position(|rule| rule.feature().name() == name) else {
            return Err(refuse("the contract has no such feature").with("feature", name));
        };
        let numbers = rules.clone().take(index).filter(|rule| {
            let kind = rule.feature().kind();
            matches!(kind, FeatureKind::Number { .. })
        });
        let numbers = numbers.count();
        let kind = rules.skip(index).map(|rule| rule.feature().kind()).next();
        match (kind, condition) {
            (Some(FeatureKind::Category { categories }), Condition::Is { category, .. }) => {
                let known = categories.iter().zip(1_u32..);
                // Of a category that is listed twice the last code counts, as in the contract.
                let code = known.filter(|(known, _)| *known == category).last();
                let Some((_, code)) = code else {
                    return Err(refuse("the contract has no such category")
                        .with("feature", name)
                        .with("category", category));
                };
                let place = index - numbers;
                Ok(Self::Code { place, code })
            }
            (Some(FeatureKind::Category { .. }), Condition::Missing { .. }) => Ok(Self::Code {
                place: index - numbers,
                code: 0,
            }),
            (Some(FeatureKind::Number { .. }), Condition::Missing { .. }) => {
                Ok(Self::MissingNumber { place: numbers })
            }
            (Some(FeatureKind::Number { .. }), &Condition::Between { min, max, .. }) => {
                if !(min.is_finite() && max.is_finite() && min <= max) {
                    let message = "the bounds must be finite and in order";
                    return Err(refuse(message)
                        .with("feature", name)
                        .with("min", min)
                        .with("max", max));
                }
                Ok(Self::Number {
                    place: numbers,
                    min,
                    max,
                })
            }
            (_, Condition::Is { .. }) => {
                Err(refuse("the feature is a number, which has no categories")
                    .with("feature", name))
            }
            _ => Err(refuse("the feature is a category, which has no range").with("feature", name)),
        }
    }

    /// Whether the numbers and codes of a row keep it.
    pub(super) fn keeps(&self, numbers: &[f32], codes: &[u32]) -> bool {
        match self {
            Self::Code { place, code } => codes.get(*place) == Some(code),
            Self::Number { place, min, max } => numbers
                .get(*place)
                .is_some_and(|number| (min..=max).contains(&number)),
            Self::MissingNumber { place } => numbers.get(*place).is_some_and(|n| n.is_nan()),
        }
    }
}

pub(super) fn refuse(message: &'static str) -> Error {
    Error::new(ErrorKind::Invalid, "build routing rules", message)
}
