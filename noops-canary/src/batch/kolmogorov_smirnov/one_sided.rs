use noops_stats::SortedSample;
use noops_stats::two_sample::walk;

/// The largest gap F − G of two samples and the p-value of one at least as large.
#[derive(Debug)]
pub(crate) struct OneSided {
    /// Whole numbers over nm.
    gap: i128,
    n: usize,
    m: usize,
    /// How many pooled values equal each distinct value, ascending.
    groups: Vec<u64>,
}

impl OneSided {
    /// F is the distribution function of `left`, G that of `right`.
    pub(crate) fn of(left: &SortedSample, right: &SortedSample) -> Self {
        let (n, m) = (left.len(), right.len());
        let mut gap = 0_i128;
        let mut groups = Vec::new();
        walk(left, right, |step| {
            let f = i128::from(step.passed_reference) * m as i128;
            let g = i128::from(step.passed_current) * n as i128;
            gap = gap.max(f - g);
            groups.push(step.reference + step.current);
        });
        Self { gap, n, m, groups }
    }

    /// The gap, its p-value, and whether that is exact.
    pub(crate) fn told(&self) -> (f64, f64, bool) {
        let gap = self.gap as f64 / (self.n as f64 * self.m as f64);
        if self.gap <= 0 {
            return (gap, 1.0, true);
        }
        let cells = (self.n as f64 + self.m as f64) * (self.n.min(self.m) as f64 + 1.0);
        if cells <= MAX_CELLS {
            return (gap, self.exact_sf(), true);
        }
        (gap, self.limit_sf(gap), false)
    }

    /// The share of labellings whose gap is at least as large, by the number of values of the smaller sample among the first
    /// ones.
    ///
    /// What leaves the band is summed where it leaves, so all terms are positive and a small tail keeps its digits.
    fn exact_sf(&self) -> f64 {
        let few = self.n.min(self.m);
        let many = self.n.max(self.m);
        let (n, m) = (self.n as i128, self.m as i128);
        let left_is_few = self.n <= self.m;
        let mut inside = vec![0.0; few + 1];
        if let Some(start) = inside.first_mut() {
            *start = 1.0;
        }
        let mut left_band = 0.0;
        let mut passed = 0_usize;
        for &group in &self.groups {
            for _ in 0..group {
                draw(&mut inside, few, many, passed);
                passed += 1;
            }
            for (of_few, share) in inside.iter_mut().enumerate() {
                let of_few = of_few as i128;
                let of_many = passed as i128 - of_few;
                let gap = if left_is_few {
                    of_few * m - of_many * n
                } else {
                    of_many * m - of_few * n
                };
                if gap >= self.gap {
                    left_band += *share;
                    *share = 0.0;
                }
            }
        }
        f64::min(left_band, 1.0)
    }

    pub(crate) fn limit_sf(&self, gap: f64) -> f64 {
        let larger = self.n.max(self.m) as f64;
        let smaller = self.n.min(self.m) as f64;
        let z = gap * (smaller / (larger + smaller) * larger).sqrt();
        let correction = (larger + 2.0 * smaller) / (larger * smaller * (larger + smaller)).sqrt();
        libm::exp(-2.0 * z * z - 2.0 * z * correction / 3.0).min(1.0)
    }
}

/// One more value is drawn as from an urn with what is left of both samples.
fn draw(inside: &mut [f64], few: usize, many: usize, passed: usize) {
    let remaining = (few + many - passed) as f64;
    let mut from_below = 0.0;
    for (of_few, share) in inside.iter_mut().enumerate() {
        let of_many = passed as f64 - of_few as f64;
        let to_few = *share * (few - of_few) as f64 / remaining;
        // Where more would have been drawn than there are the share is 0.
        let to_many = *share * (many as f64 - of_many) / remaining;
        *share = to_many + from_below;
        from_below = to_few;
    }
}

/// The lattice points an exact tail may visit.
const MAX_CELLS: f64 = 4e6;
