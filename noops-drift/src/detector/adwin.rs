mod histogram;

use serde::{Deserialize, Serialize};

use self::histogram::{Histogram, LARGEST_WINDOW};
use super::stored::{Stored, check_setting, require};
use super::{Detector, State, is_usable};
use crate::error::DriftError;

/// ADWIN: an adaptive window that drops its old part when the means of old and new differ.
///
/// The window lives in an exponential histogram: buckets of 1, 2, 4, … values, at most five of each size, so that w values
/// take about 5 log₂(w/5) buckets. It never warns. After an alarm the old values are gone and the new ones stay, so a
/// large change raises several alarms in a row while the cut point moves up.
///
/// # Formula
///
/// Every `clock` values, each border between buckets splits the window of n values and variance σ² into n₀ old and n₁ new
/// ones. The oldest bucket is dropped, and drift is called, while for some border with n₀, n₁ > `min_window` + 1
///
/// |x̄₀ − x̄₁| > √(2 m σ² ln(2 ln n / δ)) + ⅔ m ln(2 ln n / δ), m = 1/(n₀ − w + 1) + 1/(n₁ − w + 1)
///
/// with w = `min_window`. Bifet and Gavaldà, "Learning from time-changing data with adaptive windowing" (2007), in the form
/// of MOA's `ADWIN`, whose alarms these are. River's differ: it never looks at the last bucket of a row.
///
/// # Numerical notes
///
/// δ is no error rate of the stream: the bound assumes values in \[0, 1\], and it is applied at each check anew. Only
/// the mean is watched. Bucket sizes are multiplied as `f64`, where MOA's 32-bit products overflow from windows of about
/// 300,000 values on; after a cut, sums are added up afresh instead of subtracted, so that a dropped huge value leaves no
/// rounding error behind; and means that differ by less than a 10^−12th of their size, which is rounding, are no cut. A
/// window has fewer than 5 · 2^30 values, some five thousand million: at that many the oldest 2^29 are dropped without an
/// alarm, and so on every 2^29 values.
///
/// # Complexity
///
/// O(1) amortised per value and O(log w) per check.
///
/// # Examples
///
/// ```
/// use noops_drift::detector::{Adwin, AdwinSettings, Detector};
///
/// # fn main() -> Result<(), noops_drift::DriftError> {
/// let mut detector = Adwin::new(AdwinSettings::default())?;
/// assert!((0..2_000).all(|row| !detector.update(f64::from(row % 2)).is_drift()));
/// assert_eq!(detector.width(), 2_000);
/// assert!((0..200).any(|_| detector.update(1.0).is_drift()));
/// assert!(detector.width() < 2_200);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Stored<AdwinSettings, Track>")]
pub struct Adwin {
    settings: AdwinSettings,
    track: Track,
    ignored: u64,
}

impl Adwin {
    /// Starts with an empty window.
    ///
    /// # Errors
    ///
    /// [`DriftError::InvalidSetting`] unless delta is above 0 and below 1, and clock and the smallest window are at least 1
    /// and at most 2^31.
    pub fn new(settings: AdwinSettings) -> Result<Self, DriftError> {
        settings.validate()?;
        Ok(Self {
            settings,
            track: Track::default(),
            ignored: 0,
        })
    }

    /// How many values the window has.
    #[must_use]
    pub fn width(&self) -> u64 {
        self.track.window.width()
    }

    /// The mean of the window, 0 while it is empty.
    #[must_use]
    pub fn mean(&self) -> f64 {
        self.track.window.mean()
    }

    /// The variance of the window (with divisor n), 0 while it is empty.
    #[must_use]
    pub fn variance(&self) -> f64 {
        self.track.window.variance()
    }

    /// The settings.
    #[must_use]
    pub fn settings(&self) -> &AdwinSettings {
        &self.settings
    }

