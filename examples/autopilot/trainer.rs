//! Training on what has landed, and loading what was trained.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use arrow_array::{ArrayRef, BooleanArray, RecordBatch, UInt32Array};
use arrow_select::take::take_record_batch;
use noops_core::{
    Contract, DatasetSnapshot, Digest, Error, ErrorKind, Executor, FeatureKind, FeatureRule,
    FeatureSource, Holdout, Knowledge, Lineage, ModelLoader, ModelVersion, NumberColumn,
    OutputRule, Remedy, Schema, Timestamp, TrainedModel, Trainer, TrainingRequest, async_trait,
};
use rand::SeedableRng;
use rand::rngs::ChaCha8Rng;
use rand::seq::SliceRandom;

use crate::features::Upstream;
use crate::network::{Network, Schedule};

/// Trains on every flight that had landed at the snapshot and was not quarantined; the last days are held out for the gate.
#[derive(Debug)]
pub(crate) struct FlightTrainer {
    upstream: Arc<Upstream>,
    history: Arc<dyn FeatureSource>,
    seed: u64,
}

/// Whether the labels are the true ones.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Labels {
    True,
    /// Dealt out at random: the accident of August.
    Shuffled,
}

impl FlightTrainer {
    pub(crate) fn new(upstream: Arc<Upstream>, history: Arc<dyn FeatureSource>, seed: u64) -> Self {
        Self {
            upstream,
            history,
            seed,
        }
    }

    /// Trains with true or shuffled labels.
    pub(crate) async fn train_on(
        &self,
        request: &TrainingRequest,
        labels: Labels,
    ) -> Result<TrainedModel, Error> {
        let rows = self.labelled_rows(request)?;
        let held_out_from = request.snapshot_at.as_second() - HOLDOUT_DAYS * 86_400;
        let (held_out, fitted): (Vec<Row>, Vec<Row>) = rows
            .into_iter()
            .partition(|row| row.scheduled.as_second() >= held_out_from);
        if fitted.is_empty() || held_out.is_empty() {
            return Err(failed("too few flights have landed").with("run", &request.run));
        }
        let last = held_out
            .iter()
            .chain(&fitted)
            .map(|row| row.flight)
            .max()
            .unwrap_or(0);
        let table = self
            .upstream
            .request(0, last + 1, self.history.as_ref())
            .await?;
        let features = pick(&table, &fitted)?;
        let holdout = Holdout {
            features: pick(&table, &held_out)?,
            labels: held_out.iter().map(|row| row.late).collect(),
            blocks: held_out
                .iter()
                .map(|row| (row.scheduled.as_second() / 86_400) as u64)
                .collect(),
        };
        let seed = seed_of(self.seed, &request.run);
        let mut late: Vec<bool> = fitted.iter().map(|row| row.late).collect();
        if labels == Labels::Shuffled {
            late.shuffle(&mut ChaCha8Rng::seed_from_u64(seed));
        }
        let contract = contract_for(&features)?;
        let snapshot = DatasetSnapshot::of(
            self.history.view(),
            &[training_frame(&features, &late)?],
            Knowledge::AtRowTime,
            request.snapshot_at,
        )?;
        let lineage = Lineage {
            training_run: request.run.clone(),
            dataset: Some(snapshot.digest()),
            feature_view: Some(snapshot.view()),
            code_revision: env!("CARGO_PKG_VERSION").to_owned(),
            parent: request.parent,
        };
        let reference = vec![features];
        // Minutes of arithmetic belong on a thread of their own.
        tokio::task::spawn_blocking(move || fit(contract, reference, &late, holdout, lineage, seed))
            .await
            .unwrap_or_else(|gone| Err(failed("the training thread ended").caused_by(gone)))
    }

    /// The flights that had landed at the snapshot, by schedule.
    fn labelled_rows(&self, request: &TrainingRequest) -> Result<Vec<Row>, Error> {
        let flights = self.upstream.flights();
        let rows = flights
            .scheduled
            .iter()
            .zip(&flights.lands)
            .zip(&flights.late)
            .enumerate()
            .filter_map(|(flight, ((scheduled, lands), late))| {
                let known = (*lands)? <= request.snapshot_at;
                let admitted = !request
                    .quarantined
                    .iter()
                    .any(|span| span.contains(*scheduled));
                (known && admitted).then_some(Row {
                    flight,
                    scheduled: *scheduled,
                    late: (*late)?,
                })
            });
        Ok(rows.collect())
    }
}

#[async_trait]
impl Trainer for FlightTrainer {
    fn expected_duration(&self) -> Duration {
        Duration::from_secs(2 * 60 * 60)
    }

