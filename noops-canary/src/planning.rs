//! How long a rollout takes, what it can find, and how it will end, before it begins and while it runs.

mod baseline;
mod counted;
mod forecast;
mod laws;
mod passage;
mod plan;
mod question;
mod ramp;
mod requirement;
mod sample_size;
mod settings;
mod stage_sketch;
#[cfg(test)]
mod tests;
mod traffic;
mod walk;

pub use self::baseline::Baseline;
pub use self::forecast::{Forecast, FutilityVerdict, MetricForecast};
pub use self::plan::{MetricPlan, Plan, StagePlan};
pub use self::ramp::{ChosenShare, RampPlan, RampSettings, next_share};
pub use self::requirement::{HarmPlan, ProofPlan, Requirement};
pub use self::sample_size::{
    SampleSize, design_effect, requests_for_means, requests_for_non_inferiority,
    requests_for_superiority,
};
pub use self::settings::PlanSettings;
pub use self::stage_sketch::StageSketch;
pub use self::traffic::Traffic;
