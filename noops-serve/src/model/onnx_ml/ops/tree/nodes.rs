//! The nodes of an ensemble as ONNX lists them: one list per property, with the trees one behind the other.

use std::collections::HashMap;

use noops_core::Error;

use crate::model::onnx_ml::error::corrupt;
use crate::model::onnx_ml::node::Node;
use crate::model::tree::{
    Aggregate, Branch, Comparison, Forest, ForestBuilder, Split, TreeNode, Weight,
};

/// The trees of a model, with leaves that have their weights.
#[derive(Clone, Debug)]
pub(super) struct Trees {
    pub(super) trees: Vec<Vec<TreeNode>>,
    /// How many columns the trees look at.
    pub(super) features: usize,
}

impl Trees {
    /// The trees of a `TreeEnsembleClassifier` or `TreeEnsembleRegressor`, whose weights are in attributes that begin with `prefix`.
    pub(super) fn of(node: &Node<'_>, prefix: &str) -> Result<Self, Error> {
        let tree_ids = node.ints("nodes_treeids")?;
        let node_ids = node.ints("nodes_nodeids")?;
        let modes = node.texts("nodes_modes")?;
        let features = node.ints("nodes_featureids")?;
        let thresholds = doubles(node, "nodes_values")?;
        let (yes, no) = (
            node.ints("nodes_truenodeids")?,
            node.ints("nodes_falsenodeids")?,
        );
        let missing = node.ints("nodes_missing_value_tracks_true")?;
        let count = tree_ids.len();
        let lengths = [
            node_ids.len(),
            modes.len(),
            features.len(),
            thresholds.len(),
            yes.len(),
            no.len(),
        ];
        if count == 0
            || lengths != [count; 6]
            || !matches!(missing.len(), 0) && missing.len() != count
        {
            return Err(node.wrong(
                "nodes_treeids",
                "and the other properties of nodes differ in length",
            ));
        }
        // Where each node is: its tree, and its place in the list of that tree.
        let mut places = HashMap::with_capacity(count);
        let mut trees = HashMap::new();
        let mut sizes: Vec<usize> = Vec::new();
        for key in tree_ids.iter().copied().zip(node_ids.iter().copied()) {
            let tree = *trees.entry(key.0).or_insert(sizes.len());
            if tree == sizes.len() {
                sizes.push(0);
            }
            let Some(size) = sizes.get_mut(tree) else {
                continue;
            };
            if places.insert(key, (tree, *size)).is_some() {
                return Err(corrupt("a node is listed twice")
                    .with("tree", key.0)
                    .with("node", key.1));
            }
            *size += 1;
        }
        let mut weights = weights(node, prefix)?;
        let mut built = Self {
            trees: sizes.iter().map(|size| Vec::with_capacity(*size)).collect(),
            features: 1,
        };
        let ids = tree_ids.iter().zip(node_ids);
        let questions = features.iter().zip(&thresholds).zip(&modes);
        let tracks = missing.iter().copied().chain(std::iter::repeat(0));
        let children = yes.iter().zip(no).zip(tracks);
        for (((&tree, &id), ((&feature, &threshold), mode)), ((&yes, &no), tracks)) in
            ids.zip(questions).zip(children)
        {
            let (place, _) = places.get(&(tree, id)).copied().unwrap_or_default();
            let new = if mode.as_ref() == "LEAF" {
                TreeNode::Leaf(weights.remove(&(tree, id)).unwrap_or_default())
            } else {
                let child = |id| {
                    let place = places.get(&(tree, id)).map(|(_, index)| *index);
                    place.ok_or_else(|| {
                        corrupt("a tree leads to a node that is not there").with("node", id)
                    })
                };
                let (left, right) = (child(yes)?, child(no)?);
                built.split(
                    feature,
                    threshold,
                    comparison(node, mode)?,
                    tracks != 0,
                    left,
                    right,
                )?
            };
            built
                .trees
                .get_mut(place)
                .into_iter()
                .for_each(|tree| tree.push(new.clone()));
        }
        if let Some((tree, id)) = weights.keys().next() {
            return Err(corrupt("a weight is of a node that is no leaf")
                .with("tree", tree)
                .with("node", id));
        }
        Ok(built)
    }

