use noops_core::{Alpha, LogE};
use serde::{Deserialize, Serialize};

use crate::error::CanaryError;
use crate::interval::Interval;

/// The betting confidence sequence for the mean of bounded observations.
///
/// # Formula
///
/// With x rescaled to \[0, 1\], for every mean m of a grid, `K+(m) = prod(1 + min(l_t, c / m)(x_t - m))` and `K-(m) = prod(1 - min(l_t,
/// c / (1 - m))(x_t - m))`, `c = 1/2`, with the predictable plug-in bet `l_t = sqrt(2 ln(2 / alpha) / (s_{t-1}^2 t ln(1 + t)))`. The
/// evidence against m is `max(K+, K-) / 2` (Waudby-Smith and Ramdas, "Estimating means of bounded random variables by betting",
/// 2024, theorem 3). K+ falls and K- rises in m, so that what is between two grid points is covered by rounding outwards, and
/// the largest capital ever reached at each point gives the running intersection.
///
/// # Numerical notes
///
/// Assumed is that every observation has the same mean given the past: neither independence nor a distribution. The alpha given at
/// the start tunes the bets only; intervals at any other rate are valid too. The width cannot fall below the range divided by the
/// number of points. Capital is kept below 1e300, where it stays.
///
/// # Complexity
///
/// A few multiplications per grid point and observation; 32 bytes per grid point.
///
/// # Examples
///
/// ```
/// use noops_canary::sequential::BoundedMean;
/// use noops_core::Alpha;
///
/// let mut mean = BoundedMean::new(0.0, 10.0, Alpha::FIVE_PERCENT)?;
/// for i in 0..500 {
///     mean.observe(f64::from(i % 5))?;
/// }
/// let interval = mean.interval(Alpha::FIVE_PERCENT);
/// assert!(interval.contains(2.0) && interval.width() < 1.0);
/// # Ok::<(), noops_canary::CanaryError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "RawBoundedMean", into = "RawBoundedMean")]
pub struct BoundedMean {
    lower: f64,
    upper: f64,
    alpha: Alpha,
    points: Vec<Capital>,
    moments: Moments,
}

impl BoundedMean {
    /// Starts with a grid of 1000 means and bets tuned for intervals at `alpha`.
    ///
    /// # Errors
    ///
    /// As [`with_points`](Self::with_points).
    pub fn new(lower: f64, upper: f64, alpha: Alpha) -> Result<Self, CanaryError> {
        Self::with_points(lower, upper, alpha, POINTS)
    }

    /// Starts with a grid of `points` means.
    ///
    /// # Errors
    ///
    /// [`CanaryError::Input`] unless `lower < upper` with a finite distance; [`CanaryError::Setting`] unless `points` is from 10 to 100000.
    pub fn with_points(
        lower: f64,
        upper: f64,
        alpha: Alpha,
        points: usize,
    ) -> Result<Self, CanaryError> {
        check_range(lower, upper)?;
        if !(10..=100_000).contains(&points) {
            return Err(CanaryError::Setting {
                name: "points",
                value: points as f64,
                allowed: "from 10 to 100000",
            });
        }
        Ok(Self {
            lower,
            upper,
            alpha,
            points: vec![Capital::START; points],
            moments: Moments::START,
        })
    }

    /// Takes the next observation.
    ///
    /// # Errors
    ///
    /// [`CanaryError::Input`] for NaN and for values outside the range; nothing changes then.
    pub fn observe(&mut self, x: f64) -> Result<(), CanaryError> {
        let x = rescaled(x, self.lower, self.upper)?;
        let bet = self
            .moments
            .bet(std::f64::consts::LN_2 - libm::log(self.alpha.get()));
        let count = self.points.len() as f64;
        for (i, point) in self.points.iter_mut().enumerate() {
            // The middle of each cell, so that neither 0 nor 1 is a candidate.
            let m = (i as f64 + 0.5) / count;
            point.bet(x - m, bet.min(MOST / m), bet.min(MOST / (1.0 - m)));
        }
        self.moments.observe(x);
        Ok(())
    }

    /// The means that are not refuted at rate `alpha`, over all looks so far.
    #[must_use]
    pub fn interval(&self, alpha: Alpha) -> Interval {
        let threshold = 2.0 / alpha.get();
        Interval::between(self.lower_at(threshold), self.upper_at(threshold))
    }

    /// The bound below which the mean does not lie, at rate `alpha` for this side alone.
    #[must_use]
    pub fn lower_bound(&self, alpha: Alpha) -> f64 {
        self.lower_at(1.0 / alpha.get())
    }

    /// The bound above which the mean does not lie, at rate `alpha` for this side alone.
    #[must_use]
    pub fn upper_bound(&self, alpha: Alpha) -> f64 {
        self.upper_at(1.0 / alpha.get())
    }

    /// The evidence as it stands that the mean is not `m`, rounded down to the grid; none for NaN, the most for what lies outside the range.
    #[must_use]
    pub fn log_e(&self, m: f64) -> LogE {
        if m.is_nan() {
            return LogE::default();
        }
        if m < self.lower || m > self.upper {
            return LogE::new(f64::INFINITY);
        }
        let position =
            (m - self.lower) / (self.upper - self.lower) * self.points.len() as f64 - 0.5;
        // K+ falls in m and K- rises: the neighbours outwards bound them from below. Off the grid there is no bound but zero.
        let above = self.points.get(position.ceil().max(0.0) as usize);
        let below = (position >= 0.0)
            .then(|| self.points.get(position.floor() as usize))
            .flatten();
        let capital = above
            .map_or(0.0, |point| point.up)
            .max(below.map_or(0.0, |point| point.down));
        LogE::new(libm::log(0.5 * capital))
    }

