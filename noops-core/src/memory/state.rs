use std::collections::HashMap;
use std::sync::Mutex;

use async_trait::async_trait;

use super::lock;
use crate::error::{Error, ErrorKind};
use crate::state::{Snapshot, StateStore};

/// Snapshots in memory.
#[derive(Debug, Default)]
pub struct InMemoryStates {
    snapshots: Mutex<HashMap<String, Snapshot>>,
}

impl InMemoryStates {
    /// An empty store.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }
}

#[async_trait]
impl StateStore for InMemoryStates {
    async fn load(&self, key: &str) -> Result<Option<Snapshot>, Error> {
        Ok(lock(&self.snapshots).get(key).cloned())
    }

    async fn save(&self, key: &str, expected: u64, bytes: &[u8]) -> Result<(), Error> {
        let mut snapshots = lock(&self.snapshots);
        let stored = snapshots.get(key).map_or(0, |snapshot| snapshot.generation);
        if stored != expected {
            return Err(saved_by_another(key, expected));
        }
        snapshots.insert(
            key.to_owned(),
            Snapshot {
                generation: expected.saturating_add(1),
                bytes: bytes.to_vec(),
            },
        );
        Ok(())
    }
}

pub(crate) fn saved_by_another(key: &str, expected: u64) -> Error {
    Error::new(
        ErrorKind::Conflict,
        "save a state",
        "it was saved by another since it was read",
    )
    .with("key", key)
    .with("expected generation", expected)
}
