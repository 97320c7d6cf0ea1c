use noops_core::{Probability, Share};
use serde::{Deserialize, Serialize};

use super::baseline::Baseline;
use super::question::{Passages, Question, alarm_needs};
use super::traffic::Traffic;
use crate::error::CanaryError;
use crate::judge::{JudgeSpec, MetricKind, MetricSpec};

/// How many bad events a ramp may cost, and what it has to find.
///
/// # Examples
///
/// ```
/// use noops_canary::planning::RampSettings;
///
/// let settings = RampSettings::new(2.0, 50.0);
/// assert_eq!(settings.budget(), 50.0);
/// assert_eq!(settings.detection().get(), 0.5);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct RampSettings {
    effect: f64,
    budget: f64,
    #[serde(default = "half")]
    detection: Probability,
    #[serde(default = "half_share")]
    largest_share: Share,
}

impl RampSettings {
    /// A candidate that is `effect` times worse may cause `budget` bad events beyond those the champion would have caused.
    #[must_use]
    pub fn new(effect: f64, budget: f64) -> Self {
        Self {
            effect,
            budget,
            detection: half(),
            largest_share: half_share(),
        }
    }

    /// Sets the probability with which a stage has to find such a candidate. Default one half.
    #[must_use]
    pub fn with_detection(mut self, probability: Probability) -> Self {
        self.detection = probability;
        self
    }

    /// Sets the share that is never exceeded. Default one half: beyond it, what is won in the candidate is lost in the champion.
    #[must_use]
    pub fn with_largest_share(mut self, share: Share) -> Self {
        self.largest_share = share;
        self
    }

    /// How many times worse the candidate may be.
    #[must_use]
    pub fn effect(&self) -> f64 {
        self.effect
    }

    /// The bad events beyond the champion's that it may cause, on average.
    #[must_use]
    pub fn budget(&self) -> f64 {
        self.budget
    }

    /// The probability with which a stage has to find it.
    #[must_use]
    pub fn detection(&self) -> Probability {
        self.detection
    }

    /// The share that is never exceeded.
    #[must_use]
    pub fn largest_share(&self) -> Share {
        self.largest_share
    }

    fn check(&self) -> Result<(), CanaryError> {
        let refuse = |name, value, allowed| {
            Err(CanaryError::Setting {
                name,
                value,
                allowed,
            })
        };
        if !(self.effect > 1.0 && self.effect <= 1000.0) {
            return refuse("effect", self.effect, "above 1 and at most 1000");
        }
        if !(self.budget > 0.0 && self.budget.is_finite()) {
            return refuse("budget", self.budget, "that is finite and above 0");
        }
        Ok(())
    }
}

/// A share chosen so that a bad candidate is found before it has cost too much.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct ChosenShare {
    share: Share,
    excess: f64,
    detection: f64,
}

impl ChosenShare {
    /// The share.
    #[must_use]
    pub fn share(&self) -> Share {
        self.share
    }

    /// The bad events beyond the champion's that are expected in this stage until the candidate is found out or the stage ends.
    #[must_use]
    pub fn expected_excess(&self) -> f64 {
        self.excess
    }

    /// The probability that the candidate is found out within the stage, if it gets there.
    #[must_use]
    pub fn detection(&self) -> f64 {
        self.detection
    }
}

