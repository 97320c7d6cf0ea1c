//! The model: embeddings of the categories beside the numbers, and a small multilayer perceptron.

use burn::module::{Module, Param};
use burn::nn::{Embedding, Linear};
use burn::optim::{AdamWConfig, GradientsParams};
use burn::store::ModuleRecord;
use burn::tensor::activation::{log_sigmoid, relu, sigmoid};
use burn::tensor::{Bytes, Device, Tensor, TensorData};
use noops_core::{Batch, Column, Contract, Error, ErrorKind, Executor, FeatureKind};
use noops_serve::{BurnExecutor, Inputs};
use rand::rngs::ChaCha8Rng;
use rand::seq::SliceRandom;
use rand::{RngExt, SeedableRng};

/// Scores the chance that a flight arrives late.
#[derive(Module, Debug)]
pub(crate) struct Network {
    center: Param<Tensor<1>>,
    scale: Param<Tensor<1>>,
    embeddings: Vec<Embedding>,
    first: Linear,
    second: Linear,
    last: Linear,
}

/// The sizes that a contract fixes.
#[derive(Clone, Debug)]
pub(crate) struct Shape {
    numbers: usize,
    categories: Vec<usize>,
}

impl Shape {
    /// The shape of a network whose input keeps a contract.
    pub(crate) fn of(contract: &Contract) -> Self {
        let mut shape = Self {
            numbers: 0,
            categories: Vec::new(),
        };
        for rule in contract.rules() {
            match rule.feature().kind() {
                FeatureKind::Number { .. } => shape.numbers += 1,
                // One code more: 0 stands for missing and unknown.
                FeatureKind::Category { categories } => shape.categories.push(categories.len() + 1),
            }
        }
        shape
    }
}

/// How long and how fast to train.
#[derive(Clone, Debug)]
pub(crate) struct Schedule {
    /// About how many rows are seen, repeats included.
    pub(crate) rows_seen: usize,
    /// Passes over the data at most.
    pub(crate) most_epochs: usize,
    /// The largest learning rate; it rises to it and falls to zero.
    pub(crate) learning_rate: f64,
    /// Rows per step.
    pub(crate) batch: usize,
}

impl Network {
    /// A network with random weights, the same for the same seed.
    fn new(shape: &Shape, center: Vec<f32>, scale: Vec<f32>, seed: u64, device: &Device) -> Self {
        let mut init = Init {
            random: ChaCha8Rng::seed_from_u64(seed),
            parameters: 0,
            device: device.clone(),
        };
        let widths: Vec<usize> = shape
            .categories
            .iter()
            .map(|codes| embedding_width(*codes))
            .collect();
        let inputs = shape.numbers + widths.iter().sum::<usize>();
        Self {
            center: init.constant(center),
            scale: init.constant(scale),
            embeddings: shape
                .categories
                .iter()
                .zip(&widths)
                .map(|(codes, width)| init.embedding(*codes, *width))
                .collect(),
            first: init.linear(inputs, HIDDEN),
            second: init.linear(HIDDEN, HIDDEN / 2),
            last: init.linear(HIDDEN / 2, 1),
        }
    }

    /// Trains a network on rows and labels. The same input and seed give the same weights.
    pub(crate) fn train(
        contract: &Contract,
        rows: &Batch,
        labels: &[bool],
        schedule: &Schedule,
        seed: u64,
    ) -> Self {
        let device = Device::flex().autodiff();
        let (center, scale) = center_and_scale(rows);
        let mut network = Self::new(&Shape::of(contract), center, scale, seed, &device);
        let mut optimizer = AdamWConfig::new().with_weight_decay(1e-3).init();
        let mut order: Vec<usize> = (0..rows.rows().min(labels.len())).collect();
        let mut random = ChaCha8Rng::seed_from_u64(seed ^ 0x5EED);
        let epochs = (schedule.rows_seen / order.len().max(1)).clamp(1, schedule.most_epochs);
        let steps = epochs * order.len().div_ceil(schedule.batch);
        let mut step = 0;
        for _ in 0..epochs {
            order.shuffle(&mut random);
            for indices in order.chunks(schedule.batch) {
                let targets: Vec<f32> = indices
                    .iter()
                    .filter_map(|&row| labels.get(row))
                    .map(|&late| if late { 1.0 } else { 0.0 })
                    .collect();
                let targets =
                    Tensor::<2>::from_data(TensorData::new(targets, [indices.len(), 1]), &device);
                let logits = network.logits(&Inputs::new(&rows.take(indices), &device));
                let gradients = GradientsParams::from_grads(
                    cross_entropy(logits, targets).backward(),
                    &network,
                );
                network = optimizer.step(learning_rate(schedule, step, steps), network, gradients);
                step += 1;
            }
        }
        network.valid()
    }

    /// The artifact.
    pub(crate) fn to_bytes(&self) -> Result<Vec<u8>, Error> {
        let bytes = self.clone().into_record().into_bytes();
        bytes
            .map(|bytes| bytes.to_vec())
            .map_err(|error| Error::new(ErrorKind::Invalid, "write a network", error.to_string()))
    }

