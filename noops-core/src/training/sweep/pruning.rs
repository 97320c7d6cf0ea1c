use serde::{Deserialize, Serialize};

use crate::error::{Error, ErrorKind};
use crate::training::sweep::settings::Direction;
use crate::training::sweep::state::{TrialOutcome, TrialRecord};

/// When a trial is given up before its end, from what it reports on the way.
///
/// The value of a trial at a step is that of its first report at or after the step. A trial is compared with the earlier trials
/// that its proposal was made from; failed ones do not count.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Pruning {
    /// Never.
    None,
    /// When it is worse than the median of the completed trials at the same step.
    Median {
        /// Reports before this step are not judged.
        warmup_steps: u64,
        /// Nothing is judged before this many trials have completed.
        min_trials: usize,
    },
    /// When it is not among the best `1 / reduction` of the trials at a rung: asynchronous successive halving (Li et al., A System for
    /// Massively Parallel Hyperparameter Tuning, 2020). Rungs are at `min_step * reduction^k`.
    SuccessiveHalving {
        /// The first rung.
        min_step: u64,
        /// How many trials reach a rung for each that goes on.
        reduction: u64,
    },
    /// Successive halving in brackets that begin at different rungs (Li et al., Hyperband, 2018), so that a slow starter has a
    /// chance in some. Trial `i` is in bracket `i` modulo their number, which is 1 + the largest `k` with
    /// `min_step * reduction^k <= max_step`, and is compared within its bracket.
    Hyperband {
        /// The first rung of the first bracket.
        min_step: u64,
        /// From here on nothing is given up.
        max_step: u64,
        /// How many trials reach a rung for each that goes on.
        reduction: u64,
    },
}

impl Pruning {
    pub(super) fn check(self) -> Result<(), Error> {
        let is_possible = match self {
            Self::None | Self::Median { .. } => true,
            Self::SuccessiveHalving {
                min_step,
                reduction,
            } => min_step >= 1 && reduction >= 2,
            Self::Hyperband {
                min_step,
                max_step,
                reduction,
            } => min_step >= 1 && reduction >= 2 && max_step >= min_step,
        };
        if is_possible {
            return Ok(());
        }
        let message = "pruning needs a first step of 1 or more, a reduction of 2 or more, and a last step not before the first";
        Err(Error::new(ErrorKind::Invalid, "plan a sweep", message))
    }

    /// Whether a trial is given up after its last report.
    pub(super) fn gives_up(
        self,
        index: u64,
        reports: &[(u64, f64)],
        earlier: &[TrialRecord],
        direction: Direction,
    ) -> bool {
        let Some((&(step, value), before)) = reports.split_last() else {
            return false;
        };
        let previous_step = before.last().map(|(step, _)| *step);
        let cost = direction.cost(value);
        match self {
            Self::None => false,
            Self::Median {
                warmup_steps,
                min_trials,
            } => {
                let is_complete = |trial: &&TrialRecord| {
                    matches!(trial.outcome(), TrialOutcome::Completed { .. })
                };
                let costs = costs_at(step, earlier.iter().filter(is_complete), direction);
                step >= warmup_steps
                    && costs.len() >= min_trials.max(1)
                    && median(costs).is_some_and(|median| cost > median)
            }
            Self::SuccessiveHalving {
                min_step,
                reduction,
            } => new_rung(min_step, reduction, previous_step, step).is_some_and(|rung| {
                let costs = costs_at(rung, earlier.iter(), direction);
                is_cut(cost, &costs, reduction)
            }),
            Self::Hyperband {
                min_step,
                max_step,
                reduction,
            } => {
                if step >= max_step {
                    return false;
                }
                let brackets = rungs_up_to(min_step, max_step, reduction);
                let bracket = |index: u64| index.checked_rem(brackets).unwrap_or(0);
                let mine = bracket(index);
                let first = (0..mine).fold(min_step, |rung, _| rung.saturating_mul(reduction));
                new_rung(first, reduction, previous_step, step).is_some_and(|rung| {
                    let peers = earlier
                        .iter()
                        .filter(|trial| bracket(trial.index()) == mine);
                    is_cut(cost, &costs_at(rung, peers, direction), reduction)
                })
            }
        }
    }
}

/// The costs of the trials that reached a step, at that step.
fn costs_at<'a>(
    step: u64,
    trials: impl Iterator<Item = &'a TrialRecord>,
    direction: Direction,
) -> Vec<f64> {
    trials
        .filter(|trial| !matches!(trial.outcome(), TrialOutcome::Failed { .. }))
        .filter_map(|trial| {
            let report = trial.reports().iter().find(|(at, _)| *at >= step)?;
            Some(direction.cost(report.1))
        })
        .collect()
}

/// The highest rung that this report reached and the one before it had not.
fn new_rung(first: u64, reduction: u64, previous: Option<u64>, step: u64) -> Option<u64> {
    let mut rung = first.max(1);
    if step < rung {
        return None;
    }
    while let Some(next) = rung
        .checked_mul(reduction.max(2))
        .filter(|next| *next <= step)
    {
        rung = next;
    }
    previous
        .is_none_or(|previous| previous < rung)
        .then_some(rung)
}

