//! The looks over time, in as many columns as a terminal has room for.

use noops_core::Timestamp;
use noops_policy::slo::{AlertState, BudgetTier, Severity, SloReport};

/// What was seen at every look.
#[derive(Clone, Debug, Default)]
pub(crate) struct Timeline {
    moments: Vec<Moment>,
}

#[derive(Clone, Copy, Debug)]
struct Moment {
    at: Timestamp,
    /// The bad share over the shortest window.
    bad: Option<f64>,
    firing: Option<Severity>,
    tier: BudgetTier,
}

impl Timeline {
    pub(crate) fn add(&mut self, report: &SloReport) {
        let firing = report
            .alerts()
            .iter()
            .filter(|alert| alert.state() == AlertState::Firing)
            .map(|alert| alert.severity())
            .max();
        self.moments.push(Moment {
            at: report.at(),
            bad: report
                .burns()
                .first()
                .and_then(|burn| burn.tally().bad_ratio()),
            firing,
            tier: report.tier(),
        });
    }

    /// Three rows under a line of times: the bad share, what fires, and the tier of the budget.
    pub(crate) fn drawn(&self, columns: usize) -> String {
        let size = self.moments.len().div_ceil(columns.max(1)).max(1);
        let chunks: Vec<&[Moment]> = self.moments.chunks(size).collect();
        let row = |of: fn(&[Moment]) -> char| -> String {
            chunks.iter().map(|chunk| of(chunk)).collect()
        };
        format!(
            "bad     {}\nalerts  {}\nbudget  {}\n        {}",
            row(bad),
            row(firing),
            row(tier),
            self.scale(chunks.len())
        )
    }

    /// The first and the last moment, at the ends of the rows.
    fn scale(&self, columns: usize) -> String {
        let time = |moment: Option<&Moment>| {
            moment.map_or_else(String::new, |moment| {
                moment.at.strftime("%Y-%m-%d %H:%M").to_string()
            })
        };
        let (first, last) = (time(self.moments.first()), time(self.moments.last()));
        let gap = columns.saturating_sub(first.len() + last.len()).max(1);
        format!("{first}{}{last}", " ".repeat(gap))
    }
}

/// The worst share, in eighths of all; `.` without events.
fn bad(chunk: &[Moment]) -> char {
    let worst = chunk
        .iter()
        .filter_map(|moment| moment.bad)
        .max_by(f64::total_cmp);
    match worst {
        None => '.',
        Some(share) if share <= 0.0 => ' ',
        Some(share) => {
            let steps = BARS.len() as f64;
            let step = (share * steps).ceil().clamp(1.0, steps) as usize;
            BARS.get(step - 1).copied().unwrap_or(' ')
        }
    }
}

fn firing(chunk: &[Moment]) -> char {
    match chunk.iter().filter_map(|moment| moment.firing).max() {
        Some(Severity::Page) => 'P',
        Some(Severity::Ticket) => 't',
        None => ' ',
    }
}

fn tier(chunk: &[Moment]) -> char {
    match chunk.iter().map(|moment| moment.tier).max() {
        Some(BudgetTier::Frozen) => 'F',
        Some(BudgetTier::Mitigation) => 'M',
        Some(BudgetTier::Awareness) => 'A',
        Some(BudgetTier::Healthy) | None => ' ',
    }
}

const BARS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];
