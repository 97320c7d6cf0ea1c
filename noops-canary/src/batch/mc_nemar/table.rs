use serde::{Deserialize, Serialize};

use crate::batch::proportions::Proportion;
use crate::error::CanaryError;

/// How often both, one or neither of two models succeeded on the same requests.
///
/// # Examples
///
/// ```
/// use noops_canary::batch::PairedTable;
///
/// let table = PairedTable::new(880, 12, 15, 93)?;
/// assert_eq!(table.pairs(), 1_000);
/// assert!((table.difference() - 0.003).abs() < 1e-15);
/// # Ok::<(), noops_canary::CanaryError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "RawTable", into = "RawTable")]
pub struct PairedTable {
    both: u64,
    only_champion: u64,
    only_candidate: u64,
    neither: u64,
}

impl PairedTable {
    /// A table of pairs: both succeeded, only the champion, only the candidate, neither.
    ///
    /// # Errors
    ///
    /// [`CanaryError::Empty`] without pairs, [`CanaryError::Input`] for more than 2⁵².
    pub fn new(
        both: u64,
        only_champion: u64,
        only_candidate: u64,
        neither: u64,
    ) -> Result<Self, CanaryError> {
        let table = Self {
            both,
            only_champion,
            only_candidate,
            neither,
        };
        match table.pairs() {
            0 => Err(CanaryError::Empty),
            pairs if pairs > Proportion::MAX_TRIALS => Err(CanaryError::Input {
                input: "pairs",
                reason: "is above 2^52; pass a sample of them",
            }),
            _ => Ok(table),
        }
    }

    /// The pairs in which both succeeded.
    #[must_use]
    pub fn both(&self) -> u64 {
        self.both
    }

    /// The pairs in which only the champion succeeded.
    #[must_use]
    pub fn only_champion(&self) -> u64 {
        self.only_champion
    }

    /// The pairs in which only the candidate succeeded.
    #[must_use]
    pub fn only_candidate(&self) -> u64 {
        self.only_candidate
    }

    /// The pairs in which neither succeeded.
    #[must_use]
    pub fn neither(&self) -> u64 {
        self.neither
    }

    /// All pairs.
    #[must_use]
    pub fn pairs(&self) -> u64 {
        self.both
            .saturating_add(self.only_champion)
            .saturating_add(self.only_candidate)
            .saturating_add(self.neither)
    }

    /// The difference of the rates of success, candidate minus champion.
    #[must_use]
    pub fn difference(&self) -> f64 {
        (self.only_candidate as f64 - self.only_champion as f64) / self.pairs() as f64
    }
}

#[derive(Serialize, Deserialize)]
struct RawTable {
    both: u64,
    only_champion: u64,
    only_candidate: u64,
    neither: u64,
}

impl TryFrom<RawTable> for PairedTable {
    type Error = CanaryError;

    fn try_from(raw: RawTable) -> Result<Self, CanaryError> {
        Self::new(raw.both, raw.only_champion, raw.only_candidate, raw.neither)
    }
}

impl From<PairedTable> for RawTable {
    fn from(table: PairedTable) -> Self {
        Self {
            both: table.both,
            only_champion: table.only_champion,
            only_candidate: table.only_candidate,
            neither: table.neither,
        }
    }
}
