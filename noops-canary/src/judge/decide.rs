use noops_core::Alpha;

use super::Judge;
use super::alarms;
use super::budget::BudgetKind;
use super::metric_spec::{MetricSpec, Role};
use super::needs;
use super::state::MetricState;
use super::verdict::{Cause, Shortfall, Verdict};
use crate::assignment::Arm;
use crate::rollout::OnInconclusive;

/// Harm first, then soundness, then proof.
pub(super) fn verdict(judge: &Judge) -> Verdict {
    if let Some(because) = alarms::harm(judge).or_else(|| used_up_budget(judge).map(Cause::Budget))
    {
        return Verdict::RollBack { because };
    }
    if is_mismatched(judge) {
        return Verdict::Inconclusive {
            because: Cause::SampleRatioMismatch,
            // Waiting does not mend an assignment; a person has to look.
            then: match judge.spec().on_inconclusive() {
                OnInconclusive::RollBack => OnInconclusive::RollBack,
                _ => OnInconclusive::Hold,
            },
        };
    }
    let lacking = to_be_proven(judge).find_map(|(metric, state)| shortfall(judge, metric, state));
    let not_worse = to_be_proven(judge).all(|(metric, state)| is_proven(judge, metric, state));
    let better = goals(judge).next().is_none()
        || goals(judge).any(|(metric, state)| is_better(judge, metric, state));
    if lacking.is_none() && not_worse && better {
        return Verdict::Promote;
    }
    if is_out_of_requests(judge) {
        return Verdict::Inconclusive {
            because: Cause::RequestsUsedUp,
            then: judge.spec().on_inconclusive(),
        };
    }
    if let Some(because) = lacking {
        return Verdict::Insufficient { because };
    }
    let unproven = to_be_proven(judge).filter(|(metric, state)| !is_proven(judge, metric, state));
    let goals = (!better).then(|| goals(judge));
    Verdict::Continue {
        needs: needs::needs(judge, unproven, goals.into_iter().flatten()),
    }
}

/// Whether the arms did not get their shares, beyond what chance allows.
pub(super) fn is_mismatched(judge: &Judge) -> bool {
    judge
        .traffic
        .log_e_different()
        .rejects(judge.spec().alpha_mismatch())
}

/// Whether a metric is proven not to be worse than its margin.
pub(super) fn is_proven(judge: &Judge, metric: &MetricSpec, state: &MetricState) -> bool {
    let evidence = state
        .measure
        .not_worse(metric.direction(), metric.margin(), 1.0);
    evidence.rejects(judge.spec().alpha_promote()) && is_observed_below_margin(state)
}

/// Whether a goal is proven to be better.
pub(super) fn is_better(judge: &Judge, metric: &MetricSpec, state: &MetricState) -> bool {
    state
        .measure
        .better(metric.direction())
        .rejects(goal_alpha(judge))
}

/// The error rate of one goal: any of them is enough.
pub(super) fn goal_alpha(judge: &Judge) -> Alpha {
    let count = std::num::NonZeroUsize::new(goals(judge).count());
    let alpha = judge.spec().alpha_promote();
    count.map_or(alpha, |count| alpha.split(count))
}

/// What is lacking before anything can be said for the candidate on this metric.
pub(super) fn shortfall(
    judge: &Judge,
    metric: &MetricSpec,
    state: &MetricState,
) -> Option<Shortfall> {
    let name = || metric.name().to_owned();
    let measure = &state.measure;
    let (champion, candidate) = (
        measure.outcomes(Arm::Champion),
        measure.outcomes(Arm::Challenger),
    );
    let needed = judge.spec().min_outcomes_of(metric);
    if champion.min(candidate) < needed {
        return Some(Shortfall::TooFew {
            metric: name(),
            champion,
            candidate,
            needed,
        });
    }
    if state.is_constant() && !metric.may_be_constant() {
        return Some(Shortfall::Constant { metric: name() });
    }
    let share = missing_share(judge, state);
    (share > judge.spec().max_missing().get()).then(|| Shortfall::Missing {
        metric: name(),
        share,
    })
}

/// The larger of the arms' shares of missing values.
pub(super) fn missing_share(judge: &Judge, state: &MetricState) -> f64 {
    [Arm::Champion, Arm::Challenger]
        .map(|arm| state.missing(arm) as f64 / judge.requests(arm).max(1) as f64)
        .into_iter()
        .fold(0.0, f64::max)
}

/// The bets on paired losses see clamped block means; this sees what was clamped away.
fn is_observed_below_margin(state: &MetricState) -> bool {
    state.measure.paired().is_none_or(|loss| {
        loss.mean_difference()
            .is_some_and(|difference| difference < loss.settings().margin())
    })
}

fn used_up_budget(judge: &Judge) -> Option<BudgetKind> {
    let budgets = judge.spec().budgets();
    if budgets
        .requests()
        .is_some_and(|most| judge.counts.challenger > most)
    {
        return Some(BudgetKind::Requests);
    }
    let metrics = judge.spec().metrics().iter().zip(&judge.metrics);
    metrics.into_iter().find_map(|(metric, state)| {
        let name = metric.name();
        if budgets
            .bad_events(name)
            .is_some_and(|most| state.spent_events() > most)
        {
            return Some(BudgetKind::BadEvents(name.to_owned()));
        }
        let spent = budgets
            .cost(name)
            .is_some_and(|most| state.spent_sum() > most);
        spent.then(|| BudgetKind::Cost(name.to_owned()))
    })
}

fn is_out_of_requests(judge: &Judge) -> bool {
    let requests = judge
        .counts
        .champion
        .saturating_add(judge.counts.challenger);
    judge
        .spec()
        .max_requests()
        .is_some_and(|most| requests.max(judge.pairs()) >= most)
}

fn to_be_proven(judge: &Judge) -> impl Iterator<Item = (&MetricSpec, &MetricState)> {
    let metrics = judge.spec().metrics().iter().zip(&judge.metrics);
    metrics.filter(|(metric, _)| metric.must_be_proven())
}

fn goals(judge: &Judge) -> impl Iterator<Item = (&MetricSpec, &MetricState)> {
    to_be_proven(judge).filter(|(metric, _)| metric.role() == Role::Goal)
}
