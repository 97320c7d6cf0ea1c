//! Messages of gRPC as the types that both transports share, and back.

mod config;
mod contents;
mod description;
mod parameter;
mod request;
mod response;
mod status;

pub(super) use config::model_config;
pub(super) use description::{model_metadata, model_statistics, repository_index, server_metadata};
pub(super) use request::infer_request;
pub(super) use response::infer_response;
pub(super) use status::{brief, status};

#[cfg(test)]
mod tests;
