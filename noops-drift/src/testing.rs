pub(crate) use noops_stats::SplitMix64;

/// What simulations draw.
pub(crate) trait Draws {
    /// A sum of twelve uniforms: mean 0, standard deviation 1.
    fn bell(&mut self) -> f64;

    /// Counts `rows` draws from cells with these probabilities.
    fn counts(&mut self, shares: &[f64], rows: u64) -> Vec<u64>;
}

impl Draws for SplitMix64 {
    fn bell(&mut self) -> f64 {
        (0..12).map(|_| self.unit()).sum::<f64>() - 6.0
    }

    fn counts(&mut self, shares: &[f64], rows: u64) -> Vec<u64> {
        let mut counts = vec![0_u64; shares.len()];
        for _ in 0..rows {
            let mut left = self.unit();
            let mut cell = 0;
            while cell + 1 < shares.len() && left >= shares[cell] {
                left -= shares[cell];
                cell += 1;
            }
            counts[cell] += 1;
        }
        counts
    }
}