/// How many rungs there are from the first to the last step.
fn rungs_up_to(min_step: u64, max_step: u64, reduction: u64) -> u64 {
    let mut rung = min_step.max(1);
    let mut count: u64 = 1;
    while let Some(next) = rung
        .checked_mul(reduction.max(2))
        .filter(|next| *next <= max_step)
    {
        rung = next;
        count += 1;
    }
    count
}

/// Whether a cost is not among the best `1 / reduction` of all that reached the rung, itself included.
fn is_cut(cost: f64, others: &[f64], reduction: u64) -> bool {
    let count = others.len() as u64 + 1;
    if count < reduction {
        return false;
    }
    let kept = (count / reduction.max(1)).max(1);
    let better = others.iter().filter(|other| **other < cost).count() as u64;
    better >= kept
}

fn median(mut values: Vec<f64>) -> Option<f64> {
    values.sort_by(f64::total_cmp);
    let upper = *values.get(values.len() / 2)?;
    if values.len() % 2 == 1 {
        return Some(upper);
    }
    let lower = *values.get((values.len() / 2).checked_sub(1)?)?;
    Some(lower / 2.0 + upper / 2.0)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    const HALVING: Pruning = Pruning::SuccessiveHalving {
        min_step: 1,
        reduction: 3,
    };

    fn trial(index: u64, reports: &[(u64, f64)]) -> TrialRecord {
        let outcome = TrialOutcome::Completed { value: 0.0 };
        TrialRecord::new(index, BTreeMap::new(), reports.to_vec(), outcome)
    }

    #[test]
    fn successive_halving_keeps_a_third_at_each_rung() {
        let earlier: Vec<TrialRecord> = (0..5)
            .map(|index| trial(index, &[(1, index as f64), (3, index as f64)]))
            .collect();
        let gives_up = |value| HALVING.gives_up(9, &[(1, value)], &earlier, Direction::Minimise);
        // Six trials at the rung: the best two go on.
        assert!(!gives_up(-1.0));
        assert!(!gives_up(0.5));
        assert!(gives_up(1.5));
        let maximise = HALVING.gives_up(9, &[(1, 3.5)], &earlier, Direction::Maximise);
        assert!(!maximise);
    }

    #[test]
    fn a_rung_is_judged_once_and_only_with_enough_trials() {
        let earlier: Vec<TrialRecord> = (0..5)
            .map(|index| trial(index, &[(1, 0.0), (3, 0.0)]))
            .collect();
        let minimise = Direction::Minimise;
        assert!(HALVING.gives_up(9, &[(1, 9.0)], &earlier, minimise));
        assert!(!HALVING.gives_up(9, &[(1, 9.0), (2, 9.0)], &earlier, minimise));
        assert!(HALVING.gives_up(9, &[(1, 9.0), (4, 9.0)], &earlier, minimise));
        assert!(!HALVING.gives_up(9, &[(1, 9.0)], &earlier[..1], minimise));
        assert!(!HALVING.gives_up(9, &[], &earlier, minimise));
    }

    #[test]
    fn hyperband_judges_within_the_bracket_and_never_at_the_end() {
        let hyperband = Pruning::Hyperband {
            min_step: 1,
            max_step: 9,
            reduction: 3,
        };
        // Three brackets; those of bracket 0 are bad, those of bracket 1 good.
        let earlier: Vec<TrialRecord> = (0..9)
            .map(|index| {
                let value = if index % 3 == 0 { 10.0 } else { 0.0 };
                trial(index, &[(1, value), (3, value), (9, value)])
            })
            .collect();
        let minimise = Direction::Minimise;
        assert!(!hyperband.gives_up(9, &[(1, 5.0)], &earlier, minimise));
        // Bracket 1 begins at step 3.
        assert!(!hyperband.gives_up(10, &[(1, 5.0)], &earlier, minimise));
        assert!(hyperband.gives_up(10, &[(1, 5.0), (3, 5.0)], &earlier, minimise));
        assert!(!hyperband.gives_up(10, &[(1, 5.0), (9, 50.0)], &earlier, minimise));
    }

    #[test]
    fn the_median_is_that_of_the_same_step() {
        let pruning = Pruning::Median {
            warmup_steps: 2,
            min_trials: 2,
        };
        let earlier = [
            trial(0, &[(1, 0.0), (2, 4.0)]),
            trial(1, &[(1, 0.0), (2, 6.0)]),
        ];
        let minimise = Direction::Minimise;
        assert!(!pruning.gives_up(2, &[(1, 9.0)], &earlier, minimise));
        assert!(!pruning.gives_up(2, &[(2, 5.0)], &earlier, minimise));
        assert!(pruning.gives_up(2, &[(2, 5.1)], &earlier, minimise));
        assert!(!pruning.gives_up(2, &[(2, 5.1)], &earlier[..1], minimise));
    }

    #[test]
    fn impossible_settings_are_refused_and_absurd_ones_end() {
        let halving = |min_step, reduction| Pruning::SuccessiveHalving {
            min_step,
            reduction,
        };
        assert!(halving(0, 3).check().is_err());
        assert!(halving(1, 1).check().is_err());
        assert!(halving(u64::MAX, u64::MAX).check().is_ok());
        let giant = halving(1, 2).gives_up(0, &[(u64::MAX, 1.0)], &[], Direction::Minimise);
        assert!(!giant);
        let backwards = Pruning::Hyperband {
            min_step: 9,
            max_step: 3,
            reduction: 3,
        };
        assert!(backwards.check().is_err());
    }
}
