use serde::{Deserialize, Serialize};

use super::stored::{Stored, check_setting, require};
use super::{Detector, State, is_share};
use crate::error::DriftError;

/// FHDDM: has the share of correct predictions in a sliding window fallen by more than Hoeffding's bound?
///
/// A value of at least one half is an error, as for the other detectors of error rates. It restarts after an alarm, and
/// never warns.
///
/// # Formula
///
/// With u the share of values without error in the last n, drift when max u − u > √(ln(1/δ) / 2n), the maximum being over
/// all full windows since the restart. Pesaranghader and Viktor, "Fast Hoeffding drift detection method for evolving data
/// streams" (2016). Alarms are those of River's `FHDDM` fed with 1 − x: its documentation asks for errors, but fed with
/// them it finds only improvements.
///
/// # Numerical notes
///
/// δ holds for one comparison, not for a stream. At the defaults the share of errors in some hundred values must exceed the
/// smallest share in any hundred before by 0.26: a rise of the error rate from 0.2 to 0.3 takes some 500 values to be seen,
/// one to 0.5 some 50.
///
/// # Complexity
///
/// O(1) per value, with one byte per value of the window.
///
/// # Examples
///
/// ```
/// use noops_drift::detector::{Detector, Fhddm, FhddmSettings};
///
/// # fn main() -> Result<(), noops_drift::DriftError> {
/// let mut detector = Fhddm::new(FhddmSettings::default())?;
/// assert!((0..1_000).all(|row| !detector.update(f64::from(u8::from(row % 5 == 0))).is_drift()));
/// assert!((0..60).any(|_| detector.update(1.0).is_drift()));
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Stored<FhddmSettings, Track>")]
pub struct Fhddm {
    settings: FhddmSettings,
    track: Track,
    ignored: u64,
}

impl Fhddm {
    /// Starts without a value.
    ///
    /// # Errors
    ///
    /// [`DriftError::InvalidSetting`] unless the window is from 1 to 1,000,000 and the confidence above 0 and at most 1.
    pub fn new(settings: FhddmSettings) -> Result<Self, DriftError> {
        settings.validate()?;
        let track = Track {
            window: vec![false; settings.window],
            ..Track::default()
        };
        Ok(Self {
            settings,
            track,
            ignored: 0,
        })
    }

    /// The settings.
    #[must_use]
    pub fn settings(&self) -> &FhddmSettings {
        &self.settings
    }
}

/// The settings of [`Fhddm`]; the defaults are River's.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct FhddmSettings {
    window: usize,
    confidence: f64,
}

impl FhddmSettings {
    /// Sets how many values the window has; 100 unless set.
    #[must_use]
    pub fn with_window(mut self, window: usize) -> Self {
        self.window = window;
        self
    }

    /// Sets the δ of drift; 0.000001 unless set.
    #[must_use]
    pub fn with_confidence(mut self, confidence: f64) -> Self {
        self.confidence = confidence;
        self
    }

    /// How many values the window has.
    #[must_use]
    pub fn window(&self) -> usize {
        self.window
    }

    /// The δ of drift.
    #[must_use]
    pub fn confidence(&self) -> f64 {
        self.confidence
    }

    fn validate(&self) -> Result<(), DriftError> {
        check_setting(
            "window",
            self.window as f64,
            1.0,
            LARGEST_WINDOW,
            "a whole number from 1 to 1000000",
        )?;
        check_setting(
            "confidence",
            self.confidence,
            f64::MIN_POSITIVE,
            1.0,
            "a number above 0 and at most 1",
        )
    }

    fn bound(&self) -> f64 {
        ((1.0 / self.confidence).ln() / (2.0 * self.window as f64)).sqrt()
    }
}

impl Default for FhddmSettings {
    fn default() -> Self {
        Self {
            window: 100,
            confidence: 1e-6,
        }
    }
}

impl Detector for Fhddm {
    #[inline]
    fn update(&mut self, value: f64) -> State {
        if !is_share(value) {
            self.ignored = self.ignored.saturating_add(1);
            return State::Stable;
        }
        let bound = self.settings.bound();
        let track = &mut self.track;
        let size = track.window.len();
        let correct = value < 0.5;
        if let Some(place) = track.window.get_mut(track.next) {
            // An empty place is false, so it leaves nothing behind.
            track.correct = track.correct.saturating_sub(u64::from(*place)) + u64::from(correct);
            *place = correct;
        }
        track.next = if track.next + 1 < size {
            track.next + 1
        } else {
            0
        };
        track.filled = (track.filled + 1).min(size);
        if track.filled < size {
            return State::Stable;
        }
        let share = track.correct as f64 / size as f64;
        track.highest = track.highest.max(share);
        if track.highest - share > bound {
            track.restart();
            return State::Drift;
        }
        State::Stable
    }

    fn reset(&mut self) {
        self.track.restart();
        self.ignored = 0;
    }

    fn name(&self) -> &'static str {
        "fhddm"
    }

    fn ignored(&self) -> u64 {
        self.ignored
    }
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
struct Track {
    /// Whether each of the last values was correct, as a ring.
    window: Vec<bool>,
    next: usize,
    filled: usize,
    correct: u64,
    /// The largest share of correct values of any full window.
    highest: f64,
}

impl Track {
    fn restart(&mut self) {
        self.window.fill(false);
        self.next = 0;
        self.filled = 0;
        self.correct = 0;
        self.highest = 0.0;
    }
}

impl TryFrom<Stored<FhddmSettings, Track>> for Fhddm {
    type Error = DriftError;

    fn try_from(stored: Stored<FhddmSettings, Track>) -> Result<Self, DriftError> {
        stored.settings.validate()?;
        let track = &stored.track;
        let size = stored.settings.window;
        require(
            STATE,
            track.window.len() == size && track.next < size && track.filled <= size,
            "its window is not of the size that its settings say",
        )?;
        require(
            STATE,
            track.filled == size
                || (track.next == track.filled
                    && !track
                        .window
                        .iter()
                        .skip(track.filled)
                        .any(|&correct| correct)),
            "there are values in the empty part of its window",
        )?;
        let correct = track.window.iter().filter(|&&correct| correct).count();
        require(
            STATE,
            u64::try_from(correct).is_ok_and(|correct| correct == track.correct),
            "its count of correct values is not that of its window",
        )?;
        require(
            STATE,
            is_share(track.highest),
            "its highest share is not in [0, 1]",
        )?;
        Ok(Self {
            settings: stored.settings,
            track: stored.track,
            ignored: stored.ignored,
        })
    }
}

const LARGEST_WINDOW: f64 = 1e6;

const STATE: &str = "FHDDM state";
