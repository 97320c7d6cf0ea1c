mod interruption;
mod job;

#[cfg(test)]
mod tests;

use std::fmt;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use noops_core::Alpha;
use serde::{Deserialize, Serialize};

pub use self::interruption::InterruptionRate;
pub use self::job::{LadderJob, PriceList};
use crate::cost::Money;

/// Where a job runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Tier {
    /// On capacity that is cheap and may be taken away at any moment.
    Spot,
    /// On capacity that stays.
    OnDemand,
    /// On capacity that stays, with a smaller model.
    SmallerModel,
    /// Not now: it waits for money or for a later deadline.
    Queue,
}

impl fmt::Display for Tier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Spot => "spot",
            Self::OnDemand => "on-demand",
            Self::SmallerModel => "smaller-model",
            Self::Queue => "queue",
        })
    }
}

/// The choice of where a job runs: spot, on demand, a smaller model, or not now.
///
/// The first rung is taken that is offered, finishes before the deadline and is paid for by what remains of the budget; spot
/// only where it is cheaper than on demand. No rung that cannot finish in time is ever taken; the queue always can be.
///
/// # Formula
///
/// Of spot the time is not known. An interruption costs at most the work since the last checkpoint and a restart, so that k
/// of them let a job of work w end by T(k) = w + k·(checkpoint + restart). They are taken to be a Poisson process of the rate
/// λ: the job ends by T(k) with at least the probability that at most k of them happen until then. The least k for which that
/// is at least 1 − alpha gives the time and, as if all of it was paid, the cost.
///
/// # Error rates
///
/// At the true rate of interruptions, a job that is put on spot misses the time it was promised with a probability of at most
/// alpha. Interruptions that come in waves are not in the model, nor is the error of the estimated rate.
///
/// # Examples
///
/// ```
/// use std::time::Duration;
/// use noops_core::Timestamp;
/// use noops_policy::cost::{InterruptionRate, LadderJob, PriceList, Tier, TierLadder};
///
/// let hour = Duration::from_secs(3600);
/// let now: Timestamp = "2026-03-10T12:00:00Z".parse()?;
/// let prices = PriceList::new("4".parse()?)?.with_spot("1".parse()?)?;
/// let ladder = TierLadder::new(prices);
/// let calm = InterruptionRate::new(0.05, 24 * hour)?;
///
/// let relaxed = LadderJob::new(2 * hour, "2026-03-10T20:00:00Z".parse()?);
/// assert_eq!(ladder.choose(&relaxed, &calm, "100".parse()?, now).tier(), Tier::Spot);
///
/// let urgent = LadderJob::new(2 * hour, "2026-03-10T14:10:00Z".parse()?);
/// let decision = ladder.choose(&urgent, &calm, "100".parse()?, now);
/// assert_eq!(decision.tier(), Tier::OnDemand);
/// assert!(decision.to_string().contains("spot: finishes too late"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TierLadder {
    prices: PriceList,
    alpha: Alpha,
}

impl TierLadder {
    /// A ladder at these prices, that may be wrong about spot one time in twenty.
    pub fn new(prices: PriceList) -> Self {
        Self {
            prices,
            alpha: Alpha::FIVE_PERCENT,
        }
    }

    /// Sets how often a job on spot may miss the time it was promised.
    #[must_use]
    pub fn with_alpha(mut self, alpha: Alpha) -> Self {
        self.alpha = alpha;
        self
    }

    /// The prices.
    pub fn prices(&self) -> &PriceList {
        &self.prices
    }

    /// Where a job runs, given what remains of the budget.
    ///
    /// # Complexity
    ///
    /// Bounded: at most 200 interruptions are looked at.
    pub fn choose(
        &self,
        job: &LadderJob,
        interruptions: &InterruptionRate,
        remaining: Money,
        now: Timestamp,
    ) -> TierDecision {
        let judge = |tier, offer: Option<(Money, Option<Duration>)>| {
            let Some((price, time)) = offer else {
                return Rung::without_offer(tier);
            };
            let finish_by = time.and_then(|time| later(now, time));
            let cost = time.and_then(|time| price_of(price, time));
            let verdict = match (finish_by, cost) {
                (Some(finish_by), _) if finish_by > job.deadline() => RungVerdict::TooLate,
                (None, _) => RungVerdict::TooLate,
                (Some(_), Some(cost)) if cost <= remaining => RungVerdict::Fits,
                (Some(_), _) => RungVerdict::TooDear,
            };
            Rung {
                tier,
                finish_by,
                cost,
                verdict,
            }
        };
        let on_demand = judge(
            Tier::OnDemand,
            Some((self.prices.on_demand(), Some(job.work()))),
        );
        let mut spot = judge(
            Tier::Spot,
            self.prices
                .spot()
                .map(|price| (price, self.time_on_spot(job, interruptions))),
        );
        let is_cheaper = match (spot.cost, on_demand.cost) {
            (Some(spot), Some(on_demand)) => spot < on_demand,
            _ => true,
        };
        if spot.verdict == RungVerdict::Fits && !is_cheaper {
            spot.verdict = RungVerdict::NoCheaper;
        }
        let smaller = judge(
            Tier::SmallerModel,
            self.prices
                .smaller()
                .map(|(price, percent)| (price, percent_of(job.work(), percent))),
        );
        let queue = Rung {
            tier: Tier::Queue,
            finish_by: None,
            cost: None,
            verdict: RungVerdict::Fits,
        };
        TierDecision {
            rungs: vec![spot, on_demand, smaller, queue],
        }
    }

