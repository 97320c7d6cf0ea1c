use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use jiff::SignedDuration;
use noops_core::Digest;
use serde::{Deserialize, Serialize};
use serde_saphyr::{Location, Spanned};

use super::error::RunbookError;
use crate::action::Action;
use crate::condition::Condition;
use crate::error::Position;
use crate::fact::{FactSchema, FactValue};

/// Steps that were checked against a fact schema.
///
/// # Examples
///
/// ```
/// use noops_policy::runbook::Runbook;
/// use noops_policy::{Action, FactDecl, FactSchema};
///
/// let schema = FactSchema::new(vec![FactDecl::double("drift.psi"), FactDecl::bool("frozen")])?;
/// let runbook = Runbook::load(
///     "drift.yaml",
///     "
/// runbook: drift
/// owner: ml-platform
/// steps:
///   - name: freeze
///     action: freeze
///     parameters: {model: fraud}
///     precondition: drift.psi > 0.2
///     verify: {condition: frozen, within: 10m, retries: 1}
///     undo: {action: release, parameters: {model: fraud}}
///     automatic: safe
/// ",
///     &schema,
/// )?;
/// assert_eq!(runbook.steps()[0].action(), Action::Freeze);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Runbook {
    name: String,
    owner: String,
    steps: Vec<Step>,
    digest: Digest,
}

impl Runbook {
    /// Reads one YAML document and checks all of it against the schema.
    ///
    /// # Errors
    ///
    /// [`RunbookError::Document`] with the place of the first problem: an unknown key, action or fact, a condition that is
    /// refused, a name that is empty or there twice, a duration that is none, no step, or more than 256.
    pub fn load(source: &str, yaml: &str, schema: &FactSchema) -> Result<Self, RunbookError> {
        let raw: RawRunbook = serde_saphyr::from_str(yaml).map_err(|error| {
            let text = error.without_snippet().to_string();
            RunbookError::Document {
                source: source.to_owned(),
                at: error.location().as_ref().and_then(position),
                problem: text.lines().next().unwrap_or_default().trim().to_owned(),
            }
        })?;
        let refuse = |at: &Location, problem: String| RunbookError::Document {
            source: source.to_owned(),
            at: position(at),
            problem,
        };
        for (field, value) in [("runbook", &raw.runbook), ("owner", &raw.owner)] {
            if value.value.trim().is_empty() {
                let problem = format!("`{field}` is empty; write a name");
                return Err(refuse(&value.referenced, problem));
            }
        }
        if raw.steps.value.is_empty() || raw.steps.value.len() > MAX_STEPS {
            let problem = format!("`steps` needs 1 to `{MAX_STEPS}` steps");
            return Err(refuse(&raw.steps.referenced, problem));
        }
        let mut names: BTreeSet<&str> = BTreeSet::new();
        let mut steps: Vec<Step> = Vec::new();
        for step in &raw.steps.value {
            let name = step.name.value.as_str();
            if name.trim().is_empty() {
                let problem = "`name` of a step is empty; name the step".to_owned();
                return Err(refuse(&step.name.referenced, problem));
            }
            if !names.insert(name) {
                let problem = format!("step `{name}` is there twice; rename one of them");
                return Err(refuse(&step.name.referenced, problem));
            }
            let checked = check(step, schema)
                .map_err(|(at, problem)| refuse(&at, format!("step `{name}`: {problem}")))?;
            steps.push(checked);
        }
        let digest = digest(&raw.runbook.value, &raw.owner.value, &steps);
        Ok(Self {
            name: raw.runbook.value,
            owner: raw.owner.value,
            steps,
            digest,
        })
    }

    /// The name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Who answers for it.
    pub fn owner(&self) -> &str {
        &self.owner
    }

    /// The steps, in order.
    pub fn steps(&self) -> &[Step] {
        &self.steps
    }

    /// The digest of what it says, layout aside.
    pub fn digest(&self) -> Digest {
        self.digest
    }
}

/// A step of a runbook.
#[derive(Clone, Debug, PartialEq)]
pub struct Step {
    name: String,
    action: Action,
    parameters: BTreeMap<String, FactValue>,
    precondition: Condition,
    verification: Condition,
    within: Duration,
    retries: u32,
    undo: Option<Undo>,
    automation: Automation,
}

impl Step {
    /// The name, which no other step has.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What it does.
    pub fn action(&self) -> Action {
        self.action
    }

    /// The parameters of the action.
    pub fn parameters(&self) -> &BTreeMap<String, FactValue> {
        &self.parameters
    }

    /// What must be known to hold when it begins.
    pub fn precondition(&self) -> &Condition {
        &self.precondition
    }

