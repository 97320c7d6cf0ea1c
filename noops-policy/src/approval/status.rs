use std::collections::BTreeMap;
use std::fmt;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::error::write_missing;
use super::moved::Voided;

/// What an approval is worth at a moment.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
#[must_use]
pub enum ApprovalStatus {
    /// More people must agree.
    Pending {
        /// How many, by role.
        missing: BTreeMap<String, usize>,
    },
    /// The action may be done now.
    Granted {
        /// Who agreed, sorted.
        by: Vec<String>,
    },
    /// Somebody said no.
    Rejected {
        /// Who.
        by: String,
    },
    /// Its time is over, whether it was granted or not.
    Expired {
        /// Since when.
        at: Timestamp,
    },
    /// What people agreed to is no longer so.
    Voided(Voided),
}

impl ApprovalStatus {
    /// Whether the action may be done now.
    #[must_use]
    pub fn is_granted(&self) -> bool {
        matches!(self, Self::Granted { .. })
    }
}

impl fmt::Display for ApprovalStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Pending { missing } => {
                f.write_str("pending: it lacks ")?;
                write_missing(f, missing)
            }
            Self::Granted { by } => write!(f, "granted by `{}`", by.join("`, `")),
            Self::Rejected { by } => write!(f, "rejected by `{by}`"),
            Self::Expired { at } => write!(f, "expired at `{at}`"),
            Self::Voided(voided) => write!(f, "voided: {voided}"),
        }
    }
}
