use noops_stats::special::falling_root;

use super::integration::Walk;
use super::look::LookOutcome;
use super::sides::Sides;
use crate::interval::Interval;

/// The effect as estimated after a group sequential test has ended, with allowance for how it ended.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct AdjustedEstimate {
    estimate: f64,
    interval: Interval,
}

impl AdjustedEstimate {
    /// By the stagewise order of Tsiatis, Rosner and Mehta (1984), from all looks of a test that has ended.
    pub(super) fn of(looks: &[LookOutcome], sides: Sides, alpha: f64) -> Option<Self> {
        let (end, earlier) = looks.split_last()?;
        let first = looks.first()?.fraction;
        // A result on the lower side of two is the mirror image of one on the upper side.
        let mirror = if sides == Sides::Two && end.z < 0.0 {
            -1.0
        } else {
            1.0
        };
        let z = (mirror * end.z).clamp(-FARTHEST, FARTHEST);
        let as_far = |drift: f64| {
            let mut walk = Walk::new(drift);
            let mut chance = 0.0;
            for look in earlier {
                walk.arrive(look.fraction);
                chance += walk.above(look.boundary);
                walk.stay(sides.lower(look.boundary), look.boundary);
            }
            walk.arrive(end.fraction);
            chance + walk.above(z)
        };
        let most = (z.abs() + MARGIN) / first.sqrt();
        // The effect under which a result as far out as this has probability `chance`.
        let unit = mirror * (end.fraction / end.information).sqrt();
        let effect = |chance: f64| {
            unit * falling_root(-most, most, 1.0 - chance, |drift| 1.0 - as_far(drift))
        };
        let interval = match sides {
            Sides::One => Interval::between(effect(alpha), f64::INFINITY),
            Sides::Two => Interval::between(effect(alpha / 2.0), effect(1.0 - alpha / 2.0)),
        };
        Some(Self {
            estimate: effect(0.5),
            interval,
        })
    }

    /// The median-unbiased estimate: as likely above the effect as below it.
    #[must_use]
    pub fn estimate(&self) -> f64 {
        self.estimate
    }

    /// The confidence interval at level 1 − α, bounded below only for a one-sided test. Where the test rejects, 0 is outside.
    #[must_use]
    pub fn interval(&self) -> Interval {
        self.interval
    }
}

/// A z beyond it is as good as at it.
const FARTHEST: f64 = 40.0;
const MARGIN: f64 = 10.0;
