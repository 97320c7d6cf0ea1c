use noops_stats::special::relative_entropy;

/// p ln(p / a) − p + a for shares p ≥ 0 and a > 0: what one cell adds to a relative entropy. Never negative.
///
/// The entropy is usually summed from p ln(p / a) alone, which cancels between cells to nothing but rounding when the
/// shares are nearly equal. `difference` is p − a, which the caller knows better than a subtraction here would.
pub(super) fn excess(p: f64, a: f64, difference: f64) -> f64 {
    let x = difference / a;
    if x.abs() < SERIES_BELOW {
        a * relative_entropy(x)
    } else if p > 0.0 {
        (p * (p / a).ln() - difference).max(0.0)
    } else {
        -difference
    }
}

/// ln(p / q) for positive shares, right to the last digits where they are nearly equal.
pub(super) fn ln_ratio(p: f64, q: f64) -> f64 {
    let x = (p - q) / q;
    if x.abs() < 0.5 {
        x.ln_1p()
    } else {
        (p / q).ln()
    }
}

const SERIES_BELOW: f64 = 0.1;

#[cfg(test)]
mod tests {
    use super::{excess, ln_ratio};

    #[track_caller]
    fn close(found: f64, expected: f64) {
        assert!(
            (found / expected - 1.0).abs() <= 1e-13,
            "found {found}, expected {expected}"
        );
    }

    #[test]
    fn the_excess_agrees_with_mpmath() {
        // mpmath.mp.dps = 50; p * log(p / a) - p + a
        close(excess(0.3, 0.1, 0.3 - 0.1), 0.129_583_686_600_432_9);
        close(excess(0.5, 0.501, -0.001), 9.986_686_634_719_91e-7);
        assert_eq!(excess(0.0, 0.25, -0.25), 0.25);
        assert_eq!(excess(0.25, 0.25, 0.0), 0.0);
    }

    #[test]
    fn series_and_logarithm_meet() {
        for x in [-0.1_f64, 0.1] {
            let inside = excess(1.0 + x * 0.999_999_999, 1.0, x * 0.999_999_999);
            let outside = excess(1.0 + x * 1.000_000_001, 1.0, x * 1.000_000_001);
            assert!((inside / outside - 1.0).abs() < 1e-8, "{inside} {outside}");
        }
    }

    #[test]
    fn the_logarithm_of_a_ratio_is_right_near_one_and_far_from_it() {
        close(
            ln_ratio(1.0 + 1e-9, 1.0),
            9.999_999_995e-10 * (1.0 + 8.274_037_1e-8),
        );
        close(ln_ratio(1e-12, 0.5), -26.937_873_935_368_613);
    }
}
