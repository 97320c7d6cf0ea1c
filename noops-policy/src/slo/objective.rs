use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::slo::{BudgetingMethod, Indicator, SloError, Target, Window};

/// What shall be good, how often, and over what time.
///
/// # Examples
///
/// ```
/// use std::time::Duration;
/// use noops_policy::slo::{Kind, Objective, Target, Threshold, Window};
///
/// let objective = Objective::new(
///     "fraud-latency",
///     Kind::Latency,
///     Target::from_percent(99.0)?,
///     Window::rolling(Duration::from_secs(30 * 86_400))?,
/// )?
/// .with_service("fraud")
/// .with_indicator(Threshold::at_most(0.05)?.into());
/// assert_eq!(objective.fact_prefix(), "slo.fraud_latency");
/// assert_eq!(objective.indicator().judge(0.04), Some(true));
/// # Ok::<(), noops_policy::slo::SloError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "RawObjective", into = "RawObjective")]
pub struct Objective {
    name: String,
    service: String,
    description: String,
    owner: Option<String>,
    labels: BTreeMap<String, String>,
    kind: Kind,
    target: Target,
    indicator: Indicator,
    window: Window,
    budgeting: BudgetingMethod,
}

impl Objective {
    /// An objective on good events of all events, counted one by one.
    ///
    /// # Errors
    ///
    /// [`SloError::Name`] unless the name is 1 to 100 ASCII letters, digits, `-`, `_` and `.`, of which the first is a
    /// letter or a digit.
    pub fn new(
        name: impl Into<String>,
        kind: Kind,
        target: Target,
        window: Window,
    ) -> Result<Self, SloError> {
        let name = name.into();
        check_name(&name)?;
        Ok(Self {
            name,
            service: String::new(),
            description: String::new(),
            owner: None,
            labels: BTreeMap::new(),
            kind,
            target,
            indicator: Indicator::GoodOverTotal,
            window,
            budgeting: BudgetingMethod::Occurrences,
        })
    }

    /// Names the service.
    #[must_use]
    pub fn with_service(mut self, service: impl Into<String>) -> Self {
        self.service = service.into();
        self
    }

    /// Says in a sentence what the objective promises.
    #[must_use]
    pub fn with_description(mut self, description: impl Into<String>) -> Self {
        self.description = description.into();
        self
    }

    /// Names who answers for it.
    #[must_use]
    pub fn with_owner(mut self, owner: impl Into<String>) -> Self {
        self.owner = Some(owner.into());
        self
    }

    /// Adds a label.
    #[must_use]
    pub fn with_label(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.labels.insert(name.into(), value.into());
        self
    }

    /// Sets how an event is judged.
    #[must_use]
    pub fn with_indicator(mut self, indicator: Indicator) -> Self {
        self.indicator = indicator;
        self
    }

    /// Sets what the budget counts.
    #[must_use]
    pub fn with_budgeting(mut self, budgeting: BudgetingMethod) -> Self {
        self.budgeting = budgeting;
        self
    }

    /// The name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The service; empty if none is named.
    pub fn service(&self) -> &str {
        &self.service
    }

    /// What the objective promises.
    pub fn description(&self) -> &str {
        &self.description
    }

    /// Who answers for it, if somebody does.
    pub fn owner(&self) -> Option<&str> {
        self.owner.as_deref()
    }

    /// The labels.
    pub fn labels(&self) -> &BTreeMap<String, String> {
        &self.labels
    }

    /// What it is about.
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// The target.
    pub fn target(&self) -> Target {
        self.target
    }

    /// How an event is judged.
    pub fn indicator(&self) -> Indicator {
        self.indicator
    }

    /// The window of the budget.
    pub fn window(&self) -> &Window {
        &self.window
    }

    /// What the budget counts.
    pub fn budgeting(&self) -> BudgetingMethod {
        self.budgeting
    }

    /// `slo.` and the name as an identifier: every `-` and `.` becomes `_`, and a name that begins with a digit gets a `_`
    /// before it.
    ///
    /// Two objectives whose names differ only there have the same facts; a schema that declares both is refused.
    pub fn fact_prefix(&self) -> String {
        let mut prefix = String::from("slo.");
        if self.name.starts_with(|first: char| first.is_ascii_digit()) {
            prefix.push('_');
        }
        prefix.extend(self.name.chars().map(|character| match character {
            '-' | '.' => '_',
            other => other,
        }));
        prefix
    }
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawObjective {
    name: String,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    service: String,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    description: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    owner: Option<String>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    labels: BTreeMap<String, String>,
    kind: Kind,
    target: Target,
    #[serde(default)]
    indicator: Indicator,
    window: Window,
    #[serde(default)]
    budgeting: BudgetingMethod,
}

impl TryFrom<RawObjective> for Objective {
    type Error = SloError;

