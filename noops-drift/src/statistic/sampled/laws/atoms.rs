use super::QuadraticLaw;

/// The distinct values of a pooled sample as shares of its rows, neighbours joined to few: the law that statistics over the pooled
/// sample have when values are equal.
#[derive(Clone, Debug, Default)]
pub(crate) struct Atoms {
    cells: Vec<Cell>,
    open: Option<Cell>,
    passed: f64,
}

#[derive(Clone, Copy, Debug)]
struct Cell {
    share: f64,
    /// The share of the rows below, plus half of those in the cell.
    middle: f64,
    groups: u32,
}

impl Atoms {
    /// Adds the next distinct value, which has this share of the rows.
    pub(crate) fn push(&mut self, share: f64) {
        let middle = self.passed + share / 2.0;
        self.passed += share;
        let joined = self.open.take().and_then(|open| {
            let all = open.share + share;
            let widest = WIDEST * (middle * (1.0 - middle)).max(0.0).sqrt();
            if all <= widest {
                return Some(Cell {
                    share: all,
                    middle: open.middle + share / 2.0,
                    groups: open.groups.saturating_add(1),
                });
            }
            self.cells.push(open);
            None
        });
        self.open = Some(joined.unwrap_or(Cell {
            share,
            middle,
            groups: 1,
        }));
    }

    /// The law of Σ hⱼ Zⱼ² for mid-rank bridges Z, without drift: Cramér–von Mises with equal values.
    pub(crate) fn plain_law(&self) -> QuadraticLaw {
        let cells: Vec<Cell> = self.cells().collect();
        let rows = cells.iter().enumerate().map(|(i, one)| {
            let row = cells.iter().enumerate().map(|(j, other)| {
                let weight = (one.share * other.share).sqrt();
                weight
                    * if i == j {
                        one.variance()
                    } else {
                        one.covariance(*other)
                    }
            });
            row.collect()
        });
        QuadraticLaw::of_matrix(&rows.collect::<Vec<Vec<f64>>>(), 1.0, 1.0)
    }

    /// The law of the sum of `copies` independent Σ hⱼ Zⱼ² / Var Zⱼ: Anderson–Darling with equal values.
    pub(crate) fn weighted_law(&self, copies: f64) -> QuadraticLaw {
        let cells: Vec<Cell> = self.cells().collect();
        let rows = cells.iter().enumerate().map(|(i, one)| {
            let row = cells.iter().enumerate().map(|(j, other)| {
                let weight = (one.share * other.share).sqrt();
                let variances = one.variance() * other.variance();
                if i == j {
                    weight
                } else if variances > 0.0 {
                    weight * (one.covariance(*other) / variances.sqrt()).min(1.0)
                } else {
                    0.0
                }
            });
            row.collect()
        });
        QuadraticLaw::of_matrix(&rows.collect::<Vec<Vec<f64>>>(), copies, 1.0)
    }

    fn cells(&self) -> impl Iterator<Item = Cell> + '_ {
        self.cells.iter().copied().chain(self.open)
    }
}

impl Cell {
    /// The variance of 1{X < x} + ½ 1{X = x}; the values of a joined cell are not one value.
    fn variance(self) -> f64 {
        let tie = if self.groups == 1 {
            self.share / 4.0
        } else {
            0.0
        };
        (self.middle * (1.0 - self.middle) - tie).max(0.0)
    }

    fn covariance(self, other: Self) -> f64 {
        (self.middle.min(other.middle) * (1.0 - self.middle.max(other.middle))).max(0.0)
    }
}

/// Neighbours are joined up to this share of the rows times √(u (1 − u)) at level u, so that cells are fine in the tails and no
/// more than some hundred.
const WIDEST: f64 = 1.0 / 20.0;

#[cfg(test)]
mod tests {
    use super::super::oracle::close;
    use super::super::{anderson_darling_sf, cramer_von_mises_sf};
    use super::Atoms;
    use noops_stats::special::chi_square_sf;

    #[test]
    fn two_values_are_one_chi_square() {
        let mut atoms = Atoms::default();
        atoms.push(0.7);
        atoms.push(0.3);
        // Z at either value is half the deviation of the share, so Σ h Z² / Var Z is its square in standard units.
        close(
            atoms.weighted_law(1.0).sf(3.84),
            chi_square_sf(3.84, 1.0),
            1e-6,
        );
        let variance = 0.7 * 0.3 / 4.0;
        close(
            atoms.plain_law().sf(3.84 * variance),
            chi_square_sf(3.84, 1.0),
            1e-6,
        );
    }

    #[test]
    fn many_values_have_the_law_of_continuous_ones() {
        let mut atoms = Atoms::default();
        for _ in 0..10_000 {
            atoms.push(1e-4);
        }
        for x in [0.2, 0.461_36, 0.743_46, 2.0] {
            close(atoms.plain_law().sf(x), cramer_von_mises_sf(x), 0.03);
        }
        for (x, copies) in [(1.0, 1.0), (2.492, 1.0), (6.0, 1.0), (4.0, 2.0), (8.0, 2.0)] {
            close(
                atoms.weighted_law(copies).sf(x),
                anderson_darling_sf(x, copies),
                // A match of three cumulants, so a tenth of a tail of one in a thousand.
                0.13,
            );
        }
    }
}
