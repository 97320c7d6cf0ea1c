use noops_stats::special::normal_sf;

use super::counted::counted;
use super::walk::{Steps, Walk};

/// The law of the first step at which the evidence reaches its threshold.
#[derive(Clone, Debug)]
pub(super) struct Passage {
    /// Steps and the probability of having arrived by then, both rising.
    points: Vec<(f64, f64)>,
}

impl Passage {
    /// The law up to `horizon` steps, exact for counts whose passage takes few steps.
    pub(super) fn of(walk: &Walk, horizon: f64) -> Self {
        let smooth = Self::smooth(walk, horizon);
        let (Steps::Up(_) | Steps::Down(_)) = walk.steps() else {
            return smooth;
        };
        let most = smooth.quantile(MOST_OF_IT).unwrap_or(horizon);
        if most > EXACT_STEPS {
            return smooth;
        }
        let mut points = counted(walk, horizon.min(2.0 * EXACT_STEPS));
        let (end, arrived) = points.last().copied().unwrap_or((0.0, 0.0));
        let left = 1.0 - smooth.probability_by(end);
        if end < horizon && arrived < ALL_OF_IT && left > 0.0 {
            // Whoever has not arrived by then goes on by the smooth law.
            let later = smooth.points.iter().filter(|(at, _)| *at > end);
            points.extend(later.map(|&(at, by)| {
                let remaining = ((1.0 - by) / left).clamp(0.0, 1.0);
                (at, 1.0 - (1.0 - arrived) * remaining)
            }));
        }
        Self { points }
    }

    /// The law of a Brownian motion of the walk's mean and spread through the boundary raised by the overshoot.
    pub(super) fn smooth(walk: &Walk, horizon: f64) -> Self {
        if walk.is_there() {
            return Self {
                points: vec![(0.0, 1.0)],
            };
        }
        let (mean, spread, overshoot) = (walk.mean(), walk.spread(), walk.overshoot());
        let tail =
            |rise: f64, steps: f64| normal_sf((rise - mean * steps) / (spread * steps.sqrt()));
        let mut points: Vec<(f64, f64)> = Vec::new();
        let mut parts: Vec<Part> = Vec::new();
        let (mut before, mut arrived, mut steps) = (0.0, 0.0, 1.0);
        while before < horizon && arrived < ALL_OF_IT && points.len() < MOST_POINTS {
            let now = f64::min(steps, horizon);
            let boundary = walk.boundary(now) + overshoot;
            let above = tail(boundary, now);
            if above > NEGLIGIBLE || !parts.is_empty() {
                // Who is above the boundary now crossed it before: in each part so far, or in this one (Fortet's equation).
                let crossed: f64 = parts
                    .iter()
                    .map(|part| part.probability * tail(boundary - part.boundary, now - part.at))
                    .sum();
                let at = 0.5 * (before + now);
                let part_boundary = walk.boundary(at) + overshoot;
                let again = tail(boundary - part_boundary, now - at).max(SMALLEST_RETURN);
                let found = (above - crossed) / again;
                let probability = if found > 0.0 {
                    found.min(1.0 - arrived).max(0.0)
                } else {
                    0.0
                };
                arrived += probability;
                parts.push(Part {
                    at,
                    boundary: part_boundary,
                    probability,
                });
            }
            points.push((now, arrived));
            before = now;
            steps = (steps * GROWTH).max(steps + 1.0);
        }
        Self { points }
    }

    /// The probability of having arrived by this step.
    pub(super) fn probability_by(&self, steps: f64) -> f64 {
        let next = self.points.partition_point(|&(at, _)| at <= steps);
        let (from, low) = next
            .checked_sub(1)
            .and_then(|last| self.points.get(last).copied())
            .unwrap_or((0.0, 0.0));
        match self.points.get(next) {
            Some(&(to, high)) if to > from => {
                low + (high - low) * ((steps - from) / (to - from)).clamp(0.0, 1.0)
            }
            _ => low,
        }
    }

    /// The step by which it has arrived with this probability; `None` where that is beyond the horizon.
    pub(super) fn quantile(&self, probability: f64) -> Option<f64> {
        let next = self
            .points
            .partition_point(|&(_, arrived)| arrived < probability);
        let &(to, high) = self.points.get(next)?;
        let (from, low) = next
            .checked_sub(1)
            .and_then(|last| self.points.get(last).copied())
            .unwrap_or((0.0, 0.0));
        let part = if high > low {
            (probability - low) / (high - low)
        } else {
            1.0
        };
        Some(from + (to - from) * part.clamp(0.0, 1.0))
    }

