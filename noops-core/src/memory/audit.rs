use std::sync::Mutex;

use async_trait::async_trait;

use super::lock;
use crate::audit::{APPEND, AuditEntry, AuditLog, AuditRecord, other_record_under_key};
use crate::error::Error;
use crate::lease::FencingToken;

/// An audit log in memory.
#[derive(Debug, Default)]
pub struct InMemoryAuditLog {
    entries: Mutex<Vec<AuditEntry>>,
}

impl InMemoryAuditLog {
    /// An empty log.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }
}

#[async_trait]
impl AuditLog for InMemoryAuditLog {
    async fn append(&self, record: AuditRecord) -> Result<AuditEntry, Error> {
        let mut entries = lock(&self.entries);
        let newest = entries
            .last()
            .map_or(FencingToken::NONE, |last| last.record.token);
        record.token.check(newest, APPEND)?;
        if let Some(existing) = entries.iter().find(|entry| entry.record.key == record.key) {
            return if existing.record.same_event(&record) {
                Ok(existing.clone())
            } else {
                Err(other_record_under_key(&record.key))
            };
        }
        let previous = entries.last().map_or(AuditEntry::ORIGIN, |last| last.hash);
        let entry = AuditEntry::chain(entries.len() as u64, record, previous);
        entries.push(entry.clone());
        Ok(entry)
    }

    async fn entries(&self) -> Result<Vec<AuditEntry>, Error> {
        Ok(lock(&self.entries).clone())
    }
}
