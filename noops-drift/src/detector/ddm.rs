use serde::{Deserialize, Serialize};

use super::stored::{Stored, check_setting, require};
use super::{Detector, State, is_share};
use crate::error::DriftError;

/// The drift detection method: does the error rate rise above the lowest it has been?
///
/// It restarts after an alarm, and warns before it.
///
/// # Formula
///
/// With p the error rate of the n values so far and s = √(p(1 − p)/n), the pair of smallest p + s is kept. Warning when
/// p + s > p_min + 2 s_min, drift when p + s > p_min + 3 s_min, from the `warm_start` + 1-st value on. Gama, Medas, Castillo and
/// Rodrigues, "Learning with drift detection" (2004); defaults and alarms are River's `DDM`.
///
/// # Numerical notes
///
/// No error rate is promised: the minimum over many looks makes three standard deviations a far smaller hurdle than they are
/// for one. After a start without any error the first error is drift, because both minima are 0. Small changes are often
/// missed once the stream is long: the rate over all values hardly moves.
///
/// # Complexity
///
/// O(1) per value.
///
/// # Examples
///
/// ```
/// use noops_drift::detector::{Ddm, DdmSettings, Detector};
///
/// # fn main() -> Result<(), noops_drift::DriftError> {
/// let mut detector = Ddm::new(DdmSettings::default())?;
/// let error = |row: u32, every: u32| f64::from(u8::from(row % every == 0));
/// assert!((0..1_000).all(|row| !detector.update(error(row, 5)).is_drift()));
/// assert!((0..1_000).any(|row| detector.update(error(row, 2)).is_drift()));
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Stored<DdmSettings, Track>")]
pub struct Ddm {
    settings: DdmSettings,
    track: Track,
    ignored: u64,
}

impl Ddm {
    /// Starts without a value.
    ///
    /// # Errors
    ///
    /// [`DriftError::InvalidSetting`] unless both thresholds are from 0 to 1e6.
    pub fn new(settings: DdmSettings) -> Result<Self, DriftError> {
        settings.validate()?;
        Ok(Self {
            settings,
            track: Track::default(),
            ignored: 0,
        })
    }

    /// The settings.
    #[must_use]
    pub fn settings(&self) -> &DdmSettings {
        &self.settings
    }
}

/// The settings of [`Ddm`]; the defaults are River's.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct DdmSettings {
    warm_start: u64,
    warning_threshold: f64,
    drift_threshold: f64,
}

impl DdmSettings {
    /// Sets how many values come before the first judgement; 30 unless set.
    #[must_use]
    pub fn with_warm_start(mut self, warm_start: u64) -> Self {
        self.warm_start = warm_start;
        self
    }

    /// Sets the standard deviations that are a warning; 2 unless set.
    #[must_use]
    pub fn with_warning_threshold(mut self, warning_threshold: f64) -> Self {
        self.warning_threshold = warning_threshold;
        self
    }

    /// Sets the standard deviations that are drift; 3 unless set.
    #[must_use]
    pub fn with_drift_threshold(mut self, drift_threshold: f64) -> Self {
        self.drift_threshold = drift_threshold;
        self
    }

    /// How many values come before the first judgement.
    #[must_use]
    pub fn warm_start(&self) -> u64 {
        self.warm_start
    }

    /// The standard deviations that are a warning.
    #[must_use]
    pub fn warning_threshold(&self) -> f64 {
        self.warning_threshold
    }

    /// The standard deviations that are drift.
    #[must_use]
    pub fn drift_threshold(&self) -> f64 {
        self.drift_threshold
    }

    fn validate(&self) -> Result<(), DriftError> {
        check_setting(
            "warning_threshold",
            self.warning_threshold,
            0.0,
            MOST,
            ALLOWED,
        )?;
        check_setting("drift_threshold", self.drift_threshold, 0.0, MOST, ALLOWED)
    }
}

impl Default for DdmSettings {
    fn default() -> Self {
        Self {
            warm_start: 30,
            warning_threshold: 2.0,
            drift_threshold: 3.0,
        }
    }
}

impl Detector for Ddm {
    #[inline]
    fn update(&mut self, value: f64) -> State {
        if !is_share(value) {
            self.ignored = self.ignored.saturating_add(1);
            return self.track.state;
        }
        let track = &mut self.track;
        track.count = track.count.saturating_add(1);
        let rows = track.count as f64;
        track.rate += (value - track.rate) / rows;
        if track.count <= self.settings.warm_start {
            return State::Stable;
        }
        let rate = track.rate.clamp(0.0, 1.0);
        let spread = (rate * (1.0 - rate) / rows).sqrt();
        let level = rate + spread;
        if track
            .lowest
            .is_none_or(|lowest| level <= lowest.rate + lowest.spread)
        {
            track.lowest = Some(Level { rate, spread });
        }
        let lowest = track.lowest.unwrap_or_default();
        if level > lowest.rate + self.settings.drift_threshold * lowest.spread {
            self.track = Track::default();
            return State::Drift;
        }
        let warns = level > lowest.rate + self.settings.warning_threshold * lowest.spread;
        track.state = if warns { State::Warning } else { State::Stable };
        track.state
    }

    fn reset(&mut self) {
        self.track = Track::default();
        self.ignored = 0;
    }

    fn name(&self) -> &'static str {
        "ddm"
    }

    fn ignored(&self) -> u64 {
        self.ignored
    }
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
struct Track {
    count: u64,
    rate: f64,
    lowest: Option<Level>,
    state: State,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
struct Level {
    rate: f64,
    spread: f64,
}

impl TryFrom<Stored<DdmSettings, Track>> for Ddm {
    type Error = DriftError;

    fn try_from(stored: Stored<DdmSettings, Track>) -> Result<Self, DriftError> {
        stored.settings.validate()?;
        let track = &stored.track;
        require(STATE, track.state != State::Drift, "it rests in an alarm")?;
        require(
            STATE,
            (-ROUNDING..=1.0 + ROUNDING).contains(&track.rate),
            "its error rate is not in [0, 1]",
        )?;
        require(
            STATE,
            track
                .lowest
                .is_none_or(|lowest| is_share(lowest.rate) && is_share(lowest.spread)),
            "its lowest error rate is not in [0, 1]",
        )?;
        Ok(Self {
            settings: stored.settings,
            track: stored.track,
            ignored: stored.ignored,
        })
    }
}

const STATE: &str = "DDM state";

const MOST: f64 = 1e6;

const ALLOWED: &str = "a number from 0 to 1e6";

/// How far a running mean of numbers in \[0, 1\] may stray beyond them.
const ROUNDING: f64 = 1e-9;
