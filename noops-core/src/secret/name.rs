use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::error::{Error, ErrorKind};

/// The name of a secret: letters, digits, `-`, `_` and `.`, starting with a letter or a digit, at most 253 characters.
///
/// What Kubernetes allows as the key of a secret, less names that begin with a dot: such a name can be no path out of a
/// directory.
///
/// # Examples
///
/// ```
/// use noops_core::SecretName;
///
/// let name: SecretName = "registry-token".parse()?;
/// assert_eq!(name.as_str(), "registry-token");
/// assert!("../registry-token".parse::<SecretName>().is_err());
/// # Ok::<(), noops_core::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct SecretName(String);

impl SecretName {
    /// The name as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for SecretName {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        // The text is not repeated: who mixes up name and secret must not find the secret in a log.
        if text.is_empty() || text.len() > LONGEST {
            return Err(refuse("it must have 1 to 253 characters").with("bytes", text.len()));
        }
        let legal = |(place, c): (usize, char)| {
            c.is_ascii_alphanumeric() || (place > 0 && matches!(c, '-' | '_' | '.'))
        };
        match text.chars().enumerate().position(|pair| !legal(pair)) {
            None => Ok(Self(text.to_owned())),
            Some(place) => Err(refuse(
                "it must hold only letters, digits, `-`, `_` and `.`, and start with a letter or a digit",
            )
            .with("first wrong character", place + 1)),
        }
    }
}

impl TryFrom<String> for SecretName {
    type Error = Error;

    fn try_from(text: String) -> Result<Self, Error> {
        text.parse()
    }
}

impl From<SecretName> for String {
    fn from(name: SecretName) -> Self {
        name.0
    }
}

impl fmt::Display for SecretName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

fn refuse(message: &'static str) -> Error {
    Error::new(ErrorKind::Invalid, "name a secret", message)
}

const LONGEST: usize = 253;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hostile_names_are_refused() {
        let long = "a".repeat(254);
        for text in [
            "",
            ".",
            "..",
            "..data",
            ".env",
            "-a",
            "_a",
            "a/b",
            "/etc/passwd",
            "a\\b",
            "a\0",
            "a b",
            "a\n",
            "é",
            "C:a",
            "a=b",
            &long,
        ] {
            let error = text.parse::<SecretName>().unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Invalid, "{text:?}");
        }
    }

    #[test]
    fn legal_names_are_taken_as_they_are() {
        let long = "a".repeat(253);
        for text in ["a", "7", "tls.key", "POSTGRES_PASSWORD", "a..b", &long] {
            assert_eq!(text.parse::<SecretName>().unwrap().as_str(), text);
        }
    }

    #[test]
    fn a_secret_passed_as_a_name_is_not_repeated() {
        let error = "hunter2 hunter2".parse::<SecretName>().unwrap_err();
        assert_eq!(
            error.to_string(),
            "cannot name a secret: it must hold only letters, digits, `-`, `_` and `.`, and start with a letter or a digit (first wrong character `8`)"
        );
        assert!(!format!("{error:?}").contains("hunter2"));
    }

    #[test]
    fn deserialising_checks_too() {
        assert!(serde_json::from_str::<SecretName>("\"../x\"").is_err());
        let name: SecretName = serde_json::from_str("\"x\"").unwrap();
        assert_eq!(serde_json::to_string(&name).unwrap(), "\"x\"");
    }
}
