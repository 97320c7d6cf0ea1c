use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use noops_core::Alpha;
use noops_stats::special::student_upper_quantile;
use serde::{Deserialize, Serialize};

use crate::cost::account::Account;
use crate::cost::{BudgetPath, CostError, CostGovernor, Money};
use crate::slo::{Span, Window};

/// How spending is extrapolated.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "RawSettings", into = "RawSettings")]
#[non_exhaustive]
pub struct ForecastSettings {
    bucket: Duration,
    weight: f64,
    alpha: Alpha,
}

impl ForecastSettings {
    /// Sets the length of the time slices whose spending is compared: a week for spending that follows the days of the week.
    ///
    /// # Errors
    ///
    /// [`CostError::Setting`] for less than a minute or more than 366 days.
    pub fn with_bucket(mut self, bucket: Duration) -> Result<Self, CostError> {
        if !(MIN_BUCKET..=MAX_BUCKET).contains(&bucket) {
            return Err(CostError::Setting {
                name: "bucket",
                problem: format!("`{bucket:?}` must be between a minute and 366 days"),
            });
        }
        self.bucket = bucket;
        Ok(self)
    }

    /// Sets the weight of the latest slice in the moving average.
    ///
    /// # Errors
    ///
    /// [`CostError::Setting`] unless it lies above 0 and at most at 1.
    pub fn with_weight(mut self, weight: f64) -> Result<Self, CostError> {
        if !(MIN_WEIGHT..=1.0).contains(&weight) {
            return Err(CostError::Setting {
                name: "weight",
                problem: format!("`{weight}` must be between {MIN_WEIGHT} and 1"),
            });
        }
        self.weight = weight;
        Ok(self)
    }

    /// Sets how often the band may miss.
    #[must_use]
    pub fn with_alpha(mut self, alpha: Alpha) -> Self {
        self.alpha = alpha;
        self
    }

    /// The length of the time slices.
    pub fn bucket(&self) -> Duration {
        self.bucket
    }

    /// The weight of the latest slice.
    pub fn weight(&self) -> f64 {
        self.weight
    }

    /// How often the band may miss.
    pub fn alpha(&self) -> Alpha {
        self.alpha
    }
}

impl Default for ForecastSettings {
    /// Days, of which the latest weighs a tenth, and a band that may miss one time in twenty.
    fn default() -> Self {
        Self {
            bucket: Duration::from_secs(86_400),
            weight: 0.1,
            alpha: Alpha::FIVE_PERCENT,
        }
    }
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawSettings {
    bucket: Duration,
    weight: f64,
    alpha: Alpha,
}

impl TryFrom<RawSettings> for ForecastSettings {
    type Error = CostError;

    fn try_from(raw: RawSettings) -> Result<Self, CostError> {
        let settings = Self::default().with_alpha(raw.alpha);
        settings.with_bucket(raw.bucket)?.with_weight(raw.weight)
    }
}

impl From<ForecastSettings> for RawSettings {
    fn from(settings: ForecastSettings) -> Self {
        Self {
            bucket: settings.bucket,
            weight: settings.weight,
            alpha: settings.alpha,
        }
    }
}

/// What a budget will have spent when its period ends.
///
/// # Formula
///
/// spent + m·h + reserved, where m is the exponentially weighted mean of the spending x₁ … xₙ of the last whole time slices
/// (weights wᵢ ∝ λ(1−λ)ⁿ⁻ⁱ, as in Roberts, *Control chart tests based on geometric moving averages*, 1959) and h the number
/// of slices that are left. What is left is taken to be spent independently and alike: with v = Σwᵢ(xᵢ−m)² / (1−Σwᵢ²), the
/// error of m·h has the variance s² = v(h + h²Σwᵢ²), and t is Student's quantile at 1/Σwᵢ² − 1 degrees of freedom. The band
/// reaches from m·h − t·s down there, at least 0, up to m·h·exp(t·s / m·h), since spending is skewed to the right.
///
/// # Error rates
///
/// The band is approximate. With a tenth allowed to miss, it covers nine tenths of simulated Poisson spending, and at least
/// 85 % of exponential spending from ten slices on; spending made of few great bills (a gamma shape of 0.3) takes it down to
/// about 80 %. Days of the week, growth and planned work are not in the model.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[must_use]
pub struct Forecast {
    at: Timestamp,
    ends_at: Timestamp,
    slices: u64,
    rate_per_day: Option<Money>,
    expected: Option<Money>,
    band: Option<Band>,
    runs_out_at: Option<Timestamp>,
}

#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Band {
    lower: Money,
    upper: Money,
}

