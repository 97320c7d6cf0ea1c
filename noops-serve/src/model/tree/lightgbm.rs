//! What LightGBM writes.

mod header;
mod objective;
mod sections;
mod tree;

use std::num::NonZeroUsize;

use noops_core::Error;

use super::accumulate::{Aggregate, Precision};
use super::builder::{ForestBuilder, corrupt};
use super::executor::TreeModel;

pub(super) fn from_text(bytes: &[u8]) -> Result<TreeModel, Error> {
    let text = std::str::from_utf8(bytes)
        .map_err(|error| corrupt("the bytes are not text").caused_by(error))?;
    let mut sections = sections::of(text)?;
    let header = header::Header::read(&sections.header)?;
    let mut builder = ForestBuilder::new(header.features, header.outputs)?
        .with_precision(Precision::Double)
        .with_transform(header.transform);
    if header.average {
        let rounds = NonZeroUsize::new(sections.trees.len() / header.outputs);
        builder = builder
            .with_aggregate(Aggregate::Average)
            .with_rounds(rounds.unwrap_or(NonZeroUsize::MIN));
    }
    if sections.trees.len() % header.outputs != 0 {
        return Err(corrupt("the last round is not whole").with("trees", sections.trees.len()));
    }
    for (index, section) in sections.trees.drain(..).enumerate() {
        let nodes = tree::nodes(&section, index % header.outputs);
        builder.tree(nodes.map_err(|error| error.with("tree", index))?)?;
    }
    let model = TreeModel::new(builder.build()?);
    if header.names.is_empty() {
        return Ok(model);
    }
    model.with_feature_names(header.names)
}

#[cfg(test)]
mod tests;
