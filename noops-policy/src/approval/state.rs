use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use noops_core::Digest;
use serde::{Deserialize, Serialize};

use super::error::ApprovalError;
use super::moved::{Voided, moved};
use super::people::{People, Person};
use super::record::ApprovalRecord;
use super::request::ApprovalRequest;
use super::rule::ApprovalRule;
use super::status::ApprovalStatus;
use super::vote::{Choice, Vote};
use crate::fact::Facts;

/// A request and the votes on it.
///
/// It trusts neither its store nor its own past: what it is worth is computed anew from the signatures, the directory, the
/// facts and the policies of the moment, so somebody who leaves the directory takes their agreement with them. Only what
/// ends a request for good, a rejection or an [`Approval::refresh`] that found it void, is remembered.
///
/// It does not know whether the action was done. Use the digest of the request as the key under which the action is
/// recorded, so that one approval is not used twice.
///
/// # Examples
///
/// ```
/// use std::time::Duration;
/// use noops_core::Timestamp;
/// use noops_policy::approval::{
///     Approval, ApprovalRequest, ApprovalRule, Ballot, Choice, People, Person, SigningKey, Tolerance,
/// };
/// use noops_policy::{Action, FactDecl, FactSchema, Facts, PolicySet};
///
/// let schema = FactSchema::new(vec![FactDecl::double("drift.psi")])?;
/// let yaml = "{ policy: drift, owner: team, enforcement: soft-mandatory, rules: [
///     { name: near, effect: permit, action: promote, when: drift.psi < 0.2, because: inputs are as they were }] }";
/// let policies = PolicySet::load(&[("drift.yaml", yaml)], &schema)?;
/// let now = Timestamp::UNIX_EPOCH;
/// let mut facts = Facts::new(&schema);
/// facts.set("drift.psi", 0.10, now)?;
/// let decision = policies.decide(Action::Promote, &facts, now);
///
/// let key = SigningKey::from_seed([1; 32]);
/// let people = People::new([Person::new("ada", ["ml-owner"], key.public())?])?;
/// let rule = ApprovalRule::new([("ml-owner", 1)], Duration::from_secs(3600))?
///     .with_tolerance("drift.psi", Tolerance::absolute(0.02)?)?;
/// let request = ApprovalRequest::new(&decision, &facts, "fraud", "autopilot", &rule, now)?;
/// let mut approval = Approval::open(request, rule, &people)?;
///
/// let ballot = Ballot::new("ada", Choice::Approve, now, "the drift is seasonal")?;
/// let vote = ballot.sign(approval.request(), &key)?;
/// approval.add_vote(vote, &people, now)?;
/// assert!(approval.status(now, &people, &facts, policies.digest()).is_granted());
///
/// facts.set("drift.psi", 0.19, now)?;
/// let status = approval.status(now, &people, &facts, policies.digest());
/// assert!(status.to_string().starts_with("voided: `drift.psi` went from 0.1 to 0.19"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "RawApproval")]
pub struct Approval {
    request: ApprovalRequest,
    rule: ApprovalRule,
    /// By person, so that their order of arrival leaves no trace.
    votes: Vec<Vote>,
    #[serde(skip_serializing_if = "Option::is_none")]
    voided: Option<Voided>,
}

impl Approval {
    /// Opens a request for votes.
    ///
    /// # Errors
    ///
    /// [`ApprovalError::OtherSubject`] for another rule than the request is bound to, and
    /// [`ApprovalError::Unreachable`] where the directory lacks the people that the rule asks for.
    pub fn open(
        request: ApprovalRequest,
        rule: ApprovalRule,
        people: &People,
    ) -> Result<Self, ApprovalError> {
        rule.check_reachable(people, request.requester())?;
        Self::try_from(RawApproval {
            request,
            rule,
            votes: Vec::new(),
            voided: None,
        })
    }

    /// The request.
    #[must_use]
    pub fn request(&self) -> &ApprovalRequest {
        &self.request
    }

    /// The rule.
    #[must_use]
    pub fn rule(&self) -> &ApprovalRule {
        &self.rule
    }

    /// The votes, by person.
    #[must_use]
    pub fn votes(&self) -> &[Vote] {
        &self.votes
    }

    /// Counts a vote. A rejection counts even after enough people have agreed.
    ///
    /// # Errors
    ///
    /// [`ApprovalError::AlreadyRejected`], [`ApprovalError::Expired`], [`ApprovalError::DuplicateVote`],
    /// [`ApprovalError::WrongRole`], [`ApprovalError::WrongTime`] for a vote from the future, and those of
    /// [`Vote::verify`]. The approval is then unchanged.
    pub fn add_vote(
        &mut self,
        vote: Vote,
        people: &People,
        now: Timestamp,
    ) -> Result<(), ApprovalError> {
        if let Some(by) = self.rejected_by() {
            return Err(ApprovalError::AlreadyRejected { by: by.to_owned() });
        }
        let at = self.request.expires_at();
        if now >= at {
            return Err(ApprovalError::Expired { at });
        }
        let person = vote.verify(&self.request, people)?;
        if vote.ballot().at() > now {
            return Err(ApprovalError::WrongTime {
                at: vote.ballot().at(),
            });
        }
        if !self.rule.counts(person) {
            return Err(ApprovalError::WrongRole {
                person: person.id().to_owned(),
                needed: self.rule.roles().map(str::to_owned).collect(),
            });
        }
        let place = self
            .votes
            .partition_point(|other| other.ballot().person() < person.id());
        let is_there = self
            .votes
            .get(place)
            .is_some_and(|other| other.ballot().person() == person.id());
        if is_there {
            return Err(ApprovalError::DuplicateVote {
                person: person.id().to_owned(),
            });
        }
        self.votes.insert(place, vote);
        Ok(())
    }

