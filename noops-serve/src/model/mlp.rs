//! Multi-layer perceptrons, fused and without a framework.

mod activation;
mod dense;
mod elementary;
mod inputs;
mod layer;
mod narrow;

use std::sync::Arc;

use fearless_simd::{Level, Simd, dispatch, prelude::*};
use noops_core::{Batch, Error, Executor, Scores};

use self::dense::{Dense, VECTORS};
use self::inputs::Inputs;
use self::layer::refuse;

pub use self::activation::Activation;
pub use self::inputs::{Embedding, Standardisation};
pub use self::layer::Layer;

/// A multi-layer perceptron that runs without a framework: dense layers one after the other, for the models whose arithmetic costs less
/// than a framework's bookkeeping.
///
/// A row is the numbers of a batch in the contract's order, standardised where the model asks for it, followed by the vectors of its
/// categories. Weights are shared among clones and replicas. A missing number, which only a contract that allows it lets through, gives
/// NaN.
///
/// # Numbers
///
/// All arithmetic is in single precision. A sum is accumulated over the inputs in their order with fused multiplications where the
/// processor has them, so that it differs from burn's by rounding: by at most 1e-5 of the largest sum of magnitudes on the way. For one
/// processor the scores of a row are the same to the last bit in every batch; on processors with other vectors they may differ by
/// rounding.
///
/// # Complexity
///
/// Twice the number of weights in operations per row; memory for the weights twice, as given and as the processor reads
/// them, and for 32 rows of the two widest layers per replica.
///
/// # Examples
///
/// ```
/// use noops_core::{Batch, Column, Executor};
/// use noops_serve::model::mlp::{Activation, Layer, Mlp};
///
/// let hidden = Layer::new(2, 2, vec![1.0, -1.0, 1.0, -1.0])?.with_activation(Activation::Relu);
/// let output = Layer::new(2, 1, vec![0.5, 2.0])?.with_bias(vec![0.25])?;
/// let mut model = Mlp::new(vec![hidden, output])?;
/// let batch = Batch::new(vec![Column::Number(vec![1.0, -1.0]), Column::Number(vec![2.0, -2.0])])?;
/// assert_eq!(model.run(&batch)?.values(), [1.75, 6.25]);
/// # Ok::<(), noops_core::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Mlp {
    model: Arc<Model>,
    /// Inputs of a layer, and its outputs.
    scratch: [Vec<f32>; 2],
}

impl Mlp {
    /// A perceptron of layers from the first to the last.
    ///
    /// # Errors
    ///
    /// Refuses no layers, layers that do not fit each other, and a softmax before the last.
    pub fn new(layers: Vec<Layer>) -> Result<Self, Error> {
        let Some((first, last)) = layers.first().zip(layers.last()) else {
            return Err(refuse("there are no layers"));
        };
        let pairs = layers.iter().zip(layers.iter().skip(1)).enumerate();
        for (index, (layer, next)) in pairs {
            if layer.outputs() != next.inputs() {
                return Err(
                    refuse("a layer has other inputs than the one before has outputs")
                        .with("layer", index + 1)
                        .with("inputs", next.inputs())
                        .with("outputs before", layer.outputs()),
                );
            }
            if layer.activation() == Activation::Softmax {
                return Err(refuse("only a last layer has a softmax").with("layer", index));
            }
        }
        let inputs = Inputs {
            numbers: first.inputs(),
            ..Inputs::default()
        };
        let outputs = last.outputs();
        Ok(Self::of(Model::new(layers, inputs, outputs)))
    }

    /// With the scaling that the numbers had in training.
    ///
    /// # Errors
    ///
    /// Refuses a scaling of other numbers than the model has.
    pub fn with_standardisation(self, standardisation: Standardisation) -> Result<Self, Error> {
        let mut inputs = self.model.inputs.clone();
        if standardisation.mean().len() != inputs.numbers {
            return Err(
                refuse("the standardisation is of other numbers than the model has")
                    .with("numbers expected", inputs.numbers)
                    .with("numbers given", standardisation.mean().len()),
            );
        }
        inputs.standardisation = Some(standardisation);
        Ok(self.with_inputs(inputs))
    }

    /// With vectors for the category columns, in the contract's order: they are the last inputs of the first layer, and what is left of
    /// these are numbers. Call it before [`with_standardisation`](Self::with_standardisation).
    ///
    /// # Errors
    ///
    /// Refuses vectors wider than the first layer, and a model that has a standardisation of more numbers than are left.
    pub fn with_embeddings(self, embeddings: Vec<Embedding>) -> Result<Self, Error> {
        let all = self.model.layers.first().map_or(0, Layer::inputs);
        let mut left = Some(all);
        for embedding in &embeddings {
            left = left.and_then(|left| left.checked_sub(embedding.width()));
        }
        let numbers = left.ok_or_else(|| {
            refuse("the embeddings are wider than the first layer").with("inputs", all)
        })?;
        let inputs = Inputs {
            numbers,
            standardisation: self.model.inputs.standardisation.clone(),
            embeddings,
        };
        let scaled = inputs.standardisation.as_ref().map(|by| by.mean().len());
        if scaled.is_some_and(|scaled| scaled != numbers) {
            return Err(refuse(
                "the standardisation is of other numbers than the embeddings leave",
            )
            .with("numbers left", numbers));
        }
        Ok(self.with_inputs(inputs))
    }

    /// The layers, from the first to the last.
    #[must_use]
    pub fn layers(&self) -> &[Layer] {
        &self.model.layers
    }

