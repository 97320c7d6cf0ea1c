use crate::special::binomial_sf;

/// Bounds of a rate of which a reference shows `successes` in `trials`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct RateInterval {
    pub(super) low: f64,
    pub(super) high: f64,
}

impl RateInterval {
    /// The interval of Clopper and Pearson (1934) that fails with probability at most `failure`, half of it per side.
    ///
    /// The lower bound is the rate at which so many successes or more have probability `failure` / 2. Both bounds are
    /// moved outwards by more than the rounding of the tail.
    pub(super) fn clopper_pearson(successes: u64, trials: u64, failure: f64) -> Self {
        if trials == 0 {
            return Self {
                low: 0.0,
                high: 1.0,
            };
        }
        let successes = successes.min(trials);
        let tail = 0.5 * failure;
        let low = lower(successes, trials, tail) * (1.0 - SLACK);
        let high = 1.0 - lower(trials - successes, trials, tail);
        Self {
            low,
            high: (high * (1.0 + SLACK) + f64::EPSILON).min(1.0),
        }
    }
}

fn lower(successes: u64, trials: u64, tail: f64) -> f64 {
    if successes == 0 {
        return 0.0;
    }
    let mut low = 0.0;
    let mut high = successes as f64 / trials as f64;
    for _ in 0..BISECTIONS {
        let middle = 0.5 * (low + high);
        if binomial_sf(successes, trials, middle) > tail {
            high = middle;
        } else {
            low = middle;
        }
    }
    low
}

const BISECTIONS: usize = 60;
const SLACK: f64 = 1e-10;
