use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::cost::CostError;

/// A place in the hierarchy of budgets: organisation, team, model, job, joined by slashes.
///
/// # Examples
///
/// ```
/// use noops_policy::cost::{BudgetLevel, BudgetPath};
///
/// let job: BudgetPath = "acme/risk/fraud/nightly".parse()?;
/// let team: BudgetPath = "acme/risk".parse()?;
/// assert_eq!(job.level(), BudgetLevel::Job);
/// assert!(job.is_within(&team));
/// assert!("acme//fraud".parse::<BudgetPath>().is_err());
/// # Ok::<(), noops_policy::cost::CostError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct BudgetPath(String);

impl BudgetPath {
    /// The path as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The names from the organisation down.
    pub fn segments(&self) -> impl Iterator<Item = &str> {
        self.0.split('/')
    }

    /// The level of the last name.
    pub fn level(&self) -> BudgetLevel {
        match self.segments().count() {
            0 | 1 => BudgetLevel::Organisation,
            2 => BudgetLevel::Team,
            3 => BudgetLevel::Model,
            _ => BudgetLevel::Job,
        }
    }

    /// Whether it is `other` or lies below it.
    pub fn is_within(&self, other: &Self) -> bool {
        self.0
            .strip_prefix(&other.0)
            .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    }

    /// The path itself and every one above it, the organisation first.
    pub fn lineage(&self) -> impl Iterator<Item = Self> {
        self.0
            .match_indices('/')
            .map(|(at, _)| at)
            .chain([self.0.len()])
            .filter_map(|end| self.0.get(..end))
            .map(|path| Self(path.to_owned()))
    }
}

/// A level of the hierarchy.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum BudgetLevel {
    /// Everything.
    Organisation,
    /// What one team answers for.
    Team,
    /// What one model costs.
    Model,
    /// What one job of a model costs.
    Job,
}

impl fmt::Display for BudgetPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for BudgetPath {
    type Err = CostError;

    fn from_str(path: &str) -> Result<Self, CostError> {
        let refuse = |problem| {
            Err(CostError::Path {
                given: path.chars().take(4 * MAX_SEGMENT).collect(),
                problem,
            })
        };
        if path.split('/').take(MAX_DEPTH + 1).count() > MAX_DEPTH {
            return refuse("has more than the four levels organisation, team, model and job");
        }
        for segment in path.split('/') {
            if segment.is_empty() {
                return refuse("has an empty name; an empty name never means all of them");
            }
            if segment.len() > MAX_SEGMENT {
                return refuse("has a name of more than 64 bytes; shorten it");
            }
            let is_plain =
                |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-');
            if !segment.bytes().all(is_plain) {
                return refuse(
                    "has a name with other characters than letters, digits, `.`, `_` and `-`; rename it",
                );
            }
        }
        Ok(Self(path.to_owned()))
    }
}

impl TryFrom<String> for BudgetPath {
    type Error = CostError;

    fn try_from(path: String) -> Result<Self, CostError> {
        path.parse()
    }
}

impl From<BudgetPath> for String {
    fn from(path: BudgetPath) -> Self {
        path.0
    }
}

const MAX_DEPTH: usize = 4;
const MAX_SEGMENT: usize = 64;

#[cfg(test)]
mod tests {
    use super::*;

    fn path(text: &str) -> BudgetPath {
        text.parse().unwrap()
    }

    #[test]
    fn a_lineage_goes_from_the_organisation_down() {
        let lineage: Vec<String> = path("a/b/c").lineage().map(String::from).collect();
        assert_eq!(lineage, ["a", "a/b", "a/b/c"]);
        assert_eq!(path("a").lineage().count(), 1);
    }

    #[test]
    fn a_name_that_only_begins_alike_is_not_within() {
        assert!(path("a/b").is_within(&path("a")));
        assert!(path("a").is_within(&path("a")));
        assert!(!path("ab").is_within(&path("a")));
        assert!(!path("a").is_within(&path("a/b")));
    }

    #[test]
    fn wrong_paths_are_refused_with_the_culprit_named() {
        for wrong in [
            "",
            "/",
            "a/",
            "/a",
            "a//b",
            "a/b/c/d/e",
            "a b",
            "ä",
            &"x".repeat(65),
        ] {
            assert!(wrong.parse::<BudgetPath>().is_err(), "{wrong}");
        }
        assert_eq!(
            "a/".parse::<BudgetPath>().unwrap_err().to_string(),
            "budget path `a/` has an empty name; an empty name never means all of them"
        );
        assert!("/".repeat(1_000_000).parse::<BudgetPath>().is_err());
    }
}
