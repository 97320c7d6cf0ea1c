use noops_core::{Alpha, LogE, Probability, Share};
use serde::{Deserialize, Serialize};

use super::mean_limit::MeanLimit;
use super::mixture::log_sum_exp;
use crate::assignment::Arm;
use crate::error::CanaryError;
use crate::interval::Interval;

/// Compares the means of a bounded metric in two arms, while the share of traffic between them changes and the level of both drifts.
///
/// Every outcome is compared with the mean of all outcomes before it, and weighed by how surprising its arm was. What is left is
/// about the difference between the arms alone: a common drift of the level, however strong, and a ramp of the share cancel.
///
/// # Formula
///
/// An outcome `x`, rescaled to \[0, 1\], of a request that went to the challenger with probability `t`; `m` is the mean of the outcomes
/// before it. Score `a = (1 - t)(x - m)` for the challenger and `b = t (x - m)` for the champion. With `w = t (1 - t)`,
///
/// ```text
/// E[a - r b + (1 - r) w m | past] = w (mean of the challenger - r * mean of the champion)
/// ```
///
/// so that `S = sum(a) - r sum(b) + (1 - r) sum(w m) - d sum(w)` has a mean of at most zero under "challenger <= r champion + d" at every
/// step. The evidence is a mixture over `l` of `exp(l S - psi(l) V)` with `psi(l) = -ln(1 - c l) / c^2 - l / c`, `V = sum(a^2) + r^2
/// sum(b^2)` and `c = max(1, r)` (the empirical Bernstein inequality of Howard, Ramdas, McAuliffe and Sekhon, "Time-uniform,
/// nonparametric, nonasymptotic confidence sequences", 2021, theorem 4): an e-process without any assumption on the distribution. The
/// estimate and the interval are those of the difference weighed by `w`, as Mantel and Haenszel weigh strata.
///
/// # Numerical notes
///
/// What is assumed: outcomes lie in the range (others are clipped to it, and counted), the share is chosen before the request
/// is seen, and the units are independent: a sticky unit that is seen often counts once, see [`Judge`](crate::judge::Judge). For events far
/// rarer than one in a hundred [`RateComparison`](super::RateComparison) is quicker by far; a range much wider than the
/// outcomes costs time as well.
///
/// # Complexity
///
/// A handful of multiplications per outcome, and no memory beyond these sums.
///
/// # Examples
///
/// ```
/// use noops_canary::Arm;
/// use noops_canary::sequential::{MeanDifference, MeanLimit};
/// use noops_core::{Alpha, Share};
///
/// let mut latency = MeanDifference::new(0.0, 1000.0)?;
/// let share = Share::from_ratio(0.5)?;
/// for request in 0..2_000 {
///     let noise = f64::from(request % 7) * 10.0;
///     latency.observe(Arm::Champion, share, 200.0 + noise)?;
///     latency.observe(Arm::Challenger, share, 201.0 + noise)?;
/// }
/// // Proven: less than 50 ms slower.
/// assert!(latency.log_e_below(MeanLimit::absolute(50.0)?).rejects(Alpha::ONE_PERCENT));
/// assert!(latency.interval(Alpha::FIVE_PERCENT).contains(1.0));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "RawMeanDifference", into = "RawMeanDifference")]
pub struct MeanDifference {
    lower: f64,
    width: f64,
    champion: ArmSums,
    challenger: ArmSums,
    /// Σ w and Σ w m.
    weight: f64,
    weighted_mean: f64,
    clipped: u64,
    uninformative: u64,
}

/// Counts and sums of one arm.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
struct ArmSums {
    outcomes: u64,
    /// Of the rescaled outcomes.
    sum: f64,
    /// Of the scores, a or b, and their squares.
    scores: f64,
    squares: f64,
}

impl MeanDifference {
    /// Starts without an outcome; outcomes lie between `lower` and `upper`.
    ///
    /// # Errors
    ///
    /// [`CanaryError::Setting`] unless both are finite and `upper` is above `lower`.
    pub fn new(lower: f64, upper: f64) -> Result<Self, CanaryError> {
        let width = upper - lower;
        if !lower.is_finite() {
            return Err(CanaryError::Setting {
                name: "lower",
                value: lower,
                allowed: "that is finite",
            });
        }
        if !(width > 0.0 && width.is_finite()) {
            return Err(CanaryError::Setting {
                name: "upper",
                value: upper,
                allowed: "that is finite and above `lower`",
            });
        }
        Ok(Self {
            lower,
            width,
            champion: ArmSums::default(),
            challenger: ArmSums::default(),
            weight: 0.0,
            weighted_mean: 0.0,
            clipped: 0,
            uninformative: 0,
        })
    }

