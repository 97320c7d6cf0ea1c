//! One tree of a booster.

use std::cell::Cell;

use noops_core::Error;

use super::sections::Section;
use crate::model::tree::builder::{corrupt, unsupported};
use crate::model::tree::split::{Branch, Comparison, Split, TreeNode};

/// The nodes of a tree that adds to `output`: the questions, and behind them the leaves.
pub(super) fn nodes(section: &Section<'_>, output: usize) -> Result<Vec<TreeNode>, Error> {
    if section.find("is_linear").is_some_and(|value| value != "0") {
        return Err(unsupported(
            "linear trees (`linear_tree`) are not supported",
        ));
    }
    let leaves: Vec<f64> = section.numbers("leaf_value")?;
    let count: usize = section.number("num_leaves")?;
    let features: Vec<usize> = section.numbers("split_feature")?;
    let thresholds: Vec<f64> = section.numbers("threshold")?;
    let kinds: Vec<u8> = section.numbers("decision_type")?;
    let left: Vec<i64> = section.numbers("left_child")?;
    let right: Vec<i64> = section.numbers("right_child")?;
    let lengths = [
        features.len(),
        thresholds.len(),
        kinds.len(),
        left.len(),
        right.len(),
    ];
    // A tree of one leaf may have lines for a question that it does not have.
    let splits = count.saturating_sub(1);
    if count == 0
        || leaves.len() != count
        || (splits > 0 && lengths.iter().any(|&length| length != splits))
    {
        return Err(corrupt("the lines of a tree differ in length").with("leaves", count));
    }
    let sets = Sets::read(section)?;
    let mut nodes = Vec::with_capacity(splits.saturating_add(count));
    let children = left.iter().zip(&right);
    let questions = features.iter().zip(&thresholds).zip(&kinds);
    for ((&left, &right), ((&feature, &threshold), &kind)) in children.zip(questions).take(splits) {
        let question = question(threshold, kind, &sets)?;
        nodes.push(TreeNode::Split {
            feature,
            split: question.split,
            missing: question.missing,
            left: child(left, splits)?,
            right: child(right, splits)?,
        });
    }
    nodes.extend(
        leaves
            .into_iter()
            .map(|value| TreeNode::leaf(output, value)),
    );
    Ok(nodes)
}

struct Question {
    split: Split,
    missing: Branch,
}

/// The question of a node, as `Tree::NumericalDecision` and `Tree::CategoricalDecision` ask it.
fn question(threshold: f64, kind: u8, sets: &Sets) -> Result<Question, Error> {
    if kind & CATEGORICAL != 0 {
        return Ok(Question {
            split: Split::Category {
                members: sets.members(threshold)?,
                least: (-1.0_f32).next_up(),
            },
            missing: Branch::Right,
        });
    }
    let default = if kind & DEFAULT_LEFT == 0 {
        Branch::Right
    } else {
        Branch::Left
    };
    let at_most = Split::Threshold {
        comparison: Comparison::LessOrEqual,
        threshold,
    };
    let (split, missing) = match kind >> 2 & 3 {
        // Where nothing was missing in training, a missing value is zero.
        0 if 0.0 <= threshold => (at_most, Branch::Left),
        0 => (at_most, Branch::Right),
        1 => (Split::AtMostZeroMissing { threshold }, default),
        2 => (at_most, default),
        other => {
            return Err(corrupt("the kind of missing value is not known").with("kind", other));
        }
    };
    Ok(Question { split, missing })
}

/// The sets of categories of a tree, as bits.
struct Sets {
    boundaries: Vec<usize>,
    words: Vec<u32>,
    /// Words that nodes have asked for. Each set belongs to one node, so a file cannot have a short one copied for ever.
    taken: Cell<usize>,
}

impl Sets {
    fn read(section: &Section<'_>) -> Result<Self, Error> {
        Ok(Self {
            boundaries: section.numbers("cat_boundaries")?,
            words: section.numbers("cat_threshold")?,
            taken: Cell::new(0),
        })
    }

    /// The set that a threshold numbers.
    fn members(&self, threshold: f64) -> Result<Vec<u32>, Error> {
        // The cast saturates, and there is no set of the largest number.
        let index = threshold as usize;
        let absent = || corrupt("a set of categories is not there").with("set", threshold);
        let start = *self.boundaries.get(index).ok_or_else(absent)?;
        let end = *index
            .checked_add(1)
            .and_then(|next| self.boundaries.get(next))
            .ok_or_else(absent)?;
        let words = self
            .words
            .get(start..end)
            .filter(|words| words.len() <= MAX_WORDS)
            .ok_or_else(absent)?;
        self.taken.set(self.taken.get().saturating_add(words.len()));
        if self.taken.get() > self.words.len() {
            return Err(corrupt("sets of categories belong to several nodes"));
        }
        let bits = words
            .iter()
            .zip((0_u32..).step_by(32))
            .flat_map(|(&word, first)| {
                (0..32)
                    .filter(move |bit| word >> bit & 1 == 1)
                    .map(move |bit| first + bit)
            });
        Ok(bits.collect())
    }
}

/// A child, which is a leaf where it is negative.
fn child(index: i64, splits: usize) -> Result<usize, Error> {
    let place = if index < 0 {
        usize::try_from(!index)
            .ok()
            .and_then(|leaf| leaf.checked_add(splits))
    } else {
        usize::try_from(index).ok().filter(|&index| index < splits)
    };
    place.ok_or_else(|| corrupt("a node leads to none").with("child", index))
}

const CATEGORICAL: u8 = 1;
const DEFAULT_LEFT: u8 = 2;
/// As many words as hold the categories that a forest can have.
const MAX_WORDS: usize = 2048;
