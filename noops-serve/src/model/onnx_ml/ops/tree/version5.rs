//! The `TreeEnsemble` of the fifth operator set, whose leaves are a list of their own.

use std::collections::VecDeque;

use noops_core::Error;

use super::nodes::Trees;
use super::regression;
use crate::model::onnx_ml::error::corrupt;
use crate::model::onnx_ml::node::Node;
use crate::model::onnx_ml::ops::Run;
use crate::model::onnx_ml::ops::transform::Transform;
use crate::model::tree::{Aggregate, Branch, Comparison, Split, TreeNode, Weight};

pub(in crate::model::onnx_ml::ops) fn ensemble(node: &Node<'_>) -> Result<Run, Error> {
    let targets = usize::try_from(node.int("n_targets")?.unwrap_or(1));
    let targets = targets.map_err(|_| node.wrong("n_targets", "is negative"))?;
    let aggregate = match node.int("aggregate_function")? {
        Some(0) => Aggregate::Average,
        None | Some(1) => Aggregate::Sum,
        Some(2) => Aggregate::Minimum,
        Some(3) => Aggregate::Maximum,
        Some(_) => return Err(node.wrong("aggregate_function", "is unknown")),
    };
    let lists = Lists::of(node)?;
    let trees = lists.trees(node)?;
    let forest = trees.forest(targets, aggregate)?;
    regression(forest, targets, Vec::new(), Transform::of_code(node)?)
}

/// One inner node.
#[derive(Clone, Debug)]
struct Inner {
    feature: i64,
    mode: i64,
    threshold: f64,
    members: Vec<f32>,
    missing_is_true: bool,
    yes: Child,
    no: Child,
}

#[derive(Clone, Copy, Debug)]
enum Child {
    Inner(i64),
    Leaf(i64),
}

struct Lists {
    nodes: Vec<Inner>,
    leaves: Vec<Weight>,
}

impl Lists {
    fn of(node: &Node<'_>) -> Result<Self, Error> {
        let tensor = |name| -> Result<Vec<f64>, Error> {
            let tensor = node
                .tensor(name)?
                .ok_or_else(|| node.wrong(name, "is missing"))?;
            tensor.doubles()
        };
        let modes = node
            .tensor("nodes_modes")?
            .ok_or_else(|| node.wrong("nodes_modes", "is missing"))?;
        let modes = modes.integers()?;
        let thresholds = tensor("nodes_splits")?;
        let features = node.ints("nodes_featureids")?;
        let (yes, no) = (
            node.ints("nodes_truenodeids")?,
            node.ints("nodes_falsenodeids")?,
        );
        let (yes_leaf, no_leaf) = (
            node.ints("nodes_trueleafs")?,
            node.ints("nodes_falseleafs")?,
        );
        let missing = node.ints("nodes_missing_value_tracks_true")?;
        let lengths = [
            thresholds.len(),
            features.len(),
            yes.len(),
            no.len(),
            yes_leaf.len(),
            no_leaf.len(),
        ];
        if lengths != [modes.len(); 6] || !missing.is_empty() && missing.len() != modes.len() {
            return Err(node.wrong(
                "nodes_modes",
                "and the other properties of nodes differ in length",
            ));
        }
        let mut members = match node.tensor("membership_values")? {
            Some(values) => sets(&values.singles()?),
            None => VecDeque::new(),
        };
        let child = |leaf: i64, index: i64| {
            if leaf == 0 {
                Child::Inner(index)
            } else {
                Child::Leaf(index)
            }
        };
        let questions = modes.iter().zip(&thresholds).zip(features);
        let children = yes.iter().zip(yes_leaf).zip(no.iter().zip(no_leaf));
        let tracks = missing.iter().copied().chain(std::iter::repeat(0));
        let nodes = questions.zip(children).zip(tracks);
        let nodes = nodes.map(
            |((((&mode, &threshold), &feature), ((&yes, &yes_leaf), (&no, &no_leaf))), tracks)| {
                Inner {
                    feature,
                    mode,
                    threshold,
                    members: if mode == MEMBER {
                        members.pop_front().unwrap_or_default()
                    } else {
                        Vec::new()
                    },
                    missing_is_true: tracks != 0,
                    yes: child(yes_leaf, yes),
                    no: child(no_leaf, no),
                }
            },
        );
        let nodes = nodes.collect();
        let values = tensor("leaf_weights")?;
        let outputs = node
            .ints("leaf_targetids")?
            .iter()
            .map(|&output| usize::try_from(output));
        let outputs = outputs.collect::<Result<Vec<usize>, _>>();
        let outputs = outputs.map_err(|_| node.wrong("leaf_targetids", "is negative"))?;
        if outputs.len() != values.len() {
            return Err(node.wrong("leaf_targetids", "and `leaf_weights` differ in length"));
        }
        let leaves = outputs.into_iter().zip(values);
        let leaves = leaves
            .map(|(output, value)| Weight { output, value })
            .collect();
        Ok(Self { nodes, leaves })
    }