impl Forecast {
    /// When it was made.
    pub fn at(&self) -> Timestamp {
        self.at
    }

    /// The end of the period: of a rolling budget, the end of the window that begins now.
    pub fn ends_at(&self) -> Timestamp {
        self.ends_at
    }

    /// The number of whole time slices it rests on.
    pub fn slices(&self) -> u64 {
        self.slices
    }

    /// The spending of a day at the present rate; none before a slice is whole.
    pub fn rate_per_day(&self) -> Option<Money> {
        self.rate_per_day
    }

    /// What is expected to have been spent or reserved at the end; none before a slice is whole.
    pub fn expected(&self) -> Option<Money> {
        self.expected
    }

    /// The lower end of the band; none with fewer than three slices, or when nothing was ever spent.
    pub fn lower(&self) -> Option<Money> {
        self.band.map(|band| band.lower)
    }

    /// The upper end of the band; none with fewer than three slices, or when nothing was ever spent.
    pub fn upper(&self) -> Option<Money> {
        self.band.map(|band| band.upper)
    }

    /// When the amount of the budget is used up at the present rate, if that is before the period ends. Never of a rolling
    /// budget, whose spending falls out of the window again.
    pub fn runs_out_at(&self) -> Option<Timestamp> {
        self.runs_out_at
    }
}

impl CostGovernor {
    /// What the budget of a path will have spent when its period ends.
    ///
    /// # Errors
    ///
    /// [`CostError::NoBudget`] for a path that has none of its own.
    ///
    /// # Complexity
    ///
    /// Linear in the charges of the last 400 time slices.
    pub fn forecast(
        &self,
        path: &BudgetPath,
        settings: &ForecastSettings,
        now: Timestamp,
    ) -> Result<Forecast, CostError> {
        let status = self.status(path, now)?;
        let now = status.at();
        let slices = self.slices(path, settings.bucket, now);
        let (already, ends_at) = match status.budget().period() {
            Window::Calendar(_) => (status.used(), status.span().end()),
            Window::Rolling(window) => (status.reserved(), later(now, window.length())),
        };
        let already = already.to_f64();
        let left = seconds_between(now, ends_at) / settings.bucket.as_secs_f64();
        let pace = Pace::of(&slices, settings.weight);
        let mean = pace.as_ref().map(|pace| pace.mean);
        let total = |coming: f64| Money::estimate(already + coming).unwrap_or(Money::MAX);
        let runs_out_at = match status.budget().period() {
            Window::Calendar(_) => mean.and_then(|mean| {
                let rate = mean / settings.bucket.as_secs_f64();
                runs_out(status.remaining(), rate, status.span(), now)
            }),
            Window::Rolling(_) => None,
        };
        Ok(Forecast {
            at: now,
            ends_at,
            slices: u64::try_from(slices.len()).unwrap_or(u64::MAX),
            rate_per_day: mean
                .and_then(|mean| Money::estimate(mean * DAY / settings.bucket.as_secs_f64())),
            expected: mean.map(|mean| total(mean * left)),
            band: pace
                .and_then(|pace| pace.band(left, settings.alpha))
                .map(|(lower, upper)| Band {
                    lower: total(lower),
                    upper: total(upper),
                }),
            runs_out_at,
        })
    }

    /// The spending of the last whole slices before `now`, in units, the oldest first.
    fn slices(&self, path: &BudgetPath, bucket: Duration, now: Timestamp) -> Vec<f64> {
        let Some(account) = self.account_of(path) else {
            return Vec::new();
        };
        let since = self.on_the_books_since(account);
        let mut end = now;
        let mut slices = Vec::new();
        while slices.len() < MAX_SLICES {
            let start = earlier(end, bucket);
            match start {
                Some(start) if start >= since => {
                    slices.push(Money::clamped(account.spent_after(start, end)).to_f64());
                    end = start;
                }
                _ => break,
            }
        }
        slices.reverse();
        slices
    }

