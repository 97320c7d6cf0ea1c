use super::bins::Binned;
use super::histogram::{Histogram, Slope, Sum};
use super::settings::BoostingSettings;
use super::tree::{Node, Tree};

/// Grows trees over one binned matrix, depth first, so that few histograms live at a time.
pub(super) struct Growth<'a> {
    features: &'a Binned,
    settings: &'a BoostingSettings,
    order: Vec<u32>,
    spare: Vec<Histogram>,
    moved: Vec<u32>,
    gathered: Vec<Slope>,
}

impl<'a> Growth<'a> {
    pub(super) fn new(features: &'a Binned, settings: &'a BoostingSettings) -> Self {
        Self {
            features,
            settings,
            order: Vec::new(),
            spare: Vec::new(),
            moved: Vec::new(),
            gathered: Vec::new(),
        }
    }

    /// Fits one tree to the slopes, adds it to the scores of `rows` and what its splits gained to `gains`.
    pub(super) fn grow(
        &mut self,
        rows: &[u32],
        slopes: &[Slope],
        scores: &mut [f64],
        gains: &mut [f64],
    ) -> Tree {
        let mut order = std::mem::take(&mut self.order);
        order.clear();
        order.extend_from_slice(rows);
        let mut total = Sum::default();
        for slope in rows.iter().filter_map(|&row| slopes.get(row as usize)) {
            total.add(*slope);
        }
        let histogram = self.histogram(&order, slopes);
        let mut grown = Grown {
            slopes,
            scores,
            gains,
            nodes: Vec::new(),
        };
        self.grow_node(&mut order, total, Some(histogram), 0, &mut grown);
        let tree = Tree::new(grown.nodes);
        self.order = order;
        tree
    }

    fn grow_node(
        &mut self,
        rows: &mut [u32],
        total: Sum,
        histogram: Option<Histogram>,
        depth: u32,
        grown: &mut Grown<'_>,
    ) -> u32 {
        // At most 511 nodes.
        let index = grown.nodes.len();
        let best = histogram.as_ref().and_then(|own| self.best(own, total));
        let (Some(split), Some(histogram)) = (best, histogram) else {
            let value = self.leaf(total);
            grown.finish_leaf(rows, value);
            return index as u32;
        };
        if let Some(gain) = grown.gains.get_mut(split.column as usize) {
            *gain += split.gain;
        }
        grown.nodes.push(split.node(0));
        let cut = self.partition(rows, &split);
        let (left_rows, right_rows) = rows.split_at_mut(cut.min(rows.len()));
        let children = self.children(left_rows, right_rows, histogram, depth + 1, grown.slopes);
        self.grow_node(left_rows, split.left, children.left, depth + 1, grown);
        let right = self.grow_node(right_rows, split.right, children.right, depth + 1, grown);
        if let Some(node) = grown.nodes.get_mut(index) {
            *node = split.node(right);
        }
        index as u32
    }

    /// The histograms of both children, of which only the smaller one is summed; none where no split may follow.
    fn children(
        &mut self,
        left: &[u32],
        right: &[u32],
        mut parent: Histogram,
        depth: u32,
        slopes: &[Slope],
    ) -> Children {
        if depth >= self.settings.depth() {
            self.spare.push(parent);
            return Children {
                left: None,
                right: None,
            };
        }
        let left_is_smaller = left.len() <= right.len();
        let smaller = self.histogram(if left_is_smaller { left } else { right }, slopes);
        parent.subtract(&smaller);
        let (left, right) = if left_is_smaller {
            (smaller, parent)
        } else {
            (parent, smaller)
        };
        Children {
            left: Some(left),
            right: Some(right),
        }
    }

    fn histogram(&mut self, rows: &[u32], slopes: &[Slope]) -> Histogram {
        self.gathered.clear();
        self.gathered.extend(
            rows.iter()
                .map(|&row| slopes.get(row as usize).copied().unwrap_or_default()),
        );
        let mut histogram = self
            .spare
            .pop()
            .unwrap_or_else(|| Histogram::new(self.features));
        histogram.fill(self.features, rows, &self.gathered);
        histogram
    }

