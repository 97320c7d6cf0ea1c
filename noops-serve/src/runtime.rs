//! Predicting: from a request to an answer, with everything else beside the path.

mod combiner;
mod deployment;
mod exposure;
mod outbox;
mod request;
mod served;
mod shadow;
#[cfg(test)]
mod testing;

pub use deployment::{Deployment, DeploymentSettings, Dropped};
pub use exposure::{AnsweredBy, Exposure, ExposureOutcome};
pub use request::{Prediction, Refusal, Reply, Request};
pub use served::ServedModel;
pub use shadow::ShadowScore;
