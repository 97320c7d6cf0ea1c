//! The path of a prediction.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use noops_core::{Batch, Clock, Encoded, Error};

use super::Deployment;
use super::arms::{Arms, AssignedRow, Fallback};
use crate::runtime::exposure::AnsweredBy;
use crate::runtime::request::{Answer, Prediction, Refusal, Reply, Request};
use crate::runtime::served::{Call, Scored, ServedModel};

/// When a request came.
#[derive(Clone, Copy, Debug)]
pub(super) struct Asked {
    pub(super) at: Timestamp,
    pub(super) since: Duration,
}

/// What a request found: who was asked for each row, and how its rows were read.
#[derive(Debug)]
pub(super) struct Asking<'a> {
    pub(super) request: &'a Request,
    pub(super) asked: Asked,
    pub(super) arms: &'a Arms,
    pub(super) clock: &'a dyn Clock,
    /// The arm of each row; empty where the champion is asked for all.
    pub(super) assigned: Vec<AssignedRow>,
    pub(super) by_champion: Encoded,
    /// The rows as each challenger reads them, if it was asked and can.
    pub(super) by_challengers: Vec<Option<Encoded>>,
}

type Slots = Vec<Option<Result<Prediction, Refusal>>>;

impl Deployment {
    /// Answers each row of a request. A call that is dropped before it ends leaves no exposure behind.
    ///
    /// # Errors
    ///
    /// Fails as a whole only when the rows lack a column of the contract or have one of the wrong type; everything else is
    /// an answer or a refusal of the single row.
    pub async fn predict(&self, request: &Request) -> Result<Reply, Error> {
        // A lone caller is answered without ever waiting, so one who asks again and again would keep its thread from everybody else.
        tokio::task::coop::consume_budget().await;
        let asked = Asked {
            at: self.clock.now(),
            since: self.clock.monotonic(),
        };
        // Pinned: this request sees these arms to its end.
        let arms = self.arms.load();
        let mut asking = Asking {
            request,
            asked,
            by_champion: request.input().encode(arms.champion.contract())?,
            assigned: Vec::new(),
            by_challengers: Vec::new(),
            arms: &arms,
            clock: self.clock.as_ref(),
        };
        let reply = if arms.challengers.is_empty() {
            asking.ask_champion().await
        } else {
            asking.ask_arms().await
        };
        self.tell(&asking, &reply);
        // After the exposures, which the scores of the copies are joined to.
        self.copy_to_shadows(&asking, &reply);
        Ok(reply)
    }
}

