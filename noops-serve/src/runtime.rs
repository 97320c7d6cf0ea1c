//! Predicting: from a request to an answer, with everything else beside the path.

mod cost;
mod deployment;
mod exposure;
mod host;
mod meter;
mod outbox;
mod queue;
mod request;
mod served;
mod shadow;
mod slot;
mod sync;
#[cfg(test)]
pub(crate) mod testing;

pub use deployment::{Constant, Deployment, DeploymentSettings, Dropped, Fallback};
pub use exposure::{AnsweredBy, Exposure, ExposureOutcome};
pub use host::Runtime;
pub use request::{Prediction, Priority, Refusal, Reply, Request};
pub use served::{BatchCost, Call, Scored, ServedModel, ServingSettings};
pub use shadow::ShadowScore;
