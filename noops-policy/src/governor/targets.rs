use std::collections::BTreeSet;
use std::fmt;

use serde::{Deserialize, Serialize};

/// The targets of an action: an explicit set of ids that is never empty and never means "all".
///
/// # Examples
///
/// ```
/// use noops_policy::governor::{Targets, TargetsError};
///
/// let targets = Targets::new(["fraud", "churn"])?;
/// assert_eq!(targets.len(), 2);
/// assert_eq!(Targets::new(Vec::<String>::new()), Err(TargetsError::Empty));
/// assert!(Targets::one("*").is_err());
/// # Ok::<(), TargetsError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Vec<String>", into = "Vec<String>")]
pub struct Targets(BTreeSet<String>);

impl Targets {
    /// The most targets that one action may have.
    pub const MAX: usize = 1024;
    /// The longest id, in bytes.
    pub const MAX_ID: usize = 256;

    /// Takes the ids that a selector came to. An id that is given twice is one target.
    ///
    /// # Errors
    ///
    /// Refuses an empty set, a blank id, a wildcard, an id above [`Targets::MAX_ID`] bytes and more than [`Targets::MAX`] ids.
    pub fn new<I>(ids: I) -> Result<Self, TargetsError>
    where
        I: IntoIterator,
        I::Item: Into<String>,
    {
        let mut targets = BTreeSet::new();
        for id in ids {
            let id = id.into();
            check_id(&id)?;
            targets.insert(id);
            if targets.len() > Self::MAX {
                return Err(TargetsError::TooMany);
            }
        }
        if targets.is_empty() {
            return Err(TargetsError::Empty);
        }
        Ok(Self(targets))
    }

    /// One target.
    ///
    /// # Errors
    ///
    /// As [`Targets::new`].
    pub fn one(id: impl Into<String>) -> Result<Self, TargetsError> {
        Self::new([id.into()])
    }

    /// How many they are: one at least.
    #[expect(clippy::len_without_is_empty, reason = "they are never empty")]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether this is one of them.
    pub fn contains(&self, id: &str) -> bool {
        self.0.contains(id)
    }

    /// The ids in alphabetical order.
    pub fn iter(&self) -> impl Iterator<Item = &str> + '_ {
        self.0.iter().map(String::as_str)
    }

    /// The first three by name and the number of the others.
    pub(super) fn label(&self) -> String {
        let shown: Vec<&str> = self.iter().take(SHOWN).collect();
        let others = self.len().saturating_sub(SHOWN);
        match others {
            0 => shown.join(", "),
            _ => format!("{} and {others} more", shown.join(", ")),
        }
    }
}

impl TryFrom<Vec<String>> for Targets {
    type Error = TargetsError;

    fn try_from(ids: Vec<String>) -> Result<Self, TargetsError> {
        Self::new(ids)
    }
}

impl From<Targets> for Vec<String> {
    fn from(targets: Targets) -> Self {
        targets.0.into_iter().collect()
    }
}

/// A selector whose result is no set of targets.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum TargetsError {
    /// There is no id.
    Empty,
    /// An id is empty or white space.
    Blank,
    /// An id is a wildcard, which an actuator could take for everything.
    Wildcard {
        /// The id.
        id: String,
    },
    /// An id is too long.
    TooLong {
        /// Its bytes.
        bytes: usize,
    },
    /// There are too many ids.
    TooMany,
}

impl fmt::Display for TargetsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty => write!(
                f,
                "there is no target; an empty set never means all of them"
            ),
            Self::Blank => write!(f, "a target is blank; name every target"),
            Self::Wildcard { id } => {
                write!(f, "target `{id}` is a wildcard; name every target")
            }
            Self::TooLong { bytes } => write!(
                f,
                "a target's id has `{bytes}` bytes; use at most `{}`",
                Targets::MAX_ID
            ),
            Self::TooMany => write!(
                f,
                "there are more than `{}` targets; split the action",
                Targets::MAX
            ),
        }
    }
}

impl std::error::Error for TargetsError {}

fn check_id(id: &str) -> Result<(), TargetsError> {
    if id.trim().is_empty() {
        return Err(TargetsError::Blank);
    }
    if id.len() > Targets::MAX_ID {
        return Err(TargetsError::TooLong { bytes: id.len() });
    }
    if id.contains('*') {
        return Err(TargetsError::Wildcard { id: id.to_owned() });
    }
    Ok(())
}

const SHOWN: usize = 3;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_blank_and_wildcards_are_no_targets() {
        assert_eq!(Targets::new([""; 0]), Err(TargetsError::Empty));
        assert_eq!(Targets::new(["a", " "]), Err(TargetsError::Blank));
        assert!(matches!(
            Targets::one("cdn/*"),
            Err(TargetsError::Wildcard { .. })
        ));
        assert_eq!(
            Targets::one("x".repeat(257)),
            Err(TargetsError::TooLong { bytes: 257 })
        );
        let many = (0..=Targets::MAX).map(|index| index.to_string());
        assert_eq!(Targets::new(many), Err(TargetsError::TooMany));
    }

    #[test]
    fn stored_targets_are_checked_when_they_are_read() {
        assert!(serde_json::from_str::<Targets>("[]").is_err());
        assert!(serde_json::from_str::<Targets>(r#"["a","*"]"#).is_err());
        let targets: Targets = serde_json::from_str(r#"["b","a","b"]"#).unwrap();
        assert_eq!(serde_json::to_string(&targets).unwrap(), r#"["a","b"]"#);
    }

    #[test]
    fn a_long_list_is_shown_in_short() {
        assert_eq!(Targets::new(["b", "a"]).unwrap().label(), "a, b");
        let five = Targets::new(["a", "b", "c", "d", "e"]).unwrap();
        assert_eq!(five.label(), "a, b, c and 2 more");
    }
}
