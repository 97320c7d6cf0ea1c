//! The Open Inference Protocol: its types, and its transports where the features `http` and `grpc` ask for them.

mod access;
mod error;
mod infer;
#[cfg(feature = "http")]
mod mapping;
mod metadata;
mod parameter;
mod repository;
#[cfg(feature = "http")]
mod service;
mod statistics;
mod tensor;
#[cfg(feature = "http")]
#[cfg(test)]
mod testing;

#[cfg(feature = "http")]
pub mod binary;
#[cfg(feature = "grpc")]
pub mod grpc;
#[cfg(feature = "http")]
pub mod http;
#[cfg(feature = "http")]
pub mod json;

pub use access::{AccessRules, Arrival, ClientCertificate, Credentials, Grant, Limits, Verb};
pub use error::{Code, ProtocolError};
pub use infer::{InferRequest, InferResponse, InputTensor, RequestedOutput};
pub use metadata::{ModelMetadata, ServerMetadata, TensorMetadata};
pub use parameter::{Parameter, Parameters};
pub use repository::{ModelState, ReadyOnly, RepositoryEntry};
#[cfg(feature = "http")]
pub use service::{Repository, Service};
pub use statistics::{BatchStatistics, DurationCount, InferenceStatistics, ModelStatistics};
pub use tensor::{DataType, Tensor, TensorData};
