use std::collections::BTreeMap;
use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::digest::Digest;
use crate::name::ModelName;
use crate::training::run::RunId;

/// What one training run shall do, complete: the same specification is the same run.
///
/// # Examples
///
/// ```
/// use noops_core::{JobSpec, ModelName, Timestamp};
///
/// let model: ModelName = "fraud".parse()?;
/// let spec = JobSpec::new(model, Timestamp::UNIX_EPOCH)
///     .with_parameter("depth", "6")
///     .with_seed(7);
/// assert_eq!(spec.run_id(), spec.clone().run_id());
/// assert_ne!(spec.run_id(), spec.with_seed(8).run_id());
/// # Ok::<(), noops_core::NameError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct JobSpec {
    model: ModelName,
    parameters: BTreeMap<String, String>,
    snapshot_at: Timestamp,
    dataset: Option<Digest>,
    seed: u64,
    deadline: Duration,
    memory_bytes: Option<u64>,
    entrypoint: Vec<String>,
}

impl JobSpec {
    /// A run that trains a model on what was known at a time: no parameters, seed 0, a deadline of one hour, no limit on
    /// memory, no command.
    #[must_use]
    pub fn new(model: ModelName, snapshot_at: Timestamp) -> Self {
        Self {
            model,
            parameters: BTreeMap::new(),
            snapshot_at,
            dataset: None,
            seed: 0,
            deadline: DEADLINE,
            memory_bytes: None,
            entrypoint: Vec::new(),
        }
    }

    /// Sets one parameter.
    #[must_use]
    pub fn with_parameter(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.parameters.insert(name.into(), value.into());
        self
    }

    /// Sets several parameters; others stay.
    #[must_use]
    pub fn with_parameters(mut self, parameters: BTreeMap<String, String>) -> Self {
        self.parameters.extend(parameters);
        self
    }

    /// Moves the time from which nothing later may be used.
    #[must_use]
    pub fn with_snapshot_at(mut self, snapshot_at: Timestamp) -> Self {
        self.snapshot_at = snapshot_at;
        self
    }

    /// Names the rows to train on.
    #[must_use]
    pub fn with_dataset(mut self, dataset: Digest) -> Self {
        self.dataset = Some(dataset);
        self
    }

    /// Sets the seed of every random choice of the run.
    #[must_use]
    pub fn with_seed(mut self, seed: u64) -> Self {
        self.seed = seed;
        self
    }

    /// Sets how long the run may take from its start to its end.
    #[must_use]
    pub fn with_deadline(mut self, deadline: Duration) -> Self {
        self.deadline = deadline;
        self
    }

    /// Sets how much memory the run may use. What that means, and how hard the limit is, each implementation says.
    #[must_use]
    pub fn with_memory_bytes(mut self, memory_bytes: u64) -> Self {
        self.memory_bytes = Some(memory_bytes);
        self
    }

    /// Sets the program and its arguments, for implementations that run commands.
    #[must_use]
    pub fn with_entrypoint<T: Into<String>>(
        mut self,
        entrypoint: impl IntoIterator<Item = T>,
    ) -> Self {
        self.entrypoint = entrypoint.into_iter().map(Into::into).collect();
        self
    }

    /// The model to train.
    #[must_use]
    pub fn model(&self) -> &ModelName {
        &self.model
    }

    /// The parameters by name.
    #[must_use]
    pub fn parameters(&self) -> &BTreeMap<String, String> {
        &self.parameters
    }

    /// Only what was known at this time may be used.
    #[must_use]
    pub fn snapshot_at(&self) -> Timestamp {
        self.snapshot_at
    }

    /// The digest of the rows to train on, where they are fixed.
    #[must_use]
    pub fn dataset(&self) -> Option<Digest> {
        self.dataset
    }

    /// The seed.
    #[must_use]
    pub fn seed(&self) -> u64 {
        self.seed
    }

    /// How long the run may take from its start.
    #[must_use]
    pub fn deadline(&self) -> Duration {
        self.deadline
    }

    /// How much memory it may use.
    #[must_use]
    pub fn memory_bytes(&self) -> Option<u64> {
        self.memory_bytes
    }

    /// The program and its arguments; empty where the implementation knows what to run.
    #[must_use]
    pub fn entrypoint(&self) -> &[String] {
        &self.entrypoint
    }

    /// The name of the run that does this: the same for equal specifications, on every machine and in every release.
    ///
    /// # Formula
    ///
    /// `run-` and the first 40 hexadecimal digits of the SHA-256 of the specification as compact JSON, fields in the order of the
    /// arguments of this page: model, parameters, `snapshot_at`, dataset, seed, deadline, `memory_bytes`, entrypoint.
    #[must_use]
    pub fn run_id(&self) -> RunId {
        RunId::of(&Digest::of_json(self))
    }

