//! Why a registry says no, in the same words everywhere.

use super::{AliasMove, Registration};
use crate::digest::Digest;
use crate::error::{Error, ErrorKind};
use crate::name::{Alias, ModelName};

pub(crate) const REGISTER: &str = "register a model version";
pub(crate) const FIND: &str = "find a model version";
pub(crate) const MOVE: &str = "move an alias";
pub(crate) const DELETE: &str = "delete a model version";

pub(crate) fn registered_otherwise(registration: &Registration) -> Error {
    let message = "this artifact is registered with other metadata";
    Error::new(ErrorKind::Conflict, REGISTER, message).with("digest", registration.digest)
}

pub(crate) fn no_such_version(model: &ModelName, digest: &Digest) -> Error {
    Error::new(ErrorKind::NotFound, FIND, "it is not registered")
        .with("model", model)
        .with("digest", digest)
}

pub(crate) fn deleted_version(model: &ModelName, digest: &Digest) -> Error {
    Error::new(ErrorKind::Gone, FIND, "it was deleted")
        .with("model", model)
        .with("digest", digest)
}

pub(crate) fn alias_moved_by_another(change: &AliasMove) -> Error {
    let message = "it does not point where the caller believes; read it again";
    Error::new(ErrorKind::Conflict, MOVE, message).with("alias", &change.alias)
}

pub(crate) fn live_version(model: &ModelName, digest: &Digest, alias: &Alias) -> Error {
    let message = "an alias points at it; move the alias first";
    Error::new(ErrorKind::Conflict, DELETE, message)
        .with("model", model)
        .with("digest", digest)
        .with("alias", alias)
}
