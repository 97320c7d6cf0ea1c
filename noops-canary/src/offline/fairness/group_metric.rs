use std::fmt;

use serde::{Deserialize, Serialize};

use crate::direction::Direction;

/// What is measured in each group.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum GroupMetric {
    /// The share of rows decided positive.
    SelectionRate,
    /// The share of positives decided positive: the recall.
    TruePositiveRate,
    /// The share of negatives decided positive.
    FalsePositiveRate,
    /// The share of negatives decided negative.
    TrueNegativeRate,
    /// The share of positives decided negative.
    FalseNegativeRate,
    /// The share of rows decided rightly.
    Accuracy,
    /// The share of rows decided wrongly.
    ZeroOneLoss,
    /// The share of rows decided positive that are.
    Precision,
    /// The mean of true positive and true negative rate.
    BalancedAccuracy,
    /// The harmonic mean of precision and recall.
    F1,
    /// The mean score, or the mean predicted number.
    MeanPrediction,
    /// The area under the ROC curve of the scores.
    RocAuc,
    /// The mean negative log likelihood of the labels, for scores that are probabilities.
    LogLoss,
    /// The mean absolute error of predicted numbers.
    MeanAbsoluteError,
    /// The mean squared error of predicted numbers.
    MeanSquaredError,
    /// The share of the variance of the truth, within the group, that predicted numbers explain.
    RSquared,
}

impl GroupMetric {
    /// Every metric.
    pub const ALL: [Self; 16] = [
        Self::SelectionRate,
        Self::TruePositiveRate,
        Self::FalsePositiveRate,
        Self::TrueNegativeRate,
        Self::FalseNegativeRate,
        Self::Accuracy,
        Self::ZeroOneLoss,
        Self::Precision,
        Self::BalancedAccuracy,
        Self::F1,
        Self::MeanPrediction,
        Self::RocAuc,
        Self::LogLoss,
        Self::MeanAbsoluteError,
        Self::MeanSquaredError,
        Self::RSquared,
    ];

    /// The name in snake case, as fairlearn and scikit-learn have it but for their `_score`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::SelectionRate => "selection_rate",
            Self::TruePositiveRate => "true_positive_rate",
            Self::FalsePositiveRate => "false_positive_rate",
            Self::TrueNegativeRate => "true_negative_rate",
            Self::FalseNegativeRate => "false_negative_rate",
            Self::Accuracy => "accuracy",
            Self::ZeroOneLoss => "zero_one_loss",
            Self::Precision => "precision",
            Self::BalancedAccuracy => "balanced_accuracy",
            Self::F1 => "f1",
            Self::MeanPrediction => "mean_prediction",
            Self::RocAuc => "roc_auc",
            Self::LogLoss => "log_loss",
            Self::MeanAbsoluteError => "mean_absolute_error",
            Self::MeanSquaredError => "mean_squared_error",
            Self::RSquared => "r_squared",
        }
    }

    /// Which way the metric is better; `None` where more is neither (a selection rate, a mean prediction).
    #[must_use]
    pub fn direction(self) -> Option<Direction> {
        match self {
            Self::SelectionRate | Self::MeanPrediction => None,
            Self::FalsePositiveRate
            | Self::FalseNegativeRate
            | Self::ZeroOneLoss
            | Self::LogLoss
            | Self::MeanAbsoluteError
            | Self::MeanSquaredError => Some(Direction::LowerIsBetter),
            Self::TruePositiveRate
            | Self::TrueNegativeRate
            | Self::Accuracy
            | Self::Precision
            | Self::BalancedAccuracy
            | Self::F1
            | Self::RocAuc
            | Self::RSquared => Some(Direction::HigherIsBetter),
        }
    }
}

impl fmt::Display for GroupMetric {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
