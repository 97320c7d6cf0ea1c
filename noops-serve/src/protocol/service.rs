//! What a server does, whatever it is asked over.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use noops_canary::Arm;
use noops_core::{Clock, Digest, Error, ModelName, SystemClock};

use super::access::{AccessRules, Arrival, Credentials, Limits, Verb};
use super::error::{Code, ProtocolError};
use super::infer::{InferRequest, InferResponse};
use super::mapping::{known_outputs, read_rows, tensors_of, write_scores};
use super::metadata::{ModelMetadata, ServerMetadata};
use super::parameter::Parameter;
use super::repository::{ModelState, ReadyOnly, RepositoryEntry};
use super::statistics::ModelStatistics;
use crate::runtime::{Deployment, Priority, Refusal, Request, Runtime, ServedModel};

/// Where a server finds models that it is told to load.
///
/// # Contract
///
/// * `names` MUST be cheap: it is called whenever somebody asks for the index.
/// * `load` MUST verify what it loads; what it returns is put into service at once.
#[async_trait]
pub trait Repository: std::fmt::Debug + Send + Sync + 'static {
    /// The models that can be loaded.
    fn names(&self) -> Vec<String>;

    /// Loads a model, ready to answer.
    async fn load(&self, model: &str) -> Result<Arc<Deployment>, Error>;
}

/// The Open Inference Protocol over a [`Runtime`], apart from any transport.
///
/// A request names a model of the runtime. Its tensors are the features of the champion's contract: one tensor `input` of shape
/// `[rows, features]` where all features are numbers, or one tensor for each feature, by its name, of shape `[rows]` or `[rows, 1]`,
/// with categories as `BYTES`. The answer is one tensor `output` of shape `[rows, width]`. The protocol has no word for a row that is
/// refused among others, so a request is refused with its first row that is.
///
/// Parameters of a request: `timeout` in microseconds and `priority` (1 is the highest) of the scheduling extension, and `unit`, a text
/// that decides the arm in the place of the request's id, so that a customer stays with one model.
#[derive(Debug)]
pub struct Service {
    runtime: Arc<Runtime>,
    repository: Option<Arc<dyn Repository>>,
    access: AccessRules,
    limits: Limits,
    clock: Arc<dyn Clock>,
    /// Requests without an id are numbered, from a number that no earlier process has begun with.
    next_id: AtomicU64,
}

impl Service {
    /// Serves the models of a runtime to everybody, within default limits.
    #[must_use]
    pub fn new(runtime: Arc<Runtime>) -> Self {
        let clock = Arc::new(SystemClock);
        let begun = u64::try_from(clock.now().as_microsecond()).unwrap_or(0);
        Self {
            runtime,
            repository: None,
            access: AccessRules::open(),
            limits: Limits::default(),
            clock,
            next_id: AtomicU64::new(begun << 12),
        }
    }

    /// Lets clients load and unload models.
    #[must_use]
    pub fn with_repository(mut self, repository: Arc<dyn Repository>) -> Self {
        self.repository = Some(repository);
        self
    }

    /// Sets who may do what.
    #[must_use]
    pub fn with_access(mut self, access: AccessRules) -> Self {
        self.access = access;
        self
    }

