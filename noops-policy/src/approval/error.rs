use std::collections::BTreeMap;
use std::fmt;

use jiff::Timestamp;
use noops_core::Digest;

use crate::document::Enforcement;

/// Why something about an approval was refused. What refuses changes nothing.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum ApprovalError {
    /// A text that cannot be used.
    Text {
        /// What it was for.
        field: &'static str,
        /// What is wrong with it and what to do.
        problem: &'static str,
    },
    /// A key or a signature that cannot be used.
    Key {
        /// What is wrong with it.
        problem: &'static str,
    },
    /// Two people with one id.
    DuplicatePerson {
        /// The id.
        id: String,
    },
    /// Two people with one key.
    DuplicateKey {
        /// The first of the two.
        first: String,
        /// The second.
        second: String,
    },
    /// A rule that cannot work.
    Rule {
        /// What is wrong with it and what to do.
        problem: String,
    },
    /// A rule that tolerates a change of a fact that is not declared.
    UnknownFact {
        /// The name.
        name: String,
        /// The declared name nearest to it, if one is near.
        suggestion: Option<String>,
    },
    /// The facts are not those that were decided on.
    OtherFacts {
        /// The digest in the decision.
        decided: Digest,
        /// The digest of the facts that were given.
        given: Digest,
    },
    /// A decision that approvals cannot help.
    NotApprovable {
        /// How binding it is.
        enforcement: Enforcement,
    },
    /// A decision that needs no override, since nothing enforces it.
    NotNeeded,
    /// A hard-mandatory denial.
    NotOverridable,
    /// The people of the directory cannot satisfy the rule, however they vote.
    Unreachable {
        /// How many people lack, by role.
        missing: BTreeMap<String, usize>,
    },
    /// A person who is not in the directory.
    UnknownPerson {
        /// The id as it was given.
        id: String,
        /// The id nearest to it, if one is near.
        suggestion: Option<String>,
    },
    /// A person who holds none of the roles that count.
    WrongRole {
        /// The person.
        person: String,
        /// The roles that count.
        needed: Vec<String>,
    },
    /// The requester voted on the own request.
    Requester {
        /// The requester.
        person: String,
    },
    /// The one who broke the glass reviews it.
    OwnReview {
        /// The person.
        person: String,
    },
    /// It came too late.
    Expired {
        /// When it expired.
        at: Timestamp,
    },
    /// It is dated before what it is about, or after now.
    WrongTime {
        /// The time that it bears.
        at: Timestamp,
    },
    /// The person has voted.
    DuplicateVote {
        /// The person.
        person: String,
    },
    /// The signature is not that of the person for these fields.
    BadSignature {
        /// The person.
        person: String,
    },
    /// It was signed for another request, decision or override.
    OtherSubject {
        /// What it was signed for.
        signed: Digest,
        /// What it was given for.
        given: Digest,
    },
    /// The request was rejected, which is final.
    AlreadyRejected {
        /// Who rejected it.
        by: String,
    },
    /// The override was used before.
    DuplicateOverride {
        /// Its digest.
        subject: Digest,
    },
    /// Reviews of earlier overrides are overdue.
    OverdueReviews {
        /// How many.
        count: usize,
        /// Since when the oldest is.
        since: Timestamp,
    },
    /// No review with this digest is open.
    NoSuchReview {
        /// The digest.
        subject: Digest,
    },
    /// A state or a record that contradicts itself.
    State {
        /// How.
        problem: String,
    },
}

impl ApprovalError {
    pub(super) fn key(problem: &'static str) -> Self {
        Self::Key { problem }
    }

    pub(super) fn state(problem: impl Into<String>) -> Self {
        Self::State {
            problem: problem.into(),
        }
    }

    pub(super) fn rule(problem: impl Into<String>) -> Self {
        Self::Rule {
            problem: problem.into(),
        }
    }
}

/// Checks a name that people read and keys are signed for.
pub(super) fn check_name(field: &'static str, text: &str) -> Result<(), ApprovalError> {
    let refuse = |problem| Err(ApprovalError::Text { field, problem });
    if text.trim().is_empty() {
        return refuse("is empty; name it");
    }
    if text.trim() != text {
        return refuse("begins or ends with a space; remove it");
    }
    if text.len() > MAX_NAME_BYTES {
        return refuse("is longer than 256 bytes; shorten it");
    }
    if text.chars().any(char::is_control) {
        return refuse("holds a control character; remove it");
    }
    Ok(())
}

