use crate::error::CanaryError;

/// Refuses a sample that has too few values or one that is not finite.
pub(crate) fn check_sample(
    column: &'static str,
    values: &[f64],
    needed: usize,
) -> Result<(), CanaryError> {
    if values.len() < needed {
        return Err(CanaryError::TooFew {
            column,
            needed,
            found: values.len(),
        });
    }
    match values.iter().zip(0..).find(|(value, _)| !value.is_finite()) {
        Some((&value, row)) => Err(CanaryError::NotFinite { column, row, value }),
        None => Ok(()),
    }
}