    /// The split that gains most; of equals the first.
    fn best(&self, histogram: &Histogram, total: Sum) -> Option<Split> {
        let l2 = self.settings.l2();
        let least = self.settings.min_child_weight();
        let before = total.score(l2);
        let mut best: Option<Split> = None;
        let mut most = SMALLEST_GAIN;
        let columns = histogram.columns().iter().zip(self.features.columns());
        for (column, (cells, binned)) in columns.enumerate() {
            let Some((missing, bins)) = cells.split_last() else {
                continue;
            };
            // After the last bin every present value is on the left, which parts only present from missing.
            let edges = binned.edges().iter().copied().chain([f64::MAX]);
            let mut below = Sum::default();
            for (bin, (cell, threshold)) in bins.iter().zip(edges).enumerate() {
                if cell.rows == 0 {
                    continue;
                }
                below = below.plus(*cell);
                let sides = [(true, below), (missing.rows > 0, below.plus(*missing))];
                for (with_missing, (possible, left)) in sides.into_iter().enumerate() {
                    let right = total.less(left);
                    if !possible
                        || left.rows == 0
                        || right.rows == 0
                        || left.curvature < least
                        || right.curvature < least
                    {
                        continue;
                    }
                    let gain = left.score(l2) + right.score(l2) - before;
                    if gain > most {
                        most = gain;
                        best = Some(Split {
                            column: column as u32,
                            bin,
                            threshold,
                            missing_left: if missing.rows > 0 {
                                with_missing == 1
                            } else {
                                left.rows > right.rows
                            },
                            left,
                            right,
                            gain,
                        });
                    }
                }
            }
        }
        best
    }

    fn leaf(&self, total: Sum) -> f64 {
        let curvature = total.curvature + self.settings.l2();
        if curvature > 0.0 {
            let step = (-total.gradient / curvature).clamp(-LONGEST_STEP, LONGEST_STEP);
            self.settings.learning_rate() * step
        } else {
            0.0
        }
    }

    /// Moves the rows of the left child to the front, in order, and says how many they are.
    fn partition(&mut self, rows: &mut [u32], split: &Split) -> usize {
        let Some(column) = self.features.columns().get(split.column as usize) else {
            return rows.len();
        };
        let missing = column.cells() - 1;
        let codes = column.codes();
        let goes_left = |row: u32| {
            let code = codes
                .get(row as usize)
                .copied()
                .map_or(missing, usize::from);
            if code == missing {
                split.missing_left
            } else {
                code <= split.bin
            }
        };
        self.moved.clear();
        self.moved
            .extend(rows.iter().copied().filter(|&row| goes_left(row)));
        let cut = self.moved.len();
        self.moved
            .extend(rows.iter().copied().filter(|&row| !goes_left(row)));
        for (slot, row) in rows.iter_mut().zip(&self.moved) {
            *slot = *row;
        }
        cut
    }
}

/// The tree that is being grown and what it changes.
struct Grown<'a> {
    slopes: &'a [Slope],
    scores: &'a mut [f64],
    gains: &'a mut [f64],
    nodes: Vec<Node>,
}

impl Grown<'_> {
    fn finish_leaf(&mut self, rows: &[u32], value: f64) {
        self.nodes.push(Node::Leaf { value });
        for &row in rows {
            if let Some(score) = self.scores.get_mut(row as usize) {
                *score += value;
            }
        }
    }
}

struct Children {
    left: Option<Histogram>,
    right: Option<Histogram>,
}

struct Split {
    column: u32,
    bin: usize,
    threshold: f64,
    missing_left: bool,
    left: Sum,
    right: Sum,
    gain: f64,
}

impl Split {
    fn node(&self, right: u32) -> Node {
        Node::Split {
            column: self.column,
            threshold: self.threshold,
            missing_left: self.missing_left,
            right,
        }
    }
}

/// Targets are at most 1 in size, so that less than this is rounding.
const SMALLEST_GAIN: f64 = 1e-12;
/// Only a logistic leaf with next to no curvature and no penalty would step further.
const LONGEST_STEP: f64 = 100.0;
