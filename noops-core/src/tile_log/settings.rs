use std::sync::Arc;

use super::witness::Witness;

/// How a [`TileLog`](super::TileLog) behaves.
///
/// # Examples
///
/// ```
/// use noops_core::TileLogSettings;
///
/// let settings = TileLogSettings::default().with_checkpoint_every(1000);
/// assert_eq!(settings.checkpoint_every(), 1000);
/// ```
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct TileLogSettings {
    checkpoint_every: u64,
    witness: Option<Arc<dyn Witness>>,
}

impl TileLogSettings {
    /// After how many entries a checkpoint is published without being asked for; at least 1.
    #[must_use]
    pub fn with_checkpoint_every(mut self, entries: u64) -> Self {
        self.checkpoint_every = entries.max(1);
        self
    }

    /// Who is shown every checkpoint that is asked for.
    #[must_use]
    pub fn with_witness(mut self, witness: Arc<dyn Witness>) -> Self {
        self.witness = Some(witness);
        self
    }

    /// After how many entries a checkpoint is published without being asked for.
    #[must_use]
    pub fn checkpoint_every(&self) -> u64 {
        self.checkpoint_every
    }

    /// Who is shown every checkpoint that is asked for.
    #[must_use]
    pub fn witness(&self) -> Option<&Arc<dyn Witness>> {
        self.witness.as_ref()
    }
}

impl Default for TileLogSettings {
    fn default() -> Self {
        Self {
            checkpoint_every: 4096,
            witness: None,
        }
    }
}