    /// A question about a column. NaN is unlike every number.
    pub(super) fn split(
        &mut self,
        feature: i64,
        threshold: f64,
        comparison: Comparison,
        missing_is_true: bool,
        left: usize,
        right: usize,
    ) -> Result<TreeNode, Error> {
        let missing = if missing_is_true || comparison == Comparison::NotEqual {
            Branch::Left
        } else {
            Branch::Right
        };
        Ok(TreeNode::Split {
            feature: self.feature(feature)?,
            split: Split::Threshold {
                comparison,
                threshold,
            },
            missing,
            left,
            right,
        })
    }

    /// The number of a column, which is counted.
    pub(super) fn feature(&mut self, feature: i64) -> Result<usize, Error> {
        let feature = usize::try_from(feature)
            .ok()
            .filter(|&feature| feature < MAX_FEATURES);
        let feature = feature.ok_or_else(|| corrupt("a tree looks at a column that cannot be"))?;
        self.features = self.features.max(feature + 1);
        Ok(feature)
    }

    pub(super) fn forest(&self, outputs: usize, aggregate: Aggregate) -> Result<Forest, Error> {
        let mut builder = ForestBuilder::new(self.features, outputs)?.with_aggregate(aggregate);
        for tree in &self.trees {
            builder.tree(tree.clone())?;
        }
        builder.build()
    }

    /// The weights of every leaf of every tree.
    pub(super) fn leaves(&self) -> impl Iterator<Item = &[Weight]> {
        self.trees.iter().flatten().filter_map(|node| match node {
            TreeNode::Leaf(weights) => Some(weights.as_slice()),
            TreeNode::Split { .. } => None,
        })
    }
}

fn comparison(node: &Node<'_>, mode: &str) -> Result<Comparison, Error> {
    Ok(match mode {
        "BRANCH_LEQ" => Comparison::LessOrEqual,
        "BRANCH_LT" => Comparison::Less,
        "BRANCH_GTE" => Comparison::GreaterOrEqual,
        "BRANCH_GT" => Comparison::Greater,
        "BRANCH_EQ" => Comparison::Equal,
        "BRANCH_NEQ" => Comparison::NotEqual,
        _ => return Err(node.wrong("nodes_modes", "names an unknown question")),
    })
}

type Leaves = HashMap<(i64, i64), Vec<Weight>>;

fn weights(node: &Node<'_>, prefix: &str) -> Result<Leaves, Error> {
    let name = |property: &str| format!("{prefix}_{property}");
    let tree_ids = node.ints(&name("treeids"))?;
    let node_ids = node.ints(&name("nodeids"))?;
    let outputs = node.ints(&name("ids"))?;
    let values = doubles(node, &name("weights"))?;
    if [node_ids.len(), outputs.len(), values.len()] != [tree_ids.len(); 3] {
        return Err(node.wrong(
            &name("weights"),
            "and the properties of weights differ in length",
        ));
    }
    let mut leaves = Leaves::new();
    let keys = tree_ids.iter().copied().zip(node_ids.iter().copied());
    for (key, (&output, &value)) in keys.zip(outputs.iter().zip(&values)) {
        let output =
            usize::try_from(output).map_err(|_| node.wrong(&name("ids"), "is negative"))?;
        leaves
            .entry(key)
            .or_default()
            .push(Weight { output, value });
    }
    Ok(leaves)
}

/// Numbers in single precision or, in a tensor of the same name, in either.
fn doubles(node: &Node<'_>, name: &str) -> Result<Vec<f64>, Error> {
    match node.tensor(&format!("{name}_as_tensor"))? {
        Some(tensor) => tensor.doubles(),
        None => Ok(node
            .floats(name)?
            .iter()
            .map(|&value| f64::from(value))
            .collect()),
    }
}

pub(super) fn singles(node: &Node<'_>, name: &str) -> Result<Vec<f32>, Error> {
    Ok(doubles(node, name)?
        .into_iter()
        .map(|value| value as f32)
        .collect())
}

const MAX_FEATURES: usize = 1 << 20;
