//! The indicators M1 to M12 under names that do not change.

use std::collections::BTreeMap;

use noops_core::Probability;

use super::prometheus::{Exposition, Metric, MetricKind};
use super::requests::RequestSnapshot;

/// One of the mission's twelve indicators.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Indicator {
    /// M1: the 95th percentile of the latency of answered requests.
    PredictionLatency,
    /// M2: successes by requests.
    PredictionSuccess,
    /// M3: how well predictions agree with what came true.
    Accuracy,
    /// M4: the age of the newest features.
    DataFreshness,
    /// M5: training runs that passed by all runs.
    TrainingSuccess,
    /// M6: how far a canary's outputs are from the champion's.
    CanaryDivergence,
    /// M7: the share of drift checks above their threshold.
    DriftDetection,
    /// M8: the time from a spike to capacity.
    AutoscalerActivation,
    /// M9: the mean time from an incident to its remedy.
    TimeToRemediate,
    /// M10: cost by answered requests.
    CostPerInference,
    /// M11: how many times faster than allowed the error budget is used.
    BudgetBurnRate,
    /// M12: the share of services with indicators.
    ObservabilityCoverage,
}

impl Indicator {
    /// All indicators.
    pub const ALL: [Self; 12] = [
        Self::PredictionLatency,
        Self::PredictionSuccess,
        Self::Accuracy,
        Self::DataFreshness,
        Self::TrainingSuccess,
        Self::CanaryDivergence,
        Self::DriftDetection,
        Self::AutoscalerActivation,
        Self::TimeToRemediate,
        Self::CostPerInference,
        Self::BudgetBurnRate,
        Self::ObservabilityCoverage,
    ];

    /// The name of the metric. It does not change.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::PredictionLatency => "noops_m1_prediction_latency_p95_seconds",
            Self::PredictionSuccess => "noops_m2_prediction_success_ratio",
            Self::Accuracy => "noops_m3_model_accuracy_ratio",
            Self::DataFreshness => "noops_m4_data_freshness_seconds",
            Self::TrainingSuccess => "noops_m5_training_success_ratio",
            Self::CanaryDivergence => "noops_m6_canary_divergence",
            Self::DriftDetection => "noops_m7_drift_detection_ratio",
            Self::AutoscalerActivation => "noops_m8_autoscaler_activation_seconds",
            Self::TimeToRemediate => "noops_m9_time_to_remediate_mean_seconds",
            Self::CostPerInference => "noops_m10_cost_per_inference",
            Self::BudgetBurnRate => "noops_m11_error_budget_burn_rate",
            Self::ObservabilityCoverage => "noops_m12_observability_coverage_ratio",
        }
    }

    /// What the number means.
    #[must_use]
    pub fn definition(self) -> &'static str {
        match self {
            Self::PredictionLatency => {
                "M1: 95th percentile of the time from arrival to answer, over all answered requests since the start."
            }
            Self::PredictionSuccess => {
                "M2: successes / (requests - cancelled requests). A fallback is no success."
            }
            Self::Accuracy => {
                "M3: agreement of predictions with known labels, as the host defines it."
            }
            Self::DataFreshness => "M4: now - time of the last feature update.",
            Self::TrainingSuccess => "M5: training pipeline runs that passed / all runs.",
            Self::CanaryDivergence => {
                "M6: distance between the outputs of canary and champion, as the host's test defines it."
            }
            Self::DriftDetection => "M7: drift checks above their threshold / all drift checks.",
            Self::AutoscalerActivation => "M8: time from a spike of load to the capacity for it.",
            Self::TimeToRemediate => "M9: mean time from the start of an incident to its end.",
            Self::CostPerInference => {
                "M10: total cost / answered requests, in the currency of the cost given."
            }
            Self::BudgetBurnRate => {
                "M11: error ratio of a window / error ratio the objective allows."
            }
            Self::ObservabilityCoverage => "M12: services with indicators / all services.",
        }
    }
}

/// What is known of the indicators. What is not known is absent, never 0.
///
/// The runtime knows M1 and M2, M10 once it is told the cost, and M12 of its own models; a host sets the others.
///
/// # Examples
///
/// ```
/// use noops_serve::telemetry::{Exposition, Indicator, Mission};
///
/// let mut mission = Mission::new();
/// mission.set(Indicator::DataFreshness, 42.0);
/// mission.set(Indicator::Accuracy, f64::NAN);
/// assert_eq!(mission.value(Indicator::DataFreshness), Some(42.0));
/// assert_eq!(mission.value(Indicator::Accuracy), None);
///
/// let mut exposition = Exposition::new();
/// mission.write(&mut exposition, &[]);
/// assert!(exposition.to_text().ends_with("\nnoops_m4_data_freshness_seconds 42\n"));
/// ```
#[derive(Clone, Debug, Default, PartialEq)]
#[must_use]
pub struct Mission {
    known: BTreeMap<Indicator, f64>,
}

