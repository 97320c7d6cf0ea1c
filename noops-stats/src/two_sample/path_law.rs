use self::paths::Paths;
use super::sorted::SortedSample;
use super::walk::walk;

mod paths;

/// The exact laws of the Kolmogorov–Smirnov and the Kuiper distance of two samples, given their pooled values.
///
/// Without drift every way to label the pooled values as reference or current is equally likely, which is a lattice
/// path from (0, 0) to (n, m) drawn as from an urn. The largest gap is at least d when the path is outside the band
/// |i·m − j·n| < d at the end of some group of equal values (Schröer and Trenkler, 1995); inside a group nothing is
/// compared. The probability of having left the band is summed where paths leave it, so all terms are positive and
/// a tail of 1e-300 has the relative accuracy of a tail of 0.1.
#[derive(Debug)]
pub struct PathLaw {
    /// The smaller size, which the laws do not depend on being that of the reference.
    few: i64,
    many: i64,
    /// How many pooled values equal each distinct value, ascending.
    groups: Vec<i64>,
}

impl PathLaw {
    /// The law for these samples; nothing when `passes` tails at `distance` would visit more than [`MAX_CELLS`].
    #[must_use]
    pub fn of(
        reference: &SortedSample,
        current: &SortedSample,
        distance: u128,
        passes: f64,
    ) -> Option<Self> {
        let sizes = (reference.len(), current.len());
        let few = i64::try_from(sizes.0.min(sizes.1)).ok()?;
        let many = i64::try_from(sizes.0.max(sizes.1)).ok()?;
        // Room for the sums of products below.
        few.checked_mul(many)?.checked_mul(8)?;
        let mut law = Self {
            few,
            many,
            groups: Vec::new(),
        };
        // Fewest cells: every group is one value. Only then are the groups worth listing.
        let rows = (few + many) as f64;
        let distance = i64::try_from(distance).ok()?;
        if law.band(distance) * rows * passes > MAX_CELLS {
            return None;
        }
        walk(reference, current, |step| {
            law.groups.push((step.reference + step.current) as i64);
        });
        (law.cells(distance) * passes <= MAX_CELLS).then_some(law)
    }

    /// The step between possible distances, which are whole numbers over nm.
    pub fn unit(&self) -> i64 {
        greatest_common_divisor(self.few, self.many)
    }

    /// How many cells are visited for the tail at `distance`, at most.
    pub fn cells(&self, distance: i64) -> f64 {
        let widest = self.few as f64 + 1.0;
        let band = self.band(distance);
        let cells = |&group: &i64| {
            let group = group as f64;
            group * (band + (group + 1.0) / 2.0).min(widest)
        };
        self.groups.iter().map(cells).sum()
    }

    /// How many lattice points of one diagonal lie inside the band, at most.
    fn band(&self, distance: i64) -> f64 {
        let rows = (self.few + self.many) as f64;
        (2.0 * distance as f64 / rows + 2.0).min(self.few as f64 + 1.0)
    }

    /// P(nm · max |F − G| ≥ `distance`).
    pub fn sf(&self, distance: i64) -> f64 {
        if distance <= 0 {
            return 1.0;
        }
        self.leaving(-distance, distance)
    }

    /// P(nm · (max (F − G) + max (G − F)) ≥ `range`).
    ///
    /// A path whose values span r fits into (w − r)/u + 1 windows of width w that are u apart, and into one fewer of
    /// width w − u. So the probability of spanning at most w is the sum of the probabilities of staying in the first
    /// less the sum over the second. A difference: right to some 1e-13, not in relative terms.
    pub fn range_sf(&self, range: i64) -> f64 {
        if range <= 0 {
            return 1.0;
        }
        let unit = self.unit();
        let steps = (range - 1) / unit;
        let leaving_windows = |steps: i64| -> f64 {
            (0..=steps)
                .map(|below| self.leaving(-below * unit - 1, (steps - below) * unit + 1))
                .sum()
        };
        (leaving_windows(steps) - leaving_windows(steps - 1)).clamp(0.0, 1.0)
    }

    /// How many tails [`PathLaw::range_sf`] finds, each of half the range as a distance.
    pub fn range_passes(few: usize, many: usize, range: u128) -> f64 {
        let few = i64::try_from(few).unwrap_or(i64::MAX);
        let many = i64::try_from(many).unwrap_or(i64::MAX);
        2.0 * range as f64 / greatest_common_divisor(few, many) as f64 + 1.0
    }

    /// The probability of not staying strictly between these two values of i·m − j·n.
    fn leaving(&self, low: i64, high: i64) -> f64 {
        let mut paths = Paths::at_start(self.few, self.many);
        for &group in &self.groups {
            for _ in 0..group {
                paths.step();
            }
            paths.leave_band(low, high);
        }
        paths.left().clamp(0.0, 1.0)
    }

