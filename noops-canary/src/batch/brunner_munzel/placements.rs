use noops_stats::SortedSample;
use noops_stats::two_sample::walk;

/// Where the values of each sample stand in the other one, in whole numbers: twice the number of values below, ties by half.
///
/// Whole numbers, so that the variance of nearly equal placements has all its digits.
#[derive(Debug)]
pub(crate) struct Placements {
    champion: Sums,
    candidate: Sums,
}

impl Placements {
    pub(crate) fn of(champion: &SortedSample, candidate: &SortedSample) -> Self {
        let mut of_champion = Sums::new(champion.len(), candidate.len());
        let mut of_candidate = Sums::new(candidate.len(), champion.len());
        walk(champion, candidate, |step| {
            of_champion.add(step.reference, 2 * step.passed_current - step.current);
            of_candidate.add(step.current, 2 * step.passed_reference - step.reference);
        });
        Self {
            champion: of_champion,
            candidate: of_candidate,
        }
    }

    /// P(candidate > champion) + ½ P(equal).
    pub(crate) fn theta(&self) -> f64 {
        let pairs = self.candidate.rows as f64 * self.candidate.others as f64;
        self.candidate.sum as f64 / 2.0 / pairs
    }

    /// The variance of the shares of the candidate's values below each of the champion's.
    pub(crate) fn variance_of_champion(&self) -> f64 {
        self.champion.variance()
    }

    /// The variance of the shares of the champion's values below each of the candidate's.
    pub(crate) fn variance_of_candidate(&self) -> f64 {
        self.candidate.variance()
    }
}

#[derive(Debug)]
struct Sums {
    rows: u128,
    others: u128,
    sum: u128,
    squares: u128,
}

impl Sums {
    fn new(rows: usize, others: usize) -> Self {
        Self {
            rows: rows as u128,
            others: others as u128,
            sum: 0,
            squares: 0,
        }
    }

    fn add(&mut self, rows: u64, twice_below: u64) {
        let (rows, place) = (u128::from(rows), u128::from(twice_below));
        self.sum += rows * place;
        self.squares += rows * place * place;
    }

    /// The variance of the shares; the places are twice as large as the counts.
    fn variance(&self) -> f64 {
        // n Σ p² − (Σ p)² fits up to a few thousand million rows, more than fit into memory as numbers.
        let scaled = self
            .rows
            .saturating_mul(self.squares)
            .saturating_sub(self.sum.saturating_mul(self.sum));
        let rows = self.rows as f64;
        let others = 2.0 * self.others as f64;
        scaled as f64 / rows / (rows - 1.0) / others / others
    }
}
