use noops_core::{Error, ErrorKind};

use super::Activation;

/// A dense layer: `activation(x · W + b)`.
///
/// # Examples
///
/// ```
/// use noops_serve::model::mlp::{Activation, Layer};
///
/// let layer = Layer::new(2, 1, vec![0.5, -2.0])?.with_bias(vec![1.0])?.with_activation(Activation::Relu);
/// assert_eq!((layer.inputs(), layer.outputs()), (2, 1));
/// assert!(Layer::new(2, 1, vec![f32::NAN, 0.0]).is_err());
/// # Ok::<(), noops_core::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Layer {
    inputs: usize,
    outputs: usize,
    weight: Vec<f32>,
    bias: Vec<f32>,
    activation: Activation,
}

impl Layer {
    /// A layer without bias or activation; `weight` is a matrix of `inputs` by `outputs`, row by row, as burn keeps it.
    ///
    /// # Errors
    ///
    /// Refuses a layer without inputs or outputs, a weight of another size, and one that is not finite.
    pub fn new(inputs: usize, outputs: usize, weight: Vec<f32>) -> Result<Self, Error> {
        if inputs == 0 || outputs == 0 || inputs.checked_mul(outputs) != Some(weight.len()) {
            return Err(refuse("the weight is not a matrix of inputs by outputs")
                .with("inputs", inputs)
                .with("outputs", outputs)
                .with("values", weight.len()));
        }
        finite("weight", &weight)?;
        Ok(Self {
            inputs,
            outputs,
            weight,
            bias: vec![0.0; outputs],
            activation: Activation::Identity,
        })
    }

    /// A layer whose weight lies as `outputs` by `inputs`, as PyTorch keeps it.
    ///
    /// # Errors
    ///
    /// As [`new`](Self::new).
    pub fn transposed(inputs: usize, outputs: usize, weight: Vec<f32>) -> Result<Self, Error> {
        if outputs == 0 || inputs.checked_mul(outputs) != Some(weight.len()) {
            return Self::new(inputs, outputs, weight);
        }
        let column = |input: usize| weight.iter().skip(input).step_by(inputs.max(1));
        let turned = (0..inputs).flat_map(|input| column(input).copied());
        let turned: Vec<f32> = turned.collect();
        Self::new(inputs, outputs, turned)
    }

    /// With a number added to each output.
    ///
    /// # Errors
    ///
    /// Refuses a bias of another size than the outputs, and one that is not finite.
    pub fn with_bias(mut self, bias: Vec<f32>) -> Result<Self, Error> {
        if bias.len() != self.outputs {
            return Err(
                refuse("the bias has another number of values than the layer has outputs")
                    .with("outputs", self.outputs)
                    .with("values", bias.len()),
            );
        }
        finite("bias", &bias)?;
        self.bias = bias;
        Ok(self)
    }

    /// With a function applied to each sum.
    #[must_use]
    pub fn with_activation(mut self, activation: Activation) -> Self {
        self.activation = activation;
        self
    }

    /// How many numbers come in.
    #[must_use]
    pub fn inputs(&self) -> usize {
        self.inputs
    }

    /// How many numbers come out.
    #[must_use]
    pub fn outputs(&self) -> usize {
        self.outputs
    }

    /// The matrix of `inputs` by `outputs`, row by row.
    #[must_use]
    pub fn weight(&self) -> &[f32] {
        &self.weight
    }

    /// What is added to each output.
    #[must_use]
    pub fn bias(&self) -> &[f32] {
        &self.bias
    }

    /// What is applied to each sum.
    #[must_use]
    pub fn activation(&self) -> Activation {
        self.activation
    }
}

/// Refuses NaN and infinities, which training that diverged leaves behind.
pub(super) fn finite(what: &'static str, values: &[f32]) -> Result<(), Error> {
    match values.iter().position(|value| !value.is_finite()) {
        None => Ok(()),
        Some(place) => Err(refuse("a parameter is not finite, so no answer could be")
            .with("parameter", what)
            .with("place", place)),
    }
}

pub(super) fn refuse(message: &str) -> Error {
    Error::new(
        ErrorKind::Invalid,
        "build a multi-layer perceptron",
        message,
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_weight_lies_either_way() {
        let one = Layer::new(2, 3, vec![1.0, 2.0, 3.0, 4.0, 5.0, 6.0]).unwrap();
        let other = Layer::transposed(2, 3, vec![1.0, 4.0, 2.0, 5.0, 3.0, 6.0]).unwrap();
        assert_eq!(one, other);
    }

    #[test]
    fn a_layer_that_no_row_fits_is_refused() {
        let sizes = [
            (0, 1, 0),
            (1, 0, 0),
            (2, 2, 3),
            (usize::MAX, 2, 2),
            (usize::MAX, 0, 0),
            (0, 0, 0),
        ];
        for (inputs, outputs, values) in sizes {
            assert!(Layer::new(inputs, outputs, vec![0.0; values]).is_err());
            assert!(Layer::transposed(inputs, outputs, vec![0.0; values]).is_err());
        }
        assert!(Layer::new(1, 1, vec![f32::INFINITY]).is_err());
        let layer = Layer::new(1, 1, vec![1.0]).unwrap();
        assert!(layer.clone().with_bias(vec![]).is_err());
        assert!(layer.with_bias(vec![f32::NAN]).is_err());
    }
}
