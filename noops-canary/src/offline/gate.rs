use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::OfflineVerdict;
use super::bootstrap::BootstrapComparison;
use super::comparison::OfflineComparison;
use super::slices::SliceReport;
use crate::batch::settings::Margin;
use crate::error::CanaryError;
use crate::interval::Interval;

mod report;

pub use self::report::{CriterionResult, GateReport, GateVerdict};

/// What a candidate must show before it may serve: criteria by name, all of which must pass.
///
/// A criterion passes on evidence only: its whole interval must lie on the good side. One without a finding, or with an interval that holds the
/// limit, is undecided, and so is the gate.
///
/// # Error rates
///
/// All criteria must pass, so each may be tested at the full alpha (an intersection-union test): the chance that a candidate passes that violates at
/// least one criterion is at most the error rate of that criterion's bound.
///
/// # Examples
///
/// ```
/// use std::collections::BTreeMap;
///
/// use noops_canary::offline::{Criterion, Finding, Gate, GateVerdict, Rule};
/// use noops_canary::{Direction, Interval, batch::Margin};
///
/// let gate = Gate::new([
///     Criterion::new("auc", Rule::AtLeast(0.8)),
///     Criterion::new("log loss", Rule::NonInferior(Margin::new(Direction::LowerIsBetter, 0.01)?)),
/// ])?;
/// let mut findings = BTreeMap::new();
/// findings.insert("auc".to_owned(), Finding::estimate(0.85, Interval::new(0.83, 0.87))?);
/// assert_eq!(gate.judge(&findings).verdict(), GateVerdict::Undecided);
///
/// findings.insert("log loss".to_owned(), Finding::estimate(0.001, Interval::new(-0.003, 0.005))?);
/// let report = gate.judge(&findings);
/// assert_eq!(report.verdict(), GateVerdict::Pass);
/// assert!(report.explain().starts_with("The candidate passes"));
/// # Ok::<(), noops_canary::CanaryError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "RawGate")]
pub struct Gate {
    criteria: Vec<Criterion>,
}

impl Gate {
    /// A gate of criteria.
    ///
    /// # Errors
    ///
    /// [`CanaryError::Empty`] without criteria, [`CanaryError::Specification`] for a name that is empty or taken, or a limit that is not finite.
    pub fn new(criteria: impl IntoIterator<Item = Criterion>) -> Result<Self, CanaryError> {
        let criteria: Vec<Criterion> = criteria.into_iter().collect();
        if criteria.is_empty() {
            return Err(CanaryError::Empty);
        }
        let mut names = BTreeSet::new();
        for criterion in &criteria {
            let refuse = |reason: &str| CanaryError::Specification {
                part: format!("criterion `{}`", criterion.name),
                reason: reason.to_owned(),
            };
            if criterion.name.trim().is_empty() {
                return Err(refuse("has no name; give it one"));
            }
            if !names.insert(criterion.name.as_str()) {
                return Err(refuse("occurs twice; give each criterion its own name"));
            }
            if let Rule::AtLeast(limit) | Rule::AtMost(limit) = criterion.rule
                && !limit.is_finite()
            {
                return Err(refuse("has a limit that is not finite; set a number"));
            }
        }
        Ok(Self { criteria })
    }

    /// The criteria.
    #[must_use]
    pub fn criteria(&self) -> &[Criterion] {
        &self.criteria
    }

    /// Judges what was found, by the names of the criteria; findings without a criterion are not looked at.
    #[must_use]
    pub fn judge(&self, findings: &BTreeMap<String, Finding>) -> GateReport {
        let results = self.criteria.iter().map(|criterion| {
            let finding = findings.get(&criterion.name);
            CriterionResult::new(criterion.clone(), finding.cloned())
        });
        GateReport::new(results.collect())
    }
}

#[derive(Deserialize)]
struct RawGate {
    criteria: Vec<Criterion>,
}

impl TryFrom<RawGate> for Gate {
    type Error = CanaryError;

    fn try_from(raw: RawGate) -> Result<Self, CanaryError> {
        Self::new(raw.criteria)
    }
}

/// One thing a candidate must show.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Criterion {
    name: String,
    rule: Rule,
}

impl Criterion {
    /// A rule for the finding called `name`.
    #[must_use]
    pub fn new(name: impl Into<String>, rule: Rule) -> Self {
        Self {
            name: name.into(),
            rule,
        }
    }

    /// The name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The rule.
    #[must_use]
    pub fn rule(&self) -> Rule {
        self.rule
    }
}

