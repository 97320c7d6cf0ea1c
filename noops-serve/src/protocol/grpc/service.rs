//! The calls of the protocol, answered by the transport-neutral service.

use std::sync::Arc;

use tonic::codegen::BoxStream;
use tonic::{Request, Response, Status, Streaming};

use super::generated::inference::grpc_inference_service_server::GrpcInferenceService;
use super::generated::inference::{
    ModelConfigRequest, ModelConfigResponse, ModelInferRequest, ModelInferResponse,
    ModelMetadataRequest, ModelMetadataResponse, ModelReadyRequest, ModelReadyResponse,
    ModelStatisticsRequest, ModelStatisticsResponse, ModelStreamInferResponse,
    RepositoryIndexRequest, RepositoryIndexResponse, RepositoryModelLoadRequest,
    RepositoryModelLoadResponse, RepositoryModelUnloadRequest, RepositoryModelUnloadResponse,
    ServerLiveRequest, ServerLiveResponse, ServerMetadataRequest, ServerMetadataResponse,
    ServerReadyRequest, ServerReadyResponse,
};
use super::{arrival, convert, stream};
use crate::protocol::access::{Arrival, Credentials, Verb};
use crate::protocol::error::{Code, ProtocolError};
use crate::protocol::repository::ReadyOnly;
use crate::protocol::service::Service;

/// `inference.GRPCInferenceService`.
#[derive(Debug)]
pub(super) struct Inference {
    service: Arc<Service>,
}

impl Inference {
    pub(super) fn new(service: Arc<Service>) -> Self {
        Self { service }
    }

    /// The message of a call whose caller may do `verb` to the model that the message names.
    fn admitted<T>(
        &self,
        request: Request<T>,
        verb: Verb,
        model: impl FnOnce(&T) -> &str,
    ) -> Result<T, Status> {
        let (metadata, extensions, message) = request.into_parts();
        let credentials = arrival::credentials(metadata.as_ref(), &extensions);
        self.service
            .authorise(&credentials, verb, given(model(&message)))
            .map_err(convert::status)?;
        Ok(message)
    }
}

#[tonic::async_trait]
impl GrpcInferenceService for Inference {
    async fn server_live(
        &self,
        _: Request<ServerLiveRequest>,
    ) -> Result<Response<ServerLiveResponse>, Status> {
        let live = self.service.live();
        Ok(Response::new(ServerLiveResponse { live }))
    }

    async fn server_ready(
        &self,
        _: Request<ServerReadyRequest>,
    ) -> Result<Response<ServerReadyResponse>, Status> {
        let ready = self.service.ready();
        Ok(Response::new(ServerReadyResponse { ready }))
    }

    /// A model that is not there is not ready, as Triton says it; that is an answer and no failure.
    async fn model_ready(
        &self,
        request: Request<ModelReadyRequest>,
    ) -> Result<Response<ModelReadyResponse>, Status> {
        let message = self.admitted(request, Verb::Read, |message| &message.name)?;
        let ready = match self
            .service
            .model_ready(&message.name, given(&message.version))
        {
            Err(error) if error.code() == Code::NotFound => Ok(false),
            answered => answered,
        };
        let ready = ready.map_err(convert::status)?;
        Ok(Response::new(ModelReadyResponse { ready }))
    }

    async fn server_metadata(
        &self,
        request: Request<ServerMetadataRequest>,
    ) -> Result<Response<ServerMetadataResponse>, Status> {
        self.admitted(request, Verb::Read, |_| "")?;
        let server = self.service.server_metadata();
        Ok(Response::new(convert::server_metadata(server)))
    }

    async fn model_metadata(
        &self,
        request: Request<ModelMetadataRequest>,
    ) -> Result<Response<ModelMetadataResponse>, Status> {
        let message = self.admitted(request, Verb::Read, |message| &message.name)?;
        let model = self
            .service
            .model_metadata(&message.name, given(&message.version));
        let model = model.map_err(convert::status)?;
        Ok(Response::new(convert::model_metadata(model)))
    }

    async fn model_infer(
        &self,
        request: Request<ModelInferRequest>,
    ) -> Result<Response<ModelInferResponse>, Status> {
        let (metadata, extensions, message) = request.into_parts();
        let headers = metadata.into_headers();
        let credentials = arrival::credentials(&headers, &extensions);
        let arrival = arrival::arrival(&headers).map_err(convert::status)?;
        let response = infer(&self.service, &credentials, arrival, message).await;
        response.map(Response::new).map_err(convert::status)
    }