    /// What it is worth at `now`, with these facts and policies in force. Ask at the moment of use, not before.
    ///
    /// The first of: rejected, expired, voided, pending, granted. A fact that moved beyond its tolerance voids it, and so
    /// does one that stopped being known: a stale fact cannot be seen to stand still. Votes that do not verify against the
    /// directory do not count, and neither do votes dated after `now`, so a clock that goes backwards opens nothing.
    ///
    /// # Complexity
    ///
    /// One verification of a signature for each vote, and linear in the facts.
    pub fn status(
        &self,
        now: Timestamp,
        people: &People,
        facts: &Facts,
        policies: Digest,
    ) -> ApprovalStatus {
        if let Some(by) = self.rejected_by() {
            return ApprovalStatus::Rejected { by: by.to_owned() };
        }
        let at = self.request.expires_at();
        if now >= at {
            return ApprovalStatus::Expired { at };
        }
        if let Some(voided) = self
            .voided
            .clone()
            .or_else(|| self.void(now, facts, policies))
        {
            return ApprovalStatus::Voided(voided);
        }
        let agreed: Vec<&Person> = self
            .votes
            .iter()
            .filter(|vote| vote.ballot().at() <= now)
            .filter_map(|vote| vote.verify(&self.request, people).ok())
            .filter(|person| self.rule.counts(person))
            .collect();
        let missing: BTreeMap<String, usize> = self.rule.missing(&agreed);
        if missing.is_empty() {
            ApprovalStatus::Granted {
                by: agreed.iter().map(|person| person.id().to_owned()).collect(),
            }
        } else {
            ApprovalStatus::Pending { missing }
        }
    }

    /// As [`Approval::status`], and remembers that it is void: it then stays so, even if the facts move back.
    pub fn refresh(
        &mut self,
        now: Timestamp,
        people: &People,
        facts: &Facts,
        policies: Digest,
    ) -> ApprovalStatus {
        let status = self.status(now, people, facts, policies);
        if let ApprovalStatus::Voided(voided) = &status {
            self.voided = Some(voided.clone());
        }
        status
    }

    /// What happened, for the audit log: with what it was judged by, so that it can be judged again.
    #[must_use]
    pub fn record(
        &self,
        now: Timestamp,
        people: &People,
        facts: &Facts,
        policies: Digest,
    ) -> ApprovalRecord {
        let status = self.status(now, people, facts, policies);
        ApprovalRecord::new(
            self.clone(),
            now,
            people.digest(),
            facts.to_record(),
            policies,
            status,
        )
    }

    /// Who rejected it. A rejection counts even if it does not verify any more: what is in doubt is not done.
    fn rejected_by(&self) -> Option<&str> {
        self.votes
            .iter()
            .map(Vote::ballot)
            .find(|ballot| ballot.choice() == Choice::Reject)
            .map(|ballot| ballot.person())
    }

    fn void(&self, now: Timestamp, facts: &Facts, policies: Digest) -> Option<Voided> {
        let request = &self.request;
        let moved = moved(
            request.record(),
            request.decided_at(),
            facts,
            now,
            &self.rule,
        );
        Voided::since(moved, request.policies(), policies)
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawApproval {
    request: ApprovalRequest,
    rule: ApprovalRule,
    votes: Vec<Vote>,
    #[serde(default)]
    voided: Option<Voided>,
}

impl TryFrom<RawApproval> for Approval {
    type Error = ApprovalError;

    fn try_from(raw: RawApproval) -> Result<Self, ApprovalError> {
        let given = raw.rule.digest();
        if given != raw.request.rule() {
            return Err(ApprovalError::OtherSubject {
                signed: raw.request.rule(),
                given,
            });
        }
        let request = raw.request.digest();
        let mut votes = raw.votes;
        votes.sort_by(|a, b| a.ballot().person().cmp(b.ballot().person()));
        let mut voters: BTreeSet<&str> = BTreeSet::new();
        for vote in &votes {
            if vote.request() != request {
                return Err(ApprovalError::OtherSubject {
                    signed: vote.request(),
                    given: request,
                });
            }
            if !voters.insert(vote.ballot().person()) {
                return Err(ApprovalError::DuplicateVote {
                    person: vote.ballot().person().to_owned(),
                });
            }
        }
        Ok(Self {
            request: raw.request,
            rule: raw.rule,
            votes,
            voided: raw.voided,
        })
    }
}
