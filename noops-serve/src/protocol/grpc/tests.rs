use std::future::Future;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use futures_util::{StreamExt, stream};
use prost::bytes::Bytes;
use tonic::codegen::Service as _;
use tonic::codegen::http;
use tonic::{Code, Request};

use super::generated::health::HealthCheckRequest;
use super::generated::health::health_check_response::ServingStatus;
use super::generated::health::health_client::HealthClient;
use super::generated::inference::grpc_inference_service_client::GrpcInferenceServiceClient;
use super::generated::inference::infer_parameter::ParameterChoice;
use super::generated::inference::model_infer_request::InferInputTensor;
use super::generated::inference::{
    InferParameter, ModelConfigRequest, ModelInferRequest, ModelInferResponse,
    ModelMetadataRequest, ModelReadyRequest, ModelRepositoryParameter, ModelStatisticsRequest,
    RepositoryIndexRequest, RepositoryModelLoadRequest, RepositoryModelUnloadRequest,
    ServerLiveRequest, ServerMetadataRequest, ServerReadyRequest,
};
use super::router;
use crate::protocol::access::{AccessRules, ClientCertificate, Grant, Limits, Verb};
use crate::protocol::service::Service;
use crate::protocol::testing;

mod connection;
mod streams;

type Client = GrpcInferenceServiceClient<Router>;

fn open() -> Arc<Service> {
    testing::service(AccessRules::open(), Limits::default())
}

fn client(service: &Arc<Service>) -> Client {
    Client::new(router(Arc::clone(service)))
}

fn guarded() -> Client {
    let rules = AccessRules::open()
        .with_token("all", Grant::everything())
        .with_token("reader", Grant::new([Verb::Read]))
        .with_token("other", Grant::new([Verb::Infer]).on_models(["other"]))
        .with_certificate(
            ClientCertificate::of_der(b"der").subject(),
            Grant::everything(),
        );
    client(&testing::service(rules, Limits::default()))
}

fn question(model: &str, id: &str) -> ModelInferRequest {
    let raw: Vec<u8> = [1.0_f32, 2.0]
        .iter()
        .flat_map(|value| value.to_le_bytes())
        .collect();
    ModelInferRequest {
        model_name: model.to_owned(),
        id: id.to_owned(),
        inputs: vec![InferInputTensor {
            name: "input".to_owned(),
            datatype: "FP32".to_owned(),
            shape: vec![1, 2],
            ..InferInputTensor::default()
        }],
        raw_input_contents: vec![Bytes::from(raw)],
        ..ModelInferRequest::default()
    }
}

fn bearing<T>(token: &str, message: T) -> Request<T> {
    let mut request = Request::new(message);
    let value = format!("Bearer {token}").parse().unwrap();
    request.metadata_mut().insert("authorization", value);
    request
}

fn first_output(response: &ModelInferResponse) -> Vec<f32> {
    let (chunks, _) = response.raw_output_contents[0].as_chunks::<4>();
    chunks
        .iter()
        .map(|chunk| f32::from_le_bytes(*chunk))
        .collect()
}

/// The gRPC status with which the router answers a body that no client would send.
async fn status_of(path: &str, body: &[u8]) -> (Option<i32>, String) {
    let request = http::Request::post(path)
        .header("content-type", "application/grpc")
        .body(Body::from(body.to_vec()))
        .unwrap();
    let response = router(open()).call(request).await.unwrap();
    let header = |name| {
        response
            .headers()
            .get(name)
            .and_then(|value| value.to_str().ok())
    };
    let status = header("grpc-status").and_then(|value| value.parse().ok());
    (
        status,
        header("grpc-message").unwrap_or_default().to_owned(),
    )
}

fn framed(message: &[u8]) -> Vec<u8> {
    let len = u32::try_from(message.len()).unwrap();
    [&[0], &len.to_be_bytes()[..], message].concat()
}

#[tokio::test]
async fn a_question_is_answered_raw_under_its_id() {
    let response = client(&open())
        .model_infer(question("m", "42"))
        .await
        .unwrap()
        .into_inner();
    assert_eq!(
        (
            response.model_name.as_str(),
            response.model_version.as_str()
        ),
        ("m", "1")
    );
    assert_eq!(response.id, "42");
    assert_eq!(response.outputs[0].shape, [1, 2]);
    assert_eq!(response.outputs[0].datatype, "FP32");
    assert_eq!(first_output(&response), [2.0, 3.0]);
}

#[tokio::test]
async fn a_header_chooses_the_arm() {
    let service = open();
    let mut request = Request::new(question("m", ""));
    let metadata = request.metadata_mut();
    metadata.insert("grpc-timeout", "250m".parse().unwrap());
    metadata.insert("noops-arm", "challenger".parse().unwrap());
    metadata.insert("traceparent", "00-ab-cd-01".parse().unwrap());
    let answer = client(&service).model_infer(request).await.unwrap();
    assert_eq!(
        first_output(answer.get_ref()),
        [11.0, 12.0],
        "the challenger adds ten"
    );
}