    /// The scaling of the numbers, if there is one.
    #[must_use]
    pub fn standardisation(&self) -> Option<&Standardisation> {
        self.model.inputs.standardisation.as_ref()
    }

    /// The vectors of the category columns.
    #[must_use]
    pub fn embeddings(&self) -> &[Embedding] {
        &self.model.inputs.embeddings
    }

    /// How many numeric columns a batch must have.
    #[must_use]
    pub fn numbers(&self) -> usize {
        self.model.inputs.numbers
    }

    /// How many scores a row has.
    #[must_use]
    pub fn outputs(&self) -> usize {
        self.model.outputs
    }

    fn of(model: Model) -> Self {
        Self {
            model: Arc::new(model),
            scratch: Default::default(),
        }
    }

    fn with_inputs(self, inputs: Inputs) -> Self {
        let model = &*self.model;
        Self::of(Model::new(model.layers.clone(), inputs, model.outputs))
    }
}

impl Executor for Mlp {
    fn run(&mut self, batch: &Batch) -> Result<Scores, Error> {
        self.model.inputs.check(batch)?;
        let mut scores = Vec::with_capacity(batch.rows().saturating_mul(self.model.outputs));
        let (model, scratch, level) = (&*self.model, &mut self.scratch, self.model.level);
        dispatch!(level, simd => simd.vectorize(
            #[inline(always)]
            || model.run(simd, batch, scratch, &mut scores)
        ));
        Scores::new(self.model.outputs, scores)
    }

    fn replica(&self) -> Option<Box<dyn Executor>> {
        Some(Box::new(self.clone()))
    }
}

/// Two are equal that were built of equal parts.
impl PartialEq for Mlp {
    fn eq(&self, other: &Self) -> bool {
        self.model.layers == other.model.layers && self.model.inputs == other.model.inputs
    }
}

/// What replicas share.
#[derive(Debug)]
struct Model {
    layers: Vec<Layer>,
    inputs: Inputs,
    outputs: usize,
    packed: Vec<Dense>,
    /// Values of the widest row on the way, padding included.
    widest: usize,
    level: Level,
}

impl Model {
    fn new(layers: Vec<Layer>, inputs: Inputs, outputs: usize) -> Self {
        Self::at_level(layers, inputs, outputs, Level::new())
    }

    fn at_level(layers: Vec<Layer>, inputs: Inputs, outputs: usize, level: Level) -> Self {
        let panel = VECTORS * dispatch!(level, simd => lanes(simd));
        let packed: Vec<Dense> = layers
            .iter()
            .map(|layer| Dense::new(layer, panel))
            .collect();
        let strides = packed
            .iter()
            .map(|layer| layer.input_stride.max(layer.output_stride));
        Self {
            widest: strides.max().unwrap_or(panel),
            layers,
            inputs,
            outputs,
            packed,
            level,
        }
    }

    #[inline(always)]
    fn run<S: Simd>(
        &self,
        simd: S,
        batch: &Batch,
        scratch: &mut [Vec<f32>; 2],
        scores: &mut Vec<f32>,
    ) {
        let mut numbers = batch.numbers();
        let mut codes = batch.codes();
        let mut left = batch.rows();
        let needed = self.widest.saturating_mul(left.min(BLOCK));
        for buffer in scratch.iter_mut().filter(|buffer| buffer.len() < needed) {
            buffer.resize(needed, 0.0);
        }
        while left > 0 {
            let rows = left.min(BLOCK);
            let (now, later) = numbers.split_at(numbers.len().min(rows * self.inputs.numbers));
            let categories = self.inputs.embeddings.len();
            let (codes_now, codes_later) = codes.split_at(codes.len().min(rows * categories));
            self.block(simd, rows, now, codes_now, scratch, scores);
            (numbers, codes) = (later, codes_later);
            left -= rows;
        }
    }

    /// Scores as many rows as stay in the first-level cache from layer to layer.
    #[inline(always)]
    fn block<S: Simd>(
        &self,
        simd: S,
        rows: usize,
        numbers: &[f32],
        codes: &[u32],
        [front, back]: &mut [Vec<f32>; 2],
        scores: &mut Vec<f32>,
    ) {
        let (mut front, mut back) = (front.as_mut_slice(), back.as_mut_slice());
        let stride = self.packed.first().map_or(1, |layer| layer.input_stride);
        let categories = self.inputs.embeddings.len();
        for (index, row) in front.chunks_exact_mut(stride).take(rows).enumerate() {
            let of = |width: usize| index * width..(index + 1) * width;
            let numbers = numbers.get(of(self.inputs.numbers)).unwrap_or_default();
            let codes = codes.get(of(categories)).unwrap_or_default();
            self.inputs.write(numbers, codes, row);
        }
        let mut width = stride;
        for layer in &self.packed {
            let inputs = front
                .get_mut(..rows * layer.input_stride)
                .unwrap_or_default();
            let outputs = back
                .get_mut(..rows * layer.output_stride)
                .unwrap_or_default();
            layer.run(simd, inputs, outputs);
            width = layer.output_stride;
            std::mem::swap(&mut front, &mut back);
        }
        for row in front.chunks_exact(width).take(rows) {
            scores.extend_from_slice(row.get(..self.outputs).unwrap_or_default());
        }
    }
}

#[inline(always)]
fn lanes<S: Simd>(_: S) -> usize {
    S::f32s::LEN
}

/// Rows that go through all layers together.
const BLOCK: usize = 32;

#[cfg(test)]
mod tests;