    /// Takes one outcome: its arm, the challenger's share in force when the request was served, and its value.
    ///
    /// # Errors
    ///
    /// [`CanaryError::NotFinite`] for a value that is NaN or infinite; nothing changes then.
    pub fn observe(&mut self, arm: Arm, share: Share, value: f64) -> Result<(), CanaryError> {
        if !value.is_finite() {
            return Err(CanaryError::NotFinite {
                column: "value",
                row: 0,
                value,
            });
        }
        self.add(arm, share.ratio(), value);
        Ok(())
    }

    /// Takes one outcome of a unit that went to the challenger with this probability, given all that was known of it before: see
    /// [`RateComparison::observe_assigned`](super::RateComparison::observe_assigned).
    ///
    /// # Errors
    ///
    /// [`CanaryError::NotFinite`] for a value that is NaN or infinite; nothing changes then.
    pub fn observe_assigned(
        &mut self,
        arm: Arm,
        assignment_probability: Probability,
        value: f64,
    ) -> Result<(), CanaryError> {
        if !value.is_finite() {
            return Err(CanaryError::NotFinite {
                column: "value",
                row: 0,
                value,
            });
        }
        self.add(arm, assignment_probability.get(), value);
        Ok(())
    }

    /// Adds a finite value.
    #[inline]
    pub(crate) fn add(&mut self, arm: Arm, theta: f64, value: f64) {
        let place = (value - self.lower) / self.width;
        let x = place.clamp(0.0, 1.0);
        self.clipped = self.clipped.saturating_add(u64::from(x != place));
        if !(theta > 0.0 && theta < 1.0) {
            self.uninformative = self.uninformative.saturating_add(1);
            return;
        }
        let outcomes = (self
            .champion
            .outcomes
            .saturating_add(self.challenger.outcomes)) as f64;
        // Half an outcome of one half, so that the first mean is not the first outcome.
        let mean = (self.champion.sum + self.challenger.sum + 0.25) / (outcomes + 0.5);
        let weight = theta * (1.0 - theta);
        self.weight += weight;
        self.weighted_mean += weight * mean;
        let (sums, surprise) = match arm {
            Arm::Champion => (&mut self.champion, theta),
            Arm::Challenger => (&mut self.challenger, 1.0 - theta),
        };
        let score = surprise * (x - mean);
        sums.outcomes = sums.outcomes.saturating_add(1);
        sums.sum += x;
        sums.scores += score;
        sums.squares += score * score;
    }

    /// The evidence against "the challenger's mean is at most the limit", as it stands now.
    #[must_use]
    pub fn log_e_above(&self, limit: MeanLimit) -> LogE {
        LogE::new(self.log_e(limit, 1.0, 1.0))
    }

    /// The evidence against "the challenger's mean is at least the limit", as it stands now.
    #[must_use]
    pub fn log_e_below(&self, limit: MeanLimit) -> LogE {
        LogE::new(self.log_e(limit, -1.0, 1.0))
    }

    /// The difference of the means, challenger minus champion, weighed by `t (1 - t)`; `None` before both arms have an outcome.
    #[must_use]
    pub fn difference(&self) -> Option<f64> {
        self.has_both()
            .then(|| self.width * (self.challenger.scores - self.champion.scores) / self.weight)
    }

    /// The ratio of the means, challenger over champion, weighed by `t (1 - t)`; `None` before both arms have an outcome, or where the
    /// champion's mean is not above zero.
    #[must_use]
    pub fn ratio(&self) -> Option<f64> {
        let champion = self.zero() * self.weight + self.weighted_mean + self.champion.scores;
        let challenger = self.zero() * self.weight + self.weighted_mean + self.challenger.scores;
        (self.has_both() && champion > 0.0).then(|| challenger / champion)
    }

    /// The differences that are not rejected, a confidence sequence: at every look together it holds the difference, weighed
    /// over the outcomes so far, with probability `1 - alpha`.
    #[must_use]
    pub fn interval(&self, alpha: Alpha) -> Interval {
        let each_side = alpha.split(std::num::NonZeroUsize::MIN.saturating_add(1));
        Interval::between(self.lower_bound(each_side), self.upper_bound(each_side))
    }

