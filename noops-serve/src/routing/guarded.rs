//! Answers that leave only where a guard lets them.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use noops_core::{Clock, Error};

use super::counts::Tally;
use super::features::FeatureReader;
use super::guard::{Check, ask, failed, late};
use super::{
    Guard, GuardCheck, Judged, Routed, RoutedRow, Router, RoutingCounts, Target, Veto, VetoCause,
};
use crate::runtime::{Constant, Refusal, Request};

/// A router whose answers a safety check may veto, with something else in the place of those it does.
///
/// It fails closed: a guard that fails, panics, cannot read the rows or has no verdict by the request's deadline counts as a veto. What
/// stands in for a vetoed answer counts as a fallback, never as a success, and is not judged again. Where nothing stands in, because
/// the substitute refuses or fails too, the row is refused.
///
/// Refusals leave as they are: there is nothing in them to keep back. What a deployment within records of a vetoed row is what its model
/// said.
#[derive(Debug)]
pub struct Guarded {
    router: Target,
    check: GuardCheck,
    instead: Substitute,
    clock: Arc<dyn Clock>,
    tally: Tally,
}

/// What stands in for a vetoed answer.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Substitute {
    /// The same numbers always.
    Constant(Constant),
    /// Another model.
    Model(Target),
}

impl Substitute {
    /// The same numbers always.
    #[must_use]
    pub fn constant(scores: &[f32]) -> Self {
        Self::Constant(Constant::new(scores))
    }
}

/// A row that was vetoed.
#[derive(Debug)]
struct Vetoed {
    row: usize,
    veto: Veto,
}

/// A request, and when it came.
#[derive(Clone, Copy, Debug)]
struct Asked<'a> {
    request: &'a Request,
    since: Duration,
}

impl Guarded {
    /// Puts a router under a guard.
    #[must_use]
    pub fn new(
        router: Target,
        check: GuardCheck,
        instead: Substitute,
        clock: Arc<dyn Clock>,
    ) -> Self {
        Self {
            router,
            check,
            instead,
            clock,
            tally: Tally::default(),
        }
    }

    /// What became of the rows so far.
    #[must_use]
    pub fn counts(&self) -> RoutingCounts {
        self.tally.present()
    }

    fn spent(&self, asked: Asked<'_>) -> Duration {
        self.clock.monotonic().saturating_sub(asked.since)
    }

    fn is_late(&self, asked: Asked<'_>) -> bool {
        let left = asked.request.call().left(self.spent(asked));
        left.is_some_and(|left| left.is_zero())
    }

    fn ask_host(
        &self,
        asked: Asked<'_>,
        guard: &dyn Guard,
        reader: &FeatureReader,
        routed: &Routed,
    ) -> Vec<Vetoed> {
        let batch = reader.read(asked.request);
        let mut vetoed = Vec::new();
        let rows = asked.request.ids().iter().zip(&routed.rows).enumerate();
        for (row, (id, answered)) in rows {
            let Ok(prediction) = answered.answer() else {
                continue;
            };
            let veto = match &batch {
                Err(error) => Some(failed(&error.to_string())),
                // Nobody waits for a verdict that comes too late.
                Ok(_) if self.is_late(asked) => Some(late()),
                Ok(batch) => {
                    let judged = Judged {
                        id,
                        features: reader.row(batch, row),
                        scores: prediction.scores(),
                    };
                    let veto = ask(guard, &judged);
                    veto.or_else(|| self.is_late(asked).then(late))
                }
            };
            vetoed.extend(veto.map(|veto| Vetoed { row, veto }));
        }
        vetoed
    }

    async fn ask_model(
        &self,
        asked: Asked<'_>,
        target: &Target,
        above: f32,
        routed: &Routed,
    ) -> Vec<Vetoed> {
        let rows: Vec<usize> = (0..routed.rows.len())
            .filter(|&row| {
                let row = routed.rows.get(row);
                row.is_some_and(|row| row.answer.is_ok())
            })
            .collect();
        let answers = self.route_part(asked, target, &rows).await;
        let answers: Vec<Option<Veto>> = match answers {
            Err(error) => vec![Some(failed(&error.to_string())); rows.len()],
            Ok(_) if self.is_late(asked) => vec![Some(late()); rows.len()],
            Ok(answers) => {
                let answers = answers.rows.iter();
                answers.map(|row| verdict(row, target, above)).collect()
            }
        };
        let vetoes = rows.into_iter().zip(answers);
        vetoes
            .filter_map(|(row, veto)| Some(Vetoed { row, veto: veto? }))
            .collect()
    }

    async fn stand_in(&self, asked: Asked<'_>, vetoed: Vec<Vetoed>, routed: &mut Routed) {
        let rows: Vec<usize> = vetoed.iter().map(|vetoed| vetoed.row).collect();
        let answers = match &self.instead {
            Substitute::Constant(constant) => {
                vec![RoutedRow::of(Ok(constant.prediction())); rows.len()]
            }
            Substitute::Model(target) => match self.route_part(asked, target, &rows).await {
                Ok(answers) => answers.rows,
                Err(error) => vec![RoutedRow::refused(error); rows.len()],
            },
        };
        for (Vetoed { row, veto }, answer) in vetoed.into_iter().zip(answers) {
            if let Some(slot) = routed.rows.get_mut(row) {
                *slot = answer.standing_in(veto);
            }
        }
    }

    /// Some rows, by another than the router within.
    async fn route_part(
        &self,
        asked: Asked<'_>,
        target: &Target,
        rows: &[usize],
    ) -> Result<Routed, Error> {
        if rows.is_empty() {
            return Ok(Routed { rows: Vec::new() });
        }
        let spent = self.spent(asked);
        let part = asked.request.part(rows, spent, &self.features())?;
        target.route(&part).await
    }
}

#[async_trait]
impl Router for Guarded {
    async fn route(&self, request: &Request) -> Result<Routed, Error> {
        let since = self.clock.monotonic();
        let asked = Asked { request, since };
        let mut routed = self.router.route(request).await?;
        let vetoed = match &self.check.0 {
            Check::Host { guard, reader } => self.ask_host(asked, guard.as_ref(), reader, &routed),
            Check::Model { target, above } => self.ask_model(asked, target, *above, &routed).await,
        };
        if !vetoed.is_empty() {
            self.stand_in(asked, vetoed, &mut routed).await;
        }
        self.tally.count(&routed);
        Ok(routed)
    }

    fn features(&self) -> Arc<[String]> {
        self.router.features()
    }
}

/// What a safety model's answer for a row means.
fn verdict(row: &RoutedRow, model: &Target, above: f32) -> Option<Veto> {
    let prediction = match row.answer() {
        Err(Refusal::TooLate) => return Some(late()),
        Err(refusal) => return Some(failed(&refusal.to_string())),
        Ok(_) if row.is_fallback() => return Some(failed("its fallback answered")),
        Ok(prediction) => prediction,
    };
    let score = prediction.score();
    // NaN is not safe either.
    if score <= above {
        return None;
    }
    Some(Veto {
        cause: VetoCause::Verdict,
        because: format!("`{}` scored {score}, above {above}", model.name()),
    })
}

#[cfg(not(any(loom, shuttle)))]
#[cfg(test)]
mod tests;
