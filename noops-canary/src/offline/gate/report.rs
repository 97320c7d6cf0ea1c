use std::fmt;

use serde::{Deserialize, Serialize};

use super::{Criterion, Finding, Rule};

/// What a gate, or one of its criteria, says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum GateVerdict {
    /// It is shown.
    Pass,
    /// The opposite is shown.
    Fail,
    /// Neither is shown.
    Undecided,
}

impl fmt::Display for GateVerdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Pass => "pass",
            Self::Fail => "fail",
            Self::Undecided => "undecided",
        })
    }
}

/// One criterion, what was found, and what follows.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CriterionResult {
    criterion: Criterion,
    finding: Option<Finding>,
    verdict: GateVerdict,
}

impl CriterionResult {
    pub(super) fn new(criterion: Criterion, finding: Option<Finding>) -> Self {
        Self {
            verdict: criterion.rule().verdict(finding.as_ref()),
            criterion,
            finding,
        }
    }

    /// The criterion.
    #[must_use]
    pub fn criterion(&self) -> &Criterion {
        &self.criterion
    }

    /// What was found; `None` if nothing was passed under its name.
    #[must_use]
    pub fn finding(&self) -> Option<&Finding> {
        self.finding.as_ref()
    }

    /// What follows.
    #[must_use]
    pub fn verdict(&self) -> GateVerdict {
        self.verdict
    }
}

impl fmt::Display for CriterionResult {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = self.criterion.name();
        match &self.finding {
            None => return write!(f, "`{name}` was not measured"),
            Some(Finding::Estimate { value, interval }) => write!(
                f,
                "`{name}` is {value:.4} ({:.4} to {:.4})",
                interval.lower(),
                interval.upper()
            )?,
            Some(Finding::Slices(report)) => match report.worst() {
                Some(worst) => write!(
                    f,
                    "`{name}` is worst in slice `{}` with a difference of {:.4}",
                    worst.slice(),
                    worst.comparison().mean_difference()
                )?,
                None => write!(f, "`{name}` has no slice with enough rows")?,
            },
        }
        match self.criterion.rule() {
            Rule::AtLeast(limit) => write!(f, " where at least {limit} is asked"),
            Rule::AtMost(limit) => write!(f, " where at most {limit} is asked"),
            Rule::NonInferior(margin) => {
                write!(f, " where the limit of harm is {}", margin.limit())
            }
            Rule::EverySlice => f.write_str(" where every slice must hold its margin"),
        }
    }
}

/// What a gate says of a candidate.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct GateReport {
    verdict: GateVerdict,
    results: Vec<CriterionResult>,
}

impl GateReport {
    pub(super) fn new(results: Vec<CriterionResult>) -> Self {
        let any = |verdict: GateVerdict| results.iter().any(|result| result.verdict == verdict);
        let verdict = if any(GateVerdict::Fail) {
            GateVerdict::Fail
        } else if any(GateVerdict::Undecided) || results.is_empty() {
            GateVerdict::Undecided
        } else {
            GateVerdict::Pass
        };
        Self { verdict, results }
    }

    /// Pass if every criterion passes, fail if any fails, undecided otherwise.
    #[must_use]
    pub fn verdict(&self) -> GateVerdict {
        self.verdict
    }

    /// The criteria in the gate's order.
    #[must_use]
    pub fn results(&self) -> &[CriterionResult] {
        &self.results
    }

    /// One paragraph: the verdict, why, and what would have changed it.
    #[must_use]
    pub fn explain(&self) -> String {
        let list = |verdict: GateVerdict| {
            let chosen = self
                .results
                .iter()
                .filter(|result| result.verdict == verdict);
            let texts: Vec<String> = chosen.map(ToString::to_string).collect();
            texts.join("; ")
        };
        let passed = list(GateVerdict::Pass);
        let failed = list(GateVerdict::Fail);
        let undecided = list(GateVerdict::Undecided);
        let mut text = match self.verdict {
            GateVerdict::Pass => format!("The candidate passes: {passed}."),
            GateVerdict::Fail => format!("The candidate fails: {failed}."),
            GateVerdict::Undecided => format!("The gate is undecided: {undecided}."),
        };
        if self.verdict == GateVerdict::Fail && !undecided.is_empty() {
            text.push_str(&format!(" Undecided besides: {undecided}."));
        }
        if self.verdict != GateVerdict::Pass && !passed.is_empty() {
            text.push_str(&format!(" Passed: {passed}."));
        }
        text.push_str(match self.verdict {
            GateVerdict::Pass => {
                " An interval that reached its limit would have left it undecided."
            }
            GateVerdict::Fail => {
                " It passes once every interval lies wholly on the good side of its limit."
            }
            GateVerdict::Undecided => {
                " More rows, or the missing measurements, would decide; undecided is not a pass."
            }
        });
        text
    }
}
