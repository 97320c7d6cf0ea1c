use super::value::Value;

/// A part of the source, in bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Span {
    pub(crate) start: usize,
    pub(crate) end: usize,
}

/// A node of the syntax tree, as parsed: nothing is resolved and nothing has a type yet.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Node {
    pub(crate) kind: Kind,
    pub(crate) span: Span,
    /// Levels of nodes from here down, bounded by the parser so that every walk of the tree may recurse.
    pub(crate) depth: usize,
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Kind {
    Literal(Value),
    /// A name; `.name` keeps its dot, which stands for "from the root".
    Name(String),
    /// `operand.field`, whether it turns out to be a field or a part of a dotted name.
    Select(Box<Node>, String),
    /// `has(operand.field)`; a bare `has(name)` has no operand.
    Has(Option<Box<Node>>, String),
    Unary(Unary, Box<Node>),
    Binary(Binary, Box<Node>, Box<Node>),
    /// Two or more operands: a chain is one level deep, however long.
    And(Vec<Node>),
    /// Two or more operands, as `And`.
    Or(Vec<Node>),
    Conditional(Box<Node>, Box<Node>, Box<Node>),
    List(Vec<Node>),
    Map(Vec<(Node, Node)>),
    /// A function, called on a target (`target.name(…)`) or not.
    Call {
        target: Option<Box<Node>>,
        name: String,
        arguments: Vec<Node>,
    },
    /// `range.all(x, …)` and its siblings, with one or two variables.
    Comprehension {
        quantifier: Quantifier,
        range: Box<Node>,
        variables: Vec<String>,
        /// One expression; for the `map` with a filter two: the filter, then the transformation.
        body: Vec<Node>,
    },
    /// `cel.bind(name, value, body)`.
    Bind {
        name: String,
        value: Box<Node>,
        body: Box<Node>,
    },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unary {
    Not,
    Negate,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Binary {
    Add,
    Subtract,
    Multiply,
    Divide,
    Remainder,
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
    In,
    Index,
}

/// What a comprehension makes of the values of its body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Quantifier {
    All,
    Exists,
    ExistsOne,
    /// `map(x, t)`, `map(x, p, t)`, and with two variables `transformList(i, x, t)`, `transformList(i, x, p, t)`.
    Map,
    Filter,
    /// `transformMap(k, v, t)` and `transformMap(k, v, p, t)`.
    TransformMap,
    /// `transformMapEntry(k, v, {…})` and with a filter.
    TransformMapEntry,
}

impl Kind {
    /// The nodes below, in source order.
    pub(crate) fn parts_mut(&mut self) -> Vec<&mut Node> {
        match self {
            Self::Literal(_) | Self::Name(_) | Self::Has(None, _) => Vec::new(),
            Self::Select(inner, _) | Self::Has(Some(inner), _) | Self::Unary(_, inner) => {
                vec![inner]
            }
            Self::Binary(_, left, right) => vec![left, right],
            Self::And(parts) | Self::Or(parts) | Self::List(parts) => parts.iter_mut().collect(),
            Self::Conditional(condition, then, otherwise) => vec![condition, then, otherwise],
            Self::Map(entries) => entries
                .iter_mut()
                .flat_map(|(key, value)| [key, value])
                .collect(),
            Self::Call {
                target, arguments, ..
            } => target
                .iter_mut()
                .map(|target| &mut **target)
                .chain(arguments)
                .collect(),
            Self::Comprehension { range, body, .. } => {
                std::iter::once(&mut **range).chain(body).collect()
            }
            Self::Bind { value, body, .. } => vec![value, body],
        }
    }
}
