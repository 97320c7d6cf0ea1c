use super::sorted::SortedSample;
use super::walk::walk;

/// The largest gaps between two empirical distribution functions F (reference) and G (current), exactly.
///
/// Both are whole numbers over nm, so that equal gaps are equal and an exact law can be asked for them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Gaps {
    above: u128,
    below: u128,
    product: u128,
}

impl Gaps {
    /// Measures both gaps.
    ///
    /// # Complexity
    ///
    /// O(n + m), or O(m log n) when one sample is much smaller than the other.
    #[must_use]
    pub fn between(reference: &SortedSample, current: &SortedSample) -> Self {
        let n = reference.len();
        let m = current.len();
        let product = n as u128 * m as u128;
        if i64::try_from(product).is_err() {
            return Self::by_walking(reference, current);
        }
        let (highest, lowest) = if n / MUCH_SMALLER > m {
            by_searching(current.values(), reference.values())
        } else if m / MUCH_SMALLER > n {
            let (highest, lowest) = by_searching(reference.values(), current.values());
            (-lowest, -highest)
        } else {
            by_merging(reference.values(), current.values())
        };
        Self {
            above: u128::from(highest.unsigned_abs()),
            below: u128::from(lowest.unsigned_abs()),
            product,
        }
    }

    /// For samples whose sizes multiply beyond 64 bits.
    fn by_walking(reference: &SortedSample, current: &SortedSample) -> Self {
        let n = reference.len() as u128;
        let m = current.len() as u128;
        let mut above = 0_u128;
        let mut below = 0_u128;
        walk(reference, current, |step| {
            let left = u128::from(step.passed_reference) * m;
            let right = u128::from(step.passed_current) * n;
            above = above.max(left.saturating_sub(right));
            below = below.max(right.saturating_sub(left));
        });
        Self {
            above,
            below,
            product: n * m,
        }
    }

    /// nm · max |F − G|.
    #[must_use]
    pub fn largest(&self) -> u128 {
        self.above.max(self.below)
    }

    /// nm · (max (F − G) + max (G − F)).
    #[must_use]
    pub fn span(&self) -> u128 {
        self.above + self.below
    }

    /// max |F − G|.
    #[must_use]
    pub fn distance(&self) -> f64 {
        ratio(self.largest(), self.product)
    }

    /// max (F − G) + max (G − F).
    #[must_use]
    pub fn range(&self) -> f64 {
        ratio(self.span(), self.product)
    }
}

/// `part / whole`, and 0 for an empty whole.
#[must_use]
pub fn ratio(part: u128, whole: u128) -> f64 {
    if whole == 0 {
        0.0
    } else {
        part as f64 / whole as f64
    }
}

/// The largest and the smallest i·m − j·n over the ends of tie groups, stepping through both samples.
fn by_merging(left: &[f64], right: &[f64]) -> (i64, i64) {
    let n = left.len() as i64;
    let m = right.len() as i64;
    let mut i = 0_usize;
    let mut j = 0_usize;
    let mut difference = 0_i64;
    let mut highest = 0_i64;
    let mut lowest = 0_i64;
    let mut previous = f64::NEG_INFINITY;
    // No branch depends on the data: the difference counts only once the next value is a new one.
    while let (Some(&a), Some(&b)) = (left.get(i), right.get(j)) {
        let next = if b < a { b } else { a };
        let settled = if next > previous { difference } else { 0 };
        highest = highest.max(settled);
        lowest = lowest.min(settled);
        let step_left = a <= b;
        let step_right = b <= a;
        i += usize::from(step_left);
        j += usize::from(step_right);
        difference += if step_left { m } else { 0 };
        difference -= if step_right { n } else { 0 };
        previous = next;
    }
    // One sample has ended: beyond the values that tie with its last one, the difference only shrinks.
    while left.get(i) == Some(&previous) {
        i += 1;
        difference += m;
    }
    while right.get(j) == Some(&previous) {
        j += 1;
        difference -= n;
    }
    (highest.max(difference), lowest.min(difference))
}

/// The largest and the smallest i·m − j·n, looking up each of few values among `many`, whose side is i.
///
/// Between two of the few values only one side grows, so the extremes lie at a value or just below one.
fn by_searching(few: &[f64], many: &[f64]) -> (i64, i64) {
    let n = many.len() as i64;
    let m = few.len() as i64;
    let mut highest = 0_i64;
    let mut lowest = 0_i64;
    let mut passed_few = 0_i64;
    let mut passed_many = 0_usize;
    for group in few.chunk_by(|a, b| a == b) {
        let Some(&value) = group.first() else {
            continue;
        };
        let rest = many.get(passed_many..).unwrap_or_default();
        let less = passed_many + rest.partition_point(|other| *other < value);
        let just_below = less as i64 * m - passed_few * n;
        let rest = many.get(less..).unwrap_or_default();
        passed_many = less + rest.partition_point(|other| *other <= value);
        passed_few += group.len() as i64;
        let at = passed_many as i64 * m - passed_few * n;
        highest = highest.max(just_below).max(at);
        lowest = lowest.min(just_below).min(at);
    }
    (highest, lowest)
}

/// How many times smaller a sample must be for a search per value to beat one pass over both.
const MUCH_SMALLER: usize = 32;

#[cfg(test)]
mod tests {
    use proptest::prelude::{Strategy, prop, prop_assert_eq, proptest};

    use super::{Gaps, by_merging, by_searching};
    use crate::random::SplitMix64;
    use crate::two_sample::sorted::SortedSample;

    fn values() -> impl Strategy<Value = Vec<f64>> {
        let value = (-7_i8..=7).prop_map(|k| if k == 7 { f64::INFINITY } else { f64::from(k) });
        prop::collection::vec(value, 1..30)
    }

    proptest! {
        #[test]
        fn three_ways_to_measure_agree(left in values(), right in values()) {
            let reference = SortedSample::new(&left);
            let current = SortedSample::new(&right);
            let walked = Gaps::by_walking(&reference, &current);
            prop_assert_eq!(Gaps::between(&reference, &current), walked);
            let signed = (walked.above as i64, -(walked.below as i64));
            prop_assert_eq!(by_merging(reference.values(), current.values()), signed);
            prop_assert_eq!(by_searching(current.values(), reference.values()), signed);
        }
    }

    #[test]
    fn a_small_batch_is_looked_up_and_measured_the_same() {
        let mut random = SplitMix64(5);
        let many: Vec<f64> = (0..5_000)
            .map(|_| (random.unit() * 300.0).round())
            .collect();
        let few: Vec<f64> = (0..40).map(|_| (random.unit() * 300.0).round()).collect();
        let (many, few) = (SortedSample::new(&many), SortedSample::new(&few));
        assert_eq!(Gaps::between(&many, &few), Gaps::by_walking(&many, &few));
        assert_eq!(Gaps::between(&few, &many), Gaps::by_walking(&few, &many));
    }

    #[test]
    fn nothing_has_no_gaps() {
        let empty = SortedSample::new(&[]);
        let gaps = Gaps::between(&empty, &SortedSample::new(&[1.0]));
        assert_eq!(gaps.distance(), 0.0);
        assert_eq!(gaps.range(), 0.0);
    }
}
