use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::training::sweep::parzen::{Dice, Parzen};
use crate::training::sweep::settings::{Direction, SweepSettings};
use crate::training::sweep::space::{ParameterRange, ParameterValue, SearchSpace};
use crate::training::sweep::state::{TrialOutcome, TrialRecord};

/// How the parameters of the next trial are chosen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Sampling {
    /// Uniformly at random, whatever came before.
    Random,
    /// By tree-structured Parzen estimators (Bergstra et al., Algorithms for Hyper-Parameter Optimization, 2011): each parameter by
    /// itself, where the best tenth of the trials (at most 25) is dense and the others are not, the best of 24 draws. Pruned
    /// trials count as bad, failed ones not at all.
    Tpe {
        /// How many trials are random before the first that is not.
        startup_trials: usize,
    },
}

impl Default for Sampling {
    fn default() -> Self {
        Self::Tpe { startup_trials: 10 }
    }
}

/// The parameters of a trial: a function of the arguments and nothing else, so that a resumed sweep goes on like one that was
/// never interrupted. Each parameter has dice of its own, so that adding one does not change the draws of the others.
pub(super) fn propose(
    space: &SearchSpace,
    settings: &SweepSettings,
    index: u64,
    earlier: &[TrialRecord],
) -> BTreeMap<String, ParameterValue> {
    let ranked = ranked(settings.direction(), earlier);
    let mut parameters: BTreeMap<String, ParameterValue> = BTreeMap::new();
    for (name, range) in space.ranges() {
        let mut dice = Dice::new(settings.seed(), index, name);
        let value = match settings.sampling() {
            Sampling::Tpe { startup_trials } if ranked.len() >= startup_trials.max(1) => {
                let (good, bad) = ranked.split_at(good_ones(ranked.len()));
                match range {
                    ParameterRange::Category { choices } => {
                        choose(name, choices, good, bad, &mut dice)
                    }
                    _ => range.at(place(name, range, good, bad, &mut dice)),
                }
            }
            _ => range.at(dice.unit()),
        };
        parameters.insert(name.clone(), value);
    }
    parameters
}

/// The trials that count, best first, the earlier first of equals.
fn ranked(direction: Direction, earlier: &[TrialRecord]) -> Vec<&TrialRecord> {
    let mut ranked: Vec<&TrialRecord> = earlier
        .iter()
        .filter(|trial| !matches!(trial.outcome(), TrialOutcome::Failed { .. }))
        .collect();
    ranked.sort_by(|one, other| {
        cost(direction, one)
            .total_cmp(&cost(direction, other))
            .then(one.index().cmp(&other.index()))
    });
    ranked
}

fn cost(direction: Direction, trial: &TrialRecord) -> f64 {
    match trial.outcome() {
        TrialOutcome::Completed { value } => direction.cost(*value),
        _ => f64::INFINITY,
    }
}

/// How many of some trials are good: a tenth, at most 25.
fn good_ones(trials: usize) -> usize {
    trials.div_ceil(10).min(MAX_GOOD)
}

/// Where a number is most promising.
fn place(
    name: &str,
    range: &ParameterRange,
    good: &[&TrialRecord],
    bad: &[&TrialRecord],
    dice: &mut Dice,
) -> f64 {
    let places = |trials: &[&TrialRecord]| -> Vec<f64> {
        let values = trials
            .iter()
            .filter_map(|trial| trial.parameters().get(name));
        values.filter_map(|value| range.place(value)).collect()
    };
    let (good, bad) = (Parzen::new(places(good)), Parzen::new(places(bad)));
    let mut best = (f64::NEG_INFINITY, 0.5);
    for _ in 0..DRAWS {
        let place = good.sample(dice);
        let promise = good.density(place) / bad.density(place);
        if promise > best.0 {
            best = (promise, place);
        }
    }
    best.1
}

/// The word that is most promising of some drawn as often as good trials have it. Every word counts once more than it was seen.
fn choose(
    name: &str,
    choices: &[String],
    good: &[&TrialRecord],
    bad: &[&TrialRecord],
    dice: &mut Dice,
) -> ParameterValue {
    let weights = |trials: &[&TrialRecord]| -> Vec<f64> {
        let seen = |choice: &String| {
            let is_chosen = |trial: &&&TrialRecord| matches!(trial.parameters().get(name), Some(ParameterValue::Category(chosen)) if chosen == choice);
            trials.iter().filter(is_chosen).count() as f64 + 1.0
        };
        let total = trials.len() as f64 + choices.len() as f64;
        choices.iter().map(|choice| seen(choice) / total).collect()
    };
    let (good, bad) = (weights(good), weights(bad));
    let mut best: (f64, Option<&String>) = (f64::NEG_INFINITY, choices.last());
    for _ in 0..DRAWS {
        let mut left = dice.unit();
        let drawn = choices
            .iter()
            .zip(good.iter().zip(&bad))
            .find(|(_, (good, _))| {
                left -= **good;
                left < 0.0
            });
        if let Some((choice, (good, bad))) = drawn
            && good / bad > best.0
        {
            best = (good / bad, Some(choice));
        }
    }
    ParameterValue::Category(best.1.cloned().unwrap_or_default())
}

const MAX_GOOD: usize = 25;
const DRAWS: u32 = 24;
