//! Does the drift hurt? What can be said of a model's performance before its labels are in, and what labels say later.

mod calibration;
mod cbpe;
mod check;
mod density_ratio;
mod estimate;
mod harm;
mod label_shift;
mod loss_estimation;
mod pape;
mod poisson_binomial;
mod risk;

pub use self::calibration::{Calibration, Calibrator, expected_calibration_error};
pub use self::cbpe::{
    BinaryEstimate, BinaryMetric, BusinessValues, Cbpe, CbpeSettings, ExpectedConfusion,
    MulticlassCbpe, MulticlassEstimate, MulticlassMetric, PerformanceBand, reference_thresholds,
};
pub use self::density_ratio::{DensityRatio, DensityRatioSettings};
pub use self::estimate::Estimate;
pub use self::harm::{DriftAndHarm, DriftFinding, HarmFinding, HarmSignal, HarmVerdict};
pub use self::label_shift::{ConfusionCounts, LabelShift, LabelShiftSettings};
pub use self::loss_estimation::{LossEstimator, LossEstimatorSettings, RegressionLoss};
pub use self::pape::Pape;
pub use self::poisson_binomial::PoissonBinomial;
pub use self::risk::{Arrival, BetUnit, RiskEvidence, RiskMonitor, RiskSettings, SourceRisk};
