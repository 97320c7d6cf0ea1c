//! A version out of the tags of MLflow's version.

use super::chunks;
use super::ledger::Indexed;
use super::remote::RemoteVersion;
use crate::error::{Error, ErrorKind};
use crate::name::ModelName;
use crate::registry::ModelVersion;

/// The first tag of a version that is not as we wrote it.
pub(super) fn changed_tag(indexed: Indexed, remote: &RemoteVersion) -> Option<&'static str> {
    let digest = indexed.digest.to_string();
    if remote.tags.get(DIGEST) != Some(&digest) {
        return Some(DIGEST);
    }
    let registration = chunks::read(&remote.tags, indexed.registration);
    registration.is_err().then_some("noops.registration.0000")
}

/// A version out of its tags, if they are as we wrote them.
pub(super) fn decode(
    model: &ModelName,
    indexed: Indexed,
    remote: &RemoteVersion,
) -> Result<ModelVersion, Error> {
    let named = |error: Error| {
        error
            .with("model", model)
            .with("version", remote.number)
            .with("digest", indexed.digest)
    };
    if changed_tag(indexed, remote) == Some(DIGEST) {
        let message = "its tag was changed in MLflow: restore it there";
        return Err(named(Error::new(ErrorKind::Corrupt, READ, message)).with("tag", DIGEST));
    }
    let registration = chunks::read(&remote.tags, indexed.registration).map_err(named)?;
    if registration.digest != indexed.digest || registration.model != *model {
        let message = "its tags are those of another version: were they copied in MLflow?";
        return Err(named(Error::new(ErrorKind::Corrupt, READ, message)));
    }
    Ok(ModelVersion::new(remote.number, registration))
}

/// The tag with the digest of the artifact.
pub(super) const DIGEST: &str = "noops.digest";
const READ: &str = "read the registry";
