use noops_core::{Alpha, LogE, Probability, Share};
use serde::{Deserialize, Serialize};

use super::mixture::log_sum_exp;
use crate::assignment::Arm;
use crate::error::CanaryError;
use crate::interval::Interval;

/// Compares how often something happens in two arms, while the share of traffic between them changes.
///
/// Only the events (failures, timeouts, fallbacks) are shown to it, each with the share that was in force when its request was
/// served. Requests are not counted: what matters is on which side an event falls, compared with what the share predicts. The
/// comparison is therefore valid for any common rise and fall of the base rate, also one that happens while the ramp moves,
/// where pooling the counts of all stages raises false alarms for identical models.
///
/// # Formula
///
/// Given an event at share `t`, it falls to the challenger with probability `p(g) = t g / (t g + 1 - t)`, where `g` is the rate
/// ratio. Against "g <= R" the evidence is a mixture, over a fixed grid of `g_j > R`, of the likelihood ratios of `p(g_j)` against
/// `p(R)`; against "g >= R" one over `g_j < R` (after Lindon and Malek, "Anytime-valid inference for multinomial count data", with the
/// mixture on the log-ratio, so that evidence carries over when the share changes). Each factor has expectation at most 1 under its
/// null hypothesis, so both are e-processes: they may be looked at after every event. The events of one share are only counted, and
/// the sum over shares is formed when somebody looks.
///
/// The grid is dense around ratios of 1.35, the mixture lognormal. At equal shares and an error rate of 5 %, in 2,000 simulated runs: a
/// ratio of 1.5 is found after 183 events on average and one of 2 after 68; that identical arms differ by less than a ratio of 1.25 is
/// proven after a median of 511 events.
///
/// # Numerical notes
///
/// The share must be chosen before the request is seen, and the events must be independent given the shares; a single outage that
/// fails a thousand requests of one arm is one event, not a thousand. Log-ratios from 0.005 to 3 are on the grid; larger ones are
/// detected too, only a little later than they could be, and the interval never gets narrower than about 0.5 %.
///
/// **The error rate holds only for events of independent units.** A sticky [`Assignment`](crate::Assignment) sends a unit to one arm for
/// as long as the share stands, so that its repeated failures all fall on the same side. With a share of 1 %, one unit that always
/// fails, whichever model serves it, is enough for a false alarm if it happens to be assigned to the challenger. Nothing here
/// knows the unit of an event: leave out the repeats, or let a [`Judge`](crate::judge::Judge) do it.
///
/// At most 256 different shares are told apart; events at further ones are counted as uninformative.
///
/// # Examples
///
/// ```
/// use noops_canary::Arm;
/// use noops_canary::sequential::RateComparison;
/// use noops_core::{Alpha, Share};
///
/// let mut failures = RateComparison::new();
/// let share = Share::from_ratio(0.05)?;
/// for _ in 0..5 {
///     failures.observe(Arm::Challenger, share);
/// }
/// assert!(failures.log_e_above(1.0)?.rejects(Alpha::ONE_PERCENT));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(try_from = "RawRateComparison", into = "RawRateComparison")]
pub struct RateComparison {
    strata: Vec<Stratum>,
    uninformative: u64,
    /// Where the last event went, so that the next one finds its place at once.
    last: usize,
}

/// The events at one share.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
struct Stratum {
    assignment_probability: f64,
    champion: u64,
    challenger: u64,
}

impl RateComparison {
    /// Starts without an event.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes one event: the arm it happened in and the challenger's share in force when the request was served.
    ///
    /// With a share of zero or of everything there is only one side to fall on; such events are counted in
    /// [`uninformative`](Self::uninformative) and contribute nothing.
    ///
    /// # Complexity
    ///
    /// Constant while the share stands; linear in the number of different shares so far when it changes.
    pub fn observe(&mut self, arm: Arm, share: Share) {
        self.count(arm, share.ratio(), 1);
    }

    /// Takes many events of one arm at one share.
    pub fn observe_many(&mut self, arm: Arm, share: Share, events: u64) {
        self.count(arm, share.ratio(), events);
    }

    /// Takes one event of a unit that went to the challenger with this probability, given all that was known of it before.
    ///
    /// That is the share for a unit seen for the first time. A unit that was the champion's at share `s` and is seen again at share
    /// `t > s` went to the challenger with probability `(t - s) / (1 - s)`.
    pub fn observe_assigned(&mut self, arm: Arm, assignment_probability: Probability) {
        self.count(arm, assignment_probability.get(), 1);
    }

