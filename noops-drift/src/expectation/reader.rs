use super::{Expectations, invalid};
use crate::error::DriftError;

/// Reads YAML of bounded size; the parser bounds depth, aliases and nodes.
pub(super) fn read_yaml(yaml: &str) -> Result<Expectations, DriftError> {
    if yaml.len() > MAX_YAML_BYTES {
        return Err(invalid(format!(
            "are `{}` bytes of YAML; write at most `{MAX_YAML_BYTES}`",
            yaml.len()
        )));
    }
    serde_saphyr::from_str(yaml).map_err(|error| {
        let text = error.without_snippet().to_string();
        let problem = text.lines().next().unwrap_or_default().trim();
        let place = error
            .location()
            .filter(|location| location.line() > 0)
            .map(|location| format!(" at line {}, column {}", location.line(), location.column()))
            .unwrap_or_default();
        invalid(format!("cannot be read{place}: {problem}"))
    })
}

const MAX_YAML_BYTES: usize = 1 << 20;
