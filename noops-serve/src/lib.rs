#![doc = include_str!("../README.md")]

#[cfg(feature = "burn")]
mod burn;
mod runtime;

#[cfg(feature = "burn")]
pub use burn::{BurnExecutor, Inputs};
pub use runtime::{
    AnsweredBy, Deployment, DeploymentSettings, Dropped, Exposure, ExposureOutcome, Prediction,
    Refusal, Reply, Request, ServedModel, ShadowScore,
};