    /// The time by which a job on spot ends with the probability 1 − alpha; none if that is not within 200 interruptions.
    fn time_on_spot(&self, job: &LadderJob, interruptions: &InterruptionRate) -> Option<Duration> {
        let setback = job
            .checkpoint()
            .min(job.work())
            .checked_add(job.restart())?;
        (0..=MAX_INTERRUPTIONS).find_map(|count| {
            let time = setback.checked_mul(count)?.checked_add(job.work())?;
            let expected = interruptions.per_hour() * time.as_secs_f64() / 3600.0;
            (poisson_cdf(count, expected) >= 1.0 - self.alpha.get()).then_some(time)
        })
    }
}

/// Where a job runs, and why not on the rungs above.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[must_use]
pub struct TierDecision {
    rungs: Vec<Rung>,
}

impl TierDecision {
    /// Where it runs.
    pub fn tier(&self) -> Tier {
        self.chosen().map_or(Tier::Queue, |rung| rung.tier)
    }

    /// The rung that was taken.
    pub fn chosen(&self) -> Option<&Rung> {
        self.rungs
            .iter()
            .find(|rung| rung.verdict == RungVerdict::Fits)
    }

    /// Every rung, from the top.
    pub fn rungs(&self) -> &[Rung] {
        &self.rungs
    }
}

impl fmt::Display for TierDecision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.tier())?;
        if let Some(Rung {
            finish_by: Some(at),
            cost: Some(cost),
            ..
        }) = self.chosen()
        {
            write!(f, " by `{at}` for at most {cost}")?;
        }
        for rung in &self.rungs {
            let why = match rung.verdict {
                RungVerdict::Fits => break,
                RungVerdict::NotOffered => "is not offered",
                RungVerdict::TooLate => "finishes too late",
                RungVerdict::TooDear => "costs more than remains",
                RungVerdict::NoCheaper => "is no cheaper than on demand",
            };
            write!(f, "; {}: {why}", rung.tier)?;
        }
        Ok(())
    }
}

/// What one rung would have meant.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rung {
    tier: Tier,
    finish_by: Option<Timestamp>,
    cost: Option<Money>,
    verdict: RungVerdict,
}

impl Rung {
    fn without_offer(tier: Tier) -> Self {
        Self {
            tier,
            finish_by: None,
            cost: None,
            verdict: RungVerdict::NotOffered,
        }
    }

    /// Where.
    pub fn tier(&self) -> Tier {
        self.tier
    }

    /// When the job ends at the latest: on spot, with the probability 1 − alpha. None if no time can be given.
    pub fn finish_by(&self) -> Option<Timestamp> {
        self.finish_by
    }

    /// What it costs at most, to the next millionth.
    pub fn cost(&self) -> Option<Money> {
        self.cost
    }

    /// Whether it would do.
    pub fn verdict(&self) -> RungVerdict {
        self.verdict
    }
}

/// Whether a rung would do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RungVerdict {
    /// In time and paid for: the first such rung is taken.
    Fits,
    /// There is no price for it.
    NotOffered,
    /// It cannot finish before the deadline.
    TooLate,
    /// It costs more than remains.
    TooDear,
    /// Interruptions make it as dear as what it was to replace.
    NoCheaper,
}

/// The probability of at most `count` events of which `expected` are expected; 0 where that is beyond floating point.
fn poisson_cdf(count: u32, expected: f64) -> f64 {
    let mut term = libm::exp(-expected);
    let mut sum = term;
    for k in 1..=count {
        term *= expected / f64::from(k);
        sum += term;
    }
    sum
}

/// An hourly price for a time, to the next millionth.
fn price_of(per_hour: Money, time: Duration) -> Option<Money> {
    let nanos = i128::try_from(time.as_nanos()).ok()?;
    let product = per_hour.micros().checked_mul(nanos)?;
    let whole = product.checked_div(NANOS_PER_HOUR)?;
    let rest = product.checked_rem(NANOS_PER_HOUR)?;
    Money::from_micros(whole.checked_add(i128::from(rest > 0))?)
}

fn percent_of(time: Duration, percent: u32) -> Option<Duration> {
    time.checked_mul(percent)?.checked_div(100)
}

fn later(at: Timestamp, by: Duration) -> Option<Timestamp> {
    at.checked_add(SignedDuration::try_from(by).ok()?).ok()
}

const NANOS_PER_HOUR: i128 = 3_600_000_000_000;
/// A job that is interrupted more often than this has no business on spot.
const MAX_INTERRUPTIONS: u32 = 200;
