//! Many questions and answers over one call.

use std::sync::Arc;

use futures_util::{Stream, StreamExt};
use tonic::Status;
use tonic::codegen::BoxStream;
use tonic::codegen::http::HeaderMap;

use super::convert;
use super::generated::inference::infer_parameter::ParameterChoice;
use super::generated::inference::{
    InferParameter, ModelInferRequest, ModelInferResponse, ModelStreamInferResponse,
};
use super::service::infer;
use crate::protocol::access::{Arrival, Credentials};
use crate::protocol::error::ProtocolError;
use crate::protocol::service::Service;

/// Answers to the questions of one stream, in their order, several at work at once.
///
/// The deadline of the call is that of each of its questions. Dropping the stream drops the questions that it works on.
#[derive(Clone, Debug)]
pub(super) struct Answers {
    pub(super) service: Arc<Service>,
    pub(super) credentials: Credentials,
    pub(super) arrival: Arrival,
    pub(super) failures: Failures,
}

impl Answers {
    pub(super) fn to<S>(self, messages: S) -> BoxStream<ModelStreamInferResponse>
    where
        S: Stream<Item = Result<ModelInferRequest, Status>> + Send + 'static,
    {
        let answers = Arc::new(self);
        let answered = messages.map(move |message| {
            let answers = Arc::clone(&answers);
            async move { answers.to_one(message?).await }
        });
        Box::pin(answered.buffered(AT_ONCE))
    }

    async fn to_one(&self, message: ModelInferRequest) -> Result<ModelStreamInferResponse, Status> {
        let (model, id) = (message.model_name.clone(), message.id.clone());
        let last_is_marked = wants_last_marked(&message);
        match infer(
            &self.service,
            &self.credentials,
            self.arrival.clone(),
            message,
        )
        .await
        {
            Ok(response) if last_is_marked => Ok(answer(mark_last(response))),
            Ok(response) => Ok(answer(response)),
            Err(error) => self.failures.tell(error, model, id),
        }
    }
}

/// How a stream tells that a question failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Failures {
    /// In the answer; the stream goes on.
    InAnswers,
    /// As the status of the call, which ends it.
    AsStatus,
}

impl Failures {
    /// What the client wants: Triton's clients ask for a status with `triton_grpc_error: true`.
    pub(super) fn wanted(headers: &HeaderMap) -> Self {
        match headers.get("triton_grpc_error") {
            Some(value) if value == "true" => Self::AsStatus,
            _ => Self::InAnswers,
        }
    }

    fn tell(
        self,
        error: ProtocolError,
        model: String,
        id: String,
    ) -> Result<ModelStreamInferResponse, Status> {
        match self {
            Self::AsStatus => Err(convert::status(error)),
            Self::InAnswers => Ok(ModelStreamInferResponse {
                error_message: convert::brief(error.message()),
                infer_response: Some(ModelInferResponse {
                    model_name: model,
                    id,
                    ..ModelInferResponse::default()
                }),
            }),
        }
    }
}

fn answer(response: ModelInferResponse) -> ModelStreamInferResponse {
    ModelStreamInferResponse {
        error_message: String::new(),
        infer_response: Some(response),
    }
}

/// Whether the client waits for the last answer to its question to say so. Here every answer is the last.
fn wants_last_marked(message: &ModelInferRequest) -> bool {
    let parameter = message.parameters.get("triton_enable_empty_final_response");
    let choice = parameter.and_then(|parameter| parameter.parameter_choice.as_ref());
    choice == Some(&ParameterChoice::BoolParam(true))
}

fn mark_last(mut response: ModelInferResponse) -> ModelInferResponse {
    let yes = InferParameter {
        parameter_choice: Some(ParameterChoice::BoolParam(true)),
    };
    response
        .parameters
        .insert("triton_final_response".to_owned(), yes);
    response
}

/// Questions of one stream at work at once: enough to fill a batch, too few for one client to fill the server.
const AT_ONCE: usize = 32;
