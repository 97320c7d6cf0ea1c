use jiff::Timestamp;
use noops_core::Digest;
use serde::{Deserialize, Serialize};

use super::error::ApprovalError;
use super::people::People;
use super::state::Approval;
use super::status::ApprovalStatus;
use crate::fact::{FactRecord, FactSchema, Facts};

/// What an approval was worth at a moment, with everything that it was judged by except the directory, which must come from
/// somewhere that whoever could write the record could not write.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ApprovalRecord {
    approval: Approval,
    at: Timestamp,
    people: Digest,
    facts: FactRecord,
    policies: Digest,
    status: ApprovalStatus,
}

impl ApprovalRecord {
    pub(super) fn new(
        approval: Approval,
        at: Timestamp,
        people: Digest,
        facts: FactRecord,
        policies: Digest,
        status: ApprovalStatus,
    ) -> Self {
        Self {
            approval,
            at,
            people,
            facts,
            policies,
            status,
        }
    }

    /// The request, the rule and the votes.
    #[must_use]
    pub fn approval(&self) -> &Approval {
        &self.approval
    }

    /// The moment.
    #[must_use]
    pub fn at(&self) -> Timestamp {
        self.at
    }

    /// The digest of the directory that it was judged by.
    #[must_use]
    pub fn people(&self) -> Digest {
        self.people
    }

    /// The facts of the moment.
    #[must_use]
    pub fn facts(&self) -> &FactRecord {
        &self.facts
    }

    /// The digest of the policies that were in force.
    #[must_use]
    pub fn policies(&self) -> Digest {
        self.policies
    }

    /// What it was worth.
    pub fn status(&self) -> &ApprovalStatus {
        &self.status
    }

    /// Judges it again, long after and without a network: every signature, and the status that it claims.
    ///
    /// It proves what the signers agreed to. It does not prove that the facts were true, nor that the record is the only
    /// one: that is for the audit log.
    ///
    /// # Errors
    ///
    /// [`ApprovalError::OtherSubject`] for another edition of the directory, those of [`super::Vote::verify`] for any of
    /// its votes, and [`ApprovalError::State`] where another status comes out, or the facts do not fit the schema.
    pub fn verify(&self, people: &People, schema: &FactSchema) -> Result<(), ApprovalError> {
        let given = people.digest();
        if given != self.people {
            return Err(ApprovalError::OtherSubject {
                signed: self.people,
                given,
            });
        }
        for vote in self.approval.votes() {
            let person = vote.verify(self.approval.request(), people)?;
            if !self.approval.rule().counts(person) {
                return Err(ApprovalError::WrongRole {
                    person: person.id().to_owned(),
                    needed: self.approval.rule().roles().map(str::to_owned).collect(),
                });
            }
        }
        let facts = Facts::from_record(schema, &self.facts)
            .map_err(|error| ApprovalError::state(error.to_string()))?;
        let status = self.approval.status(self.at, people, &facts, self.policies);
        if status == self.status {
            Ok(())
        } else {
            Err(ApprovalError::state(format!(
                "the record says {} and the votes say {status}",
                self.status
            )))
        }
    }
}
