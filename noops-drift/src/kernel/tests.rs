use fearless_simd::Level;
use proptest::prelude::*;

use super::*;

/// Every level that this processor has, the scalar twin among them.
fn levels() -> Vec<Level> {
    let best = Level::new();
    let mut levels = vec![best, Level::baseline()];
    #[cfg(target_arch = "x86_64")]
    levels.extend(best.as_avx2().map(Level::Avx2));
    levels
}

/// What is meant, one value at a time.
fn naive<T: Float>(edges: &[f64], range: Option<(f64, f64)>, values: &[T]) -> (Vec<u64>, Unusual) {
    let mut bins = vec![0; edges.len() + 1];
    let mut unusual = Unusual::default();
    for value in values {
        let value = value.widen();
        if value.is_nan() {
            unusual.nan += 1;
        } else if value == f64::INFINITY {
            unusual.positive_infinity += 1;
        } else if value == f64::NEG_INFINITY {
            unusual.negative_infinity += 1;
        } else {
            bins[edges.partition_point(|edge| *edge < value)] += 1;
            if let Some((min, max)) = range {
                unusual.below += u64::from(value < min);
                unusual.above += u64::from(value > max);
            }
        }
    }
    (bins, unusual)
}

#[track_caller]
fn check<T: Float>(edges: &[f64], range: Option<(f64, f64)>, values: &[T]) {
    let expected = naive(edges, range, values);
    for level in levels() {
        let counter = Edges::<T>::at_level(edges, range, level);
        let mut tally = Tally::new(edges.len());
        counter.count(values, &mut tally);
        assert_eq!(
            (tally.bins, tally.unusual),
            expected,
            "{level:?}, {} edges, {} values",
            edges.len(),
            values.len()
        );
    }
}

const SPECIAL: [f64; 14] = [
    f64::NAN,
    f64::INFINITY,
    f64::NEG_INFINITY,
    0.0,
    -0.0,
    f64::MIN_POSITIVE,
    5e-324,
    -5e-324,
    f64::MAX,
    f64::MIN,
    1.0,
    -1.0,
    0.1,
    3.0,
];

fn value() -> impl Strategy<Value = f64> {
    prop_oneof![
        4 => -5.0_f64..5.0,
        2 => (-20_i32..20).prop_map(|x| f64::from(x) / 4.0),
        1 => prop::sample::select(SPECIAL.to_vec()),
        1 => any::<f64>(),
    ]
}

fn edges(most: usize) -> impl Strategy<Value = Vec<f64>> {
    prop::collection::vec(value(), 0..most).prop_map(|mut edges| {
        edges.retain(|edge| edge.is_finite());
        edges.iter_mut().for_each(|edge| *edge += 0.0);
        edges.sort_unstable_by(f64::total_cmp);
        edges.dedup();
        edges
    })
}

fn range() -> impl Strategy<Value = Option<(f64, f64)>> {
    prop::option::of((-6.0_f64..0.0, 0.0_f64..6.0))
}

#[test]
fn every_number_of_edges_and_every_length_around_the_lanes_is_counted_alike() {
    let values: Vec<f64> = (0..70)
        .map(|i| f64::from((i * 37) % 71) - 35.0)
        .chain(SPECIAL)
        .collect();
    let narrow: Vec<f32> = values.iter().map(|value| *value as f32).collect();
    for n in 0..60 {
        let edges: Vec<f64> = (0..n).map(|i| f64::from(i) * 1.3 - 36.0).collect();
        for start in 0..3 {
            for end in [start, start + 1, 20, 31, 32, 33, 64, 65, values.len()] {
                check(&edges, Some((-20.0, 20.0)), &values[start..end.max(start)]);
                check(&edges, Some((-20.0, 20.0)), &narrow[start..end.max(start)]);
            }
        }
    }
}

#[test]
fn many_edges_with_heavy_tails_are_counted_alike() {
    let edges: Vec<f64> = (-150..150)
        .map(|i| f64::from(i).signum() * (f64::from(i).abs() / 10.0).exp())
        .collect();
    let mut edges = edges;
    edges.sort_unstable_by(f64::total_cmp);
    edges.dedup();
    let values: Vec<f64> = (0..5_000)
        .map(|i| (f64::from(i) - 2_500.0) * 0.7)
        .chain(SPECIAL)
        .collect();
    check(&edges, Some((-1e6, 1e6)), &values);
    let even: Vec<f64> = (0..256).map(f64::from).collect();
    check(&even, Some((0.0, 255.0)), &values);
}

#[test]
fn edges_at_the_ends_of_the_numbers_are_counted_alike() {
    let edges: Vec<f64> = std::iter::once(f64::MIN)
        .chain((0..60).map(f64::from))
        .chain([f64::MAX])
        .collect();
    check(&edges, Some((f64::MIN, f64::MAX)), &SPECIAL);
    let tiny: Vec<f64> = (0..60).map(|i| f64::from(i) * 5e-324).collect();
    check(&tiny, Some((0.0, 1.0)), &SPECIAL);
}

#[test]
fn a_narrow_edge_divides_as_the_wide_one_does() {
    for edge in [0.1, 1.0 / 3.0, 1e-46, -1e-46, 1e300, -1e300, 16_777_217.0] {
        let narrow = <f32 as Float>::at_most(edge);
        for value in [
            narrow,
            narrow.next_up(),
            narrow.next_down(),
            0.0,
            -0.0,
            f32::MAX,
            f32::MIN,
        ] {
            assert_eq!(value > narrow, f64::from(value) > edge, "{value} {edge}");
        }
    }
}

proptest! {
    #[test]
    fn every_path_counts_as_the_naive_one(edges in edges(140), range in range(), values in prop::collection::vec(value(), 0..300)) {
        check(&edges, range, &values);
        let narrow: Vec<f32> = values.iter().map(|value| *value as f32).collect();
        check(&edges, range, &narrow);
    }
}
