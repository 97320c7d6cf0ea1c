use super::ChiSquarePair;
use noops_stats::special::{normal_upper_quantile, upper_quantile};

/// The law of Q = Σ wᵢ Zᵢ² for a centred Gaussian vector Z: what a squared L2 distance of two samples follows without drift,
/// times the effective size nm/(n + m).
///
/// # Formula
///
/// Q = Σ λⱼ χ²₁ over the eigenvalues of √wᵢ √wⱼ Cov(Zᵢ, Zⱼ). The largest is found by power iteration and kept; the others are
/// matched by their first three cumulants to a shifted, scaled chi-square (Hall, 1983; Buckley and Eagleson, 1988). Keeping
/// the largest apart gives the far tail its right rate, e^(−x/2λ₁), which a match of the whole sum does not.
///
/// # Complexity
///
/// O(cells³) to make, with few cells; a tail is a quadrature of some hundred nodes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct QuadraticLaw {
    /// The law of Q / unit.
    pair: ChiSquarePair,
    unit: f64,
}

impl QuadraticLaw {
    /// The law of nm/(n + m) ∫ ((Fₙ − F) − (Gₘ − G))² dx for two samples whose distribution functions stand at `reference`
    /// and `current` over widths `weights`, with `balance` = n/(n + m). Without drift both levels agree and the balance does
    /// not matter.
    pub(crate) fn of_bridges(
        weights: &[f64],
        reference: &[f64],
        current: &[f64],
        balance: f64,
    ) -> Self {
        let unit = weights
            .iter()
            .copied()
            .filter(|weight| weight.is_finite())
            .fold(0.0, f64::max);
        if unit <= 0.0 || !(0.0..=1.0).contains(&balance) {
            return Self::nothing();
        }
        let cells: Vec<(f64, f64, f64)> = weights
            .iter()
            .zip(reference.iter().zip(current))
            .filter(|(weight, (r, c))| {
                weight.is_finite()
                    && **weight > 0.0
                    && (0.0..=1.0).contains(*r)
                    && (0.0..=1.0).contains(*c)
            })
            .map(|(weight, (r, c))| ((weight / unit).sqrt(), *r, *c))
            .collect();
        let bridge = |a: f64, b: f64| a.min(b) * (1.0 - a.max(b));
        let rows: Vec<Vec<f64>> = cells
            .iter()
            .map(|(width, r, c)| {
                let row = cells.iter().map(|(other, s, d)| {
                    width * other * ((1.0 - balance) * bridge(*r, *s) + balance * bridge(*c, *d))
                });
                row.collect()
            })
            .collect();
        Self::of_matrix(&rows, 1.0, unit)
    }

    /// The law of `unit` times the sum of `copies` independent Z'MZ for standard normal Z and a matrix without negative entries.
    pub(crate) fn of_matrix(rows: &[Vec<f64>], copies: f64, unit: f64) -> Self {
        let trace: f64 = rows
            .iter()
            .enumerate()
            .filter_map(|(i, row)| row.get(i))
            .sum();
        if trace <= 0.0 {
            return Self::nothing();
        }
        let largest = largest_eigenvalue(rows).clamp(0.0, trace);
        let mut second = 0.0;
        let mut third = 0.0;
        for (i, row) in rows.iter().enumerate() {
            // The matrix is symmetric: what is off the diagonal counts twice.
            for (j, (other, value)) in rows.iter().zip(row).enumerate().take(i + 1) {
                let times = if j < i { 2.0 } else { 1.0 };
                second += times * value * value;
                third += times * value * dot(row, other);
            }
        }
        // The remainders are sums of powers of what is positive, but rounding may say otherwise.
        let trace = copies * trace;
        let first = trace - largest;
        let second = copies * second - largest * largest;
        let third = copies * third - largest * largest * largest;
        let pair = if first <= FLAT * trace
            || second <= FLAT * largest * largest
            || third <= FLAT * largest * largest * largest
        {
            ChiSquarePair {
                shift: first.max(0.0),
                leading: largest,
                rest: 0.0,
                freedom: 1.0,
            }
        } else {
            let freedom = (second / third * second * second / third).clamp(FEWEST, MOST);
            let rest = (second / freedom).sqrt().min(first / freedom);
            ChiSquarePair {
                shift: (first - rest * freedom).max(0.0),
                leading: largest,
                rest,
                freedom,
            }
        };
        Self { pair, unit }
    }

    /// The law of zero.
    fn nothing() -> Self {
        Self {
            pair: ChiSquarePair {
                shift: 0.0,
                leading: 0.0,
                rest: 0.0,
                freedom: 1.0,
            },
            unit: 0.0,
        }
    }

