#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

#[cfg(feature = "burn")]
mod burn;
mod control;
pub mod explain;
pub mod model;
pub mod protocol;
#[cfg(feature = "remote")]
pub mod remote;
pub mod routing;
mod runtime;
pub mod scale;
pub mod telemetry;

#[cfg(feature = "burn")]
pub use burn::{BurnExecutor, Inputs};
pub use control::{
    Acted, Champion, Components, ControlSettings, ControlState, Controller, DriftSummary, Entry,
    Evidence, Experiment, JudgeSettings, PolicyDocument, Reference, Start, Subject, TrainingJob,
    Verified, VerifyError, fact_schema, verify_decisions,
};
pub use runtime::{
    AnsweredBy, BatchCost, Call, Constant, Deployment, DeploymentSettings, Dropped, Exposure,
    ExposureOutcome, Fallback, Prediction, Priority, Refusal, Reply, Request, Runtime, Scored,
    ServedModel, ServingSettings, ShadowScore,
};
