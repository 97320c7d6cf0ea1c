use serde_saphyr::{Location, Spanned};

use crate::error::{PolicyError, Position};

/// A YAML source by name, and the refusals that name their place in it.
pub(super) struct Source<'a> {
    pub(super) name: &'a str,
    pub(super) yaml: &'a str,
}

impl Source<'_> {
    pub(super) fn refuse(&self, at: Option<Position>, problem: impl Into<String>) -> PolicyError {
        PolicyError::Document {
            source: self.name.to_owned(),
            at,
            problem: problem.into(),
        }
    }

    /// A refusal at a value.
    pub(super) fn refuse_at<T>(
        &self,
        value: &Spanned<T>,
        problem: impl Into<String>,
    ) -> PolicyError {
        self.refuse(position(&value.referenced), problem)
    }

    /// A refusal inside an expression: at its very place where the document holds it as it is, and at the beginning of the
    /// expression, with the place inside it, where quotes or folding have changed it.
    pub(super) fn refuse_in(
        &self,
        expression: &Spanned<String>,
        holder: &str,
        error: PolicyError,
    ) -> PolicyError {
        let start = position(&expression.referenced);
        let PolicyError::Condition { at, problem } = &error else {
            return self.refuse(start, format!("{holder}: {error}"));
        };
        match start.and_then(|start| self.inside(&expression.value, start, *at)) {
            Some(exact) => self.refuse(Some(exact), format!("{holder}: {problem}")),
            None => self.refuse(start, format!("{holder}: {error}")),
        }
    }

    /// The place in the document of a place in an expression that starts at `start`.
    fn inside(&self, expression: &str, start: Position, at: Position) -> Option<Position> {
        let line = |number: u64| {
            let index = usize::try_from(number.checked_sub(1)?).ok()?;
            self.yaml.lines().nth(index)
        };
        let wanted = expression
            .lines()
            .nth(usize::try_from(at.line().checked_sub(1)?).ok()?)?;
        let shifted = |line_number: u64, indent: usize| {
            let column = u64::try_from(indent).ok()?.checked_add(at.column())?;
            Some(Position::new(line_number, column))
        };
        if at.line() == 1 {
            let first = line(start.line())?;
            let from = usize::try_from(start.column().checked_sub(1)?).ok()?;
            let quoted = usize::from(
                first
                    .chars()
                    .nth(from)
                    .is_some_and(|c| c == '"' || c == '\''),
            );
            let there: String = first.chars().skip(from + quoted).collect();
            if there.starts_with(wanted) {
                return shifted(start.line(), from + quoted);
            }
        }
        // A literal block begins below its mark, and every line of it is indented alike.
        let number = start.line().checked_add(at.line())?;
        let there = line(number)?;
        let indent = there.chars().count() - there.trim_start().chars().count();
        (there.trim_start() == wanted.trim_start() && wanted.trim_start() == wanted)
            .then(|| shifted(number, indent))
            .flatten()
    }
}

pub(super) fn position(location: &Location) -> Option<Position> {
    (location.line() > 0).then(|| Position::new(location.line(), location.column()))
}
