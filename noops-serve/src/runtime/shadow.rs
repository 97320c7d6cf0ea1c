//! Copies of requests for models that did not answer them.

use std::sync::Arc;

use noops_canary::Arm;
use noops_core::Digest;
use serde::{Deserialize, Serialize};

use super::request::Input;
use super::served::ServedModel;

/// Rows to be scored by a model that did not answer them. Checking them against its contract is left for later too.
#[derive(Debug)]
pub(crate) struct ShadowCopy {
    pub(crate) input: Input,
    /// The rows of the request that are meant, in order, each with its id.
    pub(crate) rows: Vec<(usize, String)>,
    pub(crate) arm: Arm,
    /// Pinned when the request came, so that a copy never reaches a version that was not deployed then.
    pub(crate) model: Arc<ServedModel>,
}

impl ShadowCopy {
    /// What the model would have said of the rows that it can read.
    pub(crate) fn score(self) -> Vec<ShadowScore> {
        let Ok(encoded) = self.input.encode(self.model.contract()) else {
            return Vec::new();
        };
        let accepted = encoded.accepted();
        let (places, ids): (Vec<usize>, Vec<String>) = self
            .rows
            .into_iter()
            .filter_map(|(row, id)| Some((accepted.binary_search(&row).ok()?, id)))
            .unzip();
        let scores = if places.len() == accepted.len() {
            self.model.score_rows_now(encoded.batch())
        } else {
            self.model.score_rows_now(&encoded.batch().take(&places))
        };
        let mut scores = scores.ok().map(Vec::into_iter);
        let scored = ids.into_iter().map(|request| ShadowScore {
            request,
            arm: self.arm,
            version: self.model.digest(),
            score: scores.as_mut().and_then(Iterator::next).flatten(),
        });
        scored.collect()
    }
}

/// What a model that did not answer would have said.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ShadowScore {
    /// The id of the row.
    pub request: String,
    /// The arm that was asked; a shadow stands where a challenger does.
    pub arm: Arm,
    /// The version of that arm.
    pub version: Digest,
    /// The first number of the output; `None` when the model failed.
    pub score: Option<f32>,
}
