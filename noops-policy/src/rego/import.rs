use regorus::unstable::{Import, Module};

use super::reference::{Reference, Step};

/// A short name of a module for a path.
#[derive(Clone, Debug)]
pub(super) struct Alias<'a> {
    pub(super) name: String,
    pub(super) path: Reference<'a>,
}

/// The aliases that a module imports; `import rego.v1` and its like only change the language.
pub(super) fn aliases(module: &Module) -> Vec<Alias<'_>> {
    module.imports.iter().filter_map(alias).collect()
}

fn alias(import: &Import) -> Option<Alias<'_>> {
    let path = Reference::of(&import.refr)?;
    if !matches!(path.root, "input" | "data") {
        return None;
    }
    let name = match (&import.r#as, path.steps.last()) {
        (Some(name), _) => name.text().to_owned(),
        (None, Some(Step::Name(name))) => name.clone(),
        (None, _) => path.root.to_owned(),
    };
    Some(Alias { name, path })
}
