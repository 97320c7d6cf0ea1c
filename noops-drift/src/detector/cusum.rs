use serde::{Deserialize, Serialize};

use super::stored::{Stored, check_setting, require};
use super::{Detector, Direction, LARGEST, State, is_usable};
use crate::error::DriftError;

/// The cumulative sum chart against a known mean and standard deviation.
///
/// It restarts after an alarm, against the same reference, and never warns.
///
/// # Formula
///
/// With z = (x − mean) / sd, U ← max(0, U + z − k) and D ← max(0, D − z − k). Drift when U > h or D > h. Page (1954). The
/// slack k is half of the smallest shift worth finding, in standard deviations.
///
/// The average run length of the two-sided chart on independent normal values, by the shift in standard deviations (from
/// Page's integral equation):
///
/// | k | h | 0 | 0.5 | 1 | 2 |
/// |---|---|---|---|---|---|
/// | 0.5 | 4 | 167.7 | 26.6 | 8.38 | 3.34 |
/// | 0.5 | 5 | 465.4 | 38.0 | 10.4 | 4.01 |
/// | 0.5 | 8.06 | 10,070 | 85.1 | 16.5 | 6.05 |
/// | 0.25 | 8 | 368.4 | 28.8 | 11.4 | 5.21 |
/// | 1 | 2.5 | 358.0 | 67.8 | 13.4 | 3.25 |
///
/// # Numerical notes
///
/// The run lengths hold for independent normal values and an exactly known mean and standard deviation. With both learnt
/// from few rows, with heavy tails or with autocorrelation, false alarms come sooner; [`EDetector`](super::EDetector) needs none of these
/// assumptions.
///
/// # Complexity
///
/// O(1) per value.
///
/// # Examples
///
/// ```
/// use noops_drift::detector::{Cusum, CusumSettings, Detector};
///
/// # fn main() -> Result<(), noops_drift::DriftError> {
/// let settings = CusumSettings::default().with_reference(10.0, 2.0);
/// let mut detector = Cusum::new(settings)?;
/// assert!((0..100).all(|_| !detector.update(10.5).is_drift()));
/// // Three standard deviations above: 2.5 more than the slack each time.
/// assert!(!detector.update(16.0).is_drift());
/// assert!(!detector.update(16.0).is_drift());
/// assert!(detector.update(16.0).is_drift());
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Stored<CusumSettings, Track>")]
pub struct Cusum {
    settings: CusumSettings,
    track: Track,
    ignored: u64,
}

impl Cusum {
    /// Starts at zero.
    ///
    /// # Errors
    ///
    /// [`DriftError::InvalidSetting`] unless the mean is at most 1e100 in magnitude, the standard deviation from 1e-100 to
    /// 1e100, the slack from 0 to 1e6 and the threshold above 0 and at most 1e6.
    pub fn new(settings: CusumSettings) -> Result<Self, DriftError> {
        settings.validate()?;
        Ok(Self {
            settings,
            track: Track::default(),
            ignored: 0,
        })
    }

    /// The accumulated increase, in standard deviations.
    #[must_use]
    pub fn increase(&self) -> f64 {
        self.track.up
    }

    /// The accumulated decrease, in standard deviations.
    #[must_use]
    pub fn decrease(&self) -> f64 {
        self.track.down
    }

    /// The settings.
    #[must_use]
    pub fn settings(&self) -> &CusumSettings {
        &self.settings
    }
}

/// The settings of [`Cusum`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct CusumSettings {
    mean: f64,
    standard_deviation: f64,
    slack: f64,
    threshold: f64,
    direction: Direction,
}

impl CusumSettings {
    /// Sets the mean and standard deviation of the stream without drift; 0 and 1 unless set.
    #[must_use]
    pub fn with_reference(mut self, mean: f64, standard_deviation: f64) -> Self {
        self.mean = mean;
        self.standard_deviation = standard_deviation;
        self
    }

