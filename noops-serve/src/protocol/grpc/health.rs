//! The standard health check.

use std::sync::Arc;

use tonic::{Request, Response, Status};

use super::generated::health::health_check_response::ServingStatus;
use super::generated::health::health_server;
use super::generated::health::{HealthCheckRequest, HealthCheckResponse};
use super::generated::inference::grpc_inference_service_server::SERVICE_NAME;
use crate::protocol::service::Service;

/// Answers for the whole server, and for the one service that it has: whether it is ready.
#[derive(Debug)]
pub(super) struct Health {
    service: Arc<Service>,
}

impl Health {
    pub(super) fn new(service: Arc<Service>) -> Self {
        Self { service }
    }
}

#[tonic::async_trait]
impl health_server::Health for Health {
    async fn check(
        &self,
        request: Request<HealthCheckRequest>,
    ) -> Result<Response<HealthCheckResponse>, Status> {
        let service = request.into_inner().service;
        if !service.is_empty() && service != SERVICE_NAME {
            return Err(Status::not_found(format!(
                "there is no service of that name; ask for `{SERVICE_NAME}`"
            )));
        }
        let status = if self.service.ready() {
            ServingStatus::Serving
        } else {
            ServingStatus::NotServing
        };
        Ok(Response::new(HealthCheckResponse {
            status: status.into(),
        }))
    }
}
