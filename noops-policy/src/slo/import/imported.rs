use std::collections::BTreeMap;

use serde::Serialize;

use super::fields::Fields;
use super::{AlertRouting, BurnCondition, ImportError, Queries};
use crate::error::Position;
use crate::slo::{Indicator, Kind, Objective, SloError, Target, Window};

/// An objective that was read from another system's document, with what that document says beside it.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[must_use]
pub struct ImportedSlo {
    objective: Objective,
    queries: Queries,
    data_source: Option<String>,
    routing: AlertRouting,
    burn_conditions: Vec<BurnCondition>,
    at: Option<Position>,
}

impl ImportedSlo {
    pub(super) fn new(objective: Objective, queries: Queries, at: Option<Position>) -> Self {
        Self {
            objective,
            queries,
            data_source: None,
            routing: AlertRouting::default(),
            burn_conditions: Vec::new(),
            at,
        }
    }

    pub(super) fn with_routing(mut self, routing: AlertRouting) -> Self {
        self.routing = routing;
        self
    }

    pub(super) fn with_data_source(mut self, data_source: Option<String>) -> Self {
        self.data_source = data_source;
        self
    }

    pub(super) fn with_burn_conditions(mut self, conditions: Vec<BurnCondition>) -> Self {
        self.burn_conditions = conditions;
        self
    }

    /// The objective.
    pub fn objective(&self) -> &Objective {
        &self.objective
    }

    /// The queries of its indicator, in the language of the data source.
    pub fn queries(&self) -> &Queries {
        &self.queries
    }

    /// The type of the data source, such as `Prometheus`, where the document says it.
    pub fn data_source(&self) -> Option<&str> {
        self.data_source.as_deref()
    }

    /// What its alerts are called and how they are routed.
    pub fn routing(&self) -> &AlertRouting {
        &self.routing
    }

    /// The burn-rate conditions that the document asks for.
    pub fn burn_conditions(&self) -> &[BurnCondition] {
        &self.burn_conditions
    }

    /// Where the objective stands in its file.
    pub fn position(&self) -> Option<Position> {
        self.at
    }
}

/// What both formats have in common, before it is checked.
pub(super) struct Draft<'a> {
    pub(super) name: String,
    pub(super) service: &'a str,
    pub(super) description: Option<&'a str>,
    pub(super) labels: BTreeMap<String, String>,
    pub(super) indicator: Indicator,
    pub(super) target: Target,
    pub(super) window: Window,
}

impl Draft<'_> {
    /// Builds the objective; what its name or kind breaks is refused at `fields`.
    pub(super) fn objective(self, fields: &Fields<'_>) -> Result<Objective, ImportError> {
        let kind = match self.labels.get(KIND_LABEL) {
            Some(text) => kind_of(text).ok_or_else(|| {
                ImportError::at(
                    fields.source(),
                    fields.at(),
                    format!("label `{KIND_LABEL}` is `{text}`; write one of {KIND_NAMES}"),
                )
            })?,
            None => usual_kind(self.indicator),
        };
        let mut objective = Objective::new(self.name, kind, self.target, self.window)
            .map_err(|error| refused(fields, &error))?
            .with_service(self.service)
            .with_indicator(self.indicator);
        if let Some(description) = self.description {
            objective = objective.with_description(description);
        }
        if let Some(owner) = self.labels.get("owner") {
            objective = objective.with_owner(owner.as_str());
        }
        for (name, value) in self.labels {
            objective = objective.with_label(name, value);
        }
        Ok(objective)
    }
}

/// A refusal by the objective itself, at the place of the map that describes it.
pub(super) fn refused(fields: &Fields<'_>, error: &SloError) -> ImportError {
    ImportError::at(fields.source(), fields.at(), error.to_string())
}

/// Two objectives of one service and name cannot be told apart, neither in rules nor in facts.
pub(super) fn refuse_twins(source: &str, slos: &[ImportedSlo]) -> Result<(), ImportError> {
    let mut seen: BTreeMap<(&str, &str), Option<Position>> = BTreeMap::new();
    for slo in slos {
        let key = (slo.objective.service(), slo.objective.name());
        if let Some(before) = seen.insert(key, slo.at) {
            let place = before.map_or_else(String::new, |at| format!(" at `{at}`"));
            return Err(ImportError::at(
                source,
                slo.at,
                format!(
                    "objective `{}` of service `{}` is there already{place}; rename one of them",
                    key.1, key.0
                ),
            ));
        }
    }
    Ok(())
}

fn usual_kind(indicator: Indicator) -> Kind {
    match indicator {
        Indicator::GoodOverTotal | Indicator::BadOverTotal => Kind::Availability,
        Indicator::Threshold(threshold) => match threshold.direction() {
            crate::slo::Direction::AtMost => Kind::Latency,
            crate::slo::Direction::AtLeast => Kind::Quality,
        },
    }
}

fn kind_of(text: &str) -> Option<Kind> {
    Some(match text {
        "availability" => Kind::Availability,
        "latency" => Kind::Latency,
        "quality" => Kind::Quality,
        "freshness" => Kind::Freshness,
        "drift" => Kind::Drift,
        "pipeline-success" => Kind::PipelineSuccess,
        "cost" => Kind::Cost,
        _ => return None,
    })
}

const KIND_LABEL: &str = "noops_kind";
const KIND_NAMES: &str =
    "`availability`, `latency`, `quality`, `freshness`, `drift`, `pipeline-success` and `cost`";
