use noops_stats::SortedSample;

use crate::batch::pairwise::Pairwise;

/// The means of every two differences, each with itself included.
pub(crate) struct WalshAverages {
    /// Half of each, ascending, so that a sum is a mean and cannot overflow.
    halves: Vec<f64>,
}

impl WalshAverages {
    pub(crate) fn of(differences: &[f64]) -> Self {
        let sorted = SortedSample::new(differences);
        Self {
            halves: sorted.values().iter().map(|value| value * 0.5).collect(),
        }
    }

    /// The first place from the end whose mean with `half` is at most the bound.
    #[inline]
    fn end(&self, mut from: usize, half: f64, bound: f64) -> usize {
        while let Some(last) = from.checked_sub(1) {
            match self.halves.get(last) {
                Some(other) if half + other > bound => from = last,
                _ => break,
            }
        }
        from
    }
}

impl Pairwise for WalshAverages {
    fn total(&self) -> u128 {
        let rows = self.halves.len() as u128;
        rows * (rows + 1) / 2
    }

    fn lowest(&self) -> f64 {
        self.halves.first().map_or(0.0, |half| half + half)
    }

    fn highest(&self) -> f64 {
        self.halves.last().map_or(0.0, |half| half + half)
    }

    /// One step through the halves from both ends: what is too large for one is so for all larger ones.
    fn at_most(&self, bound: f64) -> u128 {
        let mut end = self.halves.len();
        let mut count = 0;
        for (start, &half) in self.halves.iter().enumerate() {
            end = self.end(end, half, bound);
            if end <= start {
                break;
            }
            count += (end - start) as u128;
        }
        count
    }

    fn between(&self, low: f64, high: f64) -> Vec<f64> {
        let rows = self.halves.len();
        let (mut from, mut to) = (rows, rows);
        let mut values = Vec::new();
        for (start, &half) in self.halves.iter().enumerate() {
            from = self.end(from, half, low);
            to = self.end(to, half, high);
            let inside = self.halves.get(from.max(start)..to).unwrap_or_default();
            values.extend(inside.iter().map(|other| half + other));
        }
        values
    }

    fn room(&self) -> u128 {
        self.halves.len() as u128 + ROOM
    }
}

const ROOM: u128 = 1_024;
