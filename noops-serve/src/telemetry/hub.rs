//! All telemetry of one server in one place.

use std::collections::BTreeMap;
use std::num::NonZeroUsize;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::arm::{ArmRole, ArmTelemetry};
use super::labels::{LabelLimit, OTHER_LABEL};
use super::mission::{Indicator, Mission};
use super::model::{ModelSnapshot, ModelTelemetry};
use super::prometheus::{Exposition, write_arm, write_hub, write_model, write_triton};
use super::requests::RequestSnapshot;

/// Hands out the telemetry of versions and deployments, and reads all of it.
///
/// A version beyond the limit on labels shares the telemetry of the model `other`, so that whoever loads a thousand models does not
/// make a million time series.
///
/// # Examples
///
/// ```
/// use std::time::Duration;
///
/// use noops_serve::telemetry::{RequestOutcome, TelemetryHub};
///
/// let hub = TelemetryHub::default();
/// let fraud = hub.version("fraud", "1f2e");
/// fraud.record_request(RequestOutcome::Success, Duration::from_micros(7), 1);
/// let text = hub.to_prometheus();
/// let line = "noops_serve_requests_total{model=\"fraud\",version=\"1f2e\",outcome=\"success\"} 1\n";
/// assert!(text.contains(line));
/// assert!(text.contains("nv_inference_request_success{model=\"fraud\",version=\"1f2e\"} 1\n"));
/// ```
#[derive(Debug)]
pub struct TelemetryHub {
    limit: LabelLimit,
    held: Mutex<Held>,
}

#[derive(Debug, Default)]
struct Held {
    versions: BTreeMap<(String, String), Arc<ModelTelemetry>>,
    arms: BTreeMap<String, Arc<ArmTelemetry>>,
    /// Set by the host, by model; those of the whole server under no name.
    missions: BTreeMap<Option<String>, Mission>,
}

/// The telemetry of one version, read.
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use]
pub struct VersionReading {
    model: String,
    version: String,
    snapshot: ModelSnapshot,
}

impl VersionReading {
    /// The label of the model.
    #[must_use]
    pub fn model(&self) -> &str {
        &self.model
    }

    /// The label of the version.
    #[must_use]
    pub fn version(&self) -> &str {
        &self.version
    }

    /// What was counted.
    pub fn snapshot(&self) -> &ModelSnapshot {
        &self.snapshot
    }
}

impl TelemetryHub {
    /// A hub with at most `labels` distinct pairs of model and version, and as many models with arms.
    #[must_use]
    pub fn new(labels: NonZeroUsize) -> Self {
        Self {
            limit: LabelLimit::new(labels),
            held: Mutex::default(),
        }
    }

    /// The telemetry of a version, made when it is asked for the first time. Keep it: this takes a lock.
    #[must_use]
    pub fn version(&self, model: &str, version: &str) -> Arc<ModelTelemetry> {
        let key = if self.admits(&version_key(model, version)) {
            (model.to_owned(), version.to_owned())
        } else {
            (OTHER_LABEL.to_owned(), OTHER_LABEL.to_owned())
        };
        self.lock().versions.entry(key).or_default().clone()
    }

    /// Tells of these versions and arms and of no others: model, version and telemetry of each; model and telemetry of its arms.
    pub(crate) fn tell_of_only(
        &self,
        versions: Vec<(String, String, Arc<ModelTelemetry>)>,
        arms: Vec<(String, Arc<ArmTelemetry>)>,
    ) {
        let mut told = BTreeMap::new();
        for (model, version, telemetry) in versions {
            let key = if self.admits(&version_key(&model, &version)) {
                (model, version)
            } else {
                (OTHER_LABEL.to_owned(), OTHER_LABEL.to_owned())
            };
            told.insert(key, telemetry);
        }
        let mut told_arms = BTreeMap::new();
        for (model, telemetry) in arms {
            let admitted = self.admits(&arm_key(&model));
            let model = if admitted {
                model
            } else {
                OTHER_LABEL.to_owned()
            };
            told_arms.insert(model, telemetry);
        }
        let mut held = self.lock();
        let before = std::mem::replace(&mut held.versions, told.clone());
        let arms_before = std::mem::replace(&mut held.arms, told_arms.clone());
        drop(held);
        for (model, version) in before.keys().filter(|key| !told.contains_key(*key)) {
            self.limit.release(&version_key(model, version));
        }
        for model in arms_before
            .keys()
            .filter(|model| !told_arms.contains_key(*model))
        {
            self.limit.release(&arm_key(model));
        }
    }

    /// The telemetry of the arms of a deployment, made when it is asked for the first time. Keep it: this takes a lock.
    #[must_use]
    pub fn arms(&self, model: &str) -> Arc<ArmTelemetry> {
        let key = if self.admits(&arm_key(model)) {
            model
        } else {
            OTHER_LABEL
        };
        self.lock().arms.entry(key.to_owned()).or_default().clone()
    }

    /// Stops telling about a version: it is served no more. Its counters are lost; a monitoring system has them.
    pub fn forget_version(&self, model: &str, version: &str) {
        let key = (model.to_owned(), version.to_owned());
        if self.lock().versions.remove(&key).is_some() {
            self.limit.release(&version_key(model, version));
        }
    }

