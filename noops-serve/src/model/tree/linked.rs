//! Deep trees, and trees with special questions, along links.
//!
//! The children of a node lie side by side, and a leaf leads to itself, so that four rows go down a tree together until none of
//! them moves.

use noops_core::Error;

use super::accumulate::{Aggregate, Real};
use super::builder::{Tree, corrupt};
use super::split::{Branch, Decision, Question, TreeNode};

/// Trees as links.
#[derive(Debug)]
pub(super) struct Linked<V> {
    nodes: Vec<Node>,
    roots: Vec<u32>,
    specials: Vec<Decision>,
    /// Where the weights of each leaf begin; those of the next leaf begin where they end.
    starts: Vec<u32>,
    outputs: Vec<u32>,
    weights: Vec<V>,
}

#[derive(Clone, Copy, Debug)]
struct Node {
    /// A value goes right where it is at least this; NaN for a leaf.
    bound: f32,
    /// The column, or the number of the leaf.
    feature: u32,
    /// The left child, or the leaf itself; the right child follows.
    left: u32,
    missing_right: bool,
    kind: Kind,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Leaf,
    Bound,
    /// The special question whose number is in the bits of the bound.
    Special,
}

impl<V: Real> Linked<V> {
    /// Links trees that have been checked.
    pub(super) fn new(trees: &[Tree]) -> Result<Self, Error> {
        let mut linked = Self {
            nodes: Vec::new(),
            roots: Vec::new(),
            specials: Vec::new(),
            starts: vec![0],
            outputs: Vec::new(),
            weights: Vec::new(),
        };
        for tree in trees {
            linked
                .push(tree)
                .ok_or_else(|| corrupt("there are too many nodes or weights"))?;
        }
        Ok(linked)
    }

    fn push(&mut self, tree: &Tree) -> Option<()> {
        self.roots.push(u32::try_from(self.nodes.len()).ok()?);
        let mut open = std::collections::VecDeque::from([(0_usize, self.nodes.len())]);
        self.nodes.push(LEAF);
        while let Some((index, place)) = open.pop_front() {
            let node = match tree.nodes.get(index)? {
                TreeNode::Split {
                    feature,
                    split,
                    missing,
                    left,
                    right,
                } => {
                    let compiled = split.compile(*missing);
                    let children = self.nodes.len();
                    self.nodes.extend([LEAF; 2]);
                    let (first, second, missing) = if compiled.swapped {
                        (right, left, missing.other())
                    } else {
                        (left, right, *missing)
                    };
                    open.extend([(*first, children), (*second, children + 1)]);
                    let mut node = Node {
                        bound: f32::NAN,
                        feature: u32::try_from(*feature).ok()?,
                        left: u32::try_from(children).ok()?,
                        missing_right: missing == Branch::Right,
                        kind: Kind::Bound,
                    };
                    match compiled.question {
                        Question::AtLeast(bound) => node.bound = bound,
                        Question::Special(decision) => {
                            node.bound = f32::from_bits(u32::try_from(self.specials.len()).ok()?);
                            node.kind = Kind::Special;
                            self.specials.push(decision);
                        }
                    }
                    node
                }
                TreeNode::Leaf(weights) => {
                    let leaf = u32::try_from(self.starts.len() - 1).ok()?;
                    for weight in weights {
                        self.outputs.push(u32::try_from(weight.output).ok()?);
                        self.weights.push(V::from_double(weight.value));
                    }
                    self.starts.push(u32::try_from(self.weights.len()).ok()?);
                    Node {
                        feature: leaf,
                        left: u32::try_from(place).ok()?,
                        ..LEAF
                    }
                }
            };
            *self.nodes.get_mut(place)? = node;
        }
        Some(())
    }

