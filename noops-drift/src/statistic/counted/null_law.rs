use super::cells::Cells;
use super::divergence::Divergence;
use super::hypergeometric::Split;
use crate::statistic::comparison::VISIBLE_POWER;
use noops_stats::special::{
    noncentral_chi_square_sf, noncentral_chi_square_upper_quantile, noncentrality_for_power,
};

/// The law of curvature · n̂ · D while nothing has drifted: a scale times a chi-square.
pub(super) struct NullLaw {
    scale: f64,
    degrees_of_freedom: f64,
}

impl NullLaw {
    /// The limit: chi-square with one degree of freedom less than there are cells.
    pub(super) fn limit(cells: &Cells) -> Self {
        Self {
            scale: 1.0,
            degrees_of_freedom: cells.degrees_of_freedom() as f64,
        }
    }

    /// The limit, corrected to the mean and variance that the statistic has in cells of this size.
    ///
    /// Given the sums of both rows, which hold no news of a difference between them, the reference count of a cell is
    /// hypergeometric without drift. So the mean of the statistic is exact, and so are the variances of the cells; the
    /// covariance of two cells is that of the linear and quadratic parts of what they add, which is all of it in the
    /// limit. In large cells the law is the limit. Without the correction, 50 cells that just escape being joined raise
    /// up to three times as many false alarms as they should.
    pub(super) fn matched(cells: &Cells, divergence: &impl Divergence) -> Self {
        let n = cells.reference_rows();
        let m = cells.current_rows();
        let rows = n + m;
        let rate = divergence.curvature() * cells.effective_size();
        let smoothing = divergence.smoothing();
        let padding = smoothing * cells.pairs.len() as f64;
        let value = |r: f64, c: f64| {
            rate * divergence.cell(
                (r + smoothing) / (n + padding),
                (c + smoothing) / (m + padding),
            )
        };
        let mut mean = 0.0;
        let mut variance = 0.0;
        let mut quadratic = Pairwise::default();
        let mut linear = Pairwise::default();
        for (r, c) in &cells.pairs {
            let split = Split {
                rows: r + c,
                reference: n,
                current: m,
            };
            let weight = split.rows / rows;
            let moments = split.moments(value);
            mean += moments.mean;
            variance += moments.variance;
            quadratic.add(weight * moments.mean / (1.0 - weight));
            linear.add(split.rows * moments.slope);
        }
        // Counts of two cells with sums s and t have the covariance − s t n m / (N² (N − 1)).
        let covariance = n / rows * (m / rows) / (rows - 1.0).max(1.0);
        variance += 2.0 * quadratic.products() - covariance * linear.products();
        let scale = variance / (2.0 * mean);
        let degrees_of_freedom = mean / scale;
        let usable = |x: f64| x.is_finite() && x > 0.0;
        if usable(mean) && usable(scale) && usable(degrees_of_freedom) {
            Self {
                scale,
                degrees_of_freedom,
            }
        } else {
            Self::limit(cells)
        }
    }

    pub(super) fn mean(&self) -> f64 {
        self.scale * self.degrees_of_freedom
    }

    /// The probability of more than `x` when the true distance adds `noncentrality` to the mean.
    pub(super) fn sf(&self, x: f64, noncentrality: f64) -> f64 {
        noncentral_chi_square_sf(
            x / self.scale,
            self.degrees_of_freedom,
            noncentrality / self.scale,
        )
    }

    /// The value that is exceeded with probability `tail`.
    pub(super) fn upper_quantile(&self, tail: f64, noncentrality: f64) -> f64 {
        self.scale
            * noncentral_chi_square_upper_quantile(
                tail,
                self.degrees_of_freedom,
                noncentrality / self.scale,
            )
    }

    /// The non-centrality with which `critical` is exceeded as often as visible means.
    pub(super) fn noncentrality_for_power(&self, critical: f64) -> f64 {
        self.scale
            * noncentrality_for_power(
                critical / self.scale,
                self.degrees_of_freedom,
                VISIBLE_POWER,
            )
    }
}

/// Σ of x y over all ordered pairs of different members.
#[derive(Default)]
struct Pairwise {
    sum: f64,
    squares: f64,
}

impl Pairwise {
    fn add(&mut self, x: f64) {
        self.sum += x;
        self.squares += x * x;
    }

    fn products(&self) -> f64 {
        self.sum * self.sum - self.squares
    }
}
