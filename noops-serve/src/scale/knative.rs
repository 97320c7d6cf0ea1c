//! Knative's pod autoscaler, without its activator.

use noops_core::{Error, ErrorKind, Timestamp};

use super::peak::Peak;
use super::window::Window;

/// What Knative's autoscaler is tuned with, under its own names and with its defaults.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct KnativeSettings {
    target: f64,
    utilisation: f64,
    stable_window: u32,
    panic_window_share: f64,
    panic_threshold: f64,
    max_scale_up_rate: f64,
    max_scale_down_rate: f64,
    scale_to_zero_grace: u32,
    scale_down_delay: u32,
}

impl Default for KnativeSettings {
    /// 100 requests at once a replica at 70 %; 60 s stable, 6 s panic at 200 %; up 1000-fold, down by half; 30 s of grace.
    fn default() -> Self {
        Self {
            target: 100.0,
            utilisation: 0.7,
            stable_window: 60,
            panic_window_share: 0.1,
            panic_threshold: 2.0,
            max_scale_up_rate: 1000.0,
            max_scale_down_rate: 2.0,
            scale_to_zero_grace: 30,
            scale_down_delay: 0,
        }
    }
}

impl KnativeSettings {
    /// How many requests a replica should work on at once (`container-concurrency-target-default`).
    #[must_use]
    pub fn with_target(mut self, concurrency: f64) -> Self {
        self.target = concurrency;
        self
    }

    /// How much of the target to plan for, above 0 to 1 (`container-concurrency-target-percentage`).
    #[must_use]
    pub fn with_utilisation(mut self, share: f64) -> Self {
        self.utilisation = share;
        self
    }

    /// Over how many seconds a calm load is averaged (`stable-window`).
    #[must_use]
    pub fn with_stable_window(mut self, seconds: u32) -> Self {
        self.stable_window = seconds;
        self
    }

    /// The panic window as a share of the stable one, above 0 to 1 (`panic-window-percentage`).
    #[must_use]
    pub fn with_panic_window_share(mut self, share: f64) -> Self {
        self.panic_window_share = share;
        self
    }

    /// By what factor the panic window must exceed what is ready, above 1 (`panic-threshold-percentage`).
    #[must_use]
    pub fn with_panic_threshold(mut self, factor: f64) -> Self {
        self.panic_threshold = factor;
        self
    }

    /// The largest factor of one step up, above 1 (`max-scale-up-rate`).
    #[must_use]
    pub fn with_max_scale_up_rate(mut self, factor: f64) -> Self {
        self.max_scale_up_rate = factor;
        self
    }

    /// The largest divisor of one step down, above 1 (`max-scale-down-rate`).
    #[must_use]
    pub fn with_max_scale_down_rate(mut self, divisor: f64) -> Self {
        self.max_scale_down_rate = divisor;
        self
    }

    /// For how many seconds the last replica outlives the last request (`scale-to-zero-grace-period`).
    #[must_use]
    pub fn with_scale_to_zero_grace(mut self, seconds: u32) -> Self {
        self.scale_to_zero_grace = seconds;
        self
    }

    /// For how many seconds a lower recommendation must have held (`scale-down-delay`).
    #[must_use]
    pub fn with_scale_down_delay(mut self, seconds: u32) -> Self {
        self.scale_down_delay = seconds;
        self
    }

    fn check(&self) -> Result<(), Error> {
        let share = |share: f64| share > 0.0 && share <= 1.0;
        let rate = |rate: f64| rate.is_finite() && rate > 1.0;
        let rules = [
            (
                "target",
                self.target,
                self.target.is_finite() && self.target > 0.0,
            ),
            ("utilisation", self.utilisation, share(self.utilisation)),
            (
                "panic window share",
                self.panic_window_share,
                share(self.panic_window_share),
            ),
            (
                "panic threshold",
                self.panic_threshold,
                rate(self.panic_threshold),
            ),
            (
                "max scale up rate",
                self.max_scale_up_rate,
                rate(self.max_scale_up_rate),
            ),
            (
                "max scale down rate",
                self.max_scale_down_rate,
                rate(self.max_scale_down_rate),
            ),
            (
                "stable window",
                f64::from(self.stable_window),
                (1..=3600).contains(&self.stable_window),
            ),
        ];
        match rules.into_iter().find(|(_, _, kept)| !kept) {
            None => Ok(()),
            Some((name, value, _)) => Err(Error::new(
                ErrorKind::Invalid,
                "build an autoscaler",
                format!("the {name} is out of range"),
            )
            .with("value", value)),
        }
    }

    fn panic_window(&self) -> u32 {
        // The stable window is at most an hour.
        ((f64::from(self.stable_window) * self.panic_window_share).round() as u32).max(1)
    }
}

