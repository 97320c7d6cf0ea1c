//! Everything that only looks.

use std::collections::BTreeSet;

use comfy_table::Table;
use comfy_table::presets::UTF8_FULL_CONDENSED;
use noops_core::{
    Alias, AliasTarget, Digest, ErrorKind, Feature, FeatureKind, ModelName, ModelRegistry,
    ModelVersion, Timestamp,
};

use crate::failure::{Failure, fail};
use crate::find;
use crate::store::Store;

/// A table of the models.
pub(crate) async fn list_models(store: &Store) -> Result<String, Failure> {
    let mut table = Table::new();
    table.load_style(UTF8_FULL_CONDENSED).set_header(vec![
        "model",
        "versions",
        "newest",
        "registered",
        "aliases",
    ]);
    let models = store.registry().models().await?;
    if models.is_empty() {
        return Ok(format!("the registry in `{}` is empty", store.place()));
    }
    for model in models {
        let versions = find::versions(store, &model).await?;
        let aliases = find::aliases(store, &model).await?;
        let newest = versions.last();
        let pointing = aliases.iter().map(|(alias, target)| {
            let number = target.and_then(|digest| number(&versions, &digest));
            let number = number.map_or_else(|| "nothing".to_owned(), |number| number.to_string());
            format!("{alias}: {number}")
        });
        table.add_row(vec![
            model.to_string(),
            versions.len().to_string(),
            newest.map_or_else(String::new, |newest| newest.number().to_string()),
            newest.map_or_else(String::new, |newest| {
                short_time(newest.registration().registered_at)
            }),
            pointing.collect::<Vec<String>>().join("\n"),
        ]);
    }
    Ok(table.trim_fmt())
}

/// A table of the versions of a model.
pub(crate) async fn list_versions(store: &Store, model: &ModelName) -> Result<String, Failure> {
    let versions = find::versions(store, model).await?;
    if versions.is_empty() {
        return Ok(format!("all versions of `{model}` were deleted"));
    }
    let aliases = find::aliases(store, model).await?;
    let mut table = Table::new();
    table.load_style(UTF8_FULL_CONDENSED).set_header(vec![
        "version",
        "digest",
        "registered",
        "aliases",
        "metrics",
    ]);
    for version in &versions {
        let registration = version.registration();
        let metrics = registration.metrics.iter();
        let metrics = metrics.map(|(name, value)| format!("{} {value}", printable(name)));
        table.add_row(vec![
            version.number().to_string(),
            version.digest().short(),
            short_time(registration.registered_at),
            names(&aliases, version.digest()).join("\n"),
            metrics.collect::<Vec<String>>().join("\n"),
        ]);
    }
    Ok(table.trim_fmt())
}

/// Everything that is known of a version.
pub(crate) async fn show(store: &Store, model: &ModelName, text: &str) -> Result<String, Failure> {
    let version = find::version(store, model, text).await?;
    let (registration, digest) = (version.registration(), version.digest());
    let aliases = names(&find::aliases(store, model).await?, digest);
    let lineage = &registration.lineage;
    let mut lines = Lines::default();
    lines.add("model", model);
    lines.add("version", version.number());
    lines.add("digest", digest);
    lines.add("registered", registration.registered_at);
    lines.add("artifact", artifact(store, &digest).await?);
    if store.signature(model, &digest).is_file() {
        lines.add("signature", "there; check it with `verify --public-key`");
    }
    lines.add_all("alias", &aliases);
    for rule in registration.contract.rules() {
        lines.add("feature", feature(rule.feature()));
    }
    for (name, value) in &registration.metrics {
        lines.add("metric", format_args!("{name} = {value}"));
    }
    for (name, value) in &registration.parameters {
        lines.add("parameter", format_args!("{name} = {value}"));
    }
    if let Some(profile) = &registration.profile {
        lines.add("profile", Digest::of_json(profile));
    }
    if !lineage.training_run.is_empty() {
        lines.add("run", &lineage.training_run);
    }
    if let Some(dataset) = &lineage.dataset {
        lines.add("dataset", dataset);
    }
    if let Some(view) = &lineage.feature_view {
        lines.add("view", view);
    }
    if !lineage.code_revision.is_empty() {
        lines.add("code", &lineage.code_revision);
    }
    lines.add_all("parent", &ancestors(store, model, &version).await?);
    Ok(lines.text)
}

