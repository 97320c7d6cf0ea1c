//! What an explanation says.

use serde::{Deserialize, Serialize};

/// How attributions were found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Method {
    /// Shapley values by all coalitions.
    ExactShapley,
    /// Shapley values by sampled orders.
    SampledShapley,
    /// The integral of the gradient along a straight path.
    IntegratedGradients,
}

/// What one group of features added to an answer.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Attribution {
    group: usize,
    value: f64,
    standard_error: Option<f64>,
}

impl Attribution {
    /// The index of the group: of the column, where every column is a group of its own.
    #[must_use]
    pub fn group(&self) -> usize {
        self.group
    }

    /// By how much the group moved the answer away from the base value.
    #[must_use]
    pub fn value(&self) -> f64 {
        self.value
    }

    /// The standard error of the value; `None` for a method that draws nothing.
    #[must_use]
    pub fn standard_error(&self) -> Option<f64> {
        self.standard_error
    }
}

/// The parts that the features of one row had in its answer.
///
/// # Examples
///
/// ```
/// use noops_core::{Batch, Column, Error};
/// use noops_serve::explain::{ExactShapley, FeatureGroups};
///
/// let mut model = |batch: &Batch| -> Result<Vec<f32>, Error> {
///     Ok(batch.numbers().chunks(2).map(|row| row.iter().zip([2.0, -3.0]).map(|(x, w)| x * w).sum()).collect())
/// };
/// let row = Batch::new(vec![Column::Number(vec![1.0]), Column::Number(vec![2.0])])?;
/// let background = Batch::new(vec![Column::Number(vec![0.0, 1.0]), Column::Number(vec![0.0, 1.0])])?;
/// let explained = ExactShapley::default().explain(&mut model, &row, &background, &FeatureGroups::each(2))?;
/// let values: Vec<f64> = explained[0].attributions().iter().map(|part| part.value()).collect();
/// assert_eq!(values, [1.0, -4.5], "2 (1 - 1/2) and -3 (2 - 1/2)");
/// assert_eq!(explained[0].top(1)[0].group(), 1);
/// assert!(explained[0].completeness_gap() < 1e-6);
/// # Ok::<(), Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[must_use]
pub struct Explanation {
    attributions: Vec<Attribution>,
    base_value: f64,
    prediction: f64,
    method: Method,
    evaluations: u64,
}

impl Explanation {
    pub(super) fn new(
        method: Method,
        base_value: f64,
        prediction: f64,
        values: impl IntoIterator<Item = (f64, Option<f64>)>,
        evaluations: u64,
    ) -> Self {
        let attributions = values.into_iter().enumerate();
        Self {
            attributions: attributions
                .map(|(group, (value, standard_error))| Attribution {
                    group,
                    value,
                    standard_error,
                })
                .collect(),
            base_value,
            prediction,
            method,
            evaluations,
        }
    }

    /// What each group added, in the order of the groups.
    #[must_use]
    pub fn attributions(&self) -> &[Attribution] {
        &self.attributions
    }

    /// The `count` groups that moved the answer most, the largest first, ties by group.
    ///
    /// # Complexity
    ///
    /// O(n log n) for n groups.
    #[must_use]
    pub fn top(&self, count: usize) -> Vec<Attribution> {
        let mut ranked = self.attributions.clone();
        ranked.sort_by(|one, other| other.value.abs().total_cmp(&one.value.abs()));
        ranked.truncate(count);
        ranked
    }

    /// The answer that the attributions start from: the mean over the background, or the answer to the baseline.
    #[must_use]
    pub fn base_value(&self) -> f64 {
        self.base_value
    }

    /// The model's answer to the row.
    #[must_use]
    pub fn prediction(&self) -> f64 {
        self.prediction
    }

    /// How far the attributions are from adding up to the difference between the prediction and the base value, as an absolute
    /// number in the model's unit.
    ///
    /// Rounding alone for Shapley values; the error of the integration for integrated gradients.
    #[must_use]
    pub fn completeness_gap(&self) -> f64 {
        let sum: f64 = self.attributions.iter().map(|part| part.value).sum();
        (self.prediction - self.base_value - sum).abs()
    }

    /// How they were found.
    #[must_use]
    pub fn method(&self) -> Method {
        self.method
    }

    /// How many rows the model scored for this. What the rows of a batch share is counted with the first of them.
    #[must_use]
    pub fn evaluations(&self) -> u64 {
        self.evaluations
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn explanation(values: &[f64]) -> Explanation {
        let values = values.iter().map(|&value| (value, None));
        Explanation::new(Method::ExactShapley, 1.0, 4.0, values, 7)
    }

    #[test]
    fn the_top_is_by_size_whatever_the_sign() {
        let top = explanation(&[0.5, -3.0, 2.0, -0.5]).top(3);
        assert_eq!(
            top.iter().map(Attribution::group).collect::<Vec<_>>(),
            [1, 2, 0]
        );
        assert_eq!(explanation(&[1.0]).top(usize::MAX).len(), 1);
    }

    #[test]
    fn what_is_missing_to_the_prediction_is_the_gap() {
        assert_eq!(explanation(&[1.0, 2.0]).completeness_gap(), 0.0);
        assert_eq!(explanation(&[1.0, 1.5]).completeness_gap(), 0.5);
        assert_eq!(explanation(&[1.0, 2.5]).completeness_gap(), 0.5);
    }

    #[test]
    fn it_reads_back_as_it_was_written() {
        let written = serde_json::to_string(&explanation(&[1.0, 2.0])).unwrap();
        let read: Explanation = serde_json::from_str(&written).unwrap();
        assert_eq!(read, explanation(&[1.0, 2.0]));
    }
}
