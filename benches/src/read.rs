//! The least that any counting of numbers has to do: read them once.

use arrow_array::cast::AsArray;
use arrow_array::types::{Float32Type, Float64Type};
use arrow_array::{Array, RecordBatch};
use fearless_simd::{Level, Simd, dispatch};

/// Adds up the numbers with the widest registers of the processor, which is as fast as they come from memory.
#[must_use]
pub fn read_f64(values: &[f64]) -> f64 {
    dispatch!(Level::new(), simd => add_f64(simd, values))
}

/// Adds up the numbers with the widest registers of the processor, which is as fast as they come from memory.
///
/// The sums of a few thousand numbers are `f32`, their total is `f64`.
#[must_use]
pub fn read_f32(values: &[f32]) -> f64 {
    dispatch!(Level::new(), simd => add_f32(simd, values))
}

/// Adds up all columns of a batch; nothing when one is neither `Float64` nor `Float32`.
///
/// What lies under a null is added like any other number: it has to be read as well.
#[must_use]
pub fn read_batch(batch: &RecordBatch) -> Option<f64> {
    batch.columns().iter().map(|column| read(column)).sum()
}

fn read(column: &dyn Array) -> Option<f64> {
    if let Some(column) = column.as_primitive_opt::<Float64Type>() {
        return Some(read_f64(column.values()));
    }
    let column = column.as_primitive_opt::<Float32Type>()?;
    Some(read_f32(column.values()))
}

#[inline(always)]
fn add_f64<S: Simd>(simd: S, values: &[f64]) -> f64 {
    simd.vectorize(
        #[inline(always)]
        || {
            // Many sums, because one would wait for its own additions.
            let mut lanes = [0.0_f64; LANES];
            let (chunks, rest) = values.as_chunks::<LANES>();
            for chunk in chunks {
                for (lane, value) in lanes.iter_mut().zip(chunk) {
                    *lane += value;
                }
            }
            lanes.iter().sum::<f64>() + rest.iter().sum::<f64>()
        },
    )
}

#[inline(always)]
fn add_f32<S: Simd>(simd: S, values: &[f32]) -> f64 {
    simd.vectorize(
        #[inline(always)]
        || {
            let mut total = 0.0;
            for block in values.chunks(BLOCK) {
                let mut lanes = [0.0_f32; LANES];
                let (chunks, rest) = block.as_chunks::<LANES>();
                for chunk in chunks {
                    for (lane, value) in lanes.iter_mut().zip(chunk) {
                        *lane += value;
                    }
                }
                let lanes = lanes.iter().copied().map(f64::from).sum::<f64>();
                total += lanes + rest.iter().copied().map(f64::from).sum::<f64>();
            }
            total
        },
    )
}

/// As many sums as fill registers and never wait for each other, and few enough to stay in registers.
const LANES: usize = 32;
/// Values whose sums are added up as `f32`: enough that adding up the sums themselves takes no time.
const BLOCK: usize = 1 << 16;

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow_array::{ArrayRef, Float32Array, Float64Array, Int64Array};

    use super::*;
    use crate::SplitMix64;

    #[test]
    fn the_sum_is_that_of_a_loop_at_every_length() {
        for rows in [0, 1, 31, 32, 33, 63, 64, 65, 100_003] {
            let values = SplitMix64::new(1).numbers(rows);
            let sum: f64 = values.iter().sum();
            assert!((read_f64(&values) - sum).abs() < 1e-6, "{rows}");
            let narrow: Vec<f32> = values.iter().map(|value| *value as f32).collect();
            assert!((read_f32(&narrow) - sum).abs() < 0.1, "{rows}");
        }
    }

    #[test]
    fn a_batch_is_the_sum_of_its_columns() {
        let wide: ArrayRef = Arc::new(Float64Array::from(vec![1.0, 2.0]));
        let narrow: ArrayRef = Arc::new(Float32Array::from(vec![0.5, 0.25]));
        let batch = RecordBatch::try_from_iter([("wide", Arc::clone(&wide)), ("narrow", narrow)]);
        assert_eq!(read_batch(&batch.unwrap()), Some(3.75));
        let whole: ArrayRef = Arc::new(Int64Array::from(vec![1, 2]));
        let batch = RecordBatch::try_from_iter([("wide", wide), ("whole", whole)]);
        assert_eq!(read_batch(&batch.unwrap()), None);
    }
}
