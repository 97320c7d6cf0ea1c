use super::bins::Binned;

/// Gradient and curvature of the loss at a row.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Slope {
    pub(super) gradient: f64,
    pub(super) curvature: f64,
}

/// Sums over rows.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Sum {
    pub(super) gradient: f64,
    pub(super) curvature: f64,
    /// Exact, unlike the other two, so that an empty bin is known to be empty after a subtraction.
    pub(super) rows: u32,
}

impl Sum {
    pub(super) fn add(&mut self, slope: Slope) {
        self.gradient += slope.gradient;
        self.curvature += slope.curvature;
        self.rows = self.rows.saturating_add(1);
    }

    pub(super) fn plus(self, other: Self) -> Self {
        Self {
            gradient: self.gradient + other.gradient,
            curvature: self.curvature + other.curvature,
            rows: self.rows.saturating_add(other.rows),
        }
    }

    pub(super) fn less(self, other: Self) -> Self {
        Self {
            gradient: self.gradient - other.gradient,
            curvature: (self.curvature - other.curvature).max(0.0),
            rows: self.rows.saturating_sub(other.rows),
        }
    }

    /// G² / (H + λ): twice what the best leaf takes off the loss.
    pub(super) fn score(self, l2: f64) -> f64 {
        let curvature = self.curvature + l2;
        if curvature > 0.0 {
            self.gradient * self.gradient / curvature
        } else {
            0.0
        }
    }
}

/// The sums of every bin of every column, over the rows of a node.
#[derive(Clone, Debug)]
pub(super) struct Histogram {
    columns: Vec<Vec<Sum>>,
}

impl Histogram {
    pub(super) fn new(features: &Binned) -> Self {
        let columns = features
            .columns()
            .iter()
            .map(|column| vec![Sum::default(); column.cells()])
            .collect();
        Self { columns }
    }

    /// Sums anew; `slopes` are those of `rows`, in their order.
    pub(super) fn fill(&mut self, features: &Binned, rows: &[u32], slopes: &[Slope]) {
        for (cells, column) in self.columns.iter_mut().zip(features.columns()) {
            cells.fill(Sum::default());
            let codes = column.codes();
            for (&row, &slope) in rows.iter().zip(slopes) {
                if let Some(&code) = codes.get(row as usize)
                    && let Some(cell) = cells.get_mut(usize::from(code))
                {
                    cell.add(slope);
                }
            }
        }
    }

    /// Takes the sums of a child away, which leaves those of its sibling.
    pub(super) fn subtract(&mut self, child: &Self) {
        for (own, other) in self.columns.iter_mut().zip(&child.columns) {
            for (cell, taken) in own.iter_mut().zip(other) {
                *cell = cell.less(*taken);
            }
        }
    }

    pub(super) fn columns(&self) -> &[Vec<Sum>] {
        &self.columns
    }
}
