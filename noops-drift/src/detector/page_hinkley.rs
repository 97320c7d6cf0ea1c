use serde::{Deserialize, Serialize};

use super::stored::{Stored, check_setting, require};
use super::{Detector, Direction, LARGEST, State, is_usable};
use crate::error::DriftError;

/// The Page–Hinkley test: does the mean leave the mean of all values so far?
///
/// It restarts after an alarm, and then learns the new mean. It never warns.
///
/// # Formula
///
/// With x̄ the mean of all values so far, the one included, U ← αU + (x − x̄) − δ and D ← αD + (x − x̄) + δ. Drift when
/// U − min U > λ (an increase) or max D − D > λ (a decrease), from the `min_rows`-th value on. Page, "Continuous inspection
/// schemes" (1954); Sebastião and Fernandes (2017) for the two-sided form; defaults and alarms are River's `PageHinkley`.
///
/// # Numerical notes
///
/// No error rate is promised: δ and λ are in the unit of the stream, so standardise it first. At the defaults a standard
/// normal stream is called drifted about every 1,500 values. Deviations are taken from the first value since the restart, so
/// that a constant stream has none, however large its values; the mean is a sum over a count, where River adds to a running
/// mean, and both differ by rounding only.
///
/// # Complexity
///
/// O(1) per value, with no branch that depends on the data but the alarm.
///
/// # Examples
///
/// ```
/// use noops_drift::detector::{Detector, Direction, PageHinkley, PageHinkleySettings};
///
/// # fn main() -> Result<(), noops_drift::DriftError> {
/// let settings = PageHinkleySettings::default().with_threshold(10.0).with_direction(Direction::Down);
/// let mut detector = PageHinkley::new(settings)?;
/// assert!((0..100).all(|_| !detector.update(5.0).is_drift()));
/// assert!((0..100).any(|_| detector.update(4.0).is_drift()));
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Stored<PageHinkleySettings, Track>")]
pub struct PageHinkley {
    settings: PageHinkleySettings,
    track: Track,
    ignored: u64,
}

impl PageHinkley {
    /// Starts without a value.
    ///
    /// # Errors
    ///
    /// [`DriftError::InvalidSetting`] unless delta is from 0 to 1e100, threshold above 0 and at most 1e100, and forgetting
    /// in \[0, 1\].
    pub fn new(settings: PageHinkleySettings) -> Result<Self, DriftError> {
        settings.validate()?;
        Ok(Self {
            settings,
            track: Track::default(),
            ignored: 0,
        })
    }

    /// The mean since the last restart, 0 before any value.
    #[must_use]
    pub fn mean(&self) -> f64 {
        if self.track.count == 0 {
            0.0
        } else {
            self.track.first + self.track.sum / self.track.count as f64
        }
    }

    /// How many values were taken since the last restart.
    #[must_use]
    pub fn observations(&self) -> u64 {
        self.track.count
    }

    /// The settings.
    #[must_use]
    pub fn settings(&self) -> &PageHinkleySettings {
        &self.settings
    }
}

/// The settings of [`PageHinkley`]; the defaults are River's.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct PageHinkleySettings {
    min_rows: u64,
    delta: f64,
    threshold: f64,
    forgetting: f64,
    direction: Direction,
}

impl PageHinkleySettings {
    /// Sets from which value on there may be an alarm; from the 30th unless set.
    #[must_use]
    pub fn with_min_rows(mut self, min_rows: u64) -> Self {
        self.min_rows = min_rows;
        self
    }

    /// Sets the deviation from the mean that is forgiven, δ; 0.005 unless set.
    #[must_use]
    pub fn with_delta(mut self, delta: f64) -> Self {
        self.delta = delta;
        self
    }

    /// Sets the accumulated deviation that is drift, λ; 50 unless set.
    #[must_use]
    pub fn with_threshold(mut self, threshold: f64) -> Self {
        self.threshold = threshold;
        self
    }

    /// Sets the share of the accumulated deviation that is kept from value to value, α; 0.9999 unless set.
    #[must_use]
    pub fn with_forgetting(mut self, forgetting: f64) -> Self {
        self.forgetting = forgetting;
        self
    }

    /// Sets which changes count; both unless set.
    #[must_use]
    pub fn with_direction(mut self, direction: Direction) -> Self {
        self.direction = direction;
        self
    }

    /// From which value on there may be an alarm.
    #[must_use]
    pub fn min_rows(&self) -> u64 {
        self.min_rows
    }