    /// Sets the deviation that is forgiven, k, in standard deviations; 0.5 unless set.
    #[must_use]
    pub fn with_slack(mut self, slack: f64) -> Self {
        self.slack = slack;
        self
    }

    /// Sets the accumulated deviation that is drift, h, in standard deviations; 5 unless set.
    #[must_use]
    pub fn with_threshold(mut self, threshold: f64) -> Self {
        self.threshold = threshold;
        self
    }

    /// Sets which changes count; both unless set.
    #[must_use]
    pub fn with_direction(mut self, direction: Direction) -> Self {
        self.direction = direction;
        self
    }

    /// The mean of the stream without drift.
    #[must_use]
    pub fn mean(&self) -> f64 {
        self.mean
    }

    /// The standard deviation of the stream without drift.
    #[must_use]
    pub fn standard_deviation(&self) -> f64 {
        self.standard_deviation
    }

    /// The deviation that is forgiven, in standard deviations.
    #[must_use]
    pub fn slack(&self) -> f64 {
        self.slack
    }

    /// The accumulated deviation that is drift, in standard deviations.
    #[must_use]
    pub fn threshold(&self) -> f64 {
        self.threshold
    }

    /// Which changes count.
    #[must_use]
    pub fn direction(&self) -> Direction {
        self.direction
    }

    fn validate(&self) -> Result<(), DriftError> {
        check_setting(
            "mean",
            self.mean,
            -LARGEST,
            LARGEST,
            "a number from -1e100 to 1e100",
        )?;
        check_setting(
            "standard_deviation",
            self.standard_deviation,
            SMALLEST_DEVIATION,
            LARGEST,
            "a number from 1e-100 to 1e100",
        )?;
        check_setting("slack", self.slack, 0.0, MOST, "a number from 0 to 1e6")?;
        check_setting(
            "threshold",
            self.threshold,
            f64::MIN_POSITIVE,
            MOST,
            "a number above 0 and at most 1e6",
        )
    }
}

impl Default for CusumSettings {
    fn default() -> Self {
        Self {
            mean: 0.0,
            standard_deviation: 1.0,
            slack: 0.5,
            threshold: 5.0,
            direction: Direction::Both,
        }
    }
}

impl Detector for Cusum {
    #[inline]
    fn update(&mut self, value: f64) -> State {
        if !is_usable(value) {
            self.ignored = self.ignored.saturating_add(1);
            return State::Stable;
        }
        let settings = &self.settings;
        let deviation = (value - settings.mean) / settings.standard_deviation;
        let track = &mut self.track;
        track.up = (track.up + (deviation - settings.slack)).max(0.0);
        track.down = (track.down - (deviation + settings.slack)).max(0.0);
        let rises = (track.up > settings.threshold) & settings.direction.sees_up();
        let falls = (track.down > settings.threshold) & settings.direction.sees_down();
        if rises | falls {
            self.track = Track::default();
            return State::Drift;
        }
        // A side that is not watched would grow for ever.
        track.up = track.up.min(settings.threshold);
        track.down = track.down.min(settings.threshold);
        State::Stable
    }

    fn reset(&mut self) {
        self.track = Track::default();
        self.ignored = 0;
    }

    fn name(&self) -> &'static str {
        "cusum"
    }

    fn ignored(&self) -> u64 {
        self.ignored
    }
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
struct Track {
    up: f64,
    down: f64,
}

impl TryFrom<Stored<CusumSettings, Track>> for Cusum {
    type Error = DriftError;

    fn try_from(stored: Stored<CusumSettings, Track>) -> Result<Self, DriftError> {
        stored.settings.validate()?;
        let possible = 0.0..=stored.settings.threshold;
        require(
            "CUSUM state",
            possible.contains(&stored.track.up) && possible.contains(&stored.track.down),
            "a sum is below 0 or above the threshold",
        )?;
        Ok(Self {
            settings: stored.settings,
            track: stored.track,
            ignored: stored.ignored,
        })
    }
}

const SMALLEST_DEVIATION: f64 = 1e-100;

const MOST: f64 = 1e6;
