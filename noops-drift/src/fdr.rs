//! Many tests, one stated error rate: corrections for a batch of tests, and for tests that come one by one without end.
//!
//! | what you have | what you know of the dependence | use |
//! |---|---|---|
//! | a batch of p-values, no false rejection wanted | nothing | [`holm`] |
//! | a batch of p-values, few false ones among the rejected | independent or positive | [`benjamini_hochberg`] |
//! | the same | nothing | [`benjamini_yekutieli`] |
//! | a batch of e-values | nothing | [`e_benjamini_hochberg`] |
//! | a stream of p-values | independent | [`Lond`], [`LordPlusPlus`], [`Saffron`], [`Addis`] |
//! | a stream of e-values | nothing | [`ELond`] |

mod addis;
mod e_lond;
mod lond;
mod lord;
mod online;
mod saffron;
mod sequence;
#[cfg(test)]
mod tests;
mod wealth;

pub use noops_stats::{
    benjamini_hochberg, benjamini_yekutieli, bonferroni, e_benjamini_hochberg, holm,
};

pub use self::addis::Addis;
pub use self::e_lond::ELond;
pub use self::lond::Lond;
pub use self::lord::LordPlusPlus;
pub use self::online::{Discovery, OnlineFdr};
pub use self::saffron::Saffron;
