use serde::{Deserialize, Serialize};

/// The PromQL of an indicator. In each query `{{.window}}` stands for the window, as in Sloth.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum Queries {
    /// Bad events over all events.
    BadOverTotal {
        /// The number, or the rate, of bad events.
        bad: String,
        /// The number, or the rate, of all events.
        total: String,
    },
    /// Good events over all events.
    GoodOverTotal {
        /// The number, or the rate, of good events.
        good: String,
        /// The number, or the rate, of all events.
        total: String,
    },
    /// A ratio of bad events that is already computed.
    ErrorRatio(String),
    /// A ratio of good events that is already computed.
    SuccessRatio(String),
    /// A raw value, which the objective's bound makes good or bad.
    Value(String),
}

impl Queries {
    /// Every query, with its name for messages.
    pub fn texts(&self) -> impl Iterator<Item = (&'static str, &str)> {
        let (first, second) = match self {
            Self::BadOverTotal { bad, total } => {
                (("bad", bad.as_str()), Some(("total", total.as_str())))
            }
            Self::GoodOverTotal { good, total } => {
                (("good", good.as_str()), Some(("total", total.as_str())))
            }
            Self::ErrorRatio(query) => (("error ratio", query.as_str()), None),
            Self::SuccessRatio(query) => (("success ratio", query.as_str()), None),
            Self::Value(query) => (("value", query.as_str()), None),
        };
        std::iter::once(first).chain(second)
    }
}

/// Whether a query says where its window belongs.
pub(crate) fn has_window(query: &str) -> bool {
    window_places(query).next().is_some()
}

/// The byte ranges of `{{.window}}`, whatever blanks stand inside the braces.
pub(crate) fn window_places(query: &str) -> impl Iterator<Item = std::ops::Range<usize>> + '_ {
    let mut from = 0;
    std::iter::from_fn(move || {
        loop {
            let rest = query.get(from..)?;
            let open = from.checked_add(rest.find("{{")?)?;
            let inside = query.get(open.checked_add(2)?..)?;
            let close = inside.find("}}")?;
            let end = open.checked_add(close)?.checked_add(4)?;
            from = end;
            if inside.get(..close).map(str::trim) == Some(".window") {
                return Some(open..end);
            }
        }
    })
}
