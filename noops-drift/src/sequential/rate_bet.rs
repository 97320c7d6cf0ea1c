use serde::{Deserialize, Serialize};

use super::change_prior::{FIRST, MOST_WEALTH};
use super::rate_interval::RateInterval;

/// Four bets that a rate has left an interval, two on each side.
///
/// A bet that the rate is q, above the upper bound u, multiplies its wealth by q / u when the thing happens and by
/// (1 − q) / (1 − u) when it does not. With a true rate p the expected factor is 1 + (q − u)(p − u) / (u(1 − u)): at most
/// 1 for every p <= u. Below the lower bound it is the mirror image. Each q has an odds ratio of [`ODDS_RATIOS`] to its
/// bound, so rare and common things are watched alike.
///
/// Aligned, so that none of its rows lies in two cache lines.
#[derive(Clone, Debug, PartialEq)]
#[repr(align(32))]
pub(super) struct RateBet {
    on_hit: [f64; BETS],
    on_miss: [f64; BETS],
    wealth: [f64; BETS],
}

impl RateBet {
    pub(super) fn new(interval: RateInterval) -> Self {
        let mut on_hit = [1.0; BETS];
        let mut on_miss = [1.0; BETS];
        let bounds = ODDS_RATIOS
            .iter()
            .map(|ratio| (interval.high, *ratio))
            .chain(ODDS_RATIOS.iter().map(|ratio| (interval.low, 1.0 / ratio)));
        for ((hit, miss), (bound, ratio)) in on_hit.iter_mut().zip(&mut on_miss).zip(bounds) {
            // No rate lies above 1 or below 0, so there is nothing to bet on.
            if bound > 0.0 && bound < 1.0 {
                let scale = 1.0 - bound + bound * ratio;
                *hit = ratio / scale;
                *miss = 1.0 / scale;
            }
        }
        Self {
            on_hit,
            on_miss,
            wealth: [FIRST; BETS],
        }
    }

    /// The thing happened. Returns the sum of the wealths.
    pub(super) fn hit(&mut self, fresh: f64) -> f64 {
        multiply(&mut self.wealth, &self.on_hit, fresh)
    }

    /// The thing did not happen. Returns the sum of the wealths.
    #[inline(always)]
    pub(super) fn miss(&mut self, fresh: f64) -> f64 {
        multiply(&mut self.wealth, &self.on_miss, fresh)
    }

    /// The sum of the wealths.
    pub(super) fn sum(&self) -> f64 {
        total(self.wealth)
    }

    pub(super) fn wealth(&self) -> RateWealth {
        RateWealth(self.wealth)
    }

    /// Takes up stored wealth.
    pub(super) fn resume(&mut self, wealth: &RateWealth) {
        self.wealth = wealth.0;
    }
}

/// The state of a [`RateBet`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct RateWealth([f64; BETS]);

impl RateWealth {
    pub(super) fn is_valid(&self) -> bool {
        self.0
            .iter()
            .all(|wealth| (0.0..=MOST_WEALTH).contains(wealth))
    }

    pub(super) fn is_fresh(&self) -> bool {
        self.0.iter().all(|wealth| *wealth == FIRST)
    }
}

#[inline(always)]
fn multiply(wealth: &mut [f64; BETS], factors: &[f64; BETS], fresh: f64) -> f64 {
    for (wealth, factor) in wealth.iter_mut().zip(factors) {
        *wealth = (*wealth + fresh) * factor;
    }
    let sum = total(*wealth);
    if sum > MOST_WEALTH {
        cut_off(wealth)
    } else {
        sum
    }
}

#[cold]
fn cut_off(wealth: &mut [f64; BETS]) -> f64 {
    for wealth in wealth.iter_mut() {
        *wealth = wealth.min(MOST_WEALTH);
    }
    total(*wealth)
}

fn total([a, b, c, d]: [f64; BETS]) -> f64 {
    (a + b) + (c + d)
}

/// How many bets there are on a rate.
pub(super) const BETS: usize = 2 * ODDS_RATIOS.len();

const ODDS_RATIOS: [f64; 2] = [1.5, 8.0];

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn no_rate_within_the_bounds_has_a_bet_that_gains(low in 0.0_f64..0.9, width in 0.0_f64..0.5, at in 0.0_f64..=1.0) {
            let high = (low + width).min(1.0);
            let bet = RateBet::new(RateInterval { low, high });
            let rate = low + at * (high - low);
            for (hit, miss) in bet.on_hit.iter().zip(bet.on_miss) {
                prop_assert!(rate * hit + (1.0 - rate) * miss <= 1.0 + 1e-12);
                prop_assert!(*hit > 0.0 && miss > 0.0);
            }
        }

        #[test]
        fn a_rate_outside_the_bounds_has_a_bet_that_gains(low in 0.05_f64..0.5, width in 0.0_f64..0.4) {
            let high = low + width;
            let bet = RateBet::new(RateInterval { low, high });
            for rate in [1.0 - (1.0 - high) * 0.5, low * 0.5] {
                let growth = bet.on_hit.iter().zip(bet.on_miss).map(|(hit, miss)| rate * hit.ln() + (1.0 - rate) * miss.ln());
                prop_assert!(growth.fold(f64::NEG_INFINITY, f64::max) > 0.0);
            }
        }
    }

    #[test]
    fn an_interval_that_allows_everything_never_gains() {
        let mut bet = RateBet::new(RateInterval {
            low: 0.0,
            high: 1.0,
        });
        for _ in 0..1_000 {
            bet.hit(0.0);
        }
        assert_eq!(bet.sum(), FIRST * BETS as f64);
    }
}
