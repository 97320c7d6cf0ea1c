pub use self::equal_sizes::equal_sizes_kept;

use self::equal_sizes::equal_sizes_sf;
use super::gaps::Gaps;
use super::path_law::PathLaw;
use super::sorted::SortedSample;
use crate::special::kolmogorov_sf;

mod equal_sizes;

/// The two-sided Kolmogorov–Smirnov distance of two samples and its p-value.
///
/// # Formula
///
/// D = max |F(x) − G(x)| over the pooled values. The p-value is exact, conditional on the pooled values, by counting lattice paths
/// (Schröer and Trenkler, 1995) where that visits at most [`MAX_CELLS`](super::MAX_CELLS) points; for samples of equal size beyond
/// that it is the closed form of Gnedenko and Korolyuk (1951), an upper bound with ties; otherwise Kolmogorov's limit law.
///
/// # Examples
///
/// ```
/// use noops_stats::SortedSample;
/// use noops_stats::two_sample::KolmogorovSmirnov;
///
/// let (low, high) = (SortedSample::new(&[1.0, 2.0, 3.0]), SortedSample::new(&[4.0, 5.0, 6.0]));
/// let test = KolmogorovSmirnov::of(&low, &high);
/// assert_eq!(test.distance(), 1.0);
/// assert!((test.p_value() - 0.1).abs() < 1e-15);
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct KolmogorovSmirnov {
    gaps: Gaps,
    p_value: f64,
    exact: bool,
}

impl KolmogorovSmirnov {
    /// Compares two samples. Without a value on one side the distance is 0 and the p-value 1.
    ///
    /// # Complexity
    ///
    /// O(n + m), or O(m log n) when one sample is much smaller; at most a few milliseconds for an exact p-value.
    #[must_use]
    pub fn of(reference: &SortedSample, current: &SortedSample) -> Self {
        let gaps = Gaps::between(reference, current);
        if reference.is_empty() || current.is_empty() {
            return Self {
                gaps,
                p_value: 1.0,
                exact: true,
            };
        }
        let law = PathLaw::of(reference, current, gaps.largest(), 1.0);
        let p_value = match &law {
            // Every distance that has an exact law fits.
            Some(law) => i64::try_from(gaps.largest()).map_or(1.0, |distance| law.sf(distance)),
            None => Self::beyond_the_exact_law(&gaps, reference.len(), current.len()),
        };
        Self {
            gaps,
            p_value,
            exact: law.is_some(),
        }
    }

    /// The p-value of these gaps where the exact law would be too much work.
    #[must_use]
    pub fn beyond_the_exact_law(gaps: &Gaps, reference: usize, current: usize) -> f64 {
        if reference == current {
            let rows = reference as u64;
            let steps = gaps.largest() / u128::from(rows.max(1));
            return equal_sizes_sf(u64::try_from(steps).unwrap_or(rows), rows);
        }
        let (n, m) = (reference as f64, current as f64);
        let effective = n * (m / (n + m).max(1.0));
        kolmogorov_sf(gaps.distance() * effective.sqrt())
    }

    /// The distance.
    #[must_use]
    pub fn distance(&self) -> f64 {
        self.gaps.distance()
    }

    /// The gaps on both sides.
    #[must_use]
    pub fn gaps(&self) -> &Gaps {
        &self.gaps
    }

    /// The p-value.
    #[must_use]
    pub fn p_value(&self) -> f64 {
        self.p_value
    }

    /// Whether the p-value is exact for the values at hand.
    #[must_use]
    pub fn is_exact(&self) -> bool {
        self.exact
    }
}
