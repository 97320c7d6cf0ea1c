/// The smallest gap, in units of 1 / (recent · older), whose exact two-sided tail is at most `alpha`; nothing if even the
/// largest is more probable.
pub(super) fn least_gap(recent: usize, older: usize, alpha: f64) -> Option<u64> {
    let largest = recent as u64 * older as u64;
    if tail(recent, older, largest) > alpha {
        return None;
    }
    // The tail at `high` is always at most alpha, and that at `low` above it or `low` is 0.
    let (mut low, mut high) = (0_u64, largest);
    while high - low > 1 {
        let middle = low + (high - low) / 2;
        if tail(recent, older, middle) <= alpha {
            high = middle;
        } else {
            low = middle;
        }
    }
    Some(high)
}

/// The probability that two samples of one continuous distribution are at least `gap` / (recent · older) apart.
///
/// The order of the pooled sample is a walk that draws without replacement, so the mass that leaves the band is summed
/// directly: no cancellation, and right in the far tail.
fn tail(recent: usize, older: usize, gap: u64) -> f64 {
    let mut downwards = vec![0.0_f64; older + 1];
    if let Some(start) = downwards.first_mut() {
        *start = 1.0;
    }
    let mut outside = 0.0;
    for i in 0..=recent {
        let mut sideways = 0.0;
        for (j, place) in downwards.iter_mut().enumerate() {
            let mass = *place + sideways;
            let distance = (i as u64 * older as u64).abs_diff(j as u64 * recent as u64);
            let (to_recent, to_older) = ((recent - i) as f64, (older - j) as f64);
            let left = to_recent + to_older;
            if distance >= gap {
                outside += mass;
                *place = 0.0;
                sideways = 0.0;
            } else if left > 0.0 {
                *place = mass * to_recent / left;
                sideways = mass * to_older / left;
            }
        }
    }
    outside
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::*;

    #[derive(Deserialize)]
    struct Oracle {
        distances: Vec<Distance>,
    }

    #[derive(Deserialize)]
    struct Distance {
        call: String,
        recent: usize,
        older: usize,
        steps: u64,
        p_value: f64,
    }

    #[test]
    fn the_exact_law_is_that_of_scipy_into_the_far_tail() {
        let oracle: Oracle =
            serde_json::from_str(include_str!("../../../testdata/detectors.json")).unwrap();
        assert!(oracle.distances.len() >= 16);
        for case in oracle.distances {
            let p = tail(case.recent, case.older, case.steps);
            let error = (p / case.p_value - 1.0).abs();
            assert!(error < 1e-10, "{}: {p} for {}", case.call, case.p_value);
        }
    }

    #[test]
    fn the_least_gap_is_the_first_that_alpha_allows() {
        for (recent, older, alpha) in [(30, 70, 0.005), (20, 40, 0.05), (5, 5, 0.1)] {
            let gap = least_gap(recent, older, alpha).unwrap();
            assert!(tail(recent, older, gap) <= alpha);
            assert!(tail(recent, older, gap - 1) > alpha);
        }
    }

    #[test]
    fn an_alpha_out_of_reach_has_no_gap() {
        // Two of two apart: 2 of 6 orders.
        assert!((tail(2, 2, 4) - 1.0 / 3.0).abs() < 1e-15);
        assert_eq!(least_gap(2, 2, 0.3), None);
    }
}
