mod job;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use serde_json::{Map, Value, json};

use crate::clock::Clock;
use crate::error::{Error, ErrorKind};
use crate::http::{HttpAnswer, HttpBody, HttpClient, MAX_ANSWER, Method, TooLarge};
use crate::secret::{SecretName, Secrets, with_secret};
use crate::training::jobs::TrainingJobs;
use crate::training::log_tail::LogTail;
use crate::training::ray::job::{End, Job};
use crate::training::report::JobReport;
use crate::training::run::{Heartbeat, RunId, RunStatus};
use crate::training::spec::JobSpec;

/// Runs trainings as jobs of a running Ray cluster, through the jobs API of its dashboard.
///
/// The submission id of a job is its [`RunId`], so that the cluster itself knows which runs were started: for as long as it
/// remembers a job, and it forgets all of them when its head restarts and the oldest when there are many.
///
/// | Of the specification | In Ray |
/// |---|---|
/// | entrypoint | the command, each word quoted for the shell |
/// | everything else | the environment, as [`JobSpec::environment`] says |
/// | memory | `entrypoint_memory`: what the scheduler sets aside, not a limit |
/// | deadline | kept in the metadata and enforced by `status`, which must be called for it; it counts from the submission, on Ray's clock for how the run ended |
///
/// A job tells progress, metrics and where its artifact is by printing lines that [`JobReport`] understands. It puts the artifact
/// into the store itself; a job that succeeds without telling its digest has failed. The digest is the job's claim: whoever loads
/// the artifact finds out, since a store verifies what it returns. Every `status` of a job that runs or has succeeded reads its whole
/// log, of which Ray offers no part: a log may have 64 MiB, less what JSON escapes. Beyond that a job runs without progress, and has
/// failed when it succeeds.
///
/// Whether a job was stopped for its deadline or by somebody is told by when it ended, on Ray's clock: where the clock of the host
/// is ahead of it, a job that is stopped for its deadline ends as cancelled. Keep both synchronised.
///
/// Where the dashboard asks for a token, [`RaySettings::with_secret`] names it, and it may rotate while jobs run.
///
/// # Examples
///
/// The embedded form of the same trait is [`LocalTrainer`](crate::LocalTrainer).
///
/// ```no_run
/// use std::sync::Arc;
///
/// use noops_core::{JobSpec, RayJobs, RaySettings, SystemClock, Timestamp, TrainingJobs};
///
/// # async fn example() -> Result<(), Box<dyn std::error::Error>> {
/// let jobs = RayJobs::new("http://ray-head:8265", RaySettings::default(), Arc::new(SystemClock))?;
/// let spec = JobSpec::new("fraud".parse()?, Timestamp::UNIX_EPOCH).with_entrypoint(["python", "train.py"]);
/// let run = jobs.submit(&spec).await?;
/// println!("{:?}", jobs.status(&run).await?);
/// # Ok(())
/// # }
/// ```
pub struct RayJobs {
    http: HttpClient,
    settings: RaySettings,
    clock: Arc<dyn Clock>,
}

/// How jobs are submitted to Ray.
///
/// # Examples
///
/// ```
/// use std::sync::Arc;
///
/// use noops_core::{InMemorySecrets, RaySettings, Secret, SecretName};
///
/// let token: SecretName = "ray-token".parse()?;
/// let secrets = InMemorySecrets::new();
/// secrets.rotate(token.clone(), Secret::new("t0ken"));
/// let settings = RaySettings::default().with_cpus(2).with_secret(Arc::new(secrets), token);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct RaySettings {
    timeout: Duration,
    cpus: Option<u32>,
    gpus: Option<u32>,
    runtime_environment: Map<String, Value>,
    secret: Option<(Arc<dyn Secrets>, SecretName)>,
}

impl Default for RaySettings {
    fn default() -> Self {
        Self {
            timeout: Duration::from_secs(30),
            cpus: None,
            gpus: None,
            runtime_environment: Map::new(),
            secret: None,
        }
    }
}

impl RaySettings {
    /// Sets how long one call to the cluster may take; 30 seconds unless told.
    #[must_use]
    pub fn with_timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// Sets aside processors for each command.
    #[must_use]
    pub fn with_cpus(mut self, cpus: u32) -> Self {
        self.cpus = Some(cpus);
        self
    }

    /// Sets aside graphics processors for each command.
    #[must_use]
    pub fn with_gpus(mut self, gpus: u32) -> Self {
        self.gpus = Some(gpus);
        self
    }

    /// Sets a part of Ray's `runtime_env`, such as `working_dir` or `pip`. Its `env_vars` are made of the specification, and what
    /// is given for them here is added where the specification says nothing.
    #[must_use]
    pub fn with_runtime_environment(mut self, name: impl Into<String>, value: Value) -> Self {
        self.runtime_environment.insert(name.into(), value);
        self
    }

