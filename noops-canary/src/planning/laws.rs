//! The walks that the engines' evidence makes: which terms, and which steps.

use super::walk::{Steps, Term, Walk};
use crate::sequential::{MEAN_GRID, MeanLimit, RATE_GRID};

/// Events at share `theta` whose rates have the ratio `truth`, against the limit `ratio`.
///
/// `side` is +1 for evidence that the ratio is above the limit, −1 that it is below. A step is an event.
pub(super) fn of_rates(ratio: f64, side: f64, theta: f64, truth: f64, needed: f64) -> Option<Walk> {
    let terms = RATE_GRID.iter().map(|&(log_ratio, log_weight)| {
        let factor = ratio * libm::exp(side * log_ratio);
        let null = theta * ratio + 1.0 - theta;
        Term {
            log_weight,
            slope: log_ratio,
            drift: libm::log(null / (theta * factor + 1.0 - theta)),
        }
    });
    Walk::new(terms.collect(), needed, event_steps(side, theta, truth))
}

/// On which side an event falls.
pub(super) fn event_steps(side: f64, theta: f64, truth: f64) -> Steps {
    let probability = theta * truth / (theta * truth + 1.0 - theta);
    if side > 0.0 {
        Steps::Up(probability)
    } else {
        Steps::Down(probability)
    }
}

/// The means and the spreads of both arms in units of the range.
#[derive(Clone, Copy, Debug)]
pub(super) struct Levels {
    pub(super) champion: f64,
    pub(super) candidate: f64,
    pub(super) champion_spread: f64,
    pub(super) candidate_spread: f64,
}

/// A bound on the candidate's mean in units of the range: `ratio * champion + difference`.
#[derive(Clone, Copy, Debug)]
pub(super) struct Limit {
    pub(super) ratio: f64,
    pub(super) difference: f64,
}

impl Limit {
    /// For values that were rescaled from `lower..=lower + width` to 0..=1.
    pub(super) fn rescaled(limit: MeanLimit, lower: f64, width: f64) -> Self {
        let ratio = limit.ratio();
        Self {
            ratio,
            difference: (limit.difference() - lower * (1.0 - ratio)) / width,
        }
    }
}

/// Outcomes in 0..=1 at share `theta`, against a limit in the same units. A step is a request.
pub(super) fn of_means(
    limit: Limit,
    side: f64,
    theta: f64,
    levels: &Levels,
    needed: f64,
) -> Option<Walk> {
    let moments = Moments::new(limit, theta, levels);
    let terms = MEAN_GRID.iter().map(|&(bet, penalty, log_weight)| Term {
        log_weight,
        slope: bet,
        drift: -penalty * moments.squares,
    });
    Walk::new(
        terms.collect(),
        needed,
        Steps::Number(side * moments.mean, moments.spread),
    )
}

/// What one request adds to the sum of scores, and to the sum of their squares.
struct Moments {
    mean: f64,
    spread: f64,
    squares: f64,
}

impl Moments {
    fn new(limit: Limit, theta: f64, levels: &Levels) -> Self {
        let ratio = limit.ratio;
        let scale = ratio.max(1.0);
        let weight = theta * (1.0 - theta);
        // The running mean of all outcomes, once it has settled.
        let middle = (1.0 - theta) * levels.champion + theta * levels.candidate;
        let candidate = (1.0 - theta) * (levels.candidate - middle);
        let champion = -ratio * theta * (levels.champion - middle);
        let raw = theta * candidate + (1.0 - theta) * champion;
        let candidate_square =
            (1.0 - theta) * (1.0 - theta) * levels.candidate_spread * levels.candidate_spread;
        let champion_square =
            ratio * ratio * theta * theta * levels.champion_spread * levels.champion_spread;
        let squares = theta * (candidate_square + candidate * candidate)
            + (1.0 - theta) * (champion_square + champion * champion);
        let constant = (1.0 - ratio) * weight * middle - limit.difference * weight;
        Self {
            mean: (raw + constant) / scale,
            spread: (squares - raw * raw).max(0.0).sqrt() / scale,
            squares: squares / (scale * scale),
        }
    }
}