    /// Puts together the weights of the leaves that rows fall into, in the order of the trees.
    pub(super) fn add(
        &self,
        rows: &[f32],
        width: usize,
        aggregate: Aggregate,
        sums: &mut [V],
        outputs: usize,
    ) {
        let mut seen = match aggregate {
            Aggregate::Sum | Aggregate::Average => Vec::new(),
            Aggregate::Minimum | Aggregate::Maximum => vec![false; sums.len()],
        };
        let missing = rows.iter().any(|value| value.is_nan());
        let plain = self.specials.is_empty();
        let width = width.max(1);
        let block = WALKS.saturating_mul(width);
        let whole = rows.len() / block * WALKS;
        let (blocks, rest) = rows
            .split_at_checked(whole.saturating_mul(width))
            .unwrap_or_default();
        for &root in &self.roots {
            for (index, rows) in blocks.chunks_exact(block).enumerate() {
                let mut views: [&[f32]; WALKS] = [&[]; WALKS];
                for (view, row) in views.iter_mut().zip(rows.chunks_exact(width)) {
                    *view = row;
                }
                let mut places = [root; WALKS];
                match (plain, missing) {
                    (true, false) => self.walk::<false, false>(&views, &mut places),
                    (true, true) => self.walk::<false, true>(&views, &mut places),
                    (false, _) => self.walk::<true, true>(&views, &mut places),
                }
                for (lane, place) in places.into_iter().enumerate() {
                    let row = index.saturating_mul(WALKS).saturating_add(lane);
                    self.collect(
                        place,
                        row.saturating_mul(outputs),
                        aggregate,
                        sums,
                        &mut seen,
                    );
                }
            }
        }
        for (row, values) in (whole..).zip(rest.chunks_exact(width)) {
            let views = [values; WALKS];
            let row = row.saturating_mul(outputs);
            for roots in self.roots.chunks(WALKS) {
                // Walks to spare go down the first tree again, and nobody asks where they end.
                let mut places = [0; WALKS];
                for (place, &root) in places.iter_mut().zip(roots) {
                    *place = root;
                }
                match (plain, missing) {
                    (true, false) => self.walk::<false, false>(&views, &mut places),
                    (true, true) => self.walk::<false, true>(&views, &mut places),
                    (false, _) => self.walk::<true, true>(&views, &mut places),
                }
                for (place, _) in places.into_iter().zip(roots) {
                    self.collect(place, row, aggregate, sums, &mut seen);
                }
            }
        }
    }

    /// Takes each walk to its leaf.
    #[inline(always)]
    fn walk<const SPECIAL: bool, const MISSING: bool>(
        &self,
        rows: &[&[f32]; WALKS],
        places: &mut [u32; WALKS],
    ) {
        loop {
            let next = std::array::from_fn(|walk| {
                let place = places.get(walk).copied().unwrap_or(0);
                let row = rows.get(walk).copied().unwrap_or(&[]);
                self.step::<SPECIAL, MISSING>(place, row)
            });
            let moved = next != *places;
            *places = next;
            if !moved {
                return;
            }
        }
    }

    /// The child that a row goes to.
    #[inline(always)]
    fn step<const SPECIAL: bool, const MISSING: bool>(&self, place: u32, row: &[f32]) -> u32 {
        let node = self.nodes.get(place as usize).unwrap_or(&LEAF);
        let value = row.get(node.feature as usize).copied().unwrap_or(0.0);
        let mut right = value >= node.bound;
        if MISSING {
            right |= value.is_nan() & node.missing_right;
        }
        if SPECIAL && node.kind == Kind::Special {
            right = if value.is_nan() {
                node.missing_right
            } else {
                let decision = self.specials.get(node.bound.to_bits() as usize);
                let branch = decision.map_or(Branch::Left, |special| special.decide(value));
                branch == Branch::Right
            };
        }
        node.left.wrapping_add(u32::from(right))
    }

    #[inline(always)]
    fn collect(
        &self,
        place: u32,
        row: usize,
        aggregate: Aggregate,
        sums: &mut [V],
        seen: &mut [bool],
    ) {
        let leaf = self
            .nodes
            .get(place as usize)
            .map_or(u32::MAX, |node| node.feature) as usize;
        let start = self.starts.get(leaf).copied().unwrap_or(0) as usize;
        let end = self
            .starts
            .get(leaf.saturating_add(1))
            .copied()
            .unwrap_or(0) as usize;
        let outputs = self.outputs.get(start..end).unwrap_or_default();
        let weights = self.weights.get(start..end).unwrap_or_default();
        for (&output, &weight) in outputs.iter().zip(weights) {
            let cell = row.saturating_add(output as usize);
            let Some(sum) = sums.get_mut(cell) else {
                continue;
            };
            match aggregate {
                Aggregate::Sum | Aggregate::Average => *sum = sum.plus(weight),
                Aggregate::Minimum | Aggregate::Maximum => {
                    let Some(seen) = seen.get_mut(cell) else {
                        continue;
                    };
                    let better = match aggregate {
                        Aggregate::Minimum => weight < *sum,
                        _ => weight > *sum,
                    };
                    if better || !*seen {
                        *sum = weight;
                    }
                    *seen = true;
                }
            }
        }
    }
}

const LEAF: Node = Node {
    bound: f32::NAN,
    feature: 0,
    left: 0,
    missing_right: false,
    kind: Kind::Leaf,
};
/// How many walks go side by side.
const WALKS: usize = 4;
