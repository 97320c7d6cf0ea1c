use super::super::fields::Fields;
use super::super::tree::Value;
use super::super::{ImportError, Queries};
use super::Objects;
use crate::slo::{Direction, Indicator, Threshold};

/// The indicator of an SLO, which each objective may still turn into a threshold.
pub(super) struct Sli {
    metric: Metric,
    data_source: Option<String>,
}

enum Metric {
    Ratio {
        indicator: Indicator,
        queries: Queries,
    },
    Threshold {
        query: String,
    },
}

/// How one objective is measured.
pub(super) struct Measure {
    pub(super) indicator: Indicator,
    pub(super) queries: Queries,
    pub(super) data_source: Option<String>,
}

/// The indicator of an SLO, inline or by name.
pub(super) fn of(spec: &Fields<'_>, objects: &Objects<'_>) -> Result<Sli, ImportError> {
    let inline = spec.map("indicator", &["metadata", "spec"])?;
    let referred = spec.text("indicatorRef")?;
    match (inline, referred) {
        (Some(inline), None) => {
            if inline.node("metadata").is_some() {
                super::name(&inline)?;
            }
            read(&inline, objects)
        }
        (None, Some(named)) => read(
            objects.referred("SLI", spec, "indicatorRef", named)?,
            objects,
        ),
        (Some(_), Some(_)) => Err(spec.refuse(
            "indicatorRef",
            "stands beside `indicator`; keep one of them",
        )),
        (None, None) => Err(spec.refuse(
            "indicator",
            "is missing; write `indicator`, or `indicatorRef` with the name of an SLI of the file",
        )),
    }
}

/// Checks an indicator that nothing refers to.
pub(super) fn check(sli: &Fields<'_>) -> Result<(), ImportError> {
    read(sli, &Objects::default()).map(|_| ())
}

impl Sli {
    /// How `objective` is measured; a threshold takes its bound and direction from there.
    pub(super) fn for_objective(&self, objective: &Fields<'_>) -> Result<Measure, ImportError> {
        let operator = objective.text("op")?;
        let bound = objective.number("value")?;
        match &self.metric {
            Metric::Ratio { indicator, queries } => {
                for (key, is_there) in [("op", operator.is_some()), ("value", bound.is_some())] {
                    if is_there {
                        return Err(objective.refuse(
                            key,
                            "belongs to a threshold, and the indicator is a ratio; remove it",
                        ));
                    }
                }
                Ok(Measure {
                    indicator: *indicator,
                    queries: queries.clone(),
                    data_source: self.data_source.clone(),
                })
            }
            Metric::Threshold { query } => {
                let operator = objective.required_text("op")?;
                let text = objective.required_number("value")?;
                let bound: f64 = text.parse().map_err(|_| {
                    objective.refuse("value", &format!("is `{text}`; write a number"))
                })?;
                // Among doubles "less than b" is "at most the one before b", so that no value is judged otherwise.
                let (bound, direction) = match operator {
                    "lte" => (bound, Direction::AtMost),
                    "lt" => (bound.next_down(), Direction::AtMost),
                    "gte" => (bound, Direction::AtLeast),
                    "gt" => (bound.next_up(), Direction::AtLeast),
                    other => {
                        return Err(objective.refuse(
                            "op",
                            &format!("is `{other}`; write `lte`, `lt`, `gte` or `gt`"),
                        ));
                    }
                };
                let threshold = Threshold::new(bound, direction)
                    .map_err(|error| super::refused(objective, &error))?;
                Ok(Measure {
                    indicator: threshold.into(),
                    queries: Queries::Value(query.clone()),
                    data_source: self.data_source.clone(),
                })
            }
        }
    }
}

fn read(sli: &Fields<'_>, objects: &Objects<'_>) -> Result<Sli, ImportError> {
    let spec = sli.required_map("spec", &["description", "ratioMetric", "thresholdMetric"])?;
    spec.text("description")?;
    let ratio = spec.map(
        "ratioMetric",
        &["counter", "good", "bad", "total", "rawType", "raw"],
    )?;
    let threshold = spec.map("thresholdMetric", &["metricSource"])?;
    match (ratio, threshold) {
        (Some(ratio), None) => read_ratio(&ratio, objects),
        (None, Some(threshold)) => {
            let (query, data_source) = source(&threshold, objects)?;
            Ok(Sli {
                metric: Metric::Threshold { query },
                data_source,
            })
        }
        (Some(_), Some(_)) => Err(spec.refuse(
            "thresholdMetric",
            "stands beside `ratioMetric`; keep one of them",
        )),
        (None, None) => Err(spec.refuse(
            "ratioMetric",
            "is missing; write `ratioMetric` or `thresholdMetric`",
        )),
    }
}

