//! Straight lines as models: how they answer, how they are loaded, how they are trained.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use noops_core::{
    Batch, Column, Contract, Digest, Error, ErrorKind, Executor, Feature, FeatureRule, Holdout,
    Lineage, ModelLoader, ModelVersion, OutputRule, Registration, Remedy, Scores, Timestamp,
    TrainedModel, Trainer, TrainingRequest, conformance,
};
use serde::{Deserialize, Serialize};

use crate::world::{DAY, Row, World, asked_at, features, hour_of};

/// A model: a line, cut to a probability.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Line {
    pub(crate) intercept: f64,
    pub(crate) slope: f64,
}

impl Line {
    pub(crate) fn to_bytes(self) -> Vec<u8> {
        serde_json::to_vec(&self).unwrap()
    }

    /// Least squares on rows that all have their number.
    fn fit(points: &[(f64, f64)]) -> Self {
        let n = points.len() as f64;
        let mean_x = points.iter().map(|(x, _)| x).sum::<f64>() / n;
        let mean_y = points.iter().map(|(_, y)| y).sum::<f64>() / n;
        let covariance: f64 = points
            .iter()
            .map(|(x, y)| (x - mean_x) * (y - mean_y))
            .sum();
        let variance: f64 = points.iter().map(|(x, _)| (x - mean_x).powi(2)).sum();
        let slope = covariance / variance;
        Self {
            intercept: mean_y - slope * mean_x,
            slope,
        }
    }
}

impl Executor for Line {
    fn run(&mut self, batch: &Batch) -> Result<Scores, Error> {
        let score = |x: &f32| (self.intercept + self.slope * f64::from(*x)).clamp(0.0, 1.0) as f32;
        Scores::new(1, batch.numbers().iter().map(score).collect())
    }
}

#[derive(Clone, Copy, Debug)]
pub(crate) struct LineLoader;

#[async_trait]
impl ModelLoader for LineLoader {
    async fn load(
        &self,
        _version: &ModelVersion,
        artifact: &[u8],
    ) -> Result<Box<dyn Executor>, Error> {
        match serde_json::from_slice::<Line>(artifact) {
            Ok(line) => Ok(Box::new(line)),
            Err(error) => {
                Err(
                    Error::new(ErrorKind::Corrupt, "load a line", "the artifact is none")
                        .caused_by(error),
                )
            }
        }
    }
}

/// How a trainer does its work.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Work {
    Honest,
    Failing,
    /// Returns a line that is almost certain of everything.
    Boastful,
}

/// Fits a line to the labels that are known at the snapshot, of rows that are not quarantined.
#[derive(Debug)]
pub(crate) struct LineTrainer {
    world: World,
    hours: i64,
    work: Mutex<Work>,
    requests: Mutex<Vec<TrainingRequest>>,
}

impl LineTrainer {
    /// Learns from the last days.
    pub(crate) fn new(world: World, days: i64) -> Self {
        Self {
            world,
            hours: days * DAY,
            work: Mutex::new(Work::Honest),
            requests: Mutex::new(Vec::new()),
        }
    }

    pub(crate) fn work(&self, work: Work) {
        *lock(&self.work) = work;
    }

    /// Everything that was asked for, a run that was cut off twice.
    pub(crate) fn requests(&self) -> Vec<TrainingRequest> {
        lock(&self.requests).clone()
    }

    fn known_rows(&self, request: &TrainingRequest) -> Vec<Row> {
        let now = hour_of(request.snapshot_at);
        let admitted = |row: &Row| {
            let at = asked_at(row.hour);
            !request.quarantined.iter().any(|span| span.contains(at))
        };
        (now - self.hours..now)
            .flat_map(|hour| self.world.rows(hour))
            .filter(|row| row.is_known_before(now) && admitted(row))
            .collect()
    }
}

#[async_trait]
impl Trainer for LineTrainer {
    fn expected_duration(&self) -> Duration {
        // Longer than a day, so that every training lives through a midnight.
        Duration::from_secs(30 * 3600)
    }

    async fn train(&self, request: &TrainingRequest) -> Result<TrainedModel, Error> {
        lock(&self.requests).push(request.clone());
        let work = *lock(&self.work);
        if work == Work::Failing {
            return Err(refuse("the machine is on fire"));
        }
        let rows = self.known_rows(request);
        let points: Option<Vec<(f64, f64)>> = rows
            .iter()
            .map(|row| Some((row.x?, f64::from(u8::from(row.outcome)))))
            .collect();
        let points = points.ok_or_else(|| refuse("a row has no number"))?;
        // The newest quarter is held out.
        let cut = rows.len() - rows.len() / 4;
        let (fitted, held_out) = rows.split_at(cut);
        let line = match work {
            Work::Boastful => Line {
                intercept: 0.97,
                slope: 0.03,
            },
            Work::Honest | Work::Failing => Line::fit(points.split_at(cut).0),
        };
        Ok(TrainedModel {
            artifact: line.to_bytes(),
            contract: contract(),
            parameters: BTreeMap::new(),
            lineage: Lineage {
                training_run: request.run.clone(),
                parent: request.parent,
                ..Lineage::default()
            },
            reference: vec![features(fitted.iter().map(|row| row.x).collect())],
            holdout: Holdout {
                features: features(held_out.iter().map(|row| row.x).collect()),
                labels: held_out.iter().map(|row| row.outcome).collect(),
                blocks: held_out
                    .iter()
                    .map(|row| row.hour.cast_unsigned())
                    .collect(),
            },
        })
    }
}

/// A service that always answers: what is missing is taken as the middle, what is out of range as the nearest end.
fn contract() -> Contract {
    let rule = FeatureRule::strict(Feature::number_between("x", 0.0, 1.0))
        .with_missing(Remedy::Impute(0.5))
        .with_outside(Remedy::Clamp);
    Contract::new([rule], OutputRule::probability()).unwrap()
}

fn refuse(message: &str) -> Error {
    Error::new(ErrorKind::Invalid, "fit a line", message)
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[tokio::test]
async fn lines_and_their_loader_keep_their_contracts() {
    let line = Line {
        intercept: 0.125,
        slope: 0.5,
    };
    let artifact = line.to_bytes();
    let model = "line".parse().unwrap();
    let digest = Digest::of(&artifact);
    let registration = Registration::new(model, digest, contract(), Timestamp::UNIX_EPOCH);
    let version = ModelVersion::new(1, registration);
    let rows = (0..20).map(|row| row as f32 / 20.0).collect();
    let batch = Batch::new(vec![Column::Number(rows)]).unwrap();
    conformance::executor::loader(&LineLoader, &version, &artifact, &batch).await;
}
