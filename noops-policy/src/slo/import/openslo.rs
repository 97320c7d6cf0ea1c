mod alert;
mod indicator;
mod window;

use std::collections::BTreeMap;

use self::alert::Alerts;
use self::indicator::Measure;
use super::fields::Fields;
use super::imported::{Draft, refused};
use super::shorthand::Shorthand;
use super::tree::{Node, Value};
use super::{ImportError, ImportedSlo};
use crate::slo::{BudgetingMethod, Slice, Target};

/// Reads the documents `apiVersion: openslo/v1` of a stream, which refer to each other by name.
pub(super) fn read(
    source: &str,
    documents: &[(Fields<'_>, &Node)],
    slos: &mut Vec<ImportedSlo>,
) -> Result<(), ImportError> {
    let mut objects = Objects::default();
    for (document, node) in documents {
        let kind = document.required_text("kind")?;
        let object = Fields::of(source, kind, node, &OBJECT_KEYS)?;
        objects.add(kind, object)?;
    }
    for slo in objects.of_kind("SLO") {
        objectives(slo, &objects, slos)?;
    }
    // What no objective refers to is still checked: a typo in an unused indicator waits for its first use otherwise.
    for sli in objects.of_kind("SLI") {
        indicator::check(sli)?;
    }
    for policy in objects.of_kind("AlertPolicy") {
        Alerts::new(&objects).policy(policy)?;
    }
    for condition in objects.of_kind("AlertCondition") {
        alert::condition(condition)?;
    }
    Ok(())
}

/// The objects of a stream by kind and name.
#[derive(Debug, Default)]
struct Objects<'a> {
    by_name: BTreeMap<(String, String), Fields<'a>>,
}

impl<'a> Objects<'a> {
    fn add(&mut self, kind: &'a str, object: Fields<'a>) -> Result<(), ImportError> {
        if !KINDS.contains(&kind) {
            let near = crate::suggest::nearest(kind, KINDS)
                .map_or_else(String::new, |near| format!("; did you mean `{near}`?"));
            return Err(object.refuse(
                "kind",
                &format!("is `{kind}`, which OpenSLO does not have{near}"),
            ));
        }
        let name = name(&object)?;
        let known: &[&str] = match kind {
            "DataSource" => &["description", "type", "connectionDetails"],
            "Service" => &["description"],
            "AlertNotificationTarget" => &["description", "target"],
            _ => &[],
        };
        if !known.is_empty() {
            object.map("spec", known)?;
        }
        let refusal = object.refuse(
            "metadata",
            &format!("names `{name}`, as another `{kind}` of the file does; rename one of them"),
        );
        match self
            .by_name
            .insert((kind.to_owned(), name.to_owned()), object)
        {
            None => Ok(()),
            Some(_) => Err(refusal),
        }
    }

    fn of_kind<'s>(&'s self, kind: &'s str) -> impl Iterator<Item = &'s Fields<'a>> + 's {
        self.by_name
            .iter()
            .filter(move |((of, _), _)| *of == kind)
            .map(|(_, object)| object)
    }

    fn find(&self, kind: &str, named: &str) -> Option<&Fields<'a>> {
        self.by_name.get(&(kind.to_owned(), named.to_owned()))
    }

    /// The object that `key` of `fields` refers to.
    fn referred(
        &self,
        kind: &str,
        fields: &Fields<'_>,
        key: &str,
        named: &str,
    ) -> Result<&Fields<'a>, ImportError> {
        self.find(kind, named).ok_or_else(|| {
            let names = self
                .by_name
                .keys()
                .filter(|(of, _)| *of == kind)
                .map(|(_, name)| name.as_str());
            let advice = crate::suggest::nearest(named, names).map_or_else(
                || format!("add the document of kind `{kind}` to the file"),
                |near| format!("did you mean `{near}`?"),
            );
            fields.refuse(
                key,
                &format!("refers to `{named}`, a `{kind}` that is not in the file; {advice}"),
            )
        })
    }
}

