//! From events to evidence.

use arrow_array::RecordBatch;
use jiff::{SignedDuration, Timestamp};
use noops_canary::{Arm, CanaryError};
use noops_core::{Digest, Error, ErrorKind, Label, Probability};
use noops_drift::{Counts, QualityGate};

use super::experiment::Experiment;
use super::judge_settings::{FAILURES, LOSS};
use super::reference::{Reference, drift_error};
use super::settings::ControlSettings;
use super::state::{Awaited, BatchCounts, ControlState, DriftSummary};
use crate::runtime::{AnsweredBy, Exposure, ExposureOutcome, ShadowScore};

impl ControlState {
    /// Takes rows as they were delivered, before any repair.
    pub(super) fn observe_inputs(
        &mut self,
        reference: &Reference,
        rows: &RecordBatch,
    ) -> Result<(), Error> {
        self.gate
            .counts
            .observe(&reference.inputs, rows)
            .map_err(drift_error)
    }

    pub(super) fn observe_exposure(
        &mut self,
        reference: &Reference,
        settings: &ControlSettings,
        exposure: Exposure,
    ) -> Result<(), Error> {
        self.service.requests += 1;
        self.service.repaired += u64::from(exposure.repaired > 0);
        self.service.slow +=
            u64::from(u128::from(exposure.latency_us) > settings.latency_objective.as_micros());
        let (score, by) = match exposure.outcome {
            ExposureOutcome::Answered { score, by } => (score, by),
            // Neither says anything about an arm.
            ExposureOutcome::Rejected | ExposureOutcome::Refused => return Ok(()),
            ExposureOutcome::Failed => {
                return self.observe_failure(&exposure);
            }
        };
        let fresh = |current: Option<Digest>| current == Some(exposure.version);
        let of_champion = fresh(Some(self.champion.digest));
        let of_challenger = fresh(self.experiment.as_ref().map(Experiment::candidate));
        // An answer pinned before a swap and told after it says nothing about the present arms.
        let awaited = Awaited {
            at: exposure.at,
            champion: (by != AnsweredBy::Challenger && of_champion).then_some(score),
            challenger: (by == AnsweredBy::Challenger && of_challenger).then_some(score),
        };
        match by {
            AnsweredBy::Fallback => self.observe_failure(&exposure)?,
            AnsweredBy::Champion | AnsweredBy::Challenger => self.service.succeeded += 1,
        }
        if let (Some(_), Some(experiment)) = (awaited.challenger, &mut self.experiment) {
            experiment.live_answers += 1;
        }
        if awaited.champion.is_some() {
            self.drift
                .scores
                .observe_value(&reference.scores, f64::from(score))
                .map_err(drift_error)?;
        }
        self.awaiting.insert(exposure.request, awaited);
        Ok(())
    }

    fn observe_failure(&mut self, exposure: &Exposure) -> Result<(), Error> {
        match &mut self.experiment {
            Some(experiment) => experiment
                .judge
                .observe_event(FAILURES, exposure.arm, exposure.share)
                .map_err(|error| judge_error(&error)),
            None => Ok(()),
        }
    }

    /// Adds what the other arm would have said. A score of a version that is no longer compared is of no use.
    pub(super) fn observe_shadow(&mut self, shadow: &ShadowScore) {
        let current = match shadow.arm {
            Arm::Champion => Some(self.champion.digest),
            Arm::Challenger => self
                .experiment
                .as_ref()
                .map(|experiment| experiment.candidate),
        };
        if current != Some(shadow.version) {
            return;
        }
        if let Some(awaited) = self.awaiting.get_mut(&shadow.request) {
            match shadow.arm {
                Arm::Champion => awaited.champion = shadow.score,
                Arm::Challenger => awaited.challenger = shadow.score,
            }
        }
    }

    /// Joins a label to its prediction. A label that nobody waits for (a duplicate, or one that came after the horizon) has no
    /// effect.
    pub(super) fn observe_label(
        &mut self,
        settings: &ControlSettings,
        label: &Label,
    ) -> Result<(), Error> {
        let Some(awaited) = self.awaiting.remove(&label.request) else {
            return Ok(());
        };
        // What was predicted from broken inputs says nothing about the model.
        if self.gate.is_quarantined(awaited.at) {
            return Ok(());
        }
        let champion = awaited.champion.and_then(probability);
        if let Some(predicted) = champion {
            self.harm
                .observe(block(awaited.at, settings.batch), predicted, label.observed);
        }
        let challenger = awaited.challenger.and_then(probability);
        if let (Some(experiment), Some(champion), Some(challenger)) =
            (&mut self.experiment, champion, challenger)
        {
            let loss = |predicted: Probability| squared_error(predicted, label);
            let block = block(awaited.at, settings.judge_block);
            experiment
                .judge
                .observe_pair(LOSS, block, loss(champion), loss(challenger))
                .map_err(|error| judge_error(&error))?;
        }
        Ok(())
    }