#[tokio::test]
async fn a_deadline_of_the_client_is_kept() {
    let mut request = Request::new(question("stuck", ""));
    request
        .metadata_mut()
        .insert("grpc-timeout", "20m".parse().unwrap());
    let late = client(&open()).model_infer(request).await.unwrap_err();
    assert_eq!(late.code(), Code::DeadlineExceeded);
}

#[tokio::test]
async fn a_malformed_timeout_is_refused() {
    let mut request = Request::new(question("m", ""));
    request
        .metadata_mut()
        .insert("grpc-timeout", "soon".parse().unwrap());
    let refused = client(&open()).model_infer(request).await.unwrap_err();
    assert_eq!(refused.code(), Code::InvalidArgument);
}

#[tokio::test]
async fn the_server_describes_itself_and_its_models() {
    let mut client = client(&open());
    assert!(
        client
            .server_live(ServerLiveRequest {})
            .await
            .unwrap()
            .into_inner()
            .live
    );
    assert!(
        client
            .server_ready(ServerReadyRequest {})
            .await
            .unwrap()
            .into_inner()
            .ready
    );
    let server = client
        .server_metadata(ServerMetadataRequest {})
        .await
        .unwrap()
        .into_inner();
    assert!(!server.name.is_empty());
    let named = |name: &str| ModelMetadataRequest {
        name: name.to_owned(),
        version: String::new(),
    };
    let model = client
        .model_metadata(named("m"))
        .await
        .unwrap()
        .into_inner();
    assert_eq!(
        (
            model.inputs[0].datatype.as_str(),
            &model.inputs[0].shape[..]
        ),
        ("FP32", &[-1, 2][..])
    );
    let missing = client.model_metadata(named("nobody")).await.unwrap_err();
    assert_eq!(missing.code(), Code::NotFound);
    assert!(missing.message().contains("`nobody`"), "{missing}");
    let config = ModelConfigRequest {
        name: "m".to_owned(),
        version: "1".to_owned(),
    };
    let config = client
        .model_config(config)
        .await
        .unwrap()
        .into_inner()
        .config
        .unwrap();
    assert_eq!(config.name, "m");
    let all = client
        .model_statistics(ModelStatisticsRequest::default())
        .await
        .unwrap();
    assert_eq!(all.into_inner().model_stats[0].name, "m");
}

#[tokio::test]
async fn a_model_that_is_not_there_is_not_ready() {
    let mut client = client(&open());
    let named = |name: &str| ModelReadyRequest {
        name: name.to_owned(),
        version: String::new(),
    };
    assert!(
        client
            .model_ready(named("m"))
            .await
            .unwrap()
            .into_inner()
            .ready
    );
    assert!(
        !client
            .model_ready(named("nobody"))
            .await
            .unwrap()
            .into_inner()
            .ready
    );
}

#[tokio::test]
async fn the_repository_lists_loads_and_unloads() {
    let mut client = client(&open());
    let listed = |ready| RepositoryIndexRequest {
        ready,
        ..RepositoryIndexRequest::default()
    };
    let ready = client
        .repository_index(listed(true))
        .await
        .unwrap()
        .into_inner()
        .models;
    assert!(ready.iter().all(|model| model.state == "READY"));
    let all = client
        .repository_index(listed(false))
        .await
        .unwrap()
        .into_inner()
        .models;
    assert!(all.len() >= ready.len());
    let load = |name: &str| RepositoryModelLoadRequest {
        model_name: name.to_owned(),
        ..RepositoryModelLoadRequest::default()
    };
    client.repository_model_load(load("m")).await.unwrap();
    assert_eq!(
        client
            .repository_model_load(load("nobody"))
            .await
            .unwrap_err()
            .code(),
        Code::NotFound
    );
    let mut overridden = load("m");
    overridden
        .parameters
        .insert("config".to_owned(), ModelRepositoryParameter::default());
    assert_eq!(
        client
            .repository_model_load(overridden)
            .await
            .unwrap_err()
            .code(),
        Code::Unimplemented
    );
    let elsewhere = RepositoryModelLoadRequest {
        repository_name: "r".to_owned(),
        ..load("m")
    };
    assert_eq!(
        client
            .repository_model_load(elsewhere)
            .await
            .unwrap_err()
            .code(),
        Code::Unimplemented
    );
    let unload = RepositoryModelUnloadRequest {
        model_name: "m".to_owned(),
        parameters: [(
            "unload_dependents".to_owned(),
            ModelRepositoryParameter::default(),
        )]
        .into(),
        ..RepositoryModelUnloadRequest::default()
    };
    client.repository_model_unload(unload).await.unwrap();
}

