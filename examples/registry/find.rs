//! What a person means by a name.

use noops_core::{Alias, Digest, ModelName, ModelRegistry, ModelVersion};

use crate::failure::{Failure, fail};
use crate::store::Store;

/// The versions of a model that exists.
pub(crate) async fn versions(
    store: &Store,
    model: &ModelName,
) -> Result<Vec<ModelVersion>, Failure> {
    let registry = store.registry();
    let models = registry.models().await?;
    if models.contains(model) {
        return Ok(registry.versions(model).await?);
    }
    let mut known: Vec<&ModelName> = models.iter().collect();
    known.sort_by_key(|known| (distance(known.as_str(), model.as_str()), *known));
    let known: Vec<String> = known
        .iter()
        .take(SHOWN)
        .map(|known| format!("`{known}`"))
        .collect();
    let hint = if known.is_empty() {
        "the registry is empty".to_owned()
    } else {
        format!("there is {}", known.join(", "))
    };
    Err(fail(format!("there is no model `{model}`; {hint}")))
}

/// The aliases of a model, each with what it points at now.
pub(crate) async fn aliases(
    store: &Store,
    model: &ModelName,
) -> Result<Vec<(Alias, Option<Digest>)>, Failure> {
    let registry = store.registry();
    let mut found: Vec<(Alias, Option<Digest>)> = Vec::new();
    for alias in registry.aliases(model).await? {
        let history = registry.alias_history(model, &alias).await?;
        found.push((alias, history.last().and_then(|target| target.digest)));
    }
    Ok(found)
}

/// The version that a text names: by its number, by an alias, or by the beginning of its digest.
///
/// In that order. A beginning has six digits at least, so that no number of a version that does not exist is taken for one.
pub(crate) async fn version(
    store: &Store,
    model: &ModelName,
    text: &str,
) -> Result<ModelVersion, Failure> {
    let versions = versions(store, model).await?;
    let aliases = aliases(store, model).await?;
    if let Ok(number) = text.parse::<u64>()
        && let Some(found) = versions.iter().find(|version| version.number() == number)
    {
        return Ok(found.clone());
    }
    if let Some((alias, target)) = aliases.iter().find(|(alias, _)| alias.as_str() == text) {
        let Some(digest) = target else {
            return Err(fail(format!("`{alias}` of `{model}` points nowhere")));
        };
        return Ok(store.registry().version(model, digest).await?);
    }
    if let Ok(digest) = text.parse::<Digest>() {
        // The registry says whether it was deleted.
        return Ok(store.registry().version(model, &digest).await?);
    }
    let start = text.to_ascii_lowercase();
    let is_start = start.len() >= SHORTEST && start.chars().all(|c| c.is_ascii_hexdigit());
    let mut fitting = versions
        .iter()
        .filter(|version| is_start && version.digest().to_string().starts_with(&start));
    match (fitting.next(), fitting.next()) {
        (Some(found), None) => Ok(found.clone()),
        (Some(one), Some(other)) => Err(fail(format!(
            "`{text}` fits versions {} and {} of `{model}`; give more digits",
            one.number(),
            other.number()
        ))),
        _ => Err(unknown(model, text, &versions, &aliases)),
    }
}

fn unknown(
    model: &ModelName,
    text: &str,
    versions: &[ModelVersion],
    aliases: &[(Alias, Option<Digest>)],
) -> Failure {
    let shown: String = text.chars().take(80).collect();
    let newest = versions.iter().rev().take(SHOWN).map(|version| {
        let (number, digest) = (version.number(), version.digest().short());
        format!("{number} ({digest})")
    });
    let newest: Vec<String> = newest.collect();
    let mut hint = if newest.is_empty() {
        "all its versions were deleted".to_owned()
    } else {
        format!("there is {}", newest.join(", "))
    };
    if versions.len() > SHOWN {
        hint.push_str(" and older ones");
    }
    for (alias, _) in aliases {
        hint.push_str(&format!(", `{alias}`"));
    }
    fail(format!(
        "`{model}` has no version `{}`; {hint}",
        shown.escape_debug()
    ))
}

/// How many characters must be inserted, removed or changed to make one text of the other.
fn distance(from: &str, to: &str) -> usize {
    let mut row: Vec<usize> = (0..=to.chars().count()).collect();
    for (index, a) in from.chars().enumerate() {
        let mut next: Vec<usize> = vec![index + 1];
        let mut left = index + 1;
        for (b, (diagonal, above)) in to.chars().zip(row.iter().zip(row.iter().skip(1))) {
            left = (diagonal + usize::from(a != b))
                .min(above + 1)
                .min(left + 1);
            next.push(left);
        }
        row = next;
    }
    row.last().copied().unwrap_or(0)
}

const SHOWN: usize = 10;
const SHORTEST: usize = 6;

#[cfg(test)]
mod tests {
    use super::distance;

    #[test]
    fn the_distance_is_that_of_levenshtein() {
        for (from, to, expected) in [
            ("kitten", "sitting", 3),
            ("", "abc", 3),
            ("abc", "", 3),
            ("flaw", "lawn", 2),
            ("same", "same", 0),
        ] {
            assert_eq!(distance(from, to), expected, "{from} {to}");
        }
    }
}
