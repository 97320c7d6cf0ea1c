use noops_stats::SplitMix64;

/// Drawn numbers, one stream per purpose.
#[derive(Clone, Debug)]
pub(super) struct Random(SplitMix64);

impl Random {
    /// One stream per purpose, so that drawing more of one thing does not change another.
    pub(super) fn new(seed: u64, purpose: u64) -> Self {
        let mut bits = SplitMix64(seed ^ purpose.wrapping_mul(0xd134_2543_de82_ef95));
        bits.next();
        Self(bits)
    }

    pub(super) fn bits(&mut self) -> u64 {
        self.0.next()
    }

    /// Uniform on (0, 1\].
    pub(super) fn unit(&mut self) -> f64 {
        ((self.bits() >> 11) as f64 + 1.0) / (1_u64 << 53) as f64
    }

    /// Standard normal, by Box and Muller.
    pub(super) fn normal(&mut self) -> f64 {
        let radius = (-2.0 * self.unit().ln()).sqrt();
        radius * (std::f64::consts::TAU * self.unit()).cos()
    }

    pub(super) fn shuffle<T>(&mut self, items: &mut [T]) {
        self.0.shuffle(items);
    }

    /// `wanted` of the numbers below `total`, ascending; all of them when fewer.
    pub(super) fn choose(&mut self, total: usize, wanted: usize) -> Vec<usize> {
        let mut all: Vec<usize> = (0..total).collect();
        if wanted < total {
            self.shuffle(&mut all);
            all.truncate(wanted);
            all.sort_unstable();
        }
        all
    }
}