    fn try_from(raw: RawObjective) -> Result<Self, SloError> {
        check_name(&raw.name)?;
        Ok(Self {
            name: raw.name,
            service: raw.service,
            description: raw.description,
            owner: raw.owner,
            labels: raw.labels,
            kind: raw.kind,
            target: raw.target,
            indicator: raw.indicator,
            window: raw.window,
            budgeting: raw.budgeting,
        })
    }
}

impl From<Objective> for RawObjective {
    fn from(objective: Objective) -> Self {
        Self {
            name: objective.name,
            service: objective.service,
            description: objective.description,
            owner: objective.owner,
            labels: objective.labels,
            kind: objective.kind,
            target: objective.target,
            indicator: objective.indicator,
            window: objective.window,
            budgeting: objective.budgeting,
        }
    }
}

/// What an objective is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// Requests are answered.
    Availability,
    /// Requests are answered in time.
    Latency,
    /// Predictions are right.
    Quality,
    /// Features and labels are recent.
    Freshness,
    /// The data stays what the model was trained on.
    Drift,
    /// Pipeline runs succeed.
    PipelineSuccess,
    /// Work costs no more than planned.
    Cost,
}

fn check_name(name: &str) -> Result<(), SloError> {
    let refuse = |problem: &str| {
        Err(SloError::Name {
            name: name.chars().take(MAX_NAME_BYTES).collect(),
            problem: problem.to_owned(),
        })
    };
    if name.len() > MAX_NAME_BYTES {
        return refuse("longer than 100 bytes; shorten it");
    }
    if !name.starts_with(|first: char| first.is_ascii_alphanumeric()) {
        return refuse("must begin with a letter or a digit");
    }
    let allowed =
        |character: char| character.is_ascii_alphanumeric() || matches!(character, '-' | '_' | '.');
    if !name.chars().all(allowed) {
        return refuse("use letters, digits, `-`, `_` and `.` only");
    }
    Ok(())
}

/// Leaves room for the prefix and suffix of a fact's name.
const MAX_NAME_BYTES: usize = 100;

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::slo::{Slice, Threshold};

    fn objective(name: &str) -> Result<Objective, SloError> {
        Objective::new(
            name,
            Kind::Availability,
            Target::new(0.999).unwrap(),
            Window::rolling(Duration::from_secs(30 * 86_400)).unwrap(),
        )
    }

    #[test]
    fn names_become_identifiers_or_are_refused() {
        assert_eq!(
            objective("a-b.c_D").unwrap().fact_prefix(),
            "slo.a_b_c_D".to_owned()
        );
        assert_eq!(objective("5xx").unwrap().fact_prefix(), "slo._5xx");
        let long = "x".repeat(101);
        for name in ["", "-a", "a b", "a\"}", "ä", "a\nb", long.as_str()] {
            assert!(objective(name).is_err(), "{name}");
        }
    }

    #[test]
    fn an_objective_reads_back_and_unknown_keys_are_refused() {
        let full = objective("checkout")
            .unwrap()
            .with_service("shop")
            .with_owner("team-a")
            .with_label("tier", "1")
            .with_indicator(Threshold::at_least(0.5).unwrap().into())
            .with_budgeting(BudgetingMethod::Timeslices {
                slice: Slice::new(Duration::from_secs(60)).unwrap(),
                target: Target::new(0.95).unwrap(),
            });
        let json = serde_json::to_string(&full).unwrap();
        assert_eq!(serde_json::from_str::<Objective>(&json).unwrap(), full);
        let short = r#"{"name":"a","kind":"quality","target":0.9,"window":{"rolling":"7d"}}"#;
        assert!(serde_json::from_str::<Objective>(short).is_ok());
        for wrong in [
            r#"{"name":"a","kind":"quality","target":0.9,"window":{"rolling":"7d"},"x":1}"#,
            r#"{"name":"a b","kind":"quality","target":0.9,"window":{"rolling":"7d"}}"#,
            r#"{"name":"a","kind":"quality","target":90,"window":{"rolling":"7d"}}"#,
        ] {
            assert!(serde_json::from_str::<Objective>(wrong).is_err(), "{wrong}");
        }
    }
}
