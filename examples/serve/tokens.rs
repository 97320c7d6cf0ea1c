//! Who may do what, from a file.

use std::path::Path;

use noops_serve::protocol::{AccessRules, Grant, Verb};

use crate::failure::{Failure, fail};

/// Reads a token file. Errors name the line and never show a token.
pub(crate) fn read(path: &Path) -> Result<AccessRules, Failure> {
    let text = std::fs::read_to_string(path)
        .map_err(|error| fail(format!("cannot read `{}`: {error}", path.display())))?;
    parse(&text).map_err(|message| fail(format!("`{}`: {message}", path.display())))
}

fn parse(text: &str) -> Result<AccessRules, String> {
    let mut rules = AccessRules::open();
    for (line, number) in text.lines().zip(1..) {
        let mut words = line.split_whitespace();
        let Some(token) = words.next().filter(|token| !token.starts_with('#')) else {
            continue;
        };
        let verbs = words.next().unwrap_or("all");
        let verbs = verbs
            .split(',')
            .map(verbs_of)
            .collect::<Result<Vec<_>, _>>();
        let verbs = verbs.map_err(|word| {
            format!("line {number}: `{word}` is no verb; say `infer`, `read`, `manage`, `metrics` or `all`")
        })?;
        let grant = Grant::new(verbs.into_iter().flatten().copied());
        let grant = match words.next() {
            Some(models) => grant.on_models(models.split(',')),
            None => grant,
        };
        if words.next().is_some() {
            return Err(format!(
                "line {number} has more than a token, verbs and models; put commas between these, without spaces"
            ));
        }
        rules = rules.with_token(token, grant);
    }
    if rules.is_open() {
        return Err("it has no token, which would let everybody do everything".to_owned());
    }
    Ok(rules)
}

fn verbs_of(word: &str) -> Result<&'static [Verb], &str> {
    Ok(match word {
        "all" => &[Verb::Infer, Verb::Read, Verb::Manage, Verb::Metrics],
        "infer" => &[Verb::Infer],
        "read" => &[Verb::Read],
        "manage" => &[Verb::Manage],
        "metrics" => &[Verb::Metrics],
        _ => return Err(word),
    })
}
