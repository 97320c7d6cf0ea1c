//! What watches the stream: the gate, or a change detector.

use std::collections::{BTreeMap, VecDeque};
use std::fmt;

use noops_core::Alpha;
use noops_drift::DriftError;
use noops_drift::detector::{AnyDetector, Detector, DetectorKind, EDetector};
use noops_drift::sequential::{
    CategoryBet, CategoryReference, DriftAspect, GateEvidence, PitBet, ReferenceCdf,
};
use noops_drift::statistic::SortedSample;
use serde::Serialize;

use crate::failure::{Failure, fail};
use crate::frame::printable;
use crate::rows::Value;

/// Watches one column.
pub(crate) enum Watcher {
    Number(Box<NumberGate>),
    Text(Box<TextGate>),
    Detector(Box<Detecting>),
}

/// What there is to say of an alarm.
#[derive(Debug, PartialEq, Serialize)]
pub(crate) struct Alarm {
    /// What moved.
    aspect: String,
    /// Rows since the watch began, or began anew.
    after_rows: u64,
    evidence: Evidence,
}

#[derive(Debug, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
enum Evidence {
    /// The logarithm of the e-value: without drift, e-values of 100 are reached with a probability of 1 % at most.
    LogE(f64),
    /// The mean of the last rows, and that of the reference.
    Means {
        rows: usize,
        now: f64,
        reference: f64,
    },
}

impl fmt::Display for Alarm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} drifted after {} rows, ",
            self.aspect, self.after_rows
        )?;
        match &self.evidence {
            Evidence::LogE(log_e) => {
                // As a power of ten, since it can be beyond what a double holds.
                let decimal = log_e / std::f64::consts::LN_10;
                write!(
                    f,
                    "e-value {:.1}e{}",
                    10_f64.powf(decimal - decimal.floor()),
                    decimal.floor()
                )
            }
            Evidence::Means {
                rows,
                now,
                reference,
            } => write!(
                f,
                "mean {now:.4} in the last {rows} rows and {reference:.4} in the reference"
            ),
        }
    }
}

impl Watcher {
    /// The anytime-valid gate for numbers or texts.
    pub(crate) fn gate(reference: &[Value], alpha: Alpha) -> Result<Self, Failure> {
        if reference
            .iter()
            .any(|value| matches!(value, Value::Text(_)))
        {
            return Ok(Self::Text(Box::new(TextGate::new(reference, alpha)?)));
        }
        let cdf = ReferenceCdf::of_sample(&SortedSample::new(&numbers(reference)));
        Ok(Self::Number(Box::new(NumberGate {
            bet: PitBet::new(cdf, alpha),
            alpha,
        })))
    }

    /// A change detector for numbers.
    pub(crate) fn detector(
        kind: DetectorKind,
        reference: &[Value],
        alpha: Option<Alpha>,
        column: &str,
    ) -> Result<Self, Failure> {
        if reference
            .iter()
            .any(|value| matches!(value, Value::Text(_)))
        {
            return Err(fail(format!(
                "column `{column}` holds texts and `{kind}` watches numbers; leave out `--detector`"
            )));
        }
        let detecting = Detecting::new(kind, numbers(reference), alpha, column)?;
        Ok(Self::Detector(Box::new(detecting)))
    }

    /// Takes the next row.
    pub(crate) fn observe(&mut self, value: &Value) -> Option<Alarm> {
        match (self, value) {
            (Self::Number(gate), Value::Number(number)) => gate.observe(*number),
            (Self::Text(gate), Value::Text(text)) => gate.observe(text.as_deref()),
            (Self::Detector(detecting), Value::Number(number)) => detecting.observe(*number),
            // A column is of one kind from its first row to its last.
            (Self::Number(_) | Self::Detector(_), Value::Text(_))
            | (Self::Text(_), Value::Number(_)) => None,
        }
    }

    /// Values that could not be used; the gates count nulls and NaN as missing and use them.
    pub(crate) fn ignored(&self) -> u64 {
        match self {
            Self::Detector(detecting) => detecting.ignored(),
            Self::Number(_) | Self::Text(_) => 0,
        }
    }

