use std::iter::Enumerate;
use std::str::Lines;

use super::error::BacktestError;
use super::moment::{Moment, MomentSource};
use crate::error::Position;
use crate::fact::FactSchema;

/// The moments of a record in JSON lines, read one by one.
///
/// A line is `{"at": TIME, "facts": {NAME: FACT, …}, "actions": [ACTION, …], "id": TEXT}`. A fact is a value, which was
/// true at the time of the line, or `{"value": VALUE, "at": TIME}`, as in [`FactRecord`](crate::FactRecord). `actions` and
/// `id` may be left out; empty lines are passed over.
///
/// A history may be older than the schema that it is read with:
///
/// - a fact that has been declared since was missing then;
/// - a fact that the schema does not declare is refused with its line, for it may as well be a slip, unless
///   [`History::with_retired`] names it: then it is passed over;
/// - a fact whose type has changed is refused likewise. A whole number is read where the schema now says double.
///
/// # Examples
///
/// ```
/// use noops_policy::backtest::{History, Moment};
/// use noops_policy::{FactDecl, FactSchema, FactState};
///
/// let schema = FactSchema::new(vec![FactDecl::double("drift.psi"), FactDecl::bool("freeze.on")])?;
/// let lines = r#"{"at": "2026-03-01T12:00:00Z", "facts": {"drift.psi": 0.31, "drift.old": 1}}"#;
///
/// let slip = History::from_jsonl("march.jsonl", lines, &schema).next().unwrap().unwrap_err();
/// assert!(slip.to_string().starts_with("`march.jsonl`:1:1: unknown fact `drift.old`"));
///
/// let moment: Moment = History::from_jsonl("march.jsonl", lines, &schema)
///     .with_retired(["drift.old"])
///     .next()
///     .unwrap()?;
/// assert_eq!(moment.facts().state("freeze.on", moment.at()), Some(FactState::Missing));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct History<'a> {
    source: &'a str,
    lines: Enumerate<Lines<'a>>,
    schema: FactSchema,
    retired: Vec<String>,
}

impl<'a> History<'a> {
    /// Reads JSON lines. `source` names them in errors.
    pub fn from_jsonl(source: &'a str, text: &'a str, schema: &FactSchema) -> Self {
        Self {
            source,
            lines: text.lines().enumerate(),
            schema: schema.clone(),
            retired: Vec::new(),
        }
    }

    /// Passes over these facts, which an older schema declared, or declared with another type.
    #[must_use]
    pub fn with_retired(mut self, names: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.retired.extend(names.into_iter().map(Into::into));
        self
    }

    fn moment(&self, index: usize, line: &str) -> Result<Moment, BacktestError> {
        let number = u64::try_from(index).unwrap_or(u64::MAX).saturating_add(1);
        let refuse = |column: usize, problem: String| BacktestError::Line {
            source: self.source.to_owned(),
            at: Position::new(number, u64::try_from(column).unwrap_or(u64::MAX).max(1)),
            problem,
        };
        if line.len() > MAX_LINE_BYTES {
            return Err(refuse(
                1,
                format!("line is longer than `{MAX_LINE_BYTES}` bytes; record fewer facts in it"),
            ));
        }
        let source: MomentSource = serde_json::from_str(line).map_err(|error| {
            // It counts lines of its own, and there is only one.
            let text = error.to_string();
            let problem = text
                .rsplit_once(" at line ")
                .map_or(text.as_str(), |(problem, _)| problem);
            refuse(error.column(), problem.to_owned())
        })?;
        source
            .moment(&self.schema, &self.retired)
            .map_err(|problem| refuse(1, problem))
    }
}

impl Iterator for History<'_> {
    type Item = Result<Moment, BacktestError>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            let (index, line) = self.lines.next()?;
            if !line.trim().is_empty() {
                return Some(self.moment(index, line));
            }
        }
    }
}

/// Longer lines are refused, so that a record which is no record is told as such.
const MAX_LINE_BYTES: usize = 1024 * 1024;
