//! One tree of a booster.

use std::collections::HashMap;

use noops_core::Error;

use super::document::Document;
use crate::model::tree::builder::{corrupt, unsupported};
use crate::model::tree::split::{Branch, Comparison, Split, TreeNode};

/// The nodes of a tree that adds to `output`, its leaves multiplied by `weight`.
pub(super) fn nodes(tree: &Document, output: usize, weight: f64) -> Result<Vec<TreeNode>, Error> {
    if let Some(parameters) = tree.find("tree_param")
        && parameters.count("size_leaf_vector")? > 1
    {
        return Err(unsupported(
            "trees with vector leaves (`multi_output_tree`) are not supported",
        ));
    }
    let left = tree.integers("left_children")?;
    let right = tree.integers("right_children")?;
    let features = tree.integers("split_indices")?;
    let conditions = tree.numbers("split_conditions")?;
    let defaults = tree.integers("default_left")?;
    let kinds = match tree.find("split_type") {
        Some(_) => tree.integers("split_type")?,
        None => Vec::new(),
    };
    let count = left.len();
    let lengths = [
        right.len(),
        features.len(),
        conditions.len(),
        defaults.len(),
    ];
    if lengths.iter().any(|&length| length != count) || !(kinds.is_empty() || kinds.len() == count)
    {
        return Err(corrupt("the lists of a tree differ in length").with("nodes", count));
    }
    let mut categories = categories(tree)?;
    let mut nodes = Vec::with_capacity(count);
    let children = left.iter().zip(&right);
    let questions = features.iter().zip(&conditions).zip(&defaults);
    for (index, ((&left, &right), ((&feature, &condition), &default))) in
        children.zip(questions).enumerate()
    {
        if left == -1 {
            let value = f64::from(condition as f32 * weight as f32);
            nodes.push(TreeNode::leaf(output, value));
            continue;
        }
        let missing = if default == 0 {
            Branch::Right
        } else {
            Branch::Left
        };
        let (left, right) = (child(left)?, child(right)?);
        let feature = child(feature)?;
        nodes.push(
            if kinds.get(index).is_some_and(|&kind| kind == CATEGORICAL) {
                // The categories that are listed go right.
                TreeNode::Split {
                    feature,
                    split: Split::Category {
                        members: categories.remove(&index).unwrap_or_default(),
                        least: 0.0,
                    },
                    missing: missing.other(),
                    left: right,
                    right: left,
                }
            } else {
                TreeNode::Split {
                    feature,
                    split: Split::Threshold {
                        comparison: Comparison::Less,
                        threshold: f64::from(condition as f32),
                    },
                    missing,
                    left,
                    right,
                }
            },
        );
    }
    Ok(nodes)
}

/// The categories of each node that has any.
fn categories(tree: &Document) -> Result<HashMap<usize, Vec<u32>>, Error> {
    let mut categories = HashMap::new();
    if tree.find("categories_nodes").is_none() {
        return Ok(categories);
    }
    let all = tree.integers("categories")?;
    let nodes = tree.integers("categories_nodes")?;
    let segments = tree.integers("categories_segments")?;
    let sizes = tree.integers("categories_sizes")?;
    if nodes.len() != segments.len() || nodes.len() != sizes.len() {
        return Err(corrupt("the lists of categories differ in length"));
    }
    let mut taken = 0_usize;
    for ((&node, &start), &size) in nodes.iter().zip(&segments).zip(&sizes) {
        let (node, start, size) = (child(node)?, child(start)?, child(size)?);
        // Segments do not overlap, so that nothing is copied more than once.
        taken = taken.saturating_add(size);
        let members = start.checked_add(size).and_then(|end| all.get(start..end));
        let members = members
            .filter(|_| taken <= all.len())
            .and_then(|members| {
                members
                    .iter()
                    .map(|&member| u32::try_from(member).ok())
                    .collect::<Option<Vec<u32>>>()
            })
            .ok_or_else(|| corrupt("the categories of a node are not there").with("node", node))?;
        categories.insert(node, members);
    }
    Ok(categories)
}

fn child(index: i64) -> Result<usize, Error> {
    usize::try_from(index).map_err(|_| corrupt("an index is negative").with("index", index))
}

const CATEGORICAL: i64 = 1;