/// What a finding must be.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Rule {
    /// The candidate's own value is at least this: a quality floor.
    AtLeast(f64),
    /// The candidate's own value is at most this: a loss, a calibration error, a disparity between groups.
    AtMost(f64),
    /// The difference, candidate minus champion, is less harm than the margin.
    NonInferior(Margin),
    /// No slice is worse than the margin it was compared with, and each shows it.
    EverySlice,
}

impl Rule {
    /// What a finding says of the rule.
    pub(super) fn verdict(self, finding: Option<&Finding>) -> GateVerdict {
        match (self, finding) {
            (Self::AtLeast(limit), Some(Finding::Estimate { interval, .. })) => {
                decide(interval.lower() >= limit, interval.is_below(limit))
            }
            (Self::AtMost(limit), Some(Finding::Estimate { interval, .. })) => {
                decide(interval.upper() <= limit, interval.is_above(limit))
            }
            (Self::NonInferior(margin), Some(Finding::Estimate { interval, .. })) => {
                let harm = margin.direction().harm_sign();
                let (best, worst) = if harm > 0.0 {
                    (interval.lower(), interval.upper())
                } else {
                    (-interval.upper(), -interval.lower())
                };
                decide(worst < margin.size(), best > margin.size())
            }
            (Self::EverySlice, Some(Finding::Slices(report))) => match report.verdict() {
                OfflineVerdict::NonInferior => GateVerdict::Pass,
                OfflineVerdict::Inferior => GateVerdict::Fail,
                OfflineVerdict::Undecided => GateVerdict::Undecided,
            },
            // No finding, or one of another kind, shows nothing.
            _ => GateVerdict::Undecided,
        }
    }
}

/// What an evaluation found.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", try_from = "RawFinding")]
#[non_exhaustive]
pub enum Finding {
    /// A number with its interval, unbounded where nothing is known of it.
    #[non_exhaustive]
    Estimate {
        /// The number.
        value: f64,
        /// Where the truth lies.
        interval: Interval,
    },
    /// A comparison by slices.
    Slices(SliceReport),
}

impl Finding {
    /// A number with its interval; without one it decides nothing.
    ///
    /// # Errors
    ///
    /// [`CanaryError::Input`] for a number that is NaN or infinite.
    pub fn estimate(value: f64, interval: Option<Interval>) -> Result<Self, CanaryError> {
        if !value.is_finite() {
            return Err(CanaryError::Input {
                input: "value",
                reason: "is not finite; leave the finding out where nothing was measured",
            });
        }
        Ok(Self::Estimate {
            value,
            interval: interval.unwrap_or(Interval::UNBOUNDED),
        })
    }

    /// A number known without error (the size of a model, a count of rows), **not** an estimate whose error is unknown.
    ///
    /// # Errors
    ///
    /// As for [`estimate`](Self::estimate).
    pub fn exact(value: f64) -> Result<Self, CanaryError> {
        Self::estimate(value, Interval::new(value, value))
    }

    /// The difference that a comparison found; its interval counts only if the blocks can be trusted.
    #[must_use]
    pub fn of_comparison(comparison: &OfflineComparison) -> Self {
        let interval = comparison.interval().filter(|_| comparison.trusted());
        Self::Estimate {
            value: comparison.mean_difference(),
            interval: interval.unwrap_or(Interval::UNBOUNDED),
        }
    }

    /// The difference that a bootstrap found; its interval counts only if the blocks can be trusted.
    #[must_use]
    pub fn of_bootstrap(comparison: &BootstrapComparison) -> Self {
        Self::Estimate {
            value: comparison.estimate(),
            interval: comparison.trusted().unwrap_or(Interval::UNBOUNDED),
        }
    }
}

impl From<SliceReport> for Finding {
    fn from(report: SliceReport) -> Self {
        Self::Slices(report)
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum RawFinding {
    Estimate { value: f64, interval: Interval },
    Slices(SliceReport),
}

impl TryFrom<RawFinding> for Finding {
    type Error = CanaryError;

    fn try_from(raw: RawFinding) -> Result<Self, CanaryError> {
        match raw {
            RawFinding::Estimate { value, interval } => Self::estimate(value, Some(interval)),
            RawFinding::Slices(report) => Ok(Self::Slices(report)),
        }
    }
}

fn decide(pass: bool, fail: bool) -> GateVerdict {
    if pass {
        GateVerdict::Pass
    } else if fail {
        GateVerdict::Fail
    } else {
        GateVerdict::Undecided
    }
}

#[cfg(test)]
mod tests;