    type ModelStreamInferStream = BoxStream<ModelStreamInferResponse>;

    async fn model_stream_infer(
        &self,
        request: Request<Streaming<ModelInferRequest>>,
    ) -> Result<Response<Self::ModelStreamInferStream>, Status> {
        let (metadata, extensions, messages) = request.into_parts();
        let headers = metadata.into_headers();
        let answers = stream::Answers {
            service: Arc::clone(&self.service),
            credentials: arrival::credentials(&headers, &extensions),
            arrival: arrival::arrival(&headers).map_err(convert::status)?,
            failures: stream::Failures::wanted(&headers),
        };
        Ok(Response::new(answers.to(messages)))
    }

    async fn model_config(
        &self,
        request: Request<ModelConfigRequest>,
    ) -> Result<Response<ModelConfigResponse>, Status> {
        let message = self.admitted(request, Verb::Read, |message| &message.name)?;
        let config = self
            .service
            .model_config(&message.name, given(&message.version));
        let config = config.map_err(convert::status)?;
        Ok(Response::new(ModelConfigResponse {
            config: Some(convert::model_config(&config)),
        }))
    }

    async fn model_statistics(
        &self,
        request: Request<ModelStatisticsRequest>,
    ) -> Result<Response<ModelStatisticsResponse>, Status> {
        let message = self.admitted(request, Verb::Read, |message| &message.name)?;
        let (model, version) = (given(&message.name), given(&message.version));
        let statistics = self.service.model_statistics(model, version);
        let statistics = statistics.map_err(convert::status)?;
        Ok(Response::new(convert::model_statistics(statistics)))
    }

    async fn repository_index(
        &self,
        request: Request<RepositoryIndexRequest>,
    ) -> Result<Response<RepositoryIndexResponse>, Status> {
        let message = self.admitted(request, Verb::Read, |_| "")?;
        the_one_repository(&message.repository_name)?;
        let only = if message.ready {
            ReadyOnly::Yes
        } else {
            ReadyOnly::No
        };
        let entries = self.service.repository_index(only);
        Ok(Response::new(convert::repository_index(entries)))
    }

    async fn repository_model_load(
        &self,
        request: Request<RepositoryModelLoadRequest>,
    ) -> Result<Response<RepositoryModelLoadResponse>, Status> {
        let message = self.admitted(request, Verb::Manage, |message| &message.model_name)?;
        the_one_repository(&message.repository_name)?;
        if let Some(name) = message.parameters.keys().next() {
            let refused =
                format!("a model is loaded as it is in the repository; leave out `{name}`");
            return Err(convert::status(ProtocolError::new(
                Code::Unimplemented,
                refused,
            )));
        }
        let loaded = self.service.load(&message.model_name).await;
        loaded.map_err(convert::status)?;
        Ok(Response::new(RepositoryModelLoadResponse {}))
    }

    /// No model depends on another, so `unload_dependents` changes nothing, and clients send it always.
    async fn repository_model_unload(
        &self,
        request: Request<RepositoryModelUnloadRequest>,
    ) -> Result<Response<RepositoryModelUnloadResponse>, Status> {
        let message = self.admitted(request, Verb::Manage, |message| &message.model_name)?;
        the_one_repository(&message.repository_name)?;
        let unloaded = self.service.unload(&message.model_name).await;
        unloaded.map_err(convert::status)?;
        Ok(Response::new(RepositoryModelUnloadResponse {}))
    }
}

/// Answers one question of a caller who may ask it.
pub(super) async fn infer(
    service: &Service,
    credentials: &Credentials,
    arrival: Arrival,
    message: ModelInferRequest,
) -> Result<ModelInferResponse, ProtocolError> {
    service.authorise(credentials, Verb::Infer, given(&message.model_name))?;
    let request = convert::infer_request(message)?;
    let response = service.infer(request, arrival).await?;
    convert::infer_response(&response)
}

/// An absent text is an empty one on the wire.
fn given(text: &str) -> Option<&str> {
    Some(text).filter(|text| !text.is_empty())
}

fn the_one_repository(name: &str) -> Result<(), Status> {
    if name.is_empty() {
        return Ok(());
    }
    Err(Status::unimplemented(
        "there is one repository here; leave out `repository_name`",
    ))
}
