/// The ranks of absolute differences, zeros dropped, and which of them are positive.
#[derive(Debug)]
pub(crate) struct SignedRanks {
    rows: usize,
    twice_positive: u128,
    /// Σ t³ − t over the groups of equal absolute values.
    ties: f64,
}

impl SignedRanks {
    pub(crate) fn of(differences: impl Iterator<Item = f64>) -> Self {
        let mut signed: Vec<f64> = differences.filter(|value| *value != 0.0).collect();
        signed.sort_unstable_by(|a, b| a.abs().total_cmp(&b.abs()));
        let mut passed = 0_u128;
        let mut twice_positive = 0_u128;
        let mut ties = 0.0;
        for group in signed.chunk_by(|a, b| a.abs() == b.abs()) {
            let rows = group.len() as u128;
            let positive = group.iter().filter(|value| **value > 0.0).count() as u128;
            // Ranks passed + 1 to passed + rows: twice their mean is the sum of the ends.
            twice_positive += positive * (2 * passed + rows + 1);
            passed += rows;
            let rows = rows as f64;
            ties += rows * (rows - 1.0) * (rows + 1.0);
        }
        Self {
            rows: signed.len(),
            twice_positive,
            ties,
        }
    }

    /// How many differences are not zero.
    pub(crate) fn rows(&self) -> usize {
        self.rows
    }

    pub(crate) fn is_tied(&self) -> bool {
        self.ties > 0.0
    }

    /// Twice the sum of the ranks of the positive differences.
    pub(crate) fn twice_positive(&self) -> u128 {
        self.twice_positive
    }

    /// The sum of all ranks.
    pub(crate) fn largest(&self) -> u128 {
        let rows = self.rows as u128;
        rows * (rows + 1) / 2
    }

    /// The ranks of the positive less those of the negative differences, over all; 0 when all differences are zero.
    pub(crate) fn correlation(&self) -> f64 {
        if self.rows == 0 {
            return 0.0;
        }
        let (positive, all) = (self.twice_positive as f64, self.largest() as f64);
        (positive - all) / all
    }

    /// The standard deviation of the sum when every sign is as likely as the other.
    pub(crate) fn deviation(&self) -> f64 {
        let untied = Self::deviation_without_ties(self.rows);
        (untied * untied - self.ties / 48.0).max(0.0).sqrt()
    }

    pub(crate) fn deviation_without_ties(rows: usize) -> f64 {
        let rows = rows as f64;
        (rows * (rows + 1.0) * (2.0 * rows + 1.0) / 24.0).sqrt()
    }
}

/// P(W = 0), P(W = 1), … when every way to sign the ranks 1 to `rows` is equally likely, one rank after the other.
///
/// # Complexity
///
/// O(rows³).
pub(crate) fn signed_rank_law(rows: usize) -> Vec<f64> {
    let mut law = vec![1.0];
    for rank in 1..=rows {
        let mut next = vec![0.0; law.len() + rank];
        for (to, from) in next.iter_mut().zip(&law) {
            *to += 0.5 * from;
        }
        for (to, from) in next.iter_mut().skip(rank).zip(&law) {
            *to += 0.5 * from;
        }
        law = next;
    }
    law
}