    pub(crate) fn count(&mut self, arm: Arm, theta: f64, events: u64) {
        let matches = |stratum: &Stratum| stratum.assignment_probability == theta;
        if !self.strata.get(self.last).is_some_and(matches) {
            match self.strata.iter().position(matches) {
                Some(place) => self.last = place,
                None if theta > 0.0 && theta < 1.0 && self.strata.len() < MOST_SHARES => {
                    self.last = self.strata.len();
                    self.strata.push(Stratum {
                        assignment_probability: theta,
                        champion: 0,
                        challenger: 0,
                    });
                }
                None => {
                    self.uninformative = self.uninformative.saturating_add(events);
                    return;
                }
            }
        }
        if let Some(stratum) = self.strata.get_mut(self.last) {
            let count = match arm {
                Arm::Champion => &mut stratum.champion,
                Arm::Challenger => &mut stratum.challenger,
            };
            *count = count.saturating_add(events);
        }
    }

    /// The evidence against "the challenger's rate is at most `ratio` times the champion's", as it stands now.
    ///
    /// # Errors
    ///
    /// [`CanaryError::Setting`] unless the ratio lies between 0.001 and 1000.
    pub fn log_e_above(&self, ratio: f64) -> Result<LogE, CanaryError> {
        check_ratio(ratio).map(|()| LogE::new(self.log_e(ratio, 1.0, 1.0)))
    }

    /// The evidence against "the challenger's rate is at least `ratio` times the champion's": with a ratio above 1, the evidence of
    /// non-inferiority.
    ///
    /// # Errors
    ///
    /// [`CanaryError::Setting`] unless the ratio lies between 0.001 and 1000.
    pub fn log_e_below(&self, ratio: f64) -> Result<LogE, CanaryError> {
        check_ratio(ratio).map(|()| LogE::new(self.log_e(ratio, -1.0, 1.0)))
    }

    /// The evidence against "the rates are equal", whichever is larger.
    #[must_use]
    pub fn log_e_different(&self) -> LogE {
        LogE::mean(&[1.0, -1.0].map(|side| LogE::new(self.log_e(1.0, side, 1.0))))
    }

    /// The rate ratio, challenger over champion, by Mantel and Haenszel with the shares as strata.
    ///
    /// `None` before the champion's first event: nothing bounds the ratio from above.
    #[must_use]
    pub fn rate_ratio(&self) -> Option<f64> {
        let (mut challenger, mut champion) = (0.0, 0.0);
        for stratum in &self.strata {
            let theta = stratum.assignment_probability;
            challenger += stratum.challenger as f64 * (1.0 - theta);
            champion += stratum.champion as f64 * theta;
        }
        (champion > 0.0).then(|| challenger / champion)
    }

    /// The rate ratios that are not rejected: a confidence sequence of a ratio that stays the same, which holds at every look together
    /// with probability `1 - alpha`.
    ///
    /// # Complexity
    ///
    /// A hundred or so evaluations of the evidence.
    #[must_use]
    pub fn interval(&self, alpha: Alpha) -> Interval {
        let each_side = alpha.split(std::num::NonZeroUsize::MIN.saturating_add(1));
        Interval::between(self.lower_bound(each_side), self.upper_bound(each_side))
    }

    /// The largest ratio below which all are rejected at `alpha`; 0 before the challenger's first event.
    #[must_use]
    pub fn lower_bound(&self, alpha: Alpha) -> f64 {
        if self.events(Arm::Challenger) == 0 {
            return 0.0;
        }
        match self.bound(1.0, alpha) {
            log_ratio if log_ratio <= -WIDEST => 0.0,
            log_ratio => libm::exp(log_ratio),
        }
    }

    /// The smallest ratio above which all are rejected at `alpha`; infinite before the champion's first event.
    #[must_use]
    pub fn upper_bound(&self, alpha: Alpha) -> f64 {
        if self.events(Arm::Champion) == 0 {
            return f64::INFINITY;
        }
        match self.bound(-1.0, alpha) {
            log_ratio if log_ratio >= WIDEST => f64::INFINITY,
            log_ratio => libm::exp(log_ratio),
        }
    }

    /// The events of one arm that count.
    #[must_use]
    pub fn events(&self, arm: Arm) -> u64 {
        let of_arm = |stratum: &Stratum| match arm {
            Arm::Champion => stratum.champion,
            Arm::Challenger => stratum.challenger,
        };
        self.strata.iter().map(of_arm).fold(0, u64::saturating_add)
    }

    /// The events at a share of zero or of everything, or at a share beyond the 256th, which say nothing about the ratio.
    #[must_use]
    pub fn uninformative(&self) -> u64 {
        self.uninformative
    }

