use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;

use super::{READ, Secret, SecretName, Secrets};
use crate::error::{Error, ErrorKind};

/// Secrets that a test, or a host with a source of its own, sets by hand.
///
/// # Examples
///
/// ```
/// use noops_core::{InMemorySecrets, Secret, SecretName, Secrets};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), noops_core::Error> {
/// let name: SecretName = "registry-token".parse()?;
/// let secrets = InMemorySecrets::new();
/// secrets.rotate(name.clone(), Secret::new("t0ken"));
/// assert_eq!(secrets.current(&name).await?.expose(), "t0ken");
///
/// secrets.rotate(name.clone(), Secret::new("t0ken-2"));
/// assert_eq!(secrets.current(&name).await?.expose(), "t0ken-2");
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Default)]
pub struct InMemorySecrets {
    secrets: Mutex<BTreeMap<SecretName, Secret>>,
}

impl InMemorySecrets {
    /// No secrets.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets a secret, or replaces the one there is.
    pub fn rotate(&self, name: SecretName, secret: Secret) {
        self.lock().insert(name, secret);
    }

    /// Takes a secret away.
    pub fn revoke(&self, name: &SecretName) {
        self.lock().remove(name);
    }

    fn find(&self, name: &SecretName) -> Result<Secret, Error> {
        let missing = || {
            let message = "no secret of this name was set";
            Error::new(ErrorKind::NotFound, READ, message).with("secret", name)
        };
        self.lock().get(name).cloned().ok_or_else(missing)
    }

    /// Goes on after another thread panicked: the map is whole at every step.
    fn lock(&self) -> MutexGuard<'_, BTreeMap<SecretName, Secret>> {
        self.secrets.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl Secrets for InMemorySecrets {
    async fn current(&self, name: &SecretName) -> Result<Secret, Error> {
        self.find(name)
    }

    async fn refresh(&self, name: &SecretName) -> Result<Secret, Error> {
        self.find(name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::conformance;

    #[tokio::test]
    async fn the_contract_is_kept() {
        let secrets = InMemorySecrets::new();
        let (known, absent): (SecretName, SecretName) =
            ("known".parse().unwrap(), "absent".parse().unwrap());
        secrets.rotate(known.clone(), Secret::new("c0rrect-horse"));
        conformance::secrets::all(&secrets, &known, "c0rrect-horse", &absent).await;
        conformance::secrets::rotating(&secrets, &known, |text| {
            secrets.rotate(known.clone(), Secret::new(text));
            std::future::ready(())
        })
        .await;
    }

    #[tokio::test]
    async fn a_revoked_secret_is_gone() {
        let secrets = InMemorySecrets::new();
        let name: SecretName = "token".parse().unwrap();
        secrets.rotate(name.clone(), Secret::new("x"));
        secrets.revoke(&name);
        assert_eq!(
            secrets.current(&name).await.unwrap_err().kind(),
            ErrorKind::NotFound
        );
    }
}
