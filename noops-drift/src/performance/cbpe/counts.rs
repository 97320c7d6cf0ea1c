use noops_core::Alpha;

use super::Row;
use crate::performance::estimate::Estimate;
use crate::performance::poisson_binomial::PoissonBinomial;
use noops_stats::special::normal_upper_quantile;

/// The joint law of the confusion counts: true positives among the predicted, false negatives among the rest.
pub(super) struct CountLaw {
    hits: PoissonBinomial,
    misses: PoissonBinomial,
    alpha: Alpha,
}

/// A metric as a function of true positives and false negatives.
pub(super) struct CountMetric<'a> {
    /// The metric at expected counts, and its derivatives by hits and misses.
    pub(super) value: f64,
    pub(super) by_hits: f64,
    pub(super) by_misses: f64,
    /// The values it may take.
    pub(super) least: f64,
    pub(super) most: f64,
    /// How many hits the metric allows without exceeding a value, at a number of misses.
    pub(super) bound: &'a dyn Fn(f64, f64) -> Bound,
}

/// Which numbers of hits keep a metric at or below a value.
pub(super) enum Bound {
    AtMost(f64),
    AtLeast(f64),
    All,
    None,
}

impl CountLaw {
    pub(super) fn new(rows: &[Row], alpha: Alpha) -> Self {
        let side = |predicted: bool| {
            let of = rows.iter().filter(move |row| row.predicted == predicted);
            PoissonBinomial::of(of.map(|row| row.probability))
        };
        Self {
            hits: side(true),
            misses: side(false),
            alpha,
        }
    }

    pub(super) fn hits(&self) -> f64 {
        self.hits.mean()
    }

    pub(super) fn misses(&self) -> f64 {
        self.misses.mean()
    }

    pub(super) fn predicted(&self) -> f64 {
        self.hits.trials() as f64
    }

    pub(super) fn passed_over(&self) -> f64 {
        self.misses.trials() as f64
    }

    /// The metric with the interval that holds what the labels will show.
    pub(super) fn estimate(&self, metric: &CountMetric<'_>) -> Option<Estimate> {
        let rows = self.hits.trials().saturating_add(self.misses.trials());
        let (lower, upper) = if self.hits.is_exact() && self.misses.is_exact() {
            let tail = self.alpha.get() / 2.0;
            (
                self.quantile(metric, tail),
                self.quantile(metric, 1.0 - tail),
            )
        } else {
            let variance = metric.by_hits * metric.by_hits * self.hits.variance()
                + metric.by_misses * metric.by_misses * self.misses.variance();
            let reach = normal_upper_quantile(self.alpha.get() / 2.0) * variance.sqrt();
            (
                (metric.value - reach).max(metric.least),
                (metric.value + reach).min(metric.most),
            )
        };
        Estimate::new(metric.value, lower, upper, self.alpha, rows)
    }

    /// The smallest value that is not exceeded with this probability, by bisection down to neighbouring numbers or so.
    fn quantile(&self, metric: &CountMetric<'_>, probability: f64) -> f64 {
        let (mut low, mut high) = (metric.least, metric.most);
        if self.at_most(metric, low) >= probability {
            return low;
        }
        for _ in 0..BISECTIONS {
            let middle = low + (high - low) / 2.0;
            if self.at_most(metric, middle) >= probability {
                high = middle;
            } else {
                low = middle;
            }
        }
        high
    }

    fn at_most(&self, metric: &CountMetric<'_>, value: f64) -> f64 {
        let Some(masses) = self.misses.masses() else {
            return 1.0;
        };
        let below: f64 = masses
            .filter(|(_, mass)| *mass > NEGLIGIBLE)
            .map(|(misses, mass)| mass * self.hits_within(&(metric.bound)(value, misses as f64)))
            .sum();
        // The masses sum to one only up to rounding.
        below + ROUNDING
    }

    fn hits_within(&self, bound: &Bound) -> f64 {
        match *bound {
            Bound::All => 1.0,
            Bound::None => 0.0,
            Bound::AtMost(most) => {
                let most = (most + most.abs() * RELATIVE + RELATIVE).floor();
                if most >= 0.0 {
                    self.hits.at_most(most as u64)
                } else {
                    0.0
                }
            }
            Bound::AtLeast(least) => {
                let least = (least - least.abs() * RELATIVE - RELATIVE).ceil();
                if least > 0.0 {
                    self.hits.more_than(least as u64 - 1)
                } else {
                    1.0
                }
            }
        }
    }
}

const BISECTIONS: usize = 60;
/// Counts are integers: a bound this little below one is that integer.
const RELATIVE: f64 = 1e-11;
const ROUNDING: f64 = 1e-12;
const NEGLIGIBLE: f64 = 1e-20;
