/// The generator behind every drawn number here: SplitMix64 (Steele, Lea and Flood, 2014), a pure function of its seed.
#[derive(Clone, Debug)]
pub(super) struct Random(u64);

impl Random {
    /// One stream per purpose, so that drawing more of one thing does not change another.
    pub(super) fn new(seed: u64, purpose: u64) -> Self {
        let mut random = Self(seed ^ purpose.wrapping_mul(0xd134_2543_de82_ef95));
        random.bits();
        random
    }

    pub(super) fn bits(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// Uniform on (0, 1\].
    pub(super) fn unit(&mut self) -> f64 {
        ((self.bits() >> 11) as f64 + 1.0) / (1_u64 << 53) as f64
    }

    /// Uniform on 0..bound, 0 when the bound is 0; the bias is below bound / 2^64.
    pub(super) fn below(&mut self, bound: usize) -> usize {
        ((u128::from(self.bits()) * bound as u128) >> 64) as usize
    }

    /// Standard normal, by Box and Muller.
    pub(super) fn normal(&mut self) -> f64 {
        let radius = (-2.0 * self.unit().ln()).sqrt();
        radius * (std::f64::consts::TAU * self.unit()).cos()
    }

    /// A uniformly random order (Fisher and Yates).
    pub(super) fn shuffle<T>(&mut self, items: &mut [T]) {
        for last in (1..items.len()).rev() {
            let other = self.below(last + 1);
            items.swap(last, other);
        }
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
