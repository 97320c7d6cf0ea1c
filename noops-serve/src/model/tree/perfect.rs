//! Shallow trees, laid out in full.
//!
//! A tree of depth `d` has its questions at the places 1 to 2ᵈ - 1, the children of place `i` at `2 i` and `2 i + 1`. A walk is `d`
//! times the same arithmetic, without a branch to mispredict or a pointer to follow, and a place below 2ᵈ needs no bounds check.
//! Eight walks go side by side, so that the loads of one hide the latency of another: eight rows through one tree, or one row
//! through eight trees.

use super::accumulate::Real;
use super::builder::Tree;
use super::split::{Branch, Question, TreeNode};

/// Trees of one depth.
#[derive(Debug)]
pub(super) struct Perfect<V> {
    depth: Depth,
    nodes: Vec<Node>,
    leaves: Vec<V>,
    /// The output of each tree.
    outputs: Vec<u32>,
    /// The columns that any tree looks at, in the order of `Node::feature`.
    columns: Vec<u32>,
    /// Whether `columns` counts from zero, so that a row is copied in one piece.
    in_place: bool,
}

/// Depths that walks are compiled for; a shallower tree is padded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Depth {
    Two,
    Four,
    Six,
    Eight,
}

#[derive(Clone, Copy, Debug)]
struct Node {
    /// A value goes right where it is at least this, so that NaN here or there goes left.
    bound: f32,
    feature: u8,
    missing_right: bool,
}

/// The used columns of a row. The padding keeps rows from falling into the same cache sets.
#[derive(Clone, Copy, Debug)]
pub(super) struct Lane {
    values: [f32; 256],
    _padding: [f32; 16],
}

impl Default for Lane {
    fn default() -> Self {
        Self {
            values: [0.0; 256],
            _padding: [0.0; 16],
        }
    }
}

impl<V: Real> Perfect<V> {
    /// Lays trees out, unless one is too deep, asks a special question, or has a leaf that adds to other than one output.
    pub(super) fn new(trees: &[Tree]) -> Option<Self> {
        let depth = Depth::of(trees.iter().map(|tree| tree.depth).max()?)?;
        let columns = columns(trees)?;
        let mut perfect = Self {
            depth,
            nodes: Vec::new(),
            leaves: Vec::new(),
            outputs: Vec::new(),
            in_place: columns
                .iter()
                .zip(0..)
                .all(|(&column, place)| column == place),
            columns,
        };
        for tree in trees {
            perfect.push(tree)?;
        }
        Some(perfect)
    }

    fn push(&mut self, tree: &Tree) -> Option<()> {
        let full = self.depth.leaves();
        let mut nodes = vec![LEAF; full];
        let mut leaves = vec![V::default(); full];
        let mut output = None;
        let mut open = vec![(0_usize, 1_usize)];
        while let Some((index, place)) = open.pop() {
            match tree.nodes.get(index)? {
                TreeNode::Split {
                    feature,
                    split,
                    missing,
                    left,
                    right,
                } => {
                    let compiled = split.compile(*missing);
                    let Question::AtLeast(bound) = compiled.question else {
                        return None;
                    };
                    let (left, right, missing) = if compiled.swapped {
                        (right, left, missing.other())
                    } else {
                        (left, right, *missing)
                    };
                    let column = u32::try_from(*feature).ok()?;
                    *nodes.get_mut(place)? = Node {
                        bound,
                        feature: u8::try_from(self.columns.binary_search(&column).ok()?).ok()?,
                        missing_right: missing == Branch::Right,
                    };
                    open.extend([(*left, 2 * place), (*right, 2 * place + 1)]);
                }
                TreeNode::Leaf(weights) => {
                    let [weight] = weights.as_slice() else {
                        return None;
                    };
                    if *output.get_or_insert(weight.output) != weight.output {
                        return None;
                    }
                    let mut leaf = place;
                    while leaf < full {
                        leaf *= 2;
                    }
                    *leaves.get_mut(leaf - full)? = V::from_double(weight.value);
                }
            }
        }
        self.nodes.extend(nodes);
        self.leaves.extend(leaves);
        self.outputs.push(u32::try_from(output?).ok()?);
        Some(())
    }