    /// The deviation from the mean that is forgiven.
    #[must_use]
    pub fn delta(&self) -> f64 {
        self.delta
    }

    /// The accumulated deviation that is drift.
    #[must_use]
    pub fn threshold(&self) -> f64 {
        self.threshold
    }

    /// The share of the accumulated deviation that is kept from value to value.
    #[must_use]
    pub fn forgetting(&self) -> f64 {
        self.forgetting
    }

    /// Which changes count.
    #[must_use]
    pub fn direction(&self) -> Direction {
        self.direction
    }

    fn validate(&self) -> Result<(), DriftError> {
        check_setting(
            "delta",
            self.delta,
            0.0,
            LARGEST,
            "a number from 0 to 1e100",
        )?;
        check_setting(
            "threshold",
            self.threshold,
            f64::MIN_POSITIVE,
            LARGEST,
            "a number above 0 and at most 1e100",
        )?;
        check_setting(
            "forgetting",
            self.forgetting,
            0.0,
            1.0,
            "a number from 0 to 1",
        )
    }
}

impl Default for PageHinkleySettings {
    fn default() -> Self {
        Self {
            min_rows: 30,
            delta: 0.005,
            threshold: 50.0,
            forgetting: 0.9999,
            direction: Direction::Both,
        }
    }
}

impl Detector for PageHinkley {
    #[inline]
    fn update(&mut self, value: f64) -> State {
        if !is_usable(value) {
            self.ignored = self.ignored.saturating_add(1);
            return State::Stable;
        }
        let track = &mut self.track;
        if track.count == 0 {
            track.first = value;
        }
        track.count = (track.count + 1).min(MOST_ROWS);
        // The division hangs off the sum, so it is not on the chain from value to value.
        let offset = value - track.first;
        track.sum += offset;
        // A signed count is one instruction away from a float, an unsigned one several.
        let deviation = offset - track.sum / track.count.cast_signed() as f64;
        let (kept, delta) = (self.settings.forgetting, self.settings.delta);
        track.up = kept * track.up + (deviation - delta);
        track.down = kept * track.down + (deviation + delta);
        // Comparisons instead of `min` and `max`, which pay for NaN that cannot occur here.
        if track.up < track.lowest_up {
            track.lowest_up = track.up;
        }
        if track.down > track.highest_down {
            track.highest_down = track.down;
        }
        let threshold = self.settings.threshold;
        let rises = track.up - track.lowest_up > threshold;
        let falls = track.highest_down - track.down > threshold;
        let direction = self.settings.direction;
        let moved = (rises & direction.sees_up()) | (falls & direction.sees_down());
        if moved & (track.count >= self.settings.min_rows) {
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
        "page-hinkley"
    }

    fn ignored(&self) -> u64 {
        self.ignored
    }
}

/// The first deviation is 0, so an extreme of 0 before any value never outlasts the first.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
struct Track {
    count: u64,
    first: f64,
    /// Of the differences from the first value.
    sum: f64,
    up: f64,
    down: f64,
    lowest_up: f64,
    highest_down: f64,
}

impl TryFrom<Stored<PageHinkleySettings, Track>> for PageHinkley {
    type Error = DriftError;

    fn try_from(stored: Stored<PageHinkleySettings, Track>) -> Result<Self, DriftError> {
        stored.settings.validate()?;
        let track = &stored.track;
        let most = LARGEST * (track.count as f64 + 1.0) * 4.0;
        let sums = [
            track.first,
            track.sum,
            track.up,
            track.down,
            track.lowest_up,
            track.highest_down,
        ];
        require(
            STATE,
            track.count <= MOST_ROWS,
            "it counts more values than it can",
        )?;
        require(
            STATE,
            sums.iter().all(|sum| sum.abs() <= most),
            "a sum is beyond what the counted values can reach",
        )?;
        require(
            STATE,
            track.lowest_up <= track.up && track.highest_down >= track.down,
            "a sum is beyond its own extreme",
        )?;
        require(
            STATE,
            track.count > 0 || *track == Track::default(),
            "there are sums without a value",
        )?;
        Ok(Self {
            settings: stored.settings,
            track: stored.track,
            ignored: stored.ignored,
        })
    }
}

/// Counting stops here, so that the count can be taken as a signed one.
const MOST_ROWS: u64 = 1 << 62;

const STATE: &str = "Page–Hinkley state";
