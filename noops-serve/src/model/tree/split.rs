//! What the nodes of a tree say, in the terms of the formats that trees come in.

/// One node of a tree as its source describes it; children are indices into the list of the tree's nodes, whose first is the root.
#[derive(Clone, Debug, PartialEq)]
pub enum TreeNode {
    /// An inner node.
    Split {
        /// The column that is looked at.
        feature: usize,
        /// The question, which sends a row to the left where it holds and to the right where it does not.
        split: Split,
        /// Where a missing value goes.
        missing: Branch,
        /// The node to go to where the question holds.
        left: usize,
        /// The node to go to where it does not.
        right: usize,
    },
    /// A leaf, which adds its weights to the outputs.
    Leaf(Vec<Weight>),
}

impl TreeNode {
    /// A leaf that adds to one output.
    #[must_use]
    pub fn leaf(output: usize, value: f64) -> Self {
        Self::Leaf(vec![Weight { output, value }])
    }
}

/// What a leaf adds to one output.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Weight {
    /// The output.
    pub output: usize,
    /// What is added to it.
    pub value: f64,
}

/// One of the two ways out of a node.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Branch {
    /// To the left child, where the question holds (the *true* branch of ONNX).
    Left,
    /// To the right child.
    Right,
}

impl Branch {
    /// The other one.
    #[must_use]
    pub fn other(self) -> Self {
        match self {
            Self::Left => Self::Right,
            Self::Right => Self::Left,
        }
    }
}

/// The question of an inner node. Values are single precision and are compared as if widened to double precision.
#[derive(Clone, Debug, PartialEq)]
pub enum Split {
    /// Whether a value compares so with a threshold.
    Threshold {
        /// How.
        comparison: Comparison,
        /// With what. It may be infinite but not NaN.
        threshold: f64,
    },
    /// Whether a value is at most a threshold, where a value within `1e-35` of zero counts as missing: LightGBM's
    /// `zero_as_missing`.
    AtMostZeroMissing {
        /// The threshold.
        threshold: f64,
    },
    /// Whether a value, cut to an integer, is one of these categories. Values below `least` are in no category.
    Category {
        /// The categories.
        members: Vec<u32>,
        /// The least value that is cut to an integer: zero for XGBoost, just above minus one for LightGBM.
        least: f32,
    },
    /// Whether a value equals one of these.
    OneOf(Vec<f32>),
}

/// How a value is compared with a threshold, as in ONNX.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Comparison {
    /// `BRANCH_LT`.
    Less,
    /// `BRANCH_LEQ`.
    LessOrEqual,
    /// `BRANCH_GT`.
    Greater,
    /// `BRANCH_GTE`.
    GreaterOrEqual,
    /// `BRANCH_EQ`.
    Equal,
    /// `BRANCH_NEQ`.
    NotEqual,
}

/// A question in the form that the scoring loops ask.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Question {
    /// Goes right where the value is at least this: never where this is NaN, nor where the value is.
    AtLeast(f32),
    /// Anything else.
    Special(Decision),
}

/// A question that needs more than one comparison. It is never asked of a missing value.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Decision {
    ZeroMissing { bound: f32, missing: Branch },
    Category { set: Set, least: f32 },
    OneOf(Box<[f32]>),
}

impl Decision {
    pub(super) fn decide(&self, value: f32) -> Branch {
        match self {
            Self::ZeroMissing { missing, .. } if value.abs() <= ZERO => *missing,
            Self::ZeroMissing { bound, .. } if value >= *bound => Branch::Right,
            Self::ZeroMissing { .. } => Branch::Left,
            // The cast saturates, and the largest number is in no set.
            Self::Category { set, least } if value >= *least && set.contains(value as u32) => {
                Branch::Left
            }
            Self::Category { .. } => Branch::Right,
            Self::OneOf(values) if values.contains(&value) => Branch::Left,
            Self::OneOf(_) => Branch::Right,
        }
    }
}