    /// What must hold soon after it was performed.
    pub fn verification(&self) -> &Condition {
        &self.verification
    }

    /// How long it may take to be performed, again to be verified, and again to be undone.
    pub fn within(&self) -> Duration {
        self.within
    }

    /// How often it is performed again.
    pub fn retries(&self) -> u32 {
        self.retries
    }

    /// What takes it back.
    pub fn undo(&self) -> Option<&Undo> {
        self.undo.as_ref()
    }

    /// Whether a person is asked first.
    pub fn automation(&self) -> Automation {
        self.automation
    }
}

/// What takes a step back.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Undo {
    action: Action,
    parameters: BTreeMap<String, FactValue>,
}

impl Undo {
    /// What it does.
    pub fn action(&self) -> Action {
        self.action
    }

    /// The parameters of the action.
    pub fn parameters(&self) -> &BTreeMap<String, FactValue> {
        &self.parameters
    }
}

/// Whether a person is asked before a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Automation {
    /// A person is asked first: what holds where a step says nothing.
    AskFirst,
    /// The step is marked `automatic: safe`.
    Safe,
}

fn check(step: &RawStep, schema: &FactSchema) -> Result<Step, (Location, String)> {
    let compile = |field: &str, condition: &Spanned<String>| {
        Condition::compile(&condition.value, schema)
            .map_err(|error| (condition.referenced, format!("`{field}`: {error}")))
    };
    let undo = match &step.undo {
        Some(undo) => Some(Undo {
            action: action(&undo.action)?,
            parameters: undo.parameters.clone(),
        }),
        None => None,
    };
    let within = &step.verify.within;
    Ok(Step {
        name: step.name.value.clone(),
        action: action(&step.action)?,
        parameters: step.parameters.clone(),
        precondition: compile("precondition", &step.precondition)?,
        verification: compile("verify.condition", &step.verify.condition)?,
        within: duration(&within.value).ok_or_else(|| {
            let problem = format!(
                "`within`: `{}` is not a duration; write hours and minutes such as `90m` or `4h`",
                within.value
            );
            (within.referenced, problem)
        })?,
        retries: step.verify.retries,
        undo,
        automation: match step.automatic {
            Some(Automatic::Safe) => Automation::Safe,
            None => Automation::AskFirst,
        },
    })
}

fn action(name: &Spanned<String>) -> Result<Action, (Location, String)> {
    name.value
        .parse::<Action>()
        .map_err(|error| (name.referenced, error.to_string()))
}

fn duration(text: &str) -> Option<Duration> {
    let duration = text.parse::<SignedDuration>().ok()?;
    Duration::try_from(duration)
        .ok()
        .filter(|duration| !duration.is_zero())
}

fn digest(name: &str, owner: &str, steps: &[Step]) -> Digest {
    let canonical: Vec<CanonicalStep<'_>> = steps
        .iter()
        .map(|step| CanonicalStep {
            name: &step.name,
            action: step.action,
            parameters: &step.parameters,
            precondition: step.precondition.canonical(),
            verification: step.verification.canonical(),
            within: step.within,
            retries: step.retries,
            undo: step.undo.as_ref(),
            automation: step.automation,
        })
        .collect();
    Digest::of_json(&(name, owner, canonical))
}

fn position(location: &Location) -> Option<Position> {
    (location.line() > 0).then(|| Position::new(location.line(), location.column()))
}

#[derive(Serialize)]
struct CanonicalStep<'a> {
    name: &'a str,
    action: Action,
    parameters: &'a BTreeMap<String, FactValue>,
    precondition: &'a str,
    verification: &'a str,
    within: Duration,
    retries: u32,
    undo: Option<&'a Undo>,
    automation: Automation,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawRunbook {
    runbook: Spanned<String>,
    owner: Spanned<String>,
    steps: Spanned<Vec<RawStep>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawStep {
    name: Spanned<String>,
    action: Spanned<String>,
    #[serde(default)]
    parameters: BTreeMap<String, FactValue>,
    precondition: Spanned<String>,
    verify: RawVerification,
    #[serde(default)]
    undo: Option<RawUndo>,
    #[serde(default)]
    automatic: Option<Automatic>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawVerification {
    condition: Spanned<String>,
    within: Spanned<String>,
    #[serde(default)]
    retries: u32,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawUndo {
    action: Spanned<String>,
    #[serde(default)]
    parameters: BTreeMap<String, FactValue>,
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Automatic {
    Safe,
}

/// More steps are refused: nobody can check them, and a run that long is a program.
const MAX_STEPS: usize = 256;
