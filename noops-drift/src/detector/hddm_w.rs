use serde::{Deserialize, Serialize};

use super::stored::{Stored, check_setting, require};
use super::{Detector, Direction, State, is_share};
use crate::error::DriftError;

/// HDDM-W: is the weighted mean of the values since some cut above the one up to it, by more than McDiarmid's bound?
///
/// It restarts after an alarm, and warns before it. It reacts to sudden changes sooner than [`HddmA`](super::HddmA).
///
/// # Formula
///
/// x̂ ← λx + (1 − λ)x̂ is a weighted mean with bound condition b ← λ² + (1 − λ)² b, starting at the first value and 1. The cut is
/// where x̂ + √(b ½ ln(1/δ)) was smallest; x̂₁, b₁ are taken there and x̂₂, b₂ start afresh behind it. Drift when
///
/// x̂₂ − x̂₁ > √((b₁ + b₂) ½ ln(1/δ)),
///
/// and a warning with the larger δ. A decrease mirrors it. Frías-Blanco et al., "Online and non-parametric drift detection
/// methods based on Hoeffding's bounds" (2015), the W-test; defaults and alarms are River's `HDDM_W`.
///
/// # Numerical notes
///
/// δ holds for one comparison of values in \[0, 1\] at a cut fixed beforehand, not for a stream: with δ = 0.001 a constant
/// error rate of 0.2 is called drifted about every 15,000 values.
///
/// # Complexity
///
/// O(1) per value.
///
/// # Examples
///
/// ```
/// use noops_drift::detector::{Detector, HddmW, HddmWSettings};
///
/// # fn main() -> Result<(), noops_drift::DriftError> {
/// let mut detector = HddmW::new(HddmWSettings::default())?;
/// assert!((0..1_000).all(|row| !detector.update(f64::from(u8::from(row % 5 == 0))).is_drift()));
/// assert!((0..30).any(|_| detector.update(1.0).is_drift()));
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Stored<HddmWSettings, Track>")]
pub struct HddmW {
    settings: HddmWSettings,
    track: Track,
    ignored: u64,
}

impl HddmW {
    /// Starts without a value.
    ///
    /// # Errors
    ///
    /// [`DriftError::InvalidSetting`] unless both confidences and the weight are above 0 and at most 1.
    pub fn new(settings: HddmWSettings) -> Result<Self, DriftError> {
        settings.validate()?;
        Ok(Self {
            settings,
            track: Track::default(),
            ignored: 0,
        })
    }

    /// The settings.
    #[must_use]
    pub fn settings(&self) -> &HddmWSettings {
        &self.settings
    }
}

/// The settings of [`HddmW`]; the defaults are River's.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct HddmWSettings {
    drift_confidence: f64,
    warning_confidence: f64,
    weight: f64,
    direction: Direction,
}

impl HddmWSettings {
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

    /// Sets the weight of the newest value, λ; 0.05 unless set.
    #[must_use]
    pub fn with_weight(mut self, weight: f64) -> Self {
        self.weight = weight;
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

    /// The weight of the newest value, λ.
    #[must_use]
    pub fn weight(&self) -> f64 {
        self.weight
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
        )?;
        check_setting("weight", self.weight, least, 1.0, ALLOWED)
    }
}

impl Default for HddmWSettings {
    fn default() -> Self {
        Self {
            drift_confidence: 0.001,
            warning_confidence: 0.005,
            weight: 0.05,
            direction: Direction::Up,
        }
    }
}

impl Detector for HddmW {
    #[inline]
    fn update(&mut self, value: f64) -> State {
        if !is_share(value) {
            self.ignored = self.ignored.saturating_add(1);
            return self.track.state;
        }
        let (drift, warning, weight) = (
            self.settings.drift_confidence,
            self.settings.warning_confidence,
            self.settings.weight,
        );
        let track = &mut self.track;
        track.all = track.all.with(value, weight);
        let bound = (track.all.condition * (1.0 / drift).ln() / 2.0).sqrt();
        let (above, below) = (track.all.mean + bound, track.all.mean - bound);
        if track.rise.cut.is_none_or(|cut| above < cut) {
            track.rise = Split::at(above, track.all);
        } else {
            track.rise.after = track.rise.after.with(value, weight);
        }
        if track.fall.cut.is_none_or(|cut| below > cut) {
            track.fall = Split::at(below, track.all);
        } else {
            track.fall.after = track.fall.after.with(value, weight);
        }
        let direction = self.settings.direction;
        let exceeds = |confidence: f64| {
            (direction.sees_up() && track.rise.change() > track.rise.bound(confidence))
                || (direction.sees_down() && -track.fall.change() > track.fall.bound(confidence))
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
        "hddm-w"
    }

    fn ignored(&self) -> u64 {
        self.ignored
    }
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
struct Track {
    all: Weighted,
    rise: Split,
    fall: Split,
    state: State,
}

/// The stream up to a cut and behind it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
struct Split {
    /// The bound at the cut; nothing before the first value.
    cut: Option<f64>,
    before: Weighted,
    after: Weighted,
}

impl Split {
    fn at(cut: f64, before: Weighted) -> Self {
        Self {
            cut: Some(cut),
            before,
            after: Weighted::default(),
        }
    }

    /// How far the mean has moved, 0 while one side has no value.
    fn change(&self) -> f64 {
        if self.before.started && self.after.started {
            self.after.mean - self.before.mean
        } else {
            0.0
        }
    }

    fn bound(&self, confidence: f64) -> f64 {
        let condition = self.before.condition + self.after.condition;
        (condition * (1.0 / confidence).ln() / 2.0).sqrt()
    }
}

/// An exponentially weighted mean and the sum of squares of its weights.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
struct Weighted {
    started: bool,
    mean: f64,
    condition: f64,
}

impl Weighted {
    fn with(self, value: f64, weight: f64) -> Self {
        let kept = 1.0 - weight;
        Self {
            started: true,
            mean: if self.started {
                weight * value + kept * self.mean
            } else {
                value
            },
            condition: weight * weight + kept * kept * self.condition,
        }
    }

    fn is_possible(&self) -> bool {
        let shares = 0.0..=1.0 + ROUNDING;
        shares.contains(&self.mean) && shares.contains(&self.condition)
    }
}

impl Default for Weighted {
    fn default() -> Self {
        Self {
            started: false,
            mean: 0.0,
            condition: 1.0,
        }
    }
}

impl TryFrom<Stored<HddmWSettings, Track>> for HddmW {
    type Error = DriftError;

    fn try_from(stored: Stored<HddmWSettings, Track>) -> Result<Self, DriftError> {
        stored.settings.validate()?;
        let track = &stored.track;
        require(STATE, track.state != State::Drift, "it rests in an alarm")?;
        let (rise, fall) = (&track.rise, &track.fall);
        require(
            STATE,
            [track.all, rise.before, rise.after, fall.before, fall.after]
                .iter()
                .all(Weighted::is_possible),
            "a mean or its bound condition is not in [0, 1]",
        )?;
        require(
            STATE,
            rise.cut.is_none_or(f64::is_finite) && fall.cut.is_none_or(f64::is_finite),
            "a cut is not a number",
        )?;
        Ok(Self {
            settings: stored.settings,
            track: stored.track,
            ignored: stored.ignored,
        })
    }
}

const STATE: &str = "HDDM-W state";

const ALLOWED: &str = "a number above 0 and at most 1";

const ROUNDING: f64 = 1e-9;