    /// Stops telling about a deployment: its arms and its indicators.
    pub fn forget_model(&self, model: &str) {
        let mut held = self.lock();
        let gone = held.arms.remove(model).is_some();
        held.missions.remove(&Some(model.to_owned()));
        drop(held);
        if gone {
            self.limit.release(&arm_key(model));
        }
    }

    /// Sets an indicator of a model, or of the whole server, that only the host can know. It stands in place of the runtime's own
    /// value. A value that is not finite takes it back.
    ///
    /// An indicator of a model that has no telemetry here is ignored, so that names from outside make no series.
    pub fn set_indicator(&self, model: Option<&str>, indicator: Indicator, value: f64) {
        let mut held = self.lock();
        if model.is_some_and(|model| !held.knows(model)) {
            return;
        }
        let mission = held.missions.entry(model.map(str::to_owned)).or_default();
        mission.set(indicator, value);
    }

    /// The telemetry of every version.
    #[must_use]
    pub fn versions(&self) -> Vec<VersionReading> {
        let versions = self.lock().versions.clone();
        let read = |((model, version), telemetry): ((_, _), Arc<ModelTelemetry>)| VersionReading {
            model,
            version,
            snapshot: telemetry.snapshot(),
        };
        versions.into_iter().map(read).collect()
    }

    /// The indicators of every model: M1 and M2 over all its versions, and what the host has set.
    #[must_use]
    pub fn missions(&self) -> BTreeMap<String, Mission> {
        self.missions_of(&self.versions())
    }

    /// The indicators of the whole server: M12 over its models (a model without a request is not covered), and what the host has
    /// set.
    pub fn mission(&self) -> Mission {
        self.mission_of(&self.versions())
    }

    /// Everything as a Prometheus text: our own names, Triton's, and the mission's.
    ///
    /// # Complexity
    ///
    /// Linear in the number of versions, about 250 lines for each: off the path of requests.
    #[must_use]
    pub fn to_prometheus(&self) -> String {
        let mut exposition = Exposition::new();
        self.write(&mut exposition);
        exposition.to_text()
    }

    /// Writes everything into an exposition, to which a host may add its own metrics.
    pub fn write(&self, to: &mut Exposition) {
        let versions = self.versions();
        for read in &versions {
            write_model(to, &read.model, &read.version, &read.snapshot);
            write_triton(to, &read.model, &read.version, &read.snapshot);
        }
        let arms = self.lock().arms.clone();
        for (model, arms) in arms {
            for role in ArmRole::ALL {
                let seen = arms.of(role).snapshot();
                // A part that no version has played has no levels.
                if seen.total().requests() > 0 {
                    write_arm(to, &model, role.as_str(), &seen);
                }
            }
        }
        for (model, mission) in self.missions_of(&versions) {
            mission.write(to, &[("model", &model)]);
        }
        self.mission_of(&versions).write(to, &[]);
        write_hub(to, self.limit.overflowed());
    }

    fn missions_of(&self, versions: &[VersionReading]) -> BTreeMap<String, Mission> {
        let mut missions = BTreeMap::<String, Mission>::new();
        for (model, requests) in by_model(versions) {
            let mission = missions.entry(model.to_owned()).or_default();
            mission.observe_requests(&requests);
        }
        for (model, set) in &self.lock().missions {
            if let Some(model) = model {
                missions.entry(model.clone()).or_default().overlay(set);
            }
        }
        missions
    }

    fn mission_of(&self, versions: &[VersionReading]) -> Mission {
        let models = by_model(versions);
        let covered = models
            .values()
            .filter(|requests| requests.total().requests() > 0);
        let mut mission = Mission::new();
        mission.observe_coverage(covered.count() as u64, models.len() as u64);
        if let Some(set) = self.lock().missions.get(&None) {
            mission.overlay(set);
        }
        mission
    }

    fn admits(&self, key: &str) -> bool {
        self.limit.admit(key) == key
    }

    fn lock(&self) -> MutexGuard<'_, Held> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Default for TelemetryHub {
    /// A hub with at most a thousand labels.
    fn default() -> Self {
        Self::new(LABELS)
    }
}

impl Held {
    fn knows(&self, model: &str) -> bool {
        self.arms.contains_key(model) || self.versions.keys().any(|(name, _)| name == model)
    }
}

fn by_model(versions: &[VersionReading]) -> BTreeMap<&str, RequestSnapshot> {
    let mut models = BTreeMap::<&str, RequestSnapshot>::new();
    for read in versions {
        let requests = models.entry(&read.model).or_default();
        requests.merge(read.snapshot.requests());
    }
    models
}

/// The keys of versions and of arms never meet, because no name has a line break before it.
fn version_key(model: &str, version: &str) -> String {
    format!("{model}\n{version}")
}

fn arm_key(model: &str) -> String {
    format!("\n{model}")
}

const LABELS: NonZeroUsize = NonZeroUsize::MIN.saturating_add(999);

#[cfg(test)]
mod tests;
