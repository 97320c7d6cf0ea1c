//! One request: when, whose, who served it, at which share, and what came of it.

use std::path::{Path, PathBuf};

use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use noops_canary::Arm;
use noops_canary::judge::{JudgeSpec, MetricKind, Unit};
use noops_core::{Share, Timestamp};

use crate::columns::Cell;
use crate::failure::{Failure, fail};
use crate::frame::printable;
use crate::lines::IsName;

/// A request.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Row {
    pub(crate) at: Timestamp,
    pub(crate) unit: Unit,
    pub(crate) arm: Arm,
    pub(crate) share: Share,
    /// In the order of the metrics.
    pub(crate) values: Vec<Option<f64>>,
    /// In the order of the slice columns.
    pub(crate) slices: Vec<Option<String>>,
}

/// Which columns a row is made of, by their places in `names`.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Layout {
    path: PathBuf,
    names: Vec<String>,
    metrics: usize,
}

impl Layout {
    /// The columns that a specification asks for.
    pub(crate) fn of(spec: &JudgeSpec, path: &Path) -> Result<Self, Failure> {
        let mut names: Vec<String> = ["time", "unit", "arm", "share"].map(str::to_owned).into();
        for metric in spec.metrics() {
            match metric.kind() {
                MetricKind::Rate
                | MetricKind::Mean { .. }
                | MetricKind::Above { .. }
                | MetricKind::Tail { .. } => names.push(metric.column().to_owned()),
                _ => {
                    return Err(fail(format!(
                        "metric `{}` is not about single requests, and the rows of this program are; give it kind `rate`, `mean`, `above` or `tail`",
                        printable(metric.name())
                    )));
                }
            }
        }
        let metrics = spec.metrics().len();
        names.extend(spec.slices().iter().cloned());
        Ok(Self {
            path: path.to_owned(),
            names,
            metrics,
        })
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    pub(crate) fn names(&self) -> &[String] {
        &self.names
    }

    pub(crate) fn is_time(&self, place: usize) -> bool {
        place == TIME
    }

    pub(crate) fn is_name(&self, place: usize) -> IsName {
        if place == UNIT || place == ARM || place >= FIRST_VALUE + self.metrics {
            IsName::Yes
        } else {
            IsName::No
        }
    }

    /// Makes a row of the cells at the places of the columns.
    pub(crate) fn row<'a>(
        &self,
        number: u64,
        cell: &dyn Fn(usize) -> Result<Cell<'a>, String>,
    ) -> Result<Row, Failure> {
        let values = FIRST_VALUE..FIRST_VALUE + self.metrics;
        let slices = FIRST_VALUE + self.metrics..self.names.len();
        let value = |place| self.named(number, place, cell(place).and_then(|cell| cell.number()));
        let slice = |place| self.named(number, place, cell(place).map(|cell| cell.name()));
        Ok(Row {
            at: self.named(number, TIME, cell(TIME).and_then(|cell| time(&cell)))?,
            unit: self.named(number, UNIT, cell(UNIT).and_then(|cell| unit(&cell)))?,
            arm: self.named(number, ARM, cell(ARM).and_then(|cell| arm(&cell)))?,
            share: self.named(number, SHARE, cell(SHARE).and_then(|cell| share(&cell)))?,
            values: values.map(value).collect::<Result<_, _>>()?,
            slices: slices.map(slice).collect::<Result<_, _>>()?,
        })
    }

    /// Names file, row and column of what is wrong.
    fn named<T>(&self, row: u64, place: usize, found: Result<T, String>) -> Result<T, Failure> {
        found.map_err(|wrong| {
            let column = self.names.get(place).map_or("", String::as_str);
            fail(format!(
                "`{}`, row `{row}`, column `{}`: {wrong}",
                self.path.display(),
                printable(column)
            ))
        })
    }
}

