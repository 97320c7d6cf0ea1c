//! Methods that look at several columns at once, and so see what no single column shows: that columns which used to move
//! together no longer do.
//!
//! | method | sees | cost | merges |
//! |---|---|---|---|
//! | [`RandomFourierMmd`] | any change, at the scale of its bandwidth | O(n D) | exactly |
//! | [`EnergyTest`] | any change | O(n²) | no |
//! | [`SlicedWasserstein`] | any change that some direction shows | O(n log n) per direction | no |
//! | [`PrincipalComponents`] | changes of linear dependence | O(n d k) | no |
//! | [`DomainClassifier`] | what a classifier can learn | as the classifier | no |
//!
//! All take rows of numbers as a [`Matrix`](crate::Matrix). The domain classifier takes them as they are, a NaN being a value
//! like any other. The others measure in standard deviations and leave out rows that hold a NaN or an infinity: a jump in
//! what is missing is no drift to them, and shows only as fewer rows that took part.

mod domain_classifier;
mod energy_test;
mod mmd;
mod permutation;
mod principal_components;
mod projection;
mod random;
mod rows;
mod sample;
mod scaler;
mod sliced_wasserstein;
mod symmetric_eigen;
#[cfg(test)]
mod tests;
mod welch;

pub use self::domain_classifier::{
    ColumnShare, DomainClassification, DomainClassifier, DomainClassifierSettings,
};
pub use self::energy_test::EnergyTest;
pub use self::mmd::{MeanEmbedding, MmdSettings, RandomFourierMmd};
pub use self::permutation::PermutationSettings;
pub use self::principal_components::{PrincipalComponents, PrincipalComponentsSettings};
pub use self::sliced_wasserstein::{SlicedWasserstein, SlicedWassersteinSettings};
