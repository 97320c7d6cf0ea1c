//! What all benchmarks share: their settings and their seeded inputs.
//!
//! ```
//! use noops_benches::SplitMix64;
//!
//! assert_eq!(SplitMix64::new(7).numbers(3), SplitMix64::new(7).numbers(3));
//! ```

mod as_of;
mod folder;
mod frames;
mod percentile;
mod perceptron;
mod poll;
mod read;
mod registrations;
mod settings;
mod splitmix;
mod wide;

pub use as_of::{AsOfOracle, AsOfWorkload};
pub use folder::Folder;
pub use frames::{column_name, frame, normal_numbers, reference_numbers};
pub use percentile::microseconds;
pub use perceptron::{
    PERCEPTRON_FEATURES, perceptron, perceptron_batch, perceptron_feature, perceptron_version,
};
pub use poll::poll_once;
pub use read::{read_batch, read_f32, read_f64};
pub use registrations::{fill_registry, registration};
pub use settings::criterion;
pub use splitmix::SplitMix64;
pub use wide::{WIDE_FEATURES, wide_entity, wide_rows, wide_values, wide_view};