/// The name of an object, whose metadata is checked on the way.
fn name<'a>(object: &Fields<'a>) -> Result<&'a str, ImportError> {
    object
        .required_map("metadata", &METADATA_KEYS)?
        .required_text("name")
}

/// The labels of an object; OpenSLO lets a label have several values, which are joined by a comma.
fn labels(object: &Fields<'_>) -> Result<BTreeMap<String, String>, ImportError> {
    let metadata = object.required_map("metadata", &METADATA_KEYS)?;
    let Some(node) = metadata.node("labels") else {
        return Ok(BTreeMap::new());
    };
    let path = metadata.path("labels");
    let open = Fields::open(metadata.source(), &path, node)?;
    let mut labels: BTreeMap<String, String> = BTreeMap::new();
    for key in open.keys() {
        let joined = match open.node(key).map(|node| &node.value) {
            Some(Value::List(items)) => {
                let texts: Option<Vec<&str>> = items
                    .iter()
                    .map(|item| match &item.value {
                        Value::Text(text) => Some(text.as_str()),
                        _ => None,
                    })
                    .collect();
                texts
                    .ok_or_else(|| {
                        open.refuse(key, "holds more than texts; put each value in quotes")
                    })?
                    .join(",")
            }
            _ => open.required_text(key)?.to_owned(),
        };
        labels.insert(key.to_owned(), joined);
    }
    Ok(labels)
}

fn objectives(
    slo: &Fields<'_>,
    objects: &Objects<'_>,
    slos: &mut Vec<ImportedSlo>,
) -> Result<(), ImportError> {
    let name = name(slo)?;
    let labels = labels(slo)?;
    let spec = slo.required_map("spec", &SLO_KEYS)?;
    let service = spec.required_text("service")?;
    let window = window::read(&spec)?;
    let indicator = indicator::of(&spec, objects)?;
    let conditions = Alerts::new(objects).of(&spec)?;
    let items = spec.list("objectives")?;
    if items.is_empty() {
        return Err(spec.refuse("objectives", "is empty; add an objective"));
    }
    let single = items.len() == 1;
    for (number, (path, item)) in (1_usize..).zip(&items) {
        if let Value::Map(entries) = &item.value
            && let Some(entry) = entries
                .iter()
                .find(|entry| COMPOSITE_KEYS.contains(&entry.key.as_str()))
        {
            return Err(ImportError::at(
                spec.source(),
                entry.at,
                format!(
                    "`{path}.{}` makes a composite objective, which is not read; write one SLO for each of its indicators",
                    entry.key
                ),
            ));
        }
        let fields = Fields::of(spec.source(), path, item, &OBJECTIVE_KEYS)?;
        let display = fields.text("displayName")?;
        let measure: Measure = indicator.for_objective(&fields)?;
        let objective = Draft {
            name: if single {
                name.to_owned()
            } else {
                let part = display.map(slug).filter(|part| !part.is_empty());
                format!("{name}-{}", part.unwrap_or_else(|| number.to_string()))
            },
            service,
            description: spec.text("description")?,
            labels: labels.clone(),
            indicator: measure.indicator,
            target: target(&fields)?,
            window: window.clone(),
        }
        .objective(&fields)?
        .with_budgeting(budgeting(&spec, &fields)?);
        slos.push(
            ImportedSlo::new(objective, measure.queries, fields.at())
                .with_data_source(measure.data_source)
                .with_burn_conditions(conditions.clone()),
        );
    }
    Ok(())
}

fn target(fields: &Fields<'_>) -> Result<Target, ImportError> {
    let ratio = fields.number("target")?;
    let percent = fields.number("targetPercent")?;
    let (key, text, checked) = match (ratio, percent) {
        (Some(text), None) => ("target", text, text.parse().ok().map(Target::new)),
        (None, Some(text)) => (
            "targetPercent",
            text,
            text.parse().ok().map(Target::from_percent),
        ),
        (Some(_), Some(_)) => {
            return Err(fields.refuse("targetPercent", "stands beside `target`; keep one of them"));
        }
        (None, None) => {
            return Err(fields.refuse("target", "is missing; write a ratio such as `0.999`"));
        }
    };
    match checked {
        Some(Ok(target)) => Ok(target),
        _ => Err(fields.refuse(
            key,
            &format!(
                "is `{text}`; write {}",
                if key == "target" {
                    "a ratio strictly between 0 and 1, such as `0.999`"
                } else {
                    "a percentage strictly between 0 and 100, such as `99.9`"
                }
            ),
        )),
    }
}

