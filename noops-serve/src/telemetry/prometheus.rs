//! Prometheus's text format.

mod own;
mod triton;

pub(super) use own::{write_arm, write_hub, write_model};
pub(super) use triton::write_triton;

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt::Write as _;

use noops_core::Probability;

use super::histogram::HistogramSnapshot;

/// What the numbers of a metric mean.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum MetricKind {
    /// They only grow.
    Counter,
    /// They go up and down.
    Gauge,
    /// They are a distribution by bounds.
    Histogram,
    /// They are a distribution by quantiles.
    Summary,
}

impl MetricKind {
    fn as_str(self) -> &'static str {
        match self {
            Self::Counter => "counter",
            Self::Gauge => "gauge",
            Self::Histogram => "histogram",
            Self::Summary => "summary",
        }
    }
}

/// A metric: its name, what it means, and its kind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Metric {
    name: Cow<'static, str>,
    help: Cow<'static, str>,
    kind: MetricKind,
}

impl Metric {
    /// A metric of any kind. Characters that a name may not have are written as `_`.
    #[must_use]
    pub fn new(name: &str, help: impl Into<Cow<'static, str>>, kind: MetricKind) -> Self {
        Self {
            name: Cow::Owned(to_name(name, ":")),
            help: help.into(),
            kind,
        }
    }

    pub(super) const fn constant(name: &'static str, help: &'static str, kind: MetricKind) -> Self {
        Self {
            name: Cow::Borrowed(name),
            help: Cow::Borrowed(help),
            kind,
        }
    }
}

/// One number of a sample.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub enum SampleValue {
    /// Written to the last digit.
    Integer(u64),
    /// Written as the shortest decimal that reads back the same, or `NaN`, `+Inf`, `-Inf`.
    Number(f64),
}

impl From<u64> for SampleValue {
    fn from(value: u64) -> Self {
        Self::Integer(value)
    }
}

impl From<f64> for SampleValue {
    fn from(value: f64) -> Self {
        Self::Number(value)
    }
}

impl std::fmt::Display for SampleValue {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match *self {
            Self::Integer(value) => write!(f, "{value}"),
            Self::Number(value) if value.is_nan() => f.write_str("NaN"),
            Self::Number(f64::INFINITY) => f.write_str("+Inf"),
            Self::Number(f64::NEG_INFINITY) => f.write_str("-Inf"),
            Self::Number(value) => write!(f, "{value}"),
        }
    }
}

/// Samples on their way to a text in Prometheus's format 0.0.4.
///
/// Samples may come in any order: the text has every metric once, with its samples together and sorted, so that the same samples
/// give the same text. Of two samples with the same labels the later one stays.
///
/// # Examples
///
/// ```
/// use noops_serve::telemetry::{Exposition, Metric, MetricKind};
///
/// let orders = Metric::new("shop_orders_total", "Orders taken.", MetricKind::Counter);
/// let mut exposition = Exposition::new();
/// exposition.sample(&orders, &[("shop", "a \"b\"")], 3_u64);
/// assert_eq!(
///     exposition.to_text(),
///     "# HELP shop_orders_total Orders taken.\n# TYPE shop_orders_total counter\n\
///      shop_orders_total{shop=\"a \\\"b\\\"\"} 3\n"
/// );
/// ```
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Exposition {
    families: BTreeMap<Cow<'static, str>, Family>,
}

#[derive(Clone, Debug, PartialEq)]
struct Family {
    help: Cow<'static, str>,
    kind: MetricKind,
    /// The lines of each set of labels.
    series: BTreeMap<String, String>,
}

impl Exposition {
    /// The value of the `Content-Type` header.
    pub const CONTENT_TYPE: &'static str = "text/plain; version=0.0.4; charset=utf-8";

    /// Nothing yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds one sample.
    pub fn sample(
        &mut self,
        metric: &Metric,
        labels: &[(&str, &str)],
        value: impl Into<SampleValue>,
    ) {
        let labels = label_text(labels);
        let mut line = String::new();
        push_line(&mut line, &metric.name, "", &labels, value.into());
        self.insert(metric, labels, line);
    }

    /// Adds a distribution of nanoseconds as a histogram in seconds.
    ///
    /// The bounds are 1, 2.5 and 5 of every decade from a microsecond to ten seconds, and 0.2 s. A value less than one part in 16 below a
    /// bound may be counted above it, so that what the text says is within a bound surely is.
    pub fn durations(
        &mut self,
        metric: &Metric,
        labels: &[(&str, &str)],
        nanoseconds: &HistogramSnapshot,
    ) {
        let (name, labels) = (&metric.name, label_text(labels));
        let mut lines = String::new();
        for (seconds, bound) in BOUNDS {
            let with_bound = join(&labels, &format!("le=\"{seconds}\""));
            let count = nanoseconds.count_at_most(bound).into();
            push_line(&mut lines, name, "_bucket", &with_bound, count);
        }
        let count = nanoseconds.count().into();
        push_line(
            &mut lines,
            name,
            "_bucket",
            &join(&labels, "le=\"+Inf\""),
            count,
        );
        let sum = (nanoseconds.sum() as f64 / 1e9).into();
        push_line(&mut lines, name, "_sum", &labels, sum);
        push_line(&mut lines, name, "_count", &labels, count);
        self.insert(metric, labels, lines);
    }

