//! One honest value of every type that is read from JSON, and what is done with it once it is read.

use std::collections::BTreeMap;
use std::time::Duration;

use noops_core::jiff::tz::TimeZone;
use noops_core::{
    Alias, AliasMove, AliasTarget, Alpha, AsOfIndex, AuditEntry, AuditRecord, Contract,
    DatasetSnapshot, Deletion, Digest, Feature, FeatureRule, FeatureType, FeatureView,
    FencingToken, Freshness, Heartbeat, JobSpec, Knowledge, Label, Lease, Lineage, LogE,
    Materialised, MeanBet, ModelName, ModelVersion, Notification, Observed, OutputRule,
    PredictionRecord, PredictionStatus, Probability, Pushed, Registration, Remedy, Retention,
    RunEvent, RunId, RunStatus, Schema, SecretName, Severity, Share, TelemetryBuffer,
    TelemetryManifest, TelemetrySettings, TimeSpan, Timestamp, Tolerance, TrainingRequest, Trigger,
    TriggerState, verify_chain,
};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

/// An honest value.
pub(crate) struct Sample {
    pub(crate) name: &'static str,
    pub(crate) json: Value,
    read: fn(&[u8]) -> bool,
}

impl Sample {
    /// Reads other text as the same type and uses what was read. Whether there was anything.
    pub(crate) fn read(&self, text: &[u8]) -> bool {
        (self.read)(text)
    }
}

/// Reads a value, which can then be written and read again without a change, and uses it.
fn read<T: DeserializeOwned + Serialize>(text: &[u8], use_it: impl FnOnce(T)) -> bool {
    let Ok(value) = serde_json::from_slice::<T>(text) else {
        return false;
    };
    let written = serde_json::to_string(&value).expect("what was read can be written");
    let again: T = serde_json::from_str(&written).expect("what was written can be read");
    assert_eq!(serde_json::to_string(&again).unwrap(), written);
    use_it(value);
    true
}

fn sample<T: Serialize>(name: &'static str, value: &T, read: fn(&[u8]) -> bool) -> Sample {
    Sample {
        name,
        json: serde_json::to_value(value).unwrap(),
        read,
    }
}

pub(crate) fn samples() -> Vec<Sample> {
    let mut samples = registry();
    samples.extend(audit());
    samples.extend(features());
    samples.extend(telemetry());
    samples.extend(training());
    samples.extend(small());
    samples
}

fn registry() -> Vec<Sample> {
    let change = AliasMove {
        alias: Alias::champion(),
        from: None,
        to: Some(digest()),
        at: second(1),
        token: FencingToken::new(3),
    };
    let target = change.after(None);
    let version = ModelVersion::new(1, registration());
    let retention = Retention::default().with_keep_newest(1);
    let deletion = Deletion {
        digest: digest(),
        at: second(2),
        token: FencingToken::new(3),
    };
    vec![
        sample("Registration", &registration(), |text| {
            read(text, |registration: Registration| {
                if registration.check().is_ok() {
                    let text = serde_json::to_string(&registration).unwrap();
                    let again: Registration = serde_json::from_str(&text).unwrap();
                    assert_eq!(again, registration);
                }
            })
        }),
        sample("ModelVersion", &version, |text| {
            read(text, |version: ModelVersion| {
                let newest = ModelVersion::new(u64::MAX, registration());
                let versions = [version, newest];
                let retention = Retention::default().with_keep_newest(0);
                let expired = retention.expired(&versions, &[], Timestamp::MAX);
                assert!(expired.len() <= 2);
            })
        }),
        sample("AliasMove", &change, |text| {
            read(text, |change: AliasMove| {
                let newest = change.after(Some(change.after(None)));
                assert!(newest.since >= change.at);
            })
        }),
        sample("AliasTarget", &target, |text| {
            read(text, |target: AliasTarget| {
                assert_eq!(AliasTarget::live_at(&[target], target.since), target.digest);
            })
        }),
        sample("Retention", &retention, |text| {
            read(text, |retention: Retention| {
                let versions = [ModelVersion::new(1, registration())];
                let history = AliasTarget {
                    digest: Some(digest()),
                    since: Timestamp::MIN,
                    token: FencingToken::NONE,
                };
                let expired = retention.expired(&versions, &[vec![history]], Timestamp::MAX);
                assert_eq!(expired, [] as [Digest; 0], "what is live is kept");
            })
        }),
        sample("Deletion", &deletion, |text| read(text, |_: Deletion| {})),
        sample("Contract", &contract(), |text| {
            read(text, |contract: Contract| {
                assert_eq!(contract.digest(), contract.clone().digest());
                let rows = crate::columns::batch(0, Vec::new());
                assert_eq!(contract.encode(&rows).is_ok(), contract.rules().is_empty());
            })
        }),
        sample("Lineage", &registration().lineage, |text| {
            read(text, |_: Lineage| {})
        }),
    ]
}

