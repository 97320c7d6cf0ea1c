use serde::{Deserialize, Serialize};

use super::stored::{Stored, check_setting, require};
use super::{Detector, State, is_share};
use crate::error::DriftError;

/// The early drift detection method: do errors come closer together than they ever did?
///
/// It restarts after an alarm, and warns before it. A value of at least one half is an error.
///
/// # Formula
///
/// With p and s the mean and standard deviation (divisor n − 1) of the distances between successive errors, the largest
/// p + 2s is kept. Warning when (p + 2s) / max(p + 2s) < 0.95, drift below 0.9, once there were more than `warm_start`
/// errors. Baena-García et al., "Early drift detection method" (2006); defaults and alarms are River's `EDDM`.
///
/// # Numerical notes
///
/// No error rate is promised, and false alarms are many: a constant error rate of 0.2 raises some seven in the first 2,000
/// values, while after a long quiet stretch even large changes take long to show. The distance to the first error counts from the restart. Distances beyond 2^53 are rounded.
///
/// # Complexity
///
/// O(1) per value.
///
/// # Examples
///
/// ```
/// use noops_drift::detector::{Detector, Eddm, EddmSettings};
///
/// # fn main() -> Result<(), noops_drift::DriftError> {
/// let mut detector = Eddm::new(EddmSettings::default())?;
/// let error = |row: u32, every: u32| f64::from(u8::from(row % every == every - 1));
/// assert!((0..1_000).all(|row| !detector.update(error(row, 10)).is_drift()));
/// assert!((0..1_000).any(|row| detector.update(error(row, 2)).is_drift()));
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Stored<EddmSettings, Track>")]
pub struct Eddm {
    settings: EddmSettings,
    track: Track,
    ignored: u64,
}

impl Eddm {
    /// Starts without a value.
    ///
    /// # Errors
    ///
    /// [`DriftError::InvalidSetting`] unless both ratios are in \[0, 1\] and the drift ratio is at most the warning ratio.
    pub fn new(settings: EddmSettings) -> Result<Self, DriftError> {
        settings.validate()?;
        Ok(Self {
            settings,
            track: Track::default(),
            ignored: 0,
        })
    }

    /// The settings.
    #[must_use]
    pub fn settings(&self) -> &EddmSettings {
        &self.settings
    }
}

/// The settings of [`Eddm`]; the defaults are River's.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct EddmSettings {
    warm_start: u64,
    warning_ratio: f64,
    drift_ratio: f64,
}

impl EddmSettings {
    /// Sets how many errors come before the first judgement; 30 unless set.
    #[must_use]
    pub fn with_warm_start(mut self, warm_start: u64) -> Self {
        self.warm_start = warm_start;
        self
    }

    /// Sets the ratio to the largest distance below which there is a warning; 0.95 unless set.
    #[must_use]
    pub fn with_warning_ratio(mut self, warning_ratio: f64) -> Self {
        self.warning_ratio = warning_ratio;
        self
    }

    /// Sets the ratio to the largest distance below which there is drift; 0.9 unless set.
    #[must_use]
    pub fn with_drift_ratio(mut self, drift_ratio: f64) -> Self {
        self.drift_ratio = drift_ratio;
        self
    }

    /// How many errors come before the first judgement.
    #[must_use]
    pub fn warm_start(&self) -> u64 {
        self.warm_start
    }

    /// The ratio to the largest distance below which there is a warning.
    #[must_use]
    pub fn warning_ratio(&self) -> f64 {
        self.warning_ratio
    }

    /// The ratio to the largest distance below which there is drift.
    #[must_use]
    pub fn drift_ratio(&self) -> f64 {
        self.drift_ratio
    }

    fn validate(&self) -> Result<(), DriftError> {
        check_setting(
            "warning_ratio",
            self.warning_ratio,
            0.0,
            1.0,
            "a number from 0 to 1",
        )?;
        check_setting(
            "drift_ratio",
            self.drift_ratio,
            0.0,
            self.warning_ratio,
            "a number from 0 to the warning ratio",
        )
    }
}

impl Default for EddmSettings {
    fn default() -> Self {
        Self {
            warm_start: 30,
            warning_ratio: 0.95,
            drift_ratio: 0.9,
        }
    }
}

impl Detector for Eddm {
    #[inline]
    fn update(&mut self, value: f64) -> State {
        if !is_share(value) {
            self.ignored = self.ignored.saturating_add(1);
            return self.track.state;
        }
        let track = &mut self.track;
        track.count = track.count.saturating_add(1);
        if value < 0.5 {
            return track.state;
        }
        let distance = track.count.saturating_sub(track.last_error) as f64;
        track.last_error = track.count;
        track.errors = track.errors.saturating_add(1);
        let errors = track.errors as f64;
        let gap = distance - track.mean;
        track.mean += gap / errors;
        track.squares += gap * (distance - track.mean);
        let warm_start = self.settings.warm_start;
        if track.count <= warm_start {
            return track.state;
        }
        let spread = if track.errors > 1 {
            (track.squares / (errors - 1.0)).max(0.0).sqrt()
        } else {
            0.0
        };
        let level = track.mean + 2.0 * spread;
        if level > track.highest {
            track.highest = level;
            return track.state;
        }
        if track.errors <= warm_start {
            return track.state;
        }
        if level < self.settings.drift_ratio * track.highest {
            self.track = Track::default();
            return State::Drift;
        }
        let warns = level < self.settings.warning_ratio * track.highest;
        track.state = if warns { State::Warning } else { State::Stable };
        track.state
    }

    fn reset(&mut self) {
        self.track = Track::default();
        self.ignored = 0;
    }

    fn name(&self) -> &'static str {
        "eddm"
    }

    fn ignored(&self) -> u64 {
        self.ignored
    }
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
struct Track {
    count: u64,
    last_error: u64,
    errors: u64,
    /// Of the distances between errors.
    mean: f64,
    /// The sum of squared deviations of the distances from their mean.
    squares: f64,
    highest: f64,
    state: State,
}

impl TryFrom<Stored<EddmSettings, Track>> for Eddm {
    type Error = DriftError;

    fn try_from(stored: Stored<EddmSettings, Track>) -> Result<Self, DriftError> {
        stored.settings.validate()?;
        let track = &stored.track;
        require(STATE, track.state != State::Drift, "it rests in an alarm")?;
        require(
            STATE,
            track.last_error <= track.count && track.errors <= track.last_error,
            "it has more errors than values",
        )?;
        require(
            STATE,
            (0.0..=MOST).contains(&track.mean)
                && (-1.0..=MOST * MOST * MOST).contains(&track.squares)
                && (0.0..=MOST * MOST).contains(&track.highest),
            "a distance between errors is negative or beyond the counted values",
        )?;
        Ok(Self {
            settings: stored.settings,
            track: stored.track,
            ignored: stored.ignored,
        })
    }
}

const STATE: &str = "EDDM state";

/// A little more than any counter holds.
const MOST: f64 = 2e19;
