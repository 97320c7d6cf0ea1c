//! How good is a detector? False alarms, delay and misses on streams whose change is known.
//!
//! Report them beside [`AlwaysFire`](super::AlwaysFire), [`NeverFire`](super::NeverFire) and
//! [`EveryK`](super::EveryK): a score that one of these wins is no score.

use serde::{Deserialize, Serialize};

use super::Detector;

/// Runs a detector over a stream that changes at row `change_at`, counted from 0.
///
/// The detector is used as it is: reset it first if it has seen another stream. Pass a `change_at` beyond the stream for
/// one that never changes.
///
/// # Examples
///
/// ```
/// use noops_drift::detector::{Adwin, AdwinSettings, AlwaysFire, evaluate};
///
/// # fn main() -> Result<(), noops_drift::DriftError> {
/// let stream = || (0..1_000).map(|row| if row < 500 { 0.0 } else { 1.0 });
/// let adwin = evaluate(&mut Adwin::new(AdwinSettings::default())?, stream(), 500);
/// assert_eq!(adwin.false_alarms(), 0);
/// assert!(adwin.delay().is_some_and(|rows| rows <= 32));
/// let always = evaluate(&mut AlwaysFire::new(), stream(), 500);
/// assert_eq!((always.false_alarms(), always.delay()), (500, Some(1)));
/// # Ok(())
/// # }
/// ```
pub fn evaluate(
    detector: &mut dyn Detector,
    stream: impl IntoIterator<Item = f64>,
    change_at: u64,
) -> Evaluation {
    let mut evaluation = Evaluation {
        rows: 0,
        change_at,
        false_alarms: 0,
        true_alarms: 0,
        warnings: 0,
        first_alarm: None,
        delay: None,
    };
    for value in stream {
        let row = evaluation.rows;
        evaluation.rows = row.saturating_add(1);
        let state = detector.update(value);
        if state.is_warning() {
            evaluation.warnings += 1;
        }
        if !state.is_drift() {
            continue;
        }
        evaluation.first_alarm = evaluation.first_alarm.or(Some(row));
        match row.checked_sub(change_at) {
            None => evaluation.false_alarms += 1,
            Some(since) => {
                evaluation.true_alarms += 1;
                evaluation.delay = evaluation.delay.or(Some(since.saturating_add(1)));
            }
        }
    }
    evaluation
}

/// What a detector did on one stream.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[must_use]
pub struct Evaluation {
    rows: u64,
    change_at: u64,
    false_alarms: u64,
    true_alarms: u64,
    warnings: u64,
    first_alarm: Option<u64>,
    delay: Option<u64>,
}

impl Evaluation {
    /// How many values the stream had.
    #[must_use]
    pub fn rows(&self) -> u64 {
        self.rows
    }

    /// The row at which it changed.
    #[must_use]
    pub fn change_at(&self) -> u64 {
        self.change_at
    }

    /// Alarms before the change.
    #[must_use]
    pub fn false_alarms(&self) -> u64 {
        self.false_alarms
    }

    /// Alarms from the change on; more than one is a repetition.
    #[must_use]
    pub fn true_alarms(&self) -> u64 {
        self.true_alarms
    }

    /// Rows at which there was a warning.
    #[must_use]
    pub fn warnings(&self) -> u64 {
        self.warnings
    }

    /// The row of the first alarm of all.
    #[must_use]
    pub fn first_alarm(&self) -> Option<u64> {
        self.first_alarm
    }

    /// How many values of the changed stream there had been at the first alarm from the change on, that value included.
    #[must_use]
    pub fn delay(&self) -> Option<u64> {
        self.delay
    }

    /// Whether the stream changed and no alarm followed.
    #[must_use]
    pub fn is_missed(&self) -> bool {
        self.change_at < self.rows && self.delay.is_none()
    }
}

/// What a detector did on several streams.
///
/// # Examples
///
/// ```
/// use noops_drift::detector::{EveryK, EvaluationSummary, evaluate};
///
/// # fn main() -> Result<(), noops_drift::DriftError> {
/// let runs = [120, 180].map(|change_at| {
///     evaluate(&mut EveryK::new(100).unwrap(), vec![0.0; 300], change_at)
/// });
/// let summary = EvaluationSummary::of(&runs);
/// assert_eq!(summary.false_alarms_per_thousand(), 1_000.0 * 2.0 / 300.0);
/// assert_eq!(summary.mean_delay(), Some(50.0));
/// assert_eq!(summary.missed(), 0);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[must_use]
pub struct EvaluationSummary {
    runs: u64,
    changed: u64,
    missed: u64,
    false_alarms: u64,
    quiet_rows: u64,
    found: u64,
    delays: f64,
    largest_delay: Option<u64>,
}

impl EvaluationSummary {
    /// Adds the runs up.
    pub fn of(runs: &[Evaluation]) -> Self {
        let mut summary = Self {
            runs: 0,
            changed: 0,
            missed: 0,
            false_alarms: 0,
            quiet_rows: 0,
            found: 0,
            delays: 0.0,
            largest_delay: None,
        };
        for run in runs {
            summary.runs += 1;
            summary.changed += u64::from(run.change_at < run.rows);
            summary.missed += u64::from(run.is_missed());
            summary.false_alarms = summary.false_alarms.saturating_add(run.false_alarms);
            let quiet = run.change_at.min(run.rows);
            summary.quiet_rows = summary.quiet_rows.saturating_add(quiet);
            if let Some(delay) = run.delay {
                summary.found += 1;
                summary.delays += delay as f64;
                summary.largest_delay = summary.largest_delay.max(Some(delay));
            }
        }
        summary
    }

    /// How many streams there were.
    #[must_use]
    pub fn runs(&self) -> u64 {
        self.runs
    }

    /// How many of them changed.
    #[must_use]
    pub fn changed(&self) -> u64 {
        self.changed
    }

    /// In how many the change was not found.
    #[must_use]
    pub fn missed(&self) -> u64 {
        self.missed
    }

    /// Alarms before the change, in all streams.
    #[must_use]
    pub fn false_alarms(&self) -> u64 {
        self.false_alarms
    }

    /// Alarms before the change for a thousand values before it, 0 if there were none.
    #[must_use]
    pub fn false_alarms_per_thousand(&self) -> f64 {
        if self.quiet_rows == 0 {
            0.0
        } else {
            1_000.0 * self.false_alarms as f64 / self.quiet_rows as f64
        }
    }

    /// The mean delay of the changes that were found. Read it beside [`missed`](Self::missed).
    #[must_use]
    pub fn mean_delay(&self) -> Option<f64> {
        (self.found > 0).then(|| self.delays / self.found as f64)
    }

    /// The largest delay of the changes that were found.
    #[must_use]
    pub fn largest_delay(&self) -> Option<u64> {
        self.largest_delay
    }
}
