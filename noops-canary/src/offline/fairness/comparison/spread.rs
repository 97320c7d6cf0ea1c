use crate::interval::Interval;

/// How far the differences between each contrast of the candidate and each of the champion spread over the draws.
pub(super) struct Spread {
    champion: Vec<f64>,
    candidate: Vec<f64>,
    draws: f64,
    /// The differences' deviations from those of all rows, and their squares: a row of champion's contrasts for each of the candidate's.
    sums: Vec<f64>,
    squares: Vec<f64>,
}

impl Spread {
    /// Around the contrasts of all rows.
    pub(super) fn around(champion: Vec<f64>, candidate: Vec<f64>) -> Self {
        let cells = champion.len().saturating_mul(candidate.len());
        Self {
            champion,
            candidate,
            draws: 0.0,
            sums: vec![0.0; cells],
            squares: vec![0.0; cells],
        }
    }

    /// The contrasts of one model.
    pub(super) fn contrasts(&self) -> usize {
        self.champion.len()
    }

    /// Counts a draw.
    pub(super) fn add(&mut self, champion: &[f64], candidate: &[f64]) {
        self.draws += 1.0;
        let width = self.champion.len().max(1);
        let rows = self
            .sums
            .chunks_mut(width)
            .zip(self.squares.chunks_mut(width));
        let candidates = candidate.iter().zip(&self.candidate);
        for ((sums, squares), (drawn, here)) in rows.zip(candidates) {
            let of_candidate = drawn - here;
            let champions = champion.iter().zip(&self.champion);
            for ((sum, square), (drawn, here)) in sums.iter_mut().zip(squares).zip(champions) {
                let deviation = of_candidate - (drawn - here);
                *sum += deviation;
                *square += deviation * deviation;
            }
        }
    }

    /// The bounds of the candidate's greatest contrast minus the champion's, `quantile` standard errors away; `None` where nothing bounds them.
    pub(super) fn interval(&self, quantile: f64) -> Option<Interval> {
        if self.draws < 2.0 || !quantile.is_finite() {
            return None;
        }
        let width = self.champion.len().max(1);
        // A bound at a level above one half would lie on the wrong side of the estimate.
        let quantile = quantile.max(0.0);
        let mut upper = f64::NEG_INFINITY;
        let mut lower_by_champion = vec![f64::INFINITY; self.champion.len()];
        let rows = self.sums.chunks(width).zip(self.squares.chunks(width));
        for ((sums, squares), of_candidate) in rows.zip(&self.candidate) {
            let mut least = f64::INFINITY;
            let cells = sums.iter().zip(squares).zip(&self.champion);
            for (((sum, square), of_champion), lower) in cells.zip(&mut lower_by_champion) {
                let difference = of_candidate - of_champion;
                if let Some(error) = self.error(difference, *sum, *square) {
                    least = least.min(difference + quantile * error);
                    *lower = lower.min(quantile * error - difference);
                }
            }
            upper = upper.max(least);
        }
        let lower = -lower_by_champion
            .into_iter()
            .fold(f64::NEG_INFINITY, f64::max);
        (upper.is_finite() && lower.is_finite()).then(|| Interval::between(lower, upper))
    }

    /// The standard error of a difference; `None` where all draws agree on one that is not zero, which says nothing about other rows.
    fn error(&self, difference: f64, sum: f64, square: f64) -> Option<f64> {
        let centred = (square - sum * sum / self.draws).max(0.0);
        let error = (centred / (self.draws - 1.0)).sqrt();
        let uniform = error <= ROUNDING * difference.abs() && difference != 0.0;
        (error.is_finite() && !uniform).then_some(error)
    }
}

/// Below this share of a difference, its spread is one of rounding.
const ROUNDING: f64 = 1e-12;
