//! Everything around the controller: flights, features, stores, a trainer, a clock.

use std::sync::Arc;

use noops_core::{DirectoryArtifacts, FencingToken, InMemoryNotifier, ManualClock, SqlRegistry};
use noops_serve::{Components, DeploymentSettings, PolicyDocument};

use crate::accidents::bad_week;
use crate::failure::Failure;
use crate::features::Upstream;
use crate::flights::{Flights, midnight};
use crate::history::LandedFlights;
use crate::output::Output;
use crate::trainer::{FlightTrainer, NetworkLoader};

/// The world the model lives in.
#[derive(Debug)]
pub(crate) struct World {
    pub(crate) flights: Arc<Flights>,
    pub(crate) upstream: Arc<Upstream>,
    pub(crate) history: Arc<LandedFlights>,
    pub(crate) trainer: Arc<FlightTrainer>,
    pub(crate) registry: SqlRegistry,
    pub(crate) artifacts: DirectoryArtifacts,
    pub(crate) notifier: Arc<InMemoryNotifier>,
    pub(crate) clock: Arc<ManualClock>,
    /// Flights by landing: the order in which labels arrive.
    pub(crate) landings: Vec<usize>,
}

impl World {
    /// Sets the world up at the end of January.
    pub(crate) fn new(flights: Arc<Flights>, output: &Output, seed: u64) -> Result<Self, Failure> {
        let upstream = Arc::new(Upstream::new(flights.clone(), bad_week())?);
        let history = Arc::new(LandedFlights::new(&flights)?);
        let mut landings: Vec<usize> = (0..flights.len())
            .filter(|flight| flights.lands.get(*flight).is_some_and(Option::is_some))
            .collect();
        landings.sort_by_key(|flight| (flights.lands.get(*flight).copied().flatten(), *flight));
        Ok(Self {
            trainer: Arc::new(FlightTrainer::new(upstream.clone(), history.clone(), seed)),
            flights,
            upstream,
            history,
            registry: output.database().registry(),
            artifacts: output.artifacts().clone(),
            notifier: Arc::new(InMemoryNotifier::new()),
            clock: Arc::new(ManualClock::new(midnight(2, 1))),
            landings,
        })
    }

    /// What the controller works with.
    pub(crate) fn components(
        &self,
        output: &Output,
        policies: Vec<PolicyDocument>,
        token: FencingToken,
    ) -> Components {
        Components {
            registry: Arc::new(self.registry.clone()),
            artifacts: Arc::new(self.artifacts.clone()),
            audit: output.audit_log(),
            notifier: self.notifier.clone(),
            trainer: self.trainer.clone(),
            loader: Arc::new(NetworkLoader),
            clock: self.clock.clone(),
            token,
            policies,
            deployment: DeploymentSettings::default(),
        }
    }
}