    /// Gives up on labels beyond the horizon, and closes the blocks whose labels are in.
    pub(super) fn close_blocks(&mut self, settings: &ControlSettings, now: Timestamp) {
        let horizon = before(now, settings.label_horizon);
        let waiting = self.awaiting.len();
        self.awaiting.retain(|_, awaited| awaited.at >= horizon);
        self.unlabelled += (waiting - self.awaiting.len()) as u64;
        self.harm.close_before(block(horizon, settings.batch));
        if let Some(experiment) = &mut self.experiment {
            experiment
                .judge
                .close_before(block(horizon, settings.judge_block));
        }
    }

    /// Judges the batch that is being collected. Returns whether the batch is over.
    pub(super) fn judge_batch(
        &mut self,
        reference: &Reference,
        gate: &QualityGate,
        settings: &ControlSettings,
        now: Timestamp,
    ) -> Result<BatchEnd, Error> {
        let report = gate
            .check(&reference.inputs, &self.gate.counts)
            .map_err(drift_error)?;
        self.gate.report = Some(report);
        let over = self.gate.batch_since <= before(now, settings.batch);
        Ok(if over { BatchEnd::Over } else { BatchEnd::Open })
    }

    /// Moves the window on by the batch that has just ended, and measures drift over it.
    pub(super) fn measure_drift(
        &mut self,
        reference: &Reference,
        settings: &ControlSettings,
        now: Timestamp,
    ) -> Result<(), Error> {
        let scores = std::mem::replace(&mut self.drift.scores, Counts::new(&reference.scores));
        let ended = BatchCounts {
            since: self.gate.batch_since,
            inputs: self.gate.counts.clone(),
            scores,
        };
        self.drift.batches.push_back(ended);
        let oldest = before(now, settings.drift_window);
        self.drift.batches.retain(|batch| batch.since >= oldest);

        let (mut inputs, mut scores) = (
            Counts::new(&reference.inputs),
            Counts::new(&reference.scores),
        );
        for batch in &self.drift.batches {
            inputs.merge(&batch.inputs).map_err(drift_error)?;
            scores.merge(&batch.scores).map_err(drift_error)?;
        }
        let inputs = reference
            .inputs
            .compare(&inputs, &settings.drift)
            .map_err(drift_error)?;
        let scores = reference
            .scores
            .compare(&scores, &settings.drift)
            .map_err(drift_error)?;
        let worst = inputs
            .columns()
            .iter()
            .max_by(|a, b| a.psi().statistic().total_cmp(&b.psi().statistic()));
        self.drift.summary = Some(DriftSummary {
            share_drifted: inputs.share_drifted(),
            worst_psi: worst.map_or(0.0, |column| column.psi().statistic()),
            worst_feature: worst.map(|column| column.column().to_owned()),
            score_psi: scores
                .columns()
                .first()
                .map_or(0.0, |column| column.psi().statistic()),
        });
        Ok(())
    }
}

/// Whether the batch of inputs is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum BatchEnd {
    Open,
    Over,
}

/// The number of the block an instant lies in.
pub(super) fn block(at: Timestamp, length: std::time::Duration) -> u64 {
    let length = u64::try_from(length.as_micros()).unwrap_or(u64::MAX).max(1);
    // Before the epoch there is no service to look after.
    u64::try_from(at.as_microsecond()).unwrap_or(0) / length
}

/// The instant that lies `ago` before another; the earliest there is when that would be before it.
pub(super) fn before(now: Timestamp, ago: std::time::Duration) -> Timestamp {
    SignedDuration::try_from(ago)
        .ok()
        .and_then(|ago| now.checked_sub(ago).ok())
        .unwrap_or(Timestamp::MIN)
}

/// The judge of a stored state has other metrics than the controller shows it.
fn judge_error(error: &CanaryError) -> Error {
    Error::new(
        ErrorKind::Corrupt,
        "show evidence to the judge",
        error.to_string(),
    )
}

fn probability(score: f32) -> Option<Probability> {
    Probability::new(f64::from(score)).ok()
}

fn squared_error(predicted: Probability, label: &Label) -> Probability {
    let error = predicted.get() - label.observed.as_f64();
    Probability::new(error * error).unwrap_or(Probability::ONE)
}
