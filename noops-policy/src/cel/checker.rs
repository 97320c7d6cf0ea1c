use super::ast::{Binary, Kind, Node, Unary};
use super::environment::Environment;
use super::error::CelError;
use super::function::Function;
use super::typed::{Typed, TypedKind};
use super::types::Type;
use super::unify::Unifier;
use super::value::Value;

mod calls;
mod comprehension;
mod format;
mod literals;
mod mismatch;
mod names;
#[cfg(test)]
mod tests;

pub(crate) use literals::check_literals;

/// How much is decided before an expression runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mode {
    /// Every node has its type, and what does not fit is refused.
    Strict,
    /// Every node is `dyn`; only names and functions are resolved.
    Dynamic,
}

/// Resolves every name and function of the tree and gives every node its type.
///
/// Assignability, overloads and the deduction of types are those of the reference checker with comparisons across kinds
/// of numbers. With [`Mode::Dynamic`] a name that nothing declares is a variable past the end of the environment, unknown
/// when the expression runs.
///
/// # Errors
///
/// In [`Mode::Strict`] the first name that nothing declares, or operand whose type does not fit.
pub(crate) fn check(
    node: &Node,
    source: &str,
    environment: &Environment,
    mode: Mode,
) -> Result<Typed, CelError> {
    check_names(node, source, environment, mode).map(|checked| checked.typed)
}

/// As [`check`], and says which names nothing declares.
pub(crate) fn check_names(
    node: &Node,
    source: &str,
    environment: &Environment,
    mode: Mode,
) -> Result<Checked, CelError> {
    let mut checker = Checker {
        source,
        environment,
        mode,
        types: Unifier::new(),
        locals: Vec::new(),
        undeclared: Vec::new(),
    };
    let mut typed = checker.node(node)?;
    checker.types.refill();
    checker.settle(&mut typed);
    if checker.types.is_exhausted() {
        return Err(checker.too_intricate(node));
    }
    Ok(Checked {
        typed,
        undeclared: checker.undeclared,
    })
}

/// A checked tree.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Checked {
    pub(crate) typed: Typed,
    /// The names that nothing declares, in the order of their places after those of the environment.
    pub(crate) undeclared: Vec<String>,
}

struct Checker<'a> {
    source: &'a str,
    environment: &'a Environment,
    mode: Mode,
    types: Unifier,
    /// The variables of the comprehensions and bindings around the node, outermost first.
    locals: Vec<Local>,
    undeclared: Vec<String>,
}

struct Local {
    name: String,
    value_type: Type,
}

