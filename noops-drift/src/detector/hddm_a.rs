use serde::{Deserialize, Serialize};

use super::stored::{Stored, check_setting, require};
use super::{Detector, Direction, State, is_share};
use crate::error::DriftError;

/// HDDM-A: is the mean of all values above the mean up to some earlier cut, by more than Hoeffding's bound?
///
/// It restarts after an alarm, and warns before it.
///
/// # Formula
///
/// The cut is where mean + ε(n), ε(n) = √(ln(1/δ) / 2n), was smallest. With k values before it and n in all, drift when
///
/// x̄_n − x̄_k ≥ √((n − k) / (k n) · ½ ln(2/δ)),
///
/// and a warning with the larger δ. A decrease mirrors it. Frías-Blanco et al., "Online and non-parametric drift detection
/// methods based on Hoeffding's bounds" (2015), the A-test; defaults and alarms are River's `HDDM_A`.
///
/// # Numerical notes
///
/// δ holds for one comparison of values in \[0, 1\] at a cut fixed beforehand, not for a stream: with δ = 0.001 a constant
/// error rate of 0.2 is called drifted in some 3 % of streams of 2,000 values, and ever more rarely from then on. So is a
/// change: all values since the restart count, and the longer they are, the longer it takes.
///
/// # Complexity
///
/// O(1) per value.
///
/// # Examples
///
/// ```
/// use noops_drift::detector::{Detector, HddmA, HddmASettings};
///
/// # fn main() -> Result<(), noops_drift::DriftError> {
/// let mut detector = HddmA::new(HddmASettings::default())?;
/// assert!((0..1_000).all(|row| !detector.update(f64::from(u8::from(row % 5 == 0))).is_drift()));
/// assert!((0..200).any(|row| detector.update(f64::from(row % 2)).is_drift()));
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Stored<HddmASettings, Track>")]
pub struct HddmA {
    settings: HddmASettings,
    track: Track,
    ignored: u64,
}

impl HddmA {
    /// Starts without a value.
    ///
    /// # Errors
    ///
    /// [`DriftError::InvalidSetting`] unless both confidences are above 0 and at most 1.
    pub fn new(settings: HddmASettings) -> Result<Self, DriftError> {
        settings.validate()?;
        Ok(Self {
            settings,
            track: Track::default(),
            ignored: 0,
        })
    }

    /// The settings.
    #[must_use]
    pub fn settings(&self) -> &HddmASettings {
        &self.settings
    }
}

/// The settings of [`HddmA`]; the defaults are River's.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct HddmASettings {
    drift_confidence: f64,
    warning_confidence: f64,
    direction: Direction,
}

impl HddmASettings {
    /// Sets the δ of drift; 0.001 unless set.
    #[must_use]
    pub fn with_drift_confidence(mut self, drift_confidence: f64) -> Self {
        self.drift_confidence = drift_confidence;
        self
    }

    /// Sets the δ of a warning; 0.005 unless set.
    #[must_use]
    pub fn with_warning_confidence(mut self, warning_confidence: f64) -> Self {
        self.warning_confidence = warning_confidence;
        self
    }

    /// Sets which changes count; increases unless set.
    #[must_use]
    pub fn with_direction(mut self, direction: Direction) -> Self {
        self.direction = direction;
        self
    }

    /// The δ of drift.
    #[must_use]
    pub fn drift_confidence(&self) -> f64 {
        self.drift_confidence
    }

    /// The δ of a warning.
    #[must_use]
    pub fn warning_confidence(&self) -> f64 {
        self.warning_confidence
    }

    /// Which changes count.
    #[must_use]
    pub fn direction(&self) -> Direction {
        self.direction
    }

    fn validate(&self) -> Result<(), DriftError> {
        let least = f64::MIN_POSITIVE;
        check_setting(
            "drift_confidence",
            self.drift_confidence,
            least,
            1.0,
            ALLOWED,
        )?;
        check_setting(
            "warning_confidence",
            self.warning_confidence,
            least,
            1.0,
            ALLOWED,
        )
    }
}

impl Default for HddmASettings {
    fn default() -> Self {
        Self {
            drift_confidence: 0.001,
            warning_confidence: 0.005,
            direction: Direction::Up,
        }
    }
}

impl Detector for HddmA {
    #[inline]
    fn update(&mut self, value: f64) -> State {
        if !is_share(value) {
            self.ignored = self.ignored.saturating_add(1);
            return self.track.state;
        }
        let (drift, warning) = (
            self.settings.drift_confidence,
            self.settings.warning_confidence,
        );
        let track = &mut self.track;
        track.all.count = track.all.count.saturating_add(1);
        track.all.sum += value;
        let all = track.all;
        let (mean, bound) = (all.mean(), all.bound(drift));
        if track.low.count == 0 || track.low.mean() + track.low.bound(drift) >= mean + bound {
            track.low = all;
        }
        if track.high.count == 0 || track.high.mean() - track.high.bound(drift) <= mean - bound {
            track.high = all;
        }
        let direction = self.settings.direction;
        let rise = mean - track.low.mean();
        let fall = track.high.mean() - mean;
        let exceeds = |confidence: f64| {
            (direction.sees_up() && track.low.exceeded(&all, rise, confidence))
                || (direction.sees_down() && track.high.exceeded(&all, fall, confidence))
        };
        if exceeds(drift) {
            self.track = Track::default();
            return State::Drift;
        }
        let warns = exceeds(warning);
        track.state = if warns { State::Warning } else { State::Stable };
        track.state
    }

    fn reset(&mut self) {
        self.track = Track::default();
        self.ignored = 0;
    }

    fn name(&self) -> &'static str {
        "hddm-a"
    }

    fn ignored(&self) -> u64 {
        self.ignored
    }
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
struct Track {
    all: Prefix,
    /// The prefix whose upper bound was smallest.
    low: Prefix,
    /// The prefix whose lower bound was largest.
    high: Prefix,
    state: State,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
struct Prefix {
    count: u64,
    sum: f64,
}

impl Prefix {
    /// The mean of a prefix with a value.
    fn mean(&self) -> f64 {
        self.sum / self.count.max(1) as f64
    }

    fn bound(&self, confidence: f64) -> f64 {
        ((1.0 / confidence).ln() / (2.0 * self.count.max(1) as f64)).sqrt()
    }

    /// Whether the mean of `all` has left that of this prefix by more than chance.
    fn exceeded(&self, all: &Self, distance: f64, confidence: f64) -> bool {
        if self.count == 0 || self.count >= all.count {
            return false;
        }
        let (before, rows) = (self.count as f64, all.count as f64);
        let scale = (rows - before) / before / rows;
        distance >= (scale / 2.0 * (2.0 / confidence).ln()).sqrt()
    }
}

impl TryFrom<Stored<HddmASettings, Track>> for HddmA {
    type Error = DriftError;

    fn try_from(stored: Stored<HddmASettings, Track>) -> Result<Self, DriftError> {
        stored.settings.validate()?;
        let track = &stored.track;
        require(STATE, track.state != State::Drift, "it rests in an alarm")?;
        require(
            STATE,
            [track.all, track.low, track.high].iter().all(|prefix| {
                prefix.count <= track.all.count
                    && (0.0..=prefix.count as f64 * (1.0 + ROUNDING)).contains(&prefix.sum)
            }),
            "a sum is beyond what the counted values can reach",
        )?;
        Ok(Self {
            settings: stored.settings,
            track: stored.track,
            ignored: stored.ignored,
        })
    }
}

const STATE: &str = "HDDM-A state";

const ALLOWED: &str = "a number above 0 and at most 1";

const ROUNDING: f64 = 1e-9;
