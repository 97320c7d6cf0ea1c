#![doc = include_str!("../README.md")]

mod artifact;
mod audit;
mod batch;
mod clock;
mod column;
#[cfg(feature = "conformance")]
pub mod conformance;
mod contract;
mod digest;
mod encoded;
mod error;
mod evidence;
mod executor;
mod feature_source;
mod label;
mod memory;
mod name;
mod notifier;
mod registry;
mod schema;
#[cfg(feature = "sqlite")]
mod sqlite;
mod state;
mod trainer;
mod units;

pub use arrow_array;
pub use async_trait::async_trait;
pub use jiff::{self, Timestamp};

pub use artifact::ArtifactStore;
pub use audit::{AuditEntry, AuditLog, AuditRecord, ChainError, verify_chain};
pub use batch::{Batch, Column, Scores};
pub use clock::{Clock, ManualClock, SystemClock};
pub use column::{NumberColumn, TextColumn};
pub use contract::{Contract, FeatureRule, OutputRule, Remedy};
pub use digest::{Digest, DigestError};
pub use encoded::{Breach, Encoded, Rejection, Violation};
pub use error::{Error, ErrorKind};
pub use evidence::{LogE, MeanBet};
pub use executor::{Executor, ModelLoader};
pub use feature_source::{FeatureSource, FeatureView};
pub use label::{Label, Observed};
pub use memory::{
    InMemoryArtifacts, InMemoryAuditLog, InMemoryNotifier, InMemoryRegistry, InMemoryStates,
};
pub use name::{Alias, ModelName, NameError};
pub use notifier::{Notification, Notifier, Severity};
pub use registry::{AliasMove, AliasTarget, Lineage, ModelRegistry, ModelVersion, Registration};
pub use schema::{Feature, FeatureKind, Schema};
#[cfg(feature = "sqlite")]
pub use sqlite::{Sqlite, SqliteArtifacts, SqliteAuditLog, SqliteRegistry, SqliteStates};
pub use state::{Snapshot, StateStore};
pub use trainer::{Holdout, TimeSpan, TrainedModel, Trainer, TrainingRequest};
pub use units::{Alpha, Probability, Share, UnitError};