    #[cold]
    #[inline(never)]
    fn check(&mut self) -> State {
        let mut state = State::Stable;
        let grace = self.settings.grace;
        let least = self.settings.min_window;
        while self.track.window.width() > grace
            && self.track.window.has_cut(self.settings.delta, least)
        {
            state = State::Drift;
            self.track.window.drop_oldest();
        }
        state
    }
}

/// The settings of [`Adwin`]; the defaults are MOA's.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct AdwinSettings {
    delta: f64,
    clock: u64,
    min_window: u64,
    grace: u64,
}

impl AdwinSettings {
    /// Sets the confidence δ; 0.002 unless set. Smaller is slower and quieter.
    #[must_use]
    pub fn with_delta(mut self, delta: f64) -> Self {
        self.delta = delta;
        self
    }

    /// Sets after how many values the window is checked; 32 unless set.
    #[must_use]
    pub fn with_clock(mut self, clock: u64) -> Self {
        self.clock = clock;
        self
    }

    /// Sets the number of values that both sides of a cut must exceed by more than one; 5 unless set.
    #[must_use]
    pub fn with_min_window(mut self, min_window: u64) -> Self {
        self.min_window = min_window;
        self
    }

    /// Sets the window up to which nothing is checked; 10 unless set.
    #[must_use]
    pub fn with_grace(mut self, grace: u64) -> Self {
        self.grace = grace;
        self
    }

    /// The confidence δ.
    #[must_use]
    pub fn delta(&self) -> f64 {
        self.delta
    }

    /// After how many values the window is checked.
    #[must_use]
    pub fn clock(&self) -> u64 {
        self.clock
    }

    /// The number of values that both sides of a cut must exceed by more than one.
    #[must_use]
    pub fn min_window(&self) -> u64 {
        self.min_window
    }

    /// The window up to which nothing is checked.
    #[must_use]
    pub fn grace(&self) -> u64 {
        self.grace
    }

    fn validate(&self) -> Result<(), DriftError> {
        check_setting(
            "delta",
            self.delta,
            f64::MIN_POSITIVE,
            LARGEST_DELTA,
            "a number above 0 and below 1",
        )?;
        let most = LARGEST_WINDOW as f64;
        check_setting("clock", self.clock as f64, 1.0, most, WHOLE)?;
        check_setting("min_window", self.min_window as f64, 1.0, most, WHOLE)
    }
}

impl Default for AdwinSettings {
    fn default() -> Self {
        Self {
            delta: 0.002,
            clock: 32,
            min_window: 5,
            grace: 10,
        }
    }
}

impl Detector for Adwin {
    #[inline]
    fn update(&mut self, value: f64) -> State {
        if !is_usable(value) {
            self.ignored = self.ignored.saturating_add(1);
            return State::Stable;
        }
        self.track.window.insert(value);
        self.track.since_check += 1;
        if self.track.since_check < self.settings.clock {
            return State::Stable;
        }
        self.track.since_check = 0;
        self.check()
    }

    fn reset(&mut self) {
        self.track.window.clear();
        self.track.since_check = 0;
        self.ignored = 0;
    }

    fn name(&self) -> &'static str {
        "adwin"
    }

    fn ignored(&self) -> u64 {
        self.ignored
    }
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
struct Track {
    window: Histogram,
    since_check: u64,
}

impl TryFrom<Stored<AdwinSettings, Track>> for Adwin {
    type Error = DriftError;

    fn try_from(stored: Stored<AdwinSettings, Track>) -> Result<Self, DriftError> {
        stored.settings.validate()?;
        stored.track.window.validate()?;
        require(
            "ADWIN state",
            stored.track.since_check < stored.settings.clock,
            "a check is overdue",
        )?;
        Ok(Self {
            settings: stored.settings,
            track: stored.track,
            ignored: stored.ignored,
        })
    }
}

const WHOLE: &str = "a whole number from 1 to 2147483648";

/// The largest number below 1.
const LARGEST_DELTA: f64 = 1.0 - f64::EPSILON / 2.0;