    /// Reads an artifact back, as an executor for rows that keep the contract.
    pub(crate) fn executor(
        contract: &Contract,
        artifact: &[u8],
    ) -> Result<Box<dyn Executor>, Error> {
        let device = Device::flex();
        let shape = Shape::of(contract);
        let (center, scale) = (vec![0.0; shape.numbers], vec![1.0; shape.numbers]);
        let corrupt = |error: String| Error::new(ErrorKind::Corrupt, "read a network", error);
        let record = ModuleRecord::from_bytes(Bytes::from_bytes_vec(artifact.to_vec()))
            .map_err(|error| corrupt(error.to_string()))?;
        let network = Self::new(&shape, center, scale, 0, &device)
            .try_load_record(record)
            .map_err(|error| corrupt(error.to_string()))?;
        Ok(Box::new(BurnExecutor::new(
            network,
            device,
            |network: &Self, inputs| sigmoid(network.logits(inputs)),
        )))
    }

    fn logits(&self, inputs: &Inputs) -> Tensor<2> {
        let centered = inputs.numbers() - self.center.val().unsqueeze();
        let numbers = (centered / self.scale.val().unsqueeze()).clamp(-CLAMP, CLAMP);
        let embedded = self
            .embeddings
            .iter()
            .zip(inputs.codes())
            .map(|(embedding, codes)| embedding.forward(codes).flatten(1, 2));
        let joined = Tensor::cat(std::iter::once(numbers).chain(embedded).collect(), 1);
        let hidden = relu(self.first.forward(joined));
        let hidden = relu(self.second.forward(hidden));
        self.last.forward(hidden)
    }
}

/// Parameters with ids of their own counting: burn's are random, and the artifact's digest must not be.
struct Init {
    random: ChaCha8Rng,
    parameters: u64,
    device: Device,
}

impl Init {
    fn parameter<const D: usize>(
        &mut self,
        values: Vec<f32>,
        shape: [usize; D],
    ) -> Param<Tensor<D>> {
        self.parameters += 1;
        let tensor = Tensor::<D>::from_data(TensorData::new(values, shape), &self.device);
        let tensor = if self.device.is_autodiff() {
            tensor.require_grad()
        } else {
            tensor
        };
        Param::initialized(self.parameters.into(), tensor)
    }

    fn constant(&mut self, values: Vec<f32>) -> Param<Tensor<1>> {
        self.parameters += 1;
        let length = values.len();
        Param::initialized(
            self.parameters.into(),
            Tensor::from_data(TensorData::new(values, [length]), &self.device),
        )
    }

    fn uniform(&mut self, count: usize, bound: f32) -> Vec<f32> {
        (0..count)
            .map(|_| self.random.random_range(-bound..=bound))
            .collect()
    }

    fn linear(&mut self, inputs: usize, outputs: usize) -> Linear {
        // Kaiming: keeps the variance through a ReLU.
        let values = self.uniform(inputs * outputs, (6.0 / inputs as f32).sqrt());
        Linear {
            weight: self.parameter(values, [inputs, outputs]),
            bias: Some(self.parameter(vec![0.0; outputs], [outputs])),
        }
    }

    fn embedding(&mut self, codes: usize, width: usize) -> Embedding {
        let mut values = self.uniform(codes * width, 0.3);
        // Code 0 is never trained: it must not move a score.
        values.iter_mut().take(width).for_each(|value| *value = 0.0);
        Embedding {
            weight: self.parameter(values, [codes, width]),
        }
    }
}

fn cross_entropy(logits: Tensor<2>, targets: Tensor<2>) -> Tensor<1> {
    let positive = targets.clone() * log_sigmoid(logits.clone());
    let negative = (targets.ones_like() - targets) * log_sigmoid(-logits);
    -(positive + negative).mean()
}

/// Rises linearly over the first tenth of the steps, then falls along a cosine.
fn learning_rate(schedule: &Schedule, step: usize, steps: usize) -> f64 {
    let progress = step as f64 / steps.max(1) as f64;
    let factor = if progress < 0.1 {
        progress / 0.1
    } else {
        0.5 * (1.0 + (std::f64::consts::PI * (progress - 0.1) / 0.9).cos())
    };
    schedule.learning_rate * factor.max(1e-3)
}

/// The mean and the standard deviation of every numeric column.
fn center_and_scale(rows: &Batch) -> (Vec<f32>, Vec<f32>) {
    let columns = (0..rows.kinds().len()).filter_map(|index| match rows.column(index)? {
        Column::Number(values) => Some(values),
        Column::Category(_) => None,
    });
    columns
        .map(|values| {
            let count = values.len().max(1) as f64;
            let mean = values.iter().map(|value| f64::from(*value)).sum::<f64>() / count;
            let variance = values
                .iter()
                .map(|value| (f64::from(*value) - mean).powi(2))
                .sum::<f64>()
                / count;
            (mean as f32, variance.sqrt().max(1e-6) as f32)
        })
        .unzip()
}

fn embedding_width(codes: usize) -> usize {
    (codes / 4).clamp(2, 8)
}

const HIDDEN: usize = 64;
/// Standard deviations beyond which an input says nothing more.
const CLAMP: f64 = 5.0;
