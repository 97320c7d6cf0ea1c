//! Copies of requests for the model that did not answer them.

use std::sync::Arc;

use noops_canary::Arm;
use noops_core::{Batch, Digest};
use serde::{Deserialize, Serialize};

use super::served::ServedModel;

/// Rows to be scored by the arm that did not answer them.
#[derive(Debug)]
pub(crate) struct ShadowCopy {
    pub(crate) ids: Vec<String>,
    pub(crate) batch: Batch,
    pub(crate) arm: Arm,
    /// Pinned when the request came, so that a copy never reaches a version that was not deployed then.
    pub(crate) model: Arc<ServedModel>,
}

/// What the arm that did not answer would have said.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ShadowScore {
    /// The id of the row.
    pub request: String,
    /// The arm that was asked.
    pub arm: Arm,
    /// The version of that arm.
    pub version: Digest,
    /// The first number of the output; `None` when the model failed.
    pub score: Option<f32>,
}
