//! Frames of seeded numbers, as a profile is learned from and compared with.

use std::f64::consts::TAU;

use arrow_array::{ArrayRef, RecordBatch};
use noops_core::{Error, ErrorKind};

use crate::splitmix::SplitMix64;

/// Names the columns by their place and makes a frame of them.
///
/// # Errors
///
/// When Arrow refuses the columns: there is none, or they have different lengths.
pub fn frame(columns: impl IntoIterator<Item = ArrayRef>) -> Result<RecordBatch, Error> {
    let columns: Vec<(String, ArrayRef)> = (0..).map(column_name).zip(columns).collect();
    RecordBatch::try_from_iter(columns).map_err(|source| {
        let message = "the columns do not fit together";
        Error::new(ErrorKind::Invalid, "generate rows", message).caused_by(source)
    })
}

/// The name of a column of a [`frame`].
#[must_use]
pub fn column_name(place: usize) -> String {
    format!("c{place:04}")
}

/// Numbers uniform in `0..1`, of which the first two are 0 and 1.
///
/// So the range of the reference is that of all later numbers, as it nearly is for a reference of millions of rows.
#[must_use]
pub fn reference_numbers(seed: u64, rows: usize) -> Vec<f64> {
    let mut numbers = SplitMix64::new(seed).numbers(rows);
    for (number, end) in numbers.iter_mut().zip([0.0, 1.0]) {
        *number = end;
    }
    numbers
}

/// Numbers of a normal distribution of deviation one.
#[must_use]
pub fn normal_numbers(seed: u64, rows: usize, mean: f64) -> Vec<f64> {
    let mut generator = SplitMix64::new(seed);
    let mut number = || {
        let radius = (-2.0 * (1.0 - generator.next_f64()).ln()).sqrt();
        mean + radius * (TAU * generator.next_f64()).cos()
    };
    (0..rows).map(|_| number()).collect()
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow_array::Float64Array;

    use super::*;

    #[test]
    fn columns_are_named_by_their_place() {
        let columns = [vec![1.0], vec![2.0]];
        let columns = columns.map(|column| Arc::new(Float64Array::from(column)) as ArrayRef);
        let frame = frame(columns).unwrap();
        assert_eq!(frame.schema_ref().field(1).name(), "c0001");
        assert!(super::frame([]).is_err());
    }

    #[test]
    fn the_reference_spans_all_later_numbers() {
        let reference = reference_numbers(3, 100);
        assert_eq!(reference.get(..2), Some([0.0, 1.0].as_slice()));
        assert_eq!(reference.get(2..), SplitMix64::new(3).numbers(100).get(2..));
    }

    #[test]
    fn normal_numbers_have_their_mean_and_deviation() {
        let numbers = normal_numbers(5, 100_000, 2.0);
        let mean = numbers.iter().sum::<f64>() / 1e5;
        let variance = numbers.iter().map(|x| (x - mean) * (x - mean)).sum::<f64>() / 1e5;
        assert!((mean - 2.0).abs() < 0.02, "{mean}");
        assert!((variance - 1.0).abs() < 0.02, "{variance}");
    }
}