/// Every kind of node that recurses has a method of its own, which keeps the frames of the recursion small.
impl Checker<'_> {
    fn node(&mut self, node: &Node) -> Result<Typed, CelError> {
        let typed = match &node.kind {
            Kind::Literal(value) => Ok(self.constant(node, value)),
            Kind::Name(name) => self.name(node, name),
            Kind::Select(operand, field) => self.select(node, operand, field),
            Kind::Has(operand, field) => self.has(node, operand.as_deref(), field),
            Kind::Unary(Unary::Not, operand) => self.not(node, operand),
            Kind::Unary(Unary::Negate, operand) => {
                self.operator(node, Function::Negate, &[&**operand])
            }
            Kind::Binary(operator, left, right) => {
                self.operator(node, function_of(*operator), &[&**left, &**right])
            }
            Kind::And(operands) => self.junction(node, operands, "`&&`"),
            Kind::Or(operands) => self.junction(node, operands, "`||`"),
            Kind::Conditional(condition, then, otherwise) => {
                self.conditional(node, condition, then, otherwise)
            }
            Kind::List(items) => self.list(node, items),
            Kind::Map(entries) => self.map(node, entries),
            Kind::Call {
                target,
                name,
                arguments,
            } => self.call(node, target.as_deref(), name, arguments),
            Kind::Comprehension {
                quantifier,
                range,
                variables,
                body,
            } => self.comprehension(node, *quantifier, range, variables, body),
            Kind::Bind { name, value, body } => self.bind(node, name, value, body),
        }?;
        if self.types.is_exhausted() {
            return Err(self.too_intricate(node));
        }
        Ok(typed)
    }

    fn constant(&mut self, node: &Node, value: &Value) -> Typed {
        self.typed(node, TypedKind::Constant(value.clone()), value.value_type())
    }

    #[inline(never)]
    fn not(&mut self, node: &Node, operand: &Node) -> Result<Typed, CelError> {
        let typed = self.condition(operand, "`!`")?;
        Ok(self.typed(node, TypedKind::Not(Box::new(typed)), Type::Bool))
    }

    #[inline(never)]
    fn junction(
        &mut self,
        node: &Node,
        operands: &[Node],
        symbol: &str,
    ) -> Result<Typed, CelError> {
        let mut typed = Vec::with_capacity(operands.len());
        for operand in operands {
            typed.push(self.condition(operand, symbol)?);
        }
        let kind = match node.kind {
            Kind::Or(_) => TypedKind::Or(typed),
            _ => TypedKind::And(typed),
        };
        Ok(self.typed(node, kind, Type::Bool))
    }

    #[inline(never)]
    fn conditional(
        &mut self,
        node: &Node,
        condition: &Node,
        then: &Node,
        otherwise: &Node,
    ) -> Result<Typed, CelError> {
        let condition = self.condition(condition, "`?`")?;
        let first = self.node(then)?;
        let second = self.node(otherwise)?;
        let result = self.types.fresh();
        let fits = self.fits(&first.value_type, &result) && self.fits(&second.value_type, &result);
        if !fits {
            return Err(self.branches_differ([then, otherwise], [&first, &second]));
        }
        let value_type = self.types.resolve(&result);
        let kind = TypedKind::Conditional(Box::new(condition), Box::new(first), Box::new(second));
        Ok(self.typed(node, kind, value_type))
    }

    #[inline(never)]
    fn list(&mut self, node: &Node, items: &[Node]) -> Result<Typed, CelError> {
        let mut item_type = None;
        let mut typed = Vec::with_capacity(items.len());
        for item in items {
            let item = self.node(item)?;
            item_type = Some(self.joined(item_type, &item.value_type));
            typed.push(item);
        }
        let item_type = item_type.unwrap_or_else(|| self.types.fresh());
        Ok(self.typed(node, TypedKind::List(typed), Type::list(item_type)))
    }

    #[inline(never)]
    fn map(&mut self, node: &Node, entries: &[(Node, Node)]) -> Result<Typed, CelError> {
        let mut key_type = None;
        let mut value_type = None;
        let mut typed = Vec::with_capacity(entries.len());
        for (key, value) in entries {
            let key = self.key(key)?;
            key_type = Some(self.joined(key_type, &key.value_type));
            let value = self.node(value)?;
            value_type = Some(self.joined(value_type, &value.value_type));
            typed.push((key, value));
        }
        let key_type = key_type.unwrap_or_else(|| self.types.fresh());
        let value_type = value_type.unwrap_or_else(|| self.types.fresh());
        Ok(self.typed(node, TypedKind::Map(typed), Type::map(key_type, value_type)))
    }

    fn key(&mut self, node: &Node) -> Result<Typed, CelError> {
        let typed = self.node(node)?;
        match self.types.resolve(&typed.value_type) {
            Type::Bool | Type::Int | Type::Uint | Type::String => Ok(typed),
            // The reference checker leaves these to the evaluation, which refuses them.
            Type::Double | Type::Null | Type::Dyn | Type::Parameter(_) => Ok(typed),
            _ => Err(self.wanted(
                node,
                &typed,
                "the key of a map",
                "bool, int, uint or string",
            )),
        }
    }

    /// A node that must be true or false; `holder` is what wants it.
    fn condition(&mut self, node: &Node, holder: &str) -> Result<Typed, CelError> {
        let typed = self.node(node)?;
        if self.fits(&typed.value_type, &Type::Bool) {
            Ok(typed)
        } else {
            Err(self.wanted(node, &typed, holder, "bool"))
        }
    }

    fn joined(&mut self, previous: Option<Type>, current: &Type) -> Type {
        match previous {
            None => current.clone(),
            Some(_) if self.mode == Mode::Dynamic => Type::Dyn,
            Some(previous) => self.types.join(&previous, current),
        }
    }

    fn fits(&mut self, found: &Type, wanted: &Type) -> bool {
        self.mode == Mode::Dynamic || self.types.assignable(found, wanted)
    }

    fn typed(&mut self, node: &Node, kind: TypedKind, value_type: Type) -> Typed {
        let value_type = match self.mode {
            Mode::Strict => value_type,
            Mode::Dynamic => Type::Dyn,
        };
        self.types.admit(&value_type);
        Typed {
            kind,
            value_type,
            span: node.span,
        }
    }

    /// Gives every node the type that its variables have turned out to stand for.
    fn settle(&mut self, typed: &mut Typed) {
        typed.value_type = self.types.settle(&typed.value_type);
        match &mut typed.kind {
            TypedKind::Constant(_)
            | TypedKind::Variable(_)
            | TypedKind::Local(_)
            | TypedKind::HasVariable(_) => {}
            TypedKind::Field(inner, _) | TypedKind::HasField(inner, _) | TypedKind::Not(inner) => {
                self.settle(inner);
            }
            TypedKind::And(parts)
            | TypedKind::Or(parts)
            | TypedKind::List(parts)
            | TypedKind::Call(_, parts) => {
                for part in parts {
                    self.settle(part);
                }
            }
            TypedKind::Conditional(condition, then, otherwise) => {
                self.settle(condition);
                self.settle(then);
                self.settle(otherwise);
            }
            TypedKind::Map(entries) => {
                for (key, value) in entries {
                    self.settle(key);
                    self.settle(value);
                }
            }
            TypedKind::Comprehension { range, body, .. } => {
                self.settle(range);
                for part in body {
                    self.settle(part);
                }
            }
            TypedKind::Bind { value, body } => {
                self.settle(value);
                self.settle(body);
            }
        }
    }

    fn too_intricate(&self, node: &Node) -> CelError {
        CelError::new(
            node.span.start,
            "the types of this expression are too intricate to check; split it into parts",
        )
    }
}

fn function_of(operator: Binary) -> Function {
    match operator {
        Binary::Add => Function::Add,
        Binary::Subtract => Function::Subtract,
        Binary::Multiply => Function::Multiply,
        Binary::Divide => Function::Divide,
        Binary::Remainder => Function::Remainder,
        Binary::Equal => Function::Equal,
        Binary::NotEqual => Function::NotEqual,
        Binary::Less => Function::Less,
        Binary::LessOrEqual => Function::LessOrEqual,
        Binary::Greater => Function::Greater,
        Binary::GreaterOrEqual => Function::GreaterOrEqual,
        Binary::In => Function::In,
        Binary::Index => Function::Index,
    }
}
