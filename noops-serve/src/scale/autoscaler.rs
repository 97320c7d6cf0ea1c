//! From a load to a number of replicas.

use noops_core::{Error, ErrorKind, Timestamp};

use super::activation::Activations;
use super::peak::Peak;
use super::window::Window;
use super::{CostCap, KnativeScaler, KubernetesScaler, ScaleDecision, ScaleLimits, ScaleReason};

/// The formula that an [`Autoscaler`] follows.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Recommender {
    /// Knative's.
    Knative(KnativeScaler),
    /// Kubernetes', fed with the mean concurrency a replica over the last 15 s.
    Kubernetes {
        /// The formula.
        scaler: KubernetesScaler,
        /// How many requests a replica should work on at once.
        target: f64,
    },
}

/// Decides how many replicas a model should have: a formula's recommendation, held for a while before anything is taken away, within
/// bounds of number, memory and money.
///
/// Call [`observe`](Self::observe) at least once a second and [`decide`](Self::decide) every few seconds, from one place.
///
/// # Examples
///
/// ```
/// use noops_core::Timestamp;
/// use noops_serve::scale::{Autoscaler, KnativeScaler, KnativeSettings, Recommender, ScaleLimits, ScaleReason};
///
/// let formula = KnativeScaler::new(KnativeSettings::default().with_target(10.0))?;
/// let limits = ScaleLimits::default().with_maximum(8).with_warm(1);
/// let mut scaler = Autoscaler::new(Recommender::Knative(formula), limits)?;
/// let now = Timestamp::UNIX_EPOCH;
/// scaler.observe(now, 35.0);
/// let decision = scaler.decide(now, 1);
/// assert_eq!((decision.replicas(), decision.warm(), decision.because()), (5, 1, ScaleReason::Panic));
/// scaler.observe(now, 1000.0);
/// assert_eq!(scaler.decide(now, 5).to_string(), "8 replicas and 0 warm: the load needs more than the maximum");
/// # Ok::<(), noops_core::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Autoscaler {
    recommender: Recommender,
    limits: ScaleLimits,
    settled: Peak,
    /// What the samples of the settling time needed, which no average smooths.
    used: Peak,
    /// The last 15 s, for Kubernetes' formula.
    recent: Window,
    last: Option<(Timestamp, ScaleDecision)>,
    needed: u32,
    activations: Activations,
}

impl Autoscaler {
    /// An autoscaler that has seen nothing.
    ///
    /// # Errors
    ///
    /// Refuses a minimum above the maximum, one that does not fit into the memory, and a target that is not above zero.
    pub fn new(recommender: Recommender, limits: ScaleLimits) -> Result<Self, Error> {
        limits.check()?;
        if let Recommender::Kubernetes { target, .. } = &recommender
            && !(target.is_finite() && *target > 0.0)
        {
            let message = "the target must be above zero";
            return Err(
                Error::new(ErrorKind::Invalid, "build an autoscaler", message)
                    .with("target", target),
            );
        }
        Ok(Self {
            recommender,
            settled: Peak::new(limits.settle),
            used: Peak::new(limits.settle),
            recent: Window::new(RECENT),
            last: None,
            needed: 0,
            activations: Activations::default(),
            limits,
        })
    }

    /// Takes a sample of how many requests are in the system, running and waiting. What is negative or not
    /// finite is left out.
    pub fn observe(&mut self, now: Timestamp, concurrency: f64) {
        if !(concurrency.is_finite() && concurrency >= 0.0) {
            return;
        }
        match &mut self.recommender {
            Recommender::Knative(scaler) => {
                scaler.observe(now, concurrency);
                self.needed = scaler.needed(concurrency);
            }
            Recommender::Kubernetes { target, .. } => {
                self.recent.record(now, concurrency);
                self.needed = (concurrency / *target).ceil() as u32;
            }
        }
        self.used.record(now, self.needed);
    }

    /// Decides, while `ready` replicas serve. The replicas of a decision, warm ones too, are taken to cost from then on.
    pub fn decide(&mut self, now: Timestamp, ready: u32) -> ScaleDecision {
        self.pay(now);
        let (wanted, mut because) = self.recommended(now, ready);
        // Kept, and never added: what some sample of the settling time would have used.
        let used = self.used.record(now, 0);
        let kept = self.last.map_or(0, |(_, last)| last.replicas.min(used));
        let held = self.settled.record(now, wanted).max(kept);
        if held > wanted {
            because = ScaleReason::Settling;
        }
        let memory = self.limits.memory_fits();
        let affordable = self
            .limits
            .cost
            .as_ref()
            .map_or(u32::MAX, |cap| cap.affordable(now));
        let mut replicas = held;
        let ceilings = [
            (self.limits.maximum, ScaleReason::Maximum),
            (affordable, ScaleReason::Cost),
            (memory, ScaleReason::Memory),
        ];
        for (ceiling, reason) in ceilings {
            if replicas > ceiling {
                (replicas, because) = (ceiling, reason);
            }
        }
        if replicas < self.limits.minimum {
            replicas = self.limits.minimum;
            because = if affordable < replicas {
                ScaleReason::MinimumOverBudget
            } else {
                ScaleReason::Minimum
            };
        }
        let room = self.limits.maximum.min(affordable).min(memory);
        let provisioned = self.limits.provisioned.saturating_sub(replicas);
        let decision = ScaleDecision {
            replicas,
            warm: (self.limits.warm.max(provisioned)).min(room.saturating_sub(replicas)),
            because,
        };
        let reachable = room.max(self.limits.minimum);
        self.activations
            .update(now, self.needed.min(reachable), ready);
        // Time that went backwards must not be paid for again.
        let paid = self.last.map_or(now, |(then, _)| then.max(now));
        self.last = Some((paid, decision));
        decision
    }

    /// Gives a budget for another period, in place of what is left of the last.
    pub fn fund(&mut self, cap: CostCap) {
        self.limits.cost = Some(cap);
    }

    /// The budget, if there is one.
    #[must_use]
    pub fn cost_cap(&self) -> Option<&CostCap> {
        self.limits.cost.as_ref()
    }

    /// How long capacity took to come so far.
    #[must_use]
    pub fn activations(&self) -> &Activations {
        &self.activations
    }

    fn recommended(&mut self, now: Timestamp, ready: u32) -> (u32, ScaleReason) {
        let last = self.last.map_or(ready, |(_, decision)| decision.replicas);
        let found = match &mut self.recommender {
            Recommender::Knative(scaler) => scaler.recommend(now, ready).map(|found| {
                let because = if found.is_panicking() {
                    ScaleReason::Panic
                } else {
                    ScaleReason::Load
                };
                (found.replicas(), because)
            }),
            Recommender::Kubernetes { scaler, target } => {
                self.recent.mean(now, RECENT).map(|load| {
                    // From none, the formula would never rise.
                    let current = last.max(1);
                    let desired = scaler.desired(current, load / f64::from(current), *target);
                    (scaler.recommend(now, current, desired), ScaleReason::Load)
                })
            }
        };
        found.unwrap_or((last, ScaleReason::NoMeasurement))
    }

    fn pay(&mut self, now: Timestamp) {
        if let (Some((then, decision)), Some(cap)) = (self.last, &mut self.limits.cost) {
            cap.spend(then, now, decision.replicas.saturating_add(decision.warm));
        }
    }
}

/// Over how many seconds Kubernetes' formula gets its metric, as often as its controller looks.
const RECENT: u32 = 15;

#[cfg(test)]
mod tests;