impl Asking<'_> {
    pub(super) fn assigned(&self, row: usize) -> AssignedRow {
        self.assigned.get(row).copied().unwrap_or(AssignedRow {
            in_analysis: self.request.forced().is_none(),
            ..AssignedRow::TO_CHAMPION
        })
    }

    /// What is left of the request's time, for whoever is asked now.
    fn call(&self) -> Call {
        let call = self.request.call();
        if !call.has_timeout() {
            return call;
        }
        call.less(self.clock.monotonic().saturating_sub(self.asked.since))
    }

    /// The model that was asked for a row first, and how it read it.
    pub(super) fn asked_first(&self, row: usize) -> (&Arc<ServedModel>, &Encoded) {
        let challenger = self.assigned(row).challenger.and_then(|index| {
            let encoded = self.by_challengers.get(index)?.as_ref();
            let model = self.arms.challengers.get(index)?;
            Some((model, encoded.unwrap_or(&self.by_champion)))
        });
        challenger.unwrap_or((&self.arms.champion, &self.by_champion))
    }

    async fn ask_champion(&mut self) -> Reply {
        let champion = &self.arms.champion;
        let rows = self.request.ids().len();
        let batch = self.by_champion.batch().clone();
        let answers = champion.score(batch, self.call()).await;
        if let Ok(scored) = &answers
            && scored.rows() == rows
            && !scored.has_broken_rows()
        {
            // The common case, without a detour.
            return (0..rows)
                .map(|row| answer(scored, row, champion, AnsweredBy::Champion))
                .collect();
        }
        let mut slots: Slots = vec![None; rows];
        place(
            &mut slots,
            self.by_champion.accepted(),
            &answers,
            champion,
            |_| AnsweredBy::Champion,
        );
        self.fall_back(&mut slots).await;
        self.finish(slots)
    }

    async fn ask_arms(&mut self) -> Reply {
        let units = self.request.units().iter();
        self.assigned = units
            .map(|unit| self.arms.assign(unit, self.request.forced()))
            .collect();
        let mut slots: Slots = vec![None; self.assigned.len()];
        for (index, challenger) in self.arms.challengers.iter().enumerate() {
            let mine = |row: usize| self.assigned(row).challenger == Some(index);
            if !(0..slots.len()).any(mine) {
                self.by_challengers.push(None);
                continue;
            }
            // A challenger that cannot even read the rows must not cost the caller an answer.
            let encoded = self.request.input().encode(challenger.contract()).ok();
            if let Some(encoded) = &encoded {
                let live = Subset::of(encoded, mine);
                let answers = challenger.score(live.batch, self.call()).await;
                place(&mut slots, &live.rows, &answers, challenger, |_| {
                    AnsweredBy::Challenger
                });
            }
            self.by_challengers.push(encoded);
        }
        // The champion answers its own rows, and those that a challenger could not.
        let rest = Subset::of(&self.by_champion, |row| {
            !matches!(slots.get(row), Some(Some(Ok(_))))
        });
        let champion = &self.arms.champion;
        let answers = champion.score(rest.batch, self.call()).await;
        place(
            &mut slots,
            &rest.rows,
            &answers,
            champion,
            |row| match self.assigned(row).challenger {
                Some(_) => AnsweredBy::Fallback,
                None => AnsweredBy::Champion,
            },
        );
        self.fall_back(&mut slots).await;
        self.finish(slots)
    }

    /// Lets the fallback answer what no arm could: rows on which the models failed, and rows that the contract keeps from them. A
    /// constant also stands in where there was no room or no time.
    async fn fall_back(&self, slots: &mut Slots) {
        let Some(fallback) = &self.arms.fallback else {
            return;
        };
        let wanted = |row: usize| match slots.get(row) {
            Some(None) => self.by_champion.falls_back(row),
            Some(Some(Err(Refusal::Model(_)))) => true,
            Some(Some(Err(Refusal::Overloaded | Refusal::TooLate))) => {
                matches!(fallback, Fallback::Constant(_))
            }
            _ => false,
        };
        let rows: Vec<usize> = (0..slots.len()).filter(|row| wanted(*row)).collect();
        if rows.is_empty() {
            return;
        }
        match fallback {
            Fallback::Constant(constant) => {
                for row in rows {
                    if let Some(slot) = slots.get_mut(row) {
                        *slot = Some(Ok(constant.prediction()));
                    }
                }
            }
            Fallback::Model(model) => {
                let Ok(encoded) = self.request.input().encode(model.contract()) else {
                    return;
                };
                let rest = Subset::of(&encoded, |row| rows.binary_search(&row).is_ok());
                let answers = model.score(rest.batch, self.call()).await;
                if answers.is_ok() {
                    place(slots, &rest.rows, &answers, model, |_| AnsweredBy::Fallback);
                }
            }
        }
    }

    /// Rows that nobody was asked for were refused by the contract.
    fn finish(&self, slots: Slots) -> Reply {
        let rows = slots.into_iter().enumerate();
        rows.map(|(row, slot)| {
            slot.unwrap_or_else(|| {
                Err(match self.by_champion.rejection(row) {
                    Some(rejection) => Refusal::Contract(rejection),
                    None => {
                        Refusal::Model("the row is for a fallback, and there is none".to_owned())
                    }
                })
            })
        })
        .collect()
    }
}

/// Rows of a request, as a model reads them.
struct Subset {
    /// The rows of the request, in order.
    rows: Vec<usize>,
    batch: Batch,
}

impl Subset {
    /// The accepted rows that are `wanted`.
    fn of(encoded: &Encoded, wanted: impl Fn(usize) -> bool) -> Self {
        let accepted = encoded.accepted();
        let places: Vec<usize> = accepted
            .iter()
            .enumerate()
            .filter(|(_, row)| wanted(**row))
            .map(|(place, _)| place)
            .collect();
        if places.len() == accepted.len() {
            return Self {
                rows: accepted.to_vec(),
                batch: encoded.batch().clone(),
            };
        }
        Self {
            rows: places
                .iter()
                .filter_map(|&place| accepted.get(place).copied())
                .collect(),
            batch: encoded.batch().take(&places),
        }
    }
}

fn place(
    slots: &mut Slots,
    rows: &[usize],
    answers: &Result<Scored, Refusal>,
    model: &ServedModel,
    by: impl Fn(usize) -> AnsweredBy,
) {
    for (index, &row) in rows.iter().enumerate() {
        if let Some(slot) = slots.get_mut(row) {
            *slot = Some(match answers {
                Ok(scored) => answer(scored, index, model, by(row)),
                Err(refusal) => Err(refusal.clone()),
            });
        }
    }
}

fn answer(
    scored: &Scored,
    row: usize,
    model: &ServedModel,
    answered_by: AnsweredBy,
) -> Result<Prediction, Refusal> {
    let (scores, row) = scored
        .shared_row(row)
        .ok_or_else(|| Refusal::Model("its output for the row breaks its contract".to_owned()))?;
    Ok(Prediction {
        answer: Answer::Scored { scores, row },
        version: model.digest(),
        answered_by,
    })
}
