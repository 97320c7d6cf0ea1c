use std::collections::BTreeMap;
use std::sync::Arc;

use regex::{Regex, RegexBuilder};

use crate::cel::eval::EvaluationError;

/// The regular expressions of one evaluation, so that one in a comprehension is compiled once.
#[derive(Debug, Default)]
pub(crate) struct Patterns {
    compiled: BTreeMap<Arc<str>, Regex>,
    /// How many were compiled, in vain or not: it takes far longer than to match.
    attempts: usize,
}

impl Patterns {
    /// # Errors
    ///
    /// When `pattern` is no regular expression, or is too large a one.
    pub(super) fn compiled(&mut self, pattern: &Arc<str>) -> Result<Regex, EvaluationError> {
        if let Some(regex) = self.compiled.get(pattern) {
            return Ok(regex.clone());
        }
        if self.attempts >= MOST_COMPILED {
            return Err(EvaluationError::invalid(format!(
                "more than {MOST_COMPILED} regular expressions were made in one evaluation; write them as literals"
            )));
        }
        self.attempts += 1;
        let regex = compile(pattern)?;
        if self.compiled.len() < KEPT {
            self.compiled.insert(Arc::clone(pattern), regex.clone());
        }
        Ok(regex)
    }
}

/// The regular expression, as `matches` takes it.
///
/// # Errors
///
/// When `pattern` is no regular expression, or is too large a one.
pub(super) fn compile(pattern: &str) -> Result<Regex, EvaluationError> {
    RegexBuilder::new(pattern)
        .size_limit(LARGEST)
        .dfa_size_limit(LARGEST)
        .build()
        .map_err(|error| {
            let reason = match &error {
                regex::Error::Syntax(text) => text.lines().last().unwrap_or_default().to_owned(),
                other => other.to_string(),
            };
            let reason = reason.trim_start_matches("error: ");
            EvaluationError::invalid(format!(
                "`{pattern}` is not a regular expression that can be used: {reason}"
            ))
        })
}

/// A compiled expression may take this many bytes.
const LARGEST: usize = 1 << 20;
/// More patterns than a person writes into one expression; those beyond are compiled each time.
const KEPT: usize = 16;
const MOST_COMPILED: usize = 64;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pattern_that_would_grow_huge_is_refused() {
        assert!(compile("a{1000}{1000}").is_err());
        assert!(compile("^[a-z]+$").is_ok());
    }

    #[test]
    fn the_reason_of_a_refusal_is_one_line() {
        let error = compile("(a").unwrap_err().to_string();
        assert_eq!(
            error,
            "`(a` is not a regular expression that can be used: unclosed group"
        );
    }

    #[test]
    fn only_so_many_patterns_are_kept_and_made() {
        let mut patterns = Patterns::default();
        for number in 0..MOST_COMPILED {
            let pattern: Arc<str> = Arc::from(format!("^{number}$"));
            assert!(
                patterns
                    .compiled(&pattern)
                    .unwrap()
                    .is_match(&number.to_string())
            );
        }
        assert_eq!(patterns.compiled.len(), KEPT);
        assert!(patterns.compiled(&Arc::from("one more")).is_err());
        assert!(patterns.compiled(&Arc::from("^0$")).is_ok());
    }
}