    /// Sets how much a client may take.
    #[must_use]
    pub fn with_limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }

    /// Sets the clock of the statistics.
    #[must_use]
    pub fn with_clock(mut self, clock: Arc<dyn Clock>) -> Self {
        self.clock = clock;
        self
    }

    /// The models.
    #[must_use]
    pub fn runtime(&self) -> &Arc<Runtime> {
        &self.runtime
    }

    /// Whether the process works at all: it answers, so it does.
    #[must_use]
    pub fn live(&self) -> bool {
        true
    }

    /// Whether requests should be sent here: there are models, and the runtime is not closing.
    #[must_use]
    pub fn ready(&self) -> bool {
        !self.runtime.is_closed() && !self.runtime.deployments().is_empty()
    }

    /// What the server is.
    #[must_use]
    pub fn server_metadata(&self) -> ServerMetadata {
        let extensions = [
            "binary_tensor_data",
            "model_configuration",
            "model_repository",
            "schedule_policy",
            "statistics",
        ];
        ServerMetadata {
            name: "noops-serve".to_owned(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            extensions: extensions.map(str::to_owned).to_vec(),
        }
    }

    /// Whether a model answers.
    ///
    /// # Errors
    ///
    /// `NotFound` for a model or version that is not in service.
    pub fn model_ready(&self, model: &str, version: Option<&str>) -> Result<bool, ProtocolError> {
        self.version(model, version)?;
        Ok(!self.runtime.is_closed())
    }

    /// The tensors of a model.
    ///
    /// # Errors
    ///
    /// `NotFound` for a model or version that is not in service.
    pub fn model_metadata(
        &self,
        model: &str,
        version: Option<&str>,
    ) -> Result<ModelMetadata, ProtocolError> {
        let (deployment, served) = self.version(model, version)?;
        let (inputs, outputs) = tensors_of(served.contract());
        let versions = match version {
            Some(version) => vec![version.to_owned()],
            None => std::iter::once(deployment.champion())
                .chain(deployment.challengers())
                .map(|model| number(&model))
                .collect(),
        };
        Ok(ModelMetadata {
            name: model.to_owned(),
            versions,
            platform: "noops".to_owned(),
            inputs,
            outputs,
        })
    }

    /// How a model is served, in the terms of the model configuration extension.
    ///
    /// # Errors
    ///
    /// `NotFound` for a model or version that is not in service.
    pub fn model_config(
        &self,
        model: &str,
        version: Option<&str>,
    ) -> Result<serde_json::Value, ProtocolError> {
        let (_, served) = self.version(model, version)?;
        let (inputs, outputs) = tensors_of(served.contract());
        let tensors = |tensors: Vec<super::metadata::TensorMetadata>| {
            let described = tensors.into_iter().map(|tensor| {
                let dims: Vec<i64> = tensor.shape.into_iter().skip(1).collect();
                serde_json::json!({
                    "name": tensor.name,
                    "data_type": config_type(tensor.datatype.name()),
                    "dims": if dims.is_empty() { vec![1] } else { dims },
                })
            });
            described.collect::<Vec<_>>()
        };
        Ok(serde_json::json!({
            "name": model,
            "platform": "noops",
            "backend": "noops",
            "max_batch_size": served.batch_invariant_up_to(),
            "input": tensors(inputs),
            "output": tensors(outputs),
            "dynamic_batching": {},
            "instance_group": [{ "name": model, "kind": "KIND_CPU", "count": served.replicas() }],
        }))
    }

    /// What happened to the requests of a model, or of all.
    ///
    /// # Errors
    ///
    /// `NotFound` for a model or version that is not in service.
    pub fn model_statistics(
        &self,
        model: Option<&str>,
        version: Option<&str>,
    ) -> Result<Vec<ModelStatistics>, ProtocolError> {
        let Some(model) = model else {
            let all = self.runtime.deployments();
            let statistics = all.iter().flat_map(|(name, deployment)| {
                let models = deployment.models().into_iter();
                models.map(move |model| ModelStatistics::of(name.as_str(), &model))
            });
            return Ok(statistics.collect());
        };
        let (deployment, served) = self.version(model, version)?;
        Ok(match version {
            Some(_) => vec![ModelStatistics::of(model, &served)],
            None => deployment
                .models()
                .iter()
                .map(|served| ModelStatistics::of(model, served))
                .collect(),
        })
    }

    /// The models that are in service, and those that could be.
    #[must_use]
    pub fn repository_index(&self, only: ReadyOnly) -> Vec<RepositoryEntry> {
        let deployments = self.runtime.deployments();
        let mut entries: Vec<RepositoryEntry> = deployments
            .iter()
            .map(|(name, deployment)| RepositoryEntry {
                name: name.to_string(),
                version: number(&deployment.champion()),
                state: ModelState::Ready,
                reason: String::new(),
            })
            .collect();
        if only == ReadyOnly::No
            && let Some(repository) = &self.repository
        {
            let names = repository.names().into_iter();
            let unloaded = names.filter(|name| self.runtime.deployment(name).is_none());
            entries.extend(unloaded.map(|name| RepositoryEntry {
                name,
                version: String::new(),
                state: ModelState::Unavailable,
                reason: "it is not loaded".to_owned(),
            }));
        }
        entries
    }

    /// Loads a model of the repository, in the place of one of the same name.
    ///
    /// # Errors
    ///
    /// `Unimplemented` without a repository, and what the repository says.
    pub async fn load(&self, model: &str) -> Result<(), ProtocolError> {
        let repository = self.repository()?;
        let name: ModelName = model
            .parse()
            .map_err(|error| ProtocolError::invalid(format!("{error}")))?;
        let deployment = repository.load(model).await?;
        Ok(self.runtime.deploy(name, deployment)?)
    }

    /// Takes a model out of service. Requests that have begun are answered.
    ///
    /// # Errors
    ///
    /// `Unimplemented` without a repository, `NotFound` when the model is not in service, `PermissionDenied` when the host put it there
    /// and the repository, which could bring it back, does not have it.
    pub async fn unload(&self, model: &str) -> Result<(), ProtocolError> {
        let repository = self.repository()?;
        self.deployment(model)?;
        if !repository.names().iter().any(|name| name == model) {
            return Err(ProtocolError::new(
                Code::PermissionDenied,
                format!(
                    "model `{model}` is not of the repository; only its host takes it out of service"
                ),
            ));
        }
        self.runtime.withdraw(model)?;
        Ok(())
    }

    /// Answers a request.
    ///
    /// # Errors
    ///
    /// What the protocol has for what went wrong; the message names the tensor or the row.
    pub async fn infer(
        &self,
        request: InferRequest,
        arrival: Arrival,
    ) -> Result<InferResponse, ProtocolError> {
        let deployment = self.deployment(request.model())?;
        // Before anything is run that nobody would see.
        known_outputs(request.outputs())?;
        let asked = self.read(&deployment, &request, &arrival)?;
        let timeout = self.timeout(&request, &arrival)?;
        let asked = match timeout {
            Some(timeout) => asked.with_timeout(timeout),
            None => asked,
        };
        let limit = timeout.map_or(self.limits.request_timeout(), |timeout| {
            timeout.min(self.limits.request_timeout())
        });
        if self.runtime.is_closed() {
            return Err(ProtocolError::new(
                Code::Unavailable,
                "the server is closing; ask another",
            ));
        }
        let models = deployment.models();
        let model = request.model();
        // The deployment that the rows were read for, whatever is loaded meanwhile.
        let reply = tokio::time::timeout(limit, deployment.predict(&asked))
            .await
            .map_err(|_| too_late())??;
        let mut rows = Vec::with_capacity(reply.len());
        for (row, answer) in reply.into_iter().enumerate() {
            rows.push(answer.map_err(|refusal| refused(row, asked.ids().len(), &refusal))?);
        }
        let version = rows.first().map_or_else(
            || number(&deployment.champion()),
            |answer| answered_by(&models, answer.version()),
        );
        let output = write_scores(&rows, deployment.champion().contract())?;
        let response = InferResponse::new(model, version, vec![output]);
        Ok(match request.id() {
            Some(id) => response.with_id(id),
            None => response,
        })
    }

    /// All metrics, as a Prometheus text.
    #[must_use]
    pub fn metrics(&self) -> String {
        self.runtime.telemetry().to_prometheus()
    }

    /// Whether somebody may do something.
    ///
    /// # Errors
    ///
    /// `Unauthenticated` for somebody unknown, `PermissionDenied` for somebody who may not.
    pub fn authorise(
        &self,
        credentials: &Credentials,
        verb: Verb,
        model: Option<&str>,
    ) -> Result<(), ProtocolError> {
        self.access.authorise(credentials, verb, model)
    }

    /// How much a client may take.
    #[must_use]
    pub fn limits(&self) -> &Limits {
        &self.limits
    }

    fn read(
        &self,
        deployment: &Deployment,
        request: &InferRequest,
        arrival: &Arrival,
    ) -> Result<Request, ProtocolError> {
        let champion = deployment.champion();
        let rows = read_rows(request.model(), request.inputs(), champion.contract())?;
        let id = self.id(request.id());
        let unit = text(request, "unit")?.unwrap_or(&id).to_owned();
        let ids = match rows.len() {
            1 => vec![id],
            rows => (0..rows).map(|row| format!("{id}#{row}")).collect(),
        };
        // One unit, so that one model answers all rows of a request.
        let units = vec![unit; ids.len()];
        let mut asked = Request::of_rows(ids, rows)?
            .with_order(champion.contract())
            .with_units(units)?;
        if let Some(level) = whole_number(request, "priority")?.filter(|level| *level > 0) {
            asked = asked.with_priority(Priority::level(u8::try_from(level).unwrap_or(u8::MAX)));
        }
        match arrival.arm.as_deref() {
            None => match pinned(deployment, request.model(), request.version())? {
                Some(version) => Ok(asked.with_version(version)),
                None => Ok(asked),
            },
            Some("champion") => Ok(asked.with_arm(Arm::Champion)),
            Some("challenger") => Ok(asked.with_arm(Arm::Challenger)),
            Some(other) => Err(ProtocolError::invalid(format!(
                "there is no arm `{other}`; say `champion` or `challenger`"
            ))),
        }
    }

    fn timeout(
        &self,
        request: &InferRequest,
        arrival: &Arrival,
    ) -> Result<Option<Duration>, ProtocolError> {
        // As elsewhere, zero says nothing.
        let own = whole_number(request, "timeout")?
            .filter(|timeout| *timeout > 0)
            .map(Duration::from_micros);
        Ok(own.into_iter().chain(arrival.deadline_in).min())
    }

    fn id(&self, id: Option<&str>) -> String {
        match id {
            Some(id) if !id.is_empty() => id.to_owned(),
            _ => format!("{:x}", self.next_id.fetch_add(1, Ordering::Relaxed)),
        }
    }

    fn deployment(&self, model: &str) -> Result<Arc<Deployment>, ProtocolError> {
        self.runtime.deployment(model).ok_or_else(|| {
            ProtocolError::new(
                Code::NotFound,
                format!("there is no model `{model}` in service"),
            )
        })
    }

    fn version(
        &self,
        model: &str,
        version: Option<&str>,
    ) -> Result<(Arc<Deployment>, Arc<ServedModel>), ProtocolError> {
        let deployment = self.deployment(model)?;
        let served = match version {
            None | Some("") => deployment.champion(),
            Some(version) => deployment
                .models()
                .into_iter()
                .find(|model| number(model) == version)
                .ok_or_else(|| unknown_version(model, version))?,
        };
        Ok((deployment, served))
    }

    fn repository(&self) -> Result<&Arc<dyn Repository>, ProtocolError> {
        self.repository.as_ref().ok_or_else(|| {
            ProtocolError::new(
                Code::Unimplemented,
                "this server loads no models at a client's request",
            )
        })
    }
}

