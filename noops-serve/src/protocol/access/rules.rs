//! Which client may do what.

use std::collections::BTreeSet;
use std::hint::black_box;

use noops_core::Digest;

use super::{Credentials, Verb};
use crate::protocol::error::{Code, ProtocolError};

/// What one client may do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Grant {
    verbs: BTreeSet<Verb>,
    /// `None` for every model.
    models: Option<BTreeSet<String>>,
}

impl Grant {
    /// These verbs, on every model.
    #[must_use]
    pub fn new(verbs: impl IntoIterator<Item = Verb>) -> Self {
        Self {
            verbs: verbs.into_iter().collect(),
            models: None,
        }
    }

    /// Everything.
    #[must_use]
    pub fn everything() -> Self {
        Self::new([Verb::Infer, Verb::Read, Verb::Manage, Verb::Metrics])
    }

    /// Only on these models. What concerns no single model, such as the index of the repository, stays allowed by its verb.
    #[must_use]
    pub fn on_models<M: Into<String>>(mut self, models: impl IntoIterator<Item = M>) -> Self {
        self.models = Some(models.into_iter().map(Into::into).collect());
        self
    }

    fn allows(&self, verb: Verb, model: Option<&str>) -> bool {
        let model_allowed = match (&self.models, model) {
            (Some(models), Some(model)) => models.contains(model),
            _ => true,
        };
        self.verbs.contains(&verb) && model_allowed
    }
}

/// Which client may do what; without a rule everybody may do everything.
///
/// Tokens are kept as digests and compared in constant time, each with every rule.
///
/// # Examples
///
/// ```
/// use noops_serve::protocol::{AccessRules, Code, Credentials, Grant, Verb};
///
/// let rules = AccessRules::open()
///     .with_token("s3cret", Grant::new([Verb::Infer]).on_models(["churn"]));
/// let client = Credentials { bearer: Some("s3cret".into()), certificate_subject: None };
/// assert!(rules.authorise(&client, Verb::Infer, Some("churn")).is_ok());
/// let refused = rules.authorise(&client, Verb::Manage, Some("churn")).unwrap_err();
/// assert_eq!(refused.code(), Code::PermissionDenied);
/// let stranger = rules.authorise(&Credentials::default(), Verb::Infer, Some("churn")).unwrap_err();
/// assert_eq!(stranger.code(), Code::Unauthenticated);
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AccessRules {
    tokens: Vec<(Digest, Grant)>,
    certificates: Vec<(String, Grant)>,
}

impl AccessRules {
    /// No rules: everybody may do everything.
    #[must_use]
    pub fn open() -> Self {
        Self::default()
    }

    /// Lets the bearer of a token do something. Several grants for one token add up.
    #[must_use]
    pub fn with_token(mut self, token: &str, grant: Grant) -> Self {
        self.tokens.push((Digest::of(token.as_bytes()), grant));
        self
    }

    /// Lets the holder of a verified certificate do something, named as in [`Credentials`].
    #[must_use]
    pub fn with_certificate(mut self, subject: impl Into<String>, grant: Grant) -> Self {
        self.certificates.push((subject.into(), grant));
        self
    }

    /// Whether everybody may do everything.
    #[must_use]
    pub fn is_open(&self) -> bool {
        self.tokens.is_empty() && self.certificates.is_empty()
    }

    /// Whether a client may do something, to a model or at all.
    ///
    /// # Errors
    ///
    /// `Unauthenticated` when no rule knows the client, `PermissionDenied` when those that do say no.
    ///
    /// # Complexity
    ///
    /// Linear in the number of rules, and one digest of the token.
    pub fn authorise(
        &self,
        credentials: &Credentials,
        verb: Verb,
        model: Option<&str>,
    ) -> Result<(), ProtocolError> {
        if self.is_open() {
            return Ok(());
        }
        let bearer = credentials.bearer.as_ref();
        let bearer = bearer.map(|token| Digest::of(token.as_bytes()));
        let subject = credentials.certificate_subject.as_deref();
        let mut known = false;
        let mut allowed = false;
        for (digest, grant) in &self.tokens {
            let same = bearer.is_some_and(|bearer| equal(digest, &bearer));
            known |= same;
            allowed |= same & grant.allows(verb, model);
        }
        for (name, grant) in &self.certificates {
            let same = subject == Some(name);
            known |= same;
            allowed |= same & grant.allows(verb, model);
        }
        match (allowed, known) {
            (true, _) => Ok(()),
            (false, true) => Err(ProtocolError::new(
                Code::PermissionDenied,
                "these credentials do not allow that; ask for a grant",
            )),
            (false, false) => Err(ProtocolError::new(
                Code::Unauthenticated,
                "show a known bearer token or client certificate",
            )),
        }
    }
}

/// Equality that takes as long whichever byte differs.
fn equal(left: &Digest, right: &Digest) -> bool {
    let pairs = left.as_bytes().iter().zip(right.as_bytes());
    pairs.fold(0_u8, |difference, (left, right)| {
        black_box(difference | (left ^ right))
    }) == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bearer(token: &str) -> Credentials {
        Credentials {
            bearer: Some(token.into()),
            certificate_subject: None,
        }
    }

    fn code(result: Result<(), ProtocolError>) -> Option<Code> {
        result.err().map(|error| error.code())
    }

    #[test]
    fn without_rules_everything_is_open() {
        let rules = AccessRules::open();
        assert_eq!(
            rules.authorise(&Credentials::default(), Verb::Manage, Some("a")),
            Ok(())
        );
    }

    #[test]
    fn one_rule_closes_the_door_to_everybody_else() {
        let rules = AccessRules::open().with_certificate("sha256:ab", Grant::everything());
        for stranger in [Credentials::default(), bearer("sha256:ab"), bearer("")] {
            let refused = rules.authorise(&stranger, Verb::Read, None);
            assert_eq!(code(refused), Some(Code::Unauthenticated));
        }
        let holder = Credentials {
            bearer: None,
            certificate_subject: Some("sha256:ab".into()),
        };
        assert_eq!(rules.authorise(&holder, Verb::Manage, Some("x")), Ok(()));
    }

    #[test]
    fn a_grant_holds_for_its_verbs_and_models_alone() {
        let grant = Grant::new([Verb::Infer, Verb::Read]).on_models(["a", "b"]);
        let rules = AccessRules::open().with_token("t", grant);
        let ask = |verb, model| code(rules.authorise(&bearer("t"), verb, model));
        assert_eq!(ask(Verb::Infer, Some("a")), None);
        assert_eq!(ask(Verb::Read, None), None);
        assert_eq!(ask(Verb::Infer, Some("c")), Some(Code::PermissionDenied));
        assert_eq!(ask(Verb::Metrics, None), Some(Code::PermissionDenied));
    }

    #[test]
    fn grants_of_one_token_add_up() {
        let rules = AccessRules::open()
            .with_token("t", Grant::new([Verb::Infer]).on_models(["a"]))
            .with_token("t", Grant::new([Verb::Manage]).on_models(["b"]));
        let ask = |verb, model| code(rules.authorise(&bearer("t"), verb, Some(model)));
        assert_eq!(ask(Verb::Infer, "a"), None);
        assert_eq!(ask(Verb::Manage, "b"), None);
        assert_eq!(ask(Verb::Manage, "a"), Some(Code::PermissionDenied));
    }

    #[test]
    fn debug_output_shows_no_token() {
        let rules = AccessRules::open().with_token("hunter2", Grant::everything());
        let shown = format!("{rules:?} {:?}", bearer("hunter2"));
        assert!(!shown.contains("hunter2"), "{shown}");
    }
}