    async fn train(&self, request: &TrainingRequest) -> Result<TrainedModel, Error> {
        self.train_on(request, Labels::True).await
    }
}

/// Reads networks back.
#[derive(Clone, Copy, Debug)]
pub(crate) struct NetworkLoader;

#[async_trait]
impl ModelLoader for NetworkLoader {
    async fn load(
        &self,
        version: &ModelVersion,
        artifact: &[u8],
    ) -> Result<Box<dyn Executor>, Error> {
        Network::executor(&version.registration().contract, artifact)
    }
}

/// A flight to learn from.
#[derive(Clone, Copy, Debug)]
struct Row {
    flight: usize,
    scheduled: Timestamp,
    late: bool,
}

fn fit(
    contract: Contract,
    reference: Vec<RecordBatch>,
    late: &[bool],
    holdout: Holdout,
    lineage: Lineage,
    seed: u64,
) -> Result<TrainedModel, Error> {
    let features = reference
        .first()
        .ok_or_else(|| failed("there are no features"))?;
    let encoded = contract.encode(features)?;
    let schedule = Schedule {
        rows_seen: 500_000,
        most_epochs: 10,
        learning_rate: 3e-3,
        batch: 512,
    };
    let network = Network::train(&contract, encoded.batch(), late, &schedule, seed);
    let artifact = network.to_bytes()?;
    let parameters = BTreeMap::from([
        ("rows".to_owned(), late.len().to_string()),
        (
            "learning_rate".to_owned(),
            schedule.learning_rate.to_string(),
        ),
        ("batch".to_owned(), schedule.batch.to_string()),
        ("seed".to_owned(), seed.to_string()),
    ]);
    Ok(TrainedModel {
        artifact,
        contract,
        parameters,
        lineage,
        reference,
        holdout,
    })
}

/// A contract that reads its ranges and categories off the training rows, fills what is missing with the mean, and takes what
/// is out of range or unknown as the nearest it knows: a service that must always answer.
fn contract_for(features: &RecordBatch) -> Result<Contract, Error> {
    let schema = Schema::infer(std::slice::from_ref(features))?;
    let rules = schema.features().iter().map(|feature| {
        let missing = match feature.kind() {
            FeatureKind::Number { .. } => Remedy::Impute(mean(features, feature.name())),
            FeatureKind::Category { .. } => Remedy::Clamp,
        };
        FeatureRule::strict(feature.clone())
            .with_missing(missing)
            .with_outside(Remedy::Clamp)
    });
    Contract::new(rules, OutputRule::probability())
}

fn mean(features: &RecordBatch, name: &str) -> f64 {
    let Some(numbers) = features
        .column_by_name(name)
        .and_then(|column| NumberColumn::try_new(column.as_ref()))
    else {
        return 0.0;
    };
    let (sum, count) = numbers
        .iter()
        .flatten()
        .filter(|value| value.is_finite())
        .fold((0.0, 0.0), |(sum, count), value| (sum + value, count + 1.0));
    if count > 0.0 { sum / count } else { 0.0 }
}

fn pick(table: &RecordBatch, rows: &[Row]) -> Result<RecordBatch, Error> {
    let indices: UInt32Array = rows.iter().map(|row| Some(row.flight as u32)).collect();
    take_record_batch(table, &indices)
        .map_err(|error| failed("rows cannot be picked").caused_by(error))
}

/// The rows that are learned from, with their labels as the last column.
fn training_frame(features: &RecordBatch, late: &[bool]) -> Result<RecordBatch, Error> {
    let schema = features.schema();
    let mut columns: Vec<(String, ArrayRef)> = schema
        .fields()
        .iter()
        .zip(features.columns())
        .map(|(field, column)| (field.name().clone(), column.clone()))
        .collect();
    let labels: ArrayRef = Arc::new(BooleanArray::from(late.to_vec()));
    columns.push((LABEL.to_owned(), labels));
    RecordBatch::try_from_iter(columns)
        .map_err(|error| failed("the labels do not fit the features").caused_by(error))
}

/// The same run has the same seed, however often it is asked for.
fn seed_of(seed: u64, run: &str) -> u64 {
    let digest = Digest::of_parts([&seed.to_le_bytes()[..], run.as_bytes()]);
    digest
        .as_bytes()
        .iter()
        .take(8)
        .fold(0, |seed, byte| seed << 8 | u64::from(*byte))
}

fn failed(message: &str) -> Error {
    Error::new(ErrorKind::Invalid, "train on flights", message)
}

const LABEL: &str = "late";

/// A week: every weekday, and enough blocks for the offline gate to have an opinion.
const HOLDOUT_DAYS: i64 = 7;