    /// The mean of the observations; `None` before the first.
    #[must_use]
    pub fn mean(&self) -> Option<f64> {
        let count = self.moments.count;
        (count > 0).then(|| {
            self.lower + (self.upper - self.lower) * (self.moments.sum / count as f64).min(1.0)
        })
    }

    /// The number of observations.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.moments.count
    }

    fn lower_at(&self, threshold: f64) -> f64 {
        // Everything up to the last point that was refuted from below, which is the mean's lower bound as K+ falls in m.
        let refuted = self
            .points
            .iter()
            .rposition(|point| point.most_up >= threshold);
        refuted.map_or(self.lower, |i| self.at(i))
    }

    fn upper_at(&self, threshold: f64) -> f64 {
        let refuted = self
            .points
            .iter()
            .position(|point| point.most_down >= threshold);
        refuted.map_or(self.upper, |i| self.at(i))
    }

    fn at(&self, i: usize) -> f64 {
        self.lower + (self.upper - self.lower) * ((i as f64 + 0.5) / self.points.len() as f64)
    }
}

pub(super) fn check_range(lower: f64, upper: f64) -> Result<(), CanaryError> {
    let distance = upper - lower;
    if distance > 0.0 && distance.is_finite() {
        Ok(())
    } else {
        Err(CanaryError::Input {
            input: "range",
            reason: "is empty or not finite; pass a lower end below the upper end",
        })
    }
}

pub(super) fn rescaled(x: f64, lower: f64, upper: f64) -> Result<f64, CanaryError> {
    if x >= lower && x <= upper {
        Ok(((x - lower) / (upper - lower)).clamp(0.0, 1.0))
    } else {
        Err(CanaryError::Input {
            input: "x",
            reason: "is NaN or outside the range; pass values from the lower to the upper end",
        })
    }
}

/// The capital of the two bettors against one mean.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
struct Capital {
    up: f64,
    down: f64,
    most_up: f64,
    most_down: f64,
}

impl Capital {
    const START: Self = Self {
        up: 1.0,
        down: 1.0,
        most_up: 1.0,
        most_down: 1.0,
    };

    fn bet(&mut self, excess: f64, up: f64, down: f64) {
        self.up = kept(self.up * (1.0 + up * excess));
        self.down = kept(self.down * (1.0 - down * excess));
        self.most_up = self.most_up.max(self.up);
        self.most_down = self.most_down.max(self.down);
    }

    fn is_possible(&self) -> bool {
        let within = |current: f64, most: f64| {
            (0.0..=RICHEST).contains(&current) && (1.0..=RICHEST).contains(&most) && current <= most
        };
        within(self.up, self.most_up) && within(self.down, self.most_down)
    }
}

/// Rounds down at both ends: ruin is final, and riches beyond the range of numbers are not counted.
fn kept(capital: f64) -> f64 {
    if capital < 1e-300 {
        0.0
    } else {
        capital.min(RICHEST)
    }
}

/// The regularised moments on which the next bet rests.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Moments {
    pub(super) count: u64,
    pub(super) sum: f64,
    pub(super) squares: f64,
}

impl Moments {
    pub(super) const START: Self = Self {
        count: 0,
        sum: 0.0,
        squares: 0.0,
    };

    /// sqrt(2 `threshold` / (variance t ln(1 + t))) for the observation to come, the t-th.
    pub(super) fn bet(&self, threshold: f64) -> f64 {
        let t = self.count as f64 + 1.0;
        let variance = (0.25 + self.squares) / t;
        (2.0 * threshold / (variance * t * libm::log1p(t))).sqrt()
    }

    pub(super) fn mean(&self) -> f64 {
        (0.5 + self.sum) / (self.count as f64 + 1.0)
    }

    pub(super) fn observe(&mut self, x: f64) {
        self.count = self.count.saturating_add(1);
        self.sum += x;
        let distance = x - self.mean();
        self.squares += distance * distance;
    }

    pub(super) fn is_possible(&self) -> bool {
        let count = self.count as f64 * (1.0 + 1e-9);
        (0.0..=count).contains(&self.sum) && (0.0..=count).contains(&self.squares)
    }
}

#[derive(Serialize, Deserialize)]
struct RawBoundedMean {
    lower: f64,
    upper: f64,
    alpha: Alpha,
    points: Vec<Capital>,
    moments: Moments,
}

impl TryFrom<RawBoundedMean> for BoundedMean {
    type Error = CanaryError;

    fn try_from(raw: RawBoundedMean) -> Result<Self, CanaryError> {
        let damaged = |reason| CanaryError::State {
            state: "BoundedMean",
            reason,
        };
        check_range(raw.lower, raw.upper)?;
        if !(10..=100_000).contains(&raw.points.len()) {
            return Err(damaged(
                "the number of grid points is not from 10 to 100000",
            ));
        }
        if !raw.points.iter().all(Capital::is_possible) {
            return Err(damaged("a capital is impossible"));
        }
        if !raw.moments.is_possible() {
            return Err(damaged("the moments do not belong to the count"));
        }
        Ok(Self {
            lower: raw.lower,
            upper: raw.upper,
            alpha: raw.alpha,
            points: raw.points,
            moments: raw.moments,
        })
    }
}

impl From<BoundedMean> for RawBoundedMean {
    fn from(mean: BoundedMean) -> Self {
        Self {
            lower: mean.lower,
            upper: mean.upper,
            alpha: mean.alpha,
            points: mean.points,
            moments: mean.moments,
        }
    }
}

const POINTS: usize = 1000;
const MOST: f64 = 0.5;
const RICHEST: f64 = 1e300;

#[cfg(test)]
mod tests;