    /// The largest difference below which all are rejected at `alpha`; minus the width of the range where none is.
    #[must_use]
    pub fn lower_bound(&self, alpha: Alpha) -> f64 {
        self.bound(1.0, alpha)
    }

    /// The smallest difference above which all are rejected at `alpha`; the width of the range where none is.
    #[must_use]
    pub fn upper_bound(&self, alpha: Alpha) -> f64 {
        self.bound(-1.0, alpha)
    }

    /// The ratios of the means that are not rejected, a confidence sequence of a ratio that stays the same, cut to 0..=1000.
    #[must_use]
    pub fn ratio_interval(&self, alpha: Alpha) -> Interval {
        self.ratio_bounds(alpha.split(std::num::NonZeroUsize::MIN.saturating_add(1)))
    }

    /// The same with each end a bound at `alpha`.
    pub(crate) fn ratio_bounds(&self, alpha: Alpha) -> Interval {
        Interval::between(self.ratio_bound(1.0, alpha), self.ratio_bound(-1.0, alpha))
    }

    /// The outcomes of one arm that count.
    #[must_use]
    pub fn outcomes(&self, arm: Arm) -> u64 {
        self.sums(arm).outcomes
    }

    /// The plain mean of one arm's outcomes, clipped to the range; `None` without any.
    #[must_use]
    pub fn mean(&self, arm: Arm) -> Option<f64> {
        let sums = self.sums(arm);
        (sums.outcomes > 0).then(|| self.lower + self.width * sums.sum / sums.outcomes as f64)
    }

    /// How many outcomes lay outside the range.
    #[must_use]
    pub fn clipped(&self) -> u64 {
        self.clipped
    }

    /// The outcomes at a share of zero or of everything, which compare nothing.
    #[must_use]
    pub fn uninformative(&self) -> u64 {
        self.uninformative
    }

    /// The log of the mixture against a limit, as if every outcome had come `times` times.
    pub(crate) fn log_e(&self, limit: MeanLimit, side: f64, times: f64) -> f64 {
        log_sum_exp(self.terms(limit, side, times))
    }

    /// The logarithm of each term of the mixture.
    pub(crate) fn log_terms(&self, limit: MeanLimit, side: f64) -> Vec<f64> {
        self.terms(limit, side, 1.0).collect()
    }

    /// The lower end of the range.
    pub(crate) fn lower(&self) -> f64 {
        self.lower
    }

    /// The width of the range.
    pub(crate) fn width(&self) -> f64 {
        self.width
    }

    /// The sum of the weights `t (1 - t)`.
    pub(crate) fn weight(&self) -> f64 {
        self.weight
    }

    /// The squares of all scores, of rescaled outcomes.
    pub(crate) fn score_squares(&self) -> f64 {
        self.champion.squares + self.challenger.squares
    }

    fn terms(&self, limit: MeanLimit, side: f64, times: f64) -> impl Iterator<Item = f64> + Clone {
        let ratio = limit.ratio();
        let scale = ratio.max(1.0);
        // The limit for rescaled means.
        let difference = (limit.difference() - self.lower * (1.0 - ratio)) / self.width;
        let sum = self.challenger.scores - ratio * self.champion.scores
            + (1.0 - ratio) * self.weighted_mean
            - difference * self.weight;
        let sum = side * times * sum / scale;
        let squares = self.challenger.squares + ratio * ratio * self.champion.squares;
        let squares = times * squares / (scale * scale);
        GRID.iter()
            .map(move |&(bet, penalty, log_weight)| log_weight + bet * sum - penalty * squares)
    }

    /// Where x = 0 of the range lies for rescaled means: the mean in units of the range is this plus the rescaled mean.
    fn zero(&self) -> f64 {
        self.lower / self.width
    }

    fn has_both(&self) -> bool {
        self.champion.outcomes > 0 && self.challenger.outcomes > 0 && self.weight > 0.0
    }

    fn sums(&self, arm: Arm) -> &ArmSums {
        match arm {
            Arm::Champion => &self.champion,
            Arm::Challenger => &self.challenger,
        }
    }

    fn bound(&self, side: f64, alpha: Alpha) -> f64 {
        let limit = |difference| MeanLimit::of(1.0, difference);
        let ends = (-side * self.width, side * self.width);
        self.last_rejected(ends, side, alpha, limit)
    }

