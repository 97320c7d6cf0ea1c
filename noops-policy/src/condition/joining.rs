use std::collections::BTreeMap;

use crate::cel::ast::{Kind, Node};
use crate::cel::error::CelError;
use crate::cel::parser;
use crate::error::PolicyError;

/// What a document puts around the conditions of its rules: named expressions, which conditions read as
/// `variables.name`, and the expression that says what the document is about.
#[derive(Clone, Debug, Default)]
pub(crate) struct Surroundings {
    variables: BTreeMap<String, Part>,
    guard: Option<Part>,
}

/// An expression with its own source.
#[derive(Clone, Debug)]
struct Part {
    source: String,
    node: Node,
}

/// An expression with everything it reads in one tree over one source: its own text first, then that of each part.
pub(super) struct Joined {
    pub(super) source: String,
    /// Where each part but the first begins in `source`.
    starts: Vec<usize>,
    pub(super) node: Node,
}

impl Joined {
    /// The source without layout, part by part: equal for expressions that mean the same by the same words alone.
    pub(super) fn canonical(&self) -> Result<String, CelError> {
        let ends = self.starts.iter().map(|start| start.saturating_sub(1));
        let parts: Result<Vec<String>, CelError> = std::iter::once(0)
            .chain(self.starts.iter().copied())
            .zip(ends.chain([self.source.len()]))
            .map(|(start, end)| parser::canonical(self.source.get(start..end).unwrap_or_default()))
            .collect();
        Ok(parts?.join("\n"))
    }
}

impl Surroundings {
    /// Adds a variable. It may read the variables before it.
    pub(crate) fn define(&mut self, name: &str, source: &str) -> Result<(), PolicyError> {
        let node =
            parser::parse(source).map_err(|error| PolicyError::in_expression(source, error))?;
        let source = source.to_owned();
        self.variables
            .insert(name.to_owned(), Part { source, node });
        Ok(())
    }

    /// Sets what must hold beside every condition.
    pub(crate) fn set_guard(&mut self, source: &str) -> Result<(), PolicyError> {
        let node =
            parser::parse(source).map_err(|error| PolicyError::in_expression(source, error))?;
        let source = source.to_owned();
        self.guard = Some(Part { source, node });
        Ok(())
    }

    /// Puts an expression together with the variables that it reads.
    pub(super) fn join(&self, source: &str) -> Result<Joined, CelError> {
        let mut joining = Joining::new(self, source);
        let mut node = parser::parse(source)?;
        joining.place(&mut node, 0)?;
        Ok(joining.joined(node))
    }

    /// As [`Surroundings::join`], with the guard before it.
    pub(super) fn join_guarded(&self, source: &str) -> Result<Joined, CelError> {
        let Some(guard) = &self.guard else {
            return self.join(source);
        };
        let mut joining = Joining::new(self, source);
        let mut own = parser::parse(source)?;
        joining.place(&mut own, 0)?;
        let offset = joining.append(&guard.source)?;
        let mut guard = guard.node.clone();
        joining.place(&mut guard, offset)?;
        let node = Node {
            span: own.span,
            depth: guard.depth.max(own.depth) + 1,
            kind: Kind::And(terms(guard).into_iter().chain(terms(own)).collect()),
        };
        Ok(joining.joined(node))
    }
}

struct Joining<'a> {
    surroundings: &'a Surroundings,
    source: String,
    starts: Vec<usize>,
    /// Where the expression's own source ends: what is too large elsewhere is refused there.
    end: usize,
    nodes: usize,
}

impl<'a> Joining<'a> {
    fn new(surroundings: &'a Surroundings, source: &str) -> Self {
        Self {
            surroundings,
            source: source.to_owned(),
            starts: Vec::new(),
            end: source.len(),
            nodes: 0,
        }
    }

    fn joined(self, node: Node) -> Joined {
        Joined {
            source: self.source,
            starts: self.starts,
            node,
        }
    }

    /// Appends the source of a part, and returns where it begins.
    fn append(&mut self, source: &str) -> Result<usize, CelError> {
        if self.source.len().saturating_add(source.len()) > MAX_BYTES {
            return Err(self.too_large(self.end));
        }
        self.source.push('\n');
        let offset = self.source.len();
        self.source.push_str(source);
        self.starts.push(offset);
        Ok(offset)
    }

    /// Moves the spans of a node by `offset`, and puts what variables stand for in their place.
    fn place(&mut self, node: &mut Node, offset: usize) -> Result<(), CelError> {
        let mut offset = offset;
        loop {
            self.nodes += 1;
            if self.nodes > MAX_NODES {
                return Err(self.too_large(node.span.start + offset));
            }
            let Some(part) = self.variable(node).cloned() else {
                break;
            };
            offset = self.append(&part.source)?;
            *node = part.node;
        }
        node.span.start += offset;
        node.span.end += offset;
        let mut below = 0;
        for part in node.kind.parts_mut() {
            self.place(part, offset)?;
            below = below.max(part.depth);
        }
        node.depth = below + 1;
        if node.depth > parser::MAX_DEPTH {
            return Err(self.too_large(node.span.start));
        }
        Ok(())
    }

    fn too_large(&self, at: usize) -> CelError {
        CelError::new(
            at.min(self.end),
            "condition is too large with its variables in place; split it into rules",
        )
    }

    fn variable(&self, node: &Node) -> Option<&'a Part> {
        match &node.kind {
            Kind::Select(operand, name) if operand.kind == Kind::Name(VARIABLES.to_owned()) => {
                self.surroundings.variables.get(name)
            }
            _ => None,
        }
    }
}

/// The terms of a conjunction, so that a guard adds no level where there is one already.
fn terms(node: Node) -> Vec<Node> {
    match node.kind {
        Kind::And(terms) => terms,
        _ => vec![node],
    }
}

/// How conditions name the variables of their document, as admission policies of Kubernetes do.
const VARIABLES: &str = "variables";

/// Bounds what variables that read variables can grow to.
const MAX_NODES: usize = 4096;
const MAX_BYTES: usize = 64 * 1024;