    /// Adds the weights of the leaves that rows fall into, in the order of the trees.
    pub(super) fn add(
        &self,
        rows: &[f32],
        width: usize,
        lanes: &mut Vec<Lane>,
        sums: &mut [V],
        outputs: usize,
    ) {
        let count = rows.len() / width.max(1);
        if lanes.len() < count {
            lanes.resize(count, Lane::default());
        }
        let Some(lanes) = lanes.get_mut(..count) else {
            return;
        };
        let mut missing = false;
        for (lane, row) in lanes.iter_mut().zip(rows.chunks_exact(width)) {
            missing |= self.copy(row, lane);
        }
        match (self.depth, missing) {
            (Depth::Two, false) => self.walk::<2, 4, false>(lanes, sums, outputs),
            (Depth::Two, true) => self.walk::<2, 4, true>(lanes, sums, outputs),
            (Depth::Four, false) => self.walk::<4, 16, false>(lanes, sums, outputs),
            (Depth::Four, true) => self.walk::<4, 16, true>(lanes, sums, outputs),
            (Depth::Six, false) => self.walk::<6, 64, false>(lanes, sums, outputs),
            (Depth::Six, true) => self.walk::<6, 64, true>(lanes, sums, outputs),
            (Depth::Eight, false) => self.walk::<8, 256, false>(lanes, sums, outputs),
            (Depth::Eight, true) => self.walk::<8, 256, true>(lanes, sums, outputs),
        }
    }

    /// Copies what is used of a row, and says whether any of it is missing.
    fn copy(&self, row: &[f32], lane: &mut Lane) -> bool {
        let used = lane.values.iter_mut();
        if self.in_place {
            let mut missing = false;
            for (value, (&from, _)) in used.zip(row.iter().zip(&self.columns)) {
                *value = from;
                missing |= from.is_nan();
            }
            return missing;
        }
        let mut missing = false;
        for (value, &column) in used.zip(&self.columns) {
            *value = row.get(column as usize).copied().unwrap_or(f32::NAN);
            missing |= value.is_nan();
        }
        missing
    }

    fn walk<const DEPTH: usize, const LEAVES: usize, const MISSING: bool>(
        &self,
        lanes: &[Lane],
        sums: &mut [V],
        outputs: usize,
    ) {
        let (trees, _) = self.nodes.as_chunks::<LEAVES>();
        let (leaves, _) = self.leaves.as_chunks::<LEAVES>();
        let (blocks, rest) = lanes.as_chunks::<WALKS>();
        let block_cells = WALKS.saturating_mul(outputs);
        let (block_sums, rest_sums) = sums
            .split_at_mut_checked(blocks.len().saturating_mul(block_cells))
            .unwrap_or_default();
        for ((nodes, leaves), &output) in trees.iter().zip(leaves).zip(&self.outputs) {
            for (block, sums) in blocks.iter().zip(block_sums.chunks_mut(block_cells.max(1))) {
                let places = descend::<DEPTH, LEAVES, MISSING>(|_| nodes, |walk| at(block, walk));
                let cells = sums
                    .iter_mut()
                    .skip(output as usize)
                    .step_by(outputs.max(1));
                for (sum, place) in cells.zip(places) {
                    *sum = sum.plus(leaf(leaves, place));
                }
            }
        }
        for (row, sums) in rest.iter().zip(rest_sums.chunks_mut(outputs.max(1))) {
            let (tree_blocks, rest_trees) = trees.as_chunks::<WALKS>();
            let (leaf_blocks, rest_leaves) = leaves.as_chunks::<WALKS>();
            let (output_blocks, rest_outputs) = self.outputs.as_chunks::<WALKS>();
            let all = tree_blocks.iter().zip(leaf_blocks).zip(output_blocks);
            for ((trees, leaves), outputs) in all {
                let places = descend::<DEPTH, LEAVES, MISSING>(|walk| at(trees, walk), |_| row);
                for ((place, leaves), &output) in places.into_iter().zip(leaves).zip(outputs) {
                    if let Some(sum) = sums.get_mut(output as usize) {
                        *sum = sum.plus(leaf(leaves, place));
                    }
                }
            }
            let all = rest_trees.iter().zip(rest_leaves).zip(rest_outputs);
            for ((nodes, leaves), &output) in all {
                let mut place = 1;
                for _ in 0..DEPTH {
                    place = step::<LEAVES, MISSING>(nodes, place, row);
                }
                if let Some(sum) = sums.get_mut(output as usize) {
                    *sum = sum.plus(leaf(leaves, place));
                }
            }
        }
    }
}

