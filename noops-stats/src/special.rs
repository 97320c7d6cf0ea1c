//! Tail probabilities and their inverses. Small tails keep their relative accuracy: nothing is got as one minus something near one.

mod beta;
mod binomial;
mod clopper_pearson;
mod entropy;
mod gamma;
mod kolmogorov;
mod quantile;
mod student;
mod tails;

pub use self::beta::{
    deviance_term, gamma_remainder, ln_beta, ln_regularized_beta_lower, ln_regularized_beta_upper,
};
pub use self::binomial::{binomial_sf, ln_binomial_mass, stirling_error};
pub use self::clopper_pearson::clopper_pearson_lower;
pub use self::entropy::relative_entropy;
pub use self::gamma::{
    ln_regularized_gamma_lower, ln_regularized_gamma_upper, ln_scaled_gamma_lower,
    ln_scaled_gamma_upper,
};
pub use self::kolmogorov::{kolmogorov_sf, kolmogorov_upper_quantile};
pub use self::quantile::{falling_root, upper_quantile};
pub use self::student::{gamma_half_ratio, student_sf, student_upper_quantile};
pub use self::tails::{
    chi_square_sf, noncentral_chi_square_sf, noncentral_chi_square_upper_quantile,
    noncentrality_for_power, normal_sf, normal_upper_quantile,
};
