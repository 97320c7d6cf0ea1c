use noops_stats::special::{normal_sf, normal_upper_quantile};

use super::pairwise::{Pairwise, select};
use super::settings::Alternative;
use crate::interval::Interval;

/// The law of a rank statistic without a difference: symmetric, on the whole numbers from 0 to `largest`.
#[derive(Debug)]
pub(crate) struct RankLaw {
    shape: Shape,
    largest: u128,
}

#[derive(Debug)]
enum Shape {
    /// P(S = 0), P(S = 1), …
    Exact(Vec<f64>),
    /// Normal with this standard deviation, corrected for continuity.
    Normal(f64),
}

impl RankLaw {
    /// From the probability of every value.
    pub(crate) fn exact(law: Vec<f64>) -> Self {
        Self {
            largest: law.len().saturating_sub(1) as u128,
            shape: Shape::Exact(law),
        }
    }

    /// Normal, in the middle of 0 to `largest`.
    pub(crate) fn normal(deviation: f64, largest: u128) -> Self {
        Self {
            shape: Shape::Normal(deviation),
            largest,
        }
    }

    pub(crate) fn is_exact(&self) -> bool {
        matches!(self.shape, Shape::Exact(_))
    }

    /// The p-value of a statistic, given twice so that ties keep it whole.
    pub(crate) fn p_value(&self, twice: u128, alternative: Alternative) -> f64 {
        let mirrored = (2 * self.largest).saturating_sub(twice);
        match alternative {
            Alternative::TwoSided => (2.0 * self.upper(twice.max(mirrored))).min(1.0),
            Alternative::Greater => self.upper(twice),
            Alternative::Less => self.upper(mirrored),
        }
    }

    /// The confidence interval of a shift: the shifts that the test at this level does not refuse.
    ///
    /// The statistic at a shift is the number of pairwise values above it, so the ends are two of them. Where even the most
    /// extreme statistic is likely enough, nothing bounds that end.
    pub(crate) fn interval(
        &self,
        pairs: &impl Pairwise,
        alternative: Alternative,
        tail: f64,
    ) -> Interval {
        let kept = self.smallest_kept(tail);
        if kept == 0 {
            return Interval::UNBOUNDED;
        }
        let lower = match alternative {
            Alternative::Less => f64::NEG_INFINITY,
            Alternative::TwoSided | Alternative::Greater => select(pairs, kept),
        };
        let upper = match alternative {
            Alternative::Greater => f64::INFINITY,
            Alternative::TwoSided | Alternative::Less => {
                select(pairs, (self.largest + 1).saturating_sub(kept))
            }
        };
        Interval::between(lower, upper)
    }

    /// P(2 S >= `twice`).
    fn upper(&self, twice: u128) -> f64 {
        match &self.shape {
            Shape::Exact(law) => {
                let from = usize::try_from(twice.div_ceil(2)).unwrap_or(usize::MAX);
                // The small terms first.
                let above: f64 = law.iter().skip(from).rev().sum();
                above.min(1.0)
            }
            Shape::Normal(deviation) => {
                let excess = if twice >= self.largest {
                    (twice - self.largest) as f64 / 2.0
                } else {
                    (self.largest - twice) as f64 / -2.0
                };
                normal_sf((excess - 0.5) / deviation)
            }
        }
    }

    /// The smallest value s with P(S <= s) > `tail`.
    fn smallest_kept(&self, tail: f64) -> u128 {
        match &self.shape {
            Shape::Exact(law) => {
                // A probability that is `tail` but for rounding is not above it.
                let tail = tail * (1.0 + ROUNDING);
                let mut below = 0.0;
                for (share, value) in law.iter().zip(0_u128..) {
                    below += share;
                    if below > tail {
                        return value;
                    }
                }
                self.largest
            }
            Shape::Normal(deviation) => {
                let reach = normal_upper_quantile(tail) * deviation;
                let last_refused = (self.largest as f64 / 2.0 - 0.5 - reach).floor();
                // A cast from a number below 0 gives 0.
                ((last_refused + 1.0) as u128).min(self.largest)
            }
        }
    }
}

/// The error rate on one side of an interval.
pub(crate) fn tail_of(alternative: Alternative, alpha: f64) -> f64 {
    match alternative {
        Alternative::TwoSided => alpha / 2.0,
        Alternative::Greater | Alternative::Less => alpha,
    }
}

const ROUNDING: f64 = 1e-12;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_smallest_kept_value_of_a_die() {
        let law = RankLaw::exact(vec![0.25; 4]);
        assert_eq!(law.smallest_kept(0.25), 1);
        assert_eq!(law.smallest_kept(0.2), 0);
        assert_eq!(law.smallest_kept(0.6), 2);
    }

    #[test]
    fn the_sides_of_a_symmetric_law_mirror_each_other() {
        let laws = [
            RankLaw::exact(vec![0.1, 0.2, 0.4, 0.2, 0.1]),
            RankLaw::normal(1.1, 4),
        ];
        for law in laws {
            for twice in 0..=8 {
                let greater = law.p_value(twice, Alternative::Greater);
                let less = law.p_value(8 - twice, Alternative::Less);
                assert!((greater - less).abs() < 1e-15);
                assert!((0.0..=1.0).contains(&law.p_value(twice, Alternative::TwoSided)));
            }
        }
    }
}