    fn on_the_books_since(&self, account: &Account) -> Timestamp {
        self.archived_before()
            .map_or(account.since(), |before| before.max(account.since()))
    }
}

/// How spending has gone: the weighted mean and variance of the slices.
struct Pace {
    mean: f64,
    variance: f64,
    /// The sum of the squared weights: one over the effective number of slices.
    concentration: f64,
    slices: usize,
}

impl Pace {
    fn of(slices: &[f64], weight: f64) -> Option<Self> {
        let mut weights = Vec::with_capacity(slices.len());
        let mut next = 1.0;
        for _ in slices {
            weights.push(next);
            next *= 1.0 - weight;
        }
        weights.reverse();
        let total: f64 = weights.iter().sum();
        if total <= 0.0 {
            return None;
        }
        let pairs = || slices.iter().zip(weights.iter().map(|one| one / total));
        let mean: f64 = pairs().map(|(slice, weight)| slice * weight).sum();
        let concentration: f64 = pairs().map(|(_, weight)| weight * weight).sum();
        let spread: f64 = pairs()
            .map(|(slice, weight)| weight * (slice - mean) * (slice - mean))
            .sum();
        Some(Self {
            mean,
            variance: spread / (1.0 - concentration),
            concentration,
            slices: slices.len(),
        })
    }

    /// The band around what will be spent in `left` slices.
    fn band(&self, left: f64, alpha: Alpha) -> Option<(f64, f64)> {
        let degrees = 1.0 / self.concentration - 1.0;
        let is_known = self.mean != 0.0 || self.variance > 0.0;
        if self.slices < MIN_SLICES || !is_known || degrees <= MIN_DEGREES {
            return None;
        }
        let expected = self.mean * left;
        let spread = self.variance * (left + left * left * self.concentration);
        let reach = student_upper_quantile(alpha.get() / 2.0, degrees) * spread.max(0.0).sqrt();
        if !reach.is_finite() {
            return None;
        }
        if expected > 0.0 {
            let upper = expected * libm::exp(reach / expected);
            Some(((expected - reach).max(0.0), upper.min(MAX_UNITS)))
        } else {
            // More was credited than charged, and there is no skew to speak of.
            Some((expected - reach, expected + reach))
        }
    }
}

fn runs_out(remaining: Money, per_second: f64, span: Span, now: Timestamp) -> Option<Timestamp> {
    if remaining <= Money::ZERO {
        return Some(now);
    }
    // A rate of zero or below makes the time infinite or negative, neither of which is reached.
    let seconds = remaining.to_f64() / per_second.max(0.0);
    let until = SignedDuration::try_from_secs_f64(seconds).ok()?;
    let at = now.checked_add(until).ok()?;
    (at < span.end()).then_some(at)
}

fn seconds_between(from: Timestamp, to: Timestamp) -> f64 {
    to.duration_since(from).as_secs_f64().max(0.0)
}

fn later(at: Timestamp, by: Duration) -> Timestamp {
    SignedDuration::try_from(by)
        .ok()
        .and_then(|by| at.checked_add(by).ok())
        .unwrap_or(Timestamp::MAX)
}

fn earlier(at: Timestamp, by: Duration) -> Option<Timestamp> {
    at.checked_sub(SignedDuration::try_from(by).ok()?).ok()
}

const DAY: f64 = 86_400.0;
const MIN_BUCKET: Duration = Duration::from_secs(60);
const MAX_BUCKET: Duration = Duration::from_secs(366 * 86_400);
/// A lesser weight would reach beyond the slices that are looked at.
const MIN_WEIGHT: f64 = 0.01;
const MAX_SLICES: usize = 400;
const MIN_SLICES: usize = 3;
/// Below this the quantile is astronomical and the band says nothing.
const MIN_DEGREES: f64 = 0.5;
/// The bound of [`Money`], in units.
const MAX_UNITS: f64 = 1e21;

#[cfg(test)]
mod tests;
