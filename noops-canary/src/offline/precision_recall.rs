use super::area::{check_classes, check_scores};
use super::ties::ClassScores;
use crate::error::CanaryError;

/// Measures the average precision of `scores`: the area under the precision-recall curve.
///
/// # Formula
///
/// `sum_k (R_k - R_(k-1)) P_k` over the distinct scores from the top, with precision `P_k` and recall `R_k` of "score at least the k-th":
/// a sum of steps, not of trapezoids, which would flatter (Davis and Goadrich, 2006).
///
/// # Numerical notes
///
/// Random scores reach the share of positives, not one half: compare models on the same rows only. It is not a mean of rows; take its
/// uncertainty from [`PairedBootstrap`](crate::offline::PairedBootstrap).
///
/// # Errors
///
/// As for [`area_under_curve`](crate::offline::area_under_curve), except that negatives need not occur.
///
/// # Complexity
///
/// O(n) for most data: a radix sort of each class and one merge.
///
/// # Examples
///
/// ```
/// use noops_canary::offline::average_precision;
///
/// let precision = average_precision(&[0.9, 0.8, 0.7, 0.6], &[true, false, true, false])?;
/// assert!((precision - (0.5 * 1.0 + 0.5 * 2.0 / 3.0)).abs() < 1e-15);
/// # Ok::<(), noops_canary::CanaryError>(())
/// ```
pub fn average_precision(scores: &[f64], labels: &[bool]) -> Result<f64, CanaryError> {
    check_scores("scores", scores, labels)?;
    if !labels.contains(&true) {
        check_classes(labels, 1)?;
    }
    let classes = ClassScores::of(scores, labels);
    let positives = classes.positives();
    let (mut positives_from, mut rows_from) = (positives, scores.len() as u64);
    let mut weighted = 0.0;
    for group in classes.groups() {
        // Ascending: `..._from` counts the rows with this score or a higher one.
        weighted += group.positive as f64 * (positives_from as f64 / rows_from as f64);
        positives_from = positives_from.saturating_sub(group.positive);
        rows_from = rows_from.saturating_sub(group.positive + group.negative);
    }
    Ok(weighted / positives.max(1) as f64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_negatives_it_is_one() {
        assert_eq!(average_precision(&[0.1, 0.2], &[true, true]), Ok(1.0));
    }

    #[test]
    fn without_positives_it_is_refused() {
        assert!(average_precision(&[0.1, 0.2], &[false, false]).is_err());
        assert!(average_precision(&[0.1, f64::NAN], &[true, false]).is_err());
        assert!(average_precision(&[], &[]).is_err());
    }

    #[test]
    fn equal_scores_reach_the_share_of_positives() {
        assert_eq!(
            average_precision(&[0.5; 4], &[true, false, false, false]),
            Ok(0.25)
        );
    }
}
