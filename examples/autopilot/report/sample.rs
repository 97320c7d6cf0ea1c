//! A made-up replay for the tests of this module.

use jiff::civil::date;
use jiff::{Span, Timestamp};

use super::{Audit, BadCandidate, BadWeek, Day, Mark, Month, Pair, Report, Timeline};

pub(super) fn report() -> Report {
    let monthly = (2..=12)
        .map(|month| Month {
            month,
            n: 1000 + u64::from(month),
            brier: pair(0.16 + 0.001 * f64::from(month), 0.15),
            auc: pair(0.68, 0.68 + 0.002 * f64::from(month)),
        })
        .collect();
    Report {
        seed: 7,
        predictions: 1_234_567,
        failed_predictions: 0,
        labels: 1_200_000,
        brier: pair(0.167, 0.15),
        auc: pair(0.68, 0.694),
        monthly,
        retrains: 9,
        promotions: 4,
        rollbacks: 1,
        escalations: 2,
        bad_candidate: BadCandidate {
            caught_by: Some("shadow".to_owned()),
            exposed_share: 0.0,
        },
        bad_week: BadWeek {
            caught: true,
            rows_quarantined: 31_234,
        },
        audit: Audit {
            entries: 57,
            verified: true,
        },
        predict_p50_us: 84.2,
        predict_p99_us: 1310.0,
        wall_seconds: 93.4,
    }
}

/// So many days from the first of January 2008, with one decision of each kind on the first day.
pub(super) fn timeline(days: i64) -> Timeline {
    let first = date(2008, 1, 1);
    let days = (0..days)
        .map(|index| {
            let wave = (index as f64 / 20.0).sin();
            Day {
                date: first.saturating_add(Span::new().days(index)),
                labels: 100,
                brier: Some(pair(0.16 + 0.01 * wave, 0.15 + 0.01 * wave)),
                late_rate: Some(0.2 + 0.05 * wave),
                challenger_share: if index % 40 < 10 { 0.05 } else { 0.0 },
                worst_psi: Some(0.2 + 0.1 * wave),
                score_psi: Some(0.02),
                drifted_share: Some(0.1),
                quarantined: (100..107).contains(&index),
            }
        })
        .collect();
    let midnight = Timestamp::constant(1_199_145_600, 0);
    let marks = ACTIONS
        .iter()
        .map(|action| mark(midnight, action))
        .collect();
    Timeline { days, marks }
}

pub(super) fn mark(at: Timestamp, action: &str) -> Mark {
    Mark {
        at,
        action: action.to_owned(),
        subject: format!("subject of {action}"),
        why: format!("reason for {action}"),
    }
}

pub(super) fn empty() -> Timeline {
    Timeline {
        days: Vec::new(),
        marks: Vec::new(),
    }
}

fn pair(frozen: f64, autopilot: f64) -> Pair {
    Pair { frozen, autopilot }
}

const ACTIONS: [&str; 10] = [
    "register",
    "shadow",
    "ramp",
    "promote",
    "rollback",
    "retrain",
    "quarantine",
    "release",
    "escalate",
    "reject",
];
