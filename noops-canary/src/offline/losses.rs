use super::check::{check_finite, check_length, check_probabilities};
use crate::error::CanaryError;

/// The squared error of each predicted probability: the terms of the Brier score.
///
/// # Errors
///
/// As for [`Evaluation::of`](crate::offline::Evaluation::of).
pub fn brier_losses(predicted: &[f64], labels: &[bool]) -> Result<Vec<f64>, CanaryError> {
    check_binary(predicted, labels)?;
    Ok(rows(predicted, labels)
        .map(|(p, y)| (p - y) * (p - y))
        .collect())
}

/// The negative log likelihood of each label, with probabilities clipped to machine epsilon from 0 and 1.
///
/// # Errors
///
/// As for [`Evaluation::of`](crate::offline::Evaluation::of).
pub fn log_losses(predicted: &[f64], labels: &[bool]) -> Result<Vec<f64>, CanaryError> {
    check_binary(predicted, labels)?;
    Ok(predicted
        .iter()
        .zip(labels)
        .map(|(p, label)| log_loss(*p, *label))
        .collect())
}

/// The negative log likelihood of one label.
pub(super) fn log_loss(predicted: f64, label: bool) -> f64 {
    let p = predicted.clamp(CLIP, 1.0 - CLIP);
    if label {
        -libm::log(p)
    } else {
        -libm::log1p(-p)
    }
}

/// The absolute error of each prediction.
///
/// # Errors
///
/// [`CanaryError::Empty`] without rows, [`CanaryError::Length`] if the columns differ in length, and
/// [`CanaryError::NotFinite`] for the first value that is NaN or infinite.
///
/// # Examples
///
/// ```
/// use noops_canary::offline::absolute_errors;
///
/// assert_eq!(absolute_errors(&[1.0, 2.0], &[1.5, 0.0])?, [0.5, 2.0]);
/// # Ok::<(), noops_canary::CanaryError>(())
/// ```
pub fn absolute_errors(predicted: &[f64], actual: &[f64]) -> Result<Vec<f64>, CanaryError> {
    check_regression(predicted, actual)?;
    Ok(predicted
        .iter()
        .zip(actual)
        .map(|(p, y)| (p - y).abs())
        .collect())
}

/// The squared error of each prediction.
///
/// # Errors
///
/// As for [`absolute_errors`].
pub fn squared_errors(predicted: &[f64], actual: &[f64]) -> Result<Vec<f64>, CanaryError> {
    check_regression(predicted, actual)?;
    Ok(predicted
        .iter()
        .zip(actual)
        .map(|(p, y)| (p - y) * (p - y))
        .collect())
}

/// The pinball loss of each predicted quantile of order `quantile`.
///
/// # Formula
///
/// `q (y - p)` where the prediction `p` lies below the actual `y`, `(1 - q) (p - y)` where it lies above (Koenker and Bassett, 1978). Its
/// mean is least at the true quantile.
///
/// # Errors
///
/// As for [`absolute_errors`], and [`CanaryError::Setting`] unless the order lies strictly between 0 and 1.
///
/// # Examples
///
/// ```
/// use noops_canary::offline::pinball_losses;
///
/// assert_eq!(pinball_losses(&[1.0, 3.0], &[2.0, 2.0], 0.75)?, [0.75, 0.25]);
/// # Ok::<(), noops_canary::CanaryError>(())
/// ```
pub fn pinball_losses(
    predicted: &[f64],
    actual: &[f64],
    quantile: f64,
) -> Result<Vec<f64>, CanaryError> {
    check_regression(predicted, actual)?;
    if !(quantile > 0.0 && quantile < 1.0) {
        return Err(CanaryError::Setting {
            name: "quantile",
            value: quantile,
            allowed: "strictly between 0 and 1",
        });
    }
    Ok(predicted
        .iter()
        .zip(actual)
        .map(|(p, y)| {
            if y >= p {
                quantile * (y - p)
            } else {
                (1.0 - quantile) * (p - y)
            }
        })
        .collect())
}

pub(super) fn check_binary(predicted: &[f64], labels: &[bool]) -> Result<(), CanaryError> {
    check_probabilities("predicted", predicted)?;
    check_length("labels", predicted.len(), labels.len())
}

pub(super) fn check_regression(predicted: &[f64], actual: &[f64]) -> Result<(), CanaryError> {
    check_finite("predicted", predicted)?;
    check_length("actual", predicted.len(), actual.len())?;
    check_finite("actual", actual)
}

/// The largest loss that [`log_losses`] gives.
pub(super) fn largest_log_loss() -> f64 {
    -libm::log(CLIP)
}

fn rows<'a>(predicted: &'a [f64], labels: &'a [bool]) -> impl Iterator<Item = (f64, f64)> + 'a {
    predicted
        .iter()
        .zip(labels)
        .map(|(p, label)| (*p, f64::from(u8::from(*label))))
}

/// What scikit-learn clips by.
pub(super) const CLIP: f64 = f64::EPSILON;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quantile_outside_its_range_is_refused() {
        for wrong in [0.0, 1.0, -0.5, f64::NAN, f64::INFINITY] {
            assert!(pinball_losses(&[1.0], &[1.0], wrong).is_err());
        }
    }

    #[test]
    fn hostile_columns_are_refused() {
        for wrong in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
            assert!(squared_errors(&[wrong], &[1.0]).is_err());
            assert!(squared_errors(&[1.0], &[wrong]).is_err());
            assert!(brier_losses(&[wrong], &[true]).is_err());
            assert!(log_losses(&[wrong], &[true]).is_err());
        }
        assert_eq!(absolute_errors(&[], &[]), Err(CanaryError::Empty));
        assert!(absolute_errors(&[1.0], &[1.0, 2.0]).is_err());
    }

    #[test]
    fn a_certain_mistake_costs_the_clipped_logarithm() {
        let losses = log_losses(&[0.0, 1.0], &[true, false]).unwrap();
        assert!(
            losses
                .iter()
                .all(|loss| (loss - 36.043_653_389_117_15).abs() < 1e-9)
        );
    }
}