fn read_ratio(ratio: &Fields<'_>, objects: &Objects<'_>) -> Result<Sli, ImportError> {
    ratio.boolean("counter")?;
    let metric = |key: &str| ratio.map(key, &["metricSource"]);
    let raw_type = ratio.text("rawType")?;
    if let Some(raw) = metric("raw")? {
        if let Some(key) = ["good", "bad", "total"]
            .into_iter()
            .find(|key| ratio.node(key).is_some())
        {
            return Err(ratio.refuse(key, "stands beside `raw`; keep one of them"));
        }
        let (query, data_source) = source(&raw, objects)?;
        let (indicator, queries) = match raw_type {
            Some("success") => (Indicator::GoodOverTotal, Queries::SuccessRatio(query)),
            Some("failure") => (Indicator::BadOverTotal, Queries::ErrorRatio(query)),
            Some(other) => {
                return Err(ratio.refuse(
                    "rawType",
                    &format!("is `{other}`; write `success` or `failure`"),
                ));
            }
            None => {
                return Err(ratio.refuse(
                    "rawType",
                    "is missing beside `raw`; write `success` or `failure`",
                ));
            }
        };
        return Ok(Sli {
            metric: Metric::Ratio { indicator, queries },
            data_source,
        });
    }
    if raw_type.is_some() {
        return Err(ratio.refuse("rawType", "has no meaning without `raw`; remove it"));
    }
    let total = metric("total")?
        .ok_or_else(|| ratio.refuse("total", "is missing; write the query of all events"))?;
    let (total, of_total) = source(&total, objects)?;
    let (indicator, queries, data_source) = match (metric("good")?, metric("bad")?) {
        (Some(good), None) => {
            let (good, data_source) = source(&good, objects)?;
            let queries = Queries::GoodOverTotal { good, total };
            (Indicator::GoodOverTotal, queries, data_source)
        }
        (None, Some(bad)) => {
            let (bad, data_source) = source(&bad, objects)?;
            let queries = Queries::BadOverTotal { bad, total };
            (Indicator::BadOverTotal, queries, data_source)
        }
        (Some(_), Some(_)) => {
            return Err(ratio.refuse("bad", "stands beside `good`; keep one of them"));
        }
        (None, None) => {
            return Err(ratio.refuse("good", "is missing, and so is `bad`; write one of them"));
        }
    };
    Ok(Sli {
        metric: Metric::Ratio { indicator, queries },
        data_source: data_source.or(of_total),
    })
}

/// The query of a metric source, and the type of its data source.
///
/// Data sources may stand in another file, so a reference that is not found here is no error.
fn source(
    metric: &Fields<'_>,
    objects: &Objects<'_>,
) -> Result<(String, Option<String>), ImportError> {
    let source = metric.required_map("metricSource", &["metricSourceRef", "type", "spec"])?;
    let referred = source
        .text("metricSourceRef")?
        .and_then(|named| objects.find("DataSource", named));
    let data_source = match (source.text("type")?, referred) {
        (Some(of_type), _) => Some(of_type.to_owned()),
        (None, Some(object)) => object
            .map("spec", &["description", "type", "connectionDetails"])?
            .map(|spec| spec.text("type"))
            .transpose()?
            .flatten()
            .map(str::to_owned),
        (None, None) => None,
    };
    let node = source
        .node("spec")
        .ok_or_else(|| source.refuse("spec", "is missing; write its `query`"))?;
    let spec = Fields::open(source.source(), &source.path("spec"), node)?;
    match spec.node("query").map(|node| &node.value) {
        Some(Value::Text(query)) if !query.trim().is_empty() => {
            Ok((query.trim().to_owned(), data_source))
        }
        _ => Err(spec.refuse("query", "is missing; write the query as text")),
    }
}
