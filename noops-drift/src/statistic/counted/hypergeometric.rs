/// A cell with `rows` rows of both sides together, to be split between `reference` and `current` rows at random.
#[derive(Clone, Copy)]
pub(super) struct Split {
    pub(super) rows: f64,
    pub(super) reference: f64,
    pub(super) current: f64,
}

impl Split {
    /// The moments of `value(reference count, current count)` over all splits.
    ///
    /// Up to a variance of [`EXACT_UP_TO`] this is the sum over the hypergeometric law. Beyond it the limit is taken, in
    /// which a value is a squared normal with weight 1 − s/N: `value` must be what a cell adds to a statistic that is
    /// chi-square in the limit.
    pub(super) fn moments(&self, value: impl Fn(f64, f64) -> f64) -> Moments {
        let all = self.reference + self.current;
        let weight = self.rows / all;
        let variance = self.rows
            * (self.reference / all)
            * (self.current / all)
            * ((all - self.rows) / (all - 1.0).max(1.0));
        if variance <= EXACT_UP_TO && variance > 0.0 && all < EXACT_INTEGERS {
            self.summed(variance, value)
        } else {
            let left = 1.0 - weight;
            Moments {
                mean: left,
                variance: 2.0 * left * left,
                slope: 0.0,
            }
        }
    }

    /// Sums outwards from the mode, where the mass is largest, in units of the mass of the mode.
    fn summed(&self, variance: f64, value: impl Fn(f64, f64) -> f64) -> Moments {
        let Self {
            rows: s,
            reference: n,
            current: m,
        } = *self;
        let centre = s * (n / (n + m));
        let mode = ((s + 1.0) * ((n + 1.0) / (n + m + 2.0)))
            .floor()
            .min(s.min(n))
            .max((s - m).max(0.0));
        let mut sums = Sums::default();
        let mut mass = 1.0;
        let mut r = mode;
        for _ in 0..MAX_STEPS {
            sums.add(mass, value(r, s - r), r - centre);
            mass *= ((s - r) * (n - r) / ((r + 1.0) * (m - s + r + 1.0))).max(0.0);
            r += 1.0;
            if mass <= NEGLIGIBLE {
                break;
            }
        }
        mass = 1.0;
        r = mode;
        for _ in 0..MAX_STEPS {
            mass *= (r * (m - s + r) / ((s - r + 1.0) * (n - r + 1.0))).max(0.0);
            r -= 1.0;
            if mass <= NEGLIGIBLE {
                break;
            }
            sums.add(mass, value(r, s - r), r - centre);
        }
        let mean = sums.value / sums.mass;
        Moments {
            mean,
            variance: (sums.square / sums.mass - mean * mean).max(0.0),
            slope: (sums.product / sums.mass - mean * sums.distance / sums.mass) / variance,
        }
    }
}

/// Moments of what a cell adds to a statistic.
pub(super) struct Moments {
    pub(super) mean: f64,
    pub(super) variance: f64,
    /// The slope of the best line through the values, by the reference count.
    pub(super) slope: f64,
}

#[derive(Default)]
struct Sums {
    mass: f64,
    value: f64,
    square: f64,
    distance: f64,
    product: f64,
}

impl Sums {
    fn add(&mut self, mass: f64, value: f64, distance: f64) {
        self.mass += mass;
        self.value += mass * value;
        self.square += mass * value * value;
        self.distance += mass * distance;
        self.product += mass * value * distance;
    }
}

/// The limit is within a part in some thousand of the mean here.
const EXACT_UP_TO: f64 = 400.0;
/// Above it neighbouring counts are no longer different numbers.
const EXACT_INTEGERS: f64 = 9e15;
const NEGLIGIBLE: f64 = 1e-18;
/// More than a hundred standard deviations.
const MAX_STEPS: usize = 4_096;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::Split;

    fn choose(n: u64, k: u64) -> f64 {
        (0..k).map(|i| (n - i) as f64 / (i + 1) as f64).product()
    }

    proptest! {
        #[test]
        fn moments_are_those_of_all_splits(s in 2_u64..12, n in 3_u64..14, m in 3_u64..14) {
            prop_assume!(s < n + m);
            let value = |r: f64, c: f64| (r - 0.3 * c).powi(2) / 7.0;
            let law: Vec<(f64, f64)> = (s.saturating_sub(m)..=s.min(n))
                .map(|r| (r as f64, choose(n, r) * choose(m, s - r) / choose(n + m, s)))
                .collect();
            let mean_of = |of: &dyn Fn(f64) -> f64| -> f64 { law.iter().map(|(r, mass)| mass * of(*r)).sum() };
            let of_cell = |r: f64| value(r, s as f64 - r);
            let mean = mean_of(&of_cell);
            let centre = mean_of(&|r| r);
            let spread = mean_of(&|r| (r - centre).powi(2));
            let found = Split { rows: s as f64, reference: n as f64, current: m as f64 }.moments(value);
            prop_assert!((found.mean / mean - 1.0).abs() < 1e-10);
            let variance = mean_of(&|r| (of_cell(r) - mean).powi(2));
            prop_assert!((found.variance - variance).abs() <= 1e-9 * (1.0 + mean * mean));
            let slope = mean_of(&|r| (of_cell(r) - mean) * (r - centre)) / spread;
            prop_assert!((found.slope - slope).abs() <= 1e-9 * (1.0 + slope.abs()));
        }

        #[test]
        fn any_split_has_moments(s in any::<u64>(), n in any::<u64>(), m in any::<u64>()) {
            let (n, m) = (n.max(1) as f64, m.max(1) as f64);
            let rows = (s as f64).min(n + m);
            let found = Split { rows, reference: n, current: m }.moments(|r, c| r.min(c));
            prop_assert!(found.mean.is_finite() && found.variance.is_finite() && found.slope.is_finite());
        }
    }

    #[test]
    fn a_large_cell_adds_a_squared_normal() {
        let found = Split {
            rows: 1e6,
            reference: 4e6,
            current: 6e6,
        }
        .moments(|_, _| f64::NAN);
        assert!((found.mean - 0.9).abs() < 1e-12);
        assert!((found.variance - 2.0 * 0.81).abs() < 1e-12);
        assert_eq!(found.slope, 0.0);
    }
}