    /// Adds a distribution of nanoseconds as a summary in microseconds, with the quantiles that Triton has.
    pub(super) fn summary_microseconds(
        &mut self,
        metric: &Metric,
        labels: &[(&str, &str)],
        nanoseconds: &HistogramSnapshot,
    ) {
        let (name, labels) = (&metric.name, label_text(labels));
        let mut lines = String::new();
        for q in QUANTILES {
            let at = Probability::new(q).ok();
            let value = at.and_then(|q| nanoseconds.quantile(q));
            let value = value.map_or(f64::NAN, |value| value as f64 / 1e3);
            let with_quantile = join(&labels, &format!("quantile=\"{q}\""));
            push_line(&mut lines, name, "", &with_quantile, value.into());
        }
        let sum = (nanoseconds.sum() as f64 / 1e3).into();
        push_line(&mut lines, name, "_sum", &labels, sum);
        push_line(
            &mut lines,
            name,
            "_count",
            &labels,
            nanoseconds.count().into(),
        );
        self.insert(metric, labels, lines);
    }

    /// The text.
    #[must_use]
    pub fn to_text(&self) -> String {
        let mut text = String::new();
        for (name, family) in &self.families {
            let (help, kind) = (escape(&family.help, Quotes::Keep), family.kind.as_str());
            let _ = writeln!(text, "# HELP {name} {help}\n# TYPE {name} {kind}");
            text.extend(family.series.values().map(String::as_str));
        }
        text
    }

    fn insert(&mut self, metric: &Metric, labels: String, lines: String) {
        let family = self.families.entry(metric.name.clone());
        let family = family.or_insert_with(|| Family {
            help: metric.help.clone(),
            kind: metric.kind,
            series: BTreeMap::new(),
        });
        family.series.insert(labels, lines);
    }
}

fn push_line(lines: &mut String, name: &str, suffix: &str, labels: &str, value: SampleValue) {
    // Writing to a string does not fail.
    let _ = if labels.is_empty() {
        writeln!(lines, "{name}{suffix} {value}")
    } else {
        writeln!(lines, "{name}{suffix}{{{labels}}} {value}")
    };
}

fn label_text(labels: &[(&str, &str)]) -> String {
    let labels = labels.iter().map(|(name, value)| {
        format!(
            "{}=\"{}\"",
            to_name(name, ""),
            escape(value, Quotes::Escape)
        )
    });
    labels.collect::<Vec<_>>().join(",")
}

fn join(labels: &str, last: &str) -> String {
    if labels.is_empty() {
        last.to_owned()
    } else {
        format!("{labels},{last}")
    }
}

/// A name as the format has it: a letter or `_`, then letters, digits and `_`.
fn to_name(name: &str, also: &str) -> String {
    let allowed = |at: usize, c: char| {
        c == '_' || also.contains(c) || c.is_ascii_alphabetic() || (at > 0 && c.is_ascii_digit())
    };
    let letters = name.char_indices();
    let name: String = letters
        .map(|(at, c)| if allowed(at, c) { c } else { '_' })
        .collect();
    if name.is_empty() {
        "_".to_owned()
    } else {
        name
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Quotes {
    Escape,
    Keep,
}

fn escape(text: &str, quotes: Quotes) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\\' => escaped.push_str("\\\\"),
            '\n' => escaped.push_str("\\n"),
            '"' if quotes == Quotes::Escape => escaped.push_str("\\\""),
            c => escaped.push(c),
        }
    }
    escaped
}

/// Seconds as they are written, and the same in nanoseconds.
const BOUNDS: [(&str, u64); 23] = [
    ("0.000001", 1_000),
    ("0.0000025", 2_500),
    ("0.000005", 5_000),
    ("0.00001", 10_000),
    ("0.000025", 25_000),
    ("0.00005", 50_000),
    ("0.0001", 100_000),
    ("0.00025", 250_000),
    ("0.0005", 500_000),
    ("0.001", 1_000_000),
    ("0.0025", 2_500_000),
    ("0.005", 5_000_000),
    ("0.01", 10_000_000),
    ("0.025", 25_000_000),
    ("0.05", 50_000_000),
    ("0.1", 100_000_000),
    ("0.2", 200_000_000),
    ("0.25", 250_000_000),
    ("0.5", 500_000_000),
    ("1", 1_000_000_000),
    ("2.5", 2_500_000_000),
    ("5", 5_000_000_000),
    ("10", 10_000_000_000),
];
const QUANTILES: [f64; 5] = [0.5, 0.9, 0.95, 0.99, 0.999];

#[cfg(test)]
mod tests;
