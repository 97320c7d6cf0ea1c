//! Tests that stay valid however often they are looked at, and the designs of those who look on a schedule.
//!
//! | the data | use |
//! | --- | --- |
//! | events of two arms whose shares change | [`RateComparison`] |
//! | a bounded number per request, two arms whose shares change | [`MeanDifference`] |
//! | events of two arms at one share | [`CountMixture`] |
//! | requests of several arms: did they get their shares? | [`SampleRatioMismatch`], [`RampedSampleRatio`] |
//! | yes or no of both models on the same requests | [`SequentialMcNemar`], [`SequentialSign`] |
//! | one proportion | [`BernoulliSequence`] |
//! | one bounded mean | [`BoundedMean`] (narrowest), [`EmpiricalBernstein`] (cheapest) |
//! | one mean or two, unbounded, many observations | [`AsymptoticSequence`], [`MixtureSprt`]: asymptotic |
//! | one quantile, or one in two arms | [`QuantileSequence`], [`QuantileComparison`] |
//! | whole distributions | [`DistributionBand`] |
//! | looks on a schedule | [`GroupSequential`] |
//! | a process of one's own | the boundaries: [`NormalMixture`], [`GammaExponential`], [`GammaPoisson`], [`PolyStitching`] |

mod allocation;
mod asymptotic;
mod boundary;
mod bounded_mean;
mod counts;
mod distribution;
mod empirical_bernstein;
mod group_sequential;
mod m_sprt;
mod mean_difference;
mod mean_limit;
mod mixture;
mod ordered;
mod pairs;
mod proportion;
mod quantile;
mod quantile_comparison;
mod rate_comparison;
mod running_moments;

pub use self::allocation::{
    AllocationSettings, ArmAllocation, RampedSampleRatio, SampleRatioMismatch, SampleRatioTest,
    SampleRatioVerdict, srm_chi_square,
};
pub use self::asymptotic::AsymptoticSequence;
pub use self::boundary::{
    DoubleStitching, GammaExponential, GammaPoisson, NormalMixture, PolyStitching, ProcessLil,
};
pub use self::bounded_mean::BoundedMean;
pub use self::counts::{Concentration, Concentrations, CountMixture, CountSettings};
pub use self::distribution::DistributionBand;
pub use self::empirical_bernstein::EmpiricalBernstein;
pub use self::group_sequential::{
    AdjustedEstimate, GroupSequential, GroupSequentialBoundary, LookDecision, LookOutcome, Sides,
    SpendingFunction,
};
pub use self::m_sprt::MixtureSprt;
pub(crate) use self::mean_difference::GRID as MEAN_GRID;
pub use self::mean_difference::MeanDifference;
pub use self::mean_limit::MeanLimit;
pub(crate) use self::mixture::log_sum_exp;
pub use self::pairs::{PairSettings, PairedResult, SequentialMcNemar, SequentialSign};
pub use self::proportion::BernoulliSequence;
pub use self::quantile::QuantileSequence;
pub use self::quantile_comparison::QuantileComparison;
pub(crate) use self::rate_comparison::GRID as RATE_GRID;
pub use self::rate_comparison::RateComparison;