/// The version that a request names, if it names one that answers.
fn pinned(
    deployment: &Deployment,
    model: &str,
    version: Option<&str>,
) -> Result<Option<Digest>, ProtocolError> {
    let Some(version) = version.filter(|version| !version.is_empty()) else {
        return Ok(None);
    };
    let mut answering = std::iter::once(deployment.champion()).chain(deployment.challengers());
    match answering.find(|model| number(model) == version) {
        Some(named) => Ok(Some(named.digest())),
        None => Err(unknown_version(model, version)),
    }
}

/// The number of the version that answered; a constant has none and stands in for the champion, the first.
fn answered_by(models: &[Arc<ServedModel>], digest: Digest) -> String {
    let answered = models.iter().find(|model| model.digest() == digest);
    answered
        .or_else(|| models.first())
        .map_or_else(String::new, |model| number(model))
}

fn number(model: &ServedModel) -> String {
    model.version().number().to_string()
}

fn unknown_version(model: &str, version: &str) -> ProtocolError {
    ProtocolError::new(
        Code::NotFound,
        format!("model `{model}` has no version `{version}` in service"),
    )
}

fn too_late() -> ProtocolError {
    ProtocolError::new(Code::DeadlineExceeded, Refusal::TooLate.to_string())
}

fn refused(row: usize, rows: usize, refusal: &Refusal) -> ProtocolError {
    let code = match refusal {
        Refusal::Contract(_) => Code::InvalidArgument,
        Refusal::Model(_) => Code::Internal,
        Refusal::Overloaded => Code::ResourceExhausted,
        Refusal::TooLate => Code::DeadlineExceeded,
    };
    if rows == 1 {
        return ProtocolError::new(code, refusal.to_string());
    }
    ProtocolError::new(code, format!("row {row}: {refusal}"))
}

fn whole_number(request: &InferRequest, name: &str) -> Result<Option<u64>, ProtocolError> {
    let wrong = || {
        ProtocolError::invalid(format!(
            "parameter `{name}` must be a whole number that is not negative"
        ))
    };
    match request.parameters().get(name) {
        None => Ok(None),
        Some(Parameter::Uint64(value)) => Ok(Some(*value)),
        Some(Parameter::Int64(value)) => Ok(Some(u64::try_from(*value).map_err(|_| wrong())?)),
        Some(_) => Err(wrong()),
    }
}

fn text<'a>(request: &'a InferRequest, name: &str) -> Result<Option<&'a str>, ProtocolError> {
    match request.parameters().get(name) {
        None => Ok(None),
        Some(Parameter::Text(text)) => Ok(Some(text)),
        Some(_) => Err(ProtocolError::invalid(format!(
            "parameter `{name}` must be a text"
        ))),
    }
}

/// The name of a data type in a model configuration.
fn config_type(name: &str) -> String {
    match name {
        "BYTES" => "TYPE_STRING".to_owned(),
        name => format!("TYPE_{name}"),
    }
}