/// Observations in 0..=1 of this mean and spread, on which is bet that their mean is above `bound`. A step is an observation.
///
/// The logarithm of the factor of a bet is taken to its second order around the mean.
pub(super) fn of_bets(bound: f64, mean: f64, spread: f64, needed: f64) -> Option<Walk> {
    let terms = FRACTIONS.iter().map(|&fraction| {
        let expected = fraction * (mean / bound - 1.0);
        let slope = fraction / bound / (1.0 + expected);
        Term {
            log_weight: -libm::log(FRACTIONS.len() as f64),
            slope,
            // The sum of the walk is that of the observations' distances from their mean.
            drift: libm::log1p(expected) - 0.5 * slope * slope * spread * spread,
        }
    });
    Walk::new(terms.collect(), needed, Steps::Number(0.0, spread))
}

/// The fractions of [`MeanBet`](noops_core::MeanBet).
const FRACTIONS: [f64; 8] = [
    0.9,
    0.5,
    0.25,
    0.125,
    0.0625,
    0.031_25,
    0.015_625,
    0.007_812_5,
];

#[cfg(test)]
mod tests {
    use noops_core::{MeanBet, Probability, Share};

    use super::*;
    use crate::assignment::Arm;
    use crate::sequential::{MeanDifference, RateComparison};

    #[test]
    fn the_walk_of_events_is_the_evidence_of_the_engine() {
        let share = Share::from_ratio(0.2).unwrap();
        let mut engine = RateComparison::new();
        engine.observe_many(Arm::Champion, share, 70);
        engine.observe_many(Arm::Challenger, share, 30);
        let above = of_rates(1.25, 1.0, 0.2, 2.0, 3.0)
            .unwrap()
            .log_e(30.0, 100.0);
        let below = of_rates(1.25, -1.0, 0.2, 1.0, 3.0)
            .unwrap()
            .log_e(-30.0, 100.0);
        assert!((above - engine.log_e_above(1.25).unwrap().get()).abs() < 1e-10);
        assert!((below - engine.log_e_below(1.25).unwrap().get()).abs() < 1e-10);
    }

    #[test]
    fn the_walk_of_outcomes_has_the_moments_of_the_engine() {
        let share = Share::from_ratio(0.25).unwrap();
        let mut engine = MeanDifference::new(0.0, 1.0).unwrap();
        // One request in four is the candidate's; both arms alternate between two values.
        for request in 0..40_000_u32 {
            let arm = if request % 4 == 0 {
                Arm::Challenger
            } else {
                Arm::Champion
            };
            let high = request / 4 % 2 == 0;
            let value = match arm {
                Arm::Champion => {
                    if high {
                        0.3
                    } else {
                        0.5
                    }
                }
                Arm::Challenger => {
                    if high {
                        0.4
                    } else {
                        0.6
                    }
                }
            };
            engine.observe(arm, share, value).unwrap();
        }
        let levels = Levels {
            champion: 0.4,
            candidate: 0.5,
            champion_spread: 0.1,
            candidate_spread: 0.1,
        };
        for limit in [
            MeanLimit::EQUAL,
            MeanLimit::relative(1.2).unwrap(),
            MeanLimit::absolute(0.02).unwrap(),
        ] {
            let walk = of_means(Limit::rescaled(limit, 0.0, 1.0), 1.0, 0.25, &levels, 3.0).unwrap();
            let expected = walk.log_e(40_000.0 * walk.mean(), 40_000.0);
            let found = engine.log_e_above(limit).get();
            assert!(
                (expected / found - 1.0).abs() < 0.01,
                "{limit:?}: {expected} {found}"
            );
        }
    }

    #[test]
    fn the_fractions_are_those_of_the_bet() {
        // With a spread that is next to nothing the second order is exact.
        let mut bet = MeanBet::new(Probability::new(0.5).unwrap());
        for _ in 0..50 {
            bet.observe(0.6);
        }
        let walk = of_bets(0.5, 0.6, 1e-9, 3.0).unwrap();
        assert!((walk.log_e(0.0, 50.0) - bet.log_e().get()).abs() < 1e-9);
    }
}
