use crate::error::DriftError;

pub(super) fn invalid(input: &'static str, reason: impl Into<String>) -> DriftError {
    DriftError::InvalidInput {
        input,
        reason: reason.into(),
    }
}

pub(super) fn contradiction(state: &'static str, reason: impl Into<String>) -> DriftError {
    DriftError::InvalidState {
        state,
        reason: reason.into(),
    }
}

/// Fails unless `input` has one value per score.
pub(super) fn one_per_score(
    input: &'static str,
    scores: usize,
    found: usize,
) -> Result<(), DriftError> {
    if scores == found {
        Ok(())
    } else {
        Err(invalid(
            input,
            format!("has `{found}` values for `{scores}` scores; pass one per score"),
        ))
    }
}

/// The numbers of positives among labels.
pub(super) fn as_number(label: bool) -> f64 {
    if label { 1.0 } else { 0.0 }
}
