//! What goes wrong this year. The control loop knows nothing of it.

use noops_core::{
    ArtifactStore, Error, ModelRegistry, Registration, TimeSpan, Timestamp, TrainingRequest,
};

use crate::flights::midnight;
use crate::trainer::{FlightTrainer, Labels};

/// When somebody registers a candidate that was trained on shuffled labels.
pub(crate) fn bad_candidate_at() -> Timestamp {
    Timestamp::from_second(midnight(8, 1).as_second() + 3 * 3600).unwrap_or(Timestamp::MAX)
}

/// The first week of August, over which the bad candidate's exposure is measured.
pub(crate) fn bad_candidate_week() -> TimeSpan {
    TimeSpan {
        from: midnight(8, 1),
        until: midnight(8, 8),
    }
}

/// The week in which upstream delivers kilometres and no visibility.
pub(crate) fn bad_week() -> TimeSpan {
    TimeSpan {
        from: midnight(10, 7),
        until: midnight(10, 14),
    }
}

/// Registers a candidate trained on shuffled labels, with the metrics and the profile of the champion: whoever did this believes
/// the candidate to be as good.
pub(crate) async fn register_bad_candidate(
    trainer: &FlightTrainer,
    registry: &dyn ModelRegistry,
    artifacts: &dyn ArtifactStore,
    champion: &Registration,
    now: Timestamp,
) -> Result<u64, Error> {
    let request = TrainingRequest {
        run: "by-hand-august".to_owned(),
        snapshot_at: now,
        parent: Some(champion.digest),
        quarantined: Vec::new(),
    };
    let trained = trainer.train_on(&request, Labels::Shuffled).await?;
    let digest = artifacts.put(&trained.artifact).await?;
    let registration = Registration {
        digest,
        contract: trained.contract,
        parameters: trained.parameters,
        lineage: trained.lineage,
        registered_at: now,
        ..champion.clone()
    };
    registry
        .register(registration)
        .await
        .map(|version| version.number())
}
