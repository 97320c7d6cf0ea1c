//! Everything the controller remembers.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use jiff::Timestamp;
use noops_core::{Digest, Error, Notification, Probability, Share, TimeSpan, TrainingRequest};
use noops_drift::{CalibrationMonitor, Counts, GateReport};
use noops_policy::Governor;
use serde::{Deserialize, Serialize};

use super::experiment::Experiment;
use super::reference::{Reference, drift_error};
use super::settings::ControlSettings;

/// The memory of a [`Controller`](super::Controller): a value that a host saves whenever it likes and hands back after a
/// crash. A resumed controller that is shown the same events again decides the same.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ControlState {
    pub(super) policies: Digest,
    pub(super) settings: Digest,
    pub(super) champion: Champion,
    pub(super) awaiting: BTreeMap<String, Awaited>,
    pub(super) unlabelled: u64,
    pub(super) harm: CalibrationMonitor,
    pub(super) drift: DriftWindow,
    pub(super) gate: Gate,
    pub(super) service: Service,
    pub(super) experiment: Option<Experiment>,
    pub(super) training: Option<TrainingJob>,
    pub(super) trainings: u64,
    pub(super) last_training: Timestamp,
    /// Versions that were refused or rolled back, and are never tried again.
    pub(super) ended: BTreeSet<Digest>,
    pub(super) failed_candidates: u64,
    pub(super) registry_seen: Timestamp,
    pub(super) governor: Governor,
    /// The place of the last audit entry this state knows of.
    pub(super) written: u64,
    /// When the last reconciliation came to its end.
    pub(super) reconciled: Option<Timestamp>,
    /// What people have not been told yet.
    pub(super) untold: Vec<Notification>,
}

impl ControlState {
    pub(super) fn new(
        policies: Digest,
        champion: Champion,
        reference: &Reference,
        settings: &ControlSettings,
        now: Timestamp,
    ) -> Result<Self, Error> {
        Ok(Self {
            policies,
            settings: Digest::of_json(settings),
            harm: harm_monitor(settings, champion.mean_score)?,
            champion,
            awaiting: BTreeMap::new(),
            unlabelled: 0,
            drift: DriftWindow::new(reference),
            gate: Gate::new(reference, now),
            service: Service::default(),
            experiment: None,
            training: None,
            trainings: 1,
            last_training: now,
            ended: BTreeSet::new(),
            failed_candidates: 0,
            registry_seen: now,
            governor: Governor::new(settings.governor.clone()),
            written: 0,
            reconciled: None,
            untold: Vec::new(),
        })
    }

    /// The version that answers.
    #[must_use]
    pub fn champion(&self) -> &Champion {
        &self.champion
    }

    /// The comparison under way.
    #[must_use]
    pub fn experiment(&self) -> Option<&Experiment> {
        self.experiment.as_ref()
    }

    /// The training under way.
    #[must_use]
    pub fn training(&self) -> Option<&TrainingJob> {
        self.training.as_ref()
    }

    /// Since when inputs are quarantined, if they are.
    #[must_use]
    pub fn quarantined_since(&self) -> Option<Timestamp> {
        self.gate.quarantined_since
    }

    /// How many rows were kept out of training so far.
    #[must_use]
    pub fn rows_quarantined(&self) -> u64 {
        self.gate.rows_quarantined
    }

    /// The newest measurement of drift.
    #[must_use]
    pub fn drift(&self) -> Option<&DriftSummary> {
        self.drift.summary.as_ref()
    }

    /// What people could not be told yet, because the notifier failed.
    #[must_use]
    pub fn untold(&self) -> &[Notification] {
        &self.untold
    }

    /// How many predictions wait for their label.
    #[must_use]
    pub fn awaiting_labels(&self) -> usize {
        self.awaiting.len()
    }
}

/// The version that answers.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Champion {
    pub(super) digest: Digest,
    pub(super) number: u64,
    pub(super) since: Timestamp,
    pub(super) mean_score: Probability,
}

