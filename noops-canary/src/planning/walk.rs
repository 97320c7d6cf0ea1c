use crate::sequential::log_sum_exp;

/// Evidence as a mixture of exponentials of a random walk, and the walk it is expected to make.
///
/// After `n` steps with the sum `s`, `ln E = ln Σ exp(log_weight + slope s + drift n)`: the form of every e-process of this crate, up to
/// an approximation where the penalty is not the number of steps itself. Evidence that is there already is in the weights.
#[derive(Clone, Debug)]
pub(super) struct Walk {
    terms: Vec<Term>,
    threshold: f64,
    mean: f64,
    spread: f64,
    steps: Steps,
}

/// One exponential.
#[derive(Clone, Copy, Debug)]
pub(super) struct Term {
    pub(super) log_weight: f64,
    /// Above zero.
    pub(super) slope: f64,
    pub(super) drift: f64,
}

/// What a step of the walk is.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Steps {
    /// +1 with this probability, else 0.
    Up(f64),
    /// −1 with this probability, else 0.
    Down(f64),
    /// A number of this mean and standard deviation.
    Number(f64, f64),
}

impl Walk {
    /// `None` unless every number is finite, every slope is above zero and the walk moves.
    pub(super) fn new(terms: Vec<Term>, threshold: f64, steps: Steps) -> Option<Self> {
        let (mean, spread) = match steps {
            Steps::Up(p) => (p, (p * (1.0 - p)).sqrt()),
            Steps::Down(p) => (-p, (p * (1.0 - p)).sqrt()),
            Steps::Number(mean, spread) => (mean, spread),
        };
        let sound = |term: &Term| {
            term.log_weight.is_finite()
                && term.drift.is_finite()
                && term.slope > 0.0
                && term.slope.is_finite()
        };
        let moves = spread > 0.0 && spread.is_finite() && mean.is_finite() && threshold.is_finite();
        (moves && !terms.is_empty() && terms.iter().all(sound)).then_some(Self {
            terms,
            threshold,
            mean,
            spread,
            steps,
        })
    }

    /// The same walk from where the evidence stands: the logarithm of each term.
    pub(super) fn starting_here(mut self, log_terms: &[f64]) -> Option<Self> {
        if log_terms.len() != self.terms.len() {
            return None;
        }
        for (term, &log_term) in self.terms.iter_mut().zip(log_terms) {
            term.log_weight = log_term;
        }
        Self::new(self.terms, self.threshold, self.steps)
    }

    pub(super) fn mean(&self) -> f64 {
        self.mean
    }

    pub(super) fn spread(&self) -> f64 {
        self.spread
    }

    pub(super) fn steps(&self) -> Steps {
        self.steps
    }

    /// Whether the evidence is there before the first step.
    pub(super) fn is_there(&self) -> bool {
        self.log_e(0.0, 0.0) >= self.threshold
    }

    /// By how much the sum is past the boundary when it has just crossed it, on average.
    ///
    /// Of a step with mean zero, `E[x^3] / (6 E[x^2])` from its skewness and, for numbers, 0.583 standard deviations (Siegmund,
    /// "Sequential Analysis", 1985, chapter 10); for whole numbers a quarter, which is exact for a fair coin and close for a rare event.
    pub(super) fn overshoot(&self) -> f64 {
        match self.steps {
            Steps::Up(p) => 0.25 + (1.0 - 2.0 * p) / 6.0,
            Steps::Down(p) => 0.25 - (1.0 - 2.0 * p) / 6.0,
            Steps::Number(_, spread) => 0.583 * spread,
        }
    }

    pub(super) fn log_e(&self, sum: f64, steps: f64) -> f64 {
        let value = |term: &Term| term.log_weight + term.slope * sum + term.drift * steps;
        log_sum_exp(self.terms.iter().map(value))
    }

    /// The sum at which the evidence after `steps` steps just reaches the threshold.
    pub(super) fn boundary(&self, steps: f64) -> f64 {
        // Where one term alone reaches it. The logarithm of the whole sum is convex in the sum of the walk, so that Newton's method comes
        // down from there without ever falling short.
        let alone =
            |term: &Term| (self.threshold - term.log_weight - term.drift * steps) / term.slope;
        let mut sum = self.terms.iter().map(alone).fold(f64::INFINITY, f64::min);
        for _ in 0..NEWTON_STEPS {
            let value = self.log_e(sum, steps);
            let slope: f64 = self
                .terms
                .iter()
                .map(|term| {
                    let weight = term.log_weight + term.slope * sum + term.drift * steps - value;
                    term.slope * libm::exp(weight)
                })
                .sum();
            let step = (value - self.threshold) / slope;
            if !(step.is_finite() && step.abs() > 1e-10 * (1.0 + sum.abs())) {
                break;
            }
            sum -= step;
        }
        sum
    }
}

const NEWTON_STEPS: u32 = 50;

#[cfg(test)]
mod tests {
    use super::*;

    fn walk(terms: &[(f64, f64, f64)], steps: Steps) -> Option<Walk> {
        let terms = terms.iter().map(|&(log_weight, slope, drift)| Term {
            log_weight,
            slope,
            drift,
        });
        Walk::new(terms.collect(), 3.0, steps)
    }

    #[test]
    fn the_evidence_is_the_threshold_on_the_boundary() {
        let walk = walk(
            &[(-1.0, 0.1, -0.005), (-2.0, 0.7, -0.3), (-0.5, 2.0, -3.0)],
            Steps::Number(0.0, 1.0),
        )
        .unwrap();
        for steps in [0.0, 1.0, 30.0, 1e4, 1e8] {
            let boundary = walk.boundary(steps);
            assert!((walk.log_e(boundary, steps) - 3.0).abs() < 1e-6, "{steps}");
        }
    }

    #[test]
    fn a_walk_that_cannot_be_is_none() {
        for terms in [
            &[][..],
            &[(0.0, 0.0, -1.0)],
            &[(f64::NAN, 1.0, -1.0)],
            &[(0.0, 1.0, f64::INFINITY)],
        ] {
            assert!(walk(terms, Steps::Up(0.5)).is_none(), "{terms:?}");
        }
        for steps in [
            Steps::Up(0.0),
            Steps::Down(1.0),
            Steps::Number(0.0, f64::NAN),
            Steps::Number(f64::NAN, 1.0),
        ] {
            assert!(walk(&[(0.0, 1.0, -1.0)], steps).is_none(), "{steps:?}");
        }
    }
}
