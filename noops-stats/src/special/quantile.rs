/// The x with `sf(x)` = `tail`, for a tail that falls from 1 at 0.
///
/// By regula falsi (Illinois) on the logarithm of the tail, starting from the bracket 0 to `guess`, which is doubled until
/// it holds the root.
#[must_use]
pub fn upper_quantile(tail: f64, guess: f64, sf: impl Fn(f64) -> f64) -> f64 {
    let target = libm::log(tail.max(f64::MIN_POSITIVE));
    let height = |x: f64| libm::log(sf(x).max(f64::MIN_POSITIVE)) - target;
    let mut low = 0.0;
    let mut at_low = -target;
    let mut high = guess;
    let mut at_high = height(high);
    for _ in 0..DOUBLINGS {
        if at_high <= 0.0 || !high.is_finite() {
            break;
        }
        low = high;
        at_low = at_high;
        high *= 2.0;
        at_high = height(high);
    }
    close_in([low, high], [at_low, at_high], height, |_, high| {
        PRECISION * high
    })
}

/// The x from `low` to `high` where the falling, positive function `f` is `target`; the nearer end where it is nowhere.
///
/// By regula falsi (Illinois) on logarithms, on which normal tails are near parabolas.
#[must_use]
pub fn falling_root(low: f64, high: f64, target: f64, f: impl Fn(f64) -> f64) -> f64 {
    let logarithm = libm::log(target.max(f64::MIN_POSITIVE));
    let height = |x: f64| libm::log(f(x).max(f64::MIN_POSITIVE)) - logarithm;
    let (at_low, at_high) = (height(low), height(high));
    if at_low <= 0.0 {
        return low;
    }
    if at_high >= 0.0 {
        return high;
    }
    close_in([low, high], [at_low, at_high], height, |low, high| {
        PRECISION * (1.0 + low.abs().max(high.abs()))
    })
}

/// Narrows a bracket around the root of a falling function until it is as narrow as `enough` says.
fn close_in(
    [mut low, mut high]: [f64; 2],
    [mut at_low, mut at_high]: [f64; 2],
    height: impl Fn(f64) -> f64,
    enough: impl Fn(f64, f64) -> f64,
) -> f64 {
    for _ in 0..STEPS {
        if high - low <= enough(low, high) || at_low <= at_high {
            break;
        }
        // The middle wherever the secant is not strictly inside, as when the tail is flat.
        let secant = low + (high - low) * (at_low / (at_low - at_high));
        let next = if secant > low && secant < high {
            secant
        } else {
            low + (high - low) / 2.0
        };
        let found = height(next);
        if found > 0.0 {
            low = next;
            at_low = found;
            at_high /= 2.0;
        } else if found < 0.0 {
            high = next;
            at_high = found;
            at_low /= 2.0;
        } else {
            return next;
        }
    }
    high
}

const DOUBLINGS: usize = 1_100;
const STEPS: usize = 100;
const PRECISION: f64 = 1e-13;

#[cfg(test)]
mod tests {
    use super::{falling_root, upper_quantile};

    #[test]
    fn an_exponential_is_undone_between_two_ends_and_ends_are_kept() {
        let f = |x: f64| (-x).exp();
        assert!((falling_root(0.0, 700.0, 1e-200, f) - 460.517_018_598_809_1).abs() < 1e-9);
        assert_eq!(falling_root(1.0, 2.0, 0.9, f), 1.0);
        assert_eq!(falling_root(1.0, 2.0, 1e-3, f), 2.0);
    }

    #[test]
    fn an_exponential_tail_is_undone_from_any_guess() {
        for rate in [1e-200, 1.0, 1e200] {
            for guess in [1e-3 / rate, 1.0 / rate, 500.0 / rate] {
                for tail in [0.99, 0.05, 1e-6, 1e-300] {
                    let found = upper_quantile(tail, guess, |x| (-rate * x).exp());
                    let expected = -f64::ln(tail) / rate;
                    assert!((found / expected - 1.0).abs() < 1e-10, "{found} {expected}");
                }
            }
        }
    }

    #[test]
    fn a_tail_that_jumps_is_bracketed() {
        let found = upper_quantile(0.05, 10.0, |x| if x < 3.0 { 1.0 } else { 0.0 });
        assert!((found - 3.0).abs() < 1e-6, "{found}");
    }
}
