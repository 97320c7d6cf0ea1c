//! Models on other servers: a client of the Open Inference Protocol that survives them.
//!
//! [`RemoteModel`] asks a server over REST, in binary where the server can, and [`RemoteExecutor`] makes it an executor. Around every
//! request stand three machines that a host may also use alone. None of them reads a clock or sleeps: [`Retries`] decides whether a failed
//! call is made again, [`Hedges`] when a slow one gets a second beside it, and [`Breaker`] when a server is left alone.
//!
//! # Examples
//!
//! ```no_run
//! use std::sync::Arc;
//! use std::time::Duration;
//! use noops_core::{Batch, Column, Contract, Feature, FeatureRule, OutputRule, SystemClock};
//! use noops_serve::remote::{RemoteModel, RemoteSettings};
//!
//! # async fn ask() -> Result<(), noops_core::Error> {
//! let contract = Contract::new(
//!     [FeatureRule::strict(Feature::number("age")), FeatureRule::strict(Feature::number("visits"))],
//!     OutputRule::probability(),
//! )?;
//! let settings = RemoteSettings::new("http://models.internal:8000", "churn");
//! let model = RemoteModel::connect(settings, &contract, Arc::new(SystemClock), Duration::from_secs(5)).await?;
//! let batch = Batch::new(vec![Column::Number(vec![41.0]), Column::Number(vec![7.0])])?;
//! let scores = model.infer(&batch, Duration::from_millis(50)).await?;
//! assert_eq!(scores.rows(), 1);
//! # Ok(())
//! # }
//! ```

mod binding;
mod breaker;
mod budget;
mod channel;
mod codec;
mod elapsed;
mod executor;
mod failure;
mod hedge;
mod model;
mod probe;
mod random;
mod retry;
mod settings;
#[cfg(test)]
mod test_server;

pub use breaker::{Breaker, BreakerOpen, BreakerSettings, BreakerState, CallOutcome, Permit};
pub use executor::RemoteExecutor;
pub use hedge::{HedgeSettings, Hedges};
pub use model::{RemoteCounts, RemoteModel};
pub use probe::{Agreement, ProbeReport};
pub use random::SplitMix64;
pub use retry::{Retries, RetryDecision, RetrySettings, RetryStop, Retryable};
pub use settings::{Encoding, RemoteSettings};

#[cfg(test)]
mod tests;
