#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

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
#[cfg(feature = "feast")]
mod feast;
mod features;
mod hash;
#[cfg(any(feature = "feast", feature = "mlflow", feature = "ray"))]
mod http;
mod label;
mod lease;
mod memory;
#[cfg(feature = "tile-log")]
pub mod merkle;
#[cfg(feature = "mlflow")]
mod mlflow;
#[cfg(feature = "model-signing")]
pub mod model_signing;
mod name;
mod notifier;
mod registry;
mod rows;
mod schema;
mod secret;
#[cfg(any(feature = "sqlite", feature = "postgres"))]
mod sql;
mod state;
mod telemetry;
#[cfg(test)]
mod test_server;
#[cfg(feature = "tile-log")]
mod tile_log;
mod trainer;
mod training;
mod units;

pub use arrow_array;
pub use async_trait::async_trait;
pub use jiff::{self, Timestamp};

#[cfg(feature = "directory")]
pub use artifact::DirectoryArtifacts;
#[cfg(feature = "object-store")]
pub use artifact::ObjectArtifacts;
pub use artifact::{ArtifactDownload, ArtifactStore, ArtifactUpload};
pub use audit::{AuditEntry, AuditLog, AuditRecord, ChainError, verify_chain};
pub use batch::{Batch, Column, ColumnKind, Scores};
pub use clock::{Clock, ManualClock, SystemClock};
pub use column::{NumberColumn, TextColumn};
pub use contract::{Contract, FeatureRule, OutputRule, Remedy};
pub use digest::{Digest, DigestError};
pub use encoded::{Breach, Encoded, Handling, Rejection, Violation};
pub use error::{Error, ErrorKind};
pub use evidence::{LogE, MeanBet};
pub use executor::{Executor, ModelLoader};
#[cfg(feature = "feast")]
pub use feast::{FeastFeatures, FeastSettings};
pub use features::{
    AsOfIndex, AsOfJoin, CellStatus, DatasetSnapshot, EVENT_TIME, FeatureFrame, FeatureHistory,
    FeatureLeakage, FeatureParity, FeatureSource, FeatureType, FeatureView, Freshness, KNOWN_AT,
    Knowledge, Leak, LeakageReport, Materialised, OnlineFeatures, ParityMismatch, ParityReport,
    Provenance, Pushed, Tolerance, ViewFeature, dataset_digest, feature_parity, leakage,
    materialise,
};
#[cfg(feature = "parquet")]
pub use features::{ParquetFeatures, ParquetRows, ParquetSettings, sort_by_availability};
pub use hash::unit_hash;
pub use label::{Label, Observed};
pub use lease::{FencingToken, Lease, LeaseStore};
pub use memory::{
    InMemoryArtifacts, InMemoryAuditLog, InMemoryFeatures, InMemoryLeases, InMemoryNotifier,
    InMemoryRegistry, InMemoryStates,
};
#[cfg(feature = "mlflow")]
pub use mlflow::{ForeignWrite, MlflowRegistry, MlflowSettings};
pub use name::{Alias, LeaseName, ModelName, NameError};
pub use notifier::{Notification, Notifier, Severity};
pub use registry::{
    AliasMove, AliasTarget, Deletion, Lineage, ModelRegistry, ModelVersion, Registration,
    Retention, apply_retention,
};
pub use rows::Rows;
pub use schema::{Feature, FeatureKind, Schema};
pub use secret::{
    EnvironmentSecrets, FileSecrets, InMemorySecrets, Secret, SecretName, Secrets, with_secret,
};
#[cfg(any(feature = "sqlite", feature = "postgres"))]
pub use sql::{
    SqlArtifacts, SqlAuditLog, SqlDatabase, SqlFeatures, SqlLeases, SqlRegistry, SqlStates,
};
pub use state::{Snapshot, StateStore};
#[cfg(feature = "parquet")]
pub use telemetry::write_parquet;
pub use telemetry::{
    LabelOutcome, PredictionRecord, PredictionStatus, TelemetryBuffer, TelemetryCounts,
    TelemetryFile, TelemetryManifest, TelemetrySettings, sampling_bucket, telemetry_schema,
};
#[cfg(feature = "tile-log")]
pub use tile_log::{
    Commitment, ExportSettings, FileWitness, PersonalData, Proof, SignedCheckpoint, TileLog,
    TileLogSettings, VerifiedExport, VerifiedLog, Witness, verify_directory, verify_export,
};
pub use trainer::{Holdout, TimeSpan, TrainedModel, Trainer, TrainingRequest};
#[cfg(feature = "sweep")]
pub use training::sweep;
pub use training::{
    DueRun, Heartbeat, JobReport, JobSpec, RunEvent, RunId, RunStatus, Schedule, ScheduleError,
    TrainingJobs, Trigger, TriggerState,
};
#[cfg(feature = "local-training")]
pub use training::{JobContext, JobOutput, LocalSettings, LocalTrainer, LocalWork, Reservation};
#[cfg(any(feature = "local-training", feature = "ray"))]
pub use training::{JobPlan, JobPlanner, JobTrainer, JobTrainerSettings};
#[cfg(feature = "ray")]
pub use training::{RayJobs, RaySettings};
pub use units::{Alpha, Probability, Share, UnitError};
