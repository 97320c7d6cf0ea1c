//! Shapley values of a prediction, with the features left out taken from background rows (the interventional game).
//!
//! For a row x, a background b₁…bₙ and a coalition S of groups, `v(S)` is the mean over the background of the model's answer to the
//! row that has x's values in S and bⱼ's elsewhere. A group's Shapley value is the mean, over all orders of the groups, of what it
//! adds to `v` when it joins those before it (Shapley, 1953; Lundberg and Lee, 2017; Janzing, Minorics and Blöbaum, 2020).

mod exact;
mod sampled;

pub use self::exact::ExactShapley;
pub use self::sampled::SampledShapley;
