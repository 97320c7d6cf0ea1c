use jiff::Timestamp;
use noops_core::Digest;
use serde::{Deserialize, Serialize};

use super::error::{ApprovalError, check_comment, check_name};
use super::key::{Signature, SigningKey, message};
use super::people::{People, Person};
use crate::action::Action;
use crate::decision::Decision;

/// One person's word that an action must happen against a soft-mandatory denial, before it is signed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Override {
    action: Action,
    target: String,
    decision: Digest,
    policies: Digest,
    facts: Digest,
    person: String,
    reason: String,
    at: Timestamp,
}

impl Override {
    /// Overrides one decision for one target.
    ///
    /// # Errors
    ///
    /// [`ApprovalError::Text`] for a target or a person that cannot be a name, and for a reason that is empty or longer
    /// than 4096 bytes.
    pub fn new(
        decision: &Decision,
        target: &str,
        person: &str,
        reason: &str,
        at: Timestamp,
    ) -> Result<Self, ApprovalError> {
        let made = Self {
            action: decision.action(),
            target: target.to_owned(),
            decision: decision.digest(),
            policies: decision.policy_digest(),
            facts: decision.facts_digest(),
            person: person.to_owned(),
            reason: reason.to_owned(),
            at,
        };
        made.check()?;
        Ok(made)
    }

    /// The action.
    #[must_use]
    pub fn action(&self) -> Action {
        self.action
    }

    /// What it is done to.
    #[must_use]
    pub fn target(&self) -> &str {
        &self.target
    }

    /// The digest of the decision that is overridden.
    #[must_use]
    pub fn decision(&self) -> Digest {
        self.decision
    }

    /// Who overrides it.
    #[must_use]
    pub fn person(&self) -> &str {
        &self.person
    }

    /// Why.
    #[must_use]
    pub fn reason(&self) -> &str {
        &self.reason
    }

    /// When.
    #[must_use]
    pub fn at(&self) -> Timestamp {
        self.at
    }

    /// The digest of all of it, which its review is bound to.
    #[must_use]
    pub fn digest(&self) -> Digest {
        Digest::of_json(self)
    }

    /// The bytes to sign, for a key that is not in this process: `noops-break-glass-v1`, a line feed, and the fields as
    /// JSON without spaces, in the order in which they serialise.
    ///
    /// # Errors
    ///
    /// [`ApprovalError::State`] should a field not serialise.
    pub fn message(&self) -> Result<Vec<u8>, ApprovalError> {
        message(OVERRIDE_DOMAIN, self)
    }

    /// Signs it.
    ///
    /// # Errors
    ///
    /// As [`Override::message`].
    pub fn sign(self, key: &SigningKey) -> Result<SignedOverride, ApprovalError> {
        let signature = key.sign(&self.message()?);
        Ok(self.with_signature(signature))
    }

    /// Adds a signature that was made elsewhere over [`Override::message`].
    #[must_use]
    pub fn with_signature(self, signature: Signature) -> SignedOverride {
        SignedOverride {
            content: self,
            signature,
        }
    }

    pub(super) fn check(&self) -> Result<(), ApprovalError> {
        check_name("target", &self.target)?;
        check_name("id of a person", &self.person)?;
        check_reason(&self.reason)
    }
}

/// An override, signed by the person that it names.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SignedOverride {
    content: Override,
    signature: Signature,
}

impl SignedOverride {
    /// What was signed.
    #[must_use]
    pub fn content(&self) -> &Override {
        &self.content
    }

    /// The person of the directory who signed it.
    pub(super) fn signer<'a>(&self, people: &'a People) -> Result<&'a Person, ApprovalError> {
        self.content.check()?;
        signer(
            &self.content.person,
            &self.content.message()?,
            &self.signature,
            people,
        )
    }
}

/// What a review found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Finding {
    /// Breaking the glass was right.
    Justified,
    /// It was not.
    Unjustified,
}

/// The end of a review, before it is signed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Closing {
    subject: Digest,
    person: String,
    finding: Finding,
    comment: String,
    at: Timestamp,
}

impl Closing {
    /// Ends the review of an override.
    ///
    /// # Errors
    ///
    /// [`ApprovalError::Text`] for a person that cannot be a name, and for a comment that is empty or longer than 4096
    /// bytes.
    pub fn new(
        subject: Digest,
        person: &str,
        finding: Finding,
        comment: &str,
        at: Timestamp,
    ) -> Result<Self, ApprovalError> {
        let made = Self {
            subject,
            person: person.to_owned(),
            finding,
            comment: comment.to_owned(),
            at,
        };
        made.check()?;
        Ok(made)
    }

    /// The digest of the override.
    #[must_use]
    pub fn subject(&self) -> Digest {
        self.subject
    }

    /// Who reviewed it.
    #[must_use]
    pub fn person(&self) -> &str {
        &self.person
    }

