use std::fmt;
use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::control::Control;
use super::mapping::{ControlMapping, MappedControl};
use super::query::EvidenceQuery;
use crate::decision::Decision;

/// A time without evidence that is longer than the mapping allows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Gap {
    from: Timestamp,
    to: Timestamp,
}

impl Gap {
    /// The decision before it, or the beginning of the period.
    #[must_use]
    pub fn from(&self) -> Timestamp {
        self.from
    }

    /// The decision after it, or now.
    #[must_use]
    pub fn to(&self) -> Timestamp {
        self.to
    }
}

/// What was recorded for a control.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EvidenceRow {
    control: Control,
    count: u64,
    missing: u64,
    first: Option<Timestamp>,
    last: Option<Timestamp>,
    gaps: Vec<Gap>,
    silent: Vec<String>,
}

impl EvidenceRow {
    /// The control.
    #[must_use]
    pub fn control(&self) -> &Control {
        &self.control
    }

    /// How many decisions within the period are evidence of it.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.count
    }

    /// How many lack.
    #[must_use]
    pub fn missing(&self) -> u64 {
        self.missing
    }

    /// The time of the first of them.
    #[must_use]
    pub fn first(&self) -> Option<Timestamp> {
        self.first
    }

    /// The time of the last of them.
    #[must_use]
    pub fn last(&self) -> Option<Timestamp> {
        self.last
    }

    /// The times without one that are longer than allowed, in order.
    #[must_use]
    pub fn gaps(&self) -> &[Gap] {
        &self.gaps
    }

    /// The mapped policies and rules that decided none of them; a policy that only forbids is silent while all is well.
    #[must_use]
    pub fn silent(&self) -> &[String] {
        &self.silent
    }

    /// Whether there are enough, without a gap.
    #[must_use]
    pub fn is_met(&self) -> bool {
        self.missing == 0 && self.gaps.is_empty()
    }
}

/// What was recorded for each control that names its evidence; it prints as a table.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[must_use]
pub struct EvidenceReport {
    at: Timestamp,
    rows: Vec<EvidenceRow>,
}

impl EvidenceReport {
    /// The moment up to which it looks.
    #[must_use]
    pub fn at(&self) -> Timestamp {
        self.at
    }

    /// The controls, by framework and id.
    #[must_use]
    pub fn rows(&self) -> &[EvidenceRow] {
        &self.rows
    }
}

impl ControlMapping {
    /// What the recorded decisions show, in whatever order they are given. Those dated after `now` do not count.
    ///
    /// It counts what it is given: whether the records are all of them, and unchanged, is for the audit log to prove.
    ///
    /// # Complexity
    ///
    /// O(controls · n log n) for n decisions.
    pub fn evidence(&self, decisions: &[Decision], now: Timestamp) -> EvidenceReport {
        EvidenceReport {
            at: now,
            rows: self
                .controls()
                .iter()
                .filter_map(|mapped| Some(row(mapped, mapped.evidence()?, decisions, now)))
                .collect(),
        }
    }
}

fn row(
    mapped: &MappedControl,
    query: &EvidenceQuery,
    decisions: &[Decision],
    now: Timestamp,
) -> EvidenceRow {
    let start = now.checked_sub(query.period()).unwrap_or(Timestamp::MIN);
    let found: Vec<&Decision> = decisions
        .iter()
        .filter(|decision| decision.at() >= start && decision.at() <= now)
        .filter(|decision| query.takes(decision))
        .filter(|decision| mapped.policies().any(|name| decided(decision, name)))
        .collect();
    let mut times: Vec<Timestamp> = found.iter().map(|decision| decision.at()).collect();
    times.sort_unstable();
    let count = u64::try_from(found.len()).unwrap_or(u64::MAX);
    EvidenceRow {
        control: mapped.control().clone(),
        count,
        missing: query.at_least().saturating_sub(count),
        first: times.first().copied(),
        last: times.last().copied(),
        gaps: query
            .longest_gap()
            .map(|longest| gaps(start, &times, now, longest))
            .unwrap_or_default(),
        silent: mapped
            .policies()
            .filter(|name| !found.iter().any(|decision| decided(decision, name)))
            .map(str::to_owned)
            .collect(),
    }
}

/// Whether a policy, or a rule given as `policy/rule`, was among those that decided.
fn decided(decision: &Decision, name: &str) -> bool {
    decision.rules().iter().any(|rule| {
        name == rule.policy()
            || name
                .strip_prefix(rule.policy())
                .and_then(|rest| rest.strip_prefix('/'))
                == Some(rule.rule())
    })
}

fn gaps(start: Timestamp, times: &[Timestamp], now: Timestamp, longest: Duration) -> Vec<Gap> {
    let before = std::iter::once(start).chain(times.iter().copied());
    let after = times.iter().copied().chain(std::iter::once(now));
    before
        .zip(after)
        .filter(|(from, to)| {
            Duration::try_from(to.duration_since(*from)).is_ok_and(|between| between > longest)
        })
        .map(|(from, to)| Gap { from, to })
        .collect()
}

impl fmt::Display for EvidenceReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<String> = self
            .rows
            .iter()
            .map(|row| row.control.to_string())
            .collect();
        let width = names
            .iter()
            .map(|name| name.chars().count())
            .max()
            .unwrap_or(0);
        for (name, row) in names.iter().zip(&self.rows) {
            let mark = if row.is_met() { " " } else { "!" };
            write!(
                f,
                "{mark} {name:width$}  {} found, {} missing",
                row.count, row.missing
            )?;
            if let (Some(first), Some(last)) = (row.first, row.last) {
                write!(f, ", from {first} to {last}")?;
            }
            for gap in &row.gaps {
                write!(f, ", nothing from {} to {}", gap.from, gap.to)?;
            }
            writeln!(f)?;
        }
        Ok(())
    }
}