    /// What an alarm is worth, in words.
    pub(crate) fn promise(&self) -> String {
        let of_gate = |alpha: Alpha| {
            format!(
                "Had the stream stayed as the reference, the probability of any alarm, over however many rows, would be at most {} %; after each alarm it starts anew.",
                100.0 * alpha.get()
            )
        };
        match self {
            Self::Number(gate) => of_gate(gate.alpha),
            Self::Text(gate) => of_gate(gate.alpha),
            Self::Detector(detecting) => detecting.promise(),
        }
    }
}

/// The gate for numbers.
pub(crate) struct NumberGate {
    bet: PitBet,
    alpha: Alpha,
}

impl NumberGate {
    fn observe(&mut self, value: f64) -> Option<Alarm> {
        self.bet.observe(value);
        let evidence = self.bet.evidence();
        if !evidence.alarmed() {
            return None;
        }
        self.bet.reset();
        Some(alarm(&evidence, aspect(evidence.aspect(), &[])))
    }
}

/// The gate for texts.
pub(crate) struct TextGate {
    bet: CategoryBet,
    alpha: Alpha,
    categories: Vec<String>,
    places: BTreeMap<String, usize>,
}

impl TextGate {
    fn new(reference: &[Value], alpha: Alpha) -> Result<Self, Failure> {
        let mut counts: BTreeMap<&str, u64> = BTreeMap::new();
        let mut missing = 0_u64;
        for value in reference {
            match value {
                Value::Text(Some(text)) => *counts.entry(text).or_default() += 1,
                Value::Text(None) | Value::Number(_) => missing += 1,
            }
        }
        let mut listed: Vec<(&str, u64)> = counts.into_iter().collect();
        // Stable, so equal counts stay in the order of their names.
        listed.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
        let rare = listed.split_off(listed.len().min(MOST_CATEGORIES));
        let unlisted: u64 = rare.iter().map(|(_, count)| count).sum();
        let counts: Vec<u64> = listed.iter().map(|(_, count)| *count).collect();
        let categories: Vec<String> = listed.iter().map(|(name, _)| (*name).to_owned()).collect();
        let reference = CategoryReference::new(&counts)
            .map_err(|error| refused(&error))?
            .with_unlisted(unlisted)
            .with_missing(missing);
        let places = categories.iter().cloned().zip(0..).collect();
        Ok(Self {
            bet: CategoryBet::new(reference, alpha),
            alpha,
            categories,
            places,
        })
    }

    fn observe(&mut self, text: Option<&str>) -> Option<Alarm> {
        match text.map(|text| self.places.get(text)) {
            Some(Some(place)) => self.bet.observe(*place),
            Some(None) => self.bet.observe_unlisted(),
            None => self.bet.observe_missing(),
        }
        let evidence = self.bet.evidence();
        if !evidence.alarmed() {
            return None;
        }
        self.bet.reset();
        Some(alarm(
            &evidence,
            aspect(evidence.aspect(), &self.categories),
        ))
    }
}

fn alarm(evidence: &GateEvidence, aspect: String) -> Alarm {
    Alarm {
        aspect,
        after_rows: evidence.rows(),
        evidence: Evidence::LogE(evidence.max_log_e().get()),
    }
}

fn aspect(aspect: Option<DriftAspect>, categories: &[String]) -> String {
    let name = match aspect {
        Some(DriftAspect::Location) => "location",
        Some(DriftAspect::Spread) => "spread",
        Some(DriftAspect::Skew) => "skew",
        Some(DriftAspect::Tails) => "tails",
        Some(DriftAspect::Missingness) => "missingness",
        Some(DriftAspect::Unlisted) => "unlisted categories",
        Some(DriftAspect::Category(place)) => {
            return categories.get(place).map_or_else(
                || "a category".to_owned(),
                |name| format!("category `{}`", printable(name)),
            );
        }
        _ => "distribution",
    };
    name.to_owned()
}

/// A change detector, and what it takes to describe its alarms.
pub(crate) struct Detecting {
    detector: AnyDetector,
    in_reference: u64,
    reference_mean: f64,
    recent: VecDeque<f64>,
    since: u64,
}

