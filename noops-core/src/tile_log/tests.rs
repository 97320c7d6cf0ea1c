use std::path::PathBuf;
use std::sync::Arc;

use jiff::Timestamp;
use serde_json::{Value, json};

use super::directory::Directory;
use super::engine::Engine;
use super::*;
use crate::lease::FencingToken;

mod crash;
mod disk;
mod log;
#[cfg(feature = "object-store")]
mod objects;
mod side;
mod tamper;

use disk::Disk;

/// A folder of its own, removed afterwards.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let path =
            std::env::temp_dir().join(format!("noops-tile-log-{name}-{}", std::process::id()));
        std::fs::remove_dir_all(&path).ok();
        Self(path)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        std::fs::remove_dir_all(&self.0).ok();
    }
}

fn signer() -> NoteSigner {
    NoteSigner::generate("example.com/audit").unwrap()
}

fn record(number: u64) -> AuditRecord {
    record_with(number, json!({ "n": number, "why": ["drift", 0.25] }))
}

fn record_with(number: u64, body: Value) -> AuditRecord {
    AuditRecord {
        key: format!("event/{number}"),
        at: Timestamp::from_second(number as i64).unwrap(),
        kind: if number.is_multiple_of(2) {
            "promote"
        } else {
            "retrain"
        }
        .into(),
        body,
        token: FencingToken::NONE,
    }
}

/// A body that is kept outside the leaf although it is short.
fn pointer_like() -> Value {
    json!({ "$evidence": crate::Digest::of(b"x").to_string() })
}

fn open_on(disk: &Disk, signer: &NoteSigner, every: u64) -> Result<Engine, Error> {
    let storage = Directory::open(PathBuf::from(disk::ROOT), Arc::new(disk.clone()))?;
    Engine::open(Arc::new(storage), Arc::new(signer.clone()), every, None)
}

fn all_entries(engine: &Engine) -> Vec<AuditEntry> {
    let read = |path: &str, limit: u64| engine.storage.read(path, limit);
    let size = engine.edge.size();
    let mut leaves = Vec::new();
    for index in 0..size.div_ceil(bundle::WIDTH) {
        leaves.extend(reader::read_bundle(&read, index, size).unwrap());
    }
    leaves.extend(engine.pending.iter().cloned());
    (0..)
        .zip(&leaves)
        .map(|(sequence, leaf)| leaf::decode(leaf, sequence, &read).unwrap())
        .collect()
}
