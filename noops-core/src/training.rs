//! Training runs: what to run, where it runs, when it runs, and which parameters to try.

mod cron;
#[cfg(any(feature = "local-training", feature = "ray"))]
mod job_trainer;
mod jobs;
#[cfg(feature = "local-training")]
mod local;
mod log_tail;
#[cfg(feature = "ray")]
mod ray;
mod report;
mod run;
mod spec;
#[cfg(feature = "sweep")]
pub mod sweep;
mod trigger;

pub use cron::{Schedule, ScheduleError};
#[cfg(any(feature = "local-training", feature = "ray"))]
pub use job_trainer::{JobPlan, JobPlanner, JobTrainer, JobTrainerSettings};
pub use jobs::TrainingJobs;
#[cfg(feature = "local-training")]
pub use local::{JobContext, JobOutput, LocalSettings, LocalTrainer, LocalWork, Reservation};
#[cfg(feature = "ray")]
pub use ray::{RayJobs, RaySettings};
pub use report::JobReport;
pub use run::{Heartbeat, RunEvent, RunId, RunStatus};
pub use spec::JobSpec;
pub use trigger::{DueRun, Trigger, TriggerState};
