//! Linear models.

use noops_core::Error;

use super::labels::{Labels, largest};
use super::matrix::product;
use super::transform::{Second, Transform};
use super::{Inputs, Run, one};
use crate::model::onnx_ml::error::failed;
use crate::model::onnx_ml::node::Node;
use crate::model::onnx_ml::value::{Data, Tensor};

/// `x Wᵀ + b` with one row of `W` and one element of `b` per output.
struct Linear {
    /// The transpose of `W`, row by row.
    weights: Vec<f32>,
    intercepts: Vec<f32>,
    features: usize,
    outputs: usize,
}

impl Linear {
    fn of(node: &Node<'_>, outputs: usize) -> Result<Self, Error> {
        let coefficients = node.floats("coefficients")?;
        if outputs == 0 || coefficients.is_empty() || !coefficients.len().is_multiple_of(outputs) {
            return Err(node.wrong("coefficients", "does not hold whole rows"));
        }
        let intercepts = node.floats("intercepts")?;
        if !intercepts.is_empty() && intercepts.len() != outputs {
            return Err(node.wrong("intercepts", "has another length than there are outputs"));
        }
        let features = coefficients.len() / outputs;
        let column = |feature| coefficients.iter().skip(feature).step_by(features);
        Ok(Self {
            weights: (0..features).flat_map(column).copied().collect(),
            intercepts: intercepts.to_vec(),
            features,
            outputs,
        })
    }

    /// The scores of every row, row by row.
    fn scores(&self, inputs: &Inputs<'_>) -> Result<Vec<f32>, Error> {
        let input = inputs.at(0)?;
        let (_, columns) = input.matrix()?;
        if columns != self.features {
            return Err(failed("the model has another number of features")
                .with("features", self.features)
                .with("columns", columns));
        }
        let mut scores = product(
            &input.singles()?,
            &self.weights,
            self.features,
            self.outputs,
        );
        if !self.intercepts.is_empty() {
            for row in scores.chunks_exact_mut(self.outputs) {
                row.iter_mut()
                    .zip(&self.intercepts)
                    .for_each(|(score, bias)| *score += bias);
            }
        }
        Ok(scores)
    }
}

pub(super) fn regressor(node: &Node<'_>) -> Result<Run, Error> {
    let targets = usize::try_from(node.int("targets")?.unwrap_or(1));
    let targets = targets.map_err(|_| node.wrong("targets", "is negative"))?;
    let linear = Linear::of(node, targets)?;
    let transform = Transform::of(node)?;
    Ok(one(move |inputs| {
        let mut scores = linear.scores(inputs)?;
        let mut out = Vec::with_capacity(scores.len());
        for row in scores.chunks_exact_mut(targets) {
            transform.write(row, Second::Never, &mut out);
        }
        Tensor::new(vec![out.len() / targets, targets], Data::F32(out))
    }))
}

pub(super) fn classifier(node: &Node<'_>) -> Result<Run, Error> {
    let labels = Labels::of(node, "classlabels_ints")?;
    // As ONNX Runtime counts the classes, except that a model without intercepts is served too.
    let outputs = match node.floats("intercepts")?.len() {
        0 => labels.len(),
        outputs => outputs,
    };
    let linear = Linear::of(node, outputs)?;
    let transform = Transform::of(node)?;
    let (second, width) = match (outputs, labels.len()) {
        (1, 2) => (Second::Complement, 2),
        _ => (Second::Never, outputs),
    };
    Ok(Box::new(move |inputs| {
        let mut scores = linear.scores(inputs)?;
        let rows = scores.len() / outputs;
        let mut classes = Vec::with_capacity(rows);
        let mut out = Vec::with_capacity(rows * width);
        for row in scores.chunks_exact_mut(outputs) {
            classes.push(match row {
                [score] => usize::from(*score > 0.0 && width == 2),
                _ => largest(row.iter().copied()),
            });
            match (&mut *row, transform) {
                // The probability of one class is made first, and then its complement.
                ([score], Transform::Logistic) if second == Second::Complement => {
                    Transform::Logistic.write(&mut [*score], Second::Margin, &mut out);
                }
                ([score], Transform::Probit) if second == Second::Complement => {
                    return Err(
                        failed("`PROBIT` of a single score of two classes has no meaning")
                            .with("score", score),
                    );
                }
                _ => transform.write(row, second, &mut out),
            }
        }
        Ok(vec![
            labels.pick(&classes)?,
            Tensor::new(vec![rows, width], Data::F32(out))?,
        ])
    }))
}
