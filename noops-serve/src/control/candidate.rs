//! From trained bytes to a version worth comparing.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow_array::RecordBatch;
use jiff::Timestamp;
use noops_canary::CanaryError;
use noops_canary::offline::{Evaluation, OfflineVerdict, compare};
use noops_core::{
    ArtifactStore, Digest, Error, ErrorKind, Holdout, ModelLoader, ModelVersion, Registration,
    TrainedModel,
};
use noops_drift::{Counts, GateVerdict};

use super::reference::{Reference, drift_error, quality_gate};
use super::settings::ControlSettings;
use crate::runtime::ServedModel;

/// What the offline gate says of a candidate.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Offline {
    /// There is no champion to compare it with.
    First,
    /// It was compared with the champion on rows neither was trained on.
    Compared {
        verdict: &'static str,
        difference: f64,
    },
}

/// A trained candidate that has been loaded and measured, but not registered.
#[derive(Debug)]
pub(super) struct Candidate {
    pub(super) registration: Registration,
    pub(super) offline: Offline,
    /// What the quality gate that the training rows suggest says of the held-out rows.
    pub(super) data: GateVerdict,
}

impl Candidate {
    /// Stores the artifact, loads it as a service would, and measures it on the holdout beside the champion.
    pub(super) async fn measure(
        trained: &TrainedModel,
        champion: Option<&ServedModel>,
        artifacts: &dyn ArtifactStore,
        loader: &dyn ModelLoader,
        settings: &ControlSettings,
        now: Timestamp,
    ) -> Result<Self, Error> {
        let digest = artifacts.put(&trained.artifact).await?;
        let mut registration = Registration {
            model: settings.model.clone(),
            digest,
            contract: trained.contract.clone(),
            metrics: BTreeMap::new(),
            parameters: trained.parameters.clone(),
            profile: None,
            lineage: trained.lineage.clone(),
            registered_at: now,
        };
        let unnumbered = ModelVersion::new(0, registration.clone());
        let model = ServedModel::load(unnumbered, &trained.artifact, loader).await?;
        let scores = score_all(&model, &trained.holdout.features)?;
        let accepted = scores
            .iter()
            .zip(&trained.holdout.labels)
            .filter_map(|(score, label)| Some(((*score)?, *label)));
        let (known, labels): (Vec<f64>, Vec<bool>) = accepted.unzip();
        registration.metrics = metrics(&known, &labels)?;
        let reference = Reference::fit(&trained.reference, &known, &settings.profile)?;
        let data = judge_data(&reference, &trained.holdout.features, settings)?;
        let profile = serde_json::to_value(&reference)
            .map_err(|error| invalid("its profile is not JSON").caused_by(error))?;
        registration.profile = Some(profile);
        let offline = match champion {
            None => Offline::First,
            Some(champion) => compare_on(&trained.holdout, champion, &scores, settings)?,
        };
        Ok(Self {
            registration,
            offline,
            data,
        })
    }

    pub(super) fn digest(&self) -> Digest {
        self.registration.digest
    }
}

/// Loads a registered version for service.
pub(super) async fn load(
    version: ModelVersion,
    artifacts: &dyn ArtifactStore,
    loader: &dyn ModelLoader,
) -> Result<Arc<ServedModel>, Error> {
    let artifact = artifacts.load(&version.digest()).await?;
    ServedModel::load(version, &artifact, loader).await
}

/// Rows that came after those learned from must look like them, or one of the two is broken.
fn judge_data(
    reference: &Reference,
    held_out: &RecordBatch,
    settings: &ControlSettings,
) -> Result<GateVerdict, Error> {
    let mut counts = Counts::new(&reference.inputs);
    counts
        .observe(&reference.inputs, held_out)
        .map_err(drift_error)?;
    let gate = quality_gate(reference, settings)?;
    let report = gate
        .check(&reference.inputs, &counts)
        .map_err(drift_error)?;
    Ok(report.verdict())
}

fn compare_on(
    holdout: &Holdout,
    champion: &ServedModel,
    scores: &[Option<f64>],
    settings: &ControlSettings,
) -> Result<Offline, Error> {
    let champion_scores = score_all(champion, &holdout.features)?;
    // On the rows that both accept: a champion with a strict contract must not stand in the way of one that knows more.
    let mut both: (Vec<f64>, Vec<f64>, Vec<bool>, Vec<u64>) = Default::default();
    let rows = champion_scores
        .iter()
        .zip(scores)
        .zip(&holdout.labels)
        .zip(&holdout.blocks);
    for (((champion, candidate), label), block) in rows {
        if let (Some(champion), Some(candidate)) = (champion, candidate) {
            both.0.push(*champion);
            both.1.push(*candidate);
            both.2.push(*label);
            both.3.push(*block);
        }
    }
    let compared = compare(
        &both.0,
        &both.1,
        &both.2,
        &both.3,
        settings.offline_margin,
        settings.offline_alpha,
    )
    .map_err(canary_error)?;
    let verdict = match compared.verdict() {
        OfflineVerdict::NonInferior => "non-inferior",
        OfflineVerdict::Inferior => "inferior",
        OfflineVerdict::Undecided => "undecided",
    };
    Ok(Offline::Compared {
        verdict,
        difference: compared.mean_difference(),
    })
}

fn metrics(scores: &[f64], labels: &[bool]) -> Result<BTreeMap<String, f64>, Error> {
    let evaluation = Evaluation::of(scores, labels).map_err(canary_error)?;
    let mut metrics = BTreeMap::from([
        ("brier".to_owned(), evaluation.brier().value()),
        ("log_loss".to_owned(), evaluation.log_loss().value()),
        (
            "calibration_error".to_owned(),
            evaluation.calibration_error().value(),
        ),
    ]);
    if let Some(auc) = evaluation.auc() {
        metrics.insert("auc".to_owned(), auc.value());
    }
    Ok(metrics)
}

/// Scores rows as the service would; `None` where the contract refuses a row.
fn score_all(model: &ServedModel, rows: &RecordBatch) -> Result<Vec<Option<f64>>, Error> {
    let encoded = model.contract().encode(rows)?;
    let answers = model.score_now(encoded.batch())?;
    let mut scores = vec![None; rows.num_rows()];
    for (row, answer) in encoded.accepted().iter().zip(answers) {
        if let Some(score) = scores.get_mut(*row) {
            *score = Some(f64::from(answer));
        }
    }
    Ok(scores)
}

fn canary_error(error: CanaryError) -> Error {
    invalid(&error.to_string())
}

fn invalid(message: &str) -> Error {
    Error::new(ErrorKind::Invalid, "measure a candidate", message)
}
