//! What XGBoost writes.

mod document;
mod json;
mod model;
mod objective;
mod tree;
mod ubj;

use noops_core::Error;

use super::executor::TreeModel;

pub(super) fn from_json(bytes: &[u8]) -> Result<TreeModel, Error> {
    model::read(&json::read(bytes)?)
}

pub(super) fn from_ubj(bytes: &[u8]) -> Result<TreeModel, Error> {
    model::read(&ubj::read(bytes)?)
}

#[cfg(test)]
mod tests;
