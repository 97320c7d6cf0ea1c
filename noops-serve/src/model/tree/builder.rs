//! From trees of any source to a forest.

use std::num::NonZeroUsize;

use noops_core::{Error, ErrorKind};

use super::accumulate::{Aggregate, Precision};
use super::check;
use super::ensemble::Forest;
use super::split::TreeNode;
use super::transform::PostTransform;

/// Collects trees, checks them, and compiles them into a [`Forest`].
///
/// # Examples
///
/// ```
/// use noops_serve::model::tree::{Branch, Comparison, ForestBuilder, Split, TreeNode};
///
/// let mut builder = ForestBuilder::new(1, 1)?;
/// builder.tree(vec![
///     TreeNode::Split {
///         feature: 0,
///         split: Split::Threshold { comparison: Comparison::Less, threshold: 0.5 },
///         missing: Branch::Right,
///         left: 1,
///         right: 2,
///     },
///     TreeNode::leaf(0, -1.0),
///     TreeNode::leaf(0, 1.0),
/// ])?;
/// let forest = builder.build()?;
/// let mut out = Vec::new();
/// forest.score(&[0.25, 0.75, f32::NAN], 1, &mut out)?;
/// assert_eq!(out, [-1.0, 1.0, 1.0]);
/// # Ok::<(), noops_core::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct ForestBuilder {
    pub(super) features: usize,
    pub(super) outputs: usize,
    pub(super) trees: Vec<Tree>,
    pub(super) nodes: usize,
    pub(super) aggregate: Aggregate,
    pub(super) rounds: Option<NonZeroUsize>,
    pub(super) precision: Precision,
    pub(super) base: Vec<f64>,
    pub(super) transform: PostTransform,
}

/// A checked tree.
#[derive(Clone, Debug)]
pub(super) struct Tree {
    pub(super) nodes: Vec<TreeNode>,
    /// The number of questions on the longest way to a leaf.
    pub(super) depth: usize,
}

impl ForestBuilder {
    /// A builder of a forest that reads rows of `features` columns and adds up `outputs` sums.
    ///
    /// # Errors
    ///
    /// `Corrupt` for no outputs, and for more features or outputs than a forest can have.
    pub fn new(features: usize, outputs: usize) -> Result<Self, Error> {
        if features > MAX_FEATURES || outputs == 0 || outputs > MAX_OUTPUTS {
            return Err(corrupt("the number of features or outputs is out of range")
                .with("features", features)
                .with("outputs", outputs));
        }
        Ok(Self {
            features,
            outputs,
            trees: Vec::new(),
            nodes: 0,
            aggregate: Aggregate::default(),
            rounds: None,
            precision: Precision::default(),
            base: vec![0.0; outputs],
            transform: PostTransform::default(),
        })
    }

    /// How weights are put together.
    #[must_use]
    pub fn with_aggregate(mut self, aggregate: Aggregate) -> Self {
        self.aggregate = aggregate;
        self
    }

    /// What [`Aggregate::Average`] divides by, where that is not the number of trees.
    #[must_use]
    pub fn with_rounds(mut self, rounds: NonZeroUsize) -> Self {
        self.rounds = Some(rounds);
        self
    }

    /// What weights are kept and added in.
    #[must_use]
    pub fn with_precision(mut self, precision: Precision) -> Self {
        self.precision = precision;
        self
    }

    /// What is added to each output once its weights have been put together.
    ///
    /// # Errors
    ///
    /// `Corrupt` unless there is one finite number for each output.
    pub fn with_base(mut self, base: Vec<f64>) -> Result<Self, Error> {
        if base.len() != self.outputs || base.iter().any(|value| !value.is_finite()) {
            return Err(corrupt("there must be one finite base value per output")
                .with("outputs", self.outputs)
                .with("base values", base.len()));
        }
        self.base = base;
        Ok(self)
    }

    /// What is done to the sums of a row before they leave.
    #[must_use]
    pub fn with_transform(mut self, transform: PostTransform) -> Self {
        self.transform = transform;
        self
    }

    /// Adds a tree: its first node is the root, and nodes that cannot be reached from it are left out, as XGBoost's pruned ones.
    ///
    /// # Errors
    ///
    /// `Corrupt` for a tree without nodes, an index out of range, a node that two others lead to (a cycle, say), a tree deeper than
    /// 4096 questions, a weight that is not finite, a threshold that is NaN.
    ///
    /// # Complexity
    ///
    /// Linear in the size of the tree.
    pub fn tree(&mut self, nodes: Vec<TreeNode>) -> Result<&mut Self, Error> {
        let checked = check::tree(&nodes, self.features, self.outputs);
        let depth = checked.map_err(|error| error.with("tree", self.trees.len()))?;
        self.nodes = self.nodes.saturating_add(nodes.len());
        if self.nodes > MAX_NODES {
            return Err(corrupt("there are too many nodes").with("limit", MAX_NODES));
        }
        self.trees.push(Tree { nodes, depth });
        Ok(self)
    }

    /// Compiles the trees.
    ///
    /// # Errors
    ///
    /// `Corrupt` when there are more nodes or weights than 32 bits count.
    ///
    /// # Complexity
    ///
    /// Linear in the number of nodes, and for trees of up to eight questions in what full trees of that depth have.
    pub fn build(self) -> Result<Forest, Error> {
        Forest::compile(self)
    }
}

/// Malformed bytes.
pub(super) fn corrupt(message: impl Into<String>) -> Error {
    Error::new(ErrorKind::Corrupt, OPERATION, message)
}

/// Well-formed bytes that ask for what is not there.
pub(super) fn unsupported(message: impl Into<String>) -> Error {
    Error::new(ErrorKind::Invalid, OPERATION, message)
}

const OPERATION: &str = "load a tree ensemble";
const MAX_FEATURES: usize = 1 << 20;
const MAX_OUTPUTS: usize = 1 << 16;
const MAX_NODES: usize = 1 << 28;

#[cfg(test)]
mod tests;
