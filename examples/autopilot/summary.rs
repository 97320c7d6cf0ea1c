//! What a run comes to.

use std::time::Instant;

use noops_core::TimeSpan;
use noops_serve::verify_decisions;

use crate::failure::Failure;
use crate::flights::{midnight, midnight_after_months};
use crate::output::Output;
use crate::replay::{Progress, Replay};
use crate::report::{Audit, BadCandidate, BadWeek, Month, Pair, Report, Timeline};

/// Verifies the audit log, writes the decisions, and sums up.
pub(crate) async fn summarise(
    replay: &Replay,
    output: &Output,
    seed: u64,
    started: Instant,
) -> Result<(Report, Timeline), Failure> {
    let entries = output.audit_entries().await?;
    // Signed to the last entry, witnessed, and what is reported here.
    let is_whole = output
        .audit()
        .verify()
        .is_ok_and(|log| log.journalled() == 0 && log.entries() == entries.as_slice());
    let verified = is_whole && verify_decisions(&entries).is_ok();
    output.write_decisions(&entries)?;
    let progress = replay.progress();
    let year = replay.compared(TimeSpan {
        from: midnight(2, 1),
        until: midnight_after_months(11),
    });
    let bad = &progress.bad_candidate;
    let report = Report {
        seed,
        predictions: (progress.next_flight - progress.first_flight) as u64,
        failed_predictions: progress.failed_predictions,
        labels: year.len() as u64,
        brier: year.brier().unwrap_or(NOTHING),
        auc: year.auc().unwrap_or(NOTHING),
        monthly: (2..=12)
            .filter_map(|month| summarise_month(replay, month))
            .collect(),
        retrains: count(progress, "retrain"),
        promotions: count(progress, "promote"),
        rollbacks: count(progress, "rollback"),
        escalations: count(progress, "escalate"),
        bad_candidate: BadCandidate {
            caught_by: bad.caught_by.clone(),
            exposed_share: if bad.all_answers == 0 {
                0.0
            } else {
                bad.answers as f64 / bad.all_answers as f64
            },
        },
        bad_week: BadWeek {
            caught: progress.bad_week.caught,
            rows_quarantined: progress.bad_week.rows_quarantined,
        },
        audit: Audit {
            entries: entries.len() as u64,
            verified,
        },
        predict_p50_us: progress.latency.quantile_us(0.5),
        predict_p99_us: progress.latency.quantile_us(0.99),
        // Time of earlier processes of this run counts up to their last checkpoint.
        wall_seconds: progress.wall_seconds.max(started.elapsed().as_secs_f64()),
    };
    Ok((
        report,
        Timeline {
            days: progress.days.clone(),
            marks: progress.marks.clone(),
        },
    ))
}

fn summarise_month(replay: &Replay, month: u8) -> Option<Month> {
    let compared = replay.compared(TimeSpan {
        from: midnight(month as i8, 1),
        until: midnight_after_months(month - 1),
    });
    let (brier, auc) = (compared.brier()?, compared.auc()?);
    Some(Month {
        month: u32::from(month),
        n: compared.len() as u64,
        brier,
        auc,
    })
}

fn count(progress: &Progress, action: &str) -> u64 {
    progress
        .marks
        .iter()
        .filter(|mark| mark.action == action)
        .count() as u64
}

const NOTHING: Pair = Pair {
    frozen: 0.0,
    autopilot: 0.0,
};
