/// How far a distance of two samples may exceed the true distance that is tolerated.
///
/// By the triangle inequality the excess is at most the sum of the distances of each sample from its own distribution.
/// These are independent, so with a bound on the tail of each, the tail of the sum is bounded.
#[derive(Debug)]
pub(crate) struct Excess<R, C> {
    reference: R,
    current: C,
}

impl<R: Fn(f64) -> f64, C: Fn(f64) -> f64> Excess<R, C> {
    /// From falling tails P(distance ≥ x), 1 at 0, of the reference's and of the current sample's distance.
    pub(crate) fn new(reference: R, current: C) -> Self {
        Self { reference, current }
    }

    /// An upper bound of the probability that the excess is at least `excess`.
    ///
    /// P(A + B ≥ e) = ∫ P(B ≥ e − a) dP(a) as an upper sum over [`CELLS`] cells of a, so it errs upwards: by
    /// some hundredths around 5 %.
    pub(crate) fn sf(&self, excess: f64) -> f64 {
        if excess.is_nan() || excess <= 0.0 {
            return 1.0;
        }
        let excess = excess.min(f64::MAX);
        let width = excess / f64::from(CELLS);
        let mut above = 1.0;
        let mut sum = 0.0;
        for cell in 1..=CELLS {
            let end = width * f64::from(cell);
            let beyond = (self.reference)(end);
            // All of the last cell counts, whatever is left of the excess after rounding.
            let needed = if cell == CELLS { 0.0 } else { excess - end };
            sum += (above - beyond).max(0.0) * (self.current)(needed);
            above = beyond;
        }
        (sum + above).clamp(0.0, 1.0)
    }

    /// The excess with this tail, for distances of at most 1; nothing when even 1 is less rare.
    pub(crate) fn upper_quantile(&self, tail: f64) -> Option<f64> {
        let mut low = 0.0;
        let mut high = 1.0;
        if self.sf(high) >= tail {
            return None;
        }
        for _ in 0..HALVINGS {
            let middle = low + (high - low) / 2.0;
            if self.sf(middle) >= tail {
                low = middle;
            } else {
                high = middle;
            }
        }
        Some(high)
    }
}

const CELLS: u32 = 256;
/// To a part in 10^12 of the largest distance.
const HALVINGS: u32 = 40;

#[cfg(test)]
mod tests {
    use super::Excess;

    /// Sums of two exponential variables with rates 1 and 3: P = (3 e^−x − e^−3x) / 2.
    #[test]
    fn the_tail_of_a_sum_is_bounded_closely() {
        let excess = Excess::new(|x: f64| (-x).exp(), |x: f64| (-3.0 * x).exp());
        for x in [0.01_f64, 0.3, 1.0, 4.0, 12.0] {
            let exact = 1.5 * (-x).exp() - 0.5 * (-3.0 * x).exp();
            let found = excess.sf(x);
            assert!(found >= exact, "{found} is below {exact}");
            assert!(found <= exact * 1.1, "{found} is far above {exact}");
        }
    }

    #[test]
    fn no_excess_is_certain() {
        let excess = Excess::new(|x: f64| (-x).exp(), |x: f64| (-x).exp());
        assert_eq!(excess.sf(0.0), 1.0);
        assert_eq!(excess.sf(-1.0), 1.0);
        assert_eq!(excess.sf(f64::NAN), 1.0);
        assert_eq!(excess.sf(f64::INFINITY), 0.0);
    }

    #[test]
    fn the_quantile_has_the_tail() {
        let excess = Excess::new(|x: f64| (-40.0 * x).exp(), |x: f64| (-90.0 * x).exp());
        let quantile = excess.upper_quantile(0.01).unwrap();
        assert!((excess.sf(quantile) / 0.01 - 1.0).abs() < 1e-9);
        assert_eq!(excess.upper_quantile(1e-40), None);
    }
}
