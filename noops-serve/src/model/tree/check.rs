//! Whether a list of nodes is a tree.

use noops_core::Error;

use super::builder::corrupt;
use super::split::{Split, TreeNode};

/// Checks a tree and measures its depth, in questions.
pub(super) fn tree(nodes: &[TreeNode], features: usize, outputs: usize) -> Result<usize, Error> {
    let mut reached = vec![false; nodes.len()];
    let mut level = vec![0_usize];
    let mut depth = 0;
    loop {
        let mut below = Vec::new();
        for index in level {
            match reached.get_mut(index) {
                Some(seen @ false) => *seen = true,
                Some(true) => return Err(corrupt("two nodes lead to one").with("node", index)),
                None => return Err(corrupt("a node leads to none").with("node", index)),
            }
            match nodes.get(index) {
                Some(TreeNode::Split {
                    feature,
                    split,
                    left,
                    right,
                    ..
                }) => {
                    question(*feature, split, features)
                        .map_err(|error| error.with("node", index))?;
                    below.extend([*left, *right]);
                }
                Some(TreeNode::Leaf(weights)) => {
                    for weight in weights {
                        if weight.output >= outputs || !(weight.value as f32).is_finite() {
                            return Err(corrupt("a leaf has a weight that cannot be used")
                                .with("node", index)
                                .with("output", weight.output)
                                .with("weight", weight.value));
                        }
                    }
                }
                None => {}
            }
        }
        if below.is_empty() {
            return Ok(depth);
        }
        depth += 1;
        if depth > MAX_DEPTH {
            return Err(corrupt("a tree is too deep").with("limit", MAX_DEPTH));
        }
        level = below;
    }
}

fn question(feature: usize, split: &Split, features: usize) -> Result<(), Error> {
    if feature >= features {
        return Err(corrupt("a node looks at a feature that is not there")
            .with("feature", feature)
            .with("features", features));
    }
    match split {
        Split::Threshold { threshold, .. } | Split::AtMostZeroMissing { threshold }
            if threshold.is_nan() =>
        {
            Err(corrupt("a threshold is not a number"))
        }
        Split::Category { members, .. } => match members.iter().max() {
            Some(&member) if member > MAX_CATEGORY => {
                Err(corrupt("a category is out of range").with("category", member))
            }
            _ => Ok(()),
        },
        _ => Ok(()),
    }
}

const MAX_DEPTH: usize = 4096;
/// Up to here singles count without gaps; it is XGBoost's limit.
const MAX_CATEGORY: u32 = 1 << 24;
