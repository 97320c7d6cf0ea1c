//! What all benchmarks share: their settings and their seeded inputs.
//!
//! ```
//! use noops_benches::SplitMix64;
//!
//! assert_eq!(SplitMix64::new(7).numbers(3), SplitMix64::new(7).numbers(3));
//! ```

mod settings;
mod splitmix;

pub use settings::criterion;
pub use splitmix::SplitMix64;
