use std::collections::BTreeMap;
use std::fmt;
use std::num::NonZeroUsize;
#[cfg(unix)]
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use crate::error::{Error, ErrorKind};
use crate::lease::FencingToken;
use crate::training::local::context::{JobContext, JobOutput};
use crate::training::spec::JobSpec;

/// A training in Rust.
pub(super) type Function = Arc<dyn Fn(&JobContext) -> Result<JobOutput, Error> + Send + Sync>;

/// What a [`LocalTrainer`](crate::LocalTrainer) runs.
#[derive(Clone, Debug)]
pub struct LocalWork {
    work: Work,
}

#[derive(Clone)]
pub(super) enum Work {
    Function(Function),
    #[cfg(unix)]
    Commands {
        directory: PathBuf,
    },
}

impl LocalWork {
    /// A Rust function, called on the blocking pool of the runtime.
    #[must_use]
    pub fn function(
        function: impl Fn(&JobContext) -> Result<JobOutput, Error> + Send + Sync + 'static,
    ) -> Self {
        Self {
            work: Work::Function(Arc::new(function)),
        }
    }

    /// The command that each specification names, run as a child process. Each run has a folder of its name inside `directory`
    /// for its output, which is removed when the run ends.
    #[cfg(unix)]
    #[must_use]
    pub fn commands(directory: impl Into<PathBuf>) -> Self {
        Self {
            work: Work::Commands {
                directory: directory.into(),
            },
        }
    }

    pub(super) fn into_work(self) -> Work {
        self.work
    }
}

impl Work {
    /// Checks that a specification asks for what this can run.
    pub(super) fn accepts(&self, spec: &JobSpec) -> Result<(), Error> {
        let refuse = |message: &str| {
            Err(
                Error::new(ErrorKind::Invalid, "submit a training run", message)
                    .with("model", spec.model()),
            )
        };
        match self {
            Self::Function(_) if !spec.entrypoint().is_empty() => {
                refuse("this trainer runs a function, not the command of the specification")
            }
            Self::Function(_) => Ok(()),
            #[cfg(unix)]
            Self::Commands { .. } if spec.entrypoint().first().is_none_or(String::is_empty) => {
                refuse("this trainer runs commands, and the specification names none")
            }
            #[cfg(unix)]
            Self::Commands { .. } => Ok(()),
        }
    }
}

impl fmt::Debug for Work {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Function(_) => f.write_str("Function"),
            #[cfg(unix)]
            Self::Commands { directory } => f
                .debug_struct("Commands")
                .field("directory", directory)
                .finish(),
        }
    }
}

/// How a [`LocalTrainer`](crate::LocalTrainer) runs.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct LocalSettings {
    parallel_runs: NonZeroUsize,
    heartbeat_limit: Option<Duration>,
    poll: Duration,
    max_artifact_bytes: u64,
    environment: BTreeMap<String, String>,
    token: FencingToken,
}

impl Default for LocalSettings {
    fn default() -> Self {
        Self {
            parallel_runs: NonZeroUsize::MIN,
            heartbeat_limit: None,
            poll: Duration::from_millis(20),
            max_artifact_bytes: 4 << 30,
            environment: BTreeMap::new(),
            token: FencingToken::NONE,
        }
    }
}

impl LocalSettings {
    /// Sets how many runs go on at a time; 1 unless told. At most the largest number that a tokio semaphore holds.
    #[must_use]
    pub fn with_parallel_runs(mut self, parallel_runs: NonZeroUsize) -> Self {
        let most = NonZeroUsize::new(tokio::sync::Semaphore::MAX_PERMITS);
        self.parallel_runs = most.map_or(parallel_runs, |most| parallel_runs.min(most));
        self
    }

    /// Sets how long a function may be silent before its run has failed; for ever unless told.
    #[must_use]
    pub fn with_heartbeat_limit(mut self, heartbeat_limit: Duration) -> Self {
        self.heartbeat_limit = Some(heartbeat_limit);
        self
    }

    /// Sets how often a run is looked at for its end and its deadline; 20 ms unless told, at least 1 ms.
    #[must_use]
    pub fn with_poll(mut self, poll: Duration) -> Self {
        self.poll = poll.max(Duration::from_millis(1));
        self
    }

    /// Sets how large the artifact of a command may be; 4 GiB unless told.
    #[must_use]
    pub fn with_max_artifact_bytes(mut self, max_artifact_bytes: u64) -> Self {
        self.max_artifact_bytes = max_artifact_bytes;
        self
    }

    /// Adds to the environment of commands.
    #[must_use]
    pub fn with_environment(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.environment.insert(name.into(), value.into());
        self
    }

    /// Sets the token of the lease that makes this trainer the only one over its state store. From the moment in which a trainer
    /// with a newer token takes in a run, or takes one for cut off, an older one takes in and starts nothing more, and cannot write
    /// over what the newer one wrote. What runs already goes on to its end.
    #[must_use]
    pub fn with_token(mut self, token: FencingToken) -> Self {
        self.token = token;
        self
    }

    /// How many runs go on at a time.
    #[must_use]
    pub fn parallel_runs(&self) -> NonZeroUsize {
        self.parallel_runs
    }

    /// How long a function may be silent.
    #[must_use]
    pub fn heartbeat_limit(&self) -> Option<Duration> {
        self.heartbeat_limit
    }

    /// How often a run is looked at.
    #[must_use]
    pub fn poll(&self) -> Duration {
        self.poll
    }

    /// How large the artifact of a command may be.
    #[must_use]
    pub fn max_artifact_bytes(&self) -> u64 {
        self.max_artifact_bytes
    }

    /// The token that every record is written with.
    #[must_use]
    pub fn token(&self) -> FencingToken {
        self.token
    }

    /// What is added to the environment of commands.
    #[must_use]
    pub fn environment(&self) -> &BTreeMap<String, String> {
        &self.environment
    }
}
