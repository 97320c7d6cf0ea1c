use super::ast::{Kind, Node, Quantifier};
use super::error::CelError;

/// What a call stands for: a macro where its name and its number of arguments fit one, a plain call otherwise.
///
/// The call begins at `at`.
pub(super) fn expand(
    target: Option<Node>,
    name: String,
    arguments: Vec<Node>,
    at: usize,
) -> Result<Kind, CelError> {
    match (&target, name.as_str()) {
        (None, "has") => has(arguments, at),
        (None, "not" | "NOT") => Err(CelError::new(
            at,
            format!("`{name}` is not an operator; use `!`"),
        )),
        (Some(target), "bind") if target.kind == Kind::Name("cel".to_owned()) => {
            bind(arguments, at)
        }
        _ => match (target, example(&name)) {
            (Some(range), Some(example)) => comprehension(range, &name, example, arguments, at),
            (target, _) => Ok(Kind::Call {
                target: target.map(Box::new),
                name,
                arguments,
            }),
        },
    }
}

fn has(arguments: Vec<Node>, at: usize) -> Result<Kind, CelError> {
    let place = arguments.first().map_or(at, |first| first.span.start);
    match <[Node; 1]>::try_from(arguments).map(|[argument]| argument.kind) {
        Ok(Kind::Select(operand, field)) => Ok(Kind::Has(Some(operand), field)),
        Ok(Kind::Name(name)) => Ok(Kind::Has(None, name)),
        _ => Err(CelError::new(
            place,
            "`has` asks whether one fact or field is there: `has(name)` or `has(value.field)`",
        )),
    }
}

fn bind(arguments: Vec<Node>, at: usize) -> Result<Kind, CelError> {
    let Ok([variable, value, body]) = <[Node; 3]>::try_from(arguments) else {
        return Err(CelError::new(
            at,
            "`cel.bind` takes a name, its value and an expression: `cel.bind(x, value, x + x)`",
        ));
    };
    Ok(Kind::Bind {
        name: variable_name(variable)?,
        value: Box::new(value),
        body: Box::new(body),
    })
}

fn comprehension(
    range: Node,
    name: &str,
    example: &str,
    mut arguments: Vec<Node>,
    at: usize,
) -> Result<Kind, CelError> {
    let fitting = MACROS.iter().find(|candidate| {
        candidate.name == name && candidate.variables + candidate.body == arguments.len()
    });
    let Some(fitting) = fitting else {
        return Err(CelError::new(
            at,
            format!("`{name}` is written `{example}`"),
        ));
    };
    let body = arguments.split_off(fitting.variables.min(arguments.len()));
    let place = arguments.last().map_or(at, |last| last.span.start);
    let variables = arguments
        .into_iter()
        .map(variable_name)
        .collect::<Result<Vec<String>, CelError>>()?;
    if let [first, second] = variables.as_slice()
        && first == second
    {
        return Err(CelError::new(
            place,
            format!("`{second}` names both variables; give them different names"),
        ));
    }
    Ok(Kind::Comprehension {
        quantifier: fitting.quantifier,
        range: Box::new(range),
        variables,
        body,
    })
}

fn variable_name(node: Node) -> Result<String, CelError> {
    match node.kind {
        Kind::Name(name) if !name.starts_with('.') => Ok(name),
        _ => Err(CelError::new(
            node.span.start,
            "a variable is a simple name, such as `x`",
        )),
    }
}

/// How a comprehension of this name is written, for those who called it with too few or too many arguments.
fn example(name: &str) -> Option<&'static str> {
    Some(match name {
        "all" => "range.all(x, x > 0)",
        "exists" => "range.exists(x, x > 0)",
        "exists_one" | "existsOne" => "range.exists_one(x, x > 0)",
        "filter" => "range.filter(x, x > 0)",
        "map" => "range.map(x, x * 2)",
        "transformList" => "range.transformList(i, x, x * 2)",
        "transformMap" => "range.transformMap(k, v, v * 2)",
        "transformMapEntry" => "range.transformMapEntry(k, v, {v: k})",
        _ => return None,
    })
}

/// A comprehension by its name and its shape.
struct Macro {
    name: &'static str,
    quantifier: Quantifier,
    variables: usize,
    /// Expressions after the variables.
    body: usize,
}

const fn form(name: &'static str, quantifier: Quantifier, variables: usize, body: usize) -> Macro {
    Macro {
        name,
        quantifier,
        variables,
        body,
    }
}

const MACROS: [Macro; 17] = [
    form("all", Quantifier::All, 1, 1),
    form("all", Quantifier::All, 2, 1),
    form("exists", Quantifier::Exists, 1, 1),
    form("exists", Quantifier::Exists, 2, 1),
    form("exists_one", Quantifier::ExistsOne, 1, 1),
    form("exists_one", Quantifier::ExistsOne, 2, 1),
    form("existsOne", Quantifier::ExistsOne, 1, 1),
    form("existsOne", Quantifier::ExistsOne, 2, 1),
    form("filter", Quantifier::Filter, 1, 1),
    form("map", Quantifier::Map, 1, 1),
    form("map", Quantifier::Map, 1, 2),
    form("transformList", Quantifier::Map, 2, 1),
    form("transformList", Quantifier::Map, 2, 2),
    form("transformMap", Quantifier::TransformMap, 2, 1),
    form("transformMap", Quantifier::TransformMap, 2, 2),
    form("transformMapEntry", Quantifier::TransformMapEntry, 2, 1),
    form("transformMapEntry", Quantifier::TransformMapEntry, 2, 2),
];