fn audit() -> Vec<Sample> {
    let record = AuditRecord {
        key: "promote/7".into(),
        at: second(7),
        kind: "promote".into(),
        body: json!({ "to": 7, "why": ["drift", 0.25, null] }),
        token: FencingToken::new(2),
    };
    let entry = AuditEntry::chain(0, record.clone(), AuditEntry::ORIGIN);
    let lease = Lease {
        name: "arrival-delay.control".parse().unwrap(),
        holder: "replica 1".into(),
        token: FencingToken::new(2),
        until: second(60),
    };
    vec![
        sample("AuditRecord", &record, |text| {
            read(text, |record: AuditRecord| {
                assert!(record.same_event(&record.clone()));
                let entry = AuditEntry::chain(0, record, AuditEntry::ORIGIN);
                assert_eq!(verify_chain(&[entry]), Ok(()));
            })
        }),
        sample("AuditEntry", &entry, |text| {
            read(text, |entry: AuditEntry| {
                let chained = AuditEntry::chain(0, entry.record.clone(), AuditEntry::ORIGIN);
                assert_eq!(
                    verify_chain(std::slice::from_ref(&entry)).is_ok(),
                    entry == chained
                );
            })
        }),
        sample("Lease", &lease, |text| read(text, |_: Lease| {})),
    ]
}

fn features() -> Vec<Sample> {
    let view = FeatureView::new("driver", "trips")
        .with_key("driver", FeatureType::Integer)
        .with_feature_in("trips", FeatureType::Number, "1/h")
        .with_ttl(Duration::from_secs(60))
        .with_owner("dispatch");
    let snapshot = DatasetSnapshot::of(&view, &[], Knowledge::Until(second(5)), second(6)).unwrap();
    let materialised = Materialised {
        from: None,
        until: second(9),
        pushed: Pushed::default(),
    };
    let freshness = Freshness {
        newest_event: Some(second(1)),
        newest_known: Some(second(2)),
        watermark: None,
    };
    let tolerance = Tolerance::new(0.5, 0.25).unwrap();
    vec![
        sample("FeatureView", &view, |text| {
            read(text, |view: FeatureView| {
                assert_eq!(view.version(), view.clone().version());
                if let Ok(mut index) = AsOfIndex::new(view.clone()) {
                    let rows = arrow_array::RecordBatch::new_empty(view.row_schema().into());
                    index.insert(&rows).unwrap();
                    let frame = index.as_of(&rows, &[], Knowledge::AtRowTime).unwrap();
                    assert_eq!(frame.values().num_columns(), view.features().len());
                }
            })
        }),
        sample("DatasetSnapshot", &snapshot, |text| {
            read(text, |snapshot: DatasetSnapshot| {
                snapshot.matches(&[]).unwrap();
            })
        }),
        sample("Materialised", &materialised, |text| {
            read(text, |_: Materialised| {})
        }),
        sample("Freshness", &freshness, |text| {
            read(text, |_: Freshness| {})
        }),
        sample("Tolerance", &tolerance, |text| {
            read(text, |_: Tolerance| {})
        }),
    ]
}

