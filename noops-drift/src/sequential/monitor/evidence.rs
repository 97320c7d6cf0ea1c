use noops_core::LogE;
use serde::{Deserialize, Serialize};

use crate::sequential::aspect::GateEvidence;

/// What a [`DriftMonitor`](super::DriftMonitor) has seen so far.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[must_use]
pub struct MonitorEvidence {
    pub(super) rows: u64,
    pub(super) log_e: LogE,
    pub(super) max_log_e: LogE,
    pub(super) alarmed_at: Option<u64>,
    pub(super) columns: Vec<ColumnEvidence>,
}

impl MonitorEvidence {
    /// How many rows were counted.
    pub fn rows(&self) -> u64 {
        self.rows
    }

    /// The average evidence of the columns now.
    pub fn log_e(&self) -> LogE {
        self.log_e
    }

    /// The largest average so far, which is what the alarm is about.
    pub fn max_log_e(&self) -> LogE {
        self.max_log_e
    }

    /// The offset of the row that raised the alarm; nothing while none has.
    pub fn alarmed_at(&self) -> Option<u64> {
        self.alarmed_at
    }

    /// The columns, in the order they were given.
    pub fn columns(&self) -> &[ColumnEvidence] {
        &self.columns
    }

    /// The names of the columns that e-BH lists as drifted now.
    pub fn drifted(&self) -> impl Iterator<Item = &str> {
        self.columns
            .iter()
            .filter(|column| column.is_drifted())
            .map(ColumnEvidence::name)
    }
}

/// What the rows say about one column.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[must_use]
pub struct ColumnEvidence {
    name: String,
    evidence: GateEvidence,
    listing: Listing,
}

impl ColumnEvidence {
    pub(super) fn new(name: String, evidence: GateEvidence) -> Self {
        Self {
            name,
            evidence,
            listing: Listing::Clear,
        }
    }

    pub(super) fn listed(mut self, drifted: bool) -> Self {
        self.listing = if drifted {
            Listing::Drifted
        } else {
            Listing::Clear
        };
        self
    }

    /// The name of the column.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The evidence of its gate. Its alarm is about this column alone and allows for no other.
    pub fn evidence(&self) -> &GateEvidence {
        &self.evidence
    }

    /// Whether e-BH lists the column as drifted, among all columns of the monitor.
    pub fn is_drifted(&self) -> bool {
        self.listing == Listing::Drifted
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
enum Listing {
    Clear,
    Drifted,
}
