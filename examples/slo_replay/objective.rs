//! The objective, with the rules that watch it.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use noops_policy::slo::{BurnRateRules, ImportedSlo, Objective, import};

use crate::failure::{Failure, fail};

/// An objective and its burn-rate rules.
#[derive(Clone, Debug)]
pub(crate) struct Watched {
    pub(crate) objective: Objective,
    pub(crate) rules: BurnRateRules,
}

/// Reads the objective that is named, or the only one.
pub(crate) fn read(path: &Path, name: Option<&str>) -> Result<Watched, Failure> {
    let shown = path.display().to_string();
    let mut yaml = String::new();
    File::open(path)
        .and_then(|file| file.take(MOST_BYTES).read_to_string(&mut yaml))
        .map_err(|error| fail(format!("cannot read `{shown}`: {error}")))?;
    let slos = import(&shown, &yaml).map_err(|error| fail(one_line(&error.to_string())))?;
    let slo = choose(&shown, &slos, name)?;
    let objective = slo.objective().clone();
    let rules = BurnRateRules::for_target(objective.target(), objective.window().nominal_length())
        .map_err(|error| fail(format!("`{shown}`: {error}")))?;
    Ok(Watched { objective, rules })
}

fn choose<'a>(
    shown: &str,
    slos: &'a [ImportedSlo],
    name: Option<&str>,
) -> Result<&'a ImportedSlo, Failure> {
    let names = || -> String {
        let names: Vec<String> = slos
            .iter()
            .map(|slo| format!("`{}`", slo.objective().name()))
            .collect();
        names.join(", ")
    };
    match (name, slos) {
        (None, [only]) => Ok(only),
        (None, _) => Err(fail(format!(
            "`{shown}` has several objectives; choose one with `--objective`: {}",
            names()
        ))),
        (Some(name), slos) => {
            let mut found = slos.iter().filter(|slo| slo.objective().name() == name);
            match (found.next(), found.next()) {
                (Some(slo), None) => Ok(slo),
                (Some(_), Some(_)) => Err(fail(format!(
                    "`{shown}` has several objectives called `{}`, of different services; rename one",
                    one_line(name)
                ))),
                (None, _) => Err(fail(format!(
                    "`{shown}` has no objective `{}`; it has {}",
                    one_line(name),
                    names()
                ))),
            }
        }
    }
}

/// A text in one line, whatever a file has put into it.
pub(crate) fn one_line(text: &str) -> String {
    text.chars()
        .map(|one| if one.is_control() { ' ' } else { one })
        .collect()
}

/// Beyond the limit of the import, which refuses what is cut here.
const MOST_BYTES: u64 = 2 << 20;
