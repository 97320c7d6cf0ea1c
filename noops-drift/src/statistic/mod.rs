mod cells;
mod chi_square;
mod comparison;
mod distribution;
mod jensen_shannon;
mod kolmogorov;
mod kolmogorov_smirnov;
mod psi;
#[cfg(test)]
mod tests;

pub use self::chi_square::chi_square_homogeneity;
pub use self::comparison::{Comparison, Method, Verdict};
pub(crate) use self::distribution::binomial_sf;
pub use self::jensen_shannon::jensen_shannon_distance;
pub use self::kolmogorov_smirnov::ks_two_sample;
pub use self::psi::{PsiSettings, psi};
