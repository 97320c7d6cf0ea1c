use std::sync::Arc;

use noops_core::Digest;
use serde::{Deserialize, Serialize};

use crate::error::PolicyError;
use crate::fact::FactDecl;
use crate::suggest;

/// The facts that policies may speak about. Cheap to clone.
///
/// A condition that names anything else is refused when it is loaded, so that a slip of the pen can never open a gate.
///
/// # Examples
///
/// ```
/// use noops_policy::{FactDecl, FactSchema};
///
/// let schema = FactSchema::new(vec![
///     FactDecl::double("harm.max_e").with_min(0.0),
///     FactDecl::int("harm.blocks").with_min(0.0),
/// ])?;
/// assert_eq!(schema.len(), 2);
/// assert!(schema.fact("harm.blocks").is_some());
/// # Ok::<(), noops_policy::PolicyError>(())
/// ```
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(try_from = "Vec<FactDecl>", into = "Vec<FactDecl>")]
pub struct FactSchema {
    facts: Arc<Vec<FactDecl>>,
}

impl FactSchema {
    /// Builds a schema; the order of the declarations does not matter.
    ///
    /// # Errors
    ///
    /// [`PolicyError::InvalidFact`] for a malformed or reserved name, a name declared twice, a name that is the beginning
    /// of another (`harm` beside `harm.max_e`), a range that is empty, not finite, or not of a number, and a greatest age
    /// above `i64::MAX` seconds.
    ///
    /// # Complexity
    ///
    /// O(n log n) for n declarations.
    pub fn new(facts: Vec<FactDecl>) -> Result<Self, PolicyError> {
        let mut facts = facts;
        for fact in &facts {
            fact.check()?;
        }
        facts.sort_by(|a, b| a.name().cmp(b.name()));
        for (first, second) in facts.iter().zip(facts.iter().skip(1)) {
            if first.name() == second.name() {
                return Err(PolicyError::InvalidFact {
                    name: first.name().to_owned(),
                    problem: "is declared twice; remove one declaration".to_owned(),
                });
            }
        }
        let schema = Self {
            facts: Arc::new(facts),
        };
        for fact in schema.facts() {
            for (dot, _) in fact.name().match_indices('.') {
                let prefix = fact.name().get(..dot).unwrap_or_default();
                if schema.fact(prefix).is_some() {
                    return Err(PolicyError::InvalidFact {
                        name: prefix.to_owned(),
                        problem: format!(
                            "is the beginning of the fact `{}`; rename one of them",
                            fact.name()
                        ),
                    });
                }
            }
        }
        Ok(schema)
    }

    /// The declarations, sorted by name.
    pub fn facts(&self) -> &[FactDecl] {
        &self.facts
    }

    /// The declaration of the fact called `name`.
    pub fn fact(&self, name: &str) -> Option<&FactDecl> {
        self.slot(name).and_then(|slot| self.facts.get(slot))
    }

    /// How many facts are declared.
    pub fn len(&self) -> usize {
        self.facts.len()
    }

    /// Whether no fact is declared.
    pub fn is_empty(&self) -> bool {
        self.facts.is_empty()
    }

    /// The digest of the declarations.
    pub fn digest(&self) -> Digest {
        Digest::of_json(self)
    }

    pub(crate) fn slot(&self, name: &str) -> Option<usize> {
        self.facts
            .binary_search_by(|fact| fact.name().cmp(name))
            .ok()
    }

    pub(crate) fn name(&self, slot: usize) -> &str {
        self.facts.get(slot).map_or("", FactDecl::name)
    }

    pub(crate) fn unknown(&self, name: &str) -> PolicyError {
        PolicyError::UnknownFact {
            name: name.to_owned(),
            suggestion: suggest::nearest(name, self.facts.iter().map(FactDecl::name))
                .map(str::to_owned),
        }
    }

    pub(crate) fn is_same(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.facts, &other.facts) || self.facts == other.facts
    }
}

impl PartialEq for FactSchema {
    fn eq(&self, other: &Self) -> bool {
        self.is_same(other)
    }
}

impl TryFrom<Vec<FactDecl>> for FactSchema {
    type Error = PolicyError;

