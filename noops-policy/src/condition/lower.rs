use super::clause::ClauseInfo;
use super::comparison::Comparison;
use super::form::Form;
use super::program::{MAX_TESTS, Program};
use super::test::{Membership, Test};
use crate::cel::error::CelError;
use crate::cel::function::Function;
use crate::cel::typed::{Typed, TypedKind};
use crate::cel::types::Type;
use crate::cel::value::Value;

/// A condition, lowered: what runs, what explains, and what each test is about.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Lowered {
    pub(super) program: Program,
    pub(super) form: Form,
    pub(super) clauses: Vec<ClauseInfo>,
}

/// Takes a checked tree of type `bool` apart into connectives and tests.
pub(super) fn lower(root: &Typed, source: &str) -> Result<Lowered, CelError> {
    let mut lowering = Lowering {
        source,
        tests: Vec::new(),
        clauses: Vec::new(),
    };
    let form = lowering.form(root, Some(true))?;
    let mut steps = Vec::new();
    form.steps(&mut steps);
    Ok(Lowered {
        program: Program::new(steps, lowering.tests),
        form,
        clauses: lowering.clauses,
    })
}

struct Lowering<'a> {
    source: &'a str,
    tests: Vec<Test>,
    clauses: Vec<ClauseInfo>,
}

impl Lowering<'_> {
    /// `needed` is the value without which the root cannot hold, if this node has one.
    fn form(&mut self, node: &Typed, needed: Option<bool>) -> Result<Form, CelError> {
        match &node.kind {
            TypedKind::And(operands) => {
                let needed = needed.filter(|needed| *needed);
                Ok(Form::All(self.forms(operands, needed)?))
            }
            TypedKind::Or(operands) => {
                let needed = needed.filter(|needed| !*needed);
                Ok(Form::Any(self.forms(operands, needed)?))
            }
            TypedKind::Not(operand) => {
                let inner = self.form(operand, needed.map(|needed| !needed))?;
                Ok(Form::Not(Box::new(inner)))
            }
            TypedKind::Conditional(condition, then, otherwise) => Ok(Form::Select(Box::new([
                self.form(condition, None)?,
                self.form(then, None)?,
                self.form(otherwise, None)?,
            ]))),
            _ => self.test(node, needed),
        }
    }

    fn forms(&mut self, nodes: &[Typed], needed: Option<bool>) -> Result<Vec<Form>, CelError> {
        nodes.iter().map(|node| self.form(node, needed)).collect()
    }

    fn test(&mut self, node: &Typed, needed: Option<bool>) -> Result<Form, CelError> {
        if self.tests.len() == MAX_TESTS {
            return Err(CelError::new(
                node.span.start,
                format!("condition has more than {MAX_TESTS} clauses; split it into rules"),
            ));
        }
        let text = node.text(self.source);
        self.tests.push(shape(node));
        self.clauses
            .push(ClauseInfo::new(text.clone(), needed, node));
        Ok(Form::Test(self.tests.len() - 1, text))
    }
}

/// The test that a node is: one of the shapes that gates are made of, or the tree itself.
fn shape(node: &Typed) -> Test {
    let found = match &node.kind {
        TypedKind::Variable(slot) => Some(Test::Flag { slot: *slot }),
        TypedKind::HasVariable(slot) => Some(Test::Has { slot: *slot }),
        TypedKind::Call(Function::In, arguments) => match arguments.as_slice() {
            [item, list] => membership(item, list),
            _ => None,
        },
        TypedKind::Call(function, arguments) => {
            match (Comparison::from_function(*function), arguments.as_slice()) {
                (Some(comparison), [left, right]) => compared(left, comparison, right)
                    .or_else(|| compared(right, comparison.swapped(), left)),
                _ => None,
            }
        }
        _ => None,
    };
    found.unwrap_or_else(|| Test::Tree(Box::new(node.clone())))
}

