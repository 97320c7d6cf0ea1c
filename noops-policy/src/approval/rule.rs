use std::collections::BTreeMap;
use std::time::Duration;

use noops_core::Digest;
use serde::{Deserialize, Serialize};

use super::error::{ApprovalError, check_name};
use super::matching;
use super::people::{People, Person};
use super::tolerance::Tolerance;
use crate::fact::{FactSchema, FactType};
use crate::suggest;

/// How many people of which roles must agree, for how long their agreement holds, and how far facts may move meanwhile.
///
/// The requester never counts, and a person who holds several roles counts once, for the role where that helps most.
///
/// # Examples
///
/// ```
/// use std::time::Duration;
/// use noops_policy::approval::{ApprovalRule, Tolerance};
///
/// let rule = ApprovalRule::new([("ml-owner", 2), ("risk", 1)], Duration::from_secs(86_400))?
///     .with_tolerance("drift.psi", Tolerance::absolute(0.02)?)?;
/// assert_eq!(rule.required("ml-owner"), 2);
/// # Ok::<(), noops_policy::approval::ApprovalError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "RawRule", into = "RawRule")]
pub struct ApprovalRule {
    required: BTreeMap<String, usize>,
    expires_after: Duration,
    tolerances: BTreeMap<String, Tolerance>,
}

impl ApprovalRule {
    /// Needs so many people of each role; an approval expires that long after its request.
    ///
    /// # Errors
    ///
    /// [`ApprovalError::Rule`] for no role, a role that is there twice, a role that needs nobody, more than 64 people
    /// together, or an expiry of zero; [`ApprovalError::Text`] for a role that cannot be a name.
    pub fn new<R: Into<String>>(
        required: impl IntoIterator<Item = (R, usize)>,
        expires_after: Duration,
    ) -> Result<Self, ApprovalError> {
        let mut by_role: BTreeMap<String, usize> = BTreeMap::new();
        let mut total: usize = 0;
        for (role, count) in required {
            let role = role.into();
            check_name("role of a rule", &role)?;
            if count == 0 {
                let problem = format!("role `{role}` needs nobody; leave it out or ask for one");
                return Err(ApprovalError::rule(problem));
            }
            total = total.saturating_add(count);
            if by_role.contains_key(&role) {
                let problem = format!("role `{role}` is there twice; add the numbers up");
                return Err(ApprovalError::rule(problem));
            }
            by_role.insert(role, count);
        }
        if by_role.is_empty() || total > MAX_PEOPLE {
            let problem = format!("it needs `{total}` people; ask for 1 to `{MAX_PEOPLE}`");
            return Err(ApprovalError::rule(problem));
        }
        if expires_after.is_zero() {
            let problem = "it expires at once; give people time to vote";
            return Err(ApprovalError::rule(problem));
        }
        Ok(Self {
            required: by_role,
            expires_after,
            tolerances: BTreeMap::new(),
        })
    }

    /// Lets a fact move so far. A fact without a tolerance must stay equal.
    ///
    /// # Errors
    ///
    /// [`ApprovalError::Text`] for a name that no fact can have.
    pub fn with_tolerance(
        mut self,
        fact: &str,
        tolerance: Tolerance,
    ) -> Result<Self, ApprovalError> {
        check_name("fact of a tolerance", fact)?;
        self.tolerances.insert(fact.to_owned(), tolerance);
        Ok(self)
    }

    /// How many people of a role it needs; zero for a role that it does not name.
    #[must_use]
    pub fn required(&self, role: &str) -> usize {
        self.required.get(role).copied().unwrap_or(0)
    }

    /// The roles that count, sorted.
    pub fn roles(&self) -> impl Iterator<Item = &str> {
        self.required.keys().map(String::as_str)
    }

    /// How long after its request an approval expires.
    #[must_use]
    pub fn expires_after(&self) -> Duration {
        self.expires_after
    }

    /// How far a fact may move; none if it must stay equal.
    #[must_use]
    pub fn tolerance(&self, fact: &str) -> Option<Tolerance> {
        self.tolerances.get(fact).copied()
    }

    /// The digest of the rule, which requests are bound to.
    #[must_use]
    pub fn digest(&self) -> Digest {
        Digest::of_json(self)
    }