    /// What a command finds in its environment: `NOOPS_RUN`, `NOOPS_MODEL`, `NOOPS_SNAPSHOT_AT` (RFC 3339), `NOOPS_SEED`,
    /// `NOOPS_PARAMETERS` (a JSON object of strings) and, where it is fixed, `NOOPS_DATASET` (64 hex digits).
    #[must_use]
    pub fn environment(&self) -> BTreeMap<String, String> {
        let parameters: serde_json::Map<String, serde_json::Value> = self
            .parameters
            .iter()
            .map(|(name, value)| (name.clone(), serde_json::Value::from(value.as_str())))
            .collect();
        let mut environment = BTreeMap::from([
            ("NOOPS_RUN".to_owned(), self.run_id().to_string()),
            ("NOOPS_MODEL".to_owned(), self.model.to_string()),
            ("NOOPS_SNAPSHOT_AT".to_owned(), self.snapshot_at.to_string()),
            ("NOOPS_SEED".to_owned(), self.seed.to_string()),
            (
                "NOOPS_PARAMETERS".to_owned(),
                serde_json::Value::Object(parameters).to_string(),
            ),
        ]);
        if let Some(dataset) = self.dataset {
            environment.insert("NOOPS_DATASET".to_owned(), dataset.to_string());
        }
        environment
    }
}

const DEADLINE: Duration = Duration::from_secs(3600);

#[cfg(test)]
mod tests {
    use super::*;

    fn spec() -> JobSpec {
        JobSpec::new("fraud".parse().unwrap(), Timestamp::UNIX_EPOCH)
    }

    #[test]
    fn every_part_of_the_specification_is_part_of_the_name() {
        let digest = Digest::of(b"rows");
        let specs = [
            spec(),
            JobSpec::new("other".parse().unwrap(), Timestamp::UNIX_EPOCH),
            JobSpec::new("fraud".parse().unwrap(), Timestamp::MAX),
            spec().with_parameter("a", "1"),
            spec().with_parameter("a", "2"),
            spec().with_parameter("b", "1"),
            spec().with_dataset(digest),
            spec().with_seed(1),
            spec().with_deadline(Duration::from_secs(1)),
            spec().with_memory_bytes(1),
            spec().with_entrypoint(["a b"]),
            spec().with_entrypoint(["a", "b"]),
        ];
        let names: std::collections::BTreeSet<RunId> = specs.iter().map(JobSpec::run_id).collect();
        assert_eq!(names.len(), specs.len());
    }

    #[test]
    fn the_name_does_not_change_from_release_to_release() {
        // Python: "run-" + hashlib.sha256(json).hexdigest()[:40] of {"model":"fraud","parameters":{"depth":"6"},
        // "snapshot_at":"1970-01-01T00:00:00Z","dataset":null,"seed":7,"deadline":{"secs":3600,"nanos":0},"memory_bytes":null,
        // "entrypoint":["python","train.py"]}, without white space. A field that is added must be left out where it is not set.
        let spec = spec()
            .with_parameter("depth", "6")
            .with_seed(7)
            .with_entrypoint(["python", "train.py"]);
        assert_eq!(
            spec.run_id().as_str(),
            "run-7c856ce6f1bae43bf5957cd0d9e6041befd19057"
        );
    }

    #[test]
    fn the_order_in_which_parameters_were_set_does_not_matter() {
        let one = spec().with_parameter("a", "1").with_parameter("b", "2");
        let other = spec().with_parameter("b", "2").with_parameter("a", "1");
        assert_eq!(one.run_id(), other.run_id());
    }

    #[test]
    fn what_is_written_is_read_back_with_the_same_name() {
        let spec = spec()
            .with_parameter("naïve \"key\"\n", "\u{0}")
            .with_seed(u64::MAX)
            .with_deadline(Duration::MAX)
            .with_entrypoint(["python", "train.py"]);
        let text = serde_json::to_string(&spec).unwrap();
        let read: JobSpec = serde_json::from_str(&text).unwrap();
        assert_eq!(read, spec);
        assert_eq!(read.run_id(), spec.run_id());
    }

    #[test]
    fn the_environment_carries_what_the_command_needs() {
        let environment = spec()
            .with_parameter("rate", "0.1")
            .with_seed(7)
            .environment();
        assert_eq!(environment["NOOPS_SEED"], "7");
        assert_eq!(environment["NOOPS_PARAMETERS"], "{\"rate\":\"0.1\"}");
        assert_eq!(environment["NOOPS_SNAPSHOT_AT"], "1970-01-01T00:00:00Z");
        assert!(!environment.contains_key("NOOPS_DATASET"));
    }
}
