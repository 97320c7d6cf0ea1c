mod cells;
mod chi_square;
mod comparison;
mod delta;
mod distribution;
mod equal_rates;
mod jensen_shannon;
mod kolmogorov;
mod kolmogorov_smirnov;
mod psi;
#[cfg(test)]
mod tests;

pub use self::chi_square::chi_square_homogeneity;
pub use self::comparison::{Comparison, Method, Verdict};
pub(crate) use self::distribution::binomial_sf;
pub(crate) use self::equal_rates::{Occurrence, equal_rates_p_value};
pub use self::jensen_shannon::jensen_shannon_distance;
pub use self::kolmogorov_smirnov::ks_two_sample;
pub use self::psi::{PsiSettings, psi};
