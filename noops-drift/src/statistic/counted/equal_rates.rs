use noops_stats::special::binomial_sf;

/// How many of some rows have a property.
#[derive(Clone, Copy)]
pub(crate) struct Occurrence {
    pub(crate) count: u64,
    pub(crate) rows: u64,
}

/// The two-sided p-value of the hypothesis that reference and current rows have a property equally often.
///
/// Given the T rows of both sides that have it, the current count is hypergeometric. Its tails are bounded by those of
/// the binomial with T trials and probability m / (n + m), so the p-value holds for any number of rows and any rate,
/// and needs no minimum of expected counts. The rarer of the property and its absence is counted, where the bound is
/// tighter.
pub(crate) fn equal_rates_p_value(reference: Occurrence, current: Occurrence) -> f64 {
    if reference.rows == 0 || current.rows == 0 {
        return 1.0;
    }
    let rows = reference.rows as f64 + current.rows as f64;
    let (in_reference, in_current) = rarer(reference, current);
    let total = in_reference.saturating_add(in_current);
    let at_least = binomial_sf(in_current, total, current.rows as f64 / rows);
    let at_most = binomial_sf(in_reference, total, reference.rows as f64 / rows);
    (2.0 * at_least.min(at_most)).min(1.0)
}

fn rarer(reference: Occurrence, current: Occurrence) -> (u64, u64) {
    let with = u128::from(reference.count) + u128::from(current.count);
    let rows = u128::from(reference.rows) + u128::from(current.rows);
    if 2 * with > rows {
        (
            reference.rows.saturating_sub(reference.count),
            current.rows.saturating_sub(current.count),
        )
    } else {
        (reference.count, current.count)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{Occurrence, equal_rates_p_value};
    use crate::testing::{Draws as _, SplitMix64};

    fn p_value(reference: (u64, u64), current: (u64, u64)) -> f64 {
        let [reference, current] =
            [reference, current].map(|(count, rows)| Occurrence { count, rows });
        equal_rates_p_value(reference, current)
    }

    #[track_caller]
    fn close(found: f64, expected: f64) {
        assert!(
            (found / expected - 1.0).abs() <= 1e-8,
            "found {found}, expected {expected}"
        );
    }

    #[test]
    fn equal_rates_agree_with_scipy() {
        // min(1, 2 * min(binom.sf(c - 1, T, m / N), binom.sf(r - 1, T, n / N))) with scipy.stats.binom
        close(
            p_value((0, 100_000), (20, 200)),
            2.015_001_985_063_051_5e-54,
        );
        close(p_value((0, 20_000), (25, 500)), 9.581_501_626_763_605e-41);
        close(p_value((30, 1_000), (30, 400)), 0.000_743_237_765_891_503_3);
        close(p_value((5, 100), (1, 900)), 0.000_110_000_000_000_000_03);
        assert_eq!(p_value((10, 1_000), (5, 500)), 1.0);
    }

    #[test]
    fn nothing_seen_is_no_evidence() {
        assert_eq!(p_value((0, 100), (0, 100)), 1.0);
        assert_eq!(p_value((7, 100), (0, 0)), 1.0);
        assert_eq!(p_value((0, 0), (7, 100)), 1.0);
    }

    #[test]
    fn equal_rates_are_rarely_called_different() {
        let mut random = SplitMix64(21);
        for (rate, n, m) in [(0.02, 1_000, 200), (0.3, 200, 400), (0.95, 500, 100)] {
            let shares = [rate, 1.0 - rate];
            let found = (0..500)
                .filter(|_| {
                    let reference = random.counts(&shares, n)[0];
                    let current = random.counts(&shares, m)[0];
                    p_value((reference, n), (current, m)) <= 0.05
                })
                .count();
            // At most 25 in expectation; more than 37 would have a probability below 1 %.
            assert!(found <= 37, "{found} of 500 at {rate}");
        }
    }

    proptest! {
        #[test]
        fn a_property_and_its_absence_are_the_same_question(r in 0_u64..200, c in 0_u64..50) {
            // An odd number of rows: neither of the two is exactly half of them.
            let (n, m) = (200, 51);
            let absent = p_value((n - r, n), (m - c, m));
            prop_assert_eq!(p_value((r, n), (c, m)), absent);
        }

        #[test]
        fn any_counts_give_a_probability(r in any::<u64>(), n in any::<u64>(), c in any::<u64>(), m in any::<u64>()) {
            let p_value = p_value((r, n), (c, m));
            prop_assert!((0.0..=1.0).contains(&p_value), "{}", p_value);
        }
    }
}
