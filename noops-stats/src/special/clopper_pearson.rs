use super::binomial_sf;

/// The lower bound of Clopper and Pearson (1934): the rate at which so many successes or more have probability `tail`.
///
/// The upper bound of a rate is one minus the lower bound of its failures.
#[must_use]
pub fn clopper_pearson_lower(successes: u64, trials: u64, tail: f64) -> f64 {
    if successes == 0 || trials == 0 {
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
