//! What is wrong, and where.

use std::fmt;

use noops_policy::{PolicyError, Position};
use serde::Serialize;

/// One thing that is wrong: its place as far as it is known, and what to do.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(crate) struct Problem {
    file: Option<String>,
    line: Option<u64>,
    column: Option<u64>,
    message: String,
    suggestion: Option<String>,
}

impl Problem {
    /// Something about a whole file. What to do stands behind the last semicolon of the message, if anywhere.
    pub(crate) fn of_file(file: impl Into<String>, message: impl Into<String>) -> Self {
        let message = printable(&message.into());
        Self {
            file: Some(printable(&file.into())),
            line: None,
            column: None,
            suggestion: suggestion(&message),
            message,
        }
    }

    /// Something at a place of a file; lines and columns start at 1.
    pub(crate) fn at(file: &str, place: Option<(u64, u64)>, message: impl Into<String>) -> Self {
        Self {
            line: place.map(|(line, _)| line),
            column: place.map(|(_, column)| column),
            ..Self::of_file(file, message)
        }
    }

    /// A refusal by the loader; `file` is what was loaded, for errors that do not say it.
    pub(crate) fn refused(file: &str, error: &PolicyError) -> Self {
        match error {
            PolicyError::Document {
                source,
                at,
                problem,
            } => Self::at(source, at.as_ref().map(place), problem.as_str()),
            other => Self::of_file(file, other.to_string()),
        }
    }

    /// A text that is no YAML, or not of the expected form.
    pub(crate) fn unreadable(file: &str, error: &serde_saphyr::Error) -> Self {
        let text = error.without_snippet().to_string();
        let location = error.location().filter(|location| location.line() > 0);
        let line = text.lines().next().unwrap_or_default().trim();
        // Where the parser says the place too, once is enough.
        let problem = match location {
            Some(_) => line
                .rsplit_once(" at line ")
                .map_or(line, |(problem, _)| problem),
            None => line,
        };
        Self::at(
            file,
            location.map(|location| (location.line(), location.column())),
            problem,
        )
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(file) = &self.file {
            write!(f, "`{file}`")?;
            if let (Some(line), Some(column)) = (self.line, self.column) {
                write!(f, ":{line}:{column}")?;
            }
            f.write_str(": ")?;
        }
        f.write_str(&self.message)
    }
}

/// A text in one line, whatever a file has put into it.
pub(crate) fn printable(text: &str) -> String {
    text.chars()
        .map(|one| if one.is_control() { ' ' } else { one })
        .collect()
}

fn place(at: &Position) -> (u64, u64) {
    (at.line(), at.column())
}

fn suggestion(message: &str) -> Option<String> {
    message
        .rsplit_once("; ")
        .map(|(_, advice)| advice.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn advice_is_told_apart_and_the_message_stays_whole() {
        let problem = Problem::of_file("a.yaml", "unknown fact `a`; did you mean `b`?");
        assert_eq!(problem.suggestion.as_deref(), Some("did you mean `b`?"));
        assert_eq!(
            problem.to_string(),
            "`a.yaml`: unknown fact `a`; did you mean `b`?"
        );
        assert_eq!(Problem::of_file("a", "no advice").suggestion, None);
    }

    #[test]
    fn a_message_is_one_line() {
        let problem = Problem::at("a\nb", Some((3, 7)), "x\ny\u{1b}[31m");
        assert_eq!(problem.to_string(), "`a b`:3:7: x y [31m");
    }
}
