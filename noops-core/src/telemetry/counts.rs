use serde::{Deserialize, Serialize};

use super::held::Held;
use super::outcome::LabelOutcome;

/// What became of everything that was delivered. Nothing is left out silently: it is in one of these.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct TelemetryCounts {
    /// Predictions taken in.
    pub predictions: u64,
    /// Rows drained with a label.
    pub labelled_rows: u64,
    /// Rows drained without one, their horizon over.
    pub unlabelled_rows: u64,
    /// Predictions of a request that has one already: the first is kept.
    pub duplicate_predictions: u64,
    /// Predictions delivered after their row would have been drained.
    pub late_predictions: u64,
    /// Predictions left out of the sample.
    pub unsampled_predictions: u64,
    /// Predictions with an empty or overlong id or unit, or larger than all that may be held.
    pub refused_predictions: u64,
    /// Predictions taken in whose score was not a finite number, and is null now.
    pub not_finite_scores: u64,
    /// Predictions dropped, before they were complete, to make room.
    pub dropped_predictions: u64,
    /// Requests whose prediction found its label.
    pub joined_labels: u64,
    /// Labels with a value that was known already.
    pub duplicate_labels: u64,
    /// Labels with another value than one that was known already.
    pub conflicting_labels: u64,
    /// Labels that became known after the horizon, or were delivered after the row was drained without one.
    pub late_labels: u64,
    /// Labels left out of the sample.
    pub unsampled_labels: u64,
    /// Labels with an empty or overlong id, or larger than all that may be held.
    pub refused_labels: u64,
    /// Requests whose labels were dropped, before a prediction came, to make room.
    pub dropped_labels: u64,
    /// Requests whose labels were given up because no prediction can come any more.
    pub orphaned_labels: u64,
    /// Drained requests forgotten early to make room: what comes again of them is not known as such.
    pub forgotten_requests: u64,
}

impl TelemetryCounts {
    pub(super) fn label(&mut self, outcome: &LabelOutcome) {
        match outcome {
            LabelOutcome::Joined { .. } => bump(&mut self.joined_labels),
            // Counted when it is joined, given up or dropped.
            LabelOutcome::Waiting => {}
            LabelOutcome::Duplicate => bump(&mut self.duplicate_labels),
            LabelOutcome::Conflict { .. } => bump(&mut self.conflicting_labels),
            LabelOutcome::TooLate => bump(&mut self.late_labels),
            LabelOutcome::NotSampled => bump(&mut self.unsampled_labels),
            LabelOutcome::Refused => bump(&mut self.refused_labels),
        }
    }

    pub(super) fn dropped(&mut self, held: &Held) {
        match held {
            Held::Open { .. } => bump(&mut self.dropped_predictions),
            Held::Waiting { .. } => bump(&mut self.dropped_labels),
            Held::Settled { .. } => bump(&mut self.forgotten_requests),
        }
    }
}

pub(super) fn bump(count: &mut u64) {
    *count = count.saturating_add(1);
}
