use crate::cel::typed::{Typed, TypedKind};
use crate::cel::value::Value;

/// Whether two parts are written alike, wherever they stand: such parts have the same value.
///
/// Parts must stand in the same scope, so that a local means the same in both. Maps are never alike: a miss is harmless.
pub(super) fn is_same(one: &Typed, two: &Typed) -> bool {
    use TypedKind as K;
    match (&one.kind, &two.kind) {
        (K::Constant(a), K::Constant(b)) => is_same_value(a, b),
        (K::Variable(a), K::Variable(b))
        | (K::Local(a), K::Local(b))
        | (K::HasVariable(a), K::HasVariable(b)) => a == b,
        (K::Field(a, x), K::Field(b, y)) | (K::HasField(a, x), K::HasField(b, y)) => {
            x == y && is_same(a, b)
        }
        (K::Not(a), K::Not(b)) => is_same(a, b),
        (K::And(a), K::And(b)) | (K::Or(a), K::Or(b)) | (K::List(a), K::List(b)) => are_same(a, b),
        (K::Conditional(a, b, c), K::Conditional(x, y, z)) => {
            is_same(a, x) && is_same(b, y) && is_same(c, z)
        }
        (K::Call(f, a), K::Call(g, b)) => f == g && are_same(a, b),
        (
            K::Comprehension {
                quantifier: q,
                range: a,
                variables: n,
                body: x,
            },
            K::Comprehension {
                quantifier: r,
                range: b,
                variables: m,
                body: y,
            },
        ) => q == r && n == m && is_same(a, b) && are_same(x, y),
        (K::Bind { value: a, body: x }, K::Bind { value: b, body: y }) => {
            is_same(a, b) && is_same(x, y)
        }
        _ => false,
    }
}

fn are_same(one: &[Typed], two: &[Typed]) -> bool {
    one.len() == two.len() && one.iter().zip(two).all(|(a, b)| is_same(a, b))
}

fn is_same_value(one: &Value, two: &Value) -> bool {
    match (one, two) {
        (Value::Null, Value::Null) => true,
        (Value::Bool(a), Value::Bool(b)) => a == b,
        (Value::Int(a), Value::Int(b)) => a == b,
        (Value::Uint(a), Value::Uint(b)) => a == b,
        (Value::Double(a), Value::Double(b)) => a.to_bits() == b.to_bits(),
        (Value::String(a), Value::String(b)) => a == b,
        (Value::Bytes(a), Value::Bytes(b)) => a == b,
        (Value::Duration(a), Value::Duration(b)) => a == b,
        (Value::Timestamp(a), Value::Timestamp(b)) => a == b,
        (Value::Type(a), Value::Type(b)) => a == b,
        (Value::List(a), Value::List(b)) => {
            a.len() == b.len() && a.iter().zip(b.iter()).all(|(a, b)| is_same_value(a, b))
        }
        _ => false,
    }
}

/// The parts directly below `node`.
pub(super) fn children(node: &Typed) -> Vec<&Typed> {
    match &node.kind {
        TypedKind::Constant(_)
        | TypedKind::Variable(_)
        | TypedKind::Local(_)
        | TypedKind::HasVariable(_) => Vec::new(),
        TypedKind::Field(inner, _) | TypedKind::HasField(inner, _) | TypedKind::Not(inner) => {
            vec![inner]
        }
        TypedKind::And(parts)
        | TypedKind::Or(parts)
        | TypedKind::List(parts)
        | TypedKind::Call(_, parts) => parts.iter().collect(),
        TypedKind::Conditional(test, yes, no) => vec![test, yes, no],
        TypedKind::Map(entries) => entries
            .iter()
            .flat_map(|(key, value)| [key, value])
            .collect(),
        TypedKind::Comprehension { range, body, .. } => {
            std::iter::once(range.as_ref()).chain(body).collect()
        }
        TypedKind::Bind { value, body } => vec![value, body],
    }
}

/// Whether the value of `node` can depend on a fact, or on one of the first `locals` locals, which are bound outside of it.
pub(super) fn reads_anything(node: &Typed, locals: usize) -> bool {
    match &node.kind {
        TypedKind::Variable(_) | TypedKind::HasVariable(_) => true,
        TypedKind::Local(level) => *level < locals,
        _ => children(node)
            .into_iter()
            .any(|child| reads_anything(child, locals)),
    }
}

/// The source of `node` with single blanks.
pub(super) fn text(node: &Typed, source: &str) -> String {
    let part = source
        .get(node.span.start..node.span.end)
        .unwrap_or_default();
    part.split_whitespace().collect::<Vec<_>>().join(" ")
}
