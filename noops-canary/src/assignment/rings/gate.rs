use noops_core::{Alpha, LogE, Probability};
use noops_stats::special::binomial_sf;
use serde::{Deserialize, Serialize};

use super::RingOutcome;
use crate::assignment::Arm;
use crate::error::CanaryError;
use crate::sequential::RateComparison;

/// How the rates of a ring are bounded.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RingBound {
    /// Valid at every look, as often as wanted.
    #[default]
    Anytime,
    /// Clopper and Pearson's exact bound: sharper, and valid for one look at a number of devices fixed beforehand.
    OneLook,
}

/// What a ring must show before the next one is updated.
///
/// # Formula
///
/// Two rates are judged, failed and timed-out devices over executed ones. The gate opens when both are proven to be below
/// their limits, each at error rate alpha: no correction is needed, since a gate that opens wrongly has made an error on
/// each limit that is broken. It closes when either is proven to be above its limit, each at alpha / 2. The anytime bound is the mixture
/// of [`RateComparison`] over odds beyond those of the limit, which is an e-process for every true rate on the null hypothesis' side
/// of it (Ville's inequality); the bound for one look is the exact binomial tail.
///
/// # Numerical notes
///
/// Devices are taken to fail independently at the same rate. A fleet whose devices share a network or a battery batch violates that and
/// fails in clumps: use rings that cut across such groups.
///
/// # Examples
///
/// ```
/// use noops_canary::{RingDecision, RingGate, RingOutcome};
/// use noops_core::Probability;
///
/// let gate = RingGate::new(Probability::new(0.05)?)?.with_min_executed(50);
/// let mut outcome = RingOutcome::default();
/// assert!(matches!(gate.decide(&outcome), RingDecision::Insufficient { .. }));
/// outcome.add_succeeded(400);
/// outcome.add_offline(100);
/// assert_eq!(gate.decide(&outcome), RingDecision::Advance);
/// outcome.add_failed(200);
/// assert!(matches!(gate.decide(&outcome), RingDecision::Stop { .. }));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "RawRingGate")]
#[non_exhaustive]
pub struct RingGate {
    min_executed: u64,
    max_failed: Probability,
    max_timed_out: Probability,
    alpha: Alpha,
    bound: RingBound,
}

impl RingGate {
    /// A gate that lets at most `max_failed` of the executed devices fail, and as many time out.
    ///
    /// # Errors
    ///
    /// [`CanaryError::Setting`] for 0: that a rate is below zero can never be proven. A limit of 1 switches the criterion off.
    pub fn new(max_failed: Probability) -> Result<Self, CanaryError> {
        refuse_zero("max_failed", max_failed)?;
        Ok(Self {
            min_executed: 1,
            max_failed,
            max_timed_out: max_failed,
            alpha: Alpha::FIVE_PERCENT,
            bound: RingBound::default(),
        })
    }

    /// Sets the limit for devices that time out. Default: the limit for failures.
    ///
    /// # Errors
    ///
    /// [`CanaryError::Setting`] for 0. A limit of 1 switches the criterion off.
    pub fn with_max_timed_out(mut self, max_timed_out: Probability) -> Result<Self, CanaryError> {
        refuse_zero("max_timed_out", max_timed_out)?;
        self.max_timed_out = max_timed_out;
        Ok(self)
    }

    /// Sets the executed devices without which the gate never opens. Default and least: 1.
    #[must_use]
    pub fn with_min_executed(mut self, min_executed: u64) -> Self {
        self.min_executed = min_executed.max(1);
        self
    }

    /// Sets the error rate. Default 5 %.
    #[must_use]
    pub fn with_alpha(mut self, alpha: Alpha) -> Self {
        self.alpha = alpha;
        self
    }

    /// Sets how the rates are bounded. Default: at every look.
    #[must_use]
    pub fn with_bound(mut self, bound: RingBound) -> Self {
        self.bound = bound;
        self
    }