impl Detecting {
    fn new(
        kind: DetectorKind,
        reference: Vec<f64>,
        alpha: Option<Alpha>,
        column: &str,
    ) -> Result<Self, Failure> {
        let finite: Vec<f64> = reference
            .into_iter()
            .filter(|value| value.is_finite())
            .collect();
        if finite.is_empty() {
            return Err(fail(format!(
                "column `{column}` has no finite number in the reference for `{kind}` to learn from"
            )));
        }
        if kind.needs_shares()
            && let Some(odd) = finite.iter().find(|value| !(0.0..=1.0).contains(*value))
        {
            return Err(fail(format!(
                "`{kind}` watches errors from 0 to 1 and column `{column}` holds `{odd}`; choose `adwin`, `page-hinkley`, `cusum` or `kswin`, or leave out `--detector`"
            )));
        }
        let mut detector = AnyDetector::fit(kind, &finite).map_err(|error| refused(&error))?;
        match (&detector, alpha) {
            (_, None) => {}
            (AnyDetector::EDetector(fitted), Some(alpha)) => {
                let settings = fitted.settings().clone().with_alpha(alpha);
                let fitted = EDetector::new(settings).map_err(|error| refused(&error))?;
                detector = AnyDetector::EDetector(fitted);
            }
            (_, Some(_)) => {
                return Err(fail(format!(
                    "`{kind}` has no error rate to set; leave out `--alpha`, or take `e-detector` or no `--detector`"
                )));
            }
        }
        let learns_from_fit = matches!(kind, DetectorKind::Cusum | DetectorKind::EDetector);
        let in_reference = if learns_from_fit {
            0
        } else {
            let alarms = finite
                .iter()
                .filter(|value| detector.update(**value).is_drift());
            alarms.count() as u64
        };
        let rows = finite.len() as f64;
        Ok(Self {
            detector,
            in_reference,
            // Divided first, so that the sum of large numbers stays finite.
            reference_mean: finite.iter().map(|value| value / rows).sum(),
            recent: VecDeque::with_capacity(RECENT),
            since: 0,
        })
    }

    fn observe(&mut self, value: f64) -> Option<Alarm> {
        self.since += 1;
        if value.is_finite() {
            if self.recent.len() == RECENT {
                self.recent.pop_front();
            }
            self.recent.push_back(value);
        }
        if !self.detector.update(value).is_drift() {
            return None;
        }
        let kind = self.detector.kind();
        let rows = self.recent.len();
        let now = self.recent.iter().map(|value| value / rows as f64).sum();
        let alarm = Alarm {
            aspect: match kind {
                DetectorKind::Kswin => "distribution",
                kind if kind.needs_shares() => "error rate",
                _ => "mean",
            }
            .to_owned(),
            after_rows: self.since,
            evidence: Evidence::Means {
                rows,
                now,
                reference: self.reference_mean,
            },
        };
        self.since = 0;
        self.recent.clear();
        Some(alarm)
    }

    fn ignored(&self) -> u64 {
        self.detector.ignored()
    }

    fn promise(&self) -> String {
        let kind = self.detector.kind();
        if let AnyDetector::EDetector(detector) = &self.detector {
            return format!(
                "While the mean is that of the reference, `{kind}` has at least {:.0} rows between false alarms, on average.",
                1.0 / detector.settings().alpha().get()
            );
        }
        let in_reference = match self.in_reference {
            0 => String::new(),
            1 => " It alarmed once in the reference itself.".to_owned(),
            some => format!(" It alarmed {some} times in the reference itself."),
        };
        format!("`{kind}` promises nothing about false alarms.{in_reference}")
    }
}

fn numbers(values: &[Value]) -> Vec<f64> {
    let number = |value: &Value| match value {
        Value::Number(number) => *number,
        Value::Text(_) => f64::NAN,
    };
    values.iter().map(number).collect()
}

fn refused(error: &DriftError) -> Failure {
    fail(format!("cannot watch this column: {error}"))
}

/// Categories that are watched one by one; the others are watched together.
const MOST_CATEGORIES: usize = 100;
/// Rows whose mean describes an alarm of a detector.
const RECENT: usize = 100;
