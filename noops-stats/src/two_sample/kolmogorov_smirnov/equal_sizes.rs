use std::f64::consts::{LN_2, PI};

use crate::special::{kolmogorov_sf, relative_entropy, stirling_error};

/// P(D ≥ `steps` / `rows`) for two samples of `rows` different values each, without drift.
///
/// 2 Σ (−1)^(j−1) C(2n, n − j·steps) / C(2n, n) (Gnedenko and Korolyuk, 1951). Each term is far below the one before it in
/// the tail, so small tails keep their relative accuracy. With equal values it is an upper bound.
pub(super) fn equal_sizes_sf(steps: u64, rows: u64) -> f64 {
    if steps <= 1 {
        return 1.0;
    }
    let limit = steps as f64 / (2.0 * rows as f64).sqrt();
    if limit < NEARLY_CERTAIN {
        // All but 1e-7, and in large samples a sum of very many terms.
        return kolmogorov_sf(limit);
    }
    let mut sum = 0.0;
    let mut sign = 1.0;
    let mut reach = steps;
    while reach <= rows {
        let term = ln_share(reach, rows).exp();
        sum += sign * term;
        if term <= NEGLIGIBLE * sum {
            break;
        }
        sign = -sign;
        reach = reach.saturating_add(steps);
    }
    (2.0 * sum).clamp(0.0, 1.0)
}

/// The largest number of steps whose tail is at least `alpha`; nothing when even two samples apart are no rarer.
#[must_use]
pub fn equal_sizes_kept(alpha: f64, rows: u64) -> Option<u64> {
    let (mut kept, mut rejected) = (0, rows);
    if equal_sizes_sf(rejected, rows) >= alpha {
        return None;
    }
    while rejected - kept > 1 {
        let middle = kept + (rejected - kept) / 2;
        if equal_sizes_sf(middle, rows) >= alpha {
            kept = middle;
        } else {
            rejected = middle;
        }
    }
    Some(kept)
}

/// ln of C(2n, n − k) / C(2n, n), in Stirling's form, in which nothing as large as ln n! cancels.
fn ln_share(k: u64, n: u64) -> f64 {
    let (steps, rows) = (k as f64, n as f64);
    let errors = 2.0 * stirling_error(rows) - stirling_error(rows + steps);
    if k >= n {
        return errors + 0.5 * (PI * rows).ln() - 2.0 * rows * LN_2;
    }
    let distance = steps / rows;
    errors
        - stirling_error(rows - steps)
        - rows * (relative_entropy(distance) + relative_entropy(-distance))
        - 0.5 * (-distance * distance).ln_1p()
}

const NEGLIGIBLE: f64 = 1e-17;
const NEARLY_CERTAIN: f64 = 0.25;

#[cfg(test)]
mod tests {
    use super::{equal_sizes_kept, equal_sizes_sf};

    #[track_caller]
    fn close(found: f64, expected: f64, relative: f64) {
        assert!(
            (found / expected - 1.0).abs() <= relative,
            "found {found}, expected {expected}"
        );
    }

    #[test]
    fn tails_are_those_of_whole_numbers() {
        // 2 samples of 3: D ≥ 1 for 2 of 20 orders, D ≥ 2/3 for 12.
        close(equal_sizes_sf(3, 3), 0.1, 1e-13);
        close(equal_sizes_sf(2, 3), 0.6, 1e-13);
        assert_eq!(equal_sizes_sf(1, 3), 1.0);
        // 2 * sum((-1) ** (j - 1) * comb(2 * n, n - j * k) for j in 1..) / comb(2 * n, n), whole numbers
        for (steps, rows, expected) in EXACT {
            close(equal_sizes_sf(steps, rows), expected, 1e-10);
        }
    }

    #[test]
    fn the_kept_steps_are_the_last_before_rejection() {
        for rows in [4, 50, 20_000, 3_000_000] {
            let kept = equal_sizes_kept(0.05, rows).unwrap();
            assert!(equal_sizes_sf(kept, rows) >= 0.05);
            assert!(equal_sizes_sf(kept + 1, rows) < 0.05);
        }
        assert_eq!(equal_sizes_kept(0.05, 3), None);
        assert_eq!(equal_sizes_kept(0.05, 0), None);
    }

    #[test]
    fn any_sizes_give_a_probability() {
        for rows in [0, 1, 2, 1 << 20, u64::MAX] {
            for steps in [0, 1, 2, 3, 1 << 19, u64::MAX / 2, u64::MAX] {
                let tail = equal_sizes_sf(steps, rows);
                assert!((0.0..=1.0).contains(&tail), "{steps} {rows} {tail}");
            }
        }
    }

    const EXACT: [(u64, u64, f64); 8] = [
        (20, 100, 0.036_384_287_874_917_31),
        (100, 100, 2.208_760_693_199_502_8e-59),
        (150, 3_000, 0.001_104_094_736_323_335_8),
        (750, 3_000, 1.034_311_461_923_476_9e-82),
        (300, 10_000, 0.000_246_597_496_816_978_3),
        (2_600, 10_000, 2.150_967_497_373_788_5e-297),
        (1_000, 100_000, 9.078_926_643_249_715e-05),
        (3_000, 100_000, 1.617_547_553_113_25e-39),
    ];
}
