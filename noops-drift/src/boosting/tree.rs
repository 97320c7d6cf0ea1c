use serde::{Deserialize, Serialize};

use super::LARGEST_VALUE;
use crate::matrix::Matrix;

/// A binary tree in preorder: the left child of a split is the node after it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Tree {
    nodes: Vec<Node>,
}

impl Tree {
    pub(super) fn new(nodes: Vec<Node>) -> Self {
        Self { nodes }
    }

    /// Whether no split was worth it.
    pub(super) fn is_leaf(&self) -> bool {
        self.nodes.len() <= 1
    }

    /// The tree with all leaves times `scale`.
    pub(super) fn scaled(mut self, scale: f64) -> Self {
        for node in &mut self.nodes {
            if let Node::Leaf { value } = node {
                *value *= scale;
            }
        }
        self
    }

    /// The value of the leaf that a row falls into.
    pub(super) fn value(&self, features: &Matrix, row: usize) -> f64 {
        let columns = features.columns();
        let mut index = 0;
        // Children lie behind their parent, so no path is longer than the tree.
        for _ in 0..self.nodes.len() {
            match self.nodes.get(index) {
                Some(Node::Leaf { value }) => return *value,
                Some(Node::Split {
                    column,
                    threshold,
                    missing_left,
                    right,
                }) => {
                    let x = columns
                        .get(*column as usize)
                        .and_then(|values| values.get(row))
                        .copied()
                        .unwrap_or(f64::NAN);
                    let left = if x.is_nan() {
                        *missing_left
                    } else {
                        // The largest number stands for every present value, infinity included.
                        x.min(f64::MAX) <= *threshold
                    };
                    index = if left { index + 1 } else { *right as usize };
                }
                None => return 0.0,
            }
        }
        0.0
    }

    /// Why the nodes are no tree over `width` columns, if they are not.
    pub(super) fn contradiction(&self, width: usize) -> Option<&'static str> {
        if self.nodes.is_empty() {
            return Some("a tree has no nodes");
        }
        // In preorder the nodes still owed tell where each right child must begin.
        let mut owed: Vec<usize> = Vec::new();
        let last = self.nodes.len() - 1;
        for (index, node) in self.nodes.iter().enumerate() {
            match node {
                Node::Leaf { value } => {
                    if value.is_nan() || value.abs() > LARGEST_VALUE {
                        return Some("a leaf is not a finite number in range");
                    }
                    let next = owed.pop();
                    let expected = (index < last).then_some(index + 1);
                    if next != expected {
                        return Some("the children of a split are out of order");
                    }
                }
                Node::Split {
                    column,
                    threshold,
                    right,
                    ..
                } => {
                    if *column as usize >= width {
                        return Some("a split names a column that is not there");
                    }
                    if !threshold.is_finite() {
                        return Some("a threshold is not a finite number");
                    }
                    if owed.len() >= MOST_OWED {
                        return Some("a tree is deeper than allowed");
                    }
                    owed.push(*right as usize);
                }
            }
        }
        if owed.is_empty() {
            None
        } else {
            Some("a split has no right child")
        }
    }
}

/// A place where rows part, or what is added to those that end there.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) enum Node {
    /// Rows with at most `threshold` in `column` go to the next node, others to node `right`.
    Split {
        column: u32,
        threshold: f64,
        missing_left: bool,
        right: u32,
    },
    Leaf {
        value: f64,
    },
}

/// More than the depth that settings allow.
const MOST_OWED: usize = 64;
