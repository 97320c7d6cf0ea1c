use noops_stats::special::clopper_pearson_lower;

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
        let low = clopper_pearson_lower(successes, trials, tail) * (1.0 - SLACK);
        let high = 1.0 - clopper_pearson_lower(trials - successes, trials, tail);
        Self {
            low,
            high: (high * (1.0 + SLACK) + f64::EPSILON).min(1.0),
        }
    }
}

const SLACK: f64 = 1e-10;
