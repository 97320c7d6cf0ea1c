use std::num::NonZeroUsize;

use noops_core::{Alpha, LogE, Probability};
use serde::{Deserialize, Serialize};

use super::stored::{Stored, check_setting, require};
use super::{Detector, Direction, State, is_share};
use crate::error::DriftError;

/// A change detector with a proven run length: on average at least 1 / alpha values between false alarms.
///
/// For errors and other values in \[0, 1\] whose mean without drift is known, such as an error rate from validation. It
/// restarts after an alarm, against the same reference, and never warns.
///
/// # Formula
///
/// While the conditional mean of each value given the past is at most b = reference mean + tolerance, each factor
/// L = 1 + c (x / b − 1), c in (0, 1), has conditional expectation at most 1: a bet that the mean is larger. The
/// Shiryaev–Roberts recursion M ← L (M + 1) and the CUSUM recursion M ← L max(M, 1), both from 0, add up or pick the best
/// of such bets over all possible times of the change. The evidence is the average of M over the bets
/// c = 0.5, 0.25, 0.125, 0.0625 and 0.03125 (and over both directions, the decrease betting on 1 − x); drift is when it
/// reaches 1 / alpha.
///
/// Theorem (Shin, Ramdas and Rinaldo, "E-detectors", arXiv 2203.03532). M − n is a supermartingale for Shiryaev–Roberts, as
/// E\[M_n | past\] ≤ M_{n−1} + 1, so E\[M_τ\] ≤ E\[τ\] at every stopping time τ; CUSUM is never larger, and averages keep
/// the inequality. At the alarm M_τ ≥ 1 / alpha, hence E\[τ\] ≥ 1 / alpha; and stopping at τ or n, whichever is first, gives
/// P(τ ≤ n) ≤ n · alpha. Neither independence nor a distribution is assumed.
///
/// # Numerical notes
///
/// The promise is about the mean: the reference must be right up to the tolerance, or false alarms come sooner. It starts
/// anew with each restart. The mean delay at alpha = 0.0001 from an error rate of 0.2 to 0.3 is about 210 values with
/// Shiryaev–Roberts and 330 with CUSUM when the change comes at the start, less when it comes later; to 0.5 it is about
/// 38 and 45. A mean bound below a billionth is taken as a billionth. Values outside \[0, 1\] are ignored and counted.
///
/// # Complexity
///
/// O(1) per value: five or ten multiplications.
///
/// # Examples
///
/// ```
/// use noops_core::Probability;
/// use noops_drift::detector::{Detector, EDetector, EDetectorSettings};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let settings = EDetectorSettings::default().with_reference_mean(Probability::new(0.2)?);
/// let mut detector = EDetector::new(settings)?;
/// assert!((0..1_000).all(|row| !detector.update(f64::from(u8::from(row % 5 == 0))).is_drift()));
/// assert!((0..60).any(|row| detector.update(f64::from(row % 2)).is_drift()));
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Stored<EDetectorSettings, Track>")]
pub struct EDetector {
    settings: EDetectorSettings,
    track: Track,
    ignored: u64,
}

impl EDetector {
    /// Starts without evidence.
    ///
    /// # Errors
    ///
    /// [`DriftError::InvalidSetting`] unless the tolerance is in \[0, 1\].
    pub fn new(settings: EDetectorSettings) -> Result<Self, DriftError> {
        settings.validate()?;
        Ok(Self {
            settings,
            track: Track::default(),
            ignored: 0,
        })
    }

    /// The evidence for a change since the last restart; it is not an e-value, its expectation may grow by 1 per value.
    #[must_use]
    pub fn evidence(&self) -> LogE {
        LogE::new(self.level().ln())
    }

    /// The settings.
    #[must_use]
    pub fn settings(&self) -> &EDetectorSettings {
        &self.settings
    }

    #[inline]
    fn level(&self) -> f64 {
        let direction = self.settings.direction;
        let weight = match direction {
            Direction::Both => 2.0 * BETS.len() as f64,
            Direction::Up | Direction::Down => BETS.len() as f64,
        };
        // A side that is not watched stays at 0.
        (self.track.up.iter().sum::<f64>() + self.track.down.iter().sum::<f64>()) / weight
    }
}

/// How an [`EDetector`] forgets the time before the change. Both keep its promise.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Recursion {
    /// The evidence of the best time of the change: quieter than promised, and slower.
    Cusum,
    /// The summed evidence of all times of the change: close to the promised run length, and faster.
    ShiryaevRoberts,
}

/// The settings of [`EDetector`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct EDetectorSettings {
    reference_mean: Probability,
    tolerance: f64,
    alpha: Alpha,
    direction: Direction,
    recursion: Recursion,
}

impl EDetectorSettings {
    /// Sets the mean of the stream without drift; 0.5 unless set.
    #[must_use]
    pub fn with_reference_mean(mut self, reference_mean: Probability) -> Self {
        self.reference_mean = reference_mean;
        self
    }

    /// Sets how far the mean may leave the reference without being drift; 0 unless set.
    ///
    /// If the reference mean is an estimate, its error belongs here.
    #[must_use]
    pub fn with_tolerance(mut self, tolerance: f64) -> Self {
        self.tolerance = tolerance;
        self
    }

