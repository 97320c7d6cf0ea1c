//! Events, line by line.

use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::path::Path;

use noops_core::Timestamp;
use noops_policy::slo::Outcome;

use crate::failure::{Failure, fail};
use crate::objective::one_line;

/// What a line tells.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Event {
    Counts { good: u32, bad: u32 },
    Value(f64),
    Outcome(Outcome),
}

/// Hands on every line that is not blank, with its number from 1.
pub(crate) fn each(
    path: &Path,
    mut take: impl FnMut(u64, Timestamp, Event) -> Result<(), Failure>,
) -> Result<(), Failure> {
    let shown = path.display();
    let cannot = |error: std::io::Error| fail(format!("cannot read `{shown}`: {error}"));
    if path.is_dir() {
        return Err(fail(format!("`{shown}` is a folder; name a file in it")));
    }
    let mut reader = BufReader::new(File::open(path).map_err(cannot)?);
    let (mut line, mut number) = (Vec::new(), 0_u64);
    let mut columns = None;
    loop {
        line.clear();
        let mut bounded = reader.by_ref().take(LONGEST + 1);
        if bounded.read_until(b'\n', &mut line).map_err(cannot)? == 0 {
            break;
        }
        number = number.saturating_add(1);
        let refuse = |problem: String| fail(format!("`{shown}`:{number}: {}", one_line(&problem)));
        if line.len() as u64 > LONGEST {
            return Err(refuse(format!("the line is longer than `{LONGEST}` bytes")));
        }
        let text = std::str::from_utf8(&line)
            .map_err(|_| refuse("the line is not UTF-8".to_owned()))?
            .trim_start_matches('\u{feff}')
            .trim();
        if text.is_empty() {
            continue;
        }
        let fields: Vec<&str> = text.split(',').map(str::trim).collect();
        match &columns {
            None => columns = Some(Columns::of(&fields).map_err(refuse)?),
            Some(columns) => {
                let (at, event) = columns.event(&fields).map_err(refuse)?;
                take(number, at, event)?;
            }
        }
    }
    match columns {
        Some(_) => Ok(()),
        None => Err(fail(format!(
            "`{shown}` is empty; begin with a header such as `at,good,bad`"
        ))),
    }
}

/// Where the columns are.
#[derive(Clone, Debug, PartialEq)]
struct Columns {
    count: usize,
    at: usize,
    form: Form,
}

#[derive(Clone, Debug, PartialEq)]
enum Form {
    Counts { good: usize, bad: usize },
    Value(usize),
    Outcome(usize),
}

impl Columns {
    fn of(header: &[&str]) -> Result<Self, String> {
        let column = |name: &str| header.iter().position(|field| *field == name);
        for name in ["at", "good", "bad", "value", "outcome"] {
            if header.iter().filter(|field| **field == name).count() > 1 {
                return Err(format!(
                    "column `{name}` is there twice; rename one of them"
                ));
            }
        }
        let at = column("at").ok_or("there is no column `at`; name the time of the events so")?;
        let counts = column("good").zip(column("bad"));
        let form = match (counts, column("value"), column("outcome")) {
            (Some((good, bad)), None, None) => Form::Counts { good, bad },
            (None, Some(value), None) => Form::Value(value),
            (None, None, Some(outcome)) => Form::Outcome(outcome),
            _ => {
                return Err(
                    "beside `at` there must be either `good` and `bad`, or `value`, or `outcome`"
                        .to_owned(),
                );
            }
        };
        Ok(Self {
            count: header.len(),
            at,
            form,
        })
    }

    fn event(&self, fields: &[&str]) -> Result<(Timestamp, Event), String> {
        if fields.len() != self.count {
            return Err(format!(
                "the line has {} fields and the header {}",
                fields.len(),
                self.count
            ));
        }
        let field = |column: usize| fields.get(column).copied().unwrap_or_default();
        let event = match self.form {
            Form::Counts { good, bad } => Event::Counts {
                good: count("good", field(good))?,
                bad: count("bad", field(bad))?,
            },
            Form::Value(value) => Event::Value(field(value).parse().map_err(|_| {
                format!(
                    "`value` is `{}`; write a number, or `NaN` for one that could not be measured",
                    field(value)
                )
            })?),
            Form::Outcome(outcome) => Event::Outcome(match field(outcome) {
                "good" => Outcome::Good,
                "bad" => Outcome::Bad,
                other => return Err(format!("`outcome` is `{other}`; write `good` or `bad`")),
            }),
        };
        Ok((time(field(self.at))?, event))
    }
}

fn count(name: &str, text: &str) -> Result<u32, String> {
    text.parse().map_err(|_| {
        format!(
            "`{name}` is `{text}`; write a count of at most `{}`",
            u32::MAX
        )
    })
}

fn time(text: &str) -> Result<Timestamp, String> {
    let seconds = text
        .parse::<i64>()
        .ok()
        .and_then(|second| Timestamp::from_second(second).ok());
    seconds.or_else(|| text.parse().ok()).ok_or_else(|| {
        format!("`at` is `{text}`; write it as `2026-03-01T12:00:00Z` or in seconds since 1970")
    })
}

const LONGEST: u64 = 1 << 16;
