use std::collections::BTreeMap;
use std::sync::Mutex;

use async_trait::async_trait;

use super::lock;
use crate::error::Error;
use crate::lease::FencingToken;
use crate::state::{SAVE, Snapshot, StateStore, saved_by_another};

/// Snapshots in memory.
#[derive(Debug, Default)]
pub struct InMemoryStates {
    keys: Mutex<BTreeMap<String, Key>>,
}

#[derive(Debug, Default)]
struct Key {
    snapshot: Option<Snapshot>,
    token: FencingToken,
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
        let keys = lock(&self.keys);
        Ok(keys.get(key).and_then(|stored| stored.snapshot.clone()))
    }

    async fn save(
        &self,
        key: &str,
        expected: u64,
        bytes: &[u8],
        token: FencingToken,
    ) -> Result<(), Error> {
        let mut keys = lock(&self.keys);
        let stored = keys.entry(key.to_owned()).or_default();
        token.check(stored.token, SAVE)?;
        stored.token = token;
        let generation = stored.snapshot.as_ref().map_or(0, |held| held.generation);
        if generation != expected {
            return Err(saved_by_another(key, expected));
        }
        stored.snapshot = Some(Snapshot {
            generation: expected.saturating_add(1),
            bytes: bytes.to_vec(),
        });
        Ok(())
    }
}