impl Mission {
    /// Nothing known.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets an indicator. A value that is not finite says that it is not known.
    pub fn set(&mut self, indicator: Indicator, value: f64) {
        if value.is_finite() {
            self.known.insert(indicator, value);
        } else {
            self.known.remove(&indicator);
        }
    }

    /// Forgets an indicator.
    pub fn clear(&mut self, indicator: Indicator) {
        self.known.remove(&indicator);
    }

    /// The value of an indicator, if it is known.
    #[must_use]
    pub fn value(&self, indicator: Indicator) -> Option<f64> {
        self.known.get(&indicator).copied()
    }

    /// Sets M1 and M2 from the requests seen. Without answered requests M1 is not known, without requests M2.
    pub fn observe_requests(&mut self, requests: &RequestSnapshot) {
        let p95 = Probability::new(0.95).ok();
        let p95 = p95.and_then(|q| requests.latency().quantile(q));
        let seconds = p95.map_or(f64::NAN, |nanoseconds| nanoseconds as f64 / 1e9);
        self.set(Indicator::PredictionLatency, seconds);
        let success = requests.success_ratio().unwrap_or(f64::NAN);
        self.set(Indicator::PredictionSuccess, success);
    }

    /// Sets M10 from a cost and the requests it paid for.
    pub fn observe_cost(&mut self, cost: f64, requests: &RequestSnapshot) {
        let answered = requests.answered().requests();
        // Without an answer the quotient is not finite: not known.
        self.set(Indicator::CostPerInference, cost / answered as f64);
    }

    /// Sets M12: how many of the services have indicators.
    pub fn observe_coverage(&mut self, covered: u64, services: u64) {
        let share = covered.min(services) as f64 / services as f64;
        self.set(Indicator::ObservabilityCoverage, share);
    }

    /// Writes what is known.
    pub fn write(&self, to: &mut Exposition, labels: &[(&str, &str)]) {
        for (indicator, value) in &self.known {
            let metric = Metric::new(indicator.name(), indicator.definition(), MetricKind::Gauge);
            to.sample(&metric, labels, *value);
        }
    }

    /// The values of another mission in place of mine where it knows them.
    pub(super) fn overlay(&mut self, other: &Self) {
        self.known.extend(&other.known);
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::telemetry::{RequestOutcome, RequestTelemetry};

    #[test]
    fn without_requests_nothing_is_known() {
        let mut mission = Mission::new();
        let none = RequestTelemetry::new().snapshot();
        mission.observe_requests(&none);
        mission.observe_cost(12.0, &none);
        mission.observe_coverage(0, 0);
        assert_eq!(mission, Mission::new());
        let mut exposition = Exposition::new();
        mission.write(&mut exposition, &[]);
        assert_eq!(exposition.to_text(), "");
    }

    #[test]
    fn a_fallback_costs_and_is_no_success() {
        let requests = RequestTelemetry::new();
        requests.record(RequestOutcome::Success, Duration::from_millis(1), 1);
        requests.record(RequestOutcome::Fallback, Duration::from_millis(1), 1);
        let seen = requests.snapshot();
        let mut mission = Mission::new();
        mission.observe_requests(&seen);
        mission.observe_cost(3.0, &seen);
        mission.observe_coverage(9, 12);
        assert_eq!(mission.value(Indicator::PredictionSuccess), Some(0.5));
        assert_eq!(mission.value(Indicator::CostPerInference), Some(1.5));
        assert_eq!(mission.value(Indicator::ObservabilityCoverage), Some(0.75));
        let latency = mission.value(Indicator::PredictionLatency).unwrap();
        assert!((latency - 0.001).abs() < 0.001 / 32.0);
    }

    #[test]
    fn names_are_numbered_and_never_shared() {
        for (index, indicator) in Indicator::ALL.into_iter().enumerate() {
            let (name, number) = (indicator.name(), index + 1);
            assert!(name.starts_with(&format!("noops_m{number}_")), "{name}");
            let definition = indicator.definition();
            assert!(definition.starts_with(&format!("M{number}: ")));
        }
    }
}
