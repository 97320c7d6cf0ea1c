use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use jiff::SignedDuration;
use noops_core::Digest;
use serde::{Deserialize, Serialize};
use serde_saphyr::{Location, Spanned};

use super::catalogue::catalogue;
use super::control::{Control, Framework, Necessity};
use super::error::GovernanceError;
use super::query::{DecisionKind, EvidenceQuery};
use crate::action::Action;
use crate::document::Enforcement;
use crate::error::Position;
use crate::set::PolicySet;
use crate::suggest;

/// Which policies serve which controls, and which decisions are evidence of it; checked against the policies.
///
/// # Examples
///
/// ```
/// use noops_policy::governance::ControlMapping;
/// use noops_policy::{FactDecl, FactSchema, PolicySet};
///
/// let schema = FactSchema::new(vec![FactDecl::double("drift.psi")])?;
/// let yaml = "{ policy: drift, owner: team, enforcement: soft-mandatory, rules: [
///     { name: near, effect: permit, action: promote, when: drift.psi < 0.2, because: inputs are as they were }] }";
/// let policies = PolicySet::load(&[("drift.yaml", yaml)], &schema)?;
/// let mapping = ControlMapping::load(
///     "controls.yaml",
///     "
/// controls:
///   - framework: eu-ai-act
///     id: '12'
///     policies: [drift]
///     evidence: {actions: [promote], period: 4392h, longest_gap: 720h}
/// ",
///     &policies,
/// )?;
/// let report = mapping.coverage();
/// assert!(report.unserved_mandatory().any(|control| control.id() == "14"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct ControlMapping {
    controls: Vec<MappedControl>,
    policies: Digest,
}

/// A control with what serves it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MappedControl {
    control: Control,
    policies: BTreeSet<String>,
    /// Those of `policies` that only advise.
    advisory: BTreeSet<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    evidence: Option<EvidenceQuery>,
}

impl MappedControl {
    /// The control.
    #[must_use]
    pub fn control(&self) -> &Control {
        &self.control
    }

    /// The policies, and rules as `policy/rule`, that serve it; sorted.
    pub fn policies(&self) -> impl Iterator<Item = &str> {
        self.policies.iter().map(String::as_str)
    }

    /// Those of them that only advise; sorted.
    pub fn advisory(&self) -> impl Iterator<Item = &str> {
        self.advisory.iter().map(String::as_str)
    }

    /// The decisions that are evidence of it; none if the mapping names none.
    #[must_use]
    pub fn evidence(&self) -> Option<&EvidenceQuery> {
        self.evidence.as_ref()
    }
}

impl ControlMapping {
    /// Reads one YAML document and checks it against the policies.
    ///
    /// `controls` lists controls by `framework` and `id`, each with its `policies` (names, or `policy/rule`) and the
    /// `evidence` of it. A control that the catalogue lacks brings a `title` and a `necessity`. Controls of the catalogue
    /// that the document does not name are kept as served by nothing.
    ///
    /// # Errors
    ///
    /// [`GovernanceError::Document`] with the place of the first problem: an unknown key, control, policy, rule or action,
    /// a control that is there twice, one without policies, a time that is none, or a document of more than 1 MiB.
    pub fn load(source: &str, yaml: &str, policies: &PolicySet) -> Result<Self, GovernanceError> {
        let refuse = |at: Option<&Location>, problem: String| GovernanceError::Document {
            source: source.to_owned(),
            at: at.and_then(position),
            problem,
        };
        if yaml.len() > MAX_DOCUMENT_BYTES {
            let problem = format!("it is longer than `{MAX_DOCUMENT_BYTES}` bytes; split it");
            return Err(refuse(None, problem));
        }
        let raw: RawMapping = serde_saphyr::from_str(yaml).map_err(|error| {
            let text = error.without_snippet().to_string();
            let problem = text.lines().next().unwrap_or_default().trim().to_owned();
            refuse(error.location().as_ref(), problem)
        })?;
        let names = names(policies);
        let mut controls: BTreeMap<(Framework, String), MappedControl> = catalogue()
            .into_iter()
            .map(|control| {
                let key = (control.framework(), control.id().to_owned());
                (key, unserved(control))
            })
            .collect();
        let mut seen: BTreeSet<(Framework, String)> = BTreeSet::new();
        for entry in &raw.controls {
            let key = (entry.framework, entry.id.value.clone());
            let at = &entry.id.referenced;
            if !seen.insert(key.clone()) {
                let problem = format!("control `{}` is there twice; merge the two", key.1);
                return Err(refuse(Some(at), problem));
            }
            let control = control(entry, controls.get(&key), &controls)
                .map_err(|problem| refuse(Some(at), problem))?;
            let served = serve(entry, control, &names)
                .map_err(|(at, problem)| refuse(Some(&at), problem))?;
            controls.insert(key, served);
        }
        Ok(Self {
            controls: controls.into_values().collect(),
            policies: policies.digest(),
        })
    }

