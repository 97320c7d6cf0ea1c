//! Ensembles of trees, on [`Forest`].

mod classifier;
mod nodes;
mod version5;

use noops_core::Error;

pub(super) use classifier::classifier;
pub(super) use version5::ensemble;

use super::transform::{Second, Transform};
use super::{Inputs, Run, one};
use crate::model::onnx_ml::error::failed;
use crate::model::onnx_ml::node::Node;
use crate::model::onnx_ml::value::{Data, Tensor};
use crate::model::tree::{Aggregate, Forest};
use nodes::Trees;

pub(super) fn regressor(node: &Node<'_>) -> Result<Run, Error> {
    let targets = usize::try_from(node.int("n_targets")?.unwrap_or(1));
    let targets = targets.map_err(|_| node.wrong("n_targets", "is negative"))?;
    let aggregate = match node.text("aggregate_function")? {
        None | Some("SUM") => Aggregate::Sum,
        Some("AVERAGE") => Aggregate::Average,
        Some("MIN") => Aggregate::Minimum,
        Some("MAX") => Aggregate::Maximum,
        Some(_) => return Err(node.wrong("aggregate_function", "is unknown")),
    };
    let trees = Trees::of(node, "target")?;
    let forest = trees.forest(targets, aggregate)?;
    let transform = Transform::of(node)?;
    let base = nodes::singles(node, "base_values")?;
    regression(forest, targets, base, transform)
}

/// Sums, moved by base values where there is one per target. A target of which no leaf of a row speaks gets its base value, as ONNX
/// says; ONNX Runtime leaves it at zero.
fn regression(
    forest: Forest,
    targets: usize,
    base: Vec<f32>,
    transform: Transform,
) -> Result<Run, Error> {
    Ok(one(move |inputs| {
        let mut sums = scored(&forest, inputs)?;
        let mut out = Vec::with_capacity(sums.len());
        for row in sums.chunks_exact_mut(targets) {
            if base.len() == targets {
                row.iter_mut()
                    .zip(&base)
                    .for_each(|(sum, base)| *sum += base);
            }
            transform.write(row, Second::Never, &mut out);
        }
        Tensor::new(vec![out.len() / targets, targets], Data::F32(out))
    }))
}

/// The sums of every row. The input may have columns that no tree looks at.
fn scored(forest: &Forest, inputs: &Inputs<'_>) -> Result<Vec<f32>, Error> {
    let input = inputs.at(0)?;
    let (_, columns) = input.matrix()?;
    let features = forest.features();
    let mut sums = Vec::new();
    if columns < features || columns == 0 {
        return Err(failed("the trees look at more columns than there are")
            .with("features", features)
            .with("columns", columns));
    }
    match input.data() {
        Data::F32(values) if columns == features => forest.score(values, features, &mut sums)?,
        _ => {
            let values = input.singles()?;
            let rows = values.chunks_exact(columns);
            let cut: Vec<f32> = rows
                .flat_map(|row| row.iter().take(features))
                .copied()
                .collect();
            forest.score(&cut, features, &mut sums)?;
        }
    }
    Ok(sums)
}
