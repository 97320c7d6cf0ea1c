use crate::error::CanaryError;

pub(super) fn check_probabilities(column: &'static str, values: &[f64]) -> Result<(), CanaryError> {
    if values.is_empty() {
        return Err(CanaryError::Empty);
    }
    let refused = values
        .iter()
        .zip(0..)
        .find(|(value, _)| !(0.0..=1.0).contains(*value));
    match refused {
        Some((&value, row)) => Err(CanaryError::NotAProbability { column, row, value }),
        None => Ok(()),
    }
}

pub(super) fn check_finite(column: &'static str, values: &[f64]) -> Result<(), CanaryError> {
    if values.is_empty() {
        return Err(CanaryError::Empty);
    }
    match values.iter().zip(0..).find(|(value, _)| !value.is_finite()) {
        Some((&value, row)) => Err(CanaryError::NotFinite { column, row, value }),
        None => Ok(()),
    }
}

pub(super) fn check_length(
    column: &'static str,
    expected: usize,
    found: usize,
) -> Result<(), CanaryError> {
    if expected == found {
        return Ok(());
    }
    Err(CanaryError::Length {
        column,
        expected,
        found,
    })
}

/// The sum of finite values, refused where it leaves the range of the numbers.
pub(super) fn check_result(input: &'static str, value: f64) -> Result<f64, CanaryError> {
    if value.is_finite() {
        return Ok(value);
    }
    Err(CanaryError::Input {
        input,
        reason: "holds values too large to average; pass them in larger units",
    })
}
