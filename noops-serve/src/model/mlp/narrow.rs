use fearless_simd::{Simd, prelude::*};

use super::dense::VECTORS;
use super::layer::Layer;

/// A layer of a few outputs, each computed as a scalar product.
#[derive(Clone, Debug)]
pub(super) struct Narrow {
    inputs: usize,
    bias: Vec<f32>,
    /// Of each output: the weight of each input, and zeros to a whole panel.
    columns: Vec<f32>,
}

impl Narrow {
    pub(super) fn new(layer: &Layer, panel: usize) -> Self {
        let mut columns = Vec::new();
        for output in 0..layer.outputs() {
            let column = layer.weight().iter().skip(output).step_by(layer.outputs());
            columns.extend(column);
            columns.resize(columns.len().next_multiple_of(panel), 0.0);
        }
        Self {
            inputs: layer.inputs(),
            bias: layer.bias().to_vec(),
            columns,
        }
    }

    #[inline(always)]
    pub(super) fn run<S: Simd>(
        &self,
        simd: S,
        inputs: &mut [f32],
        stride: usize,
        outputs: &mut [f32],
        output_stride: usize,
    ) {
        let rows = inputs.chunks_exact_mut(stride);
        for (row, answers) in rows.zip(outputs.chunks_exact_mut(output_stride)) {
            // The layer before may have left an infinity there, and zero times infinity is not zero.
            row.iter_mut().skip(self.inputs).for_each(|x| *x = 0.0);
            let columns = self.columns.chunks_exact(stride).zip(&self.bias);
            for (answer, (column, bias)) in answers.iter_mut().zip(columns) {
                *answer = product::<S>(simd, column, row) + bias;
            }
        }
    }
}

/// The scalar product of two slices of whole panels.
#[inline(always)]
fn product<S: Simd>(simd: S, column: &[f32], row: &[f32]) -> f32 {
    let lanes = S::f32s::LEN;
    let mut sums = [S::f32s::splat(simd, 0.0); VECTORS];
    let panels = column.chunks_exact(VECTORS * lanes);
    for (column, row) in panels.zip(row.chunks_exact(VECTORS * lanes)) {
        let pairs = column.chunks_exact(lanes).zip(row.chunks_exact(lanes));
        for (sum, (weight, x)) in sums.iter_mut().zip(pairs) {
            let x = S::f32s::from_slice(simd, x);
            *sum = S::f32s::from_slice(simd, weight).mul_add(x, *sum);
        }
    }
    let [first, second, third, fourth] = sums;
    let sum = (first + second) + (third + fourth);
    let mut lanes = [0.0; WIDEST];
    if let Some(front) = lanes.get_mut(..S::f32s::LEN) {
        sum.store_slice(front);
    }
    folded(lanes)
}

/// Halves are added until one number remains.
#[inline(always)]
fn folded(lanes: [f32; WIDEST]) -> f32 {
    let [a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p] = lanes;
    let [a, b, c, d] = [a + i, b + j, c + k, d + l];
    let [e, f, g, h] = [e + m, f + n, g + o, h + p];
    ((a + e) + (c + g)) + ((b + f) + (d + h))
}

/// Lanes of the widest vector there is.
const WIDEST: usize = 16;
