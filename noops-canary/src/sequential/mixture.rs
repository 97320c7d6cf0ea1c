/// ln Σ exp(x), which neither overflows nor depends on the platform.
///
/// Nothing gives minus infinity. A term that is NaN counts as minus infinity: no evidence.
pub(crate) fn log_sum_exp(terms: impl Iterator<Item = f64> + Clone) -> f64 {
    let largest = terms.clone().fold(f64::NEG_INFINITY, f64::max);
    if !largest.is_finite() {
        return largest;
    }
    let sum: f64 = terms
        .filter(|term| !term.is_nan())
        .map(|term| libm::exp(term - largest))
        .sum();
    largest + libm::log(sum)
}

#[cfg(test)]
mod tests {
    use super::log_sum_exp;

    #[test]
    fn neither_huge_nor_missing_terms_break_the_sum() {
        let sum = log_sum_exp([1000.0, 1000.0, f64::NAN].into_iter());
        assert!((sum - 1000.0 - 2.0_f64.ln()).abs() < 1e-12);
        assert_eq!(log_sum_exp(std::iter::empty()), f64::NEG_INFINITY);
    }
}
