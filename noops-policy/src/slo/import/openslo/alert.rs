use std::collections::BTreeSet;
use std::time::Duration;

use super::super::fields::Fields;
use super::super::shorthand::Shorthand;
use super::super::tree::{Node, Value};
use super::super::{BurnCondition, Comparison, ImportError, NotifyWhen};
use super::{Objects, name};

/// Follows the references of alert policies.
pub(super) struct Alerts<'o, 'a> {
    objects: &'o Objects<'a>,
}

impl<'o, 'a> Alerts<'o, 'a> {
    pub(super) fn new(objects: &'o Objects<'a>) -> Self {
        Self { objects }
    }

    /// The burn conditions of an SLO's alert policies: by name, by `alertPolicyRef`, or inline.
    pub(super) fn of(&self, spec: &Fields<'_>) -> Result<Vec<BurnCondition>, ImportError> {
        let mut conditions: Vec<BurnCondition> = Vec::new();
        for (path, node) in spec.list("alertPolicies")? {
            conditions.extend(match reference(spec, &path, node, "alertPolicyRef")? {
                Some(named) => self.policy(self.objects.referred(
                    "AlertPolicy",
                    spec,
                    "alertPolicies",
                    named,
                )?)?,
                None => self.policy(&inline(spec, &path, node, "AlertPolicy")?)?,
            });
        }
        Ok(conditions)
    }

    /// The burn conditions of one alert policy.
    pub(super) fn policy(&self, policy: &Fields<'_>) -> Result<Vec<BurnCondition>, ImportError> {
        let policy_name = name(policy)?;
        let spec = policy.required_map("spec", &POLICY_KEYS)?;
        spec.text("description")?;
        let mut when: BTreeSet<NotifyWhen> = BTreeSet::new();
        for (key, turn) in NOTIFY {
            if spec.boolean(key)? == Some(true) {
                when.insert(turn);
            }
        }
        let mut targets: Vec<String> = Vec::new();
        for (path, node) in spec.list("notificationTargets")? {
            targets.push(match reference(&spec, &path, node, "targetRef")? {
                Some(named) => named.to_owned(),
                None => {
                    let target = inline(&spec, &path, node, "AlertNotificationTarget")?;
                    target.map("spec", &["description", "target"])?;
                    name(&target)?.to_owned()
                }
            });
        }
        let mut conditions: Vec<BurnCondition> = Vec::new();
        for (path, node) in spec.list("conditions")? {
            let read = match reference(&spec, &path, node, "conditionRef")? {
                Some(named) => condition(self.objects.referred(
                    "AlertCondition",
                    &spec,
                    "conditions",
                    named,
                )?)?,
                None => condition(&inline(&spec, &path, node, "AlertCondition")?)?,
            };
            conditions.push(read.with_policy(policy_name, when.clone(), targets.clone()));
        }
        if conditions.is_empty() {
            return Err(spec.refuse("conditions", "is empty; write a condition"));
        }
        Ok(conditions)
    }
}

/// One alert condition.
pub(super) fn condition(object: &Fields<'_>) -> Result<BurnCondition, ImportError> {
    let spec = object.required_map("spec", &["description", "severity", "condition"])?;
    spec.text("description")?;
    let condition = spec.required_map("condition", &CONDITION_KEYS)?;
    match condition.text("kind")? {
        None | Some("burnrate") => {}
        Some(other) => {
            return Err(condition.refuse("kind", &format!("is `{other}`; `burnrate` is read")));
        }
    }
    let comparison = match condition.text("op")? {
        None | Some("gte") => Comparison::AtLeast,
        Some("gt") => Comparison::MoreThan,
        Some(other) => {
            return Err(condition.refuse(
                "op",
                &format!("is `{other}`; a burn rate alerts when it is great: write `gte` or `gt`"),
            ));
        }
    };
    let text = condition.required_number("threshold")?;
    let threshold = text
        .parse::<f64>()
        .ok()
        .filter(|threshold| *threshold > 0.0)
        .ok_or_else(|| {
            condition.refuse(
                "threshold",
                &format!("is `{text}`; write a burn rate above zero"),
            )
        })?;
    let lookback = length(&condition, "lookbackWindow")?;
    if lookback.is_zero() {
        return Err(condition.refuse("lookbackWindow", "is zero; write a length such as `1h`"));
    }
    let after = match condition.node("alertAfter") {
        None => Duration::ZERO,
        Some(_) => length(&condition, "alertAfter")?,
    };
    Ok(BurnCondition::new(
        name(object)?,
        spec.required_text("severity")?,
        threshold,
        lookback,
    )
    .with_comparison(comparison)
    .with_alert_after(after))
}

/// A length of time; OpenSLO's own default `0m` is read too.
fn length(fields: &Fields<'_>, key: &str) -> Result<Duration, ImportError> {
    let text = fields.required_text(key)?;
    if matches!(text, "0m" | "0h" | "0d") {
        return Ok(Duration::ZERO);
    }
    Shorthand::read(text)
        .and_then(Shorthand::fixed)
        .ok_or_else(|| fields.refuse(key, &format!("is `{text}`; write a length such as `1h`")))
}

/// The name that an item refers to: plain text, or under `key`.
fn reference<'a>(
    fields: &Fields<'a>,
    path: &str,
    node: &'a Node,
    key: &str,
) -> Result<Option<&'a str>, ImportError> {
    match &node.value {
        Value::Text(named) => Ok(Some(named)),
        Value::Map(entries) if entries.iter().any(|entry| entry.key == key) => {
            Fields::of(fields.source(), path, node, &[key])?
                .required_text(key)
                .map(Some)
        }
        _ => Ok(None),
    }
}

/// An object that stands where it is used.
fn inline<'a>(
    fields: &Fields<'a>,
    path: &str,
    node: &'a Node,
    kind: &str,
) -> Result<Fields<'a>, ImportError> {
    let object = Fields::of(
        fields.source(),
        path,
        node,
        &["apiVersion", "kind", "metadata", "spec"],
    )?;
    match object.required_text("kind")? {
        found if found == kind => Ok(object),
        found => Err(object.refuse("kind", &format!("is `{found}`; write `{kind}`"))),
    }
}

const POLICY_KEYS: [&str; 6] = [
    "description",
    "alertWhenNoData",
    "alertWhenResolved",
    "alertWhenBreaching",
    "conditions",
    "notificationTargets",
];

const CONDITION_KEYS: [&str; 5] = ["kind", "op", "threshold", "lookbackWindow", "alertAfter"];

const NOTIFY: [(&str, NotifyWhen); 3] = [
    ("alertWhenBreaching", NotifyWhen::Breaching),
    ("alertWhenResolved", NotifyWhen::Resolved),
    ("alertWhenNoData", NotifyWhen::NoData),
];
