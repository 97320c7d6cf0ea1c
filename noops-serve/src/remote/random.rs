//! Seeded chance.

/// The generator SplitMix64: small, seeded, and good enough to spread retries in time.
///
/// Source: G. Steele, D. Lea and C. Flood, *Fast splittable pseudorandom number generators*, OOPSLA 2014.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SplitMix64 {
    state: u64,
}

impl SplitMix64 {
    /// A generator that always draws the same from the same seed.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self { state: seed }
    }

    /// The next 64 bits.
    pub fn draw(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.state;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number that is uniform from 0 to `most`, both included, but for a bias of at most `most` in 2^64.
    pub fn draw_up_to(&mut self, most: u64) -> u64 {
        let wide = u128::from(self.draw()) * (u128::from(most) + 1);
        // The product of two numbers below 2^64 and of at most 2^64 is below 2^128: its high half fits.
        u64::try_from(wide >> 64).unwrap_or(most)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_stream_is_the_published_one() {
        // The first numbers of the reference `splitmix64.c` (S. Vigna) from the state 1234567.
        let mut random = SplitMix64::new(1_234_567);
        assert_eq!(random.draw(), 6_457_827_717_110_365_317);
        assert_eq!(random.draw(), 3_203_168_211_198_807_973);
        assert_eq!(random.draw(), 9_817_491_932_198_370_423);
    }

    #[test]
    fn a_bounded_draw_reaches_both_ends_and_no_further() {
        let mut random = SplitMix64::new(1);
        let drawn: Vec<u64> = (0..1_000).map(|_| random.draw_up_to(3)).collect();
        for value in 0..=3 {
            assert!(drawn.contains(&value));
        }
        assert!(drawn.iter().all(|&value| value <= 3));
        assert_eq!(random.draw_up_to(0), 0);
        random.draw_up_to(u64::MAX);
    }
}