fn telemetry() -> Vec<Sample> {
    let prediction = PredictionRecord {
        request: "r-1".into(),
        unit: "customer-7".into(),
        at: second(0),
        model: model(),
        version: digest(),
        arm: Alias::champion(),
        share: Share::ZERO,
        status: PredictionStatus::Answered,
        score: Some(0.8),
    };
    let label = Label {
        request: "r-2".into(),
        observed: Observed::Positive,
        known_at: second(60),
    };
    let mut buffer = TelemetryBuffer::new(TelemetrySettings::default()).unwrap();
    buffer.predictions(std::slice::from_ref(&prediction));
    buffer.label(label.clone());
    let manifest = json!([{
        "digest": digest(), "from": second(0), "until": second(9), "rows": 3, "written_at": second(10),
    }]);
    vec![
        sample("PredictionRecord", &prediction, |text| {
            read(text, |prediction: PredictionRecord| {
                let mut buffer = TelemetryBuffer::new(TelemetrySettings::default()).unwrap();
                buffer.predictions(&[prediction]);
                buffer.drain(Timestamp::MAX).unwrap();
            })
        }),
        sample("Label", &label, |text| {
            read(text, |label: Label| {
                let mut buffer = TelemetryBuffer::new(TelemetrySettings::default()).unwrap();
                buffer.label(label);
                buffer.drain(Timestamp::MIN).unwrap();
            })
        }),
        sample("TelemetryBuffer", &buffer, |text| {
            read(text, |mut buffer: TelemetryBuffer| {
                for now in [Timestamp::MIN, second(100), Timestamp::MAX] {
                    buffer.drain(now).unwrap();
                }
                assert!(buffer.held_bytes() <= buffer.settings().max_bytes());
            })
        }),
        sample("TelemetrySettings", &TelemetrySettings::default(), |text| {
            read(text, |settings: TelemetrySettings| {
                drop(TelemetryBuffer::new(settings));
            })
        }),
        sample("TelemetryManifest", &manifest, |text| {
            read(text, |mut manifest: TelemetryManifest| {
                let files = manifest.files().len();
                let expired = manifest.expire(Timestamp::MAX, Duration::ZERO);
                assert_eq!(expired.len() + manifest.files().len(), files);
            })
        }),
    ]
}

fn training() -> Vec<Sample> {
    let spec = JobSpec::new(model(), second(100))
        .with_parameter("depth", "6")
        .with_dataset(digest())
        .with_memory_bytes(1 << 30)
        .with_entrypoint(["train", "--fast"]);
    let running = RunStatus::Running {
        since: second(0),
        heartbeat: Heartbeat {
            at: second(5),
            step: 2,
            value: Some(0.5),
        },
    };
    let succeeded = RunStatus::Succeeded {
        artifact: digest(),
        metrics: BTreeMap::from([("auc".to_owned(), 0.9)]),
    };
    let mut trigger = TriggerState::new(Trigger::Schedule("@daily".parse().unwrap()), second(0));
    trigger.request("by hand", second(3));
    let sweep = json!({
        "plan": digest(),
        "trials": { "0": {
            "index": 0,
            "parameters": { "rate": { "float": 0.5 }, "depth": { "integer": 3 }, "kind": { "category": "a" } },
            "reports": [[1, 0.5], [2, 0.25]],
            "outcome": { "completed": { "value": 0.25 } },
        } },
    });
    let request = TrainingRequest {
        run: "drift/7".into(),
        snapshot_at: second(7),
        parent: Some(digest()),
        quarantined: vec![TimeSpan {
            from: second(1),
            until: second(2),
        }],
    };
    let status: fn(&[u8]) -> bool = |text| {
        read(text, |status: RunStatus| {
            let was_terminal = status.is_terminal();
            let checked = RunEvent::Checked {
                deadline: Duration::MAX,
                heartbeat_limit: Some(Duration::ZERO),
            };
            let progressed = RunEvent::Progressed {
                step: u64::MAX,
                value: Some(f64::NAN),
            };
            let before = status.clone();
            let after = status
                .advance(RunEvent::Alive, Timestamp::MIN)
                .advance(progressed, Timestamp::MIN)
                .advance(checked, Timestamp::MAX);
            assert!(!was_terminal || after == before, "{before:?} was left");
        })
    };
    vec![
        sample("JobSpec", &spec, |text| {
            read(text, |spec: JobSpec| {
                let run = spec.run_id().to_string();
                assert!(run.parse::<RunId>().is_ok());
                assert_eq!(spec.environment()["NOOPS_RUN"], run);
            })
        }),
        sample("RunStatus: running", &running, status),
        sample("RunStatus: succeeded", &succeeded, status),
        sample("TriggerState", &trigger, |text| {
            read(text, |mut state: TriggerState| {
                state.event("drift", "a", second(4));
                for now in [Timestamp::MIN, second(1_000_000), Timestamp::MIN] {
                    let due = state.due(&TimeZone::UTC, now);
                    assert!(due.iter().all(|run| run.at() <= now));
                }
            })
        }),
        sample("SweepState", &sweep, |text| {
            read(text, |state: noops_core::sweep::SweepState| {
                assert!(
                    state
                        .trials()
                        .all(|trial| trial.value().is_none_or(f64::is_finite))
                );
            })
        }),
        sample("TrainingRequest", &request, |text| {
            read(text, |request: TrainingRequest| {
                for span in request.quarantined {
                    assert!(!span.contains(span.until));
                }
            })
        }),
    ]
}

