use super::*;
use crate::model::tree::split::{Branch, Comparison, Split, Weight};

fn node(left: usize, right: usize) -> TreeNode {
    TreeNode::Split {
        feature: 0,
        split: Split::Threshold {
            comparison: Comparison::Less,
            threshold: 0.0,
        },
        missing: Branch::Left,
        left,
        right,
    }
}

#[test]
fn what_is_no_tree_is_corrupt() {
    let leaf = || TreeNode::leaf(0, 1.0);
    for (nodes, message) in [
        (vec![], "a node leads to none"),
        (vec![node(0, 0)], "two nodes lead to one"),
        (vec![node(1, 1), leaf()], "two nodes lead to one"),
        (
            vec![node(1, 2), node(0, 2), leaf()],
            "two nodes lead to one",
        ),
        (vec![node(1, usize::MAX), leaf()], "a node leads to none"),
        (vec![TreeNode::leaf(1, 1.0)], "a weight that cannot be used"),
        (
            vec![TreeNode::leaf(0, f64::NAN)],
            "a weight that cannot be used",
        ),
        (
            vec![TreeNode::leaf(0, 1e300)],
            "a weight that cannot be used",
        ),
    ] {
        let error = ForestBuilder::new(1, 1).unwrap().tree(nodes).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Corrupt);
        assert!(error.to_string().contains(message), "{error}");
    }
}

#[test]
fn a_tree_may_be_deep_but_not_bottomless() {
    let chain = |depth: usize| {
        let mut nodes: Vec<TreeNode> = (0..depth).map(|at| node(2 * at + 1, 2 * at + 2)).collect();
        // The left child of each question is a leaf, the right one the next question.
        nodes = nodes
            .into_iter()
            .flat_map(|question| [question, TreeNode::leaf(0, 1.0)])
            .collect();
        for (place, node) in nodes.iter_mut().enumerate() {
            if let TreeNode::Split { left, right, .. } = node {
                (*left, *right) = (place + 1, place + 2);
            }
        }
        nodes.push(TreeNode::leaf(0, 2.0));
        nodes
    };
    let mut builder = ForestBuilder::new(1, 1).unwrap();
    builder.tree(chain(4096)).unwrap();
    assert!(
        builder
            .tree(chain(4097))
            .unwrap_err()
            .to_string()
            .contains("too deep")
    );
    let mut out = Vec::new();
    builder
        .build()
        .unwrap()
        .score(&[1.0, -1.0], 1, &mut out)
        .unwrap();
    assert_eq!(out, [2.0, 1.0]);
}

#[test]
fn counts_out_of_range_are_corrupt() {
    for (features, outputs) in [(1, 0), (usize::MAX, 1), (1, usize::MAX)] {
        assert!(ForestBuilder::new(features, outputs).is_err());
    }
    for base in [vec![], vec![f64::INFINITY], vec![0.0; 2]] {
        assert!(ForestBuilder::new(1, 1).unwrap().with_base(base).is_err());
    }
}

#[test]
fn a_forest_without_trees_answers_with_its_base() {
    let builder = ForestBuilder::new(1, 2)
        .unwrap()
        .with_base(vec![1.0, 2.0])
        .unwrap();
    let mut out = Vec::new();
    builder.build().unwrap().score(&[0.0], 1, &mut out).unwrap();
    assert_eq!(out, [1.0, 2.0]);
}

#[test]
fn aggregates_take_only_what_reaches_an_output() {
    let leaf = |weights: &[f64]| {
        let weights = weights.iter().map(|&value| Weight { output: 1, value });
        vec![TreeNode::Leaf(weights.collect())]
    };
    for (aggregate, expected) in [
        (Aggregate::Sum, [10.0, 15.0]),
        (Aggregate::Average, [10.0, 12.5]),
        (Aggregate::Minimum, [10.0, 12.0]),
        (Aggregate::Maximum, [10.0, 13.0]),
    ] {
        let builder = ForestBuilder::new(1, 2).unwrap().with_aggregate(aggregate);
        let mut builder = builder.with_base(vec![10.0, 10.0]).unwrap();
        builder
            .tree(leaf(&[2.0]))
            .unwrap()
            .tree(leaf(&[3.0]))
            .unwrap();
        let mut out = Vec::new();
        builder.build().unwrap().score(&[0.0], 1, &mut out).unwrap();
        assert_eq!(out, expected, "{aggregate:?}");
    }
}