/// The shapes with a bare fact on the left.
fn compared(left: &Typed, comparison: Comparison, right: &Typed) -> Option<Test> {
    let slot = variable(left)?;
    match (&left.value_type, &right.kind) {
        (Type::Double, TypedKind::Constant(value)) => Some(Test::Double {
            slot,
            comparison,
            than: exact_double(value)?,
        }),
        (Type::Double, _) => {
            let affine = affine(right)?;
            Some(Test::Doubles {
                left: slot,
                comparison,
                right: affine.slot,
                factor: affine.factor,
                offset: affine.offset,
            })
        }
        (Type::Int, TypedKind::Constant(Value::Int(than))) => Some(Test::Int {
            slot,
            comparison,
            than: *than,
        }),
        (Type::Int, TypedKind::Variable(right_slot)) if right.value_type == Type::Int => {
            Some(Test::Ints {
                left: slot,
                comparison,
                right: *right_slot,
            })
        }
        (Type::String, TypedKind::Constant(Value::String(text))) => {
            let expected = match comparison {
                Comparison::Equal => Membership::Among,
                Comparison::NotEqual => Membership::Apart,
                _ => return None,
            };
            Some(Test::Text {
                slot,
                expected,
                texts: vec![text.as_ref().to_owned()],
            })
        }
        _ => None,
    }
}

/// Text in a list of literals.
fn membership(item: &Typed, list: &Typed) -> Option<Test> {
    let slot = variable(item)?;
    let text = |value: &Value| match value {
        Value::String(text) => Some(text.as_ref().to_owned()),
        _ => None,
    };
    let texts: Option<Vec<String>> = match &list.kind {
        TypedKind::Constant(Value::List(items)) => items.iter().map(text).collect(),
        TypedKind::List(items) => items
            .iter()
            .map(|item| match &item.kind {
                TypedKind::Constant(value) => text(value),
                _ => None,
            })
            .collect(),
        _ => None,
    };
    Some(Test::Text {
        slot,
        expected: Membership::Among,
        texts: texts.filter(|_| item.value_type == Type::String)?,
    })
}

/// `fact · factor + offset`, of doubles.
struct Affine {
    slot: usize,
    factor: f64,
    offset: f64,
}

/// Reads a tree as an affine function of one fact whose rounding is that of the tree: a product with a literal is
/// rounded once and a sum with a literal once more, and multiplying by one or adding zero rounds nothing.
fn affine(node: &Typed) -> Option<Affine> {
    let product = |slot: usize, factor: f64| Affine {
        slot,
        factor,
        offset: 0.0,
    };
    if node.value_type != Type::Double {
        return None;
    }
    if let Some(slot) = variable(node) {
        return Some(product(slot, 1.0));
    }
    let TypedKind::Call(function, arguments) = &node.kind else {
        return None;
    };
    let [left, right] = arguments.as_slice() else {
        return None;
    };
    match function {
        Function::Multiply => match (variable(left), variable(right)) {
            (Some(slot), None) => Some(product(slot, double(right)?)),
            (None, Some(slot)) => Some(product(slot, double(left)?)),
            _ => None,
        },
        Function::Add | Function::Subtract => {
            let (inner, literal) = match double(right) {
                Some(literal) => (left, literal),
                None if *function == Function::Add => (right, double(left)?),
                None => return None,
            };
            let inner = affine(inner).filter(|inner| inner.offset == 0.0)?;
            let offset = if *function == Function::Subtract {
                -literal
            } else {
                literal
            };
            Some(Affine { offset, ..inner })
        }
        _ => None,
    }
}

fn variable(node: &Typed) -> Option<usize> {
    match node.kind {
        TypedKind::Variable(slot) => Some(slot),
        _ => None,
    }
}

fn double(node: &Typed) -> Option<f64> {
    match node.kind {
        TypedKind::Constant(Value::Double(value)) => Some(value),
        _ => None,
    }
}

/// A literal number as the double that it is compared as, if no digit is lost.
fn exact_double(value: &Value) -> Option<f64> {
    match value {
        Value::Double(value) => Some(*value),
        Value::Int(value) if value.unsigned_abs() <= EXACT_INTEGERS => Some(*value as f64),
        Value::Uint(value) if *value <= EXACT_INTEGERS => Some(*value as f64),
        _ => None,
    }
}

/// Two to the power 53: up to here every whole number is a double.
const EXACT_INTEGERS: u64 = 1 << 53;
