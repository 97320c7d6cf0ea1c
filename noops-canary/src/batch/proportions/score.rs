use noops_core::Alpha;
use noops_stats::special::normal_upper_quantile;

use super::Proportion;
use crate::batch::settings::Alternative;
use crate::interval::Interval;

/// Two proportions, ready to be compared at any difference of their rates.
#[derive(Clone, Copy, Debug)]
pub(super) struct Score {
    champion: Side,
    candidate: Side,
    difference: f64,
}

impl Score {
    pub(super) fn new(champion: Proportion, candidate: Proportion) -> Self {
        // Exact as integers, as trials stay below 2⁵³.
        let cross = |one: Proportion, other: Proportion| {
            i128::from(one.successes()) * i128::from(other.trials())
        };
        let above = cross(candidate, champion) - cross(champion, candidate);
        let scale = champion.trials() as f64 * candidate.trials() as f64;
        Self {
            champion: Side::of(champion),
            candidate: Side::of(candidate),
            difference: above as f64 / scale,
        }
    }

    /// Candidate minus champion.
    pub(super) fn difference(&self) -> f64 {
        self.difference
    }

    /// The z of no difference; 0 when nobody or everybody succeeded.
    pub(super) fn pooled_statistic(&self) -> f64 {
        let n = self.champion.n + self.candidate.n;
        let rate = (self.champion.successes + self.candidate.successes) / n;
        let rest = (self.champion.failures + self.candidate.failures) / n;
        let variance = rate * rest * (1.0 / self.champion.n + 1.0 / self.candidate.n);
        over_deviation(self.difference, variance)
    }

    /// Farrington and Manning's z of the hypothesis that the rates differ by `shift`.
    pub(super) fn statistic(&self, shift: f64) -> f64 {
        let rate = self.likeliest_rate(shift);
        let shifted = (rate + shift).clamp(0.0, 1.0);
        let variance =
            rate * (1.0 - rate) / self.champion.n + shifted * (1.0 - shifted) / self.candidate.n;
        over_deviation(self.difference - shift, variance)
    }

    /// The differences that the score test does not reject.
    pub(super) fn interval(&self, alternative: Alternative, alpha: Alpha) -> Interval {
        let tail = match alternative {
            Alternative::TwoSided => alpha.get() / 2.0,
            Alternative::Greater | Alternative::Less => alpha.get(),
        };
        // A one-sided bound at a level below one half is the estimate itself, which errs on the safe side.
        let z = normal_upper_quantile(tail).max(0.0);
        let lower = || -bisect(-self.difference, 1.0, |shift| self.statistic(-shift) <= z);
        let upper = || bisect(self.difference, 1.0, |shift| self.statistic(shift) >= -z);
        match alternative {
            Alternative::TwoSided => Interval::between(lower(), upper()),
            Alternative::Greater => Interval::between(lower(), f64::INFINITY),
            Alternative::Less => Interval::between(f64::NEG_INFINITY, upper()),
        }
    }

    /// The champion's rate that makes the data most likely when the candidate's is `shift` above it.
    ///
    /// The slope of the log-likelihood falls throughout, so its root is bisected: the closed form by the cubic cancels at
    /// small rates.
    fn likeliest_rate(&self, shift: f64) -> f64 {
        let slope = |count: f64, rate: f64| if count > 0.0 { count / rate } else { 0.0 };
        let low = (-shift).max(0.0);
        let high = (1.0 - shift).min(1.0);
        bisect(low, high, |rate| {
            let shifted = rate + shift;
            let rises =
                slope(self.champion.successes, rate) + slope(self.candidate.successes, shifted);
            let falls = slope(self.champion.failures, 1.0 - rate)
                + slope(self.candidate.failures, 1.0 - shifted);
            rises >= falls
        })
    }
}

#[derive(Clone, Copy, Debug)]
struct Side {
    successes: f64,
    failures: f64,
    n: f64,
}

impl Side {
    fn of(proportion: Proportion) -> Self {
        Self {
            successes: proportion.successes() as f64,
            failures: proportion.failures() as f64,
            n: proportion.trials() as f64,
        }
    }
}

/// The largest number from `low` to `high` that `holds`, where all below it do.
pub(in crate::batch) fn bisect(low: f64, high: f64, holds: impl Fn(f64) -> bool) -> f64 {
    let (mut low, mut high) = (low, high);
    for _ in 0..BISECTIONS {
        let middle = low + (high - low) / 2.0;
        if middle <= low || middle >= high {
            break;
        }
        if holds(middle) {
            low = middle;
        } else {
            high = middle;
        }
    }
    low + (high - low) / 2.0
}

/// Zero over zero is no evidence.
pub(in crate::batch) fn over_deviation(distance: f64, variance: f64) -> f64 {
    if variance > 0.0 {
        distance / variance.sqrt()
    } else if distance > 0.0 {
        f64::INFINITY
    } else if distance < 0.0 {
        f64::NEG_INFINITY
    } else {
        0.0
    }
}

const BISECTIONS: usize = 200;
