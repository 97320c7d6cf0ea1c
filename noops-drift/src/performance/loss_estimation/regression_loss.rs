use serde::{Deserialize, Serialize};

/// What a regression model is judged by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub enum RegressionLoss {
    /// Mean of |y − ŷ| (MAE).
    Absolute,
    /// Mean of (y − ŷ)² (MSE).
    Squared,
    /// Root of the mean of (y − ŷ)² (RMSE).
    RootSquared,
    /// Mean of |y − ŷ| / |y| (MAPE), for targets that are not 0.
    AbsolutePercentage,
    /// Mean of (ln(1 + y) − ln(1 + ŷ))² (MSLE), for targets and predictions of at least 0.
    SquaredLogarithmic,
    /// Root of the mean of (ln(1 + y) − ln(1 + ŷ))² (RMSLE), for targets and predictions of at least 0.
    RootSquaredLogarithmic,
}

impl RegressionLoss {
    /// The loss of a row before the mean and its root are taken; nothing where it is not defined.
    pub(super) fn of(self, prediction: f64, target: f64) -> Option<f64> {
        let difference = target - prediction;
        match self {
            Self::Absolute => Some(difference.abs()),
            Self::Squared | Self::RootSquared => Some(difference * difference),
            Self::AbsolutePercentage => (target != 0.0).then(|| difference.abs() / target.abs()),
            Self::SquaredLogarithmic | Self::RootSquaredLogarithmic => {
                (target >= 0.0 && prediction >= 0.0).then(|| {
                    let ratio = target.ln_1p() - prediction.ln_1p();
                    ratio * ratio
                })
            }
        }
    }

    /// What becomes of the mean of the losses.
    pub(super) fn metric(self, mean: f64) -> f64 {
        match self {
            Self::RootSquared | Self::RootSquaredLogarithmic => mean.sqrt(),
            Self::Absolute
            | Self::Squared
            | Self::AbsolutePercentage
            | Self::SquaredLogarithmic => mean,
        }
    }

    /// When there is no loss, and what to do.
    pub(super) fn undefined(self) -> &'static str {
        match self {
            Self::AbsolutePercentage => {
                "a share of the target is no number below 1e205; choose another loss"
            }
            Self::SquaredLogarithmic | Self::RootSquaredLogarithmic => {
                "it or the prediction is negative; choose another loss"
            }
            Self::Absolute | Self::Squared | Self::RootSquared => {
                "the loss is too large; scale the target down"
            }
        }
    }
}