    fn try_from(facts: Vec<FactDecl>) -> Result<Self, PolicyError> {
        Self::new(facts)
    }
}

impl From<FactSchema> for Vec<FactDecl> {
    fn from(schema: FactSchema) -> Self {
        schema.facts.as_ref().clone()
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[track_caller]
    fn refused(facts: Vec<FactDecl>, message: &str) {
        assert_eq!(FactSchema::new(facts).unwrap_err().to_string(), message);
    }

    #[test]
    fn bad_declarations_are_refused_by_name() {
        refused(
            vec![FactDecl::double("a.b"), FactDecl::int("a.b")],
            "fact `a.b`: is declared twice; remove one declaration",
        );
        refused(
            vec![
                FactDecl::double("a"),
                FactDecl::int("ab"),
                FactDecl::int("a.b"),
            ],
            "fact `a`: is the beginning of the fact `a.b`; rename one of them",
        );
        refused(
            vec![FactDecl::bool("a..b")],
            "fact `a..b`: name must be identifiers joined by dots, such as `drift.psi`",
        );
        refused(
            vec![FactDecl::bool("a.in")],
            "fact `a.in`: `in` is a reserved word of the condition language; choose another name",
        );
        refused(
            vec![FactDecl::double("a").with_min(2.0).with_max(1.0)],
            "fact `a`: min `2` is above max `1`; swap them",
        );
        refused(
            vec![FactDecl::double("a").with_min(f64::NAN)],
            "fact `a`: a bound must be finite; leave it out for no bound",
        );
        refused(
            vec![FactDecl::text("a").with_max(1.0)],
            "fact `a`: a range needs a number and the fact is text; remove `min` and `max`",
        );
    }

    #[test]
    fn a_greatest_age_that_cannot_be_written_down_is_refused() {
        refused(
            vec![FactDecl::text("a").with_max_age(Duration::MAX)],
            "fact `a`: max_age of `18446744073709551615` seconds is above `9223372036854775807`; leave it out for facts that do not become stale",
        );
        let greatest = Duration::new(i64::MAX.unsigned_abs(), 999_999_999);
        let one = FactSchema::new(vec![FactDecl::text("a").with_max_age(greatest)]).unwrap();
        let two = FactSchema::new(vec![FactDecl::text("b").with_max_age(greatest)]).unwrap();
        assert_ne!(one.digest(), two.digest());
        let json = serde_json::to_string(&one).unwrap();
        assert_eq!(serde_json::from_str::<FactSchema>(&json).unwrap(), one);
    }

    #[test]
    fn order_of_declarations_does_not_matter() {
        let one = FactSchema::new(vec![FactDecl::double("b"), FactDecl::int("a")]).unwrap();
        let two = FactSchema::new(vec![FactDecl::int("a"), FactDecl::double("b")]).unwrap();
        assert_eq!(one, two);
        assert_eq!(one.digest(), two.digest());
    }

    #[test]
    fn schemas_survive_json_and_are_checked_on_the_way_in() {
        let schema = FactSchema::new(vec![
            FactDecl::double("drift.psi")
                .with_min(0.0)
                .with_max_age(Duration::from_secs(7200))
                .with_unit("ratio")
                .with_meaning("worst feature"),
        ])
        .unwrap();
        let json = serde_json::to_string(&schema).unwrap();
        let back: FactSchema = serde_json::from_str(&json).unwrap();
        assert_eq!(back, schema);
        let twice = r#"[{"name":"a","type":"int"},{"name":"a","type":"int"}]"#;
        assert!(serde_json::from_str::<FactSchema>(twice).is_err());
    }

    #[test]
    fn schemas_are_read_from_yaml() {
        let yaml = "- name: drift.psi\n  type: double\n  min: 0\n  max_age: 2h\n- name: env\n  type: text\n";
        let schema: FactSchema = serde_saphyr::from_str(yaml).unwrap();
        let psi = schema.fact("drift.psi").unwrap();
        assert_eq!(psi.min(), Some(0.0));
        assert_eq!(psi.max_age(), Some(Duration::from_secs(7200)));
        assert!(
            serde_saphyr::from_str::<FactSchema>("- name: a\n  type: int\n  maxx: 3\n").is_err()
        );
    }
}
