//! The facts that conditions may speak about.

use std::path::{Path, PathBuf};

use noops_policy::FactSchema;

use crate::problem::Problem;
use crate::source::Source;

/// A schema, and where it comes from.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Chosen {
    pub(crate) schema: FactSchema,
    pub(crate) from: String,
}

/// The schema that is named, else the one beside the policies, else that of the controller.
pub(crate) fn choose(named: Option<&Path>, policies: &[PathBuf]) -> Result<Chosen, Problem> {
    let beside = || {
        policies
            .iter()
            .map(|path| beside(path))
            .find(|path| path.is_file())
    };
    match named.map(Path::to_path_buf).or_else(beside) {
        Some(path) => read(&path),
        None => {
            let from = "the controller's facts".to_owned();
            match noops_serve::fact_schema() {
                Ok(schema) => Ok(Chosen { schema, from }),
                Err(error) => Err(Problem::refused(&from, &error)),
            }
        }
    }
}

fn read(path: &Path) -> Result<Chosen, Problem> {
    let source = Source::read(path)?;
    let schema = serde_saphyr::from_str(&source.text)
        .map_err(|error| Problem::unreadable(&source.name, &error))?;
    Ok(Chosen {
        schema,
        from: source.name,
    })
}

fn beside(policies: &Path) -> PathBuf {
    if policies.is_dir() {
        policies.join(NAME)
    } else {
        policies.with_file_name(NAME)
    }
}

const NAME: &str = "facts.schema.yaml";
