use std::fmt::Debug;

use async_trait::async_trait;

use crate::error::Error;
use crate::merkle::{ConsistencyProof, SignedNote};

/// Somebody elsewhere who remembers checkpoints, so that a log cannot be put back or rewritten unnoticed.
///
/// # Contract
///
/// * `witness` MUST check the signature, and MUST be durable when it returns.
/// * A checkpoint of the same size and root as the newest MUST be accepted; one that is smaller, or larger without a proof that holds, MUST be
///   refused as [`Conflict`](crate::ErrorKind::Conflict) and MUST NOT be remembered.
/// * `newest` MUST return the largest checkpoint that was accepted.
/// * A witness SHOULD be where whoever can write the log cannot write.
#[async_trait]
pub trait Witness: Debug + Send + Sync + 'static {
    /// The newest checkpoint of a log, by its origin.
    async fn newest(&self, origin: &str) -> Result<Option<SignedNote>, Error>;

    /// Shows a checkpoint, with the proof that it continues the newest one; none is needed for the first and for the same again.
    async fn witness(
        &self,
        checkpoint: &SignedNote,
        proof: Option<&ConsistencyProof>,
    ) -> Result<(), Error>;
}
