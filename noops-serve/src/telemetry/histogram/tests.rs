use proptest::prelude::*;

use noops_core::Probability;

use super::*;

fn snapshot_of(values: &[u64]) -> HistogramSnapshot {
    let histogram = Histogram::new();
    values.iter().for_each(|value| histogram.record(*value));
    histogram.snapshot()
}

/// Values of all magnitudes.
fn values() -> impl Strategy<Value = Vec<u64>> {
    let value = (any::<u64>(), 0u32..64).prop_map(|(value, shift)| value >> shift);
    prop::collection::vec(value, 1..200)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn quantiles_are_those_of_the_sorted_values(mut values in values(), q in 0.0..=1.0_f64) {
        let seen = snapshot_of(&values);
        values.sort_unstable();
        let q: f64 = q;
        let rank = ((q * values.len() as f64).ceil() as usize).max(1);
        let exact = values[rank - 1];
        let told = seen.quantile(Probability::new(q).unwrap()).unwrap();
        prop_assert!(told.abs_diff(exact) <= exact / 32, "{told} for {exact}");
    }

    #[test]
    fn counts_and_sums_are_exact(values in values()) {
        let seen = snapshot_of(&values);
        prop_assert_eq!(seen.count(), values.len() as u64);
        prop_assert_eq!(seen.sum(), values.iter().fold(0, |sum, value| u64::wrapping_add(sum, *value)));
        let (least, most) = (values.iter().min().unwrap(), values.iter().max().unwrap());
        let (low, high) = (seen.min_bound().unwrap(), seen.max_bound().unwrap());
        prop_assert!(low <= *least && least - low <= least / 16);
        prop_assert!(*most <= high && high - most <= most / 16);
        prop_assert_eq!(seen.iter().map(Bucket::count).sum::<u64>(), seen.count());
    }

    #[test]
    fn merging_is_recording_together(one in values(), other in values()) {
        let mut merged = snapshot_of(&one);
        merged.merge(&snapshot_of(&other));
        let together: Vec<u64> = one.iter().chain(&other).copied().collect();
        prop_assert_eq!(&merged, &snapshot_of(&together));
        prop_assert_eq!(merged.since(&snapshot_of(&one)), snapshot_of(&other));
    }

    #[test]
    fn a_count_up_to_a_bound_never_counts_what_is_above(values in values(), bound in any::<u64>(), shift in 0u32..64) {
        let bound = bound >> shift;
        let told = snapshot_of(&values).count_at_most(bound);
        let exact = values.iter().filter(|value| **value <= bound).count() as u64;
        let surely = values.iter().filter(|value| **value <= bound - bound / 16).count() as u64;
        prop_assert!(told <= exact && surely <= told);
    }
}

#[test]
fn an_empty_histogram_knows_nothing() {
    let seen = Histogram::new().snapshot();
    assert_eq!(seen, HistogramSnapshot::empty());
    assert!(seen.is_empty());
    assert_eq!(seen.quantile(Probability::ONE), None);
    assert_eq!(
        (seen.min_bound(), seen.max_bound(), seen.mean()),
        (None, None, None)
    );
}

#[test]
fn a_value_recorded_many_times_at_once_is_the_same_as_one_by_one() {
    let histogram = Histogram::new();
    histogram.record_n(700, 3);
    histogram.record_n(9, 0);
    assert_eq!(histogram.snapshot(), snapshot_of(&[700, 700, 700]));
}

#[test]
fn nothing_recorded_by_many_threads_is_lost() {
    let histogram = Histogram::new();
    std::thread::scope(|scope| {
        for thread in 0..16_u64 {
            let histogram = &histogram;
            scope.spawn(move || (0..5000).for_each(|value| histogram.record(thread * value)));
        }
    });
    let seen = histogram.snapshot();
    assert_eq!(seen.count(), 80_000);
    assert_eq!(seen.sum(), (0..16).sum::<u64>() * (0..5000).sum::<u64>());
}

#[test]
fn a_snapshot_taken_meanwhile_never_goes_back() {
    let histogram = Histogram::new();
    std::thread::scope(|scope| {
        scope.spawn(|| (0..50_000).for_each(|value| histogram.record(value)));
        let mut before = histogram.snapshot();
        for _ in 0..50 {
            let now = histogram.snapshot();
            assert!(now.count() >= before.count());
            assert_eq!(
                now.since(&before).count(),
                now.count() - before.count(),
                "no bucket shrinks"
            );
            before = now;
        }
    });
    assert_eq!(histogram.snapshot().count(), 50_000);
}

#[test]
fn a_histogram_takes_less_than_64_kib() {
    let words = size_of::<[u64; WORDS]>().next_multiple_of(128);
    assert!(words * crate::telemetry::shards::MAX_SHARDS <= 62 * 1024);
}

#[test]
fn the_longest_time_is_recorded_as_the_largest_number() {
    let histogram = Histogram::new();
    histogram.record_duration(Duration::MAX);
    histogram.record_duration(Duration::from_micros(2));
    let seen = histogram.snapshot();
    assert_eq!(seen.max_bound(), Some(u64::MAX));
    assert_eq!(seen.quantile(Probability::ZERO), Some(2016));
}
