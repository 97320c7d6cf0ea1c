use std::fmt;

use noops_core::Digest;
use serde::{Deserialize, Serialize};

use super::control::{Control, Necessity};
use super::mapping::{ControlMapping, MappedControl};

/// How far a control is served.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Coverage {
    /// By a policy that binds, with evidence named.
    Covered {
        /// The policies and rules.
        by: Vec<String>,
    },
    /// By policies, with something left to do.
    Partly {
        /// The policies and rules.
        by: Vec<String>,
        /// What is left to do.
        lacks: String,
    },
    /// By nothing.
    NotCovered,
}

/// A control and how far it is served.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CoverageRow {
    control: Control,
    coverage: Coverage,
}

impl CoverageRow {
    /// The control.
    #[must_use]
    pub fn control(&self) -> &Control {
        &self.control
    }

    /// How far it is served.
    #[must_use]
    pub fn coverage(&self) -> &Coverage {
        &self.coverage
    }
}

/// How far each control is served; it prints as a table.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[must_use]
pub struct CoverageReport {
    policies: Digest,
    rows: Vec<CoverageRow>,
}

impl CoverageReport {
    /// The digest of the policies.
    #[must_use]
    pub fn policies(&self) -> Digest {
        self.policies
    }

    /// The controls, by framework and id.
    #[must_use]
    pub fn rows(&self) -> &[CoverageRow] {
        &self.rows
    }

    /// The mandatory controls that nothing serves.
    pub fn unserved_mandatory(&self) -> impl Iterator<Item = &Control> {
        self.rows
            .iter()
            .filter(|row| row.coverage == Coverage::NotCovered)
            .map(|row| &row.control)
            .filter(|control| control.necessity() == Necessity::Mandatory)
    }
}

impl ControlMapping {
    /// How far each control is served. A policy that only advises, or a control without evidence, serves it partly.
    pub fn coverage(&self) -> CoverageReport {
        CoverageReport {
            policies: self.policies(),
            rows: self.controls().iter().map(row).collect(),
        }
    }
}

fn row(mapped: &MappedControl) -> CoverageRow {
    let by: Vec<String> = mapped.policies().map(str::to_owned).collect();
    let mut lacks: Vec<&str> = Vec::new();
    if mapped.advisory().count() == by.len() {
        lacks.push("a policy that binds");
    }
    if mapped.evidence().is_none() {
        lacks.push("evidence");
    }
    CoverageRow {
        control: mapped.control().clone(),
        coverage: if by.is_empty() {
            Coverage::NotCovered
        } else if lacks.is_empty() {
            Coverage::Covered { by }
        } else {
            Coverage::Partly {
                by,
                lacks: lacks.join(" and "),
            }
        },
    }
}

impl fmt::Display for Coverage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Covered { by } => write!(f, "covered by {}", by.join(", ")),
            Self::Partly { by, lacks } => write!(f, "partly by {}; lacks {lacks}", by.join(", ")),
            Self::NotCovered => f.write_str("not covered"),
        }
    }
}

impl fmt::Display for CoverageReport {
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
            let mark = match (row.control.necessity(), &row.coverage) {
                (Necessity::Mandatory, Coverage::NotCovered) => "!",
                _ => " ",
            };
            writeln!(f, "{mark} {name:width$}  {}", row.coverage)?;
        }
        Ok(())
    }
}