    /// The expected steps until it arrives, or until `limit`, whichever is first.
    pub(super) fn mean_until(&self, limit: f64) -> f64 {
        let (mut mean, mut before, mut arrived) = (0.0, 0.0, 0.0);
        for &(at, now_arrived) in &self.points {
            let now = at.min(limit);
            if now <= before {
                if at > limit {
                    break;
                }
                arrived = now_arrived;
                continue;
            }
            let by_now = self.probability_by(now);
            mean += (now - before) * (1.0 - 0.5 * (arrived + by_now));
            before = now;
            arrived = by_now;
        }
        // The law ends when next to nothing is left of it, or at its horizon.
        if arrived >= ALL_OF_IT {
            return mean;
        }
        mean + (limit - before).max(0.0) * (1.0 - arrived)
    }
}

/// What crossed the boundary between two points.
struct Part {
    at: f64,
    boundary: f64,
    probability: f64,
}

const GROWTH: f64 = 1.04;
const NEGLIGIBLE: f64 = 1e-9;
const SMALLEST_RETURN: f64 = 0.05;
const ALL_OF_IT: f64 = 0.9995;
/// 1.04 to this power is beyond any number of requests.
const MOST_POINTS: usize = 1_200;
const MOST_OF_IT: f64 = 0.9;
const EXACT_STEPS: f64 = 10_000.0;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::planning::walk::Term;

    /// One exponential gives a straight boundary, for which the law is known: inverse Gaussian.
    #[test]
    fn a_straight_boundary_gives_the_inverse_gaussian_law() {
        let term = Term {
            log_weight: 0.0,
            slope: 0.1,
            drift: -0.005,
        };
        let walk = Walk::new(vec![term], 3.0, Steps::Number(0.1, 1.0)).unwrap();
        let passage = Passage::smooth(&walk, 1e7);
        let (height, rise) = (30.0 + 0.583, 0.05);
        for steps in [200.0_f64, 400.0, 700.0, 1500.0] {
            // scipy.stats.invgauss.cdf, written out.
            let root = steps.sqrt();
            let law = normal_sf((height - 0.05 * steps) / root)
                + libm::exp(2.0 * rise * height) * normal_sf((height + 0.05 * steps) / root);
            let found = passage.probability_by(steps);
            assert!((found - law).abs() < 0.003, "{steps}: {found} {law}");
        }
        let mean = passage.mean_until(1e7);
        assert!((mean / (height / 0.05) - 1.0).abs() < 0.01, "{mean}");
    }

    /// Where both can be worked out, what the smooth law approximates is the exact one.
    #[test]
    fn the_smooth_law_is_near_the_exact_one_after_many_steps() {
        for (ratio, side, theta, truth) in [
            (1.25, -1.0, 0.5, 1.0),
            (1.25, -1.0, 0.1, 1.0),
            (1.0, 1.0, 0.1, 1.5),
            (1.0, 1.0, 0.02, 2.0),
        ] {
            let walk = crate::planning::laws::of_rates(ratio, side, theta, truth, 3.0).unwrap();
            let (exact, smooth) = (Passage::of(&walk, 1e6), Passage::smooth(&walk, 1e6));
            for probability in [0.5, 0.8, 0.9] {
                let ratio =
                    smooth.quantile(probability).unwrap() / exact.quantile(probability).unwrap();
                assert!((ratio - 1.0).abs() < 0.05, "{theta} {probability}: {ratio}");
            }
        }
    }

    #[test]
    fn what_takes_longer_than_the_exact_law_is_worked_out_for_goes_on() {
        let walk = crate::planning::laws::of_rates(1.093, -1.0, 0.5, 1.0, 3.0).unwrap();
        let passage = Passage::of(&walk, 1e9);
        let last = passage.points.last().unwrap();
        assert!(
            last.0 > 2.0 * EXACT_STEPS && last.1 >= ALL_OF_IT,
            "{last:?}"
        );
        assert!(
            passage
                .points
                .windows(2)
                .all(|pair| pair[0].0 < pair[1].0 && pair[0].1 <= pair[1].1)
        );
    }

    #[test]
    fn quantiles_and_probabilities_are_each_others_inverse() {
        let passage = Passage {
            points: vec![(10.0, 0.0), (20.0, 0.5), (40.0, 0.9)],
        };
        assert_eq!(passage.quantile(0.25), Some(15.0));
        assert_eq!(passage.probability_by(15.0), 0.25);
        assert_eq!(passage.probability_by(1e9), 0.9);
        assert_eq!(passage.quantile(0.95), None);
        // 10 + 10 * .75 + 20 * .3 + 60 * .1
        assert!((passage.mean_until(100.0) - 29.5).abs() < 1e-12);
        assert!((passage.mean_until(15.0) - (10.0 + 5.0 * 0.875)).abs() < 1e-12);
        assert_eq!(passage.mean_until(0.0), 0.0);
    }
}
