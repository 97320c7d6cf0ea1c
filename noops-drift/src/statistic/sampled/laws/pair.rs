use std::f64::consts::{PI, TAU};

use noops_stats::special::{chi_square_sf, normal_sf};

/// The law of shift + a χ²₁ + b χ²ₖ, two independent terms: what the squared norms here are matched to.
///
/// The first term carries the far tail, which is that of the direction of largest variance; the second the bulk.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct ChiSquarePair {
    pub(crate) shift: f64,
    pub(crate) leading: f64,
    pub(crate) rest: f64,
    pub(crate) freedom: f64,
}

impl ChiSquarePair {
    /// P(shift + a χ²₁ + b χ²ₖ > x), by integrating the tail of the second term over the normal density behind the first.
    ///
    /// Every term is positive, so small tails keep their relative accuracy. The panels shrink towards both ends, where
    /// the integrand concentrates in the far tail.
    pub(crate) fn sf(&self, x: f64) -> f64 {
        let left = x - self.shift;
        if left.is_nan() || left <= 0.0 {
            return 1.0;
        }
        if left.is_infinite() {
            return 0.0;
        }
        let has_rest = self.rest > 0.0 && self.rest > NEGLIGIBLE * self.leading;
        if self.leading <= 0.0 {
            return if has_rest {
                chi_square_sf(left / self.rest, self.freedom)
            } else {
                0.0
            };
        }
        let edge = (left / self.leading).sqrt();
        let beyond = 2.0 * normal_sf(edge);
        if !has_rest {
            return beyond.clamp(0.0, 1.0);
        }
        if !edge.is_finite() {
            // Nothing of the first term is left beside such an x.
            return chi_square_sf(left / self.rest, self.freedom);
        }
        let integrand = |z: f64| {
            let gap = self.leading * (edge - z) * (edge + z);
            (-0.5 * z * z).exp() * chi_square_sf(gap / self.rest, self.freedom)
        };
        let mut inside = 0.0;
        let half = edge / 2.0;
        let mut width = half;
        for _ in 0..PANELS {
            // From the middle towards 0, ...
            if width < FINEST {
                break;
            }
            inside += panel(width / 2.0, width, integrand);
            width /= 2.0;
        }
        inside += panel(0.0, width, integrand);
        let mut width = half;
        for _ in 0..PANELS {
            // ... and from the middle towards the edge.
            if self.leading * width * edge < FINEST * self.rest {
                break;
            }
            inside += panel(edge - width, edge - width / 2.0, integrand);
            width /= 2.0;
        }
        inside += panel(edge - width, edge, integrand);
        (beyond + 2.0 / TAU.sqrt() * inside).clamp(0.0, 1.0)
    }

    /// E √(a χ²₁ + b χ²ₖ), the shift left out.
    ///
    /// E √Q = ∫ (1 − E e^(−tQ)) t^(−3/2) dt / (2 √π) over t > 0; after t = e^u the trapezoidal rule converges geometrically.
    pub(crate) fn mean_root(&self) -> f64 {
        let mean = self.leading + self.rest * self.freedom;
        if mean <= 0.0 {
            return 0.0;
        }
        let (leading, rest) = (self.leading / mean, self.rest / mean);
        let terms = (-REACH..=REACH).map(|u| {
            let u = f64::from(u);
            let t = u.exp();
            let exponent =
                0.5 * (2.0 * leading * t).ln_1p() + 0.5 * self.freedom * (2.0 * rest * t).ln_1p();
            -(-exponent).exp_m1() * (-u / 2.0).exp()
        });
        let sum: f64 = terms.sum();
        sum / (2.0 * PI.sqrt()) * mean.sqrt()
    }
}

/// The integral of `f` from `low` to `high` by Gauss and Legendre's rule of ten points.
fn panel(low: f64, high: f64, f: impl Fn(f64) -> f64) -> f64 {
    let half = (high - low) / 2.0;
    let middle = low + half;
    let sum: f64 = NODES
        .iter()
        .map(|(node, weight)| weight * (f(middle - half * node) + f(middle + half * node)))
        .sum();
    sum * half
}

const NODES: [(f64, f64); 5] = [
    (0.148_874_338_981_631_22, 0.295_524_224_714_752_87),
    (0.433_395_394_129_247_2, 0.269_266_719_309_996_35),
    (0.679_409_568_299_024_4, 0.219_086_362_515_982_04),
    (0.865_063_366_688_984_5, 0.149_451_349_150_580_6),
    (0.973_906_528_517_171_7, 0.066_671_344_308_688_14),
];
/// Halvings of a panel: from the largest argument of a tail above the smallest number to far below one.
const PANELS: usize = 60;
/// Panels stop shrinking where the exponent changes by less than this.
const FINEST: f64 = 0.5;
/// e^(−20) of the mean is left out at each end of the integral for the root.
const REACH: i32 = 40;
/// A second term this much smaller than the first changes no digit.
const NEGLIGIBLE: f64 = 1e-13;

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn close(found: f64, expected: f64, relative: f64) {
        assert!(
            (found / expected - 1.0).abs() <= relative,
            "found {found}, expected {expected}"
        );
    }

    #[test]
    fn equal_terms_are_one_chi_square() {
        for freedom in [0.5, 2.0, 9.0, 59.0] {
            let pair = ChiSquarePair {
                shift: 0.25,
                leading: 2.0,
                rest: 2.0,
                freedom,
            };
            for x in [0.5, 3.0, 20.0, 150.0, 600.0, 1_200.0] {
                close(
                    pair.sf(x + 0.25),
                    chi_square_sf(x / 2.0, freedom + 1.0),
                    1e-4,
                );
            }
        }
    }

    #[test]
    fn the_mean_of_the_root_of_a_chi_square_has_its_closed_form() {
        // E √(χ²_3) = 2 √(2/π).
        let pair = ChiSquarePair {
            shift: 0.0,
            leading: 1.0,
            rest: 1.0,
            freedom: 2.0,
        };
        close(pair.mean_root(), 2.0 * (2.0 / PI).sqrt(), 1e-7);
    }

    #[test]
    fn no_second_term_is_a_squared_normal() {
        let pair = ChiSquarePair {
            shift: 0.0,
            leading: 4.0,
            rest: 0.0,
            freedom: 1.0,
        };
        close(pair.sf(4.0 * 1.96 * 1.96), 2.0 * normal_sf(1.96), 1e-14);
    }

    #[test]
    fn any_input_gives_a_probability() {
        let odd = [0.0, -1.0, f64::NAN, f64::INFINITY, 1e-300, 1e300];
        for x in odd {
            for leading in odd {
                for rest in odd {
                    let pair = ChiSquarePair {
                        shift: 0.0,
                        leading,
                        rest,
                        freedom: 2.0,
                    };
                    let tail = pair.sf(x);
                    assert!((0.0..=1.0).contains(&tail), "{pair:?} at {x}: {tail}");
                }
            }
        }
    }
}