    /// Sends a secret as bearer token, and a fresh one when it was not accepted.
    #[must_use]
    pub fn with_secret(mut self, secrets: Arc<dyn Secrets>, name: SecretName) -> Self {
        self.secret = Some((secrets, name));
        self
    }
}

impl RayJobs {
    /// Jobs of the cluster whose dashboard is at an address, such as `http://ray-head:8265`.
    ///
    /// # Errors
    ///
    /// `Invalid` when the address is none.
    pub fn new(address: &str, settings: RaySettings, clock: Arc<dyn Clock>) -> Result<Self, Error> {
        let http = HttpClient::new(address)?.with_timeout(settings.timeout);
        Ok(Self {
            http,
            settings,
            clock,
        })
    }

    async fn get(&self, operation: &'static str, path: &[&str]) -> Result<HttpAnswer, Error> {
        self.send(operation, Method::GET, path, HttpBody::Empty)
            .await
    }

    /// What the cluster answered, whatever the status, unless the credential was refused.
    async fn send(
        &self,
        operation: &'static str,
        method: Method,
        path: &[&str],
        body: HttpBody<'_>,
    ) -> Result<HttpAnswer, Error> {
        let Some((secrets, name)) = &self.settings.secret else {
            return attempt(self.http.clone(), operation, method, path, body).await;
        };
        let http = &self.http;
        with_secret(secrets.as_ref(), name, move |secret| {
            let http = http.clone().with_bearer(secret);
            attempt(http, operation, method.clone(), path, body)
        })
        .await
    }

    /// What the cluster knows of a run.
    async fn job(&self, operation: &'static str, run: &RunId) -> Result<Job, Error> {
        let answer = self.get(operation, &["api", "jobs", run.as_str()]).await?;
        let answer = answer
            .success(operation)
            .map_err(|error| error.with("run", run))?;
        Job::read(operation, answer.json(operation)?)
    }

    /// What a job told about itself; `None` when its log is too large to be read.
    async fn report(&self, run: &RunId) -> Result<Option<JobReport>, Error> {
        let log = self.log(STATUS, run).await?;
        Ok(log.map(|log| JobReport::parse(&log)))
    }

    /// The whole log, since Ray's jobs API offers no part of it; `None` when it is too large to be read.
    async fn log(&self, operation: &'static str, run: &RunId) -> Result<Option<String>, Error> {
        let path = ["api", "jobs", run.as_str(), "logs"];
        let answer = match self.get(operation, &path).await {
            Err(error) if is_too_large(&error) => return Ok(None),
            answer => answer?,
        };
        let answer = answer
            .success(operation)
            .map_err(|error| error.with("run", run))?;
        match answer.json(operation)?.get("logs") {
            Some(Value::String(log)) => Ok(Some(log.clone())),
            _ => {
                let message = "the answer holds no log: is this the address of another server?";
                Err(Error::new(ErrorKind::Invalid, operation, message).with("run", run))
            }
        }
    }

    async fn stop(&self, operation: &'static str, run: &RunId) -> Result<(), Error> {
        let path = ["api", "jobs", run.as_str(), "stop"];
        self.send(operation, Method::POST, &path, HttpBody::Empty)
            .await?
            .success(operation)
            .map(|_| ())
            .map_err(|error| error.with("run", run))
    }

    fn submission(&self, spec: &JobSpec) -> Value {
        let run = spec.run_id();
        let mut environment = self.settings.runtime_environment.clone();
        let mut variables = match environment.remove("env_vars") {
            Some(Value::Object(variables)) => variables,
            _ => Map::new(),
        };
        for (name, value) in spec.environment() {
            variables.insert(name, Value::from(value));
        }
        environment.insert("env_vars".to_owned(), Value::Object(variables));
        let mut submission = Map::from_iter([
            ("submission_id".to_owned(), json!(run.as_str())),
            ("entrypoint".to_owned(), json!(quoted(spec.entrypoint()))),
            ("runtime_env".to_owned(), Value::Object(environment)),
            (
                "metadata".to_owned(),
                json!(job::metadata(spec.deadline(), spec.model().as_str())),
            ),
        ]);
        let resources = [
            ("entrypoint_num_cpus", self.settings.cpus.map(u64::from)),
            ("entrypoint_num_gpus", self.settings.gpus.map(u64::from)),
            ("entrypoint_memory", spec.memory_bytes()),
        ];
        for (name, amount) in resources {
            if let Some(amount) = amount {
                submission.insert(name.to_owned(), json!(amount));
            }
        }
        Value::Object(submission)
    }
}

