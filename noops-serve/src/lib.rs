#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

#[cfg(feature = "burn")]
mod burn;
mod control;
mod runtime;

#[cfg(feature = "burn")]
pub use burn::{BurnExecutor, Inputs};
pub use control::{
    Acted, Champion, Components, ControlSettings, ControlState, Controller, DriftSummary, Entry,
    Evidence, Experiment, JudgeSettings, PolicyDocument, Reference, Start, Subject, TrainingJob,
    Verified, VerifyError, fact_schema, verify_decisions,
};
pub use runtime::{
    AnsweredBy, Deployment, DeploymentSettings, Dropped, Exposure, ExposureOutcome, Prediction,
    Refusal, Reply, Request, ServedModel, ShadowScore,
};
