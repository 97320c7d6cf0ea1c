//! Trees that vote for classes.

use std::collections::BTreeSet;

use noops_core::Error;

use super::nodes::{Trees, singles};
use super::scored;
use crate::model::onnx_ml::error::unsupported;
use crate::model::onnx_ml::node::Node;
use crate::model::onnx_ml::ops::Run;
use crate::model::onnx_ml::ops::labels::Labels;
use crate::model::onnx_ml::ops::transform::{Second, Transform};
use crate::model::onnx_ml::value::{Data, Tensor};
use crate::model::tree::{Aggregate, TreeNode, Weight};

/// How the sums of a row become scores, which ONNX leaves open where there are two classes; this is what ONNX Runtime does.
struct Voting {
    classes: usize,
    base: Vec<f32>,
    /// Of two classes, only one has weights.
    one_sided: bool,
    positive: bool,
    transform: Transform,
    /// Whether, behind the sums, there is a count per class of the leaves that spoke of it.
    counted: bool,
}

pub(in crate::model::onnx_ml::ops) fn classifier(node: &Node<'_>) -> Result<Run, Error> {
    let labels = Labels::of(node, "classlabels_int64s")?;
    let classes = labels.len();
    let mut trees = Trees::of(node, "class")?;
    let weights = || trees.leaves().flatten();
    let spoken: BTreeSet<usize> = weights().map(|weight| weight.output).collect();
    let positive = weights().all(|weight| weight.value >= 0.0);
    let one_sided = classes == 2 && spoken.len() == 1;
    if one_sided {
        move_to_first(&mut trees);
    }
    let counted =
        !one_sided && classes > 1 && !(0..classes).all(|class| always_spoken(&trees, class));
    if counted {
        count(&mut trees, classes);
    }
    let transform = Transform::of(node)?;
    let single = classes == 2 && (one_sided || counted);
    if single && transform == Transform::Probit {
        return Err(unsupported(
            "`PROBIT` of the single score of a model of two classes has no meaning",
        ));
    }
    let voting = Voting {
        classes,
        base: singles(node, "base_values")?,
        one_sided,
        positive,
        transform,
        counted,
    };
    let outputs = if counted { classes * 2 } else { classes };
    let forest = trees.forest(outputs, Aggregate::Sum)?;
    Ok(Box::new(move |inputs| {
        let mut sums = scored(&forest, inputs)?;
        let (mut winners, mut out) = (Vec::new(), Vec::new());
        for row in sums.chunks_exact_mut(outputs) {
            winners.push(voting.vote(row, &mut out));
        }
        let width = out.len() / winners.len().max(1);
        let shape = vec![winners.len(), width];
        Ok(vec![
            labels.pick(&winners)?,
            Tensor::new(shape, Data::F32(out))?,
        ])
    }))
}

/// The weights of the only class that has any become those of the first, as ONNX Runtime reads them.
fn move_to_first(trees: &mut Trees) {
    for node in trees.trees.iter_mut().flatten() {
        if let TreeNode::Leaf(weights) = node {
            weights.iter_mut().for_each(|weight| weight.output = 0);
        }
    }
}

/// Whether in some tree every leaf has a weight for a class.
fn always_spoken(trees: &Trees, class: usize) -> bool {
    let speaks = |node: &TreeNode| match node {
        TreeNode::Leaf(weights) => weights.iter().any(|weight| weight.output == class),
        TreeNode::Split { .. } => true,
    };
    trees.trees.iter().any(|tree| tree.iter().all(speaks))
}

/// Has every leaf count the classes that it speaks of, behind the sums.
fn count(trees: &mut Trees, classes: usize) {
    for node in trees.trees.iter_mut().flatten() {
        if let TreeNode::Leaf(weights) = node {
            let spoken: BTreeSet<usize> = weights.iter().map(|weight| weight.output).collect();
            let spoken = spoken.into_iter().filter(|&class| class < classes);
            weights.extend(spoken.map(|class| Weight {
                output: classes + class,
                value: 1.0,
            }));
        }
    }
}

impl Voting {
    /// Appends the scores of a row, and answers with the class that won.
    fn vote(&self, row: &mut [f32], out: &mut Vec<f32>) -> usize {
        let (sums, counts) = row.split_at_mut(self.classes.min(row.len()));
        let spoken =
            |class: usize| !self.counted || counts.get(class).is_some_and(|count| *count > 0.0);
        match sums {
            [sum] => {
                *sum += self.base.first().copied().unwrap_or(0.0);
                self.transform.write(&mut [*sum], Second::Never, out);
                0
            }
            [first, second] => {
                let other = !self.one_sided && spoken(1);
                self.two(*first, *second, other, out)
            }
            sums => self.many(sums, spoken, out),
        }
    }

    fn many(&self, sums: &mut [f32], spoken: impl Fn(usize) -> bool, out: &mut Vec<f32>) -> usize {
        sums.iter_mut()
            .zip(&self.base)
            .for_each(|(sum, base)| *sum += base);
        let mut best: Option<(usize, f32)> = None;
        for (class, &sum) in sums.iter().enumerate() {
            let counts = class < self.base.len() || spoken(class);
            if counts && best.is_none_or(|(_, most)| sum > most) {
                best = Some((class, sum));
            }
        }
        self.transform.write(sums, Second::Never, out);
        best.map_or(0, |(class, _)| class)
    }

    /// Two classes, of which the second may have nothing that speaks of it.
    fn two(&self, first: f32, second: f32, other: bool, out: &mut Vec<f32>) -> usize {
        let (first, second, pair) = match (self.base.as_slice(), other) {
            (&[_, base], true) => (-(base + first), base + first, true),
            (&[base, more], false) => (first + base, second + more, true),
            (&[base], other) => (first + base, second, other),
            (_, other) => (first, second, other),
        };
        let weight = if other { second } else { first };
        // Where both classes have weights, ONNX Runtime takes the second as soon as its sum is positive. ONNX says the larger.
        let (bound, how) = match (self.one_sided, self.positive) {
            (true, true) => (0.5, Second::Complement),
            (true, false) => (0.0, Second::Margin),
            (false, _) if pair => (first, Second::Margin),
            (false, _) => (0.0, Second::Margin),
        };
        if pair {
            self.transform.write(&mut [first, second], how, out);
        } else {
            self.transform.write(&mut [first], how, out);
        }
        usize::from(weight > bound)
    }
}