#[async_trait]
impl TrainingJobs for RayJobs {
    async fn submit(&self, spec: &JobSpec) -> Result<RunId, Error> {
        if spec.entrypoint().first().is_none_or(String::is_empty) {
            let message = "a Ray job needs a command, and the specification names none";
            return Err(Error::new(ErrorKind::Invalid, SUBMIT, message).with("model", spec.model()));
        }
        let run = spec.run_id();
        // Asked first, because Ray answers a second submission with 500 and a traceback.
        match self.job(SUBMIT, &run).await {
            Ok(_) => return Ok(run),
            Err(error) if error.kind() == ErrorKind::NotFound => (),
            Err(error) => return Err(error),
        }
        let submission = self.submission(spec);
        let path = ["api", "jobs", ""];
        let body = HttpBody::Json(&submission);
        let answer = self.send(SUBMIT, Method::POST, &path, body).await?;
        if answer.status() == 500 && contains(answer.body(), ALREADY_EXISTS) {
            return Ok(run);
        }
        answer
            .success(SUBMIT)
            .map_err(|error| error.with("run", &run))?;
        Ok(run)
    }

    async fn status(&self, run: &RunId) -> Result<RunStatus, Error> {
        let mut job = self.job(STATUS, run).await?;
        let now = self.clock.now();
        if job.end().is_none() && job.is_late(now) {
            self.stop(STATUS, run).await?;
            job = self.job(STATUS, run).await?;
        }
        match job.end() {
            None if job.is_running() => {
                let report = self.report(run).await?.unwrap_or_default();
                let (step, value) = report.progress().unwrap_or((0, None));
                let since = job.since().unwrap_or(now);
                let at = now.max(since);
                Ok(RunStatus::Running {
                    since,
                    heartbeat: Heartbeat { at, step, value },
                })
            }
            None => Ok(RunStatus::Pending),
            Some(End::Stopped) => Ok(RunStatus::Cancelled),
            Some(End::Late) => Ok(RunStatus::TimedOut),
            Some(End::Failed(reason)) => Ok(RunStatus::Failed { reason }),
            Some(End::Succeeded) => {
                let Some(report) = self.report(run).await? else {
                    let reason = format!(
                        "the job succeeded, but its log is larger than {MAX_ANSWER} bytes, so that the digest of its artifact is not found"
                    );
                    return Ok(RunStatus::Failed { reason });
                };
                Ok(match report.artifact() {
                    Some(artifact) => RunStatus::Succeeded {
                        artifact,
                        metrics: report.metrics().clone(),
                    },
                    None => RunStatus::Failed {
                        reason: "the job succeeded without telling the digest of its artifact"
                            .into(),
                    },
                })
            }
        }
    }

    async fn cancel(&self, run: &RunId) -> Result<(), Error> {
        // Of a job that has ended, Ray says that it did not stop it, which is what is wanted.
        self.stop("cancel a training run", run).await
    }

    async fn logs(&self, run: &RunId) -> Result<String, Error> {
        let operation = "read the log of a training run";
        let Some(log) = self.log(operation, run).await? else {
            let message =
                "the log is too large: read it on the cluster, and let the job write less";
            return Err(Error::new(ErrorKind::Invalid, operation, message)
                .with("run", run)
                .with("limit", MAX_ANSWER));
        };
        let mut tail = LogTail::default();
        tail.push(log.as_bytes());
        Ok(tail.text())
    }
}

impl fmt::Debug for RayJobs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RayJobs")
            .field("http", &self.http)
            .field("settings", &self.settings)
            .finish_non_exhaustive()
    }
}

async fn attempt(
    http: HttpClient,
    operation: &'static str,
    method: Method,
    path: &[&str],
    body: HttpBody<'_>,
) -> Result<HttpAnswer, Error> {
    let answer = http.request(operation, method, path, &[], body).await?;
    if matches!(answer.status(), 401 | 403) {
        return Err(answer.error(operation));
    }
    Ok(answer)
}

/// Whether it is the length of an answer that was refused, and not a secret that no header takes.
fn is_too_large(error: &Error) -> bool {
    std::error::Error::source(error).is_some_and(|cause| cause.is::<TooLarge>())
}

/// Words as one line that a POSIX shell takes apart into the same words.
fn quoted(words: &[String]) -> String {
    let words: Vec<String> = words
        .iter()
        .map(|word| format!("'{}'", word.replace('\'', "'\\''")))
        .collect();
    words.join(" ")
}

fn contains(body: &[u8], text: &str) -> bool {
    String::from_utf8_lossy(body).contains(text)
}

const SUBMIT: &str = "submit a training run";
const STATUS: &str = "ask for a training run";
const ALREADY_EXISTS: &str = "already exists";

#[cfg(test)]
mod tests;