/// Checks free text.
pub(super) fn check_comment(field: &'static str, text: &str) -> Result<(), ApprovalError> {
    if text.len() > MAX_COMMENT_BYTES {
        let problem = "is longer than 4096 bytes; shorten it";
        return Err(ApprovalError::Text { field, problem });
    }
    Ok(())
}

impl fmt::Display for ApprovalError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text { field, problem } => write!(f, "the {field} {problem}"),
            Self::Key { problem } => write!(f, "the key cannot be used: {problem}"),
            Self::DuplicatePerson { id } => {
                write!(f, "person `{id}` is there twice; remove one of them")
            }
            Self::DuplicateKey { first, second } => write!(
                f,
                "`{first}` and `{second}` have one key; give each person an own key"
            ),
            Self::Rule { problem } => write!(f, "the approval rule cannot work: {problem}"),
            Self::UnknownFact { name, suggestion } => {
                write!(f, "a tolerance is about the unknown fact `{name}`")?;
                match suggestion {
                    Some(near) => write!(f, "; did you mean `{near}`?"),
                    None => write!(f, "; declare it in the fact schema"),
                }
            }
            Self::OtherFacts { decided, given } => write!(
                f,
                "the decision rests on facts `{}` and was given `{}`; give the facts that were decided on",
                decided.short(),
                given.short()
            ),
            Self::NotApprovable {
                enforcement: Enforcement::HardMandatory,
            } => write!(
                f,
                "the decision does not allow the action and is hard-mandatory; approvals cannot change it"
            ),
            Self::NotApprovable { enforcement } => write!(
                f,
                "the decision does not allow the action and is {enforcement}; only breaking the glass overrides it"
            ),
            Self::NotNeeded => write!(f, "the decision is advisory; go ahead without an override"),
            Self::NotOverridable => write!(
                f,
                "the decision is hard-mandatory and cannot be overridden; change the policy or the facts"
            ),
            Self::Unreachable { missing } => {
                write!(f, "the directory lacks ")?;
                write_missing(f, missing)?;
                write!(
                    f,
                    ", the requester not counted; add people or relax the rule"
                )
            }
            Self::UnknownPerson { id, suggestion } => {
                write!(f, "unknown person `{}`", id.escape_debug())?;
                match suggestion {
                    Some(near) => write!(f, "; did you mean `{near}`?"),
                    None => write!(f, "; add them to the directory"),
                }
            }
            Self::WrongRole { person, needed } => write!(
                f,
                "`{person}` holds none of the roles that count: `{}`",
                needed.join("`, `")
            ),
            Self::Requester { person } => {
                write!(f, "`{person}` asked for it; somebody else must vote")
            }
            Self::OwnReview { person } => {
                write!(
                    f,
                    "`{person}` broke the glass; somebody else must review it"
                )
            }
            Self::Expired { at } => write!(f, "it expired at `{at}`; ask again"),
            Self::WrongTime { at } => write!(
                f,
                "it is dated `{at}`, which is before what it is about or after now; check the clock of the signer"
            ),
            Self::DuplicateVote { person } => write!(f, "`{person}` has voted; votes are final"),
            Self::BadSignature { person } => write!(
                f,
                "the signature is not that of `{person}` for these fields; sign it again"
            ),
            Self::OtherSubject { signed, given } => write!(
                f,
                "it was signed for `{}` and given for `{}`; sign it for this one",
                signed.short(),
                given.short()
            ),
            Self::AlreadyRejected { by } => {
                write!(f, "`{by}` rejected the request, which is final; ask again")
            }
            Self::DuplicateOverride { subject } => write!(
                f,
                "override `{}` was used before; sign a new one",
                subject.short()
            ),
            Self::OverdueReviews { count, since } => write!(
                f,
                "`{count}` reviews of earlier overrides are overdue, the oldest since `{since}`; close them first"
            ),
            Self::NoSuchReview { subject } => {
                write!(f, "no review of `{}` is open", subject.short())
            }
            Self::State { problem } => write!(f, "the state contradicts itself: {problem}"),
        }
    }
}

impl std::error::Error for ApprovalError {}

/// Writes how many people of which roles lack.
pub(super) fn write_missing(
    f: &mut fmt::Formatter<'_>,
    missing: &BTreeMap<String, usize>,
) -> fmt::Result {
    for (index, (role, count)) in missing.iter().enumerate() {
        let joint = if index == 0 { "" } else { ", " };
        write!(f, "{joint}`{count}` of role `{role}`")?;
    }
    Ok(())
}

const MAX_NAME_BYTES: usize = 256;

const MAX_COMMENT_BYTES: usize = 4096;