    /// What they found.
    #[must_use]
    pub fn finding(&self) -> Finding {
        self.finding
    }

    /// What they say about it.
    #[must_use]
    pub fn comment(&self) -> &str {
        &self.comment
    }

    /// When.
    #[must_use]
    pub fn at(&self) -> Timestamp {
        self.at
    }

    /// The bytes to sign: `noops-review-v1`, a line feed, and the fields as JSON without spaces, in the order in which they
    /// serialise.
    ///
    /// # Errors
    ///
    /// [`ApprovalError::State`] should a field not serialise.
    pub fn message(&self) -> Result<Vec<u8>, ApprovalError> {
        message(REVIEW_DOMAIN, self)
    }

    /// Signs it.
    ///
    /// # Errors
    ///
    /// As [`Closing::message`].
    pub fn sign(self, key: &SigningKey) -> Result<SignedClosing, ApprovalError> {
        let signature = key.sign(&self.message()?);
        Ok(self.with_signature(signature))
    }

    /// Adds a signature that was made elsewhere over [`Closing::message`].
    #[must_use]
    pub fn with_signature(self, signature: Signature) -> SignedClosing {
        SignedClosing {
            content: self,
            signature,
        }
    }

    fn check(&self) -> Result<(), ApprovalError> {
        check_name("id of a person", &self.person)?;
        check_reason(&self.comment)
    }
}

/// The end of a review, signed by the reviewer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SignedClosing {
    content: Closing,
    signature: Signature,
}

impl SignedClosing {
    /// What was signed.
    #[must_use]
    pub fn content(&self) -> &Closing {
        &self.content
    }

    /// The person of the directory who signed it.
    pub(super) fn signer<'a>(&self, people: &'a People) -> Result<&'a Person, ApprovalError> {
        self.content.check()?;
        signer(
            &self.content.person,
            &self.content.message()?,
            &self.signature,
            people,
        )
    }
}

/// An override and what became of its review.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Review {
    pub(super) overridden: SignedOverride,
    pub(super) valid_until: Timestamp,
    pub(super) due: Timestamp,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) closing: Option<SignedClosing>,
}

impl Review {
    /// The override.
    #[must_use]
    pub fn overridden(&self) -> &SignedOverride {
        &self.overridden
    }

    /// Until when the override works.
    #[must_use]
    pub fn valid_until(&self) -> Timestamp {
        self.valid_until
    }

    /// Until when somebody else must have reviewed it.
    #[must_use]
    pub fn due(&self) -> Timestamp {
        self.due
    }

    /// How the review ended; none while it is open.
    #[must_use]
    pub fn closing(&self) -> Option<&SignedClosing> {
        self.closing.as_ref()
    }

    /// Whether it is open and late.
    #[must_use]
    pub fn is_overdue(&self, now: Timestamp) -> bool {
        self.closing.is_none() && now >= self.due
    }

    /// Checks both signatures again, and that two people made them; for audits, long after and without a network.
    ///
    /// # Errors
    ///
    /// [`ApprovalError::UnknownPerson`], [`ApprovalError::BadSignature`], [`ApprovalError::OwnReview`],
    /// [`ApprovalError::WrongTime`] for an end before its beginning, and [`ApprovalError::OtherSubject`] for the end of
    /// another review.
    pub fn verify(&self, people: &People) -> Result<(), ApprovalError> {
        self.overridden.signer(people)?;
        let Some(closing) = &self.closing else {
            return Ok(());
        };
        closing.signer(people)?;
        self.check_closing(closing.content())
    }

    pub(super) fn check_closing(&self, closing: &Closing) -> Result<(), ApprovalError> {
        let content = self.overridden.content();
        let given = content.digest();
        if closing.subject != given {
            return Err(ApprovalError::OtherSubject {
                signed: closing.subject,
                given,
            });
        }
        if closing.person == content.person {
            return Err(ApprovalError::OwnReview {
                person: closing.person.clone(),
            });
        }
        if closing.at < content.at {
            return Err(ApprovalError::WrongTime { at: closing.at });
        }
        Ok(())
    }
}

fn signer<'a>(
    person: &str,
    message: &[u8],
    signature: &Signature,
    people: &'a People,
) -> Result<&'a Person, ApprovalError> {
    let known = people.known(person)?;
    if known.key().verifies(message, signature) {
        Ok(known)
    } else {
        Err(ApprovalError::BadSignature {
            person: person.to_owned(),
        })
    }
}

fn check_reason(text: &str) -> Result<(), ApprovalError> {
    if text.trim().is_empty() {
        return Err(ApprovalError::Text {
            field: "reason",
            problem: "is empty; say why",
        });
    }
    check_comment("reason", text)
}

const OVERRIDE_DOMAIN: &str = "noops-break-glass-v1";

const REVIEW_DOMAIN: &str = "noops-review-v1";
