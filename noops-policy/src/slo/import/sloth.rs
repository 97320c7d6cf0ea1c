use std::collections::BTreeMap;
use std::time::Duration;

use super::fields::Fields;
use super::imported::{Draft, refused};
use super::tree::Node;
use super::{AlertRouting, ImportError, ImportedSlo, Queries, Route};
use crate::slo::{Indicator, Target, Window};

/// Reads a document `version: prometheus/v1`.
pub(super) fn read(
    source: &str,
    node: &Node,
    slos: &mut Vec<ImportedSlo>,
) -> Result<(), ImportError> {
    let known = ["version", "service", "labels", "slos", "slo_plugins"];
    let document = Fields::of(source, "sloth", node, &known)?;
    service_level(&document, &EVENTS, slos)
}

/// Reads a document `apiVersion: sloth.slok.dev/v1`, which says the same in Kubernetes' spelling.
pub(super) fn kubernetes(
    source: &str,
    node: &Node,
    slos: &mut Vec<ImportedSlo>,
) -> Result<(), ImportError> {
    let known = ["apiVersion", "kind", "metadata", "spec", "status"];
    let document = Fields::of(source, "sloth", node, &known)?;
    let kind = document.required_text("kind")?;
    if kind != "PrometheusServiceLevel" {
        return Err(document.refuse(
            "kind",
            &format!("is `{kind}`; `PrometheusServiceLevel` is read"),
        ));
    }
    if let Some(metadata) = document.node("metadata") {
        Fields::open(source, "sloth.metadata", metadata)?;
    }
    let spec = document.required_map("spec", &["service", "labels", "slos", "sloPlugins"])?;
    service_level(&spec, &EVENTS_KUBERNETES, slos)
}

/// The keys that the two forms spell differently.
struct Spelling {
    error_query: &'static str,
    total_query: &'static str,
    error_ratio_query: &'static str,
    page_alert: &'static str,
    ticket_alert: &'static str,
    plugins: &'static str,
}

fn service_level(
    document: &Fields<'_>,
    spelling: &Spelling,
    slos: &mut Vec<ImportedSlo>,
) -> Result<(), ImportError> {
    refuse_plugins(document, spelling)?;
    let service = document.required_text("service")?;
    let labels = document.texts("labels")?;
    let items = document.list("slos")?;
    if items.is_empty() {
        return Err(document.refuse("slos", "is empty; add an objective"));
    }
    for (path, item) in items {
        let known = [
            "name",
            "description",
            "objective",
            "labels",
            "sli",
            "alerting",
            spelling.plugins,
        ];
        let fields = Fields::of(document.source(), &path, item, &known)?;
        slos.push(objective(&fields, service, &labels, spelling)?);
    }
    Ok(())
}

fn objective(
    fields: &Fields<'_>,
    service: &str,
    shared: &BTreeMap<String, String>,
    spelling: &Spelling,
) -> Result<ImportedSlo, ImportError> {
    refuse_plugins(fields, spelling)?;
    let percent = fields.required_number("objective")?;
    let target = percent
        .parse::<f64>()
        .ok()
        .and_then(|percent| Target::from_percent(percent).ok())
        .ok_or_else(|| {
            fields.refuse(
                "objective",
                &format!("is `{percent}`; write a percentage between 0 and 100, such as `99.9`"),
            )
        })?;
    let mut labels = shared.clone();
    labels.extend(fields.texts("labels")?);
    let queries = queries(fields, spelling)?;
    let objective = Draft {
        name: fields.required_text("name")?.to_owned(),
        service,
        description: fields.text("description")?,
        labels,
        indicator: Indicator::BadOverTotal,
        target,
        window: Window::rolling(PERIOD).map_err(|error| refused(fields, &error))?,
    }
    .objective(fields)?;
    Ok(ImportedSlo::new(objective, queries, fields.at())
        .with_routing(routing(fields, spelling)?)
        .with_data_source(Some("Prometheus".to_owned())))
}

fn queries(fields: &Fields<'_>, spelling: &Spelling) -> Result<Queries, ImportError> {
    let sli = fields.required_map("sli", &["events", "raw", "plugin"])?;
    if sli.node("plugin").is_some() {
        return Err(sli.refuse(
            "plugin",
            "is an SLI plugin, whose queries only Sloth knows; write its queries under `events`",
        ));
    }
    let events = sli.map("events", &[spelling.error_query, spelling.total_query])?;
    let raw = sli.map("raw", &[spelling.error_ratio_query])?;
    match (events, raw) {
        (Some(events), None) => Ok(Queries::BadOverTotal {
            bad: query(&events, spelling.error_query)?,
            total: query(&events, spelling.total_query)?,
        }),
        (None, Some(raw)) => Ok(Queries::ErrorRatio(query(
            &raw,
            spelling.error_ratio_query,
        )?)),
        (Some(_), Some(_)) => {
            Err(fields.refuse("sli", "has both `events` and `raw`; keep one of them"))
        }
        (None, None) => Err(fields.refuse("sli", "is empty; write `events` or `raw`")),
    }
}

fn query(fields: &Fields<'_>, key: &str) -> Result<String, ImportError> {
    let text = fields.required_text(key)?.trim();
    if !super::queries::has_window(text) {
        return Err(fields.refuse(
            key,
            "has no `{{.window}}`; put it where the range of the query stands",
        ));
    }
    Ok(text.to_owned())
}

fn routing(fields: &Fields<'_>, spelling: &Spelling) -> Result<AlertRouting, ImportError> {
    let known = [
        "name",
        "labels",
        "annotations",
        spelling.page_alert,
        spelling.ticket_alert,
    ];
    let Some(alerting) = fields.map("alerting", &known)? else {
        return Ok(AlertRouting::default());
    };
    let mut routing = AlertRouting::default()
        .with_labels(alerting.texts("labels")?)
        .with_annotations(alerting.texts("annotations")?)
        .with_page(route(&alerting, spelling.page_alert)?)
        .with_ticket(route(&alerting, spelling.ticket_alert)?);
    if let Some(name) = alerting.text("name")? {
        routing = routing.with_name(name);
    }
    Ok(routing)
}

fn route(alerting: &Fields<'_>, key: &str) -> Result<Route, ImportError> {
    let Some(alert) = alerting.map(key, &["disable", "labels", "annotations"])? else {
        return Ok(Route::default());
    };
    Ok(if alert.boolean("disable")? == Some(true) {
        Route::Disabled
    } else {
        Route::Enabled {
            labels: alert.texts("labels")?,
            annotations: alert.texts("annotations")?,
        }
    })
}

fn refuse_plugins(fields: &Fields<'_>, spelling: &Spelling) -> Result<(), ImportError> {
    match fields.node(spelling.plugins) {
        None => Ok(()),
        Some(_) => Err(fields.refuse(
            spelling.plugins,
            "changes the rules that Sloth generates, which is not read; remove it",
        )),
    }
}

/// Sloth's own default where its command line names no other.
const PERIOD: Duration = Duration::from_secs(30 * 86_400);

const EVENTS: Spelling = Spelling {
    error_query: "error_query",
    total_query: "total_query",
    error_ratio_query: "error_ratio_query",
    page_alert: "page_alert",
    ticket_alert: "ticket_alert",
    plugins: "slo_plugins",
};

const EVENTS_KUBERNETES: Spelling = Spelling {
    error_query: "errorQuery",
    total_query: "totalQuery",
    error_ratio_query: "errorRatioQuery",
    page_alert: "pageAlert",
    ticket_alert: "ticketAlert",
    plugins: "sloPlugins",
};
