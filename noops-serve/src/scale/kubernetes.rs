//! Kubernetes' horizontal pod autoscaler.

mod rules;

use std::collections::VecDeque;

use noops_core::{Error, ErrorKind, Timestamp};

pub use self::rules::{ScalingPolicy, ScalingRules, SelectPolicy};

/// What the horizontal pod autoscaler is tuned with, with its defaults.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct KubernetesSettings {
    tolerance: f64,
    up: ScalingRules,
    down: ScalingRules,
}

impl Default for KubernetesSettings {
    /// A tolerance of a tenth; up without delay by the larger of double and four in 15 s; down as far as the last 300 s allow.
    fn default() -> Self {
        Self {
            tolerance: 0.1,
            up: ScalingRules::up(),
            down: ScalingRules::down(),
        }
    }
}

impl KubernetesSettings {
    /// How far the metric may be from its target, as a share of it, before anything is changed.
    #[must_use]
    pub fn with_tolerance(mut self, tolerance: f64) -> Self {
        self.tolerance = tolerance;
        self
    }

    /// How to scale up.
    #[must_use]
    pub fn with_scale_up(mut self, rules: ScalingRules) -> Self {
        self.up = rules;
        self
    }

    /// How to scale down.
    #[must_use]
    pub fn with_scale_down(mut self, rules: ScalingRules) -> Self {
        self.down = rules;
        self
    }
}

/// The formula of the horizontal pod autoscaler, `⌈current × metric / target⌉`, with its tolerance, stabilisation windows and
/// scaling policies. Of several metrics, take the largest [`desired`](Self::desired).
///
/// The source is the Kubernetes documentation of horizontal pod autoscaling and `pkg/controller/podautoscaler`. Replicas that are
/// not ready or report no metric are not corrected for: give the mean over the replicas that are counted as current.
///
/// # Examples
///
/// ```
/// use noops_serve::scale::{KubernetesScaler, KubernetesSettings};
///
/// let scaler = KubernetesScaler::new(KubernetesSettings::default())?;
/// assert_eq!(scaler.desired(2, 200.0, 100.0), 4, "200m where 100m is wanted doubles the replicas");
/// assert_eq!(scaler.desired(2, 50.0, 100.0), 1, "50m halves them");
/// # Ok::<(), noops_core::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct KubernetesScaler {
    settings: KubernetesSettings,
    /// What was desired in the longer of the two windows.
    desired: VecDeque<(i64, u32)>,
    /// By how much the number was changed in the longest period of a policy, by time.
    changes: VecDeque<(i64, i64)>,
}

impl KubernetesScaler {
    /// A scaler that has decided nothing.
    ///
    /// # Errors
    ///
    /// Refuses a tolerance that is negative or not finite, a window of more than an hour, and a policy whose period is none or more
    /// than half an hour, as Kubernetes does.
    pub fn new(settings: KubernetesSettings) -> Result<Self, Error> {
        let refuse = |message: &str| Error::new(ErrorKind::Invalid, "build an autoscaler", message);
        if !(settings.tolerance.is_finite() && settings.tolerance >= 0.0) {
            return Err(
                refuse("the tolerance is not a share").with("tolerance", settings.tolerance)
            );
        }
        for rules in [&settings.up, &settings.down] {
            if rules.window() > 3600 {
                return Err(refuse("the stabilisation window is above an hour")
                    .with("seconds", rules.window()));
            }
            let wrong = rules.policies().iter().map(ScalingPolicy::period);
            if let Some(seconds) = wrong
                .into_iter()
                .find(|seconds| !(1..=1800).contains(seconds))
            {
                return Err(refuse("the period of a policy is not within half an hour")
                    .with("seconds", seconds));
            }
        }
        Ok(Self {
            settings,
            desired: VecDeque::new(),
            changes: VecDeque::new(),
        })
    }

    /// The formula alone: how many replicas bring a metric of `metric` a replica to `target`. As many as there are within the
    /// tolerance, and where the metric is no number or the target not above zero.
    #[must_use]
    pub fn desired(&self, current: u32, metric: f64, target: f64) -> u32 {
        let ratio = metric / target;
        // Ten per cent of tolerance has to hold 1.1 itself, which division may miss by a rounding.
        let near = (ratio - 1.0).abs() <= self.settings.tolerance + 4.0 * f64::EPSILON;
        if !(metric.is_finite() && metric >= 0.0 && target.is_finite() && target > 0.0) || near {
            return current;
        }
        // Casts from floating point saturate. What is a whole number but for rounding is that number.
        let exact = f64::from(current) * ratio;
        (exact * (1.0 - 4.0 * f64::EPSILON)).ceil() as u32
    }

    /// Takes what is desired now and gives what to change to: held back by the windows, then bounded by the policies. The caller
    /// is taken to follow.
    pub fn recommend(&mut self, now: Timestamp, current: u32, desired: u32) -> u32 {
        let second = now.as_second();
        self.forget_changes(second);
        let (up, down) = (&self.settings.up, &self.settings.down);
        self.desired.push_back((second, desired));
        let longest = i64::from(up.window().max(down.window()));
        let end = second.saturating_sub(longest);
        while self.desired.front().is_some_and(|first| first.0 < end) {
            self.desired.pop_front();
        }
        let within = |window: u32| {
            let end = second.saturating_sub(i64::from(window));
            let recent = self.desired.iter().filter(move |(at, _)| *at >= end);
            recent.map(|(_, desired)| *desired)
        };
        let least_up = within(up.window()).min().unwrap_or(desired);
        let most_down = within(down.window()).max().unwrap_or(desired);
        // Up as far as was wanted all the time, else down as far as was never exceeded.
        let settled = if current < least_up {
            least_up
        } else {
            current.min(most_down)
        };
        let next = settled.clamp(
            down.floor(current, second, &self.changes),
            up.ceiling(current, second, &self.changes),
        );
        if next != current {
            let change = i64::from(next) - i64::from(current);
            self.changes.push_back((second, change));
        }
        next
    }

    /// Leaves out changes that are older than the longest period.
    fn forget_changes(&mut self, second: i64) {
        let policies = self.settings.up.policies().iter();
        let policies = policies.chain(self.settings.down.policies());
        let longest = policies.map(ScalingPolicy::period).max().unwrap_or(0);
        let end = second.saturating_sub(i64::from(longest));
        while self.changes.front().is_some_and(|first| first.0 <= end) {
            self.changes.pop_front();
        }
    }
}

#[cfg(test)]
mod tests;
