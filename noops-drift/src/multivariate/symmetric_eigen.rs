/// An eigenvalue of a symmetric matrix with its unit vector.
#[derive(Clone, Debug)]
pub(super) struct Eigen {
    pub(super) value: f64,
    pub(super) vector: Vec<f64>,
}

/// All eigenvalues of a symmetric matrix, largest first, by Jacobi's cyclic rotations (Golub and Van Loan, section 8.5).
///
/// `matrix` holds `width` × `width` finite numbers. O(width³) for each of about ten sweeps; small eigenvalues of a positive
/// matrix keep their relative accuracy better than with any faster method.
#[expect(
    clippy::indexing_slicing,
    reason = "every index is row * width + column with row and column below width, and both arrays have width² entries"
)]
pub(super) fn symmetric_eigen(width: usize, matrix: &[f64]) -> Vec<Eigen> {
    let n = width;
    if matrix.len() != n * n {
        return Vec::new();
    }
    let mut a = matrix.to_vec();
    // Row k will be the eigenvector of the k-th diagonal entry.
    let mut vectors = vec![0.0; n * n];
    for k in 0..n {
        vectors[k * n + k] = 1.0;
    }
    let norm: f64 = a.iter().map(|x| x * x).sum();
    for _ in 0..MOST_SWEEPS {
        let mut beside = 0.0;
        for p in 0..n {
            for q in p + 1..n {
                beside += a[p * n + q] * a[p * n + q];
            }
        }
        if beside <= norm * f64::EPSILON * f64::EPSILON * 1e-4 {
            break;
        }
        for p in 0..n {
            for q in p + 1..n {
                let apq = a[p * n + q];
                if apq == 0.0 {
                    continue;
                }
                let theta = (a[q * n + q] - a[p * n + p]) / (2.0 * apq);
                let tangent = theta.signum() / (theta.abs() + (theta * theta + 1.0).sqrt());
                let cosine = 1.0 / (tangent * tangent + 1.0).sqrt();
                let sine = tangent * cosine;
                for k in 0..n {
                    let (akp, akq) = (a[k * n + p], a[k * n + q]);
                    a[k * n + p] = cosine * akp - sine * akq;
                    a[k * n + q] = sine * akp + cosine * akq;
                }
                for k in 0..n {
                    let (apk, aqk) = (a[p * n + k], a[q * n + k]);
                    a[p * n + k] = cosine * apk - sine * aqk;
                    a[q * n + k] = sine * apk + cosine * aqk;
                    let (vpk, vqk) = (vectors[p * n + k], vectors[q * n + k]);
                    vectors[p * n + k] = cosine * vpk - sine * vqk;
                    vectors[q * n + k] = sine * vpk + cosine * vqk;
                }
                a[p * n + q] = 0.0;
                a[q * n + p] = 0.0;
            }
        }
    }
    let mut eigen: Vec<Eigen> = vectors
        .chunks_exact(n.max(1))
        .enumerate()
        .map(|(k, vector)| Eigen {
            value: a[k * n + k],
            vector: vector.to_vec(),
        })
        .collect();
    eigen.sort_by(|one, other| other.value.total_cmp(&one.value));
    eigen
}

const MOST_SWEEPS: usize = 60;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_known_matrix_has_its_known_eigenvalues() {
        // Eigenvalues 3 and 1 along (1, 1) and (1, −1).
        let eigen = symmetric_eigen(2, &[2.0, 1.0, 1.0, 2.0]);
        assert!((eigen[0].value - 3.0).abs() < 1e-15 && (eigen[1].value - 1.0).abs() < 1e-15);
        assert!((eigen[0].vector[0] - eigen[0].vector[1]).abs() < 1e-15);
    }

    #[test]
    fn degenerate_matrices_are_no_trouble() {
        assert!(symmetric_eigen(0, &[]).is_empty());
        assert_eq!(symmetric_eigen(1, &[4.0])[0].value, 4.0);
        assert!(
            symmetric_eigen(2, &[0.0; 4])
                .iter()
                .all(|eigen| eigen.value == 0.0)
        );
        assert!(symmetric_eigen(2, &[1.0]).is_empty(), "not a square");
        let ones = symmetric_eigen(3, &[1.0; 9]);
        assert!((ones[0].value - 3.0).abs() < 1e-14 && ones[2].value.abs() < 1e-14);
    }

    proptest! {
        #[test]
        fn matrix_times_vector_is_value_times_vector(
            width in 1_usize..7,
            entries in prop::collection::vec(-5.0_f64..5.0, 36),
        ) {
            let mut matrix = vec![0.0; width * width];
            for p in 0..width {
                for q in 0..=p {
                    matrix[p * width + q] = entries[p * 6 + q];
                    matrix[q * width + p] = entries[p * 6 + q];
                }
            }
            let eigen = symmetric_eigen(width, &matrix);
            prop_assert_eq!(eigen.len(), width);
            let trace: f64 = (0..width).map(|k| matrix[k * width + k]).sum();
            prop_assert!((eigen.iter().map(|one| one.value).sum::<f64>() - trace).abs() < 1e-12);
            for (index, one) in eigen.iter().enumerate() {
                for (row, expected) in matrix.chunks(width).zip(&one.vector) {
                    let product: f64 = row.iter().zip(&one.vector).map(|(a, v)| a * v).sum();
                    prop_assert!((product - one.value * expected).abs() < 1e-12);
                }
                for other in &eigen[..index] {
                    prop_assert!(other.value >= one.value);
                    let cosine: f64 = one.vector.iter().zip(&other.vector).map(|(a, b)| a * b).sum();
                    prop_assert!(cosine.abs() < 1e-12);
                }
            }
        }
    }
}
