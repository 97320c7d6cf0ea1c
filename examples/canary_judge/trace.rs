//! The evidence over time, as CSV that can be plotted.

use std::path::Path;

use noops_core::LogE;

use crate::failure::{Failure, fail};
use crate::replay::Look;

/// One line per look and metric; what is unknown or unbounded is empty.
pub(crate) fn to_csv(looks: &[Look]) -> String {
    let mut csv = HEADER.to_owned();
    for look in looks {
        for metric in &look.metrics {
            let interval = metric.estimate().interval();
            let numbers = [
                metric.estimate().value(),
                Some(interval.lower()),
                Some(interval.upper()),
                metric.margin(),
                Some(e_value(metric.not_worse())),
                Some(e_value(metric.worse())),
            ];
            csv.push_str(&format!(
                "\n{},{},{}",
                look.at,
                look.requests,
                quoted(metric.name())
            ));
            for number in numbers {
                csv.push(',');
                csv.push_str(&written(number));
            }
        }
    }
    csv.push('\n');
    csv
}

/// Writes the whole file or none.
pub(crate) fn write(out: &Path, csv: &str) -> Result<(), Failure> {
    let failed = |error: std::io::Error| fail(format!("cannot write `{}`: {error}", out.display()));
    let mut partial = out.as_os_str().to_owned();
    partial.push(".partial");
    std::fs::write(&partial, csv).map_err(failed)?;
    std::fs::rename(&partial, out).map_err(failed)
}

/// A finite e-value, since JSON and plots know no infinity.
pub(crate) fn e_value(evidence: LogE) -> f64 {
    evidence.value().min(f64::MAX)
}

fn written(number: Option<f64>) -> String {
    match number.filter(|number| number.is_finite()) {
        None => String::new(),
        Some(number) if number == 0.0 || (1e-4..1e15).contains(&number.abs()) => number.to_string(),
        Some(number) => format!("{number:e}"),
    }
}

fn quoted(name: &str) -> String {
    if name.contains([',', '"', '\n', '\r']) {
        format!("\"{}\"", name.replace('"', "\"\""))
    } else {
        name.to_owned()
    }
}

const HEADER: &str = "time,requests,metric,estimate,lower,upper,margin,e_not_worse,e_worse";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_short_and_infinities_empty() {
        assert_eq!(written(Some(0.25)), "0.25");
        assert_eq!(written(Some(1e-300)), "1e-300");
        assert_eq!(written(Some(f64::MAX)), "1.7976931348623157e308");
        assert_eq!(written(Some(f64::INFINITY)), "");
        assert_eq!(written(None), "");
    }

    #[test]
    fn a_name_with_a_comma_is_one_field() {
        assert_eq!(quoted("errors"), "errors");
        assert_eq!(quoted("a,\"b\""), "\"a,\"\"b\"\"\"");
    }
}