    /// Sets the inverse of the smallest average number of values to a false alarm; 0.0001 unless set.
    #[must_use]
    pub fn with_alpha(mut self, alpha: Alpha) -> Self {
        self.alpha = alpha;
        self
    }

    /// Sets which changes count; increases unless set.
    #[must_use]
    pub fn with_direction(mut self, direction: Direction) -> Self {
        self.direction = direction;
        self
    }

    /// Sets the recursion; Shiryaev–Roberts unless set.
    #[must_use]
    pub fn with_recursion(mut self, recursion: Recursion) -> Self {
        self.recursion = recursion;
        self
    }

    /// The mean of the stream without drift.
    #[must_use]
    pub fn reference_mean(&self) -> Probability {
        self.reference_mean
    }

    /// How far the mean may leave the reference without being drift.
    #[must_use]
    pub fn tolerance(&self) -> f64 {
        self.tolerance
    }

    /// The inverse of the smallest average number of values to a false alarm.
    #[must_use]
    pub fn alpha(&self) -> Alpha {
        self.alpha
    }

    /// Which changes count.
    #[must_use]
    pub fn direction(&self) -> Direction {
        self.direction
    }

    /// The recursion.
    #[must_use]
    pub fn recursion(&self) -> Recursion {
        self.recursion
    }

    fn validate(&self) -> Result<(), DriftError> {
        check_setting(
            "tolerance",
            self.tolerance,
            0.0,
            1.0,
            "a number from 0 to 1",
        )
    }
}

impl Default for EDetectorSettings {
    fn default() -> Self {
        Self {
            reference_mean: Probability::new(0.5).unwrap_or(Probability::ONE),
            tolerance: 0.0,
            alpha: Alpha::ONE_PERCENT.split(NonZeroUsize::MIN.saturating_add(99)),
            direction: Direction::Up,
            recursion: Recursion::ShiryaevRoberts,
        }
    }
}

impl Detector for EDetector {
    #[inline]
    fn update(&mut self, value: f64) -> State {
        if !is_share(value) {
            self.ignored = self.ignored.saturating_add(1);
            return State::Stable;
        }
        let settings = &self.settings;
        let mean = settings.reference_mean.get();
        if settings.direction.sees_up() {
            let bound = (mean + settings.tolerance).clamp(SMALLEST_BOUND, 1.0);
            bet(&mut self.track.up, value / bound - 1.0, settings.recursion);
        }
        if settings.direction.sees_down() {
            let bound = (1.0 - mean + settings.tolerance).clamp(SMALLEST_BOUND, 1.0);
            let gain = (1.0 - value) / bound - 1.0;
            bet(&mut self.track.down, gain, settings.recursion);
        }
        if self.level() >= 1.0 / self.settings.alpha.get() {
            self.track = Track::default();
            return State::Drift;
        }
        State::Stable
    }

    fn reset(&mut self) {
        self.track = Track::default();
        self.ignored = 0;
    }

    fn name(&self) -> &'static str {
        "e-detector"
    }

    fn ignored(&self) -> u64 {
        self.ignored
    }
}

/// Takes a gain of at least -1, relative to the bound, into account.
#[inline]
fn bet(levels: &mut [f64; BETS.len()], gain: f64, recursion: Recursion) {
    for (level, fraction) in levels.iter_mut().zip(BETS) {
        let started = match recursion {
            Recursion::Cusum => level.max(1.0),
            Recursion::ShiryaevRoberts => *level + 1.0,
        };
        *level = (1.0 + fraction * gain) * started;
    }
}

/// One level per bet and direction.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
struct Track {
    up: [f64; BETS.len()],
    down: [f64; BETS.len()],
}

impl TryFrom<Stored<EDetectorSettings, Track>> for EDetector {
    type Error = DriftError;

    fn try_from(stored: Stored<EDetectorSettings, Track>) -> Result<Self, DriftError> {
        stored.settings.validate()?;
        let (up, down) = (&stored.track.up, &stored.track.down);
        require(
            STATE,
            up.iter()
                .chain(down)
                .all(|level| (0.0..=f64::MAX).contains(level)),
            "evidence is negative or not a number",
        )?;
        let direction = stored.settings.direction;
        let is_idle = |levels: &[f64; BETS.len()]| levels.iter().all(|level| *level == 0.0);
        require(
            STATE,
            (direction.sees_up() || is_idle(up)) && (direction.sees_down() || is_idle(down)),
            "there is evidence for a direction that is not watched",
        )?;
        let detector = Self {
            settings: stored.settings,
            track: stored.track,
            ignored: stored.ignored,
        };
        require(
            STATE,
            detector.level() < 1.0 / detector.settings.alpha.get(),
            "its alarm is overdue",
        )?;
        Ok(detector)
    }
}

/// Fractions of the largest bet: halving steps cover changes from half the reference mean to a thirtieth.
const BETS: [f64; 5] = [0.5, 0.25, 0.125, 0.0625, 0.031_25];

const SMALLEST_BOUND: f64 = 1e-9;

const STATE: &str = "e-detector state";
