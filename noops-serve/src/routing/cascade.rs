//! A cheap model first, a larger one where it is unsure.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use noops_core::{Clock, Error};

use super::budget::Ledger;
use super::counts::Tally;
use super::{
    Escalation, EscalationBudget, Routed, RoutedRow, Router, RoutingCounts, Target, Unescalated,
};
use crate::runtime::{Refusal, Request};

/// Stages in order, of which the first answers every row and each later one those that the stage before was too unsure of.
///
/// Every row is judged by itself. The unsure rows of one request go to the next stage together, as a smaller batch; where the budget
/// does not pay for all of them, the least sure go, and of equally sure ones the first. A row on which a stage failed goes on too, as
/// the least sure of all; one that was refused for want of room, time or a whole row does not, so that overload does not spread.
///
/// An answer stands where the next stage has nothing better: when it refuses, fails, or answers with its fallback. Only a veto of the
/// next stage's guard stands against it, and a vetoed row goes no further.
///
/// # Deadlines
///
/// The next stage has what is left of the request's time, and refuses at once what its cost and its queue do not let it answer by
/// then, see [`ServedModel::score`](crate::ServedModel::score). Should that forecast prove wrong, the earlier answer stands but comes
/// late.
///
/// # Budget
///
/// Each row that is given on takes one token, at every stage. Tokens are put back for rows that the stage refused without running
/// them. They are spent when the stage failed, and when the call is dropped while the stage is asked: it may have run the rows.
///
/// # Rows without names
///
/// [`Rows`](noops_core::Rows) are read as the first stage reads them. A later stage whose features are others, or in another order,
/// counts as failed. Rows in Arrow are read by name, so that every stage may have features of its own.
///
/// # Examples
///
/// ```
/// # use std::collections::BTreeMap;
/// use std::num::NonZeroU32;
/// use std::sync::Arc;
/// # use noops_core::{Batch, Contract, Digest, Error, Executor, Feature, FeatureRule, ModelVersion, OutputRule, Registration, Scores, Timestamp};
/// use noops_core::{Rows, Share, SystemClock};
/// use noops_serve::routing::{Cascade, Confidence, Escalation, EscalationBudget, Router, Target};
/// use noops_serve::{Deployment, DeploymentSettings, Request, ServedModel};
/// #
/// # #[derive(Clone, Debug)]
/// # struct Steep(f32);
/// #
/// # impl Executor for Steep {
/// #     fn run(&mut self, batch: &Batch) -> Result<Scores, Error> {
/// #         let sigmoid = |x: &f32| 1.0 / (1.0 + (-self.0 * x).exp());
/// #         Scores::new(1, batch.numbers().iter().map(sigmoid).collect())
/// #     }
/// #     fn replica(&self) -> Option<Box<dyn Executor>> {
/// #         Some(Box::new(self.clone()))
/// #     }
/// # }
/// #
/// # fn deployment(steep: f32) -> Result<Arc<Deployment>, Box<dyn std::error::Error>> {
/// #     let rules = [FeatureRule::strict(Feature::number("x"))];
/// #     let contract = Contract::new(rules, OutputRule::probability())?;
/// #     let digest = Digest::of(&steep.to_le_bytes());
/// #     let registration = Registration::new("m".parse()?, digest, contract, Timestamp::UNIX_EPOCH);
/// #     let served = ServedModel::new(ModelVersion::new(1, registration), Box::new(Steep(steep)))?;
/// #     Ok(Arc::new(Deployment::new(served, Arc::new(SystemClock), &DeploymentSettings::default())))
/// # }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let (small, large) = (deployment(1.0)?, deployment(9.0)?);
/// let budget = EscalationBudget::default().with_share(Share::from_ratio(0.5)?, NonZeroU32::MIN);
/// let cascade = Cascade::new(Target::new("small".parse()?, small), Arc::new(SystemClock))
///     .then(Escalation::below(0.8, Confidence::Binary)?, Target::new("large".parse()?, large))
///     .with_budget(budget);
///
/// let rows = Rows::new(2, vec![4.0, 0.5], Vec::new())?;
/// let routed = cascade.route(&Request::of_rows(vec!["a".into(), "b".into()], rows)?).await?;
/// let names: Vec<_> = routed.rows().iter().filter_map(|row| row.target()).collect();
/// assert_eq!(names, [&"small".parse()?, &"large".parse()?]);
/// assert_eq!(routed.escalated(), 1);
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct Cascade {
    first: Target,
    steps: Vec<Step>,
    clock: Arc<dyn Clock>,
    ledger: Ledger,
    tally: Tally,
}

/// A later stage, and when it is asked.
#[derive(Debug)]
struct Step {
    when: Escalation,
    to: Target,
}

/// A row to be given on.
#[derive(Clone, Copy, Debug)]
struct Unsure {
    row: usize,
    confidence: f32,
}

impl Cascade {
    /// A cascade of one stage, whose budget has no limit.
    #[must_use]
    pub fn new(first: Target, clock: Arc<dyn Clock>) -> Self {
        Self {
            first,
            steps: Vec::new(),
            ledger: Ledger::new(EscalationBudget::default(), clock.monotonic()),
            clock,
            tally: Tally::default(),
        }
    }

