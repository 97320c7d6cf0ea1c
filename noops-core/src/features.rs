//! Where features come from, as of a moment.

use std::fmt::Debug;

use arrow_array::RecordBatch;
use async_trait::async_trait;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::digest::Digest;
use crate::error::Error;

/// The definition of a set of features: what is computed, from what, over which windows.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FeatureView {
    name: String,
    definition: String,
}

impl FeatureView {
    /// A view with a definition: any text that changes when the meaning of a feature changes.
    #[must_use]
    pub fn new(name: impl Into<String>, definition: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            definition: definition.into(),
        }
    }

    /// The name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The version: the digest of name and definition.
    #[must_use]
    pub fn version(&self) -> Digest {
        Digest::of_parts([self.name.as_bytes(), self.definition.as_bytes()])
    }
}

/// A source of features for training and for serving, by one function for both.
///
/// # Contract
///
/// * `as_of` MUST return exactly one row per entity row, in order; a feature without a value is null.
/// * The row for an entity at time t MUST depend only on what was *known* at t, not merely on what had happened by then: a
///   value that arrives later, however old its event, MUST NOT change an answer for an earlier t.
/// * Serving calls it with the current time, training with past times; both MUST get the same answer for the same t.
#[async_trait]
pub trait FeatureSource: Debug + Send + Sync + 'static {
    /// The definition of the features.
    fn view(&self) -> &FeatureView;

    /// The features of each entity as of its time. `times` has one entry per row of `entities`.
    async fn as_of(
        &self,
        entities: &RecordBatch,
        times: &[Timestamp],
    ) -> Result<RecordBatch, Error>;
}