    /// Walks from every root. No node may be come to twice, so that this ends.
    fn trees(&self, node: &Node<'_>) -> Result<Trees, Error> {
        let mut trees = Trees {
            trees: Vec::new(),
            features: 1,
        };
        let mut seen = vec![false; self.nodes.len()];
        for &root in node.ints("tree_roots")? {
            let mut tree: Vec<TreeNode> = Vec::new();
            let mut waiting = VecDeque::from([Child::Inner(root)]);
            let mut next = 1;
            while let Some(child) = waiting.pop_front() {
                let inner = match child {
                    Child::Leaf(index) => {
                        tree.push(TreeNode::Leaf(vec![*find(&self.leaves, index)?]));
                        continue;
                    }
                    Child::Inner(index) => {
                        let place = usize::try_from(index).unwrap_or(usize::MAX);
                        let seen = seen.get_mut(place);
                        if seen.is_some_and(|seen| std::mem::replace(seen, true)) {
                            return Err(
                                corrupt("two ways lead to one node of a tree").with("node", index)
                            );
                        }
                        find(&self.nodes, index)?
                    }
                };
                // Nodes are listed in the order in which they are come to.
                waiting.extend([inner.yes, inner.no]);
                tree.push(inner.build(node, &mut trees, next)?);
                next += 2;
            }
            trees.trees.push(tree);
        }
        Ok(trees)
    }
}

impl Inner {
    fn build(&self, node: &Node<'_>, trees: &mut Trees, left: usize) -> Result<TreeNode, Error> {
        let comparison = match self.mode {
            0 => Comparison::LessOrEqual,
            1 => Comparison::Less,
            2 => Comparison::GreaterOrEqual,
            3 => Comparison::Greater,
            4 => Comparison::Equal,
            5 => Comparison::NotEqual,
            MEMBER => {
                return Ok(TreeNode::Split {
                    feature: trees.feature(self.feature)?,
                    split: Split::OneOf(self.members.clone()),
                    missing: if self.missing_is_true {
                        Branch::Left
                    } else {
                        Branch::Right
                    },
                    left,
                    right: left + 1,
                });
            }
            _ => return Err(node.wrong("nodes_modes", "names an unknown question")),
        };
        trees.split(
            self.feature,
            self.threshold,
            comparison,
            self.missing_is_true,
            left,
            left + 1,
        )
    }
}

fn find<T>(list: &[T], index: i64) -> Result<&T, Error> {
    let found = usize::try_from(index)
        .ok()
        .and_then(|index| list.get(index));
    found.ok_or_else(|| {
        corrupt("a tree leads to a node or leaf that is not there").with("index", index)
    })
}

/// The sets of a list, each ended by NaN.
fn sets(values: &[f32]) -> VecDeque<Vec<f32>> {
    values
        .split(|value| value.is_nan())
        .map(<[f32]>::to_vec)
        .collect()
}

/// The code of a question whether a value is in a set.
const MEMBER: i64 = 6;
