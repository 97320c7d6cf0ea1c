//! People who agree before automation acts, and what they agreed to.
//!
//! An [`ApprovalRule`] says how many people of which roles must agree, and how far facts may move meanwhile. An
//! [`ApprovalRequest`] binds the question to one decision, one edition of the policies and one set of facts; a [`Vote`]
//! is signed for exactly one request, and an [`Approval`] counts the votes and says, at the moment of use, what they are
//! worth. [`BreakGlass`] is the way around a soft-mandatory denial: signed, at once, and followed by a review.
//!
//! Nothing here keeps a secret or a clock: keys for signing are the host's, time is an argument.

mod break_glass;
mod error;
mod hex;
mod key;
mod matching;
mod moved;
mod people;
mod record;
mod request;
mod review;
mod rule;
mod state;
mod status;
mod tolerance;
mod vote;

#[cfg(test)]
mod tests;

pub use break_glass::{BreakGlass, BreakGlassRule};
pub use error::ApprovalError;
pub use key::{PublicKey, Signature, SigningKey};
pub use moved::{FactChange, MovedFact, Voided};
pub use people::{People, Person};
pub use record::ApprovalRecord;
pub use request::ApprovalRequest;
pub use review::{Closing, Finding, Override, Review, SignedClosing, SignedOverride};
pub use rule::ApprovalRule;
pub use state::Approval;
pub use status::ApprovalStatus;
pub use tolerance::Tolerance;
pub use vote::{Ballot, Choice, Vote};
