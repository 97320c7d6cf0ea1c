use jiff::Timestamp;
use noops_core::Digest;
use serde::{Deserialize, Serialize};

use super::error::{ApprovalError, check_comment, check_name};
use super::key::{Signature, SigningKey, message};
use super::people::{People, Person};
use super::request::ApprovalRequest;
use crate::action::Action;

/// What somebody says to a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Choice {
    /// It may be done.
    Approve,
    /// It must not be done. One rejection is enough.
    Reject,
}

/// A vote before it is signed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "RawBallot")]
pub struct Ballot {
    person: String,
    choice: Choice,
    at: Timestamp,
    comment: String,
}

impl Ballot {
    /// What a person says at a time.
    ///
    /// # Errors
    ///
    /// [`ApprovalError::Text`] for an id that cannot be a name, and for a comment of more than 4096 bytes.
    pub fn new(
        person: &str,
        choice: Choice,
        at: Timestamp,
        comment: &str,
    ) -> Result<Self, ApprovalError> {
        check_name("id of a person", person)?;
        check_comment("comment of a vote", comment)?;
        Ok(Self {
            person: person.to_owned(),
            choice,
            at,
            comment: comment.to_owned(),
        })
    }

    /// Who votes.
    #[must_use]
    pub fn person(&self) -> &str {
        &self.person
    }

    /// What they say.
    #[must_use]
    pub fn choice(&self) -> Choice {
        self.choice
    }

    /// When they said it.
    #[must_use]
    pub fn at(&self) -> Timestamp {
        self.at
    }

    /// Why.
    #[must_use]
    pub fn comment(&self) -> &str {
        &self.comment
    }

    /// The bytes to sign, for a key that is not in this process: `noops-approval-v1`, a line feed, and the bound fields as
    /// JSON without spaces, in this order: `request`, `action`, `target`, `requester`, `decision`, `policies`, `facts`,
    /// `rule`, `expires_at`, `person`, `choice`, `at`, `comment`.
    ///
    /// # Errors
    ///
    /// [`ApprovalError::State`] should a field not serialise.
    pub fn message(&self, request: &ApprovalRequest) -> Result<Vec<u8>, ApprovalError> {
        message(
            VOTE_DOMAIN,
            &BoundBallot {
                request: request.digest(),
                action: request.action(),
                target: request.target(),
                requester: request.requester(),
                decision: request.decision(),
                policies: request.policies(),
                facts: request.facts(),
                rule: request.rule(),
                expires_at: request.expires_at(),
                person: &self.person,
                choice: self.choice,
                at: self.at,
                comment: &self.comment,
            },
        )
    }

    /// Signs it for a request.
    ///
    /// # Errors
    ///
    /// As [`Ballot::message`].
    pub fn sign(self, request: &ApprovalRequest, key: &SigningKey) -> Result<Vote, ApprovalError> {
        let signature = key.sign(&self.message(request)?);
        Ok(self.with_signature(request, signature))
    }

    /// Adds a signature that was made elsewhere over [`Ballot::message`].
    #[must_use]
    pub fn with_signature(self, request: &ApprovalRequest, signature: Signature) -> Vote {
        Vote {
            request: request.digest(),
            ballot: self,
            signature,
        }
    }
}

/// What a person says to one request, signed by them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Vote {
    request: Digest,
    ballot: Ballot,
    signature: Signature,
}

impl Vote {
    /// The digest of the request that it was signed for.
    #[must_use]
    pub fn request(&self) -> Digest {
        self.request
    }

    /// What was said, by whom and when.
    #[must_use]
    pub fn ballot(&self) -> &Ballot {
        &self.ballot
    }

    /// The signature.
    #[must_use]
    pub fn signature(&self) -> &Signature {
        &self.signature
    }

    /// Checks that it is the vote of a person of the directory on this request, whatever their roles.
    ///
    /// # Errors
    ///
    /// [`ApprovalError::OtherSubject`], [`ApprovalError::UnknownPerson`], [`ApprovalError::Requester`],
    /// [`ApprovalError::WrongTime`] for a time outside the life of the request, and [`ApprovalError::BadSignature`].
    pub fn verify<'a>(
        &self,
        request: &ApprovalRequest,
        people: &'a People,
    ) -> Result<&'a Person, ApprovalError> {
        let given = request.digest();
        if self.request != given {
            return Err(ApprovalError::OtherSubject {
                signed: self.request,
                given,
            });
        }
        let ballot = &self.ballot;
        let person = people.known(&ballot.person)?;
        if ballot.person == request.requester() {
            return Err(ApprovalError::Requester {
                person: ballot.person.clone(),
            });
        }
        if ballot.at < request.requested_at() || ballot.at >= request.expires_at() {
            return Err(ApprovalError::WrongTime { at: ballot.at });
        }
        if !person
            .key()
            .verifies(&ballot.message(request)?, &self.signature)
        {
            return Err(ApprovalError::BadSignature {
                person: ballot.person.clone(),
            });
        }
        Ok(person)
    }
}

#[derive(Serialize)]
struct BoundBallot<'a> {
    request: Digest,
    action: Action,
    target: &'a str,
    requester: &'a str,
    decision: Digest,
    policies: Digest,
    facts: Digest,
    rule: Digest,
    expires_at: Timestamp,
    person: &'a str,
    choice: Choice,
    at: Timestamp,
    comment: &'a str,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawBallot {
    person: String,
    choice: Choice,
    at: Timestamp,
    comment: String,
}

impl TryFrom<RawBallot> for Ballot {
    type Error = ApprovalError;

    fn try_from(raw: RawBallot) -> Result<Self, ApprovalError> {
        Self::new(&raw.person, raw.choice, raw.at, &raw.comment)
    }
}

const VOTE_DOMAIN: &str = "noops-approval-v1";
