use noops_core::Alpha;
use noops_stats::special::{normal_sf, normal_upper_quantile};

use crate::batch::settings::Alternative;
use crate::interval::Interval;

/// The interval between the quantiles of sorted `values` at the levels that `level` makes of the plain ones.
pub(super) fn interval(
    values: &[f64],
    alternative: Alternative,
    alpha: Alpha,
    level: impl Fn(f64) -> f64,
) -> Interval {
    let at = |plain: f64| quantile(values, level(plain));
    let alpha = alpha.get();
    match alternative {
        Alternative::TwoSided => Interval::between(at(alpha / 2.0), at(1.0 - alpha / 2.0)),
        Alternative::Greater => Interval::between(at(alpha), f64::INFINITY),
        Alternative::Less => Interval::between(f64::NEG_INFINITY, at(1.0 - alpha)),
    }
}

/// What Efron's correction takes from the data.
#[derive(Clone, Copy, Debug)]
pub(super) struct Correction {
    bias: f64,
    acceleration: f64,
}

impl Correction {
    /// From the sorted replicates and what each side's estimates become without one unit, or one group of units, at a time.
    pub(super) fn of(replicates: &[f64], estimate: f64, jackknifed: [&[f64]; 2]) -> Self {
        let count = replicates.len() as f64;
        let below = replicates.partition_point(|x| *x < estimate) as f64;
        let up_to = replicates.partition_point(|x| *x <= estimate) as f64;
        // Never all or none of them, whose quantile is infinite.
        let share = (0.5 * (below + up_to)).clamp(0.5, count - 0.5) / count;
        let (mut cubes, mut squares) = (0.0, 0.0);
        for without in jackknifed {
            let n = without.len().max(1) as f64;
            let mean = without.iter().sum::<f64>() / n;
            for estimate in without {
                let influence = (n - 1.0) * (mean - estimate) / n;
                squares += influence * influence;
                cubes += influence * influence * influence;
            }
        }
        let acceleration = if squares > 0.0 {
            cubes / (6.0 * squares * squares.sqrt())
        } else {
            0.0
        };
        Self {
            bias: -normal_upper_quantile(share),
            acceleration: if acceleration.is_finite() {
                acceleration
            } else {
                0.0
            },
        }
    }

    pub(super) fn level(self, plain: f64) -> f64 {
        let z = self.bias - normal_upper_quantile(plain);
        let stretch = 1.0 - self.acceleration * z;
        // Beyond the pole the corrected level is at the end of the range.
        if stretch <= 0.0 {
            return if z > 0.0 { 1.0 } else { 0.0 };
        }
        normal_sf(-(self.bias + z / stretch))
    }
}

/// By linear interpolation between order statistics, as `numpy.quantile` does unless told otherwise.
pub(super) fn quantile(sorted: &[f64], level: f64) -> f64 {
    let place = level.clamp(0.0, 1.0) * sorted.len().saturating_sub(1) as f64;
    let lower = place.floor();
    let at = |index: f64| sorted.get(index as usize).or(sorted.last()).copied();
    match (at(lower), at(lower + 1.0)) {
        (Some(below), Some(above)) => below + (above - below) * (place - lower),
        _ => f64::NAN,
    }
}
