use serde::{Deserialize, Serialize};

use crate::batch::Proportion;
use crate::error::CanaryError;

/// How many of a group were selected.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "RawSelection")]
pub struct Selection {
    group: String,
    selected: u64,
    rows: u64,
}

impl Selection {
    /// `selected` of the `rows` of a group.
    ///
    /// # Errors
    ///
    /// [`CanaryError::Input`] for more selected than rows, and for more than 2⁵² rows.
    pub fn new(group: impl Into<String>, selected: u64, rows: u64) -> Result<Self, CanaryError> {
        if selected > rows || rows > Proportion::MAX_TRIALS {
            return Err(CanaryError::Input {
                input: "selected",
                reason: "is above `rows`, or these are above 2^52; count the selected among the rows",
            });
        }
        Ok(Self {
            group: group.into(),
            selected,
            rows,
        })
    }

    /// The group.
    #[must_use]
    pub fn group(&self) -> &str {
        &self.group
    }

    /// The selected.
    #[must_use]
    pub fn selected(&self) -> u64 {
        self.selected
    }

    /// All of the group.
    #[must_use]
    pub fn rows(&self) -> u64 {
        self.rows
    }

    /// The share selected; `None` without rows.
    #[must_use]
    pub fn rate(&self) -> Option<f64> {
        (self.rows > 0).then(|| self.selected as f64 / self.rows as f64)
    }
}

#[derive(Deserialize)]
struct RawSelection {
    group: String,
    selected: u64,
    rows: u64,
}

impl TryFrom<RawSelection> for Selection {
    type Error = CanaryError;

    fn try_from(raw: RawSelection) -> Result<Self, CanaryError> {
        Self::new(raw.group, raw.selected, raw.rows)
    }
}
