//! Serving burn modules.

use std::fmt;
use std::sync::Arc;

use burn::module::Module;
use burn::tensor::{Device, Int, Tensor, TensorData};
use noops_core::{Batch, Error, ErrorKind, Executor, Scores};

/// A batch as tensors: what a forward closure gets.
#[derive(Debug)]
pub struct Inputs {
    rows: usize,
    numbers: Vec<f32>,
    codes: Vec<Vec<i32>>,
    device: Device,
}

impl Inputs {
    /// The tensors of a batch, on a device: the way in for training too, so that both see the same.
    #[must_use]
    pub fn new(batch: &Batch, device: &Device) -> Self {
        let categories = batch.category_columns();
        let codes = (0..categories).map(|column| {
            let codes = batch.codes().iter().skip(column).step_by(categories);
            codes
                .map(|&code| i32::try_from(code).unwrap_or(0))
                .collect()
        });
        Self {
            rows: batch.rows(),
            numbers: batch.numbers().to_vec(),
            codes: codes.collect(),
            device: device.clone(),
        }
    }

    /// The number of rows.
    #[must_use]
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// The device the tensors live on.
    #[must_use]
    pub fn device(&self) -> &Device {
        &self.device
    }

    /// All numeric features, `[rows, numeric features]`, in the contract's order.
    #[must_use]
    pub fn numbers(&self) -> Tensor<2> {
        let features = self.numbers.len().checked_div(self.rows).unwrap_or(0);
        Tensor::from_data(
            TensorData::new(self.numbers.clone(), [self.rows, features]),
            &self.device,
        )
    }

    /// The codes of each categorical feature, `[rows, 1]`, in the contract's order: 0 for missing or unknown, `i + 1` for
    /// category `i`.
    #[must_use]
    pub fn codes(&self) -> Vec<Tensor<2, Int>> {
        self.codes
            .iter()
            .map(|codes| {
                Tensor::from_data(TensorData::new(codes.clone(), [self.rows, 1]), &self.device)
            })
            .collect()
    }
}

/// Runs a burn module through a forward closure from [`Inputs`] to `[rows, outputs]`.
///
/// Give it the module for inference: `module.valid()` after training. A module that still tracks gradients answers the same,
/// six times slower.
///
/// # Examples
///
/// ```
/// use burn::module::Module;
/// use burn::nn::{Linear, LinearConfig};
/// use burn::tensor::{Device, activation::sigmoid};
/// use noops_core::{Batch, Column, Executor};
/// use noops_serve::BurnExecutor;
///
/// let device = Device::flex();
/// let linear = LinearConfig::new(2, 1).init(&device);
/// let mut executor = BurnExecutor::new(linear, device, |linear: &Linear, inputs| sigmoid(linear.forward(inputs.numbers())));
/// let batch = Batch::new(vec![Column::Number(vec![0.1, 0.2]), Column::Number(vec![1.0, 2.0])])?;
/// assert_eq!(executor.run(&batch)?.rows(), 2);
/// # Ok::<(), noops_core::Error>(())
/// ```
pub struct BurnExecutor<M> {
    module: M,
    device: Device,
    forward: Arc<Forward<M>>,
}

type Forward<M> = dyn Fn(&M, &Inputs) -> Tensor<2> + Send + Sync;

impl<M: Module + 'static> BurnExecutor<M> {
    /// Wraps a module that lives on `device`.
    pub fn new(
        module: M,
        device: Device,
        forward: impl Fn(&M, &Inputs) -> Tensor<2> + Send + Sync + 'static,
    ) -> Self {
        Self {
            module,
            device,
            forward: Arc::new(forward),
        }
    }
}

impl<M: Module + 'static> Executor for BurnExecutor<M> {
    fn run(&mut self, batch: &Batch) -> Result<Scores, Error> {
        if batch.rows() == 0 {
            // Without rows there are no features either, and no module takes that.
            return Scores::new(1, Vec::new());
        }
        let output = (self.forward)(&self.module, &Inputs::new(batch, &self.device));
        let [_, width] = output.dims();
        let failed = |error: String| Error::new(ErrorKind::Unavailable, "run a burn module", error);
        let data = output
            .try_into_data()
            .map_err(|error| failed(format!("{error:?}")))?;
        Scores::new(
            width,
            data.try_into_vec::<f32>()
                .map_err(|error| failed(format!("{error:?}")))?,
        )
    }

    /// A copy of a module shares its parameters.
    fn replica(&self) -> Option<Box<dyn Executor>> {
        Some(Box::new(Self {
            module: self.module.clone(),
            device: self.device.clone(),
            forward: self.forward.clone(),
        }))
    }
}

impl<M> fmt::Debug for BurnExecutor<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BurnExecutor")
            .field("device", &self.device)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use burn::module::Param;
    use burn::nn::Linear;
    use noops_core::{Column, conformance};

    use super::*;

    #[test]
    fn the_contract_of_an_executor_is_kept() {
        let device = Device::flex();
        let weight = Tensor::<2>::from_data(TensorData::new(vec![0.5_f32, -2.0], [2, 1]), &device);
        let linear = Linear {
            weight: Param::initialized(1_u64.into(), weight),
            bias: None,
        };
        let forward = |linear: &Linear, inputs: &Inputs| linear.forward(inputs.numbers());
        let mut executor = BurnExecutor::new(linear, device.clone(), forward);
        // Halves, so that every order of adding gives the same bits.
        let number = |step: f32| Column::Number((0..40).map(|row| row as f32 * step).collect());
        let batch = Batch::new(vec![number(0.5), number(-1.5)]).unwrap();
        conformance::executor::all(&mut executor, &batch);
        let scores = executor.run(&batch).unwrap();
        let expected: Vec<f32> = (0..40).map(|row| row as f32 * 3.25).collect();
        let scores: Vec<f32> = scores.iter().flatten().copied().collect();
        assert_eq!(scores, expected, "x / 2 - 2 y");
    }
}
