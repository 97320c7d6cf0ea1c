use super::cells::Cells;
use super::divergence::Divergence;
use super::null_law::NullLaw;

/// Σ (p − q)² / a with a = w p + v q, the shares of both sides together: Pearson's chi-square over n̂.
pub(super) struct PooledPearson {
    reference: f64,
    current: f64,
}

impl PooledPearson {
    /// Both sides weighted by their rows; there must be some.
    pub(super) fn weighted_by_rows(cells: &Cells) -> Self {
        let (n, m) = (cells.reference_rows(), cells.current_rows());
        Self {
            reference: n / (n + m),
            current: m / (n + m),
        }
    }

    fn pooled(&self, p: f64, q: f64) -> f64 {
        self.reference * p + self.current * q
    }
}

impl Divergence for PooledPearson {
    fn cell(&self, p: f64, q: f64) -> f64 {
        let a = self.pooled(p, q);
        if a > 0.0 { (p - q) / a * (p - q) } else { 0.0 }
    }

    fn by_reference(&self, p: f64, q: f64) -> f64 {
        let x = (p - q) / self.pooled(p, q);
        x * (2.0 - self.reference * x)
    }

    fn by_current(&self, p: f64, q: f64) -> f64 {
        let x = (p - q) / self.pooled(p, q);
        -x * (2.0 + self.current * x)
    }

    fn curvature(&self) -> f64 {
        1.0
    }

    fn largest(&self) -> f64 {
        (self.reference * self.current).recip()
    }

    /// The statistic has the mean and nearly the variance of the limit in cells of any size.
    fn null_law(&self, cells: &Cells) -> NullLaw {
        NullLaw::limit(cells)
    }
}
