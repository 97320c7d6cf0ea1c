//! Limiting laws of the statistics of this folder, each with an upper tail that is never got as one minus a number.

mod atoms;
mod complex;
mod contour;
mod l1;
#[cfg(test)]
pub(crate) mod oracle;
mod pair;
mod quadratic;
mod spans;

pub(crate) use self::atoms::Atoms;
pub(crate) use self::contour::{anderson_darling_sf, cramer_von_mises_sf};
pub(crate) use self::l1::L1Law;
pub(crate) use self::quadratic::QuadraticLaw;
pub(crate) use self::spans::{Levels, Spans};

use self::pair::ChiSquarePair;
