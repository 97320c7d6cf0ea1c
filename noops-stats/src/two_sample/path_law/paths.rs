/// The paths that are still inside the band, on one diagonal i + j, by their i.
#[derive(Debug)]
pub(super) struct Paths {
    few: i64,
    many: i64,
    taken: i64,
    /// The i that paths may be at, both ends included; none when `lowest` is above `highest`.
    lowest: i64,
    highest: i64,
    /// The probability of being at i, at place i + 1, so that both neighbours of every i exist. Zero beside the ends.
    inside: Vec<f64>,
    next: Vec<f64>,
    /// Every i as a number.
    numbers: Vec<f64>,
    /// The probability of having left.
    left: f64,
}

impl Paths {
    /// All paths at (0, 0), with `few` of at most `many`.
    pub(super) fn at_start(few: i64, many: i64) -> Self {
        let places = few as usize + 3;
        let mut inside = vec![0.0; places];
        if let Some(start) = inside.get_mut(1) {
            *start = 1.0;
        }
        Self {
            few,
            many,
            taken: 0,
            lowest: 0,
            highest: 0,
            inside,
            next: vec![0.0; places],
            numbers: (0..places).map(|i| i as f64).collect(),
            left: 0.0,
        }
    }

    /// The probability of having left.
    pub(super) fn left(&self) -> f64 {
        self.left
    }

    /// Draws the next label: from the few with the share of them that is left in the urn.
    #[expect(
        clippy::indexing_slicing,
        reason = "0 <= lowest <= highest <= few on entry, and both buffers have few + 3 places"
    )]
    pub(super) fn step(&mut self) {
        let remaining = self.few + self.many - self.taken;
        if self.lowest > self.highest || remaining <= 0 {
            return;
        }
        let highest = (self.highest + 1).min(self.few);
        let (low, high) = (self.lowest as usize, highest as usize);
        let share = 1.0 / remaining as f64;
        // i is reached from i by a label of the many, of which many − (taken − i) are left, or from i − 1 by one of
        // the few, of which few − i + 1 are left.
        let many_left = (self.many - self.taken) as f64;
        let few_left = (self.few + 1) as f64;
        let stayed = &self.inside[low + 1..=high + 1];
        let moved = &self.inside[low..=high];
        let numbers = &self.numbers[low..=high];
        let reached = &mut self.next[low + 1..=high + 1];
        let sources = stayed.iter().zip(moved).zip(numbers);
        for (cell, ((stayed, moved), i)) in reached.iter_mut().zip(sources) {
            *cell = (stayed * (many_left + i) + moved * (few_left - i)) * share;
        }
        std::mem::swap(&mut self.inside, &mut self.next);
        self.taken += 1;
        self.keep(self.lowest.max(self.taken - self.many), highest);
    }

    /// Counts the paths that are not strictly between these values of i·m − j·n as left.
    pub(super) fn leave_band(&mut self, low: i64, high: i64) {
        // i·m − j·n is i·(few + many) − taken·few.
        let rows = self.few + self.many;
        let centre = self.taken * self.few;
        let lowest = (centre + low).div_euclid(rows) + 1;
        let highest = (centre + high - 1).div_euclid(rows);
        let (lowest, highest) = (lowest.max(self.lowest), highest.min(self.highest));
        let left: f64 = (self.lowest..=self.highest)
            .filter(|i| *i < lowest || *i > highest)
            .filter_map(|i| self.inside.get(i as usize + 1))
            .sum();
        self.left += left;
        self.keep(lowest, highest);
    }

    /// Forgets what lies outside these ends.
    fn keep(&mut self, lowest: i64, highest: i64) {
        self.lowest = lowest;
        self.highest = highest;
        if lowest > highest {
            return;
        }
        for beside in [lowest, highest + 2] {
            if let Some(cell) = self.inside.get_mut(beside as usize) {
                *cell = 0.0;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Paths;

    #[test]
    fn no_path_is_lost() {
        let mut paths = Paths::at_start(7, 12);
        for taken in 1..=19_i64 {
            paths.step();
            paths.leave_band(-20, 31);
            let inside: f64 = paths.inside.iter().sum();
            assert!((inside + paths.left() - 1.0).abs() < 1e-14, "after {taken}");
        }
        assert!((0.1..0.9).contains(&paths.left()));
    }

    #[test]
    fn all_leave_an_empty_band_and_stepping_on_changes_nothing() {
        let mut paths = Paths::at_start(2, 3);
        paths.step();
        paths.leave_band(-1, 1);
        assert_eq!(paths.left(), 1.0);
        for _ in 0..9 {
            paths.step();
            paths.leave_band(-1, 1);
        }
        assert_eq!(paths.left(), 1.0);
    }
}
