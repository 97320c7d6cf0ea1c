mod condition;
mod error;
mod fields;
mod imported;
mod openslo;
mod queries;
mod routing;
mod shorthand;
mod sloth;
mod tree;

pub use self::condition::{BurnCondition, Comparison, NotifyWhen};
pub use self::error::ImportError;
pub use self::imported::ImportedSlo;
pub use self::queries::Queries;
pub(crate) use self::queries::{has_window, window_places};
pub use self::routing::{AlertRouting, Route};

use self::fields::Fields;
use self::tree::Node;

/// Reads the objectives of a YAML stream in the formats of OpenSLO (`openslo/v1`) and Sloth (`prometheus/v1`, and
/// its Kubernetes form `sloth.slok.dev/v1`); documents of several formats may stand in one stream.
///
/// `source` is the name of the file, for messages. The whole stream is taken or nothing of it: what cannot be
/// represented is refused with its place, never dropped.
///
/// Of Sloth, SLI plugins and SLO plugins are refused: their queries exist only once Sloth has run them. Sloth's
/// files do not say their period; 30 days are taken, which is Sloth's own default. Of OpenSLO, composite
/// objectives and calendar windows that do not begin where a day, week, month, quarter or year begins are
/// refused. An OpenSLO objective without a time window gets 30 rolling days.
///
/// What an objective is about is in neither format. A label `noops_kind` says it (`availability`, `latency`,
/// `quality`, `freshness`, `drift`, `pipeline-success`, `cost`); without the label it is `latency` for a value
/// that is good when it is small, `quality` for one that is good when it is great, and `availability` otherwise.
///
/// # Errors
///
/// [`ImportError`] names the file, line and column, and for an unknown key the one that was probably meant. Files
/// over a mebibyte, over a thousand documents, or whose aliases repeat themselves without bounds are refused.
///
/// # Examples
///
/// ```
/// use noops_policy::slo::import;
///
/// let slos = import(
///     "slo.yaml",
///     r#"
/// version: prometheus/v1
/// service: myservice
/// slos:
///   - name: requests-availability
///     objective: 99.9
///     sli:
///       events:
///         error_query: sum(rate(http_requests_total{code=~"5.."}[{{.window}}]))
///         total_query: sum(rate(http_requests_total[{{.window}}]))
///     alerting:
///       page_alert: {labels: {severity: page}}
///       ticket_alert: {disable: true}
/// "#,
/// )?;
/// assert_eq!(slos.len(), 1);
/// assert_eq!(slos[0].objective().target().budget(), 0.001);
///
/// let error = import("slo.yaml", "version: prometheus/v1\nservise: myservice\n").unwrap_err();
/// assert_eq!(
///     error.to_string(),
///     "`slo.yaml`:2:1: unknown key `servise` in `sloth`; did you mean `service`?"
/// );
/// # Ok::<(), noops_policy::slo::ImportError>(())
/// ```
pub fn import(source: &str, yaml: &str) -> Result<Vec<ImportedSlo>, ImportError> {
    let documents = tree::read(source, yaml)?;
    let mut slos: Vec<ImportedSlo> = Vec::new();
    let mut open: Vec<(Fields<'_>, &Node)> = Vec::new();
    for node in &documents {
        let document = Fields::open(source, "document", node)?;
        match document.text("apiVersion")? {
            Some("openslo/v1") => open.push((document, node)),
            Some("sloth.slok.dev/v1") => sloth::kubernetes(source, node, &mut slos)?,
            Some(other) => {
                return Err(document.refuse(
                    "apiVersion",
                    &format!("is `{other}`; `openslo/v1` and `sloth.slok.dev/v1` are read"),
                ));
            }
            None => match document.text("version")? {
                Some("prometheus/v1") => sloth::read(source, node, &mut slos)?,
                Some(other) => {
                    return Err(document.refuse(
                        "version",
                        &format!("is `{other}`; Sloth's `prometheus/v1` is read"),
                    ));
                }
                None => {
                    return Err(ImportError::at(
                        source,
                        node.at,
                        "neither OpenSLO nor Sloth; begin with `apiVersion: openslo/v1` or `version: prometheus/v1`"
                            .to_owned(),
                    ));
                }
            },
        }
    }
    openslo::read(source, &open, &mut slos)?;
    if slos.is_empty() {
        return Err(ImportError::at(
            source,
            None,
            "there is no objective in the file; add one".to_owned(),
        ));
    }
    imported::refuse_twins(source, &slos)?;
    Ok(slos)
}

#[cfg(test)]
mod tests;
