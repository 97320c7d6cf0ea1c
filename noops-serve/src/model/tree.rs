//! Ensembles of decision trees, in plain Rust and without the library that trained them.
//!
//! [`TreeModel`] reads what XGBoost (JSON, UBJSON) and LightGBM (text) write. [`ForestBuilder`] takes trees from any other source.
//! Both compile into a [`Forest`], which is immutable and scores rows on one thread.

mod accumulate;
mod builder;
mod check;
mod ensemble;
mod executor;
mod lightgbm;
mod linked;
mod perfect;
mod split;
#[cfg(test)]
mod testing;
mod transform;
mod xgboost;

pub use accumulate::{Aggregate, Precision};
pub use builder::ForestBuilder;
pub use ensemble::{Forest, Scratch};
pub use executor::TreeModel;
pub use split::{Branch, Comparison, Split, TreeNode, Weight};
pub use transform::PostTransform;