/// RFC 3339, a stamp of the file, or seconds since 1970; without an offset it is UTC.
fn time(cell: &Cell<'_>) -> Result<Timestamp, String> {
    match cell {
        Cell::Missing => Err("there is no time; every request needs one".to_owned()),
        Cell::Instant(instant) => Ok(*instant),
        Cell::Number(seconds) => of_seconds(*seconds),
        Cell::Text(text) => {
            let text = text.trim();
            let wrong = || {
                format!(
                    "`{}` is not a time; write it as `2026-01-31T12:00:00Z`, or as seconds since 1970",
                    printable(text)
                )
            };
            if let Ok(instant) = text.parse() {
                return Ok(instant);
            }
            if let Ok(seconds) = text.parse() {
                return of_seconds(seconds);
            }
            let civil: DateTime = text.parse().map_err(|_| wrong())?;
            let zoned = civil.to_zoned(TimeZone::UTC).map_err(|_| wrong())?;
            Ok(zoned.timestamp())
        }
    }
}

fn of_seconds(seconds: f64) -> Result<Timestamp, String> {
    let wrong = || format!("`{seconds}` seconds after 1970 is a time that no calendar has");
    if !seconds.is_finite() {
        return Err(wrong());
    }
    Timestamp::from_microsecond((seconds * 1e6).round() as i64).map_err(|_| wrong())
}

fn unit(cell: &Cell<'_>) -> Result<Unit, String> {
    let name = cell.name();
    let name = name.filter(|name| !name.is_empty());
    let name = name.ok_or("there is no unit; every request needs one")?;
    Ok(Unit::of(&name))
}

fn arm(cell: &Cell<'_>) -> Result<Arm, String> {
    match cell.name().as_deref() {
        Some("champion") => Ok(Arm::Champion),
        Some("candidate" | "challenger") => Ok(Arm::Challenger),
        Some(other) => Err(format!(
            "`{}` is not an arm; write `champion` or `candidate`",
            printable(other)
        )),
        None => Err("there is no arm; write `champion` or `candidate`".to_owned()),
    }
}

fn share(cell: &Cell<'_>) -> Result<Share, String> {
    let ratio = cell.number()?;
    let ratio =
        ratio.ok_or("there is no share; write the candidate's share in force, from 0 to 1")?;
    Share::from_ratio(ratio).map_err(|_| {
        format!("`{ratio}` is not a share; write the candidate's share in force, from 0 to 1")
    })
}

const TIME: usize = 0;
const UNIT: usize = 1;
const ARM: usize = 2;
const SHARE: usize = 3;
const FIRST_VALUE: usize = 4;

#[cfg(test)]
mod tests {
    use std::borrow::Cow;

    use super::*;

    #[test]
    fn a_time_is_read_in_every_form() {
        let expected = Timestamp::from_second(1_767_225_600).unwrap();
        for text in [
            "2026-01-01T00:00:00Z",
            "2026-01-01T01:00:00+01:00",
            "2026-01-01T00:00:00",
            "1767225600",
            " 1767225600.0 ",
        ] {
            assert_eq!(
                time(&Cell::Text(Cow::Borrowed(text))),
                Ok(expected),
                "{text}"
            );
        }
        assert_eq!(time(&Cell::Number(1_767_225_600.0)), Ok(expected));
    }

    #[test]
    fn what_is_no_time_is_said() {
        for seconds in [f64::NAN, f64::INFINITY, 1e300, -1e300] {
            assert!(time(&Cell::Number(seconds)).is_err(), "{seconds}");
        }
        for text in ["", "yesterday", "2026-13-01T00:00:00Z", "NaN"] {
            assert!(time(&Cell::Text(Cow::Borrowed(text))).is_err(), "{text}");
        }
        assert!(time(&Cell::Missing).is_err());
    }

    #[test]
    fn an_arm_has_one_of_three_names() {
        let read = |name: &'static str| arm(&Cell::Text(Cow::Borrowed(name)));
        assert_eq!(read("champion"), Ok(Arm::Champion));
        assert_eq!(read("candidate"), Ok(Arm::Challenger));
        assert_eq!(read("challenger"), Ok(Arm::Challenger));
        for name in ["canary", "Champion", ""] {
            assert!(read(name).is_err(), "{name}");
        }
    }

    #[test]
    fn a_share_lies_between_0_and_1() {
        assert_eq!(share(&Cell::Number(0.25)).map(Share::ppm), Ok(250_000));
        for wrong in [1.5, -0.1, f64::NAN, f64::INFINITY] {
            assert!(share(&Cell::Number(wrong)).is_err(), "{wrong}");
        }
        assert!(share(&Cell::Missing).is_err());
    }
}
