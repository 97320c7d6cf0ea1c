//! Tail probabilities and their inverses. Small tails keep their relative accuracy: nothing is got as one minus something near one.

mod binomial;
mod clopper_pearson;
mod entropy;
mod kolmogorov;
mod quantile;
mod tails;

pub(crate) use self::binomial::{binomial_sf, stirling_error};
pub(crate) use self::clopper_pearson::clopper_pearson_lower;
pub(crate) use self::entropy::relative_entropy;
pub(crate) use self::kolmogorov::{kolmogorov_sf, kolmogorov_upper_quantile};
pub(crate) use self::quantile::upper_quantile;
pub(crate) use self::tails::{
    chi_square_sf, noncentral_chi_square_sf, noncentral_chi_square_upper_quantile,
    noncentrality_for_power, normal_sf, normal_upper_quantile,
};
