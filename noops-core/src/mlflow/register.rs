//! Adding a version, in steps of which the last one counts.

use serde_json::{Value, json};

use super::act::{Act, Seen};
use super::ledger::{Indexed, to_text, version_key};
use super::remote::RemoteVersion;
use super::version::{DIGEST, decode};
use super::{MlflowRegistry, chunks, lineage};
use crate::digest::Digest;
use crate::error::{Error, ErrorKind};
use crate::registry::refusal::{REGISTER, registered_otherwise};
use crate::registry::{ModelVersion, Registration};

impl MlflowRegistry {
    pub(super) async fn register_in(
        &self,
        act: &mut Act<'_>,
        registration: Registration,
        text: &str,
    ) -> Result<ModelVersion, Error> {
        let (model, digest) = (&registration.model, &registration.digest);
        let seen = act.enter().await?;
        if seen.ledger.version(digest).is_some() {
            let (existing, _) = self.find_in(&seen, model, digest).await?;
            return if *existing.registration() == registration {
                Ok(existing)
            } else {
                Err(registered_otherwise(&registration))
            };
        }
        act.ensure(&seen).await?;
        let indexed = Indexed {
            digest: *digest,
            registration: Digest::of(text.as_bytes()),
        };
        let name = act.name().to_owned();
        let left_behind = self.left_behind(&seen, &name, indexed).await?;
        let remote = match left_behind {
            Some(remote) => remote,
            None => self.create(act, &registration, text).await?,
        };
        let version = decode(model, indexed, &remote)?;
        act.set_tag(&version_key(remote.number), &to_text(&indexed)?)
            .await?;
        let seen = act.look().await?;
        if seen.ledger.version(digest) != Some((remote.number, indexed)) {
            let message = "somebody else registered it at the same time; read it again";
            return Err(Error::new(ErrorKind::Conflict, REGISTER, message).with("digest", digest));
        }
        Ok(version)
    }

    /// The version that the same registration made before it was cut off.
    async fn left_behind(
        &self,
        seen: &Seen,
        name: &str,
        indexed: Indexed,
    ) -> Result<Option<RemoteVersion>, Error> {
        let digest = indexed.digest.to_string();
        let tag = Some((DIGEST, digest.as_str()));
        let versions = self.api.versions(REGISTER, name, tag).await?;
        Ok(versions.into_iter().find(|remote| {
            seen.ledger.numbered(remote.number).is_none()
                && !seen.ledger.is_deleted(remote.number)
                && chunks::read(&remote.tags, indexed.registration).is_ok()
        }))
    }

    async fn create(
        &self,
        act: &mut Act<'_>,
        registration: &Registration,
        text: &str,
    ) -> Result<RemoteVersion, Error> {
        let name = act.name().to_owned();
        let published =
            lineage::publish(&self.api, &name, registration, Digest::of(text.as_bytes())).await?;
        let mut tags = vec![json!({"key": DIGEST, "value": registration.digest})];
        let pieces = chunks::split(text);
        tags.extend(
            pieces
                .iter()
                .map(|(key, value)| json!({"key": key, "value": value})),
        );
        let body: Value = json!({
            "name": name,
            "source": format!("models:/{}", published.logged_model),
            "model_id": published.logged_model,
            "run_id": published.run,
            "description": format!("registered at {} with the artifact sha256:{}", registration.registered_at, registration.digest),
            "tags": tags,
        });
        act.hold().await?;
        self.api.create_version(REGISTER, &body).await
    }
}
