//! What the replay has to show at the end: the numbers as JSON, the story as one HTML page, and a table for the terminal.

pub(crate) mod html;
pub(crate) mod table;

mod calendar;
mod charts;
mod format;
mod plot;
#[cfg(test)]
mod sample;
mod scale;

use jiff::Timestamp;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};

/// The result of one replay, as written to `report.json`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Report {
    pub(crate) seed: u64,
    pub(crate) predictions: u64,
    pub(crate) failed_predictions: u64,
    pub(crate) labels: u64,
    pub(crate) brier: Pair,
    pub(crate) auc: Pair,
    pub(crate) monthly: Vec<Month>,
    pub(crate) retrains: u64,
    pub(crate) promotions: u64,
    pub(crate) rollbacks: u64,
    pub(crate) escalations: u64,
    pub(crate) bad_candidate: BadCandidate,
    pub(crate) bad_week: BadWeek,
    pub(crate) audit: Audit,
    pub(crate) predict_p50_us: f64,
    pub(crate) predict_p99_us: f64,
    pub(crate) wall_seconds: f64,
}

impl Report {
    /// The report as indented JSON.
    pub(crate) fn to_json(&self) -> String {
        // A struct of numbers and strings serializes; should that ever change, the file says so instead of being empty.
        serde_json::to_string_pretty(self)
            .unwrap_or_else(|error| serde_json::json!({ "error": error.to_string() }).to_string())
    }
}

/// One score of both arms: the model frozen after January, and the autopilot.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Pair {
    pub(crate) frozen: f64,
    pub(crate) autopilot: f64,
}

/// The scores of one calendar month, 1 to 12.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Month {
    pub(crate) month: u32,
    pub(crate) n: u64,
    pub(crate) brier: Pair,
    pub(crate) auc: Pair,
}

/// What became of the candidate that was made bad on purpose.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct BadCandidate {
    /// The stage that stopped it, `shadow` or `canary`; `None` if nothing did.
    pub(crate) caught_by: Option<String>,
    /// The share of live traffic it was exposed to, 0 to 1.
    pub(crate) exposed_share: f64,
}

/// What became of the week of data that was corrupted on purpose.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct BadWeek {
    pub(crate) caught: bool,
    pub(crate) rows_quarantined: u64,
}

/// The state of the audit trail at the end.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Audit {
    pub(crate) entries: u64,
    pub(crate) verified: bool,
}

/// The replay day by day, and every decision taken on the way.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Timeline {
    pub(crate) days: Vec<Day>,
    pub(crate) marks: Vec<Mark>,
}

/// What was measured on one day.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Day {
    pub(crate) date: Date,
    pub(crate) labels: u64,
    pub(crate) brier: Option<Pair>,
    pub(crate) late_rate: Option<f64>,
    /// The challenger's share of the live answers, 0 to 1.
    pub(crate) challenger_share: f64,
    pub(crate) worst_psi: Option<f64>,
    pub(crate) score_psi: Option<f64>,
    pub(crate) drifted_share: Option<f64>,
    pub(crate) quarantined: bool,
}

/// One decision.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Mark {
    /// Shown as UTC, which stands for the airports' local clock.
    pub(crate) at: Timestamp,
    pub(crate) action: String,
    pub(crate) subject: String,
    pub(crate) why: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_reads_back_as_the_same_report() {
        let report = sample::report();
        let read: Report = serde_json::from_str(&report.to_json()).unwrap();
        assert_eq!(read, report);
    }

    #[test]
    fn json_keeps_the_documented_names_in_order() {
        let json = sample::report().to_json();
        let names = [
            "seed",
            "predictions",
            "failed_predictions",
            "labels",
            "brier",
            "auc",
            "monthly",
            "retrains",
            "promotions",
            "rollbacks",
            "escalations",
            "bad_candidate",
            "bad_week",
            "audit",
            "predict_p50_us",
            "predict_p99_us",
            "wall_seconds",
        ];
        let places: Vec<usize> = names
            .iter()
            .map(|name| json.find(&format!("\n  \"{name}\":")).unwrap())
            .collect();
        assert!(places.is_sorted());
    }

    #[test]
    fn an_uncaught_candidate_is_null_in_json() {
        let mut report = sample::report();
        report.bad_candidate.caught_by = None;
        assert!(report.to_json().contains("\"caught_by\": null"));
    }
}
