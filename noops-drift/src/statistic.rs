//! Two-sample statistics with a calibrated verdict: from counts over the same cells, or from sorted samples.
//!
//! Every function takes the reference, the current data and [`TestSettings`], and answers with a [`Comparison`]: the
//! statistic, how surprising it is for both numbers of rows, the value beyond which it is drift, and the smallest shift
//! that would have shown. Which one to take:
//!
//! | the data are | the question | function |
//! |---|---|---|
//! | counts of bins or categories | has anything moved? | [`psi`], [`jensen_shannon_distance`], [`chi_square_homogeneity`], [`g_test`] |
//! | counts of bins or categories | how far, from 0 to 1? | [`hellinger`], [`total_variation`], [`cramers_v`] |
//! | counts of ordered bins | what can the exact distance of distribution functions be? | [`binned_ks`] |
//! | numbers | has anything moved? | [`ks_two_sample`], [`anderson_darling`], [`cramer_von_mises`], [`energy_distance`] |
//! | numbers on a circle, such as hours | has anything moved? | [`kuiper`] |
//! | numbers | how far, in their own unit? | [`wasserstein`] |
//! | numbers | do they tend to be larger? | [`mann_whitney`] |

pub(crate) mod comparison;
pub(crate) mod counted;
mod log_base;
pub(crate) mod sampled;
pub(crate) mod settings;
#[cfg(test)]
mod tests;

pub use self::comparison::{Comparison, Method, Verdict};
pub use self::counted::{
    Bracket, binned_ks, chi_square_homogeneity, cramers_v, g_test, hellinger,
    jensen_shannon_distance, jensen_shannon_divergence, kullback_leibler, psi, total_variation,
};
pub(crate) use self::counted::{Occurrence, equal_rates_p_value};
pub use self::log_base::LogBase;
pub use self::sampled::{
    Scale, SortedSample, WassersteinSettings, anderson_darling, anderson_darling_k,
    cramer_von_mises, energy_distance, ks_two_sample, kuiper, mann_whitney, wasserstein,
};
pub use self::settings::TestSettings;
