use proptest::prelude::*;

use super::*;
use crate::model::tree::split::{Branch, Comparison, Question, Split, TreeNode, Weight};

/// A tree of about this depth that draws on these bytes, and only then.
fn tree(bytes: &mut impl Iterator<Item = u8>, depth: usize, special: Specials) -> Vec<TreeNode> {
    let mut nodes = vec![TreeNode::leaf(0, 0.0)];
    let mut open = vec![(0, depth)];
    while let Some((place, depth)) = open.pop() {
        let mut next = || bytes.next().unwrap_or(0);
        if depth == 0 || next().is_multiple_of(8) {
            nodes[place] = TreeNode::leaf(usize::from(next() % 2), f64::from(next()) / 10.0);
            if special == Specials::Several {
                let first = Weight {
                    output: 0,
                    value: f64::from(next()),
                };
                let second = Weight {
                    output: 1,
                    value: f64::from(next()),
                };
                nodes[place] = TreeNode::Leaf(vec![first, second]);
            } else if let TreeNode::Leaf(weights) = &mut nodes[place] {
                weights[0].output = 0;
            }
            continue;
        }
        let comparison = match next() % 4 {
            0 => Comparison::Less,
            1 => Comparison::LessOrEqual,
            2 => Comparison::Greater,
            _ => Comparison::GreaterOrEqual,
        };
        let threshold = f64::from(next() % 8);
        let split = match next() % 4 {
            0 if special != Specials::None => Split::OneOf(vec![1.0, 3.0]),
            1 if special != Specials::None => Split::Threshold {
                comparison: Comparison::NotEqual,
                threshold,
            },
            _ => Split::Threshold {
                comparison,
                threshold,
            },
        };
        let (left, right) = (nodes.len(), nodes.len() + 1);
        let missing = if next() % 2 == 0 {
            Branch::Left
        } else {
            Branch::Right
        };
        let feature = usize::from(next()) % WIDTH;
        nodes[place] = TreeNode::Split {
            feature,
            split,
            missing,
            left,
            right,
        };
        nodes.extend([TreeNode::leaf(0, 0.0), TreeNode::leaf(0, 0.0)]);
        open.extend([(left, depth - 1), (right, depth - 1)]);
    }
    nodes
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Specials {
    None,
    Questions,
    Several,
}

/// Node by node, one row at a time.
fn naive(trees: &[Vec<TreeNode>], row: &[f32]) -> Vec<f32> {
    let mut sums = vec![0.0_f32; 2];
    for nodes in trees {
        let mut place = 0;
        let weights = loop {
            match &nodes[place] {
                TreeNode::Leaf(weights) => break weights,
                TreeNode::Split {
                    feature,
                    split,
                    missing,
                    left,
                    right,
                } => {
                    let value = row[*feature];
                    let holds = match split {
                        Split::OneOf(values) => values.contains(&value),
                        Split::Threshold {
                            comparison,
                            threshold,
                        } => {
                            let value = f64::from(value);
                            match comparison {
                                Comparison::Less => value < *threshold,
                                Comparison::LessOrEqual => value <= *threshold,
                                Comparison::Greater => value > *threshold,
                                Comparison::GreaterOrEqual => value >= *threshold,
                                Comparison::Equal => value == *threshold,
                                Comparison::NotEqual => value != *threshold,
                            }
                        }
                        other => panic!("{other:?}"),
                    };
                    let goes_left = if value.is_nan() {
                        *missing == Branch::Left
                    } else {
                        holds
                    };
                    place = if goes_left { *left } else { *right };
                }
            }
        };
        for weight in weights {
            sums[weight.output] += weight.value as f32;
        }
    }
    sums
}

fn value() -> impl Strategy<Value = f32> {
    prop_oneof![
        8 => (0_u8..9).prop_map(f32::from),
        2 => Just(f32::NAN),
        1 => Just(f32::INFINITY),
        1 => Just(f32::NEG_INFINITY),
        1 => Just(-0.0_f32),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn every_layout_scores_as_a_walk_node_by_node(
        bytes in prop::collection::vec(any::<u8>(), 3000),
        depth in 0_usize..12,
        special in prop_oneof![4 => Just(Specials::None), 1 => Just(Specials::Questions), 1 => Just(Specials::Several)],
        count in 0_usize..20,
        rows in prop::collection::vec(prop::collection::vec(value(), WIDTH), 0..150),
    ) {
        let mut bytes = bytes.into_iter();
        let trees: Vec<_> = (0..count).map(|_| tree(&mut bytes, depth, special)).collect();
        let mut builder = ForestBuilder::new(WIDTH, 2).unwrap();
        for tree in &trees {
            builder.tree(tree.clone()).unwrap();
        }
        let forest = builder.build().unwrap();
        let mut scores = Vec::new();
        forest.score(&rows.concat(), WIDTH, &mut scores).unwrap();
        let expected: Vec<f32> = rows.iter().flat_map(|row| naive(&trees, row)).collect();
        prop_assert_eq!(scores, expected);
    }
}

/// A stump per feature, so that more columns are read than a byte can count.
fn stumps(features: usize) -> Forest {
    let mut builder = ForestBuilder::new(features, 1).unwrap();
    for feature in 0..features {
        let split = Split::Threshold {
            comparison: Comparison::Less,
            threshold: 0.5,
        };
        assert!(matches!(
            split.compile(Branch::Left).question,
            Question::AtLeast(_)
        ));
        let question = TreeNode::Split {
            feature,
            split,
            missing: Branch::Left,
            left: 1,
            right: 2,
        };
        builder
            .tree(vec![
                question,
                TreeNode::leaf(0, 0.0),
                TreeNode::leaf(0, feature as f64),
            ])
            .unwrap();
    }
    builder.build().unwrap()
}

#[test]
fn wide_rows_are_read_in_full() {
    for features in [3, 255, 256, 257, 600] {
        let mut row = vec![0.0; features];
        row[features - 1] = 1.0;
        row[1] = 1.0;
        let mut out = Vec::new();
        stumps(features).score(&row, features, &mut out).unwrap();
        assert_eq!(out, [features as f32]);
    }
}

#[test]
fn rows_of_another_width_are_refused_and_nothing_is_written() {
    let forest = stumps(3);
    for (values, width) in [(6, 2), (7, 3), (0, 0), (4, 4)] {
        let mut out = Vec::new();
        let error = forest
            .score(&vec![0.0; values], width, &mut out)
            .unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Invalid);
        assert!(out.is_empty());
    }
}

const WIDTH: usize = 4;