/// Knative's formula for concurrency: the load over the target of a replica, rounded up, averaged over a calm window, and over a
/// short one when the load jumps.
///
/// With `d = ⌈mean concurrency / (target × utilisation)⌉` for either window and r replicas ready (at least 1), both are bounded to
/// `⌊r / max-scale-down-rate⌋ ..= ⌈r × max-scale-up-rate⌉`. Once `d(panic) / r` reaches the threshold, the larger of both holds and
/// nothing is taken away until a whole stable window has passed without it. The source is
/// `pkg/autoscaler/scaling/autoscaler.go` of Knative Serving.
///
/// There is no activator: what waits while nothing is ready has to be in the concurrency that is observed.
///
/// # Examples
///
/// ```
/// use noops_core::Timestamp;
/// use noops_serve::scale::{KnativeScaler, KnativeSettings};
///
/// let mut scaler = KnativeScaler::new(KnativeSettings::default().with_target(10.0))?;
/// let at = |second| Timestamp::from_second(second);
/// for second in 0..60 {
///     scaler.observe(at(second)?, 21.0);
/// }
/// assert_eq!(scaler.recommend(at(59)?, 3).unwrap().replicas(), 3, "21 over 7");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct KnativeScaler {
    settings: KnativeSettings,
    window: Window,
    /// When the threshold was last exceeded, and the most that was wanted since it was first.
    panic: Option<Panic>,
    zero_since: Option<Timestamp>,
    delay: Peak,
}

#[derive(Clone, Copy, Debug, PartialEq)]
struct Panic {
    last: Timestamp,
    most: u32,
}

impl KnativeScaler {
    /// A scaler that has seen nothing.
    ///
    /// # Errors
    ///
    /// Refuses settings outside the ranges that they name, and a stable window of none or of more than an hour.
    pub fn new(settings: KnativeSettings) -> Result<Self, Error> {
        settings.check()?;
        Ok(Self {
            window: Window::new(settings.stable_window),
            delay: Peak::new(settings.scale_down_delay),
            panic: None,
            zero_since: None,
            settings,
        })
    }

    /// Takes a sample of how many requests are in the system, waiting ones included. Sample at least once a second; what is
    /// negative or not finite is left out.
    pub fn observe(&mut self, now: Timestamp, concurrency: f64) {
        self.window.record(now, concurrency);
    }

    /// How many replicas a load would take at once, without windows or rates: what capacity for it means.
    #[must_use]
    pub fn needed(&self, concurrency: f64) -> u32 {
        // Casts from floating point saturate, and NaN is none.
        (concurrency / self.target()).ceil() as u32
    }

    /// The recommendation while `ready` replicas are; `None` without a sample in the panic window, when nothing should be
    /// changed.
    pub fn recommend(&mut self, now: Timestamp, ready: u32) -> Option<KnativeRecommendation> {
        let stable = self.window.mean(now, self.settings.stable_window)?;
        let panic = self.window.mean(now, self.settings.panic_window())?;
        let ready = f64::from(ready.max(1));
        let most = (ready * self.settings.max_scale_up_rate).ceil();
        let least = (ready / self.settings.max_scale_down_rate).floor();
        let bounded = |mean: f64| (mean / self.target()).ceil().max(least).min(most) as u32;
        let over = (panic / self.target()).ceil() / ready >= self.settings.panic_threshold;
        let wanted = self.under_panic(now, over, bounded(stable), bounded(panic));
        let delayed = self.delay.record(now, wanted);
        Some(KnativeRecommendation {
            replicas: self.after_grace(now, delayed),
            stable,
            panic,
            mode: match self.panic {
                Some(_) => Mode::Panic,
                None => Mode::Stable,
            },
        })
    }

    fn target(&self) -> f64 {
        self.settings.target * self.settings.utilisation
    }

    fn under_panic(&mut self, now: Timestamp, over: bool, stable: u32, panic: u32) -> u32 {
        let window = i64::from(self.settings.stable_window);
        let calm = |panic: &Panic| now.as_second().saturating_sub(panic.last.as_second()) > window;
        match &mut self.panic {
            Some(panic) if over => panic.last = now.max(panic.last),
            Some(panic) if calm(panic) => self.panic = None,
            None if over => self.panic = Some(Panic { last: now, most: 0 }),
            _ => {}
        }
        match &mut self.panic {
            // The stable mean may be the larger one behind a peak.
            Some(state) => {
                state.most = state.most.max(stable).max(panic);
                state.most
            }
            None => stable,
        }
    }

    fn after_grace(&mut self, now: Timestamp, wanted: u32) -> u32 {
        if wanted > 0 {
            self.zero_since = None;
            return wanted;
        }
        let since = *self.zero_since.get_or_insert(now);
        let waited = now.as_second().saturating_sub(since.as_second());
        u32::from(waited < i64::from(self.settings.scale_to_zero_grace))
    }
}

/// What Knative's formula asks for.
#[derive(Clone, Copy, Debug, PartialEq)]
#[must_use]
pub struct KnativeRecommendation {
    replicas: u32,
    stable: f64,
    panic: f64,
    mode: Mode,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Mode {
    Stable,
    Panic,
}

impl KnativeRecommendation {
    /// How many replicas.
    #[must_use]
    pub fn replicas(&self) -> u32 {
        self.replicas
    }

    /// The mean concurrency over the stable window.
    #[must_use]
    pub fn stable_concurrency(&self) -> f64 {
        self.stable
    }

    /// The mean concurrency over the panic window.
    #[must_use]
    pub fn panic_concurrency(&self) -> f64 {
        self.panic
    }

    /// Whether the load jumped within the last stable window, so that nothing is taken away.
    #[must_use]
    pub fn is_panicking(&self) -> bool {
        self.mode == Mode::Panic
    }
}

#[cfg(test)]
mod tests;
