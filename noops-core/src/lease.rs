//! Who may act: one holder at a time, and proof of it that goes with every act.

use std::fmt::{self, Debug};
use std::time::Duration;

use async_trait::async_trait;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::error::{Error, ErrorKind};
use crate::name::LeaseName;

/// A number that grows with every change of holder. A store that has seen a token refuses smaller ones, so that a holder who was paused past the end of its lease
/// cannot act any more once the next holder has acted there, whatever its clock says.
///
/// # Examples
///
/// ```
/// use noops_core::FencingToken;
///
/// assert!(FencingToken::NONE < FencingToken::new(1));
/// ```
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct FencingToken(u64);

impl FencingToken {
    /// The token of a process that needs no lease because nobody else acts. Refused as soon as a lease has been used.
    pub const NONE: Self = Self(0);

    /// A token as a lease store or a registry reads it back. Only a lease store may invent one.
    #[must_use]
    pub fn new(number: u64) -> Self {
        Self(number)
    }

    /// The number.
    #[must_use]
    pub fn get(self) -> u64 {
        self.0
    }

    /// The token of the next holder.
    pub(crate) fn next(self) -> Result<Self, Error> {
        let exhausted = || Error::new(ErrorKind::Corrupt, ACQUIRE, "its tokens are used up");
        // SQL has no unsigned integers.
        let next = self
            .0
            .checked_add(1)
            .filter(|next| i64::try_from(*next).is_ok());
        next.map(Self).ok_or_else(exhausted)
    }

    /// Whether this is [`FencingToken::NONE`].
    #[must_use]
    pub fn is_none(&self) -> bool {
        *self == Self::NONE
    }

    /// Refuses this token when a larger one has been seen.
    ///
    /// # Errors
    ///
    /// [`Fenced`](ErrorKind::Fenced).
    pub fn check(self, seen: Self, operation: &'static str) -> Result<(), Error> {
        if self >= seen {
            return Ok(());
        }
        let message = "a newer holder of the lease has acted; stop, and acquire the lease again";
        Err(Error::new(ErrorKind::Fenced, operation, message)
            .with("token", self)
            .with("newest", seen))
    }
}

impl fmt::Display for FencingToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}

/// A lease that was granted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lease {
    /// What is leased.
    pub name: LeaseName,
    /// Who holds it: a text that no other process uses.
    pub holder: String,
    /// What every act of the holder carries.
    pub token: FencingToken,
    /// When it ends unless it is renewed.
    pub until: Timestamp,
}

/// Grants leases.
///
/// Safety comes from the token and not from the clock: two holders may believe for a while that they hold the lease. A store takes acts of the older one
/// until it has seen the token of the newer one, and none after that; compare-and-swap keeps the newer one from acting on what the older has changed
/// meanwhile. Clocks that differ cost availability, not correctness.
///
/// # Contract
///
/// * `acquire` MUST grant a free or expired lease (`until <= now`) with a token greater than any granted before under that name, and
///   MUST fail with [`Conflict`](crate::ErrorKind::Conflict), naming the holder, while another holder's has not expired. The holder itself gets the same
///   token back, extended. Tokens MUST grow also across restarts and releases.
/// * `renew` and `release` MUST fail with [`Fenced`](crate::ErrorKind::Fenced) when the lease has since been granted to another.
///   An expired lease that nobody took may be renewed.
/// * `renew` of a lease that was released is `Fenced` too. `release` is idempotent for the token it is called with.
#[async_trait]
pub trait LeaseStore: Debug + Send + Sync + 'static {
    /// Takes the lease for `ttl` from `now`.
    async fn acquire(
        &self,
        name: &LeaseName,
        holder: &str,
        now: Timestamp,
        ttl: Duration,
    ) -> Result<Lease, Error>;

    /// Extends a lease to `ttl` from `now`.
    async fn renew(&self, lease: &Lease, now: Timestamp, ttl: Duration) -> Result<Lease, Error>;

    /// Gives a lease back before its end.
    async fn release(&self, lease: &Lease) -> Result<(), Error>;

    /// The lease that was granted last, expired or not, unless it was released.
    async fn current(&self, name: &LeaseName) -> Result<Option<Lease>, Error>;
}

/// When a lease taken now ends; far in the future rather than an overflow.
pub(crate) fn end_of(now: Timestamp, ttl: Duration) -> Timestamp {
    now.checked_add(ttl).unwrap_or(Timestamp::MAX)
}

pub(crate) fn held_by_another(running: &Lease) -> Error {
    let message = "another holds it; try again after it ends";
    Error::new(ErrorKind::Conflict, ACQUIRE, message)
        .with("lease", &running.name)
        .with("holder", &running.holder)
        .with("until", running.until)
}

pub(crate) fn granted_to_another(lease: &Lease) -> Error {
    let message = "it has been released, or granted to another since; stop, and acquire it again";
    Error::new(ErrorKind::Fenced, "keep a lease", message)
        .with("lease", &lease.name)
        .with("token", lease.token)
}

const ACQUIRE: &str = "acquire a lease";
