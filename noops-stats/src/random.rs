/// SplitMix64 (Steele, Lea and Flood, 2014): a pure function of its seed, behind every number that is drawn.
///
/// # Examples
///
/// ```
/// use noops_stats::SplitMix64;
///
/// let (mut one, mut other) = (SplitMix64(7), SplitMix64(7));
/// assert_eq!(one.next(), other.next());
/// assert!(one.unit() < 1.0);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SplitMix64(pub u64);

impl SplitMix64 {
    /// Sixty-four random bits.
    #[expect(
        clippy::should_implement_trait,
        reason = "it never ends, so it is no iterator anybody should collect"
    )]
    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// Uniform on \[0, 1), a multiple of 2^−53.
    pub fn unit(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// Uniform on `0..bound`, 0 when the bound is 0; the bias is below bound / 2^64.
    pub fn below(&mut self, bound: usize) -> usize {
        ((u128::from(self.next()) * bound as u128) >> 64) as usize
    }

    /// A uniformly random order (Fisher and Yates).
    pub fn shuffle<T>(&mut self, items: &mut [T]) {
        for last in (1..items.len()).rev() {
            let other = self.below(last + 1);
            items.swap(last, other);
        }
    }
}
