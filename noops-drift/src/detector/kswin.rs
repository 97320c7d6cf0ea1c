mod law;
mod window;

use serde::{Deserialize, Serialize};

use self::law::least_gap;
use self::window::Window;
use super::stored::{Stored, check_setting, require};
use super::{Detector, State, is_usable};
use crate::error::DriftError;

/// KSWIN: do the most recent values of a sliding window have another distribution than the older ones?
///
/// After an alarm the most recent values stay and the older ones go. It never warns.
///
/// # Formula
///
/// Once the window of n values is full, drift when the Kolmogorov–Smirnov distance between its last r and its first n − r
/// values has an exact two-sided p-value of at most alpha, and is above 0.1. Raab, Heusinger and Schleif, "Reactive soft
/// prototype computing for concept drift streams" (2020).
///
/// Two things differ from the implementations in scikit-multiflow and River. They draw r of the n − r older values at
/// random for every test; here all of them are used, which is deterministic and sees more. And the p-value is not computed
/// anew: alpha fixes the smallest distance that counts, once, from the exact law.
///
/// # Numerical notes
///
/// Alpha holds for one test of independent continuous values (with ties the test is conservative), and the stream is
/// tested at every value: at the default alpha of 0.005 a stream without drift is called drifted every thousand values
/// or so.
///
/// # Complexity
///
/// O(n) per value, in integers, over arrays that are made once; construction takes O(r (n − r) log n).
///
/// # Examples
///
/// ```
/// use noops_drift::detector::{Detector, Kswin, KswinSettings};
///
/// # fn main() -> Result<(), noops_drift::DriftError> {
/// let mut detector = Kswin::new(KswinSettings::default())?;
/// let wave = |row: u32| f64::from(row * 37 % 101);
/// assert!((0..500).all(|row| !detector.update(wave(row)).is_drift()));
/// // The mean stays, the spread goes: detectors of the mean are blind to it.
/// assert!((0..100).any(|row| detector.update(50.0 + wave(row) / 1_000.0).is_drift()));
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(
    try_from = "Stored<KswinSettings, Vec<f64>>",
    into = "Stored<KswinSettings, Vec<f64>>"
)]
pub struct Kswin {
    settings: KswinSettings,
    window: Window,
    /// The smallest distance that is drift, in units of 1 / (r (n − r)).
    least_gap: u64,
    ignored: u64,
}

impl Kswin {
    /// Starts with an empty window.
    ///
    /// # Errors
    ///
    /// [`DriftError::InvalidSetting`] unless the window is from 2 to 1,000, the recent part at least 1 and smaller than the
    /// window, and alpha above 0, at most 1 and within reach of parts of these sizes.
    pub fn new(settings: KswinSettings) -> Result<Self, DriftError> {
        settings.validate()?;
        let older = settings.window - settings.recent;
        let Some(least_gap) = least_gap(settings.recent, older, settings.alpha) else {
            return Err(DriftError::InvalidSetting {
                setting: "alpha",
                value: settings.alpha,
                allowed: "an alpha that a test of so few values can reach, or larger windows",
            });
        };
        Ok(Self {
            window: Window::new(settings.window, settings.recent),
            settings,
            least_gap,
            ignored: 0,
        })
    }

    /// The smallest Kolmogorov–Smirnov distance that is called drift.
    #[must_use]
    pub fn critical_distance(&self) -> f64 {
        let older = self.settings.window.saturating_sub(self.settings.recent);
        self.least_gap as f64 / (self.settings.recent.max(1) * older.max(1)) as f64
    }

    /// The settings.
    #[must_use]
    pub fn settings(&self) -> &KswinSettings {
        &self.settings
    }
}

/// The settings of [`Kswin`]; the defaults are those of the reference implementations.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct KswinSettings {
    alpha: f64,
    window: usize,
    recent: usize,
}

impl KswinSettings {
    /// Sets the error rate of one test; 0.005 unless set.
    #[must_use]
    pub fn with_alpha(mut self, alpha: f64) -> Self {
        self.alpha = alpha;
        self
    }

    /// Sets how many values the window has; 100 unless set.
    #[must_use]
    pub fn with_window(mut self, window: usize) -> Self {
        self.window = window;
        self
    }

    /// Sets how many of them are recent; 30 unless set.
    #[must_use]
    pub fn with_recent(mut self, recent: usize) -> Self {
        self.recent = recent;
        self
    }

    /// The error rate of one test.
    #[must_use]
    pub fn alpha(&self) -> f64 {
        self.alpha
    }

    /// How many values the window has.
    #[must_use]
    pub fn window(&self) -> usize {
        self.window
    }

    /// How many of them are recent.
    #[must_use]
    pub fn recent(&self) -> usize {
        self.recent
    }

    fn validate(&self) -> Result<(), DriftError> {
        check_setting(
            "alpha",
            self.alpha,
            f64::MIN_POSITIVE,
            1.0,
            "a number above 0 and at most 1",
        )?;
        check_setting(
            "window",
            self.window as f64,
            2.0,
            LARGEST_WINDOW,
            "a whole number from 2 to 1000",
        )?;
        check_setting(
            "recent",
            self.recent as f64,
            1.0,
            self.window as f64 - 1.0,
            "a whole number from 1 to less than the window",
        )
    }
}

impl Default for KswinSettings {
    fn default() -> Self {
        Self {
            alpha: 0.005,
            window: 100,
            recent: 30,
        }
    }
}

impl Detector for Kswin {
    fn update(&mut self, value: f64) -> State {
        if !is_usable(value) {
            self.ignored = self.ignored.saturating_add(1);
            return State::Stable;
        }
        self.window.push(value);
        let Some(gap) = self.window.gap() else {
            return State::Stable;
        };
        let whole = self.settings.recent * (self.settings.window - self.settings.recent);
        if gap >= self.least_gap && gap as f64 > LEAST_DISTANCE * whole as f64 {
            self.window.keep_recent();
            return State::Drift;
        }
        State::Stable
    }

    fn reset(&mut self) {
        self.window.clear();
        self.ignored = 0;
    }

    fn name(&self) -> &'static str {
        "kswin"
    }

    fn ignored(&self) -> u64 {
        self.ignored
    }
}

impl From<Kswin> for Stored<KswinSettings, Vec<f64>> {
    fn from(detector: Kswin) -> Self {
        Self {
            track: detector.window.values().collect(),
            settings: detector.settings,
            ignored: detector.ignored,
        }
    }
}

impl TryFrom<Stored<KswinSettings, Vec<f64>>> for Kswin {
    type Error = DriftError;

    fn try_from(stored: Stored<KswinSettings, Vec<f64>>) -> Result<Self, DriftError> {
        let mut detector = Self::new(stored.settings)?;
        require(
            STATE,
            stored.track.len() <= detector.settings.window,
            "it has more values than its window",
        )?;
        require(
            STATE,
            stored.track.iter().all(|value| is_usable(*value)),
            "a value of its window is not a number",
        )?;
        for value in stored.track {
            detector.window.push(value);
        }
        detector.ignored = stored.ignored;
        Ok(detector)
    }
}

const LARGEST_WINDOW: f64 = 1_000.0;

/// Below this distance the reference implementations raise no alarm, however small the p-value.
const LEAST_DISTANCE: f64 = 0.1;

const STATE: &str = "KSWIN state";
