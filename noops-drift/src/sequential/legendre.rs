/// The mean of each of the first four Legendre polynomials over the part from `from` to `to` of \[0, 1\].
///
/// Three Gauss points integrate polynomials up to degree five exactly. A difference of antiderivatives would lose most
/// digits in a narrow cell.
pub(super) fn cell_means(from: f64, to: f64) -> [f64; 4] {
    let middle = 0.5 * (from + to);
    let half = 0.5 * (to - from);
    let reach = half * GAUSS_NODE;
    let low = polynomials(middle - reach);
    let centre = polynomials(middle);
    let high = polynomials(middle + reach);
    let mut means = [0.0; 4];
    for (mean, ((low, centre), high)) in means.iter_mut().zip(low.iter().zip(centre).zip(high)) {
        *mean = (5.0 * (low + high) + 8.0 * centre) / 18.0;
    }
    means
}

/// P1 to P4, shifted to \[0, 1\]: their integrals over it are 0 and their largest absolute value is 1.
fn polynomials(u: f64) -> [f64; 4] {
    let x = 2.0 * u - 1.0;
    let square = x * x;
    [
        x,
        0.5 * (3.0 * square - 1.0),
        0.5 * x * (5.0 * square - 3.0),
        0.125 * (35.0 * square * square - 30.0 * square + 3.0),
    ]
}

/// √(3/5).
const GAUSS_NODE: f64 = 0.774_596_669_241_483_4;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_mean_over_everything_is_zero() {
        for mean in cell_means(0.0, 1.0) {
            assert!(mean.abs() < 1e-15);
        }
    }

    #[test]
    fn cell_means_are_differences_of_antiderivatives() {
        let antiderivatives = |u: f64| {
            let x = 2.0 * u - 1.0;
            let p5 = (63.0 * x.powi(5) - 70.0 * x.powi(3) + 15.0 * x) / 8.0;
            let p = polynomials(u);
            [
                (p[1] - 1.0) / 6.0,
                (p[2] - p[0]) / 10.0,
                (p[3] - p[1]) / 14.0,
                (p5 - p[2]) / 18.0,
            ]
        };
        for (from, to) in [(0.0, 0.1), (0.25, 0.75), (0.3, 1.0)] {
            let (low, high) = (antiderivatives(from), antiderivatives(to));
            for (k, mean) in cell_means(from, to).into_iter().enumerate() {
                let expected = (high[k] - low[k]) / (to - from);
                assert!(
                    (mean - expected).abs() < 1e-14,
                    "P{} on {from}..{to}",
                    k + 1
                );
            }
        }
    }

    #[test]
    fn a_cell_without_width_has_the_value_of_its_point() {
        assert_eq!(cell_means(1.0, 1.0), [1.0; 4]);
        let point = cell_means(0.2, 0.2);
        for (mean, value) in point.iter().zip(polynomials(0.2)) {
            assert!((mean - value).abs() < 1e-15);
        }
    }
}
