use super::ast::{Quantifier, Span};
use super::function::Function;
use super::types::Type;
use super::value::Value;

/// A node of the checked tree: names are resolved, functions are chosen, and every node has its type.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Typed {
    pub(crate) kind: TypedKind,
    pub(crate) value_type: Type,
    pub(crate) span: Span,
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) enum TypedKind {
    Constant(Value),
    /// A declared variable, by its place in the environment.
    Variable(usize),
    /// A variable of a comprehension or a binding: its place on the stack of locals, counted from the outermost.
    Local(usize),
    /// `has(variable)`: whether a declared variable is known.
    HasVariable(usize),
    /// A key of a map.
    Field(Box<Typed>, String),
    /// `has(map.key)`.
    HasField(Box<Typed>, String),
    Not(Box<Typed>),
    And(Vec<Typed>),
    Or(Vec<Typed>),
    Conditional(Box<Typed>, Box<Typed>, Box<Typed>),
    List(Vec<Typed>),
    Map(Vec<(Typed, Typed)>),
    /// The target of a method comes first.
    Call(Function, Vec<Typed>),
    /// Pushes one or two locals for each element while it evaluates the body. With one variable the element of a list or
    /// the key of a map; with two the index or key, and the element.
    Comprehension {
        quantifier: Quantifier,
        range: Box<Typed>,
        variables: usize,
        body: Vec<Typed>,
    },
    /// Pushes one local while it evaluates the body.
    Bind {
        value: Box<Typed>,
        body: Box<Typed>,
    },
}

impl Typed {
    /// The source of this node, with single blanks.
    pub(crate) fn text(&self, source: &str) -> String {
        let words: Vec<&str> = source
            .get(self.span.start..self.span.end)
            .unwrap_or_default()
            .split_whitespace()
            .collect();
        words.join(" ")
    }

    /// The parts of this node, in source order.
    pub(crate) fn parts(&self) -> Vec<&Self> {
        match &self.kind {
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
            TypedKind::Conditional(condition, then, otherwise) => {
                vec![condition, then, otherwise]
            }
            TypedKind::Map(entries) => entries
                .iter()
                .flat_map(|(key, value)| [key, value])
                .collect(),
            TypedKind::Comprehension { range, body, .. } => {
                std::iter::once(&**range).chain(body).collect()
            }
            TypedKind::Bind { value, body } => vec![value, body],
        }
    }

    /// The declared variables that this node reads or asks about, in source order and with repeats.
    pub(crate) fn variables(&self) -> Vec<usize> {
        let mut found = Vec::new();
        let mut open = vec![self];
        while let Some(node) = open.pop() {
            if let TypedKind::Variable(index) | TypedKind::HasVariable(index) = node.kind {
                found.push(index);
            }
            open.extend(node.parts().into_iter().rev());
        }
        found
    }
}