/// The largest share at which a candidate that is `effect` times worse is found out within the stage, before it has cost more than the budget.
///
/// `None` where there is none: at shares that are small enough for the budget, the stage is too short to find it. Give it longer, or more budget.
///
/// # Formula
///
/// At share `t`, a candidate whose events are `g` times as frequent causes `l t (g - 1)` events a request beyond the champion's rate `l`.
/// The expected excess is that times the expected requests until its harm is proven, or until the stage is over:
/// `E[min(N, n)] l t (g - 1)`, with the law of `N` as in a [`Plan`](super::Plan). For small shares it hardly depends on the share, about
/// `ln(1 / alpha) (g - 1) / (g ln g - g + 1)` and more; it rises beyond. The share is taken from a fixed ladder, a twelfth of a doubling apart,
/// so that more budget never gives a smaller share.
///
/// # Numerical notes
///
/// It is an average: one rollout may cost more. Set a hard limit beside it with
/// [`Budgets`](crate::judge::Budgets). For a metric whose events are good, what is counted is the events that are lost.
///
/// # Errors
///
/// [`CanaryError::Setting`] for settings out of range or minutes not above 0; [`CanaryError::Specification`] if the metric is not in the
/// specification, does not count events, is only watched, or its baseline does not fit.
///
/// # Examples
///
/// ```
/// use noops_canary::judge::{JudgeSpec, MetricKind, MetricSpec, Tolerance};
/// use noops_canary::planning::{Baseline, RampSettings, Traffic, next_share};
/// use noops_core::{Probability, Share};
///
/// let errors = MetricSpec::new("errors", MetricKind::Rate).with_margin(Tolerance::relative(0.25)?);
/// let spec = JudgeSpec::new([errors])?;
/// let baseline = Baseline::Rate(Probability::new(0.02)?);
/// let traffic = Traffic::new(25.0, Share::ZERO)?;
/// let of_budget = |budget| next_share(&spec, "errors", &baseline, &traffic, 120.0, &RampSettings::new(2.0, budget));
/// let (small, large) = (of_budget(18.0)?, of_budget(60.0)?);
/// assert!(small.zip(large).is_some_and(|(small, large)| small.share() < large.share()));
/// assert_eq!(of_budget(0.001)?, None);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn next_share(
    spec: &JudgeSpec,
    metric: &str,
    baseline: &Baseline,
    traffic: &Traffic,
    minutes: f64,
    settings: &RampSettings,
) -> Result<Option<ChosenShare>, CanaryError> {
    let search = Search::new(spec, metric, baseline, settings)?;
    let requests = requests_of(traffic, minutes)?;
    Ok(search.largest(requests, 1.0, settings.budget, Share::ZERO))
}

/// The shares of a whole ramp, stage by stage, for one budget.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RampPlan {
    shares: Vec<ChosenShare>,
    stages: usize,
    detection: f64,
    excess: f64,
}

impl RampPlan {
    /// Chooses a share for each stage, given how long each lasts.
    ///
    /// # Formula
    ///
    /// Up to stage `k` of `K`, the expected excess may be `k / K` of the budget; what a stage leaves goes to the next. A stage costs
    /// only if the candidate got there without being found out, so its expected excess counts times that probability. The shares never fall. Every
    /// stage is planned as if it began without evidence. It ends at the first stage that has no share.
    ///
    /// # Errors
    ///
    /// [`CanaryError::Empty`] without stages; else as [`next_share`].
    ///
    /// # Examples
    ///
    /// ```
    /// use noops_canary::judge::{JudgeSpec, MetricKind, MetricSpec, Tolerance};
    /// use noops_canary::planning::{Baseline, RampPlan, RampSettings, Traffic};
    /// use noops_core::{Probability, Share};
    ///
    /// let errors = MetricSpec::new("errors", MetricKind::Rate).with_margin(Tolerance::relative(0.25)?);
    /// let spec = JudgeSpec::new([errors])?;
    /// let baseline = Baseline::Rate(Probability::new(0.02)?);
    /// let traffic = Traffic::new(100.0, Share::ZERO)?;
    /// let ramp = RampPlan::new(&spec, "errors", &baseline, &traffic, &[120.0, 120.0, 120.0], &RampSettings::new(2.0, 90.0))?;
    /// assert!(ramp.is_complete() && ramp.expected_excess() <= 90.0);
    /// assert!(ramp.shares().windows(2).all(|pair| pair[0].share() <= pair[1].share()));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn new(
        spec: &JudgeSpec,
        metric: &str,
        baseline: &Baseline,
        traffic: &Traffic,
        minutes: &[f64],
        settings: &RampSettings,
    ) -> Result<Self, CanaryError> {
        if minutes.is_empty() {
            return Err(CanaryError::Empty);
        }
        let search = Search::new(spec, metric, baseline, settings)?;
        let requests = minutes.iter().map(|&minutes| requests_of(traffic, minutes));
        let requests = requests.collect::<Result<Vec<f64>, _>>()?;
        let mut shares: Vec<ChosenShare> = Vec::with_capacity(requests.len());
        let (mut spent, mut undetected) = (0.0, 1.0);
        for (place, &requests) in requests.iter().enumerate() {
            let part = (place + 1) as f64 / minutes.len() as f64;
            let left = settings.budget * part - spent;
            let least = shares.last().map_or(Share::ZERO, ChosenShare::share);
            let Some(chosen) = search.largest(requests, undetected, left, least) else {
                break;
            };
            spent += undetected * chosen.excess;
            undetected *= 1.0 - chosen.detection;
            shares.push(chosen);
        }
        Ok(Self {
            shares,
            stages: minutes.len(),
            detection: 1.0 - undetected,
            excess: spent,
        })
    }

    /// The shares, of the stages that have one.
    #[must_use]
    pub fn shares(&self) -> &[ChosenShare] {
        &self.shares
    }

    /// Whether every stage has a share.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        self.shares.len() == self.stages
    }

    /// The probability that the ramp finds the candidate out.
    #[must_use]
    pub fn detection(&self) -> f64 {
        self.detection
    }

    /// The bad events beyond the champion's that are expected over the whole ramp.
    #[must_use]
    pub fn expected_excess(&self) -> f64 {
        self.excess
    }
}

