/// The generator of all inputs: SplitMix64, so that every run on every machine measures the same data.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SplitMix64 {
    state: u64,
}

impl SplitMix64 {
    /// Starts the sequence of a seed.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self { state: seed }
    }

    /// Continues as if `n` more numbers had been drawn, so that any part of the sequence can be made on its own.
    #[must_use]
    pub fn skipping(self, n: u64) -> Self {
        Self {
            state: self.state.wrapping_add(n.wrapping_mul(STEP)),
        }
    }

    /// The next 64 bits.
    pub fn next_u64(&mut self) -> u64 {
        self.state = self.state.wrapping_add(STEP);
        let mut z = self.state;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    /// The next number, uniform in `0..1`.
    pub fn next_f64(&mut self) -> f64 {
        (self.next_u64() >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// The next `n` numbers, each uniform in `0..1`.
    pub fn numbers(&mut self, n: usize) -> Vec<f64> {
        (0..n).map(|_| self.next_f64()).collect()
    }
}

/// What the state grows by: 2^64 divided by the golden ratio.
const STEP: u64 = 0x9E37_79B9_7F4A_7C15;

#[cfg(test)]
mod tests {
    use super::*;

    // The first outputs of Vigna's splitmix64.c for the seed 1234567.
    #[test]
    fn the_sequence_is_that_of_the_published_generator() {
        let mut generator = SplitMix64::new(1_234_567);
        let first: Vec<u64> = (0..3).map(|_| generator.next_u64()).collect();
        assert_eq!(
            first,
            [
                6_457_827_717_110_365_317,
                3_203_168_211_198_807_973,
                9_817_491_932_198_370_423
            ]
        );
    }

    #[test]
    fn numbers_stay_below_one() {
        let numbers = SplitMix64::new(1).numbers(10_000);
        assert!(numbers.iter().all(|x| (0.0..1.0).contains(x)));
        let mean = numbers.iter().sum::<f64>() / 10_000.0;
        assert!((mean - 0.5).abs() < 0.02);
    }

    #[test]
    fn skipping_is_drawing() {
        let mut drawn = SplitMix64::new(9);
        for n in 0..50 {
            assert_eq!(SplitMix64::new(9).skipping(n), drawn);
            drawn.next_u64();
        }
    }
}
