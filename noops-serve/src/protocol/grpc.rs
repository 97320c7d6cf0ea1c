//! The Open Inference Protocol over gRPC, with the calls of Triton that its clients make.
//!
//! Served are `ServerLive`, `ServerReady`, `ModelReady`, `ServerMetadata`, `ModelMetadata`, `ModelInfer`, `ModelStreamInfer`,
//! `ModelConfig`, `ModelStatistics`, `RepositoryIndex`, `RepositoryModelLoad` and `RepositoryModelUnload` of
//! `inference.GRPCInferenceService`, and `Check` of `grpc.health.v1.Health`. Shared memory, tracing and logging answer
//! `UNIMPLEMENTED`.
//!
//! Inputs are raw or typed; outputs are always raw, as Triton's are. Dropping a call, which is what a transport does when its
//! client goes away, cancels it.

use std::sync::Arc;

use axum::Router;
use prost::Message;
use prost::bytes::Bytes;

use self::door::Door;
use self::generated::health::health_server::HealthServer;
use self::generated::inference::ModelInferRequest;
use self::generated::inference::grpc_inference_service_server::GrpcInferenceServiceServer;
use self::health::Health;
use self::service::Inference;
use super::error::ProtocolError;
use super::infer::InferRequest;
use super::service::Service;

mod arrival;
mod codec;
mod convert;
mod door;
mod generated;
mod health;
mod service;
mod stream;
mod wire;

/// The largest message of a call that nobody needs a credential for, in bytes.
const SMALL: usize = 4 << 10;

#[cfg(test)]
mod tests;

/// The gRPC services of a server, to be merged into whatever router answers on its port.
///
/// Only the paths of the two services are routed, so the host's own fallback stays its own. The transport must speak HTTP/2.
///
/// Credentials come from `authorization: Bearer …`, and from the [`ClientCertificate`](super::ClientCertificate) that a transport
/// has put into the request's extensions. They are checked before a message is read, and again once the model is known. `grpc-timeout`, `noops-arm` and `traceparent` are understood. A message may be as large as
/// [`Limits::max_body_bytes`](super::Limits::max_body_bytes) and a unary call may take
/// [`Limits::request_timeout`](super::Limits::request_timeout), in which its message must have arrived.
pub fn router(service: Arc<Service>) -> Router {
    let largest = service.limits().max_body_bytes();
    let inference = |largest| {
        let calls = GrpcInferenceServiceServer::new(Inference::new(Arc::clone(&service)));
        let calls = calls.max_decoding_message_size(largest);
        Door::new(calls, Arc::clone(&service))
    };
    let health =
        HealthServer::new(Health::new(Arc::clone(&service))).max_decoding_message_size(SMALL);
    Router::new()
        .route_service("/inference.GRPCInferenceService/{call}", inference(largest))
        .route_service(
            "/inference.GRPCInferenceService/ServerLive",
            inference(SMALL),
        )
        .route_service(
            "/inference.GRPCInferenceService/ServerReady",
            inference(SMALL),
        )
        .route_service("/grpc.health.v1.Health/{call}", Door::new(health, service))
}

/// Reads the bytes of a `ModelInferRequest`, without the five bytes that frame it on a connection.
///
/// # Errors
///
/// Refuses bytes that are no such message, more tensors than the protocol has a use for, both raw and typed contents, contents
/// that do not fill the shape or fit the datatype, and negative dimensions.
///
/// # Complexity
///
/// Linear in the bytes.
///
/// # Examples
///
/// ```
/// use noops_serve::protocol::grpc;
///
/// let request = grpc::decode_infer_request(b"\x0a\x05churn")?;
/// assert_eq!(request.model(), "churn");
/// assert!(grpc::decode_infer_request(b"\x0a\x05chu").is_err());
/// # Ok::<(), noops_serve::protocol::ProtocolError>(())
/// ```
pub fn decode_infer_request(bytes: &[u8]) -> Result<InferRequest, ProtocolError> {
    wire::check(bytes)?;
    let message = ModelInferRequest::decode(Bytes::copy_from_slice(bytes))
        .map_err(|error| wire::malformed(&error))?;
    convert::infer_request(message)
}
