use std::collections::BTreeMap;
use std::sync::Mutex;
use std::time::Duration;

use async_trait::async_trait;
use jiff::Timestamp;

use super::lock;
use crate::error::Error;
use crate::lease::{FencingToken, Lease, LeaseStore, end_of, granted_to_another, held_by_another};
use crate::name::LeaseName;

/// Leases in memory: for tests, and for the threads of one process.
#[derive(Debug, Default)]
pub struct InMemoryLeases {
    leases: Mutex<BTreeMap<LeaseName, Granted>>,
}

/// The newest token, and the lease it came with unless that was released.
#[derive(Debug, Default)]
struct Granted {
    token: FencingToken,
    lease: Option<Lease>,
}

impl InMemoryLeases {
    /// A store in which everything is free.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }
}

#[async_trait]
impl LeaseStore for InMemoryLeases {
    async fn acquire(
        &self,
        name: &LeaseName,
        holder: &str,
        now: Timestamp,
        ttl: Duration,
    ) -> Result<Lease, Error> {
        let mut leases = lock(&self.leases);
        let granted = leases.entry(name.clone()).or_default();
        let running = granted.lease.as_ref().filter(|lease| now < lease.until);
        match running {
            Some(running) if running.holder != holder => return Err(held_by_another(running)),
            Some(_) => {}
            None => granted.token = granted.token.next()?,
        }
        let lease = Lease {
            name: name.clone(),
            holder: holder.to_owned(),
            token: granted.token,
            until: end_of(now, ttl),
        };
        granted.lease = Some(lease.clone());
        Ok(lease)
    }

    async fn renew(&self, lease: &Lease, now: Timestamp, ttl: Duration) -> Result<Lease, Error> {
        let mut leases = lock(&self.leases);
        let granted = leases
            .get_mut(&lease.name)
            .filter(|granted| granted.token == lease.token);
        let held = granted.and_then(|granted| granted.lease.as_mut());
        let held = held.ok_or_else(|| granted_to_another(lease))?;
        held.until = end_of(now, ttl);
        Ok(held.clone())
    }

    async fn release(&self, lease: &Lease) -> Result<(), Error> {
        let mut leases = lock(&self.leases);
        let granted = leases
            .get_mut(&lease.name)
            .filter(|granted| granted.token == lease.token);
        granted.ok_or_else(|| granted_to_another(lease))?.lease = None;
        Ok(())
    }

    async fn current(&self, name: &LeaseName) -> Result<Option<Lease>, Error> {
        let leases = lock(&self.leases);
        Ok(leases.get(name).and_then(|granted| granted.lease.clone()))
    }
}
