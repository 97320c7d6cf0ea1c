use noops_stats::SplitMix64;

/// What simulations draw, the same everywhere.
pub(crate) struct Random(SplitMix64);

impl Random {
    pub(crate) fn new(seed: u64) -> Self {
        Self(SplitMix64(seed.wrapping_mul(0xD1B5_4A32_D192_ED03)))
    }

    pub(crate) fn uniform(&mut self) -> f64 {
        self.0.unit()
    }

    /// Box and Muller.
    pub(crate) fn normal(&mut self) -> f64 {
        let radius = (-2.0 * (1.0 - self.uniform()).ln()).sqrt();
        radius * (std::f64::consts::TAU * self.uniform()).cos()
    }
}
