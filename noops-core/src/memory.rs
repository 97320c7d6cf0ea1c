//! Implementations that forget everything when the process ends: for tests, and for hosts that keep nothing.

mod artifact;
mod audit;
mod notifier;
mod registry;
mod state;

pub use artifact::InMemoryArtifacts;
pub use audit::InMemoryAuditLog;
pub use notifier::InMemoryNotifier;
pub use registry::InMemoryRegistry;
pub use state::InMemoryStates;

#[cfg(feature = "sqlite")]
pub(crate) use self::{
    audit::other_record_under_key,
    registry::{alias_moved_by_another, no_such_version, registered_otherwise},
    state::saved_by_another,
};

use std::sync::{Mutex, MutexGuard, PoisonError};

/// Locks, and goes on after another thread panicked: every critical section here leaves its map whole at every step.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::conformance;

    #[tokio::test]
    async fn every_store_keeps_its_contract() {
        conformance::registry(&InMemoryRegistry::new()).await;
        conformance::artifacts(&InMemoryArtifacts::new()).await;
        conformance::audit_log(&InMemoryAuditLog::new()).await;
        conformance::states(&InMemoryStates::new()).await;
    }
}