#[tokio::test]
async fn the_standard_health_check_knows_the_one_service() {
    let mut client = HealthClient::new(router(open()));
    let of = |service: &str| HealthCheckRequest {
        service: service.to_owned(),
    };
    for service in ["", "inference.GRPCInferenceService"] {
        let health = client.check(of(service)).await.unwrap().into_inner();
        assert_eq!(health.status(), ServingStatus::Serving);
    }
    assert_eq!(
        client.check(of("nobody")).await.unwrap_err().code(),
        Code::NotFound
    );
}

#[tokio::test]
async fn health_is_open_and_everything_else_asks_who_calls() {
    let mut client = guarded();
    assert!(client.server_live(ServerLiveRequest {}).await.is_ok());
    assert!(client.server_ready(ServerReadyRequest {}).await.is_ok());
    let stranger = client
        .server_metadata(ServerMetadataRequest {})
        .await
        .unwrap_err();
    assert_eq!(stranger.code(), Code::Unauthenticated);
    let reader = client
        .model_infer(bearing("reader", question("m", "")))
        .await
        .unwrap_err();
    assert_eq!(reader.code(), Code::PermissionDenied);
    let other = client
        .model_infer(bearing("other", question("m", "")))
        .await
        .unwrap_err();
    assert_eq!(other.code(), Code::PermissionDenied);
    assert!(
        client
            .model_infer(bearing("all", question("m", "")))
            .await
            .is_ok()
    );
}

#[tokio::test]
async fn a_verified_certificate_is_as_good_as_a_token() {
    let mut request = Request::new(question("m", ""));
    request
        .extensions_mut()
        .insert(ClientCertificate::of_der(b"der"));
    assert!(guarded().model_infer(request).await.is_ok());
}

#[tokio::test]
async fn a_stranger_is_turned_away_before_the_message_is_read() {
    let mut message = question("m", "");
    message.raw_input_contents = Vec::new();
    let refused = guarded().model_infer(message).await.unwrap_err();
    assert_eq!(refused.code(), Code::Unauthenticated);
}

#[tokio::test]
async fn what_is_not_served_is_named() {
    for call in [
        "SystemSharedMemoryStatus",
        "CudaSharedMemoryRegister",
        "TraceSetting",
        "Nonsense",
    ] {
        let path = format!("/inference.GRPCInferenceService/{call}");
        let (status, message) = status_of(&path, &framed(&[])).await;
        assert_eq!(status, Some(Code::Unimplemented as i32));
        assert!(message.contains(call), "{message}");
    }
}

#[tokio::test]
async fn bytes_that_are_no_message_are_the_clients_fault() {
    let path = "/inference.GRPCInferenceService/ModelInfer";
    let bomb = [0x2a, 0].repeat(100_000);
    for message in [&[0x0a, 9, b'm'][..], &[0xff; 20], &[0x0a, 1, 0xff], &bomb] {
        let (status, text) = status_of(path, &framed(message)).await;
        assert_eq!(status, Some(Code::InvalidArgument as i32), "{text}");
    }
}

#[tokio::test]
async fn a_message_over_the_limit_is_refused() {
    let limits = Limits::default().with_max_body_bytes(60);
    let mut small = client(&testing::service(AccessRules::open(), limits));
    let mut message = question("m", "");
    assert!(small.model_infer(message.clone()).await.is_ok());
    message.id = "a".repeat(50);
    let refused = small.model_infer(message).await.unwrap_err();
    assert_eq!(refused.code(), Code::OutOfRange);
}

#[tokio::test(start_paused = true)]
async fn a_call_takes_no_longer_than_the_server_allows() {
    let limits = Limits::default().with_request_timeout(Duration::from_secs(3));
    let service = testing::service(AccessRules::open(), limits);
    let late = client(&service)
        .model_infer(question("stuck", ""))
        .await
        .unwrap_err();
    assert_eq!(late.code(), Code::DeadlineExceeded);
    assert_eq!(testing::at_work(&service), 0);
}

#[tokio::test]
async fn a_dropped_call_is_cancelled_and_leaves_the_next_one_alone() {
    let service = open();
    let mut client = client(&service);
    let mut dropped = Box::pin(client.model_infer(question("stuck", "")));
    let mut context = Context::from_waker(Waker::noop());
    assert!(matches!(dropped.as_mut().poll(&mut context), Poll::Pending));
    assert_eq!(testing::at_work(&service), 1);
    drop(dropped);
    assert_eq!(testing::at_work(&service), 0);
    assert!(client.model_infer(question("m", "")).await.is_ok());
}
