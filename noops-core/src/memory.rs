//! Implementations that forget everything when the process ends: for tests, and for hosts that keep nothing.

mod artifact;
mod audit;
mod features;
mod lease;
mod notifier;
mod registry;
mod state;

pub use artifact::InMemoryArtifacts;
pub use audit::InMemoryAuditLog;
pub use features::InMemoryFeatures;
pub use lease::InMemoryLeases;
pub use notifier::InMemoryNotifier;
pub use registry::InMemoryRegistry;
pub use state::InMemoryStates;

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
        conformance::registry::all(&InMemoryRegistry::new()).await;
        conformance::artifacts::all(&InMemoryArtifacts::new()).await;
        conformance::audit_log::all(&InMemoryAuditLog::new()).await;
        conformance::states::all(&InMemoryStates::new()).await;
        conformance::leases::all(&InMemoryLeases::new()).await;
    }
}
