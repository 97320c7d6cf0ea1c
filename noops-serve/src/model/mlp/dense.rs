//! A dense layer in the order in which the processor reads it.
//!
//! Every output of a row is one chain of fused multiplications and additions over the inputs in their order, whether the row is computed
//! alone or beside others: that is why a batch changes no bit of an answer.

use fearless_simd::{Simd, prelude::*};

use super::Activation;
use super::layer::Layer;
use super::narrow::Narrow;

/// A layer made ready for one width of vectors.
#[derive(Clone, Debug)]
pub(super) struct Dense {
    weights: Weights,
    activation: Activation,
    /// Values from a row of inputs to the next, which is a multiple of the panel.
    pub(super) input_stride: usize,
    pub(super) outputs: usize,
    pub(super) output_stride: usize,
}

/// How the weights lie.
#[derive(Clone, Debug)]
enum Weights {
    /// A vector register for each few outputs.
    Wide(Wide),
    /// Registers along the inputs, for layers of so few outputs that they would fill no register.
    Narrow(Narrow),
}

#[derive(Clone, Debug)]
struct Wide {
    inputs: usize,
    /// Of each panel of outputs: the bias, then the weights of each input.
    panels: Vec<f32>,
}

impl Dense {
    /// Packs a layer into panels of `panel` outputs.
    pub(super) fn new(layer: &Layer, panel: usize) -> Self {
        let weights = if layer.outputs() <= NARROW {
            Weights::Narrow(Narrow::new(layer, panel))
        } else {
            Weights::Wide(Wide::new(layer, panel))
        };
        Self {
            weights,
            activation: layer.activation(),
            input_stride: layer.inputs().next_multiple_of(panel),
            outputs: layer.outputs(),
            output_stride: layer.outputs().next_multiple_of(panel),
        }
    }

    /// Computes whole rows of inputs into as many rows of outputs; what lies behind the values of a row of outputs has no meaning.
    #[inline(always)]
    pub(super) fn run<S: Simd>(&self, simd: S, inputs: &mut [f32], outputs: &mut [f32]) {
        match &self.weights {
            Weights::Wide(wide) => wide.run(simd, self, inputs, outputs),
            Weights::Narrow(narrow) => {
                narrow.run(simd, inputs, self.input_stride, outputs, self.output_stride);
            }
        }
        self.activation
            .apply(simd, outputs, self.output_stride, self.outputs);
    }
}

impl Wide {
    fn new(layer: &Layer, panel: usize) -> Self {
        let mut panels = Vec::new();
        let starts = (0..layer.outputs()).step_by(panel);
        for start in starts {
            let rows = std::iter::once(layer.bias());
            for row in rows.chain(layer.weight().chunks_exact(layer.outputs())) {
                let values = row.iter().skip(start).take(panel);
                let filled = panels.len() + panel;
                panels.extend(values);
                panels.resize(filled, 0.0);
            }
        }
        Self {
            inputs: layer.inputs(),
            panels,
        }
    }

    #[inline(always)]
    fn run<S: Simd>(&self, simd: S, layer: &Dense, inputs: &[f32], outputs: &mut [f32]) {
        let panel = VECTORS * S::f32s::LEN;
        let (stride, output_stride) = (layer.input_stride, layer.output_stride);
        for (index, weights) in self
            .panels
            .chunks_exact((self.inputs + 1) * panel)
            .enumerate()
        {
            let (bias, weights) = weights.split_at(panel);
            let place = index * panel;
            let (mut rows, mut answers) = (inputs, &mut *outputs);
            // With sixteen lanes there are thirty-two registers, and with fewer lanes sixteen.
            if S::f32s::LEN >= 16 {
                let mut fours = rows.chunks_exact(stride * 4);
                let mut answers_to_four = answers.chunks_exact_mut(output_stride * 4);
                for (rows, answers) in (&mut fours).zip(&mut answers_to_four) {
                    four::<S>(
                        simd,
                        bias,
                        weights,
                        stride,
                        rows,
                        output_stride,
                        place,
                        answers,
                    );
                }
                (rows, answers) = (fours.remainder(), answers_to_four.into_remainder());
            }
            let mut twos = rows.chunks_exact(stride * 2);
            let mut answers_to_two = answers.chunks_exact_mut(output_stride * 2);
            for (rows, answers) in (&mut twos).zip(&mut answers_to_two) {
                two::<S>(
                    simd,
                    bias,
                    weights,
                    stride,
                    rows,
                    output_stride,
                    place,
                    answers,
                );
            }
            let ones = twos.remainder().chunks_exact(stride);
            let answers = answers_to_two.into_remainder();
            for (row, answers) in ones.zip(answers.chunks_exact_mut(output_stride)) {
                one::<S>(simd, bias, weights, row, place, answers);
            }
        }
    }
}

