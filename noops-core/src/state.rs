//! State that survives the process.

use std::fmt::Debug;

use async_trait::async_trait;

use crate::error::{Error, ErrorKind};
use crate::lease::FencingToken;

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
/// * A save with a smaller token than the key has seen MUST be refused as [`Fenced`](crate::ErrorKind::Fenced), before the generation is looked
///   at. Any other MUST raise what the key has seen, also when it then fails with `Conflict`.
/// * A save that returned MUST survive a crash of the process if the implementation is durable at all.
#[async_trait]
pub trait StateStore: Debug + Send + Sync + 'static {
    /// The newest snapshot under a key.
    async fn load(&self, key: &str) -> Result<Option<Snapshot>, Error>;

    /// Replaces the snapshot under a key.
    async fn save(
        &self,
        key: &str,
        expected: u64,
        bytes: &[u8],
        token: FencingToken,
    ) -> Result<(), Error>;
}

pub(crate) const SAVE: &str = "save a state";

pub(crate) fn saved_by_another(key: &str, expected: u64) -> Error {
    let message = "it was saved by another since it was read";
    Error::new(ErrorKind::Conflict, SAVE, message)
        .with("key", key)
        .with("expected generation", expected)
}
