use std::collections::BTreeSet;
use std::time::Duration;

use jiff::Timestamp;
use noops_core::Digest;
use serde::{Deserialize, Serialize};

use super::error::{ApprovalError, check_name};
use super::people::{People, Person};
use super::review::{Review, SignedClosing, SignedOverride};
use crate::decision::Decision;
use crate::document::Enforcement;

/// Who may break the glass, for how long it then stays open, and who must look at it afterwards, until when.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "RawRule", into = "RawRule")]
pub struct BreakGlassRule {
    roles: BTreeSet<String>,
    valid_for: Duration,
    reviewers: BTreeSet<String>,
    review_within: Duration,
}

impl BreakGlassRule {
    /// Lets people of the role `role` override for `valid_for`; people of the role `reviewer` must review it within
    /// `review_within`.
    ///
    /// # Errors
    ///
    /// [`ApprovalError::Text`] for a role that cannot be a name, and [`ApprovalError::Rule`] for a time of zero.
    pub fn new(
        role: &str,
        valid_for: Duration,
        reviewer: &str,
        review_within: Duration,
    ) -> Result<Self, ApprovalError> {
        Self::try_from(RawRule {
            roles: BTreeSet::from([role.to_owned()]),
            valid_for,
            reviewers: BTreeSet::from([reviewer.to_owned()]),
            review_within,
        })
    }

    /// Lets people of another role break the glass too.
    ///
    /// # Errors
    ///
    /// [`ApprovalError::Text`] for a role that cannot be a name.
    pub fn with_role(mut self, role: &str) -> Result<Self, ApprovalError> {
        check_name("role of a rule", role)?;
        self.roles.insert(role.to_owned());
        Ok(self)
    }

    /// Lets people of another role review too.
    ///
    /// # Errors
    ///
    /// [`ApprovalError::Text`] for a role that cannot be a name.
    pub fn with_reviewer(mut self, role: &str) -> Result<Self, ApprovalError> {
        check_name("role of a rule", role)?;
        self.reviewers.insert(role.to_owned());
        Ok(self)
    }

    /// The roles that may break the glass, sorted.
    pub fn roles(&self) -> impl Iterator<Item = &str> {
        self.roles.iter().map(String::as_str)
    }

    /// The roles that may review, sorted.
    pub fn reviewers(&self) -> impl Iterator<Item = &str> {
        self.reviewers.iter().map(String::as_str)
    }

    /// How long an override works.
    #[must_use]
    pub fn valid_for(&self) -> Duration {
        self.valid_for
    }

    /// How long a review may take.
    #[must_use]
    pub fn review_within(&self) -> Duration {
        self.review_within
    }
}

/// The overrides on record and their reviews.
///
/// Breaking the glass works at once and on one signature, because it is for when there is no time. In return it works for one
/// decision and one target and a short while, somebody else must review it, and as long as a review is overdue nobody
/// breaks the glass again. Hard-mandatory denials cannot be overridden at all, and neither can what is unknown under a
/// hard-mandatory policy; an allowed action can, where it still waits for approvals.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "RawBreakGlass")]
pub struct BreakGlass {
    rule: BreakGlassRule,
    reviews: Vec<Review>,
}

impl BreakGlass {
    /// Has no override on record.
    #[must_use]
    pub fn new(rule: BreakGlassRule) -> Self {
        Self {
            rule,
            reviews: Vec::new(),
        }
    }

    /// The rule.
    #[must_use]
    pub fn rule(&self) -> &BreakGlassRule {
        &self.rule
    }

    /// The overrides on record with their reviews, in the order in which they came.
    #[must_use]
    pub fn reviews(&self) -> &[Review] {
        &self.reviews
    }

    /// The reviews that are open and late.
    pub fn overdue(&self, now: Timestamp) -> impl Iterator<Item = &Review> {
        self.reviews
            .iter()
            .filter(move |review| review.is_overdue(now))
    }

