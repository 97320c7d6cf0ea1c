pub(crate) use crate::random::SplitMix64;

/// What simulations draw.
impl SplitMix64 {
    pub(crate) fn unit(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// A sum of twelve uniforms: mean 0, standard deviation 1.
    pub(crate) fn bell(&mut self) -> f64 {
        (0..12).map(|_| self.unit()).sum::<f64>() - 6.0
    }

    /// Counts `rows` draws from cells with these probabilities.
    pub(crate) fn counts(&mut self, shares: &[f64], rows: u64) -> Vec<u64> {
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