    /// The controls, by framework and id, those that nothing serves too.
    #[must_use]
    pub fn controls(&self) -> &[MappedControl] {
        &self.controls
    }

    /// The digest of the policies that it was checked against.
    #[must_use]
    pub fn policies(&self) -> Digest {
        self.policies
    }
}

/// Every policy and every rule, with how binding it is.
fn names(policies: &PolicySet) -> BTreeMap<String, Enforcement> {
    let mut names: BTreeMap<String, Enforcement> = BTreeMap::new();
    for action in policies.actions() {
        for rule in policies.rules(action) {
            names.insert(rule.path(), rule.enforcement);
            names.insert(rule.policy.clone(), rule.enforcement);
        }
    }
    names
}

fn unserved(control: Control) -> MappedControl {
    MappedControl {
        control,
        policies: BTreeSet::new(),
        advisory: BTreeSet::new(),
        evidence: None,
    }
}

fn control(
    entry: &RawControl,
    known: Option<&MappedControl>,
    controls: &BTreeMap<(Framework, String), MappedControl>,
) -> Result<Control, String> {
    let id = &entry.id.value;
    match (known, &entry.title, entry.necessity) {
        (Some(known), None, None) => Ok(known.control.clone()),
        (Some(_), _, _) => Err(format!(
            "control `{id}` is in the catalogue; leave out `title` and `necessity`"
        )),
        (None, Some(title), Some(necessity)) => {
            Control::new(entry.framework, id, title, necessity).map_err(|error| error.to_string())
        }
        (None, _, _) => {
            let ids = controls
                .keys()
                .filter(|(framework, _)| *framework == entry.framework)
                .map(|(_, id)| id.as_str());
            Err(match suggest::nearest(id, ids) {
                Some(near) => format!("unknown control `{id}`; did you mean `{near}`?"),
                None => format!(
                    "control `{id}` is not in the catalogue; give it a `title` and a `necessity`"
                ),
            })
        }
    }
}

fn serve(
    entry: &RawControl,
    control: Control,
    names: &BTreeMap<String, Enforcement>,
) -> Result<MappedControl, (Location, String)> {
    let mut served = unserved(control);
    if entry.policies.value.is_empty() {
        let problem = "`policies` is empty; name what serves the control, or leave it out";
        return Err((entry.policies.referenced, problem.to_owned()));
    }
    for policy in &entry.policies.value {
        let name = &policy.value;
        let Some(enforcement) = names.get(name) else {
            let hint = match suggest::nearest(name, names.keys().map(String::as_str)) {
                Some(near) => format!("did you mean `{near}`?"),
                None => "load its document first".to_owned(),
            };
            return Err((
                policy.referenced,
                format!("unknown policy `{name}`; {hint}"),
            ));
        };
        if *enforcement == Enforcement::Advisory {
            served.advisory.insert(name.clone());
        }
        served.policies.insert(name.clone());
    }
    if let Some(evidence) = &entry.evidence {
        served.evidence = Some(query(evidence)?);
    }
    Ok(served)
}

fn query(raw: &RawEvidence) -> Result<EvidenceQuery, (Location, String)> {
    let period = span(&raw.period)?;
    let mut query = EvidenceQuery::new(period)
        .map_err(|error| (raw.period.referenced, error.to_string()))?
        .with_at_least(raw.at_least.unwrap_or(1));
    for action in &raw.actions {
        let parsed: Action = action
            .value
            .parse()
            .map_err(|error| (action.referenced, format!("{error}")))?;
        query = query.with_action(parsed);
    }
    for kind in &raw.kinds {
        query = query.with_kind(*kind);
    }
    Ok(match &raw.longest_gap {
        Some(gap) => query.with_longest_gap(span(gap)?),
        None => query,
    })
}

fn span(raw: &Spanned<String>) -> Result<Duration, (Location, String)> {
    raw.value
        .parse::<SignedDuration>()
        .ok()
        .and_then(|span| Duration::try_from(span).ok())
        .filter(|span| !span.is_zero())
        .ok_or_else(|| {
            let problem = format!(
                "`{}` is not a span of time above zero; write it as `720h`",
                raw.value.escape_debug()
            );
            (raw.referenced, problem)
        })
}

fn position(location: &Location) -> Option<Position> {
    (location.line() > 0).then(|| Position::new(location.line(), location.column()))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawMapping {
    controls: Vec<RawControl>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawControl {
    framework: Framework,
    id: Spanned<String>,
    #[serde(default)]
    title: Option<String>,
    #[serde(default)]
    necessity: Option<Necessity>,
    policies: Spanned<Vec<Spanned<String>>>,
    #[serde(default)]
    evidence: Option<RawEvidence>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawEvidence {
    #[serde(default)]
    actions: Vec<Spanned<String>>,
    #[serde(default)]
    kinds: Vec<DecisionKind>,
    period: Spanned<String>,
    #[serde(default)]
    at_least: Option<u64>,
    #[serde(default)]
    longest_gap: Option<Spanned<String>>,
}

const MAX_DOCUMENT_BYTES: usize = 1 << 20;
