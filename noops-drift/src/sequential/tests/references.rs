use noops_core::Alpha;
use proptest::prelude::*;

use super::normal_reference;
use crate::sequential::{PitBet, ReferenceCdf};
use crate::statistic::SortedSample;
use crate::testing::SplitMix64;

#[test]
fn equal_shares_are_cut_from_distinct_values() {
    let reference = normal_reference(25_600, &mut SplitMix64(1));
    assert_eq!(reference.counts(), [100; 256]);
}

#[test]
fn every_value_of_a_small_set_is_alone_in_its_cell() {
    let values: Vec<f64> = (0..600).map(|i| f64::from(i % 6)).collect();
    let reference = ReferenceCdf::of_sample(&SortedSample::new(&values));
    for value in 0..6 {
        let cell = reference.cell_of(f64::from(value));
        assert_eq!(reference.counts()[cell], 100);
    }
    let between = reference.cell_of(2.5);
    assert_eq!(reference.counts()[between], 0);
    assert_eq!(reference.cell_of(-0.0), reference.cell_of(0.0));
}

#[test]
fn infinities_have_cells_and_no_edges() {
    let mut values = vec![f64::INFINITY; 50];
    values.extend([f64::NEG_INFINITY; 50]);
    values.extend((0..100).map(f64::from));
    values.push(f64::NAN);
    let reference = ReferenceCdf::of_sample(&SortedSample::new(&values));
    assert!(reference.edges().iter().all(|edge| edge.is_finite()));
    assert_eq!(reference.counts().first(), Some(&50));
    assert_eq!(reference.counts().last(), Some(&50));
    assert_eq!((reference.values(), reference.missing()), (200, 1));
}

#[test]
fn the_error_of_the_reference_shrinks_with_its_rows_and_grows_with_the_sketch() {
    let few = normal_reference(500, &mut SplitMix64(2));
    let many = normal_reference(5_000, &mut SplitMix64(2));
    assert!(many.band(0.01) < few.band(0.01));
    // math.sqrt(math.log(2 / 0.01) / (2 * 500))
    assert!((few.band(0.01) - 0.07278954160144187).abs() < 1e-12);
    let sketched = many.clone().with_sketch_error(0.01).unwrap();
    assert!((sketched.band(0.01) - many.band(0.01) - 0.01).abs() < 1e-15);
}

#[test]
fn impossible_cells_are_refused_with_the_fault_named() {
    assert!(ReferenceCdf::from_cells(&[1.0], &[1]).is_err());
    assert!(ReferenceCdf::from_cells(&[f64::NAN], &[1, 2]).is_err());
    assert!(ReferenceCdf::from_cells(&[], &[]).is_err());
    let error = ReferenceCdf::from_cells(&[1.0, 1.0], &[1, 2, 3]).unwrap_err();
    assert_eq!(
        error.to_string(),
        "input `edges` is not ascending; sort the bounds and leave out repeated ones"
    );
    assert!(ReferenceCdf::from_cells(&[1.0], &[u64::MAX, 1]).is_err());
    let sample = SortedSample::new(&[1.0]);
    assert!(ReferenceCdf::with_cells(&sample, 1).is_err());
    assert!(
        ReferenceCdf::of_sample(&sample)
            .with_sketch_error(f64::NAN)
            .is_err()
    );
}

proptest! {
    #[test]
    fn a_gate_finds_the_cell_that_the_reference_has(
        values in prop::collection::vec(prop_oneof![-9.0_f64..9.0, any::<f64>(), (-700.0_f64..700.0).prop_map(f64::exp)], 0..300),
        asked in prop::collection::vec(any::<f64>(), 0..20),
        cells in 2_usize..300,
    ) {
        let reference = ReferenceCdf::with_cells(&SortedSample::new(&values), cells).unwrap();
        let gate = PitBet::new(reference.clone(), Alpha::ONE_PERCENT);
        let near = reference.edges().iter().flat_map(|edge| [edge.next_down(), *edge, edge.next_up()]);
        let ends = [f64::NEG_INFINITY, f64::INFINITY, f64::MIN, f64::MAX, 0.0, -0.0];
        for value in near.chain(ends).chain(values.iter().copied()).chain(asked) {
            if !value.is_nan() {
                prop_assert_eq!(gate.cell_of(value), reference.cell_of(value), "{}", value);
            }
        }
    }

    #[test]
    fn every_value_is_counted_in_the_cell_it_falls_in(values in prop::collection::vec(-8_i32..8, 0..200), cells in 2_usize..40) {
        let values: Vec<f64> = values.into_iter().map(|value| f64::from(value) / 2.0).collect();
        let reference = ReferenceCdf::with_cells(&SortedSample::new(&values), cells).unwrap();
        let mut counts = vec![0_u64; reference.counts().len()];
        for value in &values {
            counts[reference.edges().iter().filter(|edge| *edge < value).count()] += 1;
        }
        prop_assert_eq!(reference.counts(), counts);
        prop_assert!(reference.edges().windows(2).all(|pair| pair[0] < pair[1]));
    }
}