    /// Overrides a decision, and opens the review. The review that it returns is also the record for the audit log.
    ///
    /// # Errors
    ///
    /// [`ApprovalError::NotNeeded`] for an advisory decision, [`ApprovalError::NotOverridable`] for a hard-mandatory one
    /// that does not allow its action, [`ApprovalError::OtherSubject`] for an override of another decision,
    /// [`ApprovalError::UnknownPerson`], [`ApprovalError::BadSignature`], [`ApprovalError::WrongRole`],
    /// [`ApprovalError::WrongTime`] for one from the future or from before the decision, [`ApprovalError::Expired`],
    /// [`ApprovalError::DuplicateOverride`], [`ApprovalError::OverdueReviews`], and [`ApprovalError::Unreachable`] where
    /// nobody else could review it.
    pub fn break_glass(
        &mut self,
        signed: SignedOverride,
        decision: &Decision,
        people: &People,
        now: Timestamp,
    ) -> Result<&Review, ApprovalError> {
        match decision.enforcement() {
            Enforcement::Advisory => return Err(ApprovalError::NotNeeded),
            Enforcement::HardMandatory if !decision.is_allowed() => {
                return Err(ApprovalError::NotOverridable);
            }
            Enforcement::SoftMandatory | Enforcement::HardMandatory => {}
        }
        let content = signed.content();
        let given = decision.digest();
        if content.decision() != given {
            return Err(ApprovalError::OtherSubject {
                signed: content.decision(),
                given,
            });
        }
        let person = signed.signer(people)?;
        check_role(person, &self.rule.roles)?;
        if content.at() < decision.at() || content.at() > now {
            return Err(ApprovalError::WrongTime { at: content.at() });
        }
        let valid_until = after(content.at(), self.rule.valid_for);
        if now >= valid_until {
            return Err(ApprovalError::Expired { at: valid_until });
        }
        let subject = content.digest();
        if self.place(subject).is_some() {
            return Err(ApprovalError::DuplicateOverride { subject });
        }
        if let Some(since) = self.overdue(now).map(Review::due).min() {
            return Err(ApprovalError::OverdueReviews {
                count: self.overdue(now).count(),
                since,
            });
        }
        let can_review = |other: &&Person| {
            other.id() != person.id() && check_role(other, &self.rule.reviewers).is_ok()
        };
        if people.iter().find(can_review).is_none() {
            let missing = self.rule.reviewers.iter().map(|role| (role.clone(), 1));
            return Err(ApprovalError::Unreachable {
                missing: missing.collect(),
            });
        }
        let due = after(content.at(), self.rule.review_within);
        let place = self.reviews.len();
        self.reviews.push(Review {
            overridden: signed,
            valid_until,
            due,
            closing: None,
        });
        self.reviews
            .get(place)
            .ok_or(ApprovalError::NoSuchReview { subject })
    }

    /// The override that lets this decision's action be done to the target now; none if there is none.
    ///
    /// The signature and the role are checked again against the directory of the moment, so that what was written into a
    /// store opens nothing, and neither does an override of somebody who has left.
    #[must_use]
    pub fn effective(
        &self,
        decision: &Decision,
        target: &str,
        people: &People,
        now: Timestamp,
    ) -> Option<&Review> {
        if decision.enforcement() == Enforcement::HardMandatory && !decision.is_allowed() {
            return None;
        }
        let digest = decision.digest();
        self.reviews.iter().find(|review| {
            let content = review.overridden.content();
            content.decision() == digest
                && content.target() == target
                && content.at() <= now
                && now < review.valid_until
                && review
                    .overridden
                    .signer(people)
                    .is_ok_and(|person| check_role(person, &self.rule.roles).is_ok())
        })
    }