    /// Checks the tolerances against a schema, so that a slip in a name is found before anybody votes.
    ///
    /// # Errors
    ///
    /// [`ApprovalError::UnknownFact`] for a fact that is not declared, and [`ApprovalError::Rule`] for a bound on a fact
    /// that is no number.
    pub fn check_against(&self, schema: &FactSchema) -> Result<(), ApprovalError> {
        for (name, tolerance) in &self.tolerances {
            let Some(decl) = schema.facts().iter().find(|decl| decl.name() == name) else {
                let names = schema.facts().iter().map(|decl| decl.name());
                return Err(ApprovalError::UnknownFact {
                    name: name.clone(),
                    suggestion: suggest::nearest(name, names).map(str::to_owned),
                });
            };
            let is_number = matches!(decl.fact_type(), FactType::Int | FactType::Double);
            if !is_number && !tolerance.is_any() {
                return Err(ApprovalError::rule(format!(
                    "fact `{name}` is declared as {} and cannot have a bound; tolerate any change of it or none",
                    decl.fact_type()
                )));
            }
        }
        Ok(())
    }

    /// Checks that the directory could satisfy it for this requester.
    ///
    /// # Errors
    ///
    /// [`ApprovalError::Unreachable`] with the people that lack.
    pub fn check_reachable(&self, people: &People, requester: &str) -> Result<(), ApprovalError> {
        let others: Vec<&Person> = people
            .iter()
            .filter(|person| person.id() != requester && self.counts(person))
            .collect();
        let missing = self.missing(&others);
        if missing.is_empty() {
            Ok(())
        } else {
            Err(ApprovalError::Unreachable { missing })
        }
    }

    /// Whether the person holds a role that counts.
    pub(super) fn counts(&self, person: &Person) -> bool {
        self.required.keys().any(|role| person.holds(role))
    }

    /// How many people lack, by role, when these have agreed.
    pub(super) fn missing(&self, agreed: &[&Person]) -> BTreeMap<String, usize> {
        matching::missing(&self.required, agreed)
    }
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawRule {
    required: BTreeMap<String, usize>,
    expires_after: Duration,
    #[serde(default)]
    tolerances: BTreeMap<String, Tolerance>,
}

impl TryFrom<RawRule> for ApprovalRule {
    type Error = ApprovalError;

    fn try_from(raw: RawRule) -> Result<Self, ApprovalError> {
        raw.tolerances.into_iter().try_fold(
            Self::new(raw.required, raw.expires_after)?,
            |rule, (fact, tolerance)| rule.with_tolerance(&fact, tolerance),
        )
    }
}

impl From<ApprovalRule> for RawRule {
    fn from(rule: ApprovalRule) -> Self {
        Self {
            required: rule.required,
            expires_after: rule.expires_after,
            tolerances: rule.tolerances,
        }
    }
}

/// More people than ever agree on one change; it bounds the work of counting.
const MAX_PEOPLE: usize = 64;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fact::FactDecl;

    const DAY: Duration = Duration::from_secs(86_400);

    #[test]
    fn rules_that_cannot_work_are_refused() {
        for required in [
            vec![],
            vec![("owner", 0)],
            vec![("owner", 1), ("owner", 1)],
            vec![("owner", 65)],
            vec![("owner", usize::MAX), ("risk", usize::MAX)],
            vec![(" ", 1)],
        ] {
            assert!(
                ApprovalRule::new(required.clone(), DAY).is_err(),
                "{required:?}"
            );
        }
        assert!(ApprovalRule::new([("owner", 1)], Duration::ZERO).is_err());
    }

    #[test]
    fn tolerances_are_checked_against_the_schema() {
        let schema =
            FactSchema::new(vec![FactDecl::double("drift.psi"), FactDecl::text("env")]).unwrap();
        let rule = ApprovalRule::new([("owner", 1)], DAY).unwrap();
        let bound = Tolerance::absolute(0.1).unwrap();
        let error = rule
            .clone()
            .with_tolerance("drift.pssi", bound)
            .unwrap()
            .check_against(&schema)
            .unwrap_err();
        assert_eq!(
            error.to_string(),
            "a tolerance is about the unknown fact `drift.pssi`; did you mean `drift.psi`?"
        );
        let on_text = rule.clone().with_tolerance("env", bound).unwrap();
        assert!(on_text.check_against(&schema).is_err());
        let any = rule.with_tolerance("env", Tolerance::any()).unwrap();
        assert_eq!(any.check_against(&schema), Ok(()));
    }

    #[test]
    fn a_rule_is_checked_when_it_is_read() {
        let rule = ApprovalRule::new([("owner", 2)], DAY).unwrap();
        let json = serde_json::to_string(&rule).unwrap();
        assert_eq!(serde_json::from_str::<ApprovalRule>(&json).unwrap(), rule);
        for hostile in [
            json.replace(":2", ":0"),
            json.replace("owner", ""),
            json.replace("tolerances", "tolerance"),
        ] {
            assert!(
                serde_json::from_str::<ApprovalRule>(&hostile).is_err(),
                "{hostile}"
            );
        }
    }
}