    /// Adds a stage for the rows that the last one is too unsure of.
    #[must_use]
    pub fn then(mut self, when: Escalation, to: Target) -> Self {
        self.steps.push(Step { when, to });
        self
    }

    /// Limits how many rows are given on, in all stages together. It begins now.
    #[must_use]
    pub fn with_budget(mut self, budget: EscalationBudget) -> Self {
        self.ledger = Ledger::new(budget, self.clock.monotonic());
        self
    }

    /// What became of the rows so far.
    #[must_use]
    pub fn counts(&self) -> RoutingCounts {
        self.tally.present()
    }

    fn spent(&self, since: Duration) -> Duration {
        self.clock.monotonic().saturating_sub(since)
    }

    /// Gives the `unsure` rows on as far as the budget lets it. Says which of them the stage answered.
    async fn escalate(
        &self,
        asked: &Asked<'_>,
        step: &Step,
        mut unsure: Vec<Unsure>,
        came: usize,
        routed: &mut Routed,
    ) -> Vec<usize> {
        let late = asked
            .request
            .call()
            .left(self.spent(asked.since))
            .is_some_and(|left| left.is_zero());
        let wanted = if late { 0 } else { unsure.len() };
        let granted = self.ledger.take(came, wanted, self.clock.monotonic());
        unsure.sort_by(|a, b| a.confidence.total_cmp(&b.confidence));
        let kept = unsure.split_off(granted.min(unsure.len()));
        let because = match late {
            true => Unescalated::Deadline,
            false => Unescalated::Budget,
        };
        for unsure in kept {
            keep(routed, unsure.row, because);
        }
        let mut rows: Vec<usize> = unsure.iter().map(|unsure| unsure.row).collect();
        if rows.is_empty() {
            return rows;
        }
        rows.sort_unstable();
        let spent = self.spent(asked.since);
        let part = asked.request.part(&rows, spent, &asked.order);
        let answers = match part {
            Ok(part) => step.to.route(&part).await,
            Err(error) => Err(error),
        };
        let Ok(answers) = answers else {
            for &row in &rows {
                keep(routed, row, Unescalated::Failed);
            }
            return Vec::new();
        };
        let mut not_run = 0;
        let mut answered = Vec::new();
        for (&row, answer) in rows.iter().zip(answers.rows) {
            not_run += usize::from(was_not_run(&answer));
            let Some(earlier) = routed.rows.get_mut(row) else {
                continue;
            };
            match reason_against(earlier, &answer) {
                Some(because) => keep(routed, row, because),
                None => {
                    let escalations = earlier.escalations + 1 + answer.escalations;
                    *earlier = RoutedRow {
                        escalations,
                        ..answer
                    };
                    answered.push(row);
                }
            }
        }
        self.ledger.put_back(not_run);
        answered
    }
}

/// A request, and when it came.
#[derive(Debug)]
struct Asked<'a> {
    request: &'a Request,
    since: Duration,
    order: Arc<[String]>,
}

#[async_trait]
impl Router for Cascade {
    async fn route(&self, request: &Request) -> Result<Routed, Error> {
        let asked = Asked {
            request,
            since: self.clock.monotonic(),
            order: self.features(),
        };
        let mut routed = self.first.route(request).await?;
        let mut came = routed.rows.len();
        let mut at_stage: Vec<usize> = (0..came).collect();
        for step in &self.steps {
            let judged = at_stage.iter().filter_map(|&row| {
                let confidence = unsure(&step.when, routed.rows.get(row)?)?;
                Some(Unsure { row, confidence })
            });
            let judged = judged.collect();
            at_stage = self.escalate(&asked, step, judged, came, &mut routed).await;
            // The budget counts a row once, however many stages it sees.
            came = 0;
        }
        self.tally.count(&routed);
        Ok(routed)
    }

    fn features(&self) -> Arc<[String]> {
        self.first.features()
    }
}

/// The confidence of a row that is to be given on.
fn unsure(when: &Escalation, row: &RoutedRow) -> Option<f32> {
    if row.veto.is_some() {
        return None;
    }
    match &row.answer {
        Ok(prediction) => when.unsure(prediction.scores()),
        Err(Refusal::Model(_)) => Some(f32::NEG_INFINITY),
        Err(_) => None,
    }
}

/// Why an answer does not take the place of the earlier one, if it does not.
fn reason_against(earlier: &RoutedRow, answer: &RoutedRow) -> Option<Unescalated> {
    if answer.veto.is_some() {
        return None;
    }
    match &answer.answer {
        Ok(_) if answer.is_fallback() && earlier.answer.is_ok() => Some(Unescalated::Failed),
        Ok(_) => None,
        Err(Refusal::Overloaded) => Some(Unescalated::Overloaded),
        Err(Refusal::TooLate) => Some(Unescalated::Deadline),
        Err(_) => Some(Unescalated::Failed),
    }
}

fn was_not_run(answer: &RoutedRow) -> bool {
    matches!(
        answer.answer,
        Err(Refusal::Overloaded | Refusal::TooLate | Refusal::Contract(_))
    ) && answer.veto.is_none()
}

fn keep(routed: &mut Routed, row: usize, because: Unescalated) {
    if let Some(row) = routed.rows.get_mut(row) {
        row.unescalated = Some(because);
    }
}

#[cfg(not(any(loom, shuttle)))]
#[cfg(test)]
mod tests;