    /// Ends a review. A late end is better than none, and its time tells.
    ///
    /// # Errors
    ///
    /// [`ApprovalError::NoSuchReview`] where none is open for its subject, [`ApprovalError::UnknownPerson`],
    /// [`ApprovalError::BadSignature`], [`ApprovalError::WrongRole`], [`ApprovalError::OwnReview`] and
    /// [`ApprovalError::WrongTime`] for an end before the override or from the future.
    pub fn close(
        &mut self,
        signed: SignedClosing,
        people: &People,
        now: Timestamp,
    ) -> Result<&Review, ApprovalError> {
        let subject = signed.content().subject();
        let place = self
            .place(subject)
            .filter(|place| {
                self.reviews
                    .get(*place)
                    .is_some_and(|review| review.closing.is_none())
            })
            .ok_or(ApprovalError::NoSuchReview { subject })?;
        let person = signed.signer(people)?;
        check_role(person, &self.rule.reviewers)?;
        if signed.content().at() > now {
            return Err(ApprovalError::WrongTime {
                at: signed.content().at(),
            });
        }
        let review = self
            .reviews
            .get_mut(place)
            .ok_or(ApprovalError::NoSuchReview { subject })?;
        review.check_closing(signed.content())?;
        review.closing = Some(signed);
        Ok(review)
    }

    /// Forgets the reviews that are closed and whose overrides no longer work; the audit log keeps them.
    pub fn forget_closed(&mut self, now: Timestamp) {
        self.reviews
            .retain(|review| review.closing.is_none() || now < review.valid_until);
    }

    fn place(&self, subject: Digest) -> Option<usize> {
        self.reviews
            .iter()
            .position(|review| review.overridden.content().digest() == subject)
    }
}

fn check_role(person: &Person, roles: &BTreeSet<String>) -> Result<(), ApprovalError> {
    if roles.iter().any(|role| person.holds(role)) {
        return Ok(());
    }
    Err(ApprovalError::WrongRole {
        person: person.id().to_owned(),
        needed: roles.iter().cloned().collect(),
    })
}

/// A time past the end of time is the end of time.
fn after(at: Timestamp, duration: Duration) -> Timestamp {
    at.checked_add(duration).unwrap_or(Timestamp::MAX)
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawRule {
    roles: BTreeSet<String>,
    valid_for: Duration,
    reviewers: BTreeSet<String>,
    review_within: Duration,
}

impl TryFrom<RawRule> for BreakGlassRule {
    type Error = ApprovalError;

    fn try_from(raw: RawRule) -> Result<Self, ApprovalError> {
        if raw.roles.is_empty() || raw.reviewers.is_empty() {
            let problem = "it names no role; name who may break the glass and who reviews it";
            return Err(ApprovalError::rule(problem));
        }
        for role in raw.roles.iter().chain(&raw.reviewers) {
            check_name("role of a rule", role)?;
        }
        if raw.valid_for.is_zero() || raw.review_within.is_zero() {
            let problem = "a time of it is zero; give an override and its review some time";
            return Err(ApprovalError::rule(problem));
        }
        Ok(Self {
            roles: raw.roles,
            valid_for: raw.valid_for,
            reviewers: raw.reviewers,
            review_within: raw.review_within,
        })
    }
}

impl From<BreakGlassRule> for RawRule {
    fn from(rule: BreakGlassRule) -> Self {
        Self {
            roles: rule.roles,
            valid_for: rule.valid_for,
            reviewers: rule.reviewers,
            review_within: rule.review_within,
        }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawBreakGlass {
    rule: BreakGlassRule,
    reviews: Vec<Review>,
}

impl TryFrom<RawBreakGlass> for BreakGlass {
    type Error = ApprovalError;

    fn try_from(raw: RawBreakGlass) -> Result<Self, ApprovalError> {
        let mut subjects: BTreeSet<Digest> = BTreeSet::new();
        for review in &raw.reviews {
            let content = review.overridden.content();
            content.check()?;
            let subject = content.digest();
            if !subjects.insert(subject) {
                return Err(ApprovalError::DuplicateOverride { subject });
            }
            let are_times_right = review.valid_until == after(content.at(), raw.rule.valid_for)
                && review.due == after(content.at(), raw.rule.review_within);
            if !are_times_right {
                return Err(ApprovalError::state(
                    "the times of a review are not those of the rule",
                ));
            }
            if let Some(closing) = &review.closing {
                review.check_closing(closing.content())?;
            }
        }
        Ok(Self {
            rule: raw.rule,
            reviews: raw.reviews,
        })
    }
}
