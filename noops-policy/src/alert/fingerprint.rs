use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use noops_core::Digest;

use super::AlertError;

/// The identity of an alert: 128 bits of the SHA-256 of its labels.
///
/// Two alerts with the same labels are the same alert, whatever their annotations and times. Labels with an empty value
/// count as absent, as in Prometheus.
///
/// # Examples
///
/// ```
/// use std::collections::BTreeMap;
/// use noops_policy::alert::Fingerprint;
///
/// let labels = BTreeMap::from([("alertname".to_owned(), "Drift".to_owned())]);
/// let fingerprint = Fingerprint::of(&labels);
/// assert_eq!(fingerprint.to_string().len(), 32);
/// assert_eq!(fingerprint.to_string().parse(), Ok(fingerprint));
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Fingerprint(u128);

impl Fingerprint {
    /// The fingerprint of some labels.
    #[must_use]
    pub fn of(labels: &BTreeMap<String, String>) -> Self {
        let parts = labels
            .iter()
            .filter(|(_, value)| !value.is_empty())
            .flat_map(|(name, value)| [name.as_bytes(), value.as_bytes()]);
        let digest = Digest::of_parts(parts);
        let bits = digest
            .as_bytes()
            .iter()
            .take(16)
            .fold(0, |bits: u128, byte| (bits << 8) | u128::from(*byte));
        Self(bits)
    }
}

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:032x}", self.0)
    }
}

impl fmt::Debug for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Fingerprint({self})")
    }
}

impl FromStr for Fingerprint {
    type Err = AlertError;

    fn from_str(text: &str) -> Result<Self, AlertError> {
        let plain = text.len() == 32
            && text
                .bytes()
                .all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b));
        match u128::from_str_radix(text, 16) {
            Ok(bits) if plain => Ok(Self(bits)),
            _ => Err(AlertError::Fingerprint {
                text: text.chars().take(80).collect(),
            }),
        }
    }
}

impl TryFrom<String> for Fingerprint {
    type Error = AlertError;

    fn try_from(text: String) -> Result<Self, AlertError> {
        text.parse()
    }
}

impl From<Fingerprint> for String {
    fn from(fingerprint: Fingerprint) -> Self {
        fingerprint.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
        pairs
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect()
    }

    #[test]
    fn moving_a_boundary_between_name_and_value_changes_the_fingerprint() {
        assert_ne!(
            Fingerprint::of(&labels(&[("ab", "c")])),
            Fingerprint::of(&labels(&[("a", "bc")]))
        );
    }

    #[test]
    fn an_empty_value_is_an_absent_label() {
        assert_eq!(
            Fingerprint::of(&labels(&[("a", "b"), ("c", "")])),
            Fingerprint::of(&labels(&[("a", "b")]))
        );
    }

    #[test]
    fn text_that_is_not_32_hex_digits_is_refused() {
        for text in ["", "+1", "xyz", &"A".repeat(32), &"a".repeat(33)] {
            assert!(text.parse::<Fingerprint>().is_err(), "{text}");
        }
    }
}
