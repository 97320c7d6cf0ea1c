use std::fmt;

use noops_core::Digest;
use serde::{Deserialize, Serialize};

use crate::error::PolicyError;
use crate::fact::FactSchema;
use crate::set::{PolicySet, TestFailure};

impl PolicySet {
    /// Puts other documents in force, if they load and pass their own tests; otherwise nothing changes.
    ///
    /// # Errors
    ///
    /// [`ReloadRefused`], which says what is wrong and which policies stay in force.
    ///
    /// # Examples
    ///
    /// ```
    /// use noops_policy::{FactDecl, FactSchema, PolicySet};
    ///
    /// let schema = FactSchema::new(vec![FactDecl::double("drift.psi")])?;
    /// let yaml = "{ policy: drift, owner: team, enforcement: hard-mandatory, rules: [
    ///     { name: far, effect: trigger, action: retrain, when: drift.psi > 0.2, because: inputs moved }] }";
    /// let mut policies = PolicySet::load(&[("drift.yaml", yaml)], &schema)?;
    /// let before = policies.digest();
    ///
    /// let slip = yaml.replace("0.2", "'0.2'");
    /// let refused = policies.reload(&[("drift.yaml", slip.as_str())], &schema).unwrap_err();
    /// assert!(refused.to_string().ends_with("stay in force"));
    /// assert_eq!(policies.digest(), before);
    ///
    /// let tighter = yaml.replace("0.2", "0.1");
    /// let reload = policies.reload(&[("drift.yaml", tighter.as_str())], &schema)?;
    /// assert_eq!((reload.before(), reload.after()), (before, policies.digest()));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn reload(
        &mut self,
        sources: &[(&str, &str)],
        schema: &FactSchema,
    ) -> Result<Reload, ReloadRefused> {
        let refuse = |reason| ReloadRefused {
            kept: self.digest,
            reason,
        };
        let next =
            Self::load(sources, schema).map_err(|error| refuse(RefusedReload::Documents(error)))?;
        let failures = next.run_tests();
        if !failures.is_empty() {
            return Err(refuse(RefusedReload::Tests(failures)));
        }
        let before = self.digest;
        *self = next;
        Ok(Reload {
            before,
            after: self.digest,
        })
    }
}

/// Other policies are in force.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[must_use]
pub struct Reload {
    before: Digest,
    after: Digest,
}

impl Reload {
    /// The digest of the policies that were in force.
    pub fn before(&self) -> Digest {
        self.before
    }

    /// The digest of those that are.
    pub fn after(&self) -> Digest {
        self.after
    }
}

/// Policies that were not put in force, and what is instead.
#[derive(Clone, Debug, PartialEq)]
pub struct ReloadRefused {
    kept: Digest,
    reason: RefusedReload,
}

/// Why policies were not put in force.
#[derive(Clone, Debug, PartialEq)]
pub enum RefusedReload {
    /// A document was refused.
    Documents(PolicyError),
    /// Tests of the documents failed; there is at least one.
    Tests(Vec<TestFailure>),
}

impl ReloadRefused {
    /// The digest of the policies that stay in force.
    pub fn kept(&self) -> Digest {
        self.kept
    }

    /// Why the others were refused.
    pub fn reason(&self) -> &RefusedReload {
        &self.reason
    }
}

impl fmt::Display for ReloadRefused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.reason {
            RefusedReload::Documents(error) => write!(f, "{error}")?,
            RefusedReload::Tests(failures) => {
                write!(f, "`{}` tests fail", failures.len())?;
                if let Some(first) = failures.first() {
                    write!(f, ", the first: {first}")?;
                }
            }
        }
        write!(f, "; the policies `{}` stay in force", self.kept)
    }
}

impl std::error::Error for ReloadRefused {}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fact::FactDecl;

    const GOOD: &str = "
policy: drift
owner: team
enforcement: hard-mandatory
rules:
  - { name: far, effect: trigger, action: retrain, when: psi > 0.2, because: inputs moved }
tests:
  - { name: far retrains, facts: { psi: 0.3 }, expect: { retrain: allow } }
";

    #[test]
    fn what_is_refused_or_fails_its_tests_leaves_the_old_policies_in_force() {
        let schema = FactSchema::new(vec![FactDecl::double("psi")]).unwrap();
        let mut policies = PolicySet::load(&[("drift.yaml", GOOD)], &schema).unwrap();
        let before = policies.clone();
        let slip = GOOD.replace("psi > 0.2", "pis > 0.2");
        let refused = policies
            .reload(&[("drift.yaml", slip.as_str())], &schema)
            .unwrap_err();
        assert!(matches!(refused.reason(), RefusedReload::Documents(_)));
        assert!(refused.to_string().contains("drift.yaml`:6:"), "{refused}");
        assert_eq!((refused.kept(), &policies), (before.digest(), &before));

        let failing = GOOD.replace("psi > 0.2", "psi > 0.4");
        let refused = policies
            .reload(&[("drift.yaml", failing.as_str())], &schema)
            .unwrap_err();
        assert!(matches!(refused.reason(), RefusedReload::Tests(failures) if failures.len() == 1));
        assert!(refused.to_string().ends_with("stay in force"), "{refused}");
        assert_eq!(policies, before);

        let good = GOOD.replace("psi > 0.2", "psi > 0.25");
        let reload = policies
            .reload(&[("drift.yaml", good.as_str())], &schema)
            .unwrap();
        assert_ne!(reload.before(), reload.after());
        assert_eq!(policies.digest(), reload.after());
    }
}