/// A set of categories.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Set {
    /// One bit for each.
    Bits(Box<[u64]>),
    /// In order, where bits would take far more room than was taken to name them.
    Sorted(Box<[u32]>),
}

impl Set {
    fn of(members: &[u32]) -> Self {
        let words = members
            .iter()
            .max()
            .map_or(0, |&most| most as usize / 64 + 1);
        if words > members.len().saturating_mul(4).saturating_add(16) {
            let mut sorted = members.to_vec();
            sorted.sort_unstable();
            return Self::Sorted(sorted.into());
        }
        let mut bits = vec![0_u64; words];
        for &member in members {
            if let Some(word) = bits.get_mut(member as usize / 64) {
                *word |= 1 << (member % 64);
            }
        }
        Self::Bits(bits.into())
    }

    fn contains(&self, category: u32) -> bool {
        match self {
            Self::Bits(bits) => {
                let word = bits.get(category as usize / 64).copied();
                word.unwrap_or(0) >> (category % 64) & 1 == 1
            }
            Self::Sorted(sorted) => sorted.binary_search(&category).is_ok(),
        }
    }
}

/// A question, and whether its branches have changed places.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Compiled {
    pub(super) question: Question,
    pub(super) swapped: bool,
}

impl Split {
    pub(super) fn compile(&self, missing: Branch) -> Compiled {
        let (question, swapped) = match self {
            Self::Threshold {
                comparison,
                threshold,
            } => match comparison {
                Comparison::Less => (Question::AtLeast(at_least(*threshold)), false),
                Comparison::LessOrEqual => (Question::AtLeast(above(*threshold)), false),
                Comparison::Greater => (Question::AtLeast(above(*threshold)), true),
                Comparison::GreaterOrEqual => (Question::AtLeast(at_least(*threshold)), true),
                Comparison::Equal => (equal(*threshold), false),
                Comparison::NotEqual => (equal(*threshold), true),
            },
            Self::AtMostZeroMissing { threshold } => {
                let bound = above(*threshold);
                (
                    Question::Special(Decision::ZeroMissing { bound, missing }),
                    false,
                )
            }
            Self::Category { members, least } => {
                let set = Set::of(members);
                let least = *least;
                (Question::Special(Decision::Category { set, least }), false)
            }
            Self::OneOf(values) => (
                Question::Special(Decision::OneOf(values.as_slice().into())),
                false,
            ),
        };
        Compiled { question, swapped }
    }
}

/// The least single that is at least `threshold`: a single `x` is below `threshold` exactly where it is not at least this.
fn at_least(threshold: f64) -> f32 {
    let nearest = threshold as f32;
    if f64::from(nearest) >= threshold {
        nearest
    } else {
        nearest.next_up()
    }
}

/// The least single above `threshold`, or NaN where there is none: a single `x` is at most `threshold` exactly where it is not at
/// least this. LightGBM's thresholds are doubles, and so no comparison has to be made in double precision.
fn above(threshold: f64) -> f32 {
    let nearest = threshold as f32;
    if threshold == f64::INFINITY {
        f32::NAN
    } else if f64::from(nearest) > threshold {
        nearest
    } else {
        nearest.next_up()
    }
}

fn equal(threshold: f64) -> Question {
    let single = threshold as f32;
    let values = if f64::from(single) == threshold {
        vec![single]
    } else {
        Vec::new()
    };
    Question::Special(Decision::OneOf(values.into()))
}

