use crate::error::DriftError;

/// The Jensen–Shannon distance of two rows of counts over the same cells: 0 for equal shares, 1 for disjoint ones.
///
/// A description, not a test: it has no threshold that suits every number of rows. Two empty rows are at distance 0, an
/// empty row and any other as well, since nothing is known.
///
/// # Formula
///
/// √(½ KL(p ‖ a) + ½ KL(q ‖ a)) with a = ½(p + q) and logarithms to base 2, without smoothing. This is the distance;
/// the divergence is its square.
///
/// # Errors
///
/// [`DriftError::UnequalCells`].
///
/// # Examples
///
/// ```
/// use noops_drift::jensen_shannon_distance;
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// assert_eq!(jensen_shannon_distance(&[4, 0], &[0, 9])?, 1.0);
/// # Ok(())
/// # }
/// ```
pub fn jensen_shannon_distance(reference: &[u64], current: &[u64]) -> Result<f64, DriftError> {
    if reference.len() != current.len() {
        return Err(DriftError::UnequalCells {
            reference: reference.len(),
            current: current.len(),
        });
    }
    let n: f64 = reference.iter().map(|count| *count as f64).sum();
    let m: f64 = current.iter().map(|count| *count as f64).sum();
    if n <= 0.0 || m <= 0.0 {
        return Ok(0.0);
    }
    let divergence: f64 = reference
        .iter()
        .zip(current)
        .map(|(r, c)| {
            let p = *r as f64 / n;
            let q = *c as f64 / m;
            let middle = 0.5 * (p + q);
            0.5 * (relative_entropy(p, middle) + relative_entropy(q, middle))
        })
        .sum();
    Ok(divergence.clamp(0.0, 1.0).sqrt())
}

fn relative_entropy(p: f64, middle: f64) -> f64 {
    if p > 0.0 {
        p * (p / middle).log2()
    } else {
        0.0
    }
}
