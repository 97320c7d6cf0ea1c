use std::f64::consts::PI;

/// P(K > x) for Kolmogorov's limiting distribution.
///
/// Two series for the same function: one converges fast for large x, its theta-function twin for small x.
pub(super) fn kolmogorov_sf(x: f64) -> f64 {
    if x.is_nan() || x <= 0.0 {
        return 1.0;
    }
    if x < 1.18 {
        1.0 - small_series(x)
    } else {
        large_series(x)
    }
}

/// The x with P(K > x) = `tail`, for a tail between 0 and 1, by bisection.
pub(super) fn kolmogorov_upper_quantile(tail: f64) -> f64 {
    let mut low = 0.0;
    let mut high = 40.0;
    for _ in 0..60 {
        let middle = low + (high - low) / 2.0;
        if kolmogorov_sf(middle) > tail {
            low = middle;
        } else {
            high = middle;
        }
    }
    high
}

fn small_series(x: f64) -> f64 {
    let rate = -PI * PI / (8.0 * x * x);
    let sum: f64 = [1.0_f64, 3.0, 5.0, 7.0, 9.0]
        .iter()
        .map(|odd| (rate * odd * odd).exp())
        .sum();
    ((2.0 * PI).sqrt() / x * sum).clamp(0.0, 1.0)
}

fn large_series(x: f64) -> f64 {
    let sum: f64 = [
        (1.0_f64, 1.0_f64),
        (2.0, -1.0),
        (3.0, 1.0),
        (4.0, -1.0),
        (5.0, 1.0),
    ]
    .iter()
    .map(|(k, sign)| sign * (-2.0 * k * k * x * x).exp())
    .sum();
    (2.0 * sum).clamp(0.0, 1.0)
}

#[cfg(test)]
mod tests {
    use super::{kolmogorov_sf, kolmogorov_upper_quantile};

    #[track_caller]
    fn close(found: f64, expected: f64) {
        assert!(
            (found / expected - 1.0).abs() <= 1e-9,
            "found {found}, expected {expected}"
        );
    }

    #[test]
    fn tails_agree_with_scipy() {
        // scipy.special.kolmogorov(x)
        close(kolmogorov_sf(0.2), 0.999_999_999_999_495);
        close(kolmogorov_sf(0.5), 0.963_945_243_664_875_1);
        close(kolmogorov_sf(1.0), 0.269_999_671_677_354_56);
        close(kolmogorov_sf(1.18), 0.123_453_809_429_765_7);
        close(kolmogorov_sf(2.0), 0.000_670_925_255_779_695_3);
        close(kolmogorov_sf(5.0), 3.857_499_695_927_835_6e-22);
        // scipy.special.kolmogi(0.05)
        close(kolmogorov_upper_quantile(0.05), 1.358_098_639_322_550_7);
    }

    #[test]
    fn the_ends_are_one_and_zero() {
        assert_eq!(kolmogorov_sf(0.0), 1.0);
        assert_eq!(kolmogorov_sf(f64::NAN), 1.0);
        assert_eq!(kolmogorov_sf(1e-200), 1.0);
        assert_eq!(kolmogorov_sf(f64::INFINITY), 0.0);
    }
}