    /// What the outcome so far allows.
    ///
    /// A stop needs no minimum of devices: the evidence counts them. Nothing executed is never a pass.
    #[must_use]
    pub fn decide(&self, outcome: &RingOutcome) -> RingDecision {
        let executed = outcome.executed();
        let criteria = [
            (RingFault::Failed, outcome.failed(), self.max_failed),
            (RingFault::TimedOut, outcome.timed_out(), self.max_timed_out),
        ];
        let half = self.alpha.get() / 2.0;
        for (fault, devices, limit) in criteria {
            if limit.get() < 1.0 && self.tail(Side::Above, devices, executed, limit) <= half {
                return RingDecision::Stop { fault };
            }
        }
        if executed < self.min_executed.max(1) {
            return RingDecision::Insufficient {
                executed,
                needed: self.min_executed.max(1),
            };
        }
        let below = criteria.iter().all(|(_, devices, limit)| {
            limit.get() >= 1.0
                || self.tail(Side::Below, *devices, executed, *limit) <= self.alpha.get()
        });
        if below {
            RingDecision::Advance
        } else {
            RingDecision::Undecided
        }
    }

    /// The executed devices without which the gate never opens.
    #[must_use]
    pub fn min_executed(&self) -> u64 {
        self.min_executed
    }

    /// The limit for failures.
    #[must_use]
    pub fn max_failed(&self) -> Probability {
        self.max_failed
    }

    /// The limit for devices that time out.
    #[must_use]
    pub fn max_timed_out(&self) -> Probability {
        self.max_timed_out
    }

    /// The error rate.
    #[must_use]
    pub fn alpha(&self) -> Alpha {
        self.alpha
    }

    /// How the rates are bounded.
    #[must_use]
    pub fn bound(&self) -> RingBound {
        self.bound
    }

    /// A p-value against the rate being at the limit, small if it lies on `side` of it.
    fn tail(&self, side: Side, devices: u64, executed: u64, limit: Probability) -> f64 {
        let others = executed.saturating_sub(devices);
        match self.bound {
            RingBound::Anytime => {
                let direction = match side {
                    Side::Above => 1.0,
                    Side::Below => -1.0,
                };
                // At equal shares the ratio of the two rates of events is the odds of being one of the devices.
                let mut events = RateComparison::new();
                events.count(Arm::Champion, 0.5, others);
                events.count(Arm::Challenger, 0.5, devices);
                let odds = limit.get() / (1.0 - limit.get());
                libm::exp(-LogE::new(events.log_e(odds, direction, 1.0)).get())
            }
            RingBound::OneLook => match side {
                Side::Above => binomial_sf(devices, executed, limit.get()),
                Side::Below => binomial_sf(others, executed, 1.0 - limit.get()),
            },
        }
    }
}

/// The side of a limit on which a rate is to be proven.
#[derive(Clone, Copy)]
enum Side {
    Above,
    Below,
}

/// What a [`RingGate`] allows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RingDecision {
    /// Too few devices have executed the update to open the gate.
    Insufficient {
        /// Those that have.
        executed: u64,
        /// Those that must.
        needed: u64,
    },
    /// Enough have, but the rates are neither proven to be below the limits nor above one.
    Undecided,
    /// Both rates are proven to be below their limits: update the next ring.
    Advance,
    /// A rate is proven to be above its limit.
    Stop {
        /// Which one.
        fault: RingFault,
    },
}

/// The way in which a device was not updated.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RingFault {
    /// It reported a failure.
    Failed,
    /// It began and did not conclude in time.
    TimedOut,
}

fn refuse_zero(name: &'static str, limit: Probability) -> Result<(), CanaryError> {
    if limit.get() > 0.0 {
        return Ok(());
    }
    Err(CanaryError::Setting {
        name,
        value: limit.get(),
        allowed: "above 0 and at most 1",
    })
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawRingGate {
    min_executed: u64,
    max_failed: Probability,
    max_timed_out: Probability,
    alpha: Alpha,
    bound: RingBound,
}

impl TryFrom<RawRingGate> for RingGate {
    type Error = CanaryError;

    fn try_from(raw: RawRingGate) -> Result<Self, CanaryError> {
        Ok(Self::new(raw.max_failed)?
            .with_max_timed_out(raw.max_timed_out)?
            .with_min_executed(raw.min_executed)
            .with_alpha(raw.alpha)
            .with_bound(raw.bound))
    }
}

#[cfg(test)]
mod tests;