    /// The largest distance, as a whole number over nm, whose `tail` is at least `alpha`; nothing when nm is one.
    ///
    /// `guess` is a distance near it; the cost is a few dozen tails near that guess.
    pub fn largest_kept(&self, alpha: f64, guess: i64, tail: impl Fn(i64) -> f64) -> Option<i64> {
        let unit = self.unit();
        let whole = self.few * self.many / unit;
        let mut kept = 0_i64;
        let mut rejected = (guess / unit).saturating_add(1).clamp(1, whole.max(1));
        while tail(rejected * unit) >= alpha {
            if rejected >= whole {
                return None;
            }
            kept = rejected;
            rejected = rejected.saturating_mul(2).min(whole);
        }
        while rejected - kept > 1 {
            let middle = kept + (rejected - kept) / 2;
            if tail(middle * unit) >= alpha {
                kept = middle;
            } else {
                rejected = middle;
            }
        }
        Some(kept * unit)
    }
}

fn greatest_common_divisor(a: i64, b: i64) -> i64 {
    let (mut a, mut b) = (a, b);
    while b != 0 {
        (a, b) = (b, a % b);
    }
    a.max(1)
}

/// The lattice points an exact tail may visit: a few milliseconds.
pub const MAX_CELLS: f64 = 4e6;

#[cfg(test)]
mod tests {
    use proptest::prelude::{Strategy, prop, proptest};

    use super::PathLaw;
    use crate::two_sample::gaps::Gaps;
    use crate::two_sample::sorted::SortedSample;

    fn law(reference: &[f64], current: &[f64]) -> PathLaw {
        PathLaw::of(
            &SortedSample::new(reference),
            &SortedSample::new(current),
            1,
            1.0,
        )
        .unwrap()
    }

    /// Labels the pooled values in every way and measures each.
    fn by_enumeration(pooled: &[f64], n: usize, far_enough: impl Fn(Gaps) -> bool) -> f64 {
        let mut all = 0_u32;
        let mut far = 0_u32;
        for labels in 0_u32..1 << pooled.len() {
            if labels.count_ones() as usize != n {
                continue;
            }
            let side = |wanted: u32| -> SortedSample {
                let of_side = pooled.iter().enumerate();
                let of_side = of_side.filter(|(k, _)| (labels >> k) & 1 == wanted);
                SortedSample::new(&of_side.map(|(_, value)| *value).collect::<Vec<f64>>())
            };
            all += 1;
            far += u32::from(far_enough(Gaps::between(&side(1), &side(0))));
        }
        f64::from(far) / f64::from(all)
    }

    fn values() -> impl Strategy<Value = Vec<f64>> {
        prop::collection::vec((0_i8..5).prop_map(f64::from), 1..6)
    }

    proptest! {
        #![proptest_config(proptest::prelude::ProptestConfig::with_cases(40))]

        #[test]
        fn the_tail_is_the_share_of_labellings(left in values(), right in values()) {
            let law = law(&left, &right);
            let pooled: Vec<f64> = left.iter().chain(&right).copied().collect();
            for distance in 0..=(left.len() * right.len()) as i64 {
                let expected = by_enumeration(&pooled, left.len(), |gaps| {
                    gaps.largest() >= distance as u128
                });
                let found = law.sf(distance);
                assert!((found - expected).abs() <= 1e-13, "{found} {expected} at {distance}");
                let expected = by_enumeration(&pooled, left.len(), |gaps| {
                    gaps.span() >= distance as u128
                });
                let found = law.range_sf(distance);
                assert!((found - expected).abs() <= 1e-12, "{found} {expected} at {distance}");
            }
        }
    }

    #[test]
    fn the_largest_kept_distance_is_the_last_before_rejection() {
        let numbers: Vec<f64> = (0..25).map(f64::from).collect();
        let rounded: Vec<f64> = (0..35).map(|k| f64::from(k % 12)).collect();
        let law = law(&numbers, &rounded);
        for (alpha, guess) in [(0.05, 1), (0.05, 300), (0.5, 875), (1e-6, 2)] {
            let kept = law.largest_kept(alpha, guess, |d| law.sf(d)).unwrap();
            assert!(law.sf(kept) >= alpha);
            assert!(law.sf(kept + 5) < alpha, "5 divides 25 and 35");
            assert_eq!(kept % 5, 0);
        }
    }

    #[test]
    fn three_against_three_can_reject_nothing() {
        let law = law(&[1.0, 2.0, 3.0], &[4.0, 5.0, 6.0]);
        assert!((law.sf(9) - 0.1).abs() < 1e-15);
        assert_eq!(law.largest_kept(0.05, 9, |d| law.sf(d)), None);
        assert_eq!(law.largest_kept(0.2, 9, |d| law.sf(d)), Some(6));
    }

    #[test]
    fn too_much_work_is_declined() {
        let numbers: Vec<f64> = (0..40_000).map(f64::from).collect();
        let sample = SortedSample::new(&numbers);
        let whole = 40_000_u128 * 40_000;
        assert!(PathLaw::of(&sample, &sample, whole / 50, 1.0).is_none());
        assert!(PathLaw::of(&sample, &sample, u128::MAX, 1.0).is_none());
        // One group of equal values as large as both samples.
        let same = SortedSample::new(&[1.0; 9_000]);
        assert!(PathLaw::of(&same, &same, 1, 1.0).is_none());
    }
}