fn small() -> Vec<Sample> {
    let half = Probability::new(0.5).unwrap();
    let schema = Schema::new([Feature::number("amount")]).unwrap();
    let notification = Notification {
        key: "drift/7".into(),
        severity: Severity::Page,
        title: "drift".into(),
        body: "since noon".into(),
        at: second(7),
    };
    let secret: SecretName = "registry-token".parse().unwrap();
    vec![
        sample("MeanBet", &MeanBet::new(half), |text| {
            read(text, |mut bet: MeanBet| {
                for x in [0.25, f64::NAN, f64::INFINITY, -1.0] {
                    bet.observe(x);
                }
                assert!(!bet.log_e().get().is_nan());
                assert!(bet.mean().is_finite());
            })
        }),
        sample("LogE", &LogE::new(3.0), |text| {
            read(text, |log_e: LogE| assert!(log_e.get().is_finite()))
        }),
        sample("Alpha", &Alpha::FIVE_PERCENT, |text| {
            read(text, |alpha: Alpha| {
                assert!(alpha.get() > 0.0 && alpha.get() < 1.0);
            })
        }),
        sample("Probability", &half, |text| {
            read(text, |probability: Probability| {
                assert!((0.0..=1.0).contains(&probability.get()));
            })
        }),
        sample("Share", &Share::ZERO, |text| {
            read(text, |share: Share| {
                assert!((0.0..=1.0).contains(&share.ratio()));
            })
        }),
        sample("Schema", &schema, |text| {
            read(text, |schema: Schema| {
                for feature in schema.features() {
                    assert_eq!(schema.feature(feature.name()), Some(feature));
                }
            })
        }),
        sample("Notification", &notification, |text| {
            read(text, |_: Notification| {})
        }),
        sample("ModelName", &model(), |text| {
            read(text, |name: ModelName| {
                assert!(!name.as_str().contains('/'))
            })
        }),
        sample("SecretName", &secret, |text| {
            read(text, |name: SecretName| {
                assert!(!name.as_str().contains('/'))
            })
        }),
        sample("Digest", &digest(), |text| {
            read(text, |digest: Digest| {
                assert_eq!(digest.to_string().len(), 64)
            })
        }),
    ]
}

fn contract() -> Contract {
    let rules = [
        FeatureRule::strict(Feature::number_between("amount", 0.0, 9.0))
            .with_missing(Remedy::Impute(1.0))
            .with_outside(Remedy::Clamp),
        FeatureRule::strict(Feature::category("country", ["de".into(), "se".into()])),
    ];
    Contract::new(rules, OutputRule::probability()).unwrap()
}

fn registration() -> Registration {
    let mut registration = Registration::new(model(), digest(), contract(), second(10));
    registration.metrics.insert("auc".into(), 0.9);
    registration.parameters.insert("depth".into(), "6".into());
    registration.profile = Some(json!({ "rows": 10, "columns": [] }));
    registration.lineage.training_run = "run 7".into();
    registration.lineage.dataset = Some(digest());
    registration
}

fn model() -> ModelName {
    "arrival-delay".parse().unwrap()
}

fn digest() -> Digest {
    Digest::of(b"weights")
}

fn second(second: i64) -> Timestamp {
    Timestamp::from_second(second).unwrap()
}