    fn ratio_bound(&self, side: f64, alpha: Alpha) -> f64 {
        let limit = |ratio| MeanLimit::of(ratio, 0.0);
        let ends = if side > 0.0 {
            (0.0, WIDEST_RATIO)
        } else {
            (WIDEST_RATIO, 0.0)
        };
        self.last_rejected(ends, side, alpha, limit)
    }

    /// From the far end, where the evidence is strongest, to where it just reaches `1 / alpha`.
    fn last_rejected(
        &self,
        (mut far, mut near): (f64, f64),
        side: f64,
        alpha: Alpha,
        limit: impl Fn(f64) -> MeanLimit,
    ) -> f64 {
        let needed = -libm::log(alpha.get());
        let rejected = |value: f64| self.log_e(limit(value), side, 1.0) >= needed;
        if !rejected(far) {
            return far;
        }
        for _ in 0..BISECTIONS {
            let middle = 0.5 * (far + near);
            if rejected(middle) {
                far = middle;
            } else {
                near = middle;
            }
        }
        near
    }
}

#[derive(Serialize, Deserialize)]
struct RawMeanDifference {
    lower: f64,
    width: f64,
    champion: ArmSums,
    challenger: ArmSums,
    weight: f64,
    weighted_mean: f64,
    clipped: u64,
    uninformative: u64,
}

impl TryFrom<RawMeanDifference> for MeanDifference {
    type Error = CanaryError;

    fn try_from(raw: RawMeanDifference) -> Result<Self, CanaryError> {
        let refuse = |reason| CanaryError::State {
            state: "mean difference",
            reason,
        };
        if !(raw.lower.is_finite() && raw.width > 0.0 && raw.width.is_finite()) {
            return Err(refuse("its range is empty"));
        }
        for arm in [&raw.champion, &raw.challenger] {
            let outcomes = arm.outcomes as f64;
            if !(0.0..=outcomes).contains(&arm.sum) {
                return Err(refuse("a mean lies outside the range"));
            }
            if !(arm.scores.abs() <= outcomes && (0.0..=outcomes).contains(&arm.squares)) {
                return Err(refuse("the scores are larger than their number allows"));
            }
        }
        let outcomes = raw.champion.outcomes as f64 + raw.challenger.outcomes as f64;
        if !((0.0..=0.25 * outcomes).contains(&raw.weight)
            && (0.0..=raw.weight).contains(&raw.weighted_mean))
        {
            return Err(refuse("the weights do not fit the number of outcomes"));
        }
        Ok(Self {
            lower: raw.lower,
            width: raw.width,
            champion: raw.champion,
            challenger: raw.challenger,
            weight: raw.weight,
            weighted_mean: raw.weighted_mean,
            clipped: raw.clipped,
            uninformative: raw.uninformative,
        })
    }
}

impl From<MeanDifference> for RawMeanDifference {
    fn from(value: MeanDifference) -> Self {
        Self {
            lower: value.lower,
            width: value.width,
            champion: value.champion,
            challenger: value.challenger,
            weight: value.weight,
            weighted_mean: value.weighted_mean,
            clipped: value.clipped,
            uninformative: value.uninformative,
        }
    }
}

/// Bets `l`, their `psi(l) = -ln(1 - l) - l` (rounded up), and the logarithms of their weights (rounded down): lognormal around 0.2 with
/// a spread of 1.5.
pub(crate) const GRID: [(f64, f64, f64); 17] = [
    (0.9, 1.402_585_10, -2.743009),
    (0.7, 0.503_972_805, -2.589046),
    (0.5, 0.193_147_181, -2.426863),
    (0.35, 0.080_782_916_1, -2.309881),
    (0.25, 0.037_682_072_5, -2.251352),
    (0.18, 0.018_450_938_8, -2.242754),
    (0.125, 0.008_531_392_63, -2.289377),
    (0.09, 0.004_310_679_48, -2.381979),
    (0.0625, 0.002_038_521_14, -2.540936),
    (0.044, 0.000_997_365_931, -2.749750),
    (0.031, 0.000_490_667_092, -3.012671),
    (0.022, 0.000_245_608_948, -3.322968),
    (0.0156, 0.000_122_960_466, -3.686474),
    (0.0078, 0.000_030_579_115_2, -4.579130),
    (0.0039, 0.000_007_624_831_02, -5.685321),
    (0.002, 0.000_002_002_670_68, -6.953086),
    (0.001, 0.000_000_500_333_584, -8.478547),
];
const WIDEST_RATIO: f64 = 1000.0;
const BISECTIONS: u32 = 60;

#[cfg(test)]
mod tests;