/// LightGBM's `kZeroThreshold`.
const ZERO: f32 = 1e-35;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn goes(split: &Split, value: f32) -> Branch {
        let compiled = split.compile(Branch::Left);
        let branch = match compiled.question {
            Question::AtLeast(bound) if value >= bound => Branch::Right,
            Question::AtLeast(_) => Branch::Left,
            Question::Special(decision) => decision.decide(value),
        };
        if compiled.swapped {
            branch.other()
        } else {
            branch
        }
    }

    fn holds(comparison: Comparison, value: f64, threshold: f64) -> bool {
        match comparison {
            Comparison::Less => value < threshold,
            Comparison::LessOrEqual => value <= threshold,
            Comparison::Greater => value > threshold,
            Comparison::GreaterOrEqual => value >= threshold,
            Comparison::Equal => value == threshold,
            Comparison::NotEqual => value != threshold,
        }
    }

    const COMPARISONS: [Comparison; 6] = [
        Comparison::Less,
        Comparison::LessOrEqual,
        Comparison::Greater,
        Comparison::GreaterOrEqual,
        Comparison::Equal,
        Comparison::NotEqual,
    ];

    fn agrees(value: f32, threshold: f64) {
        for comparison in COMPARISONS {
            let split = Split::Threshold {
                comparison,
                threshold,
            };
            let expected = if holds(comparison, f64::from(value), threshold) {
                Branch::Left
            } else {
                Branch::Right
            };
            assert_eq!(
                goes(&split, value),
                expected,
                "{value:e} {comparison:?} {threshold:e}"
            );
        }
    }

    #[test]
    fn one_comparison_of_singles_is_every_comparison_of_doubles_at_the_edges() {
        let max = f64::from(f32::MAX);
        let tiny = f64::from(f32::from_bits(1));
        let thresholds = [
            0.0,
            -0.0,
            1.0,
            0.1,
            1e-50,
            -1e-50,
            tiny,
            tiny / 2.0,
            -tiny,
            1e300,
            -1e300,
            max,
            -max,
            max.next_up(),
            max.next_down(),
            f64::INFINITY,
            f64::NEG_INFINITY,
        ];
        for threshold in thresholds {
            let near = threshold as f32;
            let values = [
                near,
                near.next_up(),
                near.next_down(),
                0.0,
                -0.0,
                f32::MAX,
                f32::MIN,
                f32::INFINITY,
                f32::NEG_INFINITY,
                f32::from_bits(1),
            ];
            for value in values {
                agrees(value, threshold);
            }
        }
    }

    proptest! {
        #[test]
        fn one_comparison_of_singles_is_every_comparison_of_doubles(
            value in any::<f32>().prop_filter("a missing value is never compared", |value| !value.is_nan()),
            off in -3_i32..=3,
            exact in any::<bool>(),
            other in any::<f64>().prop_filter("refused by the builder", |threshold| !threshold.is_nan()),
        ) {
            agrees(value, other);
            let mut near = f64::from(value);
            for _ in 0..off.abs() {
                near = if off > 0 { near.next_up() } else { near.next_down() };
            }
            agrees(value, if exact { f64::from(value) } else { near });
        }
    }

    #[test]
    fn a_category_is_cut_to_an_integer() {
        let split = Split::Category {
            members: vec![0, 3, 70],
            least: 0.0,
        };
        for (value, branch) in [
            (0.0, Branch::Left),
            (0.9, Branch::Left),
            (1.0, Branch::Right),
            (3.5, Branch::Left),
            (70.0, Branch::Left),
            (71.0, Branch::Right),
            (-0.5, Branch::Right),
            (1e30, Branch::Right),
            (f32::INFINITY, Branch::Right),
            (f32::NEG_INFINITY, Branch::Right),
        ] {
            assert_eq!(goes(&split, value), branch, "{value}");
        }
    }

    #[test]
    fn a_far_category_takes_no_room_for_those_before_it() {
        let split = Split::Category {
            members: vec![9_000_000, 2],
            least: 0.0,
        };
        assert_eq!(goes(&split, 9e6), Branch::Left);
        assert_eq!(goes(&split, 2.0), Branch::Left);
        assert_eq!(goes(&split, 3.0), Branch::Right);
    }

    #[test]
    fn a_value_near_zero_is_missing_where_zero_is() {
        let split = Split::AtMostZeroMissing { threshold: -1.0 };
        assert_eq!(goes(&split, 1e-36), Branch::Left);
        assert_eq!(goes(&split, 0.0), Branch::Left);
        assert_eq!(goes(&split, 1e-34), Branch::Right);
        assert_eq!(goes(&split, -2.0), Branch::Left);
    }
}
