use std::f64::consts::PI;

use super::quantile::upper_quantile;

/// P(K > x) for Kolmogorov's limiting distribution.
///
/// Two series for the same function: one converges fast for large x, its theta-function twin for small x. The large
/// series is a small number from its first term on, so tails keep their relative accuracy until they are subnormal.
#[must_use]
pub fn kolmogorov_sf(x: f64) -> f64 {
    if x.is_nan() || x <= 0.0 {
        return 1.0;
    }
    if x < 1.18 {
        1.0 - small_series(x)
    } else {
        large_series(x)
    }
}

/// The x with P(K > x) = `tail`.
#[must_use]
pub fn kolmogorov_upper_quantile(tail: f64) -> f64 {
    upper_quantile(tail, 2.0, kolmogorov_sf)
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
    fn far_tails_are_twice_one_exponential() {
        for x in [4.0_f64, 9.0, 13.5, 18.0, 18.5] {
            let exact = 2.0 * (-2.0 * x * x).exp();
            assert!((kolmogorov_sf(x) / exact - 1.0).abs() < 1e-12, "at {x}");
        }
        assert!(kolmogorov_sf(18.6) > 0.0);
        for tail in [1e-9, 1e-100, 1e-300] {
            close(kolmogorov_sf(kolmogorov_upper_quantile(tail)), tail);
        }
    }

    #[test]
    fn both_series_meet() {
        let (below, above) = (kolmogorov_sf(1.18 - 1e-12), kolmogorov_sf(1.18));
        assert!((below - above).abs() < 1e-11 && below >= above);
    }

    #[test]
    fn the_ends_are_one_and_zero() {
        assert_eq!(kolmogorov_sf(0.0), 1.0);
        assert_eq!(kolmogorov_sf(f64::NAN), 1.0);
        assert_eq!(kolmogorov_sf(1e-200), 1.0);
        assert_eq!(kolmogorov_sf(f64::INFINITY), 0.0);
    }
}
