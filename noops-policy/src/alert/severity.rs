use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};

/// How loudly a person is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Severity {
    /// Somebody may want to know.
    Info,
    /// Somebody must look in working hours.
    Ticket,
    /// Somebody is woken up.
    Page,
}

impl Severity {
    /// The severity that the label `severity` states.
    ///
    /// `page` and `critical` page; `ticket`, `warning` and an absent label make a ticket; `info` and `none` inform. A value
    /// that is none of these pages: a typing error must not make an alert quieter.
    #[must_use]
    pub fn of(labels: &BTreeMap<String, String>) -> Self {
        match labels.get(SEVERITY).map(String::as_str) {
            None | Some("" | "ticket" | "warning") => Self::Ticket,
            Some("info" | "none") => Self::Info,
            Some(_) => Self::Page,
        }
    }
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Info => "info",
            Self::Ticket => "ticket",
            Self::Page => "page",
        })
    }
}

/// The label that states the severity.
pub(super) const SEVERITY: &str = "severity";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_severity_that_nobody_knows_is_loud() {
        let of = |value: &str| Severity::of(&BTreeMap::from([("severity".into(), value.into())]));
        assert_eq!(of("pgae"), Severity::Page);
        assert_eq!(of("critical"), Severity::Page);
        assert_eq!(of("warning"), Severity::Ticket);
        assert_eq!(of("info"), Severity::Info);
        assert_eq!(Severity::of(&BTreeMap::new()), Severity::Ticket);
    }
}