/// Where walks that go side by side end.
///
/// Written over indices, because arrays that are built so stay in registers where zipped iterators go through memory.
#[inline(always)]
fn descend<'a, const DEPTH: usize, const LEAVES: usize, const MISSING: bool>(
    nodes: impl Fn(usize) -> &'a [Node; LEAVES],
    lane: impl Fn(usize) -> &'a Lane,
) -> [usize; WALKS] {
    let mut places = [1; WALKS];
    for _ in 0..DEPTH {
        places = std::array::from_fn(|walk| {
            step::<LEAVES, MISSING>(nodes(walk), *at(&places, walk), lane(walk))
        });
    }
    places
}

#[inline(always)]
#[expect(clippy::indexing_slicing, reason = "a remainder is in range")]
fn at<T>(values: &[T; WALKS], walk: usize) -> &T {
    &values[walk % WALKS]
}

/// The child that a row goes to. `LEAVES` is a power of two and `place` below it, so that the remainder changes nothing but tells
/// the compiler so.
#[inline(always)]
#[expect(
    clippy::indexing_slicing,
    reason = "a remainder and a byte are in range"
)]
fn step<const LEAVES: usize, const MISSING: bool>(
    nodes: &[Node; LEAVES],
    place: usize,
    lane: &Lane,
) -> usize {
    let node = &nodes[place % LEAVES];
    let value = lane.values[usize::from(node.feature)];
    let mut right = value >= node.bound;
    if MISSING {
        right |= value.is_nan() & node.missing_right;
    }
    2 * place + usize::from(right)
}

#[inline(always)]
#[expect(clippy::indexing_slicing, reason = "a remainder is in range")]
fn leaf<V: Real, const LEAVES: usize>(leaves: &[V; LEAVES], place: usize) -> V {
    leaves[place % LEAVES]
}

impl Depth {
    fn of(depth: usize) -> Option<Self> {
        match depth {
            0..=2 => Some(Self::Two),
            3..=4 => Some(Self::Four),
            5..=6 => Some(Self::Six),
            7..=8 => Some(Self::Eight),
            _ => None,
        }
    }

    fn leaves(self) -> usize {
        match self {
            Self::Two => 4,
            Self::Four => 16,
            Self::Six => 64,
            Self::Eight => 256,
        }
    }
}

/// The columns that trees look at, in order; `None` where a byte cannot count them.
fn columns(trees: &[Tree]) -> Option<Vec<u32>> {
    let nodes = trees.iter().flat_map(|tree| &tree.nodes);
    let mut columns: Vec<u32> = nodes
        .filter_map(|node| match node {
            TreeNode::Split { feature, .. } => u32::try_from(*feature).ok(),
            TreeNode::Leaf(_) => None,
        })
        .collect();
    columns.sort_unstable();
    columns.dedup();
    (columns.len() <= 256).then_some(columns)
}

/// What fills the places below a leaf: it leads left whatever the value.
const LEAF: Node = Node {
    bound: f32::NAN,
    feature: 0,
    missing_right: false,
};
/// How many walks go side by side: as many as the places of which fit the registers.
const WALKS: usize = 8;
