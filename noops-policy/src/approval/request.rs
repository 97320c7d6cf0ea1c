use jiff::Timestamp;
use noops_core::Digest;
use serde::{Deserialize, Serialize};

use super::error::{ApprovalError, check_name};
use super::rule::ApprovalRule;
use crate::action::Action;
use crate::decision::Decision;
use crate::document::Enforcement;
use crate::fact::{FactRecord, Facts};

/// A question to people, bound to one decision, one edition of the policies, one set of facts and one rule.
///
/// Every vote is signed for the digest of all of it, so none of it can change under a vote.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "RawRequest")]
pub struct ApprovalRequest {
    action: Action,
    target: String,
    requester: String,
    decision: Digest,
    policies: Digest,
    facts: Digest,
    rule: Digest,
    decided_at: Timestamp,
    requested_at: Timestamp,
    expires_at: Timestamp,
    record: FactRecord,
}

impl ApprovalRequest {
    /// Asks for agreement to a decision that allows its action.
    ///
    /// # Errors
    ///
    /// [`ApprovalError::NotApprovable`] for a decision that does not allow its action: approvals confirm, they do not
    /// override; [`ApprovalError::OtherFacts`] for facts that were not decided on; [`ApprovalError::Text`] for a target or
    /// a requester that cannot be a name; [`ApprovalError::WrongTime`] for a time before the decision; and those of
    /// [`ApprovalRule::check_against`].
    pub fn new(
        decision: &Decision,
        facts: &Facts,
        target: &str,
        requester: &str,
        rule: &ApprovalRule,
        requested_at: Timestamp,
    ) -> Result<Self, ApprovalError> {
        if !decision.is_allowed() {
            return Err(match decision.enforcement() {
                Enforcement::Advisory => ApprovalError::NotNeeded,
                enforcement => ApprovalError::NotApprovable { enforcement },
            });
        }
        check_facts(decision, facts)?;
        rule.check_against(facts.schema())?;
        Self::try_from(RawRequest {
            action: decision.action(),
            target: target.to_owned(),
            requester: requester.to_owned(),
            decision: decision.digest(),
            policies: decision.policy_digest(),
            facts: decision.facts_digest(),
            rule: rule.digest(),
            decided_at: decision.at(),
            requested_at,
            expires_at: requested_at
                .checked_add(rule.expires_after())
                .unwrap_or(Timestamp::MAX),
            record: facts.to_record(),
        })
    }

    /// The action.
    #[must_use]
    pub fn action(&self) -> Action {
        self.action
    }

    /// What it is to be done to.
    #[must_use]
    pub fn target(&self) -> &str {
        &self.target
    }

    /// Who asks; often a program.
    #[must_use]
    pub fn requester(&self) -> &str {
        &self.requester
    }

    /// The digest of the decision.
    #[must_use]
    pub fn decision(&self) -> Digest {
        self.decision
    }

    /// The digest of the policies that decided.
    #[must_use]
    pub fn policies(&self) -> Digest {
        self.policies
    }

    /// The digest of the facts that were decided on.
    #[must_use]
    pub fn facts(&self) -> Digest {
        self.facts
    }

    /// The digest of the rule that says who must agree.
    #[must_use]
    pub fn rule(&self) -> Digest {
        self.rule
    }

    /// When it was decided.
    #[must_use]
    pub fn decided_at(&self) -> Timestamp {
        self.decided_at
    }

    /// When it was asked.
    #[must_use]
    pub fn requested_at(&self) -> Timestamp {
        self.requested_at
    }

    /// From when on no vote and no approval counts.
    #[must_use]
    pub fn expires_at(&self) -> Timestamp {
        self.expires_at
    }

    /// The facts that were decided on.
    #[must_use]
    pub fn record(&self) -> &FactRecord {
        &self.record
    }

    /// The digest of all of it, which votes are signed for. It can serve as the key that keeps an action from being done
    /// twice on one approval.
    #[must_use]
    pub fn digest(&self) -> Digest {
        Digest::of_json(self)
    }
}

/// Checks that the facts are those that were decided on.
pub(super) fn check_facts(decision: &Decision, facts: &Facts) -> Result<(), ApprovalError> {
    let given = facts.digest();
    let decided = decision.facts_digest();
    if given == decided {
        Ok(())
    } else {
        Err(ApprovalError::OtherFacts { decided, given })
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawRequest {
    action: Action,
    target: String,
    requester: String,
    decision: Digest,
    policies: Digest,
    facts: Digest,
    rule: Digest,
    decided_at: Timestamp,
    requested_at: Timestamp,
    expires_at: Timestamp,
    record: FactRecord,
}

impl TryFrom<RawRequest> for ApprovalRequest {
    type Error = ApprovalError;

    fn try_from(raw: RawRequest) -> Result<Self, ApprovalError> {
        check_name("target", &raw.target)?;
        check_name("requester", &raw.requester)?;
        if raw.requested_at < raw.decided_at {
            return Err(ApprovalError::WrongTime {
                at: raw.requested_at,
            });
        }
        if raw.expires_at < raw.requested_at {
            return Err(ApprovalError::state("it expires before it is requested"));
        }
        if Digest::of_json(&raw.record) != raw.facts {
            return Err(ApprovalError::state(
                "the facts of the request are not those of its digest",
            ));
        }
        Ok(Self {
            action: raw.action,
            target: raw.target,
            requester: raw.requester,
            decision: raw.decision,
            policies: raw.policies,
            facts: raw.facts,
            rule: raw.rule,
            decided_at: raw.decided_at,
            requested_at: raw.requested_at,
            expires_at: raw.expires_at,
            record: raw.record,
        })
    }
}
