use noops_core::Alpha;
use noops_stats::special::student_upper_quantile;
use serde::{Deserialize, Serialize};

use crate::interval::Interval;
use crate::offline::area::AreaUnderCurve;
use crate::offline::fraction::Fraction;
use crate::offline::metric::sample_variance;

/// A metric of one group, with what its interval is made from.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Measure {
    Share(Fraction),
    Mean(Mean),
    Area(AreaUnderCurve),
    /// The mean of two independent rates.
    Balanced(Fraction, Fraction),
    /// A number without an interval, or nothing.
    Bare(Option<f64>),
}

impl Measure {
    /// The value; `None` where the group has no rows that it is a metric of.
    pub(super) fn value(&self) -> Option<f64> {
        let value = match self {
            Self::Share(share) => share.value(),
            Self::Mean(mean) => Some(mean.value),
            Self::Area(area) => Some(area.value()),
            Self::Balanced(recall, specificity) => recall
                .value()
                .zip(specificity.value())
                .map(|(a, b)| 0.5 * (a + b)),
            Self::Bare(value) => *value,
        };
        value.filter(|value| value.is_finite())
    }

    /// A two-sided `1 - alpha` interval, where one is known.
    pub(super) fn interval(&self, alpha: Alpha) -> Option<Interval> {
        self.value()?;
        match self {
            Self::Share(share) => Some(share.interval(alpha)),
            Self::Mean(mean) => mean.interval(alpha),
            Self::Area(area) => area.logit_interval(alpha),
            Self::Balanced(recall, specificity) => balanced(*recall, *specificity, alpha),
            Self::Bare(_) => None,
        }
        .filter(|interval| interval.lower().is_finite() && interval.upper().is_finite())
    }
}

/// A mean over rows.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Mean {
    value: f64,
    standard_error: Option<f64>,
    rows: u64,
    /// The least value that it can take, whatever the rows, if there is one.
    least: Option<f64>,
}

impl Mean {
    /// The mean of finite values; nothing without any.
    pub(super) fn of(values: &[f64], least: Option<f64>) -> Measure {
        if values.is_empty() {
            return Measure::Bare(None);
        }
        let n = values.len() as f64;
        let value = values.iter().sum::<f64>() / n;
        if !value.is_finite() {
            return Measure::Bare(None);
        }
        let error = sample_variance(values).map(|variance| (variance / n).sqrt());
        Measure::Mean(Self {
            value,
            standard_error: error.filter(|error| error.is_finite()),
            rows: values.len() as u64,
            least,
        })
    }

    /// Student's interval; `None` where the rows show no variance, which says nothing about the next.
    fn interval(&self, alpha: Alpha) -> Option<Interval> {
        let error = self.standard_error.filter(|error| *error > 0.0)?;
        let freedom = self.rows.checked_sub(1).filter(|freedom| *freedom > 0)?;
        let half = student_upper_quantile(alpha.get() / 2.0, freedom as f64) * error;
        Some(Interval::between(
            self.least
                .map_or(self.value - half, |least| (self.value - half).max(least)),
            self.value + half,
        ))
    }
}

/// The interval of the mean of two independent rates, each with Wilson's interval (Zou and Donner, 2008).
fn balanced(recall: Fraction, specificity: Fraction, alpha: Alpha) -> Option<Interval> {
    let (first, second) = recall.value().zip(specificity.value())?;
    let (of_first, of_second) = (recall.interval(alpha), specificity.interval(alpha));
    let below = libm::hypot(first - of_first.lower(), second - of_second.lower());
    let above = libm::hypot(of_first.upper() - first, of_second.upper() - second);
    let value = 0.5 * (first + second);
    Some(Interval::between(
        (value - 0.5 * below).max(0.0),
        (value + 0.5 * above).min(1.0),
    ))
}
