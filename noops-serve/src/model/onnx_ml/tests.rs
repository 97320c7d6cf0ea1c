//! The exports against ONNX Runtime, and hostile files.

mod exports;
mod hostile;