/// Looks for shares for one metric.
struct Search<'a> {
    metric: &'a MetricSpec,
    baseline: Baseline,
    rate: f64,
    needed: f64,
    settings: &'a RampSettings,
}

impl<'a> Search<'a> {
    fn new(
        spec: &'a JudgeSpec,
        name: &str,
        baseline: &Baseline,
        settings: &'a RampSettings,
    ) -> Result<Self, CanaryError> {
        settings.check()?;
        let refuse = |reason: &str| CanaryError::Specification {
            part: format!("metric `{name}`"),
            reason: reason.to_owned(),
        };
        let metric = spec.metrics().iter().find(|metric| metric.name() == name);
        let metric = metric.ok_or_else(|| refuse("is not in the specification; add it there"))?;
        if matches!(
            metric.kind(),
            MetricKind::Mean { .. } | MetricKind::Paired(_)
        ) {
            return Err(refuse("does not count events; ramp by one that does"));
        }
        let baseline = Baseline::of(metric, Some(baseline))?;
        let Baseline::Rate(rate) = baseline else {
            return Err(refuse("does not count events; ramp by one that does"));
        };
        let needed = alarm_needs(spec, metric).ok_or_else(|| {
            refuse("is only watched, so its harm is never acted on; make it an alarm")
        })?;
        Ok(Self {
            metric,
            baseline,
            rate: rate.get(),
            needed,
            settings,
        })
    }

    /// The largest share of the ladder, from `least` on, that finds the candidate and whose excess, if it gets there, fits.
    fn largest(
        &self,
        requests: f64,
        gets_there: f64,
        budget: f64,
        least: Share,
    ) -> Option<ChosenShare> {
        let most = self.settings.largest_share.ratio();
        let mut share = most;
        while share >= SMALLEST_SHARE {
            let place = Share::from_ratio(share)
                .ok()
                .filter(|place| *place >= least)?;
            let chosen = self.at(place, requests);
            if chosen.detection >= self.settings.detection.get()
                && gets_there * chosen.excess <= budget
            {
                return Some(chosen);
            }
            share /= STEP;
        }
        None
    }

    fn at(&self, share: Share, requests: f64) -> ChosenShare {
        let question = Question {
            metric: self.metric,
            baseline: &self.baseline,
            share,
        };
        let found: Passages = question
            .harm(self.settings.effect, self.needed)
            .passages_within(requests);
        let worse = (self.settings.effect - 1.0) * self.rate;
        // Of good events, those that are lost: the candidate has 1 / effect of them.
        let a_request = if self.metric.direction().harm_sign() > 0.0 {
            worse
        } else {
            worse / self.settings.effect
        };
        ChosenShare {
            share,
            excess: share.ratio() * a_request * found.mean_until(requests),
            detection: found.probability_within(requests).clamp(0.0, 1.0),
        }
    }
}

fn requests_of(traffic: &Traffic, minutes: f64) -> Result<f64, CanaryError> {
    if minutes > 0.0 && minutes.is_finite() {
        return Ok(traffic.requests_in(minutes));
    }
    Err(CanaryError::Setting {
        name: "minutes",
        value: minutes,
        allowed: "that is finite and above 0",
    })
}

fn half() -> Probability {
    Probability::new(0.5).unwrap_or(Probability::ONE)
}

fn half_share() -> Share {
    Share::from_ppm(500_000).unwrap_or(Share::FULL)
}

/// One ten-thousandth: below it, hardly any stage sees enough.
const SMALLEST_SHARE: f64 = 1e-4;
/// 2 to the power of 1/12.
const STEP: f64 = 1.059_463_094_359_295_3;
