use std::fmt;
use std::str::FromStr;

use regex::{Regex, RegexBuilder};
use serde::{Deserialize, Serialize};

use super::AlertError;
use super::model::Alert;

/// A condition on one label: `=`, `!=`, `=~` or `!~`, as Alertmanager writes them.
///
/// An absent label has the empty value. A regular expression must match the whole value.
///
/// # Examples
///
/// ```
/// use noops_core::Timestamp;
/// use noops_policy::alert::{Alert, Matcher};
///
/// let alert = Alert::new([("env", "prod-eu")], Timestamp::UNIX_EPOCH);
/// let matches = |text: &str| text.parse::<Matcher>().map(|matcher| matcher.matches(&alert));
/// assert_eq!(matches(r#"env=~"prod-.*""#), Ok(true));
/// assert_eq!(matches("env=~prod"), Ok(false));
/// assert_eq!(matches("team!=ml"), Ok(true));
/// ```
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Matcher {
    label: String,
    operator: Operator,
    value: String,
    pattern: Option<Regex>,
}

impl Matcher {
    /// The label must have this value.
    ///
    /// # Errors
    ///
    /// Refuses an empty label, and one that is longer than a matcher may be.
    pub fn equal(label: impl Into<String>, value: impl Into<String>) -> Result<Self, AlertError> {
        Self::new(label.into(), Operator::Equal, value.into())
    }

    /// The label.
    pub fn label(&self) -> &str {
        &self.label
    }

    /// Whether the alert has a label as the matcher asks.
    pub fn matches(&self, alert: &Alert) -> bool {
        self.matches_value(alert.label(&self.label))
    }

    /// The value that the label must have, if only one will do.
    pub(super) fn exact(&self) -> Option<(&str, &str)> {
        (self.operator == Operator::Equal && !self.value.is_empty())
            .then_some((self.label.as_str(), self.value.as_str()))
    }

    /// Whether an alert without the label matches.
    pub(super) fn admits_absence(&self) -> bool {
        self.matches_value("")
    }

    fn matches_value(&self, value: &str) -> bool {
        let found = |pattern: &Option<Regex>| pattern.as_ref().is_some_and(|p| p.is_match(value));
        match self.operator {
            Operator::Equal => value == self.value,
            Operator::Differs => value != self.value,
            Operator::Matches => found(&self.pattern),
            Operator::MatchesNot => !found(&self.pattern),
        }
    }

    fn new(label: String, operator: Operator, value: String) -> Result<Self, AlertError> {
        let refuse = |problem: String| AlertError::Matcher {
            text: format!("{label}{operator}{value:?}")
                .chars()
                .take(80)
                .collect(),
            problem,
        };
        if label.is_empty() {
            return Err(refuse("name the label before the operator".to_owned()));
        }
        if label.len() > MAX_TEXT || value.len() > MAX_TEXT {
            return Err(refuse(format!("keep it within `{MAX_TEXT}` bytes")));
        }
        let pattern = match operator {
            Operator::Equal | Operator::Differs => None,
            Operator::Matches | Operator::MatchesNot => {
                // Alone first, so that `a)|(b` cannot close the anchoring group.
                let checked = compile(&value).and_then(|_| compile(&format!("^(?:{value})$")));
                Some(checked.map_err(|error| {
                    let text = error.to_string();
                    let last = text.lines().last().unwrap_or_default();
                    refuse(format!(
                        "the regular expression is refused: {}; correct it",
                        last.trim().trim_start_matches("error: ")
                    ))
                })?)
            }
        };
        Ok(Self {
            label,
            operator,
            value,
            pattern,
        })
    }
}

/// Whether the alert satisfies all matchers.
pub(super) fn all_match(matchers: &[Matcher], alert: &Alert) -> bool {
    matchers.iter().all(|matcher| matcher.matches(alert))
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Operator {
    Equal,
    Differs,
    Matches,
    MatchesNot,
}

impl fmt::Display for Operator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Equal => "=",
            Self::Differs => "!=",
            Self::Matches => "=~",
            Self::MatchesNot => "!~",
        })
    }
}

impl PartialEq for Matcher {
    fn eq(&self, other: &Self) -> bool {
        (&self.label, self.operator, &self.value) == (&other.label, other.operator, &other.value)
    }
}

impl Eq for Matcher {}

impl fmt::Display for Matcher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        quote(f, &self.label, is_bare(&self.label))?;
        write!(f, "{}", self.operator)?;
        quote(f, &self.value, false)
    }
}

impl FromStr for Matcher {
    type Err = AlertError;

    fn from_str(text: &str) -> Result<Self, AlertError> {
        let refuse = |problem: &str| AlertError::Matcher {
            text: text.chars().take(80).collect(),
            problem: problem.to_owned(),
        };
        let (label, rest) =
            take_word(text.trim()).map_err(|()| refuse("close the quotation of the label"))?;
        let rest = rest.trim_start();
        let operators = [
            ("=~", Operator::Matches),
            ("!~", Operator::MatchesNot),
            ("!=", Operator::Differs),
            ("=", Operator::Equal),
        ];
        let Some((operator, rest)) = operators
            .iter()
            .find_map(|(sign, operator)| Some((*operator, rest.strip_prefix(sign)?)))
        else {
            return Err(refuse("put one of `=`, `!=`, `=~`, `!~` after the label"));
        };
        let (value, rest) = take_word(rest.trim_start())
            .map_err(|()| refuse("close the quotation of the value"))?;
        if !rest.trim().is_empty() {
            return Err(refuse("put the value in double quotes"));
        }
        Self::new(label, operator, value)
    }
}

