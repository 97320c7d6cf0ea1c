//! The same figures for OpenTelemetry.

use std::sync::Arc;

use noops_core::Probability;
use opentelemetry::KeyValue;
use opentelemetry::metrics::Meter;

use super::histogram::HistogramSnapshot;
use super::hub::{TelemetryHub, VersionReading};
use super::mission::Indicator;
use super::model::ServingEvent;
use super::requests::RequestOutcome;

/// The figures of a [`TelemetryHub`] as observable instruments of the host's meter: whatever the host exports with (OTLP over HTTP
/// or gRPC, a file) exports them too, and the path of requests knows nothing of it.
///
/// OpenTelemetry has no observable histogram, so that distributions appear as gauges of their quantiles, labelled `quantile`, over
/// everything since the start.
///
/// # Examples
///
/// ```
/// use std::sync::Arc;
///
/// use noops_serve::telemetry::{OpenTelemetryMetrics, TelemetryHub};
///
/// let hub = Arc::new(TelemetryHub::default());
/// let meter = opentelemetry::global::meter("my-service");
/// let metrics = OpenTelemetryMetrics::register(&meter, &hub);
/// assert!(metrics.instruments() > 10);
/// ```
#[derive(Debug)]
#[must_use]
pub struct OpenTelemetryMetrics {
    instruments: usize,
}

impl OpenTelemetryMetrics {
    /// Registers the instruments. They live as long as the host's meter provider and observe nothing once the hub is gone.
    pub fn register(meter: &Meter, hub: &Arc<TelemetryHub>) -> Self {
        let mut registration = Registration {
            meter,
            hub,
            instruments: 0,
        };
        registration.all();
        Self {
            instruments: registration.instruments,
        }
    }

    /// How many instruments were registered.
    #[must_use]
    pub fn instruments(&self) -> usize {
        self.instruments
    }
}

struct Registration<'a> {
    meter: &'a Meter,
    hub: &'a Arc<TelemetryHub>,
    instruments: usize,
}

impl Registration<'_> {
    fn all(&mut self) {
        self.counter("noops.serve.requests", "{request}", |read, observe| {
            for outcome in RequestOutcome::ALL {
                let total = read.snapshot().requests().of(outcome);
                observe(total.requests(), Some(("outcome", outcome.as_str())));
            }
        });
        self.counter("noops.serve.rows", "{row}", |read, observe| {
            for outcome in RequestOutcome::ALL {
                let total = read.snapshot().requests().of(outcome);
                observe(total.rows(), Some(("outcome", outcome.as_str())));
            }
        });
        self.counter("noops.serve.executions", "{execution}", |read, observe| {
            observe(read.snapshot().executions().executions(), None);
        });
        self.counter("noops.serve.events", "{event}", |read, observe| {
            for event in ServingEvent::ALL {
                let times = read.snapshot().events_of(event);
                observe(times, Some(("event", event.as_str())));
            }
        });
        self.gauge("noops.serve.pending.rows", "{row}", |read| {
            read.snapshot().pending_rows()
        });
        self.gauge("noops.serve.pending.requests", "{request}", |read| {
            read.snapshot().pending_requests()
        });
        self.gauge("noops.serve.pending.size", "By", |read| {
            read.snapshot().pending_bytes()
        });
        self.gauge("noops.serve.replicas", "{replica}", |read| {
            read.snapshot().replicas()
        });
        self.quantiles("noops.serve.request.duration", |read| {
            read.snapshot().requests().latency()
        });
        self.quantiles("noops.serve.queue.duration", |read| read.snapshot().queue());
        self.quantiles("noops.serve.compute.duration", |read| {
            read.snapshot().executions().infer()
        });
        Indicator::ALL
            .into_iter()
            .for_each(|indicator| self.indicator(indicator));
    }

    fn counter(
        &mut self,
        name: &'static str,
        unit: &'static str,
        read: impl Fn(&VersionReading, &mut dyn FnMut(u64, Option<(&'static str, &'static str)>))
        + Send
        + Sync
        + 'static,
    ) {
        let hub = Arc::downgrade(self.hub);
        self.meter
            .u64_observable_counter(name)
            .with_unit(unit)
            .with_callback(move |instrument| {
                for version in hub.upgrade().iter().flat_map(|hub| hub.versions()) {
                    read(&version, &mut |value, label| {
                        let mut attributes = attributes(&version);
                        attributes.extend(label.map(|(key, value)| KeyValue::new(key, value)));
                        instrument.observe(value, &attributes);
                    });
                }
            })
            .build();
        self.instruments += 1;
    }

    fn gauge(
        &mut self,
        name: &'static str,
        unit: &'static str,
        read: impl Fn(&VersionReading) -> u64 + Send + Sync + 'static,
    ) {
        let hub = Arc::downgrade(self.hub);
        self.meter
            .u64_observable_gauge(name)
            .with_unit(unit)
            .with_callback(move |instrument| {
                for version in hub.upgrade().iter().flat_map(|hub| hub.versions()) {
                    instrument.observe(read(&version), &attributes(&version));
                }
            })
            .build();
        self.instruments += 1;
    }

    fn quantiles(
        &mut self,
        name: &'static str,
        read: impl Fn(&VersionReading) -> &HistogramSnapshot + Send + Sync + 'static,
    ) {
        let hub = Arc::downgrade(self.hub);
        self.meter
            .f64_observable_gauge(name)
            .with_unit("s")
            .with_callback(move |instrument| {
                for version in hub.upgrade().iter().flat_map(|hub| hub.versions()) {
                    for q in QUANTILES {
                        let at = Probability::new(q).ok();
                        let Some(value) = at.and_then(|q| read(&version).quantile(q)) else {
                            continue;
                        };
                        let mut attributes = attributes(&version);
                        attributes.push(KeyValue::new("quantile", q));
                        instrument.observe(value as f64 / 1e9, &attributes);
                    }
                }
            })
            .build();
        self.instruments += 1;
    }

    fn indicator(&mut self, indicator: Indicator) {
        let hub = Arc::downgrade(self.hub);
        self.meter
            .f64_observable_gauge(indicator.name())
            .with_description(indicator.definition())
            .with_callback(move |instrument| {
                let Some(hub) = hub.upgrade() else {
                    return;
                };
                for (model, mission) in hub.missions() {
                    if let Some(value) = mission.value(indicator) {
                        instrument.observe(value, &[KeyValue::new("model", model)]);
                    }
                }
                if let Some(value) = hub.mission().value(indicator) {
                    instrument.observe(value, &[]);
                }
            })
            .build();
        self.instruments += 1;
    }
}