    /// The log of the mixture against `ratio`, as if every event had come `times` times.
    pub(crate) fn log_e(&self, ratio: f64, side: f64, times: f64) -> f64 {
        log_sum_exp(self.terms(ratio, side, times))
    }

    /// The logarithm of each term of the mixture.
    pub(crate) fn log_terms(&self, ratio: f64, side: f64) -> Vec<f64> {
        self.terms(ratio, side, 1.0).collect()
    }

    fn terms(&self, ratio: f64, side: f64, times: f64) -> impl Iterator<Item = f64> + Clone {
        let challenger = times * self.events(Arm::Challenger) as f64;
        GRID.iter().map(move |&(log_ratio, log_weight)| {
            let step = side * log_ratio;
            let factor = ratio * libm::exp(step);
            let denominators: f64 = self
                .strata
                .iter()
                .map(|stratum| {
                    let theta = stratum.assignment_probability;
                    let events = times * (stratum.champion as f64 + stratum.challenger as f64);
                    let null = theta * ratio + 1.0 - theta;
                    events * libm::log(null / (theta * factor + 1.0 - theta))
                })
                .sum();
            log_weight + challenger * step + denominators
        })
    }

    /// The log-ratio at which the evidence on one side just reaches `1 / alpha`.
    fn bound(&self, side: f64, alpha: Alpha) -> f64 {
        let needed = -libm::log(alpha.get());
        let rejected = |log_ratio: f64| self.log_e(libm::exp(log_ratio), side, 1.0) >= needed;
        // On the far side of the data everything is rejected, on the near side nothing is.
        let (mut far, mut near) = (-side * WIDEST, side * WIDEST);
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

/// Where the last event went is no part of the evidence.
impl PartialEq for RateComparison {
    fn eq(&self, other: &Self) -> bool {
        self.strata == other.strata && self.uninformative == other.uninformative
    }
}

fn check_ratio(ratio: f64) -> Result<(), CanaryError> {
    if (0.001..=1000.0).contains(&ratio) {
        return Ok(());
    }
    Err(CanaryError::Setting {
        name: "ratio",
        value: ratio,
        allowed: "from 0.001 to 1000",
    })
}

#[derive(Serialize, Deserialize)]
struct RawRateComparison {
    strata: Vec<Stratum>,
    uninformative: u64,
}

impl TryFrom<RawRateComparison> for RateComparison {
    type Error = CanaryError;

    fn try_from(raw: RawRateComparison) -> Result<Self, CanaryError> {
        let refuse = |reason| CanaryError::State {
            state: "rate comparison",
            reason,
        };
        if raw.strata.len() > MOST_SHARES {
            return Err(refuse("it holds more shares than are told apart"));
        }
        for (place, stratum) in raw.strata.iter().enumerate() {
            let theta = stratum.assignment_probability;
            if !(theta > 0.0 && theta < 1.0) {
                return Err(refuse("a share is not between 0 and 1"));
            }
            let mut before = raw.strata.iter().take(place);
            if before.any(|other| other.assignment_probability == theta) {
                return Err(refuse("a share occurs twice"));
            }
        }
        Ok(Self {
            strata: raw.strata,
            uninformative: raw.uninformative,
            last: 0,
        })
    }
}

impl From<RateComparison> for RawRateComparison {
    fn from(comparison: RateComparison) -> Self {
        Self {
            strata: comparison.strata,
            uninformative: comparison.uninformative,
        }
    }
}

/// Log-ratios with the logarithms of their weights: lognormal around 0.3 with a spread of 1.3, as exp(-(ln(x / 0.3) / 1.3)^2 / 2), over their
/// sum; rounded so that together they are a little below 1.
pub(crate) const GRID: [(f64, f64); 18] = [
    (0.005, -7.271513),
    (0.01, -5.734379),
    (0.02, -4.481536),
    (0.04, -3.512985),
    (0.07, -2.938437),
    (0.1, -2.668936),
    (0.15, -2.453997),
    (0.2, -2.360490),
    (0.3, -2.311851),
    (0.4, -2.336336),
    (0.5, -2.389053),
    (0.65, -2.488721),
    (0.8, -2.596474),
    (1.0, -2.740712),
    (1.3, -2.947988),
    (1.7, -3.202040),
    (2.3, -3.539332),
    (3.0, -3.880460),
];
const MOST_SHARES: usize = 256;
const WIDEST: f64 = 30.0;
const BISECTIONS: u32 = 60;

#[cfg(test)]
mod tests;
