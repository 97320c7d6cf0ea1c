/// The x from `low` to `high` where the falling, positive function `f` is `target`; the nearer end where it is nowhere.
///
/// By regula falsi (Illinois) on logarithms, on which normal tails are near parabolas.
pub(super) fn falling_root(low: f64, high: f64, target: f64, f: impl Fn(f64) -> f64) -> f64 {
    let logarithm = libm::log(target.max(f64::MIN_POSITIVE));
    let height = |x: f64| libm::log(f(x).max(f64::MIN_POSITIVE)) - logarithm;
    let (mut low, mut high) = (low, high);
    let (mut at_low, mut at_high) = (height(low), height(high));
    if at_low <= 0.0 {
        return low;
    }
    if at_high >= 0.0 {
        return high;
    }
    for _ in 0..STEPS {
        if high - low <= PRECISION * (1.0 + low.abs().max(high.abs())) {
            break;
        }
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

const STEPS: usize = 100;
const PRECISION: f64 = 1e-13;

#[cfg(test)]
mod tests {
    use super::falling_root;

    #[test]
    fn an_exponential_is_undone_and_ends_are_kept() {
        let f = |x: f64| libm::exp(-x);
        assert!((falling_root(0.0, 700.0, 1e-200, f) - 460.517_018_598_809_1).abs() < 1e-9);
        assert_eq!(falling_root(1.0, 2.0, 0.9, f), 1.0);
        assert_eq!(falling_root(1.0, 2.0, 1e-3, f), 2.0);
    }
}