fn attributes(version: &VersionReading) -> Vec<KeyValue> {
    vec![
        KeyValue::new("model", version.model().to_owned()),
        KeyValue::new("version", version.version().to_owned()),
    ]
}

const QUANTILES: [f64; 4] = [0.5, 0.95, 0.99, 0.999];

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use opentelemetry::metrics::MeterProvider as _;
    use opentelemetry_sdk::metrics::data::{AggregatedMetrics, MetricData};
    use opentelemetry_sdk::metrics::{InMemoryMetricExporter, SdkMeterProvider};

    use super::*;

    #[test]
    fn a_host_exports_what_was_counted_and_nothing_that_is_not_known() {
        let exporter = InMemoryMetricExporter::default();
        let provider = SdkMeterProvider::builder()
            .with_periodic_exporter(exporter.clone())
            .build();
        let hub = Arc::new(TelemetryHub::default());
        let registered = OpenTelemetryMetrics::register(&provider.meter("host"), &hub);
        assert_eq!(registered.instruments(), 23);
        hub.version("fraud", "1").record_request(
            RequestOutcome::Success,
            Duration::from_micros(9),
            4,
        );
        provider.force_flush().unwrap();

        let exported = exporter.get_finished_metrics().unwrap();
        let metrics = exported
            .iter()
            .flat_map(|resource| resource.scope_metrics());
        let metrics: Vec<_> = metrics.flat_map(|scope| scope.metrics()).collect();
        let rows = metrics
            .iter()
            .find(|metric| metric.name() == "noops.serve.rows");
        let AggregatedMetrics::U64(MetricData::Sum(rows)) = rows.unwrap().data() else {
            panic!("rows are a sum")
        };
        assert!(rows.is_monotonic());
        let success = rows.data_points().find(|point| {
            let mut attributes = point.attributes();
            attributes.any(|pair| *pair == KeyValue::new("outcome", "success"))
        });
        assert_eq!(success.unwrap().value(), 4);
        let named = |name: &str| metrics.iter().any(|metric| metric.name() == name);
        assert!(named("noops_m2_prediction_success_ratio"));
        assert!(!named("noops_m3_model_accuracy_ratio"), "not known");
    }
}
