use std::ffi::OsString;

use async_trait::async_trait;
use zeroize::Zeroizing;

use super::{READ, Secret, SecretName, Secrets, from_bytes};
use crate::error::{Error, ErrorKind};

/// Secrets in environment variables.
///
/// The variable of a secret is the prefix followed by the name in capitals, with `-` and `.` as `_`: `registry-token` under the
/// prefix `APP_` is `APP_REGISTRY_TOKEN`. Names that differ only in those characters or in case share a variable.
///
/// The process environment is read at every call, but another process cannot change it: rotation without a restart needs
/// [`FileSecrets`](crate::FileSecrets). The environment itself keeps its copy, and hands it to every child process. A value is
/// taken as it is, line ends included; an empty one is refused.
///
/// # Examples
///
/// ```
/// use noops_core::{EnvironmentSecrets, ErrorKind, SecretName, Secrets};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), noops_core::Error> {
/// let secrets = EnvironmentSecrets::new("APP_")?;
/// let name: SecretName = "registry-token".parse()?;
/// let error = secrets.current(&name).await.unwrap_err();
/// assert_eq!(error.kind(), ErrorKind::NotFound);
/// assert!(error.to_string().contains("APP_REGISTRY_TOKEN"));
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct EnvironmentSecrets {
    prefix: String,
}

impl EnvironmentSecrets {
    /// Secrets in the variables that begin with a prefix, which may be empty.
    ///
    /// # Errors
    ///
    /// `Invalid` when the prefix holds anything but ASCII letters, digits and `_`.
    pub fn new(prefix: impl Into<String>) -> Result<Self, Error> {
        let prefix = prefix.into();
        if prefix
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || c == '_')
        {
            return Ok(Self { prefix });
        }
        let message = "a prefix of environment variables holds only letters, digits and `_`";
        Err(Error::new(
            ErrorKind::Invalid,
            "read secrets from the environment",
            message,
        ))
    }

    fn read(&self, name: &SecretName) -> Result<Secret, Error> {
        let variable = self.variable(name);
        let value = std::env::var_os(&variable);
        from_variable(name, value).map_err(|error| error.with("variable", variable))
    }

    fn variable(&self, name: &SecretName) -> String {
        let mut variable = self.prefix.clone();
        variable.extend(name.as_str().chars().map(|c| match c {
            '-' | '.' => '_',
            c => c.to_ascii_uppercase(),
        }));
        variable
    }
}

#[async_trait]
impl Secrets for EnvironmentSecrets {
    async fn current(&self, name: &SecretName) -> Result<Secret, Error> {
        self.read(name)
    }

    async fn refresh(&self, name: &SecretName) -> Result<Secret, Error> {
        self.read(name)
    }
}

fn from_variable(name: &SecretName, value: Option<OsString>) -> Result<Secret, Error> {
    let missing = || {
        let message = "the environment variable is not set";
        Error::new(ErrorKind::NotFound, READ, message).with("secret", name)
    };
    // Wiped on the way out, whether it is a legal secret or not.
    let bytes = Zeroizing::new(value.ok_or_else(missing)?.into_encoded_bytes());
    from_bytes(name, &bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::conformance;

    /// What every test process has in its environment.
    const PREFIX: &str = "CARGO_PKG_";

    #[tokio::test]
    async fn the_contract_is_kept() {
        let secrets = EnvironmentSecrets::new(PREFIX).unwrap();
        let known = name("name");
        conformance::secrets::all(&secrets, &known, "noops-core", &name("absent-secret")).await;
    }

    #[test]
    fn the_variable_is_the_name_in_capitals() {
        let secrets = EnvironmentSecrets::new("APP_").unwrap();
        for (text, variable) in [
            ("registry-token", "APP_REGISTRY_TOKEN"),
            ("tls.key", "APP_TLS_KEY"),
            ("Already_UPPER7", "APP_ALREADY_UPPER7"),
        ] {
            assert_eq!(secrets.variable(&name(text)), variable);
        }
    }

    #[tokio::test]
    async fn a_missing_variable_is_named() {
        let secrets = EnvironmentSecrets::new("NOOPS_NOT_SET_").unwrap();
        let error = secrets.refresh(&name("api-key")).await.unwrap_err();
        assert_eq!(
            error.to_string(),
            "cannot read a secret: the environment variable is not set (secret `api-key`, variable `NOOPS_NOT_SET_API_KEY`)"
        );
    }

    #[test]
    fn a_hostile_prefix_is_refused() {
        for prefix in ["A=", "A B", "A\0", "é", "$A", "A-"] {
            let error = EnvironmentSecrets::new(prefix).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Invalid, "{prefix:?}");
        }
    }

    #[cfg(unix)]
    #[test]
    fn a_value_that_is_no_text_is_refused_and_not_shown() {
        use std::os::unix::ffi::OsStringExt;

        let value = OsString::from_vec(b"hunter2\xff".to_vec());
        let error = from_variable(&name("token"), Some(value)).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Invalid);
        assert!(!format!("{error} {error:?}").contains("hunter2"));
        let empty = from_variable(&name("token"), Some(OsString::new()));
        assert_eq!(empty.unwrap_err().kind(), ErrorKind::Invalid);
    }

    fn name(text: &str) -> SecretName {
        text.parse().unwrap()
    }
}
