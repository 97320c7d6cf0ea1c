//! Statistics of two samples, value by value. Samples are sorted once and compared often.

mod anderson_darling;
mod cramer_von_mises;
mod energy;
mod kolmogorov_smirnov;
mod kuiper;
pub(crate) mod laws;
mod mann_whitney;
mod sizes;
#[cfg(test)]
mod tests;
mod tolerated;
mod wasserstein;

pub use noops_stats::SortedSample;

pub use self::anderson_darling::{anderson_darling, anderson_darling_k};
pub use self::cramer_von_mises::cramer_von_mises;
pub use self::energy::energy_distance;
pub use self::kolmogorov_smirnov::ks_two_sample;
pub use self::kuiper::kuiper;
pub use self::mann_whitney::mann_whitney;
pub use self::wasserstein::{Scale, WassersteinSettings, wasserstein};