/// One panel of a row.
#[inline(always)]
fn one<S: Simd>(
    simd: S,
    bias: &[f32],
    weights: &[f32],
    row: &[f32],
    place: usize,
    answers: &mut [f32],
) {
    let panel = VECTORS * S::f32s::LEN;
    let mut sums = vectors::<S>(simd, bias);
    for (weights, x) in weights.chunks_exact(panel).zip(row) {
        sums = add::<S>(simd, sums, vectors::<S>(simd, weights), *x);
    }
    store::<S>(sums, place, answers);
}

/// One panel of two rows.
#[inline(always)]
#[expect(
    clippy::too_many_arguments,
    reason = "an inner loop whose arguments are registers"
)]
fn two<S: Simd>(
    simd: S,
    bias: &[f32],
    weights: &[f32],
    stride: usize,
    rows: &[f32],
    output_stride: usize,
    place: usize,
    answers: &mut [f32],
) {
    let panel = VECTORS * S::f32s::LEN;
    let (first, second) = rows.split_at(stride);
    let mut first_sums = vectors::<S>(simd, bias);
    let mut second_sums = first_sums;
    let inputs = first.iter().zip(second);
    for (weights, (first, second)) in weights.chunks_exact(panel).zip(inputs) {
        let weights = vectors::<S>(simd, weights);
        first_sums = add::<S>(simd, first_sums, weights, *first);
        second_sums = add::<S>(simd, second_sums, weights, *second);
    }
    let (first, second) = answers.split_at_mut(output_stride);
    store::<S>(first_sums, place, first);
    store::<S>(second_sums, place, second);
}

/// One panel of four rows.
#[inline(always)]
#[expect(
    clippy::too_many_arguments,
    reason = "an inner loop whose arguments are registers"
)]
fn four<S: Simd>(
    simd: S,
    bias: &[f32],
    weights: &[f32],
    stride: usize,
    rows: &[f32],
    output_stride: usize,
    place: usize,
    answers: &mut [f32],
) {
    let panel = VECTORS * S::f32s::LEN;
    let (front, back) = rows.split_at(2 * stride);
    let ((first, second), (third, fourth)) = (front.split_at(stride), back.split_at(stride));
    let start = vectors::<S>(simd, bias);
    let [mut sums_1, mut sums_2, mut sums_3, mut sums_4] = [start; 4];
    let inputs = first.iter().zip(second).zip(third.iter().zip(fourth));
    for (weights, ((first, second), (third, fourth))) in weights.chunks_exact(panel).zip(inputs) {
        let weights = vectors::<S>(simd, weights);
        sums_1 = add::<S>(simd, sums_1, weights, *first);
        sums_2 = add::<S>(simd, sums_2, weights, *second);
        sums_3 = add::<S>(simd, sums_3, weights, *third);
        sums_4 = add::<S>(simd, sums_4, weights, *fourth);
    }
    let (front, back) = answers.split_at_mut(2 * output_stride);
    let (first, second) = front.split_at_mut(output_stride);
    let (third, fourth) = back.split_at_mut(output_stride);
    store::<S>(sums_1, place, first);
    store::<S>(sums_2, place, second);
    store::<S>(sums_3, place, third);
    store::<S>(sums_4, place, fourth);
}

/// The vectors of a panel, which is as long as they are.
#[inline(always)]
fn vectors<S: Simd>(simd: S, panel: &[f32]) -> [S::f32s; VECTORS] {
    let (front, back) = panel.split_at(2 * S::f32s::LEN);
    let (first, second) = front.split_at(S::f32s::LEN);
    let (third, fourth) = back.split_at(S::f32s::LEN);
    [
        S::f32s::from_slice(simd, first),
        S::f32s::from_slice(simd, second),
        S::f32s::from_slice(simd, third),
        S::f32s::from_slice(simd, fourth),
    ]
}

/// The sums and one more product each; by value and spelled out, so that they stay in registers.
#[inline(always)]
fn add<S: Simd>(
    simd: S,
    [a, b, c, d]: [S::f32s; VECTORS],
    [first, second, third, fourth]: [S::f32s; VECTORS],
    x: f32,
) -> [S::f32s; VECTORS] {
    let x = S::f32s::splat(simd, x);
    [
        first.mul_add(x, a),
        second.mul_add(x, b),
        third.mul_add(x, c),
        fourth.mul_add(x, d),
    ]
}

#[inline(always)]
fn store<S: Simd>(sums: [S::f32s; VECTORS], place: usize, answers: &mut [f32]) {
    let panel = answers.get_mut(place..).unwrap_or_default();
    for (sum, answers) in sums.iter().zip(panel.chunks_exact_mut(S::f32s::LEN)) {
        sum.store_slice(answers);
    }
}

/// Vectors of a panel: independent chains that keep the units for multiplication busy.
pub(super) const VECTORS: usize = 4;

/// Layers with up to as many outputs are computed along their inputs.
const NARROW: usize = 4;
