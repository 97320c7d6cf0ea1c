//! Models that the runtime can run.
//!
//! | a file of | is run by | needs the feature |
//! | --- | --- | --- |
//! | XGBoost (JSON or UBJSON), LightGBM (text) | [`tree::TreeModel`] | |
//! | ONNX with classical operators, as scikit-learn exports it | [`onnx_ml::OnnxMlModel`] | |
//! | safetensors with a small network | [`mlp::Mlp`] | |
//! | burnpack with a small network | [`mlp::Mlp`] | `burn` |
//! | ONNX with a neural network | `tract::TractModel` | `onnx` |
//! | ONNX, by an ONNX Runtime of the machine | `ort::OrtModel` | `ort` |
//!
//! Each is an [`Executor`](noops_core::Executor), and so is whatever a host writes itself.

#[cfg(any(feature = "onnx", feature = "ort"))]
mod batching;
pub mod file;
pub mod mlp;
pub mod onnx_ml;
#[cfg(feature = "ort")]
pub mod ort;
#[cfg(feature = "onnx")]
pub mod tract;
pub mod tree;
pub mod weights;
