use noops_core::Timestamp;
use serde::{Deserialize, Serialize};

use super::AlertError;
use super::matcher::{Matcher, all_match};
use super::model::Alert;

/// A person's order not to be told of some alerts for some time.
///
/// # Examples
///
/// ```
/// use std::time::Duration;
/// use noops_core::Timestamp;
/// use noops_policy::alert::{Matcher, Silence};
///
/// let from = Timestamp::UNIX_EPOCH;
/// let until = from + Duration::from_secs(3600);
/// let matcher = Matcher::equal("model", "fraud")?;
/// let silence = Silence::new("s-1", vec![matcher], from, until, "ada", "known bad labels")?;
/// assert!(silence.is_in_force(from) && !silence.is_in_force(until));
/// assert!(Silence::new("s-2", vec![], from, until, "ada", "everything").is_err());
/// # Ok::<(), noops_policy::alert::AlertError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "RawSilence", into = "RawSilence")]
pub struct Silence(RawSilence);

impl Silence {
    /// A silence in force from `from` up to and without `until`.
    ///
    /// # Errors
    ///
    /// Refuses an empty identity, author or comment, a silence that ends before it begins, more than 64 matchers, and
    /// matchers that all match an absent label: those would silence everything.
    pub fn new(
        id: impl Into<String>,
        matchers: Vec<Matcher>,
        from: Timestamp,
        until: Timestamp,
        author: impl Into<String>,
        comment: impl Into<String>,
    ) -> Result<Self, AlertError> {
        Self::try_from(RawSilence {
            id: id.into(),
            matchers,
            from,
            until,
            author: author.into(),
            comment: comment.into(),
        })
    }

    /// The identity, chosen by who made it.
    pub fn id(&self) -> &str {
        &self.0.id
    }

    /// What an alert must satisfy, all of it.
    pub fn matchers(&self) -> &[Matcher] {
        &self.0.matchers
    }

    /// When it begins.
    pub fn from(&self) -> Timestamp {
        self.0.from
    }

    /// When it ends.
    pub fn until(&self) -> Timestamp {
        self.0.until
    }

    /// Who ordered it.
    pub fn author(&self) -> &str {
        &self.0.author
    }

    /// Why.
    pub fn comment(&self) -> &str {
        &self.0.comment
    }

    /// Whether it holds at `now`.
    pub fn is_in_force(&self, now: Timestamp) -> bool {
        self.0.from <= now && now < self.0.until
    }

    /// Whether it is about this alert.
    pub fn matches(&self, alert: &Alert) -> bool {
        all_match(&self.0.matchers, alert)
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawSilence {
    id: String,
    matchers: Vec<Matcher>,
    from: Timestamp,
    until: Timestamp,
    author: String,
    comment: String,
}

impl TryFrom<RawSilence> for Silence {
    type Error = AlertError;

    fn try_from(raw: RawSilence) -> Result<Self, AlertError> {
        let refuse = |problem: String| Err(AlertError::Silence { problem });
        for (what, text) in [
            ("id", &raw.id),
            ("author", &raw.author),
            ("comment", &raw.comment),
        ] {
            if text.trim().is_empty() {
                return refuse(format!("`{what}` is empty; fill it in"));
            }
            if text.len() > MAX_TEXT {
                return refuse(format!(
                    "`{what}` is longer than `{MAX_TEXT}` bytes; shorten it"
                ));
            }
        }
        if raw.until <= raw.from {
            return refuse(format!(
                "`{}` ends at `{}` and begins at `{}`; let it end later",
                raw.id, raw.until, raw.from
            ));
        }
        if raw.matchers.len() > MAX_MATCHERS {
            return refuse(format!(
                "`{}` has more than `{MAX_MATCHERS}` matchers; split it",
                raw.id
            ));
        }
        if raw.matchers.iter().all(Matcher::admits_absence) {
            return refuse(format!(
                "`{}` would silence every alert; add a matcher that asks for a value",
                raw.id
            ));
        }
        Ok(Self(raw))
    }
}

impl From<Silence> for RawSilence {
    fn from(silence: Silence) -> Self {
        silence.0
    }
}

const MAX_TEXT: usize = 4096;
const MAX_MATCHERS: usize = 64;

#[cfg(test)]
mod tests {
    use super::*;

    fn with(id: &str, matcher: &str, until: i64) -> Result<Silence, AlertError> {
        let until = Timestamp::from_second(until).unwrap();
        let matchers = vec![matcher.parse()?];
        Silence::new(id, matchers, Timestamp::UNIX_EPOCH, until, "ada", "why")
    }

    #[test]
    fn a_silence_that_would_silence_everything_is_refused() {
        for matcher in ["a=~\".*\"", "a!=b", "a=\"\""] {
            let error = with("s", matcher, 1).unwrap_err();
            assert!(error.to_string().contains("every alert"), "{error}");
        }
    }

    #[test]
    fn hostile_stored_silences_are_refused() {
        let good = serde_json::to_string(&with("s", "a=b", 1).unwrap()).unwrap();
        assert!(serde_json::from_str::<Silence>(&good).is_ok());
        for (from, to) in [
            ("\"author\":\"ada\"", "\"author\":\" \""),
            ("1970-01-01T00:00:01Z", "1970-01-01T00:00:00Z"),
            ("\"id\"", "\"surprise\":1,\"id\""),
        ] {
            let bad = good.replace(from, to);
            assert_ne!(bad, good);
            assert!(serde_json::from_str::<Silence>(&bad).is_err(), "{bad}");
        }
    }
}