impl Champion {
    /// The version.
    #[must_use]
    pub fn digest(&self) -> Digest {
        self.digest
    }

    /// Its number.
    #[must_use]
    pub fn number(&self) -> u64 {
        self.number
    }

    /// Since when it has been champion.
    #[must_use]
    pub fn since(&self) -> Timestamp {
        self.since
    }
}

/// A prediction whose label has not come.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Awaited {
    pub(super) at: Timestamp,
    pub(super) champion: Option<f32>,
    pub(super) challenger: Option<f32>,
}

/// A training under way.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TrainingJob {
    pub(super) request: TrainingRequest,
    pub(super) ready_at: Timestamp,
}

impl TrainingJob {
    /// What is being trained.
    #[must_use]
    pub fn request(&self) -> &TrainingRequest {
        &self.request
    }

    /// When the result is looked for.
    #[must_use]
    pub fn ready_at(&self) -> Timestamp {
        self.ready_at
    }
}

/// The batches of the last drift window, each counted on its own so that the oldest can leave.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct DriftWindow {
    /// Counts of whole batches, oldest first.
    pub(super) batches: VecDeque<BatchCounts>,
    /// The scores of the batch that is being collected; its inputs are those of the gate.
    pub(super) scores: Counts,
    pub(super) summary: Option<DriftSummary>,
}

/// What one batch held.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct BatchCounts {
    pub(super) since: Timestamp,
    pub(super) inputs: Counts,
    pub(super) scores: Counts,
}

impl DriftWindow {
    pub(super) fn new(reference: &Reference) -> Self {
        Self {
            batches: VecDeque::new(),
            scores: Counts::new(&reference.scores),
            summary: None,
        }
    }
}

/// A measurement of drift.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct DriftSummary {
    /// The share of features that have drifted.
    pub share_drifted: f64,
    /// The largest PSI of a feature.
    pub worst_psi: f64,
    /// The feature it belongs to.
    pub worst_feature: Option<String>,
    /// The PSI of the scores.
    pub score_psi: f64,
}

/// The batch of inputs that is being collected, and what became of earlier ones.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Gate {
    pub(super) batch_since: Timestamp,
    pub(super) counts: Counts,
    pub(super) report: Option<GateReport>,
    pub(super) quarantined_since: Option<Timestamp>,
    /// Whole batches in a row that passed since the quarantine began.
    pub(super) healthy_batches: u64,
    pub(super) spans: Vec<TimeSpan>,
    pub(super) rows_quarantined: u64,
}

impl Gate {
    fn new(reference: &Reference, now: Timestamp) -> Self {
        Self {
            batch_since: now,
            counts: Counts::new(&reference.inputs),
            report: None,
            quarantined_since: None,
            healthy_batches: 0,
            spans: Vec::new(),
            rows_quarantined: 0,
        }
    }
}

impl Gate {
    /// Whether what was asked at a time came from broken inputs.
    pub(super) fn is_quarantined(&self, at: Timestamp) -> bool {
        self.quarantined_since.is_some_and(|since| at >= since)
            || self.spans.iter().any(|span| span.contains(at))
    }
}

/// How the service has done since the batch began.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Service {
    pub(super) requests: u64,
    pub(super) succeeded: u64,
    pub(super) slow: u64,
    pub(super) repaired: u64,
}

pub(super) fn harm_monitor(
    settings: &ControlSettings,
    mean_score: Probability,
) -> Result<CalibrationMonitor, Error> {
    CalibrationMonitor::new(settings.harm.clone().with_reference_mean(mean_score))
        .map_err(drift_error)
}

/// The share a rollout stage gives the candidate.
pub(super) fn live_share(experiment: Option<&Experiment>) -> Share {
    experiment.map_or(Share::ZERO, |experiment| experiment.rollout.share())
}
