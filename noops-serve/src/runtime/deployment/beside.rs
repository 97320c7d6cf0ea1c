//! What is taken down beside the path of a prediction.

use std::sync::Arc;
use std::time::Duration;

use noops_canary::{Arm, Salt, bucket};
use noops_core::Share;

use super::Deployment;
use super::arms::AssignedRow;
use super::path::Asking;
use crate::runtime::exposure::{AnsweredBy, Exposure, ExposureOutcome};
use crate::runtime::meter::outcome_of;
use crate::runtime::request::{Prediction, Refusal, Reply};
use crate::runtime::served::ServedModel;
use crate::runtime::shadow::ShadowCopy;
use crate::telemetry::{ArmRole, RequestOutcome, ServedRow, ServingEvent, Taken};

impl Deployment {
    pub(super) fn tell(&self, asking: &Asking<'_>, reply: &Reply) {
        let took = self.clock.monotonic().saturating_sub(asking.asked.since);
        let latency_us = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
        self.count(asking, reply, took);
        self.observe(asking, reply, took);
        let rows = asking.request.ids().iter().zip(reply).enumerate();
        let exposures = rows.map(|(row, (id, result))| {
            let (model, encoded) = asking.asked_first(row);
            let assigned: AssignedRow = asking.assigned(row);
            let repaired = encoded
                .violations_of(row)
                .iter()
                .filter(|violation| violation.is_repair())
                .count();
            Exposure {
                request: id.clone(),
                at: asking.asked.at,
                arm: assigned.arm(),
                share: assigned.share,
                in_analysis: assigned.in_analysis,
                // On a fallback, the version that answered is not the one that was asked.
                version: result.as_ref().map_or(model.digest(), Prediction::version),
                outcome: outcome(result),
                repaired: u32::try_from(repaired).unwrap_or(u32::MAX),
                latency_us,
            }
        });
        drop(self.exposures.push_all(exposures));
    }

    /// One record for all rows of a request that one model was asked for and that had one outcome.
    fn count(&self, asking: &Asking<'_>, reply: &Reply, took: Duration) {
        let mut counted: Vec<(Option<usize>, RequestOutcome, usize)> = Vec::with_capacity(1);
        for (row, result) in reply.iter().enumerate() {
            let (challenger, outcome) = (asking.assigned(row).challenger, outcome_of(result));
            let same = counted
                .iter_mut()
                .find(|(other, known, _)| (*other, *known) == (challenger, outcome));
            match same {
                Some((_, _, rows)) => *rows += 1,
                None => counted.push((challenger, outcome, 1)),
            }
        }
        for (challenger, outcome, rows) in counted {
            let arms = asking.arms;
            let asked = challenger.and_then(|index| arms.challengers.get(index));
            let model = asked.unwrap_or(&arms.champion);
            model.meter().answered(outcome, took, rows);
            let role = asked.map_or(ArmRole::Champion, |_| ArmRole::Challenger);
            self.telemetry.of(role).record(outcome, took, rows as u64);
            if outcome == RequestOutcome::Fallback {
                let stood_in = self.telemetry.of(ArmRole::Fallback);
                stood_in.record(RequestOutcome::Success, took, rows as u64);
            }
            model.telemetry().record_inference_at(asking.asked.at);
        }
    }

    /// Keeps a sample of the rows as the champion's contract read them, with their answers.
    fn observe(&self, asking: &Asking<'_>, reply: &Reply, took: Duration) {
        if self.settings.observation_sample == Share::ZERO {
            return;
        }
        let encoded = &asking.by_champion;
        let width = encoded.batch().kinds().len();
        let mut scratch = Vec::new();
        let features = encoded.batch().dense(&mut scratch);
        for (&row, features) in encoded.accepted().iter().zip(features.chunks(width.max(1))) {
            let (Some(Ok(answer)), Some(id)) = (reply.get(row), asking.request.ids().get(row))
            else {
                continue;
            };
            let taken = self.observations.offer(&ServedRow {
                request_id: id,
                features,
                score: answer.score(),
                version: answer.version(),
                arm: match answer.answered_by() {
                    AnsweredBy::Champion => ArmRole::Champion,
                    AnsweredBy::Challenger => ArmRole::Challenger,
                    AnsweredBy::Fallback => ArmRole::Fallback,
                },
                at: asking.asked.at,
                latency: took,
            });
            if taken == Taken::Dropped {
                let (model, _) = asking.asked_first(row);
                model.telemetry().count(ServingEvent::ObservationDrop, 1);
            }
        }
    }

    pub(super) fn copy_to_shadows(&self, asking: &Asking<'_>, reply: &Reply) {
        let arms = asking.arms;
        if arms.challengers.is_empty() && arms.shadows.is_empty() {
            return;
        }
        if arms.champion.waiting_rows() > self.settings.shed_shadows_above {
            let models = arms.shadows.iter().map(|shadow| &shadow.model);
            for model in models.chain(&arms.challengers) {
                self.shadow_copies.count_dropped(1);
                model.telemetry().count(ServingEvent::ShadowDrop, 1);
            }
            return;
        }
        let ids = asking.request.ids();
        let sampled = |id: &str| {
            self.settings.shadow_sample == Share::FULL
                || bucket(&self.shadow_salt, id) < self.settings.shadow_sample.ppm()
        };
        let copy = |arm: Arm, model: &Arc<ServedModel>, wanted: &dyn Fn(usize, &str) -> bool| {
            let rows = ids.iter().enumerate();
            let rows: Vec<(usize, String)> = rows
                .filter(|(row, id)| wanted(*row, id))
                .map(|(row, id)| (row, id.clone()))
                .collect();
            (!rows.is_empty()).then(|| ShadowCopy {
                input: asking.request.input().clone(),
                rows,
                arm,
                model: model.clone(),
            })
        };
        let by_challenger = |row: usize| matches!(reply.get(row), Some(Ok(answer)) if answer.answered_by() == AnsweredBy::Challenger);
        let to_champion = (!arms.challengers.is_empty())
            .then(|| {
                copy(Arm::Champion, &arms.champion, &|row, id| {
                    by_challenger(row) && sampled(id)
                })
            })
            .flatten();
        let to_challengers = arms
            .challengers
            .iter()
            .enumerate()
            .filter_map(|(index, model)| {
                copy(Arm::Challenger, model, &|row, id| {
                    let answered =
                        by_challenger(row) && asking.assigned(row).challenger == Some(index);
                    !answered && sampled(id)
                })
            });
        let to_shadows = arms
            .shadows
            .iter()
            .filter_map(|shadow| copy(Arm::Challenger, &shadow.model, &|_, id| shadow.sees(id)));
        let copies = to_champion
            .into_iter()
            .chain(to_challengers)
            .chain(to_shadows);
        for dropped in self.shadow_copies.push_all(copies.collect::<Vec<_>>()) {
            let telemetry = dropped.model.telemetry();
            telemetry.count(ServingEvent::ShadowDrop, 1);
        }
    }
}

fn outcome(result: &Result<Prediction, Refusal>) -> ExposureOutcome {
    match result {
        Ok(prediction) => ExposureOutcome::Answered {
            score: prediction.score(),
            by: prediction.answered_by(),
        },
        Err(Refusal::Contract(_)) => ExposureOutcome::Rejected,
        Err(Refusal::Overloaded | Refusal::TooLate) => ExposureOutcome::Refused,
        Err(Refusal::Model(_)) => ExposureOutcome::Failed,
    }
}

/// The salt by which requests are sampled for shadows, so that all copies of one request are taken or none.
pub(super) fn shadow_salt() -> Salt {
    Salt::new("shadow")
}
