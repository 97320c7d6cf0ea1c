//! Names people choose.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// The name of a model: lower-case letters, digits, `-`, `_` and `.`, starting with a letter, at most 128 characters.
///
/// Safe in a path, a URL, a metric label and an SQL column without escaping.
///
/// # Examples
///
/// ```
/// use noops_core::ModelName;
///
/// let name: ModelName = "arrival-delay".parse()?;
/// assert_eq!(name.as_str(), "arrival-delay");
/// assert!("../etc".parse::<ModelName>().is_err());
/// # Ok::<(), noops_core::NameError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ModelName(String);

impl ModelName {
    /// The name as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// A mutable pointer to a version of a model, such as `champion`; the same alphabet as [`ModelName`].
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Alias(String);

impl Alias {
    /// The version that answers live requests.
    #[must_use]
    pub fn champion() -> Self {
        Self("champion".to_owned())
    }

    /// The version that is being compared with the champion.
    #[must_use]
    pub fn challenger() -> Self {
        Self("challenger".to_owned())
    }

    /// The version that is shown copies of requests and answers none.
    #[must_use]
    pub fn shadow() -> Self {
        Self("shadow".to_owned())
    }

    /// The alias as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// What a lease is for, such as `arrival-delay.control`; the same alphabet as [`ModelName`].
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct LeaseName(String);

impl LeaseName {
    /// The name as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Text that is no legal name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NameError {
    text: String,
}

impl fmt::Display for NameError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "a name must start with a lower-case letter and hold only lower-case letters, digits, `-`, `_` and `.`, at most {LONGEST} of them, not `{}`",
            self.text
        )
    }
}

impl std::error::Error for NameError {}

fn check(text: &str) -> Result<String, NameError> {
    let legal =
        |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '-' | '_' | '.');
    let starts_with_letter = text.starts_with(|c: char| c.is_ascii_lowercase());
    if starts_with_letter && text.len() <= LONGEST && text.chars().all(legal) {
        Ok(text.to_owned())
    } else {
        Err(NameError {
            text: text.chars().take(LONGEST).collect(),
        })
    }
}

macro_rules! text_conversions {
    ($name:ident) => {
        impl FromStr for $name {
            type Err = NameError;

            fn from_str(text: &str) -> Result<Self, NameError> {
                check(text).map(Self)
            }
        }

        impl TryFrom<String> for $name {
            type Error = NameError;

            fn try_from(text: String) -> Result<Self, NameError> {
                check(&text).map(Self)
            }
        }

        impl From<$name> for String {
            fn from(name: $name) -> Self {
                name.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}

text_conversions!(ModelName);
text_conversions!(Alias);
text_conversions!(LeaseName);

const LONGEST: usize = 128;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hostile_names_are_refused() {
        for text in [
            "",
            "-a",
            "A",
            "a/b",
            "..",
            "a b",
            "a\0",
            "é",
            &"a".repeat(129),
        ] {
            assert!(text.parse::<ModelName>().is_err(), "{text:?}");
        }
    }

    #[test]
    fn deserialising_checks_too() {
        assert!(serde_json::from_str::<Alias>("\"Champion\"").is_err());
        assert_eq!(
            serde_json::from_str::<Alias>("\"champion\"").unwrap(),
            Alias::champion()
        );
    }
}
