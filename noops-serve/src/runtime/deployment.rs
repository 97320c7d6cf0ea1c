//! Who answers what.

use std::sync::Arc;

use arc_swap::ArcSwap;
use jiff::Timestamp;
use noops_canary::{Arm, Assignment, Salt};
use noops_core::{Clock, Encoded, Error, Share};

use super::exposure::{AnsweredBy, Exposure, ExposureOutcome};
use super::outbox::Outbox;
use super::request::{Prediction, Refusal, Reply, Request};
use super::served::ServedModel;
use super::shadow::{ShadowCopy, ShadowScore};

/// How much may wait beside the prediction path before it is dropped and counted.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct DeploymentSettings {
    /// Exposure records.
    pub exposures: usize,
    /// Requests whose shadow copies wait.
    pub shadow_copies: usize,
}

impl Default for DeploymentSettings {
    fn default() -> Self {
        Self {
            exposures: 65_536,
            shadow_copies: 4_096,
        }
    }
}

impl DeploymentSettings {
    /// Sets how many exposure records may wait.
    #[must_use]
    pub fn with_exposures(mut self, exposures: usize) -> Self {
        self.exposures = exposures;
        self
    }

    /// Sets how many requests' shadow copies may wait.
    #[must_use]
    pub fn with_shadow_copies(mut self, shadow_copies: usize) -> Self {
        self.shadow_copies = shadow_copies;
        self
    }
}

/// A model in service: a champion, and perhaps a challenger with a share of the traffic.
///
/// Every request sees one consistent pair of arms, however often they are swapped meanwhile; a swap waits for nobody and
/// loses nothing. A challenger is shown every request: those it does not answer reach it as shadow copies, and those it answers
/// reach the champion as shadow copies, so that a judge can compare both on the same requests. Copies wait in a bounded queue
/// until [`score_shadows`](Self::score_shadows) is called and are dropped first when there are too many.
///
/// # Examples
///
/// See the quickstart in the project's README.
#[derive(Debug)]
pub struct Deployment {
    arms: ArcSwap<Arms>,
    clock: Arc<dyn Clock>,
    exposures: Outbox<Exposure>,
    shadow_copies: Outbox<ShadowCopy>,
}

#[derive(Clone, Debug)]
struct Arms {
    champion: Arc<ServedModel>,
    challenger: Option<Challenger>,
}

#[derive(Clone, Debug)]
struct Challenger {
    model: Arc<ServedModel>,
    assignment: Assignment,
}

impl Deployment {
    /// Puts a champion into service.
    #[must_use]
    pub fn new(
        champion: Arc<ServedModel>,
        clock: Arc<dyn Clock>,
        settings: &DeploymentSettings,
    ) -> Self {
        Self {
            arms: ArcSwap::from_pointee(Arms {
                champion,
                challenger: None,
            }),
            clock,
            exposures: Outbox::new(settings.exposures),
            shadow_copies: Outbox::new(settings.shadow_copies),
        }
    }

    /// The version that answers what no challenger is assigned.
    #[must_use]
    pub fn champion(&self) -> Arc<ServedModel> {
        self.arms.load().champion.clone()
    }

    /// The version that is being compared with the champion.
    #[must_use]
    pub fn challenger(&self) -> Option<Arc<ServedModel>> {
        self.arms
            .load()
            .challenger
            .as_ref()
            .map(|challenger| challenger.model.clone())
    }

    /// The challenger's share of the traffic; zero in shadow and without one.
    #[must_use]
    pub fn share(&self) -> Share {
        self.arms
            .load()
            .challenger
            .as_ref()
            .map_or(Share::ZERO, |challenger| challenger.assignment.share())
    }

    /// Brings in a challenger, in the place of any other. `salt` names the comparison: the same salt and share assign the
    /// same units, in every process.
    pub fn challenge(&self, model: Arc<ServedModel>, salt: Salt, share: Share) {
        let challenger = Challenger {
            model,
            assignment: Assignment::new(salt, share),
        };
        self.swap(|arms| Arms {
            champion: arms.champion.clone(),
            challenger: Some(challenger.clone()),
        });
    }

    /// Takes the challenger out of service.
    pub fn withdraw(&self) {
        self.swap(|arms| Arms {
            champion: arms.champion.clone(),
            challenger: None,
        });
    }

    /// Makes a version the champion. It stops being the challenger if it was; another challenger is withdrawn, because it was
    /// compared with a champion that has gone.
    pub fn crown(&self, champion: Arc<ServedModel>) {
        self.swap(|_| Arms {
            champion: champion.clone(),
            challenger: None,
        });
    }

