//! State that survives the process.

use std::fmt::Debug;

use async_trait::async_trait;

use crate::error::Error;

/// A saved state and how often it has been saved.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Snapshot {
    /// 1 for the first save, then counting.
    pub generation: u64,
    /// What was saved.
    pub bytes: Vec<u8>,
}

/// Durable snapshots by key, with compare-and-swap.
///
/// # Contract
///
/// * `save` MUST be atomic, MUST fail with [`Conflict`](crate::ErrorKind::Conflict) when the stored generation is not
///   `expected` (0 when nothing is stored), and MUST store generation `expected + 1`.
/// * A save that returned MUST survive a crash of the process if the implementation is durable at all.
#[async_trait]
pub trait StateStore: Debug + Send + Sync + 'static {
    /// The newest snapshot under a key.
    async fn load(&self, key: &str) -> Result<Option<Snapshot>, Error>;

    /// Replaces the snapshot under a key.
    async fn save(&self, key: &str, expected: u64, bytes: &[u8]) -> Result<(), Error>;
}