/// Where aliases have pointed, or did at a time.
pub(crate) async fn history(
    store: &Store,
    model: &ModelName,
    alias: Option<&Alias>,
    at: Option<Timestamp>,
) -> Result<String, Failure> {
    let versions = find::versions(store, model).await?;
    let known = store.registry().aliases(model).await?;
    let asked: Vec<&Alias> = match alias {
        None => known.iter().collect(),
        Some(alias) if known.contains(alias) => vec![alias],
        Some(alias) => return Err(unknown_alias(model, alias, &known)),
    };
    if asked.is_empty() {
        return Ok(format!("no alias of `{model}` has ever pointed anywhere"));
    }
    let mut text = String::new();
    for alias in asked {
        let history = store.registry().alias_history(model, alias).await?;
        if let Some(at) = at {
            let target = AliasTarget::live_at(&history, at);
            let target = target_name(&versions, target);
            text.push_str(&format!(
                "at {at}, `{alias}` of `{model}` pointed at {target}\n"
            ));
            continue;
        }
        let mut table = Table::new();
        table
            .load_style(UTF8_FULL_CONDENSED)
            .set_header(vec!["since", alias.as_str(), "token"]);
        for target in &history {
            table.add_row(vec![
                short_time(target.since),
                target_name(&versions, target.digest),
                target.token.to_string(),
            ]);
        }
        text.push_str(&format!("{}\n", table.trim_fmt()));
    }
    Ok(text)
}

/// Lines with a label each.
#[derive(Debug, Default)]
struct Lines {
    text: String,
}

impl Lines {
    fn add(&mut self, label: &str, value: impl std::fmt::Display) {
        let value = printable(&value.to_string());
        self.text.push_str(&format!("{label:<11} {value}\n"));
    }

    fn add_all(&mut self, label: &str, values: &[String]) {
        for value in values {
            self.add(label, value);
        }
    }
}

/// The parent of a version, its parent, and so on to the first.
async fn ancestors(
    store: &Store,
    model: &ModelName,
    version: &ModelVersion,
) -> Result<Vec<String>, Failure> {
    let mut told: Vec<String> = Vec::new();
    // A lineage is what somebody claimed: it may go round in circles.
    let mut seen: BTreeSet<Digest> = BTreeSet::from([version.digest()]);
    let mut next = version.registration().lineage.parent;
    while let Some(digest) = next {
        let short = digest.short();
        if !seen.insert(digest) {
            told.push(format!("{short}, which descends from itself"));
            break;
        }
        next = match store.registry().version(model, &digest).await {
            Ok(parent) => {
                let since = short_time(parent.registration().registered_at);
                let number = parent.number();
                told.push(format!("version {number} ({short}), registered {since}"));
                parent.registration().lineage.parent
            }
            Err(error) => {
                told.push(match error.kind() {
                    ErrorKind::Gone => format!("{short}, deleted"),
                    ErrorKind::NotFound => format!("{digest}, not in this registry"),
                    _ => return Err(error.into()),
                });
                None
            }
        };
    }
    Ok(told)
}

async fn artifact(store: &Store, digest: &Digest) -> Result<String, Failure> {
    match store.read_artifact(digest).await {
        Ok(bytes) => Ok(format!("{bytes} bytes, digest verified")),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok("MISSING".to_owned()),
        Err(error) if error.kind() == ErrorKind::Corrupt => Ok("DAMAGED".to_owned()),
        Err(error) => Err(error.into()),
    }
}

fn feature(feature: &Feature) -> String {
    let name = feature.name();
    match feature.kind() {
        FeatureKind::Number { min, max } if *min <= f64::MIN && *max >= f64::MAX => {
            format!("{name}: a number")
        }
        FeatureKind::Number { min, max } => format!("{name}: a number from {min} to {max}"),
        FeatureKind::Category { categories } => {
            format!("{name}: one of {} categories", categories.len())
        }
    }
}

fn names(aliases: &[(Alias, Option<Digest>)], digest: Digest) -> Vec<String> {
    let pointing = aliases.iter().filter(|(_, target)| *target == Some(digest));
    pointing.map(|(alias, _)| alias.to_string()).collect()
}

fn number(versions: &[ModelVersion], digest: &Digest) -> Option<u64> {
    let found = versions
        .iter()
        .find(|version| version.digest() == *digest)?;
    Some(found.number())
}

fn target_name(versions: &[ModelVersion], target: Option<Digest>) -> String {
    let Some(digest) = target else {
        return "nothing".to_owned();
    };
    match number(versions, &digest) {
        Some(number) => format!("version {number} ({})", digest.short()),
        None => format!("{digest}, deleted since"),
    }
}

pub(crate) fn unknown_alias(model: &ModelName, alias: &Alias, known: &[Alias]) -> Failure {
    let known: Vec<String> = known.iter().map(|known| format!("`{known}`")).collect();
    if known.is_empty() {
        return fail(format!("`{model}` has no aliases"));
    }
    fail(format!(
        "`{model}` has no alias `{alias}`; there is {}",
        known.join(", ")
    ))
}

/// What others have written, without what would move the cursor, hide a line or add one.
fn printable(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for character in text.chars() {
        if character.is_control() {
            shown.extend(character.escape_default());
        } else {
            shown.push(character);
        }
    }
    shown
}

/// To the second: enough for people.
fn short_time(at: Timestamp) -> String {
    format!("{at:.0}")
}