impl TryFrom<String> for Matcher {
    type Error = AlertError;

    fn try_from(text: String) -> Result<Self, AlertError> {
        text.parse()
    }
}

impl From<Matcher> for String {
    fn from(matcher: Matcher) -> Self {
        matcher.to_string()
    }
}

fn compile(pattern: &str) -> Result<Regex, regex::Error> {
    RegexBuilder::new(pattern)
        .size_limit(MAX_PROGRAM)
        .dfa_size_limit(MAX_PROGRAM)
        .nest_limit(MAX_NESTING)
        .build()
}

/// A word in double quotes or bare, and what follows it.
fn take_word(text: &str) -> Result<(String, &str), ()> {
    let Some(quoted) = text.strip_prefix('"') else {
        let end = text.find(|c| !is_bare_char(c)).unwrap_or(text.len());
        let (word, rest) = text.split_at(end);
        return Ok((word.to_owned(), rest));
    };
    let mut word = String::new();
    let mut characters = quoted.chars();
    while let Some(character) = characters.next() {
        match character {
            '"' => return Ok((word, characters.as_str())),
            '\\' => match characters.next() {
                Some('n') => word.push('\n'),
                Some(escaped @ ('"' | '\\')) => word.push(escaped),
                // As in Alertmanager, so that `\d` needs no second backslash.
                Some(other) => word.extend(['\\', other]),
                None => return Err(()),
            },
            other => word.push(other),
        }
    }
    Err(())
}

fn quote(f: &mut fmt::Formatter<'_>, text: &str, bare: bool) -> fmt::Result {
    if bare {
        return f.write_str(text);
    }
    let escaped = text
        .replace('\\', "\\\\")
        .replace('"', "\\\"")
        .replace('\n', "\\n");
    write!(f, "\"{escaped}\"")
}

fn is_bare(text: &str) -> bool {
    !text.is_empty() && text.chars().all(is_bare_char)
}

/// The characters that Alertmanager allows outside quotes.
fn is_bare_char(character: char) -> bool {
    !character.is_whitespace() && !"{}!=~,\\\"'`".contains(character)
}

const MAX_TEXT: usize = 1024;
const MAX_PROGRAM: usize = 1 << 18;
const MAX_NESTING: u32 = 32;

#[cfg(test)]
mod tests {
    use noops_core::Timestamp;
    use proptest::prelude::*;

    use super::*;

    fn matches(matcher: &str, value: &str) -> bool {
        let alert = Alert::new([("foo", value)], Timestamp::UNIX_EPOCH);
        matcher.parse::<Matcher>().unwrap().matches(&alert)
    }

    #[test]
    fn matchers_agree_with_the_table_of_alertmanager() {
        // The cases of pkg/labels/matcher_test.go, TestMatcher.
        for (matcher, value, expected) in [
            ("foo=bar", "bar", true),
            ("foo=bar", "foo-bar", false),
            ("foo!=bar", "bar", false),
            ("foo!=bar", "foo-bar", true),
            ("foo=~bar", "bar", true),
            ("foo=~bar", "foo-bar", false),
            ("foo=~\".*bar\"", "foo-bar", true),
            ("foo!~bar", "bar", false),
            ("foo!~bar", "foo-bar", true),
            ("foo!~\".*bar\"", "foo-bar", false),
            ("foo=~\"bar|baz\"", "bazz", false),
            ("foo=\"\"", "", true),
            ("foo=~\"\"", "", true),
        ] {
            assert_eq!(matches(matcher, value), expected, "{matcher} on {value}");
        }
    }

    #[test]
    fn a_pattern_cannot_escape_its_anchors() {
        assert!("foo=~\"a)|(b\"".parse::<Matcher>().is_err());
        assert!(!matches("foo=~\"a|b\"", "ab"));
        assert!(!matches("foo=~a", "a\n"));
    }

    #[test]
    fn what_cannot_work_is_refused_and_named() {
        for text in [
            "", "=x", "foo", "foo==x", "foo=\"x", "foo=a b", "foo=~(", "\"foo=x",
        ] {
            assert!(text.parse::<Matcher>().is_err(), "{text}");
        }
        assert_eq!(
            "foo".parse::<Matcher>().unwrap_err().to_string(),
            "matcher `foo`: put one of `=`, `!=`, `=~`, `!~` after the label"
        );
        let bomb = "foo=~\"".to_owned() + &"(".repeat(900) + &")".repeat(90) + "\"";
        assert!(bomb.parse::<Matcher>().is_err());
        assert!("foo=~\"(a{1000}){1000}\"".parse::<Matcher>().is_err());
    }

    proptest! {
        #[test]
        fn a_matcher_reads_back_equal(label in "\\PC{1,8}", value in "(?s).{0,12}") {
            let matcher = Matcher::equal(label, value).unwrap();
            prop_assert_eq!(matcher.to_string().parse::<Matcher>().unwrap(), matcher);
        }

        #[test]
        fn no_text_panics(text in "(?s).{0,40}") {
            let _ = text.parse::<Matcher>().map(|matcher| matcher.to_string());
        }
    }
}
