use serde::{Deserialize, Serialize};

use crate::column_counts::ColumnCounts;
use crate::error::DriftError;
use crate::profile::Binning;

/// The cells of one column, with the reference and the current data counted in them.
///
/// Everything that a report says of a column but its sample statistics can be computed again from these counts, and
/// whatever else is wanted of them: every function of [`statistic`](crate::statistic) that takes counts takes these.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "RawColumnCells")]
pub struct ColumnCells {
    binning: Binning,
    reference: ColumnCounts,
    current: ColumnCounts,
}

impl ColumnCells {
    /// Both counts must have been made in `binning`.
    pub(super) fn new(binning: &Binning, reference: &ColumnCounts, current: &ColumnCounts) -> Self {
        Self {
            binning: binning.clone(),
            reference: reference.clone(),
            current: current.clone(),
        }
    }

    /// The edges or the categories.
    pub fn binning(&self) -> &Binning {
        &self.binning
    }

    /// The reference.
    pub fn reference(&self) -> &ColumnCounts {
        &self.reference
    }

    /// The current data.
    pub fn current(&self) -> &ColumnCounts {
        &self.current
    }

    /// What the column holds: `number` or `category`.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        self.binning.kind()
    }
}

#[derive(Deserialize)]
struct RawColumnCells {
    binning: Binning,
    reference: ColumnCounts,
    current: ColumnCounts,
}

impl TryFrom<RawColumnCells> for ColumnCells {
    type Error = DriftError;

    fn try_from(raw: RawColumnCells) -> Result<Self, DriftError> {
        let RawColumnCells {
            binning,
            reference,
            current,
        } = raw;
        let bins = binning.bins();
        let contradiction = if let Some(contradiction) = binning.contradiction() {
            contradiction.to_owned()
        } else if reference.bins().len() != bins || current.bins().len() != bins {
            format!(
                "`{}` reference and `{}` current counts are not one for each of `{bins}` bins",
                reference.bins().len(),
                current.bins().len()
            )
        } else {
            return Ok(Self {
                binning,
                reference,
                current,
            });
        };
        Err(DriftError::InvalidState {
            state: "cells of a column",
            reason: contradiction,
        })
    }
}
