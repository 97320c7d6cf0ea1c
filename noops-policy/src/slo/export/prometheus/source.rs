use serde::{Deserialize, Serialize};

use crate::slo::Queries;
use crate::slo::import::window_places;

/// How the events of a window are taken from a counter.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(rename_all = "kebab-case")]
pub enum CounterArithmetic {
    /// PromQL's `rate`: survives a counter that starts over, and extrapolates to the edges of the window.
    #[default]
    Rate,
    /// The counter now less the counter then: exact, and wrong for as long as a window in which a counter
    /// started over. Before its first sample a counter counts as zero.
    Difference,
}

/// What the error ratio is computed from.
pub(super) enum Source {
    BadOverTotal {
        bad: String,
        total: String,
    },
    GoodOverTotal {
        good: String,
        total: String,
    },
    ErrorRatio(String),
    SuccessRatio(String),
    Counters {
        selector: String,
        arithmetic: CounterArithmetic,
    },
}

impl Source {
    /// None for raw values, of which no ratio can be made.
    pub(super) fn of(queries: &Queries) -> Option<Self> {
        match queries.clone() {
            Queries::BadOverTotal { bad, total } => Some(Self::BadOverTotal { bad, total }),
            Queries::GoodOverTotal { good, total } => Some(Self::GoodOverTotal { good, total }),
            Queries::ErrorRatio(query) => Some(Self::ErrorRatio(query)),
            Queries::SuccessRatio(query) => Some(Self::SuccessRatio(query)),
            Queries::Value(_) => None,
        }
    }

    /// The error ratio over a window; without a sample where the window has no events.
    pub(super) fn ratio(&self, window: &str) -> String {
        // A line of its own, because a query may end in a comment.
        let part = |query: &str| format!("(\n{}\n)", at_window(query, window));
        match self {
            Self::BadOverTotal { bad, total } => format!("{}\n/\n({} > 0)", part(bad), part(total)),
            Self::GoodOverTotal { good, total } => {
                format!("1 - (\n{}\n/\n({} > 0)\n)", part(good), part(total))
            }
            Self::ErrorRatio(query) => part(query),
            Self::SuccessRatio(query) => format!("1 - {}", part(query)),
            Self::Counters {
                selector,
                arithmetic,
            } => of_counters(selector, *arithmetic, window),
        }
    }

    /// The error ratio over the whole period, where it is computed from the events themselves; a query over a
    /// month of raw series is too dear, and is averaged from the shortest window instead.
    pub(super) fn period_ratio(&self, period: &str) -> Option<String> {
        match self {
            Self::Counters { .. } => Some(self.ratio(period)),
            _ => None,
        }
    }
}

fn of_counters(selector: &str, arithmetic: CounterArithmetic, window: &str) -> String {
    let events = |counter: &str| match arithmetic {
        CounterArithmetic::Rate => format!("(sum(rate({counter}[{window}])) or vector(0))"),
        CounterArithmetic::Difference => format!(
            "(\n  (sum({counter}) or vector(0))\n  -\n  (sum({counter} offset {window}) or vector(0))\n)"
        ),
    };
    let bad = events(&format!("{COUNTER}{{{selector},outcome=\"bad\"}}"));
    let all = events(&format!("{COUNTER}{{{selector}}}"));
    format!("{bad}\n/\n({all} > 0)")
}

/// The query with its window filled in.
pub(super) fn at_window(query: &str, window: &str) -> String {
    let mut text = String::new();
    let mut from = 0;
    for place in window_places(query) {
        text.push_str(query.get(from..place.start).unwrap_or_default());
        text.push_str(window);
        from = place.end;
    }
    text.push_str(query.get(from..).unwrap_or_default());
    text
}

const COUNTER: &str = "noops_slo_events_total";
