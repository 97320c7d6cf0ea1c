use std::fmt::Debug;

use async_trait::async_trait;

use super::{Secret, SecretName};
use crate::error::{Error, ErrorKind};

/// Where secrets come from.
///
/// # Contract
///
/// * A secret that does not exist MUST be [`NotFound`](crate::ErrorKind::NotFound), with its name in the error.
/// * No error and no `Debug` output may hold a secret or a part of one.
/// * `refresh` MUST ask the source itself and not a cache; what it returned, `current` MUST return next, or something newer.
/// * `current` SHOULD see a rotation without a restart, and MAY return what was valid a moment ago.
/// * Calls may come from many tasks at once; none of them may wait for long.
#[async_trait]
pub trait Secrets: Debug + Send + Sync + 'static {
    /// The secret as it is known.
    async fn current(&self, name: &SecretName) -> Result<Secret, Error>;

    /// The secret as the source has it at this moment.
    async fn refresh(&self, name: &SecretName) -> Result<Secret, Error>;
}

/// Does some work with a secret, and once more with a fresh one when the secret was not accepted.
///
/// The work runs a second time only when it failed with [`Unauthorised`](crate::ErrorKind::Unauthorised) and the source has
/// another secret now; a secret that is simply wrong is presented once, so that no account is locked. It never runs a third
/// time. The work decides what goes into its errors: it must leave the secret out of them.
///
/// # Errors
///
/// Those of the work; those of the source when it has no secret or cannot be asked for a fresh one.
///
/// # Examples
///
/// ```
/// use noops_core::{Error, ErrorKind, InMemorySecrets, Secret, SecretName, with_secret};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Error> {
/// let name: SecretName = "registry-token".parse()?;
/// let secrets = InMemorySecrets::new();
/// secrets.rotate(name.clone(), Secret::new("t0ken"));
///
/// let length = with_secret(&secrets, &name, |secret| async move { Ok(secret.expose().len()) }).await?;
/// assert_eq!(length, 5);
/// # Ok(())
/// # }
/// ```
pub async fn with_secret<T, W, F>(
    secrets: &dyn Secrets,
    name: &SecretName,
    mut work: W,
) -> Result<T, Error>
where
    W: FnMut(Secret) -> F,
    F: Future<Output = Result<T, Error>>,
{
    let presented = secrets.current(name).await?;
    let refusal = match work(presented.clone()).await {
        Err(error) if error.kind() == ErrorKind::Unauthorised => error,
        done => return done,
    };
    let fresh = secrets.refresh(name).await?;
    if fresh == presented {
        return Err(refusal);
    }
    work(fresh).await
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;
    use std::sync::atomic::{AtomicU32, Ordering};

    use super::*;
    use crate::secret::InMemorySecrets;

    /// A cache in front of a source: stale until it is told to refresh.
    #[derive(Debug, Default)]
    struct Cached {
        cache: InMemorySecrets,
        source: InMemorySecrets,
        refreshes: AtomicU32,
    }

    impl Cached {
        fn new(cached: &str, source: Option<&str>) -> Self {
            let secrets = Self::default();
            secrets.cache.rotate(name(), Secret::new(cached));
            if let Some(source) = source {
                secrets.source.rotate(name(), Secret::new(source));
            }
            secrets
        }
    }

    #[async_trait]
    impl Secrets for Cached {
        async fn current(&self, name: &SecretName) -> Result<Secret, Error> {
            self.cache.current(name).await
        }

        async fn refresh(&self, name: &SecretName) -> Result<Secret, Error> {
            self.refreshes.fetch_add(1, Ordering::SeqCst);
            let fresh = self.source.refresh(name).await?;
            self.cache.rotate(name.clone(), fresh.clone());
            Ok(fresh)
        }
    }

    /// A server that accepts one password, and what was presented to it.
    #[derive(Debug)]
    struct Server {
        accepts: &'static str,
        presented: Mutex<Vec<String>>,
    }

    impl Server {
        fn new(accepts: &'static str) -> Self {
            Self {
                accepts,
                presented: Mutex::new(Vec::new()),
            }
        }

        fn log_in(&self, secret: &Secret) -> Result<u32, Error> {
            self.presented
                .lock()
                .unwrap()
                .push(secret.expose().to_owned());
            if secret.expose() == self.accepts {
                return Ok(7);
            }
            let message = "the password was not accepted";
            Err(Error::new(ErrorKind::Unauthorised, "log in", message))
        }

        fn presented(&self) -> Vec<String> {
            self.presented.lock().unwrap().clone()
        }
    }

    #[tokio::test]
    async fn a_rotated_secret_is_fetched_and_the_work_done_again() {
        let token = name();
        let (secrets, server) = (Cached::new("old", Some("new")), Server::new("new"));
        for _ in 0..2 {
            let answer = with_secret(&secrets, &token, |secret| {
                let answer = server.log_in(&secret);
                async move { answer }
            });
            assert_eq!(answer.await.unwrap(), 7);
        }
        assert_eq!(server.presented(), ["old", "new", "new"]);
        assert_eq!(secrets.refreshes.load(Ordering::SeqCst), 1);
    }

    #[tokio::test]
    async fn a_wrong_secret_is_presented_once() {
        let token = name();
        let (secrets, server) = (Cached::new("old", Some("old")), Server::new("new"));
        let error = with_secret(&secrets, &token, |secret| {
            let answer = server.log_in(&secret);
            async move { answer }
        })
        .await
        .unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Unauthorised);
        assert_eq!(error.operation(), "log in");
        assert_eq!(server.presented(), ["old"]);
    }

    #[tokio::test]
    async fn two_refusals_are_the_end() {
        let token = name();
        let (secrets, server) = (Cached::new("old", Some("newer")), Server::new("newest"));
        let error = with_secret(&secrets, &token, |secret| {
            let answer = server.log_in(&secret);
            async move { answer }
        })
        .await
        .unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Unauthorised);
        assert_eq!(server.presented(), ["old", "newer"]);
    }

    #[tokio::test]
    async fn another_failure_is_no_reason_to_refresh() {
        let token = name();
        let secrets = Cached::new("old", Some("new"));
        for kind in [
            ErrorKind::NotFound,
            ErrorKind::Conflict,
            ErrorKind::Invalid,
            ErrorKind::Unavailable,
            ErrorKind::Overloaded,
        ] {
            let answer = with_secret(&secrets, &token, |_| async move {
                Err::<(), Error>(Error::new(kind, "ask", "no"))
            });
            assert_eq!(answer.await.unwrap_err().kind(), kind);
        }
        assert_eq!(secrets.refreshes.load(Ordering::SeqCst), 0);
    }

    #[tokio::test]
    async fn a_source_that_lost_the_secret_says_so() {
        let token = name();
        let (secrets, server) = (Cached::new("old", None), Server::new("new"));
        let error = with_secret(&secrets, &token, |secret| {
            let answer = server.log_in(&secret);
            async move { answer }
        })
        .await
        .unwrap_err();
        assert_eq!(error.kind(), ErrorKind::NotFound);
        assert!(!format!("{error:?} {secrets:?}").contains("old"));
    }

    #[test]
    fn the_future_can_move_between_threads() {
        fn sendable<T: Send>(_: &T) {}
        let secrets = InMemorySecrets::new();
        let token = name();
        let future = with_secret(&secrets, &token, |_| async { Ok(()) });
        sendable(&future);
    }

    fn name() -> SecretName {
        "token".parse().unwrap()
    }
}