    /// P(Q > x).
    pub(crate) fn sf(&self, x: f64) -> f64 {
        if x.is_nan() || x <= 0.0 {
            1.0
        } else if self.unit <= 0.0 {
            0.0
        } else {
            self.pair.sf(x / self.unit)
        }
    }

    /// The x with P(Q > x) = `tail`.
    pub(crate) fn upper_quantile(&self, tail: f64) -> f64 {
        if self.unit <= 0.0 {
            return 0.0;
        }
        let pair = &self.pair;
        let guess = pair.shift + 2.0 * (pair.leading + pair.rest * pair.freedom);
        self.unit * upper_quantile(tail, guess, |x| pair.sf(x))
    }

    /// The root of Q under a drift that makes it exceed `critical` with probability `power` at least, to first order: the norm of a
    /// shifted vector is at least the shift plus a normal variable of variance λ₁ at most.
    pub(crate) fn visible_root(&self, critical: f64, power: f64) -> f64 {
        critical.max(0.0).sqrt()
            + normal_upper_quantile(1.0 - power) * self.pair.leading.sqrt() * self.unit.sqrt()
    }
}

/// The largest eigenvalue of a symmetric matrix without negative entries, whose leading vector has none either.
fn largest_eigenvalue(rows: &[Vec<f64>]) -> f64 {
    let mut vector = vec![1.0; rows.len()];
    let mut value = 0.0;
    for _ in 0..ITERATIONS {
        let next: Vec<f64> = rows.iter().map(|row| dot(row, &vector)).collect();
        let norm = dot(&next, &next).sqrt();
        if norm <= 0.0 || !norm.is_finite() {
            break;
        }
        let settled = (norm - value).abs() <= SETTLED * norm;
        value = norm;
        vector = next.into_iter().map(|entry| entry / norm).collect();
        if settled {
            break;
        }
    }
    value
}

/// Σ aᵢ bᵢ in several sums, which do not wait for each other.
fn dot(one: &[f64], other: &[f64]) -> f64 {
    let mut sums = [0.0; LANES];
    let (ones, others) = (one.chunks_exact(LANES), other.chunks_exact(LANES));
    let rest = ones.remainder().iter().zip(others.remainder());
    let rest: f64 = rest.map(|(a, b)| a * b).sum();
    for (ones, others) in ones.zip(others) {
        for (sum, (a, b)) in sums.iter_mut().zip(ones.iter().zip(others)) {
            *sum += a * b;
        }
    }
    sums.iter().sum::<f64>() + rest
}

const LANES: usize = 8;
const ITERATIONS: usize = 200;
const SETTLED: f64 = 1e-13;
const FLAT: f64 = 1e-10;
const FEWEST: f64 = 0.1;
/// Beyond this the second term is nearly a constant.
const MOST: f64 = 100.0;

#[cfg(test)]
mod tests {
    use super::super::cramer_von_mises_sf;
    use super::QuadraticLaw;
    use noops_stats::special::chi_square_sf;

    #[track_caller]
    fn close(found: f64, expected: f64, relative: f64) {
        assert!(
            (found / expected - 1.0).abs() <= relative,
            "found {found}, expected {expected}"
        );
    }

    #[test]
    fn one_cell_is_chi_square() {
        let law = QuadraticLaw::of_bridges(&[3.0], &[0.2], &[0.2], 0.3);
        close(law.sf(1.44), chi_square_sf(3.0, 1.0), 1e-9);
    }

    #[test]
    fn many_cells_of_equal_width_follow_the_limit_of_cramer_and_von_mises() {
        let levels: Vec<f64> = (1..=127_u32).map(|i| f64::from(i) / 128.0).collect();
        let law = QuadraticLaw::of_bridges(&vec![1.0 / 128.0; 127], &levels, &levels, 0.5);
        for x in [0.1, 0.2, 0.461_36, 0.743_46, 2.0, 10.0] {
            close(law.sf(x), cramer_von_mises_sf(x), 0.02);
        }
    }

    #[test]
    fn quantiles_undo_tails_at_any_scale() {
        for scale in [1e-200, 1.0, 1e200] {
            let law = QuadraticLaw::of_bridges(
                &[scale, 2.0 * scale, 0.5 * scale],
                &[0.2, 0.5, 0.9],
                &[0.3, 0.4, 0.8],
                0.3,
            );
            for tail in [0.5, 0.05, 1e-6, 1e-100] {
                close(law.sf(law.upper_quantile(tail)), tail, 1e-6);
            }
        }
    }

    #[test]
    fn hostile_cells_give_probabilities() {
        let odd = [f64::NAN, f64::INFINITY, -1.0, 0.0, 1.0];
        let law = QuadraticLaw::of_bridges(&odd, &odd, &odd, 0.5);
        for x in odd {
            assert!((0.0..=1.0).contains(&law.sf(x)));
        }
        assert!(law.upper_quantile(0.05).is_finite());
    }
}
