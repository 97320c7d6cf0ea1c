pub use self::batch::{SampleRatioTest, srm_chi_square};
pub use self::ramped::RampedSampleRatio;
pub use self::settings::AllocationSettings;
pub use self::strata::SampleRatioMismatch;
pub use self::verdict::{ArmAllocation, SampleRatioVerdict};

mod batch;
mod ramped;
mod settings;
mod strata;
mod verdict;

#[cfg(test)]
mod tests;