    /// Answers each row of a request. A call that is dropped before it ends leaves no exposure behind.
    ///
    /// # Errors
    ///
    /// Fails as a whole only when the rows lack a column of the contract or have one of the wrong type; everything else is
    /// an answer or a refusal of the single row.
    pub async fn predict(&self, request: &Request) -> Result<Reply, Error> {
        let asked_at = self.clock.now();
        // Pinned: this request sees these arms to its end.
        let arms = self.arms.load_full();
        let by_champion = arms.champion.contract().encode(request.rows())?;
        let Some(challenger) = &arms.challenger else {
            let answers = answer(&arms.champion, &by_champion).await;
            let reply = finish(request.ids().len(), answers, &by_champion, &arms.champion);
            let rows = reply
                .iter()
                .enumerate()
                .map(|(row, result)| (row, Arm::Champion, Share::ZERO, result));
            self.expose(request, asked_at, rows, &by_champion, &arms.champion);
            return Ok(reply);
        };
        self.predict_with_challenger(request, asked_at, &arms.champion, challenger, by_champion)
            .await
    }

    async fn predict_with_challenger(
        &self,
        request: &Request,
        asked_at: Timestamp,
        champion: &Arc<ServedModel>,
        challenger: &Challenger,
        by_champion: Encoded,
    ) -> Result<Reply, Error> {
        let share = challenger.assignment.share();
        let assigned: Vec<Arm> = request
            .units()
            .iter()
            .map(|unit| challenger.assignment.arm(unit))
            .collect();
        // A challenger that cannot even read the rows must not cost the caller an answer.
        let by_challenger = challenger.model.contract().encode(request.rows()).ok();

        let mut reply: Vec<Option<Result<Prediction, Refusal>>> = vec![None; assigned.len()];
        if let Some(encoded) = by_challenger
            .as_ref()
            .filter(|_| assigned.contains(&Arm::Challenger))
        {
            let live = only(encoded, &assigned, Arm::Challenger);
            let answers = challenger.model.score(live.batch).await;
            place(
                &mut reply,
                &live.rows,
                answers,
                &challenger.model,
                AnsweredBy::Challenger,
            );
        }
        // The champion answers its own rows, and those that the challenger could not.
        let unanswered: Vec<Arm> = reply
            .iter()
            .map(|answer| {
                if matches!(answer, Some(Ok(_))) {
                    Arm::Challenger
                } else {
                    Arm::Champion
                }
            })
            .collect();
        let rest = only(&by_champion, &unanswered, Arm::Champion);
        let answers = champion.score(rest.batch).await;
        place(
            &mut reply,
            &rest.rows,
            answers,
            champion,
            AnsweredBy::Champion,
        );
        let reply: Reply = reply
            .into_iter()
            .enumerate()
            .map(|(row, answer)| match answer {
                Some(answer) => answer,
                None => Err(refusal_of(&by_champion, row)),
            })
            .zip(&assigned)
            .map(|(answer, arm)| answer.map(|prediction| marked_as_fallback(prediction, *arm)))
            .collect();

        for (arm, model) in [
            (Arm::Champion, champion),
            (Arm::Challenger, &challenger.model),
        ] {
            let rows = reply
                .iter()
                .zip(&assigned)
                .enumerate()
                .filter(|(_, (_, assigned))| **assigned == arm);
            let rows = rows.map(|(row, (result, _))| (row, arm, share, result));
            let encoded = if arm == Arm::Challenger {
                by_challenger.as_ref().unwrap_or(&by_champion)
            } else {
                &by_champion
            };
            self.expose(request, asked_at, rows, encoded, model);
        }
        // After the exposure, which the scores of the copies are joined to.
        self.copy_to_shadows(
            request,
            &reply,
            champion,
            &by_champion,
            challenger,
            by_challenger.as_ref(),
        );
        Ok(reply)
    }

    /// The records of rows answered since the last call, oldest first.
    #[must_use]
    pub fn drain_exposures(&self) -> Vec<Exposure> {
        self.exposures.drain()
    }

    /// How many exposure records and how many shadow copies were dropped because too many waited.
    #[must_use]
    pub fn dropped(&self) -> Dropped {
        Dropped {
            exposures: self.exposures.dropped(),
            shadow_copies: self.shadow_copies.dropped(),
        }
    }

    /// Scores the shadow copies that wait. Call it from a task of its own, never from the path of a prediction.
    #[must_use]
    pub fn score_shadows(&self) -> Vec<ShadowScore> {
        let mut scores = Vec::new();
        for copy in self.shadow_copies.drain() {
            let scored = copy.model.score_now(&copy.batch).ok();
            let mut scored = scored.map(Vec::into_iter);
            for request in copy.ids {
                let score = scored.as_mut().and_then(Iterator::next);
                scores.push(ShadowScore {
                    request,
                    arm: copy.arm,
                    version: copy.model.digest(),
                    score,
                });
            }
        }
        scores
    }

    fn swap(&self, change: impl Fn(&Arms) -> Arms) {
        self.arms.rcu(|arms| change(arms));
    }

