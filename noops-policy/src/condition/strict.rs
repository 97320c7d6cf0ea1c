use crate::cel::error::CelError;
use crate::cel::function::Function;
use crate::cel::typed::{Typed, TypedKind};
use crate::cel::types::Type;

/// What a condition must be beyond a well-typed expression: a truth value, with no equality that rounding decides.
pub(super) fn check_condition(root: &Typed, source: &str) -> Result<(), CelError> {
    if root.value_type != Type::Bool {
        return Err(CelError::new(
            root.span.start,
            format!(
                "a condition takes bool but `{}` is {}; compare it with something",
                root.text(source),
                root.value_type
            ),
        ));
    }
    let mut open = vec![root];
    while let Some(node) = open.pop() {
        if let TypedKind::Call(function @ (Function::Equal | Function::NotEqual), operands) =
            &node.kind
            && let Some(double) = operands.iter().find(|side| holds_doubles(&side.value_type))
        {
            let symbol = if *function == Function::Equal {
                "=="
            } else {
                "!="
            };
            return Err(CelError::new(
                node.span.start,
                format!(
                    "`{symbol}` on doubles depends on rounding; compare `{}` with `<=` or `>=`",
                    double.text(source)
                ),
            ));
        }
        open.extend(node.parts().into_iter().rev());
    }
    Ok(())
}

fn holds_doubles(value_type: &Type) -> bool {
    match value_type {
        Type::Double => true,
        Type::List(item) => holds_doubles(item),
        Type::Map(key, value) => holds_doubles(key) || holds_doubles(value),
        _ => false,
    }
}