fn budgeting(spec: &Fields<'_>, fields: &Fields<'_>) -> Result<BudgetingMethod, ImportError> {
    let method = spec.required_text("budgetingMethod")?;
    let slice_keys = ["timeSliceTarget", "timeSliceWindow"];
    let refuse_key = |key: &str| {
        Err(fields.refuse(
            key,
            &format!("has no meaning with `budgetingMethod: {method}`; remove it"),
        ))
    };
    match method {
        "Occurrences" => match slice_keys.iter().find(|key| fields.node(key).is_some()) {
            Some(key) => refuse_key(key),
            None => Ok(BudgetingMethod::Occurrences),
        },
        "Timeslices" => {
            let text = fields.required_number("timeSliceTarget")?;
            let target = text
                .parse()
                .ok()
                .and_then(|ratio| Target::new(ratio).ok())
                .ok_or_else(|| {
                    fields.refuse(
                        "timeSliceTarget",
                        &format!("is `{text}`; write a ratio strictly between 0 and 1"),
                    )
                })?;
            Ok(BudgetingMethod::Timeslices {
                slice: slice(fields)?,
                target,
            })
        }
        "RatioTimeslices" => match fields.node("timeSliceTarget") {
            Some(_) => refuse_key("timeSliceTarget"),
            None => Ok(BudgetingMethod::RatioTimeslices {
                slice: slice(fields)?,
            }),
        },
        other => Err(spec.refuse(
            "budgetingMethod",
            &format!("is `{other}`; write `Occurrences`, `Timeslices` or `RatioTimeslices`"),
        )),
    }
}

/// The length of a slice: a shorthand, or a number of minutes.
fn slice(fields: &Fields<'_>) -> Result<Slice, ImportError> {
    let key = "timeSliceWindow";
    let text = match fields.node(key).map(|node| &node.value) {
        Some(Value::Number(minutes)) => format!("{minutes}m"),
        _ => fields.required_text(key)?.to_owned(),
    };
    let length = Shorthand::read(&text)
        .and_then(Shorthand::fixed)
        .ok_or_else(|| fields.refuse(key, &format!("is `{text}`; write a length such as `5m`")))?;
    Slice::new(length).map_err(|error| refused(fields, &error))
}

/// A display name as a part of a name: `Foo Total Errors` is `foo-total-errors`.
fn slug(display: &str) -> String {
    let mut slug = String::new();
    for character in display.chars() {
        if character.is_ascii_alphanumeric() {
            slug.push(character.to_ascii_lowercase());
        } else if !slug.is_empty() && !slug.ends_with('-') {
            slug.push('-');
        }
    }
    slug.trim_end_matches('-').to_owned()
}

const OBJECT_KEYS: [&str; 4] = ["apiVersion", "kind", "metadata", "spec"];

const METADATA_KEYS: [&str; 4] = ["name", "displayName", "labels", "annotations"];

const KINDS: [&str; 7] = [
    "SLO",
    "SLI",
    "Service",
    "DataSource",
    "AlertPolicy",
    "AlertCondition",
    "AlertNotificationTarget",
];

const SLO_KEYS: [&str; 8] = [
    "description",
    "service",
    "indicator",
    "indicatorRef",
    "timeWindow",
    "budgetingMethod",
    "objectives",
    "alertPolicies",
];

const OBJECTIVE_KEYS: [&str; 7] = [
    "displayName",
    "op",
    "value",
    "target",
    "targetPercent",
    "timeSliceTarget",
    "timeSliceWindow",
];

const COMPOSITE_KEYS: [&str; 3] = ["indicator", "indicatorRef", "compositeWeight"];
