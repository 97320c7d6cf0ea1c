//! Streaming change detectors behind one trait: a value goes in, and out comes whether the stream has changed.
//!
//! Only [`EDetector`] promises how rarely it cries wolf, whatever the stream: its average run length to a false alarm is
//! at least 1 / alpha. The others are here because they are known, with the alarms of their reference implementations.
//! Compare them with [`evaluate`] beside [`AlwaysFire`], [`NeverFire`] and [`EveryK`] before trusting any: a detector that
//! does not beat an alarm every k rows detects nothing.
//!
//! | kind | values | state | restarts after an alarm |
//! |---|---|---|---|
//! | [`Adwin`] | any | O(log rows) | drops the old part of its window |
//! | [`PageHinkley`], [`Cusum`] | any | O(1) | yes |
//! | [`Kswin`] | any | a window | keeps its most recent values |
//! | [`Ddm`], [`Eddm`], [`HddmA`], [`HddmW`] | errors in \[0, 1\] | O(1) | yes |
//! | [`Fhddm`] | errors in \[0, 1\] | a window | yes |
//! | [`EDetector`] | \[0, 1\] | O(1) | yes |
//!
//! What that costs and buys, by default settings on 100 seeded streams of 5,000 errors whose rate of 0.2 rises at row 2,000:
//! the false alarms of a stream before that, and how many values late the rise is found, on average over the streams in
//! which it is.
//!
//! | detector | false alarms | delay to 0.3 | delay to 0.5 |
//! |---|---|---|---|
//! | [`Adwin`] | 0.00 | 491 | 93 |
//! | [`PageHinkley`] | 0.01 | 458 | 146 |
//! | [`Cusum`], reference known | 5.84 | 62 | 14 |
//! | [`Ddm`] | 0.38 | 663, 12 missed | 218, 1 missed |
//! | [`Eddm`] | 6.86 | 146 | 64 |
//! | [`HddmA`] | 0.03 | 375 | 64 |
//! | [`HddmW`] | 0.06 | 313, 2 missed | 33 |
//! | [`Fhddm`] | 0.01 | 450, 1 missed | 57 |
//! | [`Kswin`] | 0.02 | 931, 88 missed | 459, 26 missed |
//! | [`EDetector`], reference known | 0.09 | 151 | 33 |
//! | [`EDetector`], the same, CUSUM | 0.00 | 270 | 43 |
//! | [`AlwaysFire`] | 2,000 | 1 | 1 |
//! | [`NeverFire`] | 0.00 | all missed | all missed |
//! | [`EveryK`] of 100 | 20 | 100 | 100 |
//!
//! The same for 100 streams of standard normal values that shift by 1 or 0.5 or spread to a standard deviation of 1.5:
//!
//! | detector | false alarms | delay of 1 | delay of 0.5 | delay of the spread |
//! |---|---|---|---|---|
//! | [`Adwin`] | 0.00 | 48 | 121 | 1,307, 97 missed |
//! | [`PageHinkley`] | 1.05 | 44, 1 missed | 106, 1 missed | 500 |
//! | [`Cusum`], reference known | 4.31 | 10 | 40 | 31 |
//! | [`Kswin`] | 2.15 | 31 | 469, 1 missed | 752, 3 missed |
//! | [`AlwaysFire`] | 2,000 | 1 | 1 | 1 |
//! | [`NeverFire`] | 0.00 | all missed | all missed | all missed |
//! | [`EveryK`] of 100 | 20 | 100 | 100 | 100 |
//!
//! Read a delay beside its false alarms: one that is not well below half of the distance between these is chance, as are
//! those of KSWIN for the shift of 0.5 and the spread. The tests of this module assert both tables.

mod adwin;
mod any;
mod baseline;
mod cusum;
mod ddm;
mod direction;
mod e_detector;
mod eddm;
pub mod evaluation;
mod fhddm;
mod hddm_a;
mod hddm_w;
mod kind;
mod kswin;
mod page_hinkley;
mod stored;
#[cfg(test)]
mod tests;

use std::fmt;

use serde::{Deserialize, Serialize};

pub use self::adwin::{Adwin, AdwinSettings};
pub use self::any::AnyDetector;
pub use self::baseline::{AlwaysFire, EveryK, NeverFire};
pub use self::cusum::{Cusum, CusumSettings};
pub use self::ddm::{Ddm, DdmSettings};
pub use self::direction::Direction;
pub use self::e_detector::{EDetector, EDetectorSettings, Recursion};
pub use self::eddm::{Eddm, EddmSettings};
pub use self::evaluation::{Evaluation, EvaluationSummary, evaluate};
pub use self::fhddm::{Fhddm, FhddmSettings};
pub use self::hddm_a::{HddmA, HddmASettings};
pub use self::hddm_w::{HddmW, HddmWSettings};
pub use self::kind::DetectorKind;
pub use self::kswin::{Kswin, KswinSettings};
pub use self::page_hinkley::{PageHinkley, PageHinkleySettings};

/// Something that watches a stream of numbers for change.
///
/// An update never allocates, never panics and never waits. A value a detector cannot use (NaN, infinite, beyond 1e100 in
/// magnitude, or outside \[0, 1\] for a detector of error rates) changes nothing, is counted in
/// [`ignored`](Self::ignored), and answers with the state before it, an alarm excepted.
///
/// # Examples
///
/// ```
/// use noops_drift::detector::{Detector, PageHinkley, PageHinkleySettings, State};
///
/// # fn main() -> Result<(), noops_drift::DriftError> {
/// let mut detector = PageHinkley::new(PageHinkleySettings::default())?;
/// let quiet = (0..500).all(|_| detector.update(1.0) == State::Stable);
/// assert!(quiet);
/// let alarm = (0..500).position(|_| detector.update(3.0).is_drift());
/// assert!(alarm.is_some_and(|row| row < 60));
/// assert!(!detector.update(f64::NAN).is_drift());
/// assert_eq!(detector.ignored(), 1);
/// # Ok(())
/// # }
/// ```
pub trait Detector: fmt::Debug + Send {
    /// Takes the next value of the stream.
    fn update(&mut self, value: f64) -> State;

    /// Forgets the stream and what was ignored; the settings stay.
    fn reset(&mut self);

    /// The name under which [`DetectorKind`] knows the detector, or that of a baseline.
    fn name(&self) -> &'static str;

    /// How many values could not be used since the detector was made or reset.
    fn ignored(&self) -> u64;
}

/// What a detector says after a value.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(rename_all = "snake_case")]
#[must_use]
pub enum State {
    /// Nothing speaks for a change.
    #[default]
    Stable,
    /// A change is suspected. Only some detectors warn.
    Warning,
    /// The stream has changed. The detector has restarted itself, so the next value is judged afresh.
    Drift,
}

impl State {
    /// Whether the stream has changed.
    #[must_use]
    pub fn is_drift(self) -> bool {
        self == Self::Drift
    }

    /// Whether a change is suspected but not yet called.
    #[must_use]
    pub fn is_warning(self) -> bool {
        self == Self::Warning
    }
}

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Stable => "stable",
            Self::Warning => "warning",
            Self::Drift => "drift",
        })
    }
}

/// Whether sums and squares of very many such values stay finite; NaN is not.
fn is_usable(value: f64) -> bool {
    value.abs() <= LARGEST
}

/// Whether the value can be an error or an error rate; NaN cannot.
fn is_share(value: f64) -> bool {
    (0.0..=1.0).contains(&value)
}

/// Beyond this the square of a value times the number of values could leave the range of `f64`.
const LARGEST: f64 = 1e100;
