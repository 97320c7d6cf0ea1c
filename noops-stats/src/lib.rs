#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

mod multiplicity;
mod random;
pub mod special;
pub mod two_sample;

pub use multiplicity::{
    benjamini_hochberg, benjamini_yekutieli, bonferroni, e_benjamini_hochberg, holm,
};
pub use random::SplitMix64;
pub use two_sample::SortedSample;