    fn copy_to_shadows(
        &self,
        request: &Request,
        reply: &Reply,
        champion: &Arc<ServedModel>,
        by_champion: &Encoded,
        challenger: &Challenger,
        by_challenger: Option<&Encoded>,
    ) {
        let answered: Vec<Arm> = reply
            .iter()
            .map(|answer| match answer {
                Ok(prediction) if prediction.answered_by == AnsweredBy::Challenger => {
                    Arm::Challenger
                }
                _ => Arm::Champion,
            })
            .collect();
        let copy = |arm: Arm, model: &Arc<ServedModel>, encoded: &Encoded, answered_by: Arm| {
            let rows = only(encoded, &answered, answered_by);
            let ids = rows
                .rows
                .iter()
                .filter_map(|&row| request.ids().get(row).cloned())
                .collect();
            ShadowCopy {
                ids,
                batch: rows.batch,
                arm,
                model: model.clone(),
            }
        };
        let to_champion = copy(Arm::Champion, champion, by_champion, Arm::Challenger);
        let to_challenger = by_challenger
            .map(|encoded| copy(Arm::Challenger, &challenger.model, encoded, Arm::Champion));
        let copies = std::iter::once(to_champion).chain(to_challenger);
        self.shadow_copies
            .push_all(copies.filter(|copy| copy.batch.rows() > 0));
    }

    fn expose<'a>(
        &self,
        request: &Request,
        asked_at: Timestamp,
        rows: impl Iterator<Item = (usize, Arm, Share, &'a Result<Prediction, Refusal>)>,
        encoded: &Encoded,
        model: &ServedModel,
    ) {
        let latency_us =
            u64::try_from(self.clock.now().duration_since(asked_at).as_micros()).unwrap_or(0);
        let exposures = rows.filter_map(|(row, arm, share, result)| {
            let outcome = match result {
                Ok(prediction) => ExposureOutcome::Answered {
                    score: prediction.score,
                    by: prediction.answered_by,
                },
                Err(Refusal::Contract(_)) => ExposureOutcome::Rejected,
                Err(Refusal::Model(_) | Refusal::Overloaded) => ExposureOutcome::Failed,
            };
            let repaired = encoded
                .violations_of(row)
                .iter()
                .filter(|violation| !violation.is_rejection())
                .count() as u32;
            // On a fallback, the version that answered is not the one that was asked.
            let version = result
                .as_ref()
                .map_or(model.digest(), |prediction| prediction.version);
            let request = request.ids().get(row)?.clone();
            Some(Exposure {
                request,
                at: asked_at,
                arm,
                share,
                version,
                outcome,
                repaired,
                latency_us,
            })
        });
        self.exposures.push_all(exposures);
    }
}

/// What was dropped beside the prediction path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Dropped {
    /// Exposure records.
    pub exposures: u64,
    /// Shadow copies.
    pub shadow_copies: u64,
}

struct Subset {
    /// The rows of the request, in order.
    rows: Vec<usize>,
    batch: noops_core::Batch,
}

/// The accepted rows that are assigned to an arm.
fn only(encoded: &Encoded, assigned: &[Arm], arm: Arm) -> Subset {
    let mine = |row: usize| assigned.get(row) == Some(&arm);
    let indices: Vec<usize> = encoded
        .accepted()
        .iter()
        .enumerate()
        .filter(|(_, row)| mine(**row))
        .map(|(index, _)| index)
        .collect();
    let rows = encoded
        .accepted()
        .iter()
        .copied()
        .filter(|row| mine(*row))
        .collect();
    Subset {
        rows,
        batch: encoded.batch().take(&indices),
    }
}

async fn answer(model: &Arc<ServedModel>, encoded: &Encoded) -> Result<Vec<f32>, Refusal> {
    model.score(encoded.batch().clone()).await
}

/// The reply when the champion alone is asked.
fn finish(
    rows: usize,
    answers: Result<Vec<f32>, Refusal>,
    encoded: &Encoded,
    model: &ServedModel,
) -> Reply {
    let by = AnsweredBy::Champion;
    let mut reply = vec![None; rows];
    place(&mut reply, encoded.accepted(), answers, model, by);
    reply
        .into_iter()
        .enumerate()
        .map(|(row, answer)| answer.unwrap_or_else(|| Err(refusal_of(encoded, row))))
        .collect()
}

fn place(
    reply: &mut [Option<Result<Prediction, Refusal>>],
    rows: &[usize],
    answers: Result<Vec<f32>, Refusal>,
    model: &ServedModel,
    answered_by: AnsweredBy,
) {
    let version = model.digest();
    for (index, row) in rows.iter().enumerate() {
        let Some(slot) = reply.get_mut(*row) else {
            continue;
        };
        *slot = Some(match &answers {
            Ok(scores) => scores
                .get(index)
                .map(|&score| Prediction {
                    score,
                    version,
                    answered_by,
                })
                .ok_or_else(|| Refusal::Model("it answered too few rows".to_owned())),
            Err(refusal) => Err(refusal.clone()),
        });
    }
}

fn marked_as_fallback(prediction: Prediction, assigned: Arm) -> Prediction {
    let fell_back = assigned == Arm::Challenger && prediction.answered_by == AnsweredBy::Champion;
    Prediction {
        answered_by: if fell_back {
            AnsweredBy::Fallback
        } else {
            prediction.answered_by
        },
        ..prediction
    }
}

fn refusal_of(encoded: &Encoded, row: usize) -> Refusal {
    encoded.rejection(row).map_or_else(
        || Refusal::Model("it did not answer this row".to_owned()),
        Refusal::Contract,
    )
}

#[cfg(test)]
mod tests;
