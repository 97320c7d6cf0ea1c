mod signal;
#[cfg(test)]
mod tests;

use std::fmt;

use serde::{Deserialize, Serialize};

pub use self::signal::{HarmFinding, HarmSignal};

/// Has the data drifted, and does it hurt? Joins what drift tests and what performance says to one answer.
///
/// Retraining should listen to harm: drift that does none is only worth a note, and harm without drift points to the labels or the
/// relation of inputs and label.
///
/// # Formula
///
/// There is harm when any signal says so, and none when at least one shows that there is none and no signal says otherwise.
///
/// # Numerical notes
///
/// Errors add up: with signals that are wrong with probabilities a and b, harm is found falsely with probability at most a + b.
///
/// # Examples
///
/// ```
/// use noops_drift::performance::{DriftAndHarm, DriftFinding, HarmFinding, HarmSignal, HarmVerdict};
///
/// let drift = DriftFinding::Drifted(vec!["income".to_owned()]);
/// let labels = HarmSignal::new("risk", HarmFinding::Unharmed, "the risk is 0.19, of 0.22 tolerated");
/// let report = DriftAndHarm::new(drift, vec![labels]);
/// assert_eq!(report.verdict(), HarmVerdict::BenignDrift);
/// assert_eq!(
///     report.to_string(),
///     "`income` drifted without harm: by risk, the risk is 0.19, of 0.22 tolerated"
/// );
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[must_use]
pub struct DriftAndHarm {
    drift: DriftFinding,
    signals: Vec<HarmSignal>,
}

impl DriftAndHarm {
    /// Joins a finding about drift with any number of signals of harm.
    pub fn new(drift: DriftFinding, signals: Vec<HarmSignal>) -> Self {
        Self { drift, signals }
    }

    /// The one answer.
    #[must_use]
    pub fn verdict(&self) -> HarmVerdict {
        match (self.harm(), &self.drift) {
            (HarmFinding::Harmed, DriftFinding::NoDrift) => HarmVerdict::HarmedWithoutDrift,
            (HarmFinding::Harmed, _) => HarmVerdict::Harmed,
            (HarmFinding::Unharmed, DriftFinding::NoDrift) => HarmVerdict::Stable,
            (HarmFinding::Unharmed, DriftFinding::Drifted(_)) => HarmVerdict::BenignDrift,
            (HarmFinding::Unharmed, DriftFinding::Undecided) | (HarmFinding::Undecided, _) => {
                HarmVerdict::Undecided
            }
        }
    }

    /// What all signals together say about harm.
    #[must_use]
    pub fn harm(&self) -> HarmFinding {
        let says = |finding| {
            self.signals
                .iter()
                .any(|signal| signal.finding() == finding)
        };
        if says(HarmFinding::Harmed) {
            HarmFinding::Harmed
        } else if says(HarmFinding::Unharmed) {
            HarmFinding::Unharmed
        } else {
            HarmFinding::Undecided
        }
    }

    /// What was found about drift.
    #[must_use]
    pub fn drift(&self) -> &DriftFinding {
        &self.drift
    }

    /// The signals of harm.
    pub fn signals(&self) -> &[HarmSignal] {
        &self.signals
    }

    /// The signals that decided: those that agree with what all together say.
    fn grounds(&self) -> String {
        let harm = self.harm();
        let grounds: Vec<String> = self
            .signals
            .iter()
            .filter(|signal| signal.finding() == harm)
            .map(|signal| format!("by {}, {}", signal.name(), signal.detail()))
            .collect();
        if grounds.is_empty() {
            "nothing has measured it".to_owned()
        } else {
            grounds.join("; ")
        }
    }
}

impl fmt::Display for DriftAndHarm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (drift, grounds) = (&self.drift, self.grounds());
        match self.verdict() {
            HarmVerdict::Stable => write!(f, "{drift} and there is no harm: {grounds}"),
            HarmVerdict::BenignDrift => write!(f, "{drift} without harm: {grounds}"),
            HarmVerdict::Harmed => write!(f, "{drift} and there is harm: {grounds}"),
            HarmVerdict::HarmedWithoutDrift => {
                write!(
                    f,
                    "{drift} but there is harm, so look at labels and concept: {grounds}"
                )
            }
            HarmVerdict::Undecided => match self.harm() {
                HarmFinding::Unharmed => write!(f, "{drift} though there is no harm: {grounds}"),
                _ => write!(f, "{drift} and whether there is harm is open: {grounds}"),
            },
        }
    }
}

/// What was found about drift of the data.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum DriftFinding {
    /// These columns drifted, or the data as a whole when none is named.
    Drifted(Vec<String>),
    /// There is no drift worth knowing of.
    NoDrift,
    /// There are too few rows to tell.
    Undecided,
}

impl fmt::Display for DriftFinding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Drifted(columns) if columns.is_empty() => f.write_str("the data drifted"),
            Self::Drifted(columns) => {
                let (named, others) = columns.split_at(columns.len().min(NAMED));
                let named: Vec<String> = named.iter().map(|column| format!("`{column}`")).collect();
                f.write_str(&named.join(", "))?;
                if !others.is_empty() {
                    write!(f, " and `{}` more columns", others.len())?;
                }
                f.write_str(" drifted")
            }
            Self::NoDrift => f.write_str("no column drifted"),
            Self::Undecided => f.write_str("drift is undecided"),
        }
    }
}

/// The one answer to drift and harm.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum HarmVerdict {
    /// No drift and no harm: leave the model alone.
    Stable,
    /// Drift without harm: take note.
    BenignDrift,
    /// Harm, with drift or while drift is undecided: retrain or roll back.
    Harmed,
    /// Harm that the inputs do not show: look at the labels and at the relation of inputs and label, then retrain.
    HarmedWithoutDrift,
    /// Harm, or with no harm the drift, is not known yet.
    Undecided,
}

const NAMED: usize = 3;
