//! Why a model answered as it did.
//!
//! | question | use | cost in rows scored |
//! | --- | --- | --- |
//! | which features does the model lean on, over a whole data set? | [`PermutationImportance`] | groups × repeats × rows |
//! | how much did each of up to sixteen features add to this answer? | [`ExactShapley`] | 2^groups × background |
//! | the same for more features, within an error | [`SampledShapley`] | 2 (groups − 1) × background a round |
//!
//! All of them see a model as a function from a [`Batch`](noops_core::Batch) to one number a row; [`score_of`] makes one of an
//! [`Executor`](noops_core::Executor). Integrated gradients, for what burn can differentiate, come with the feature `explain`.

mod coverage;
mod explanation;
mod groups;
#[cfg(feature = "explain")]
mod integrated_gradients;
mod model;
mod permutation;
mod shapley;

pub use self::coverage::{CoverageCounts, ExplanationCoverage};
pub use self::explanation::{Attribution, Explanation, Method};
pub use self::groups::FeatureGroups;
#[cfg(feature = "explain")]
pub use self::integrated_gradients::{IntegratedGradients, Quadrature};
pub use self::model::score_of;
pub use self::permutation::{Better, Importance, Importances, PermutationImportance};
pub use self::shapley::{ExactShapley, SampledShapley};
