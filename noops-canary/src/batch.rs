//! Tests of fixed size: decided on once, with the whole sample.
//!
//! | the data | the question | use |
//! | --- | --- | --- |
//! | a number per unit, two arms | do the means differ? | [`welch_t_test`] |
//! | a number per unit, both models | does the mean difference? | [`paired_t_test`] |
//! | a number per unit, two arms | does one tend to be larger? | [`mann_whitney`], [`brunner_munzel`] where the spreads differ |
//! | the same | by how much? | [`hodges_lehmann`] |
//! | a number per unit, both models | does one tend to be larger? | [`wilcoxon_signed_rank`] |
//! | yes or no per unit, two arms | do the rates differ? | [`two_proportions`], [`fisher_exact`] for few |
//! | yes or no per unit, both models | does one have more? | [`mc_nemar`] |
//! | yes or no per unit, arms and strata | do the rates differ inside the strata? | [`mantel_haenszel`] |
//! | one of several answers | do the shares differ? | [`chi_square`] |
//! | a number per unit, two arms | do the distributions differ anywhere? | [`kolmogorov_smirnov`] |
//! | anything, exchangeable | does this statistic differ? | [`permutation_test`], and by whole units with [`Clusters`] |
//! | anything | how large is this statistic? | [`bootstrap`] |
//!
//! Each that has a margin has a form that proves non-inferiority and one that proves equivalence (two one-sided tests). Corrections for many
//! tests are at the end of the list. To look more than once, use what is in [`sequential`](crate::sequential).

mod bootstrap;
mod brunner_munzel;
mod chi_square;
mod clusters;
mod cuped;
mod fisher;
mod kolmogorov_smirnov;
mod mann_whitney;
mod mantel_haenszel;
mod mc_nemar;
pub(crate) mod method;
pub(crate) mod outcome;
mod paired_t;
mod pairwise;
mod permutation;
mod proportions;
mod rank_law;
#[cfg(test)]
mod rank_oracle;
#[cfg(test)]
mod reference;
pub(crate) mod sample;
pub(crate) mod settings;
mod studentised;
mod welch;
mod wilcoxon;

pub use noops_stats::{
    benjamini_hochberg, benjamini_yekutieli, bonferroni, e_benjamini_hochberg, holm,
};

pub use self::bootstrap::{
    BootstrapInterval, BootstrapSettings, BootstrapStatistic, bootstrap, bootstrap_by,
    cluster_bootstrap,
};
pub use self::brunner_munzel::{
    brunner_munzel, brunner_munzel_equivalence, brunner_munzel_non_inferiority,
};
pub use self::chi_square::chi_square;
pub use self::clusters::Clusters;
pub use self::cuped::Cuped;
pub use self::fisher::fisher_exact;
pub use self::kolmogorov_smirnov::kolmogorov_smirnov;
pub use self::mann_whitney::{
    hodges_lehmann, mann_whitney, mann_whitney_equivalence, mann_whitney_non_inferiority,
};
pub use self::mantel_haenszel::{
    Stratum, mantel_haenszel, mantel_haenszel_difference, mantel_haenszel_non_inferiority,
};
pub use self::mc_nemar::{
    PairedTable, mc_nemar, mc_nemar_difference, mc_nemar_equivalence, mc_nemar_non_inferiority,
};
pub use self::method::Method;
pub use self::outcome::{Effect, EffectKind, TestOutcome};
pub use self::paired_t::{paired_t_equivalence, paired_t_non_inferiority, paired_t_test};
pub use self::permutation::{
    PermutationSettings, PermutationStatistic, cluster_permutation_test, paired_permutation_test,
    permutation_test,
};
pub use self::proportions::{
    Proportion, two_proportions, two_proportions_equivalence, two_proportions_non_inferiority,
};
pub use self::settings::{Alternative, Margin, TestSettings};
pub use self::welch::{welch_equivalence, welch_non_inferiority, welch_t_test};
pub use self::wilcoxon::{wilcoxon_equivalence, wilcoxon_non_inferiority, wilcoxon_signed_rank};
