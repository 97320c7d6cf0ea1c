use std::collections::BTreeSet;
use std::sync::Arc;

pub use error::{EvaluationError, EvaluationErrorKind};
pub(crate) use fuel::Fuel;

use super::function::Function;
use super::library::{self, Patterns};
use super::map::{Map, MapError};
use super::typed::{Typed, TypedKind};
use super::value::Value;
use pending::Pending;

mod comprehension;
mod error;
mod fuel;
mod pending;
#[cfg(test)]
mod tests;

/// What an expression is evaluated over.
pub(crate) trait Variables {
    /// The value of the variable at this place of the environment; none when it is unknown.
    fn value(&self, index: usize) -> Option<Value>;

    /// Whether the variable has a value: what `has(variable)` asks.
    fn is_known(&self, index: usize) -> bool {
        self.value(index).is_some()
    }
}

/// What a division of doubles by zero, and the like, comes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Arithmetic {
    /// Infinities and NaN, as the language has it.
    Ieee,
    /// An error: a gate that compares with an infinity would open or close for no reason.
    Finite,
}

/// Why an expression has no value.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Stop {
    /// It depends on these variables, which are unknown; never empty.
    Unknown(BTreeSet<usize>),
    Error(EvaluationError),
}

impl From<EvaluationError> for Stop {
    fn from(error: EvaluationError) -> Self {
        Self::Error(error)
    }
}

/// Pays for everything in a value once it is unfolded, as printing and comparing it do: a shared part counts each time.
pub(crate) fn unfold(value: &Value, fuel: &mut Fuel) -> Result<(), EvaluationError> {
    fuel.spend(1)?;
    match value {
        Value::List(items) => items.iter().try_for_each(|item| unfold(item, fuel)),
        Value::Map(map) => map.entries().try_for_each(|(_, item)| unfold(item, fuel)),
        Value::String(text) => fuel.spend_text(text.len()),
        Value::Bytes(bytes) => fuel.spend_text(bytes.len()),
        _ => Ok(()),
    }
}

/// The value of a checked expression.
///
/// What decides absorbs what has no value: `false && x` is false whether `x` is unknown or an error, on either side, and
/// so do `all` and `exists` over their elements. Where nothing decides, unknown comes before an error. Only spent fuel is
/// never absorbed.
///
/// # Errors
///
/// [`Stop`] when there is no value.
pub(crate) fn evaluate(
    typed: &Typed,
    variables: &dyn Variables,
    fuel: &mut Fuel,
    arithmetic: Arithmetic,
) -> Result<Value, Stop> {
    let mut evaluator = Evaluator {
        variables,
        fuel,
        arithmetic,
        locals: Vec::new(),
        patterns: Patterns::default(),
    };
    evaluator.node(typed)
}

struct Evaluator<'a> {
    variables: &'a dyn Variables,
    fuel: &'a mut Fuel,
    arithmetic: Arithmetic,
    /// A binding that has no value matters only once it is read.
    locals: Vec<Result<Value, Stop>>,
    patterns: Patterns,
}

/// Every kind of node that recurses has a method of its own, which keeps the frames of the recursion small.
impl Evaluator<'_> {
    fn node(&mut self, typed: &Typed) -> Result<Value, Stop> {
        match &typed.kind {
            TypedKind::Constant(value) => Ok(value.clone()),
            TypedKind::Variable(index) => self.variable(*index),
            TypedKind::Local(index) => self.local(*index),
            TypedKind::HasVariable(index) => {
                self.fuel.spend(VISIT)?;
                Ok(Value::Bool(self.variables.is_known(*index)))
            }
            TypedKind::Field(operand, name) => self.field(operand, name, typed),
            TypedKind::HasField(operand, name) => self.has_field(operand, name, typed),
            TypedKind::Not(operand) => self.not(operand, typed),
            TypedKind::And(operands) => self.junction(operands, false),
            TypedKind::Or(operands) => self.junction(operands, true),
            TypedKind::Conditional(condition, then, otherwise) => {
                if self.condition(condition)? {
                    self.node(then)
                } else {
                    self.node(otherwise)
                }
            }
            TypedKind::List(items) => self.list(items),
            TypedKind::Map(entries) => self.map(entries, typed),
            TypedKind::Call(function, arguments) => self.call(*function, arguments, typed),
            TypedKind::Comprehension {
                quantifier,
                range,
                variables,
                body,
            } => self.comprehension(*quantifier, range, *variables, body),
            TypedKind::Bind { value, body } => self.bind(value, body),
        }
    }

    fn variable(&mut self, index: usize) -> Result<Value, Stop> {
        self.fuel.spend(VISIT)?;
        self.variables
            .value(index)
            .ok_or_else(|| Stop::Unknown(BTreeSet::from([index])))
    }

    fn local(&mut self, index: usize) -> Result<Value, Stop> {
        self.fuel.spend(VISIT)?;
        match self.locals.get(index) {
            Some(local) => local.clone(),
            None => Err(EvaluationError::new(
                EvaluationErrorKind::UnboundVariable,
                "a variable is read outside the expression that binds it",
            )
            .into()),
        }
    }

    #[inline(never)]
    fn field(&mut self, operand: &Typed, name: &str, whole: &Typed) -> Result<Value, Stop> {
        self.fuel.spend(VISIT)?;
        match self.node(operand)? {
            Value::Map(map) => map.field(name).cloned().ok_or_else(|| {
                Stop::Error(
                    EvaluationError::new(
                        EvaluationErrorKind::NoSuchKey,
                        format!("there is no key `{name}`; ask with `has(…)` first"),
                    )
                    .placed(whole.span.start),
                )
            }),
            other => Err(no_field(&other, name, whole)),
        }
    }

    #[inline(never)]
    fn has_field(&mut self, operand: &Typed, name: &str, whole: &Typed) -> Result<Value, Stop> {
        self.fuel.spend(VISIT)?;
        match self.node(operand)? {
            Value::Map(map) => Ok(Value::Bool(map.field(name).is_some())),
            other => Err(no_field(&other, name, whole)),
        }
    }

    #[inline(never)]
    fn not(&mut self, operand: &Typed, whole: &Typed) -> Result<Value, Stop> {
        self.fuel.spend(VISIT)?;
        match self.node(operand)? {
            Value::Bool(value) => Ok(Value::Bool(!value)),
            other => Err(no_overload("!", &[other], whole)),
        }
    }

    #[inline(never)]
    fn condition(&mut self, condition: &Typed) -> Result<bool, Stop> {
        self.fuel.spend(VISIT)?;
        match self.node(condition)? {
            Value::Bool(value) => Ok(value),
            other => Err(no_overload("?:", &[other], condition)),
        }
    }

    /// Kleene's conjunction, or disjunction when `absorbing` is true.
    #[inline(never)]
    fn junction(&mut self, operands: &[Typed], absorbing: bool) -> Result<Value, Stop> {
        let mut pending = Pending::default();
        for operand in operands {
            self.fuel.spend(VISIT)?;
            match self.node(operand) {
                Ok(Value::Bool(value)) if value == absorbing => return Ok(Value::Bool(absorbing)),
                Ok(Value::Bool(_)) => {}
                Ok(other) => {
                    let symbol = if absorbing { "||" } else { "&&" };
                    pending.add(no_overload(symbol, &[other], operand))?;
                }
                Err(stop) => pending.add(stop)?,
            }
        }
        pending.settle()?;
        Ok(Value::Bool(!absorbing))
    }

    /// The values of all nodes, or why some have none.
    #[inline(never)]
    fn values<'n>(
        &mut self,
        nodes: impl ExactSizeIterator<Item = &'n Typed>,
    ) -> Result<Vec<Value>, Stop> {
        let mut pending = Pending::default();
        let mut values = Vec::with_capacity(nodes.len());
        for node in nodes {
            match self.node(node) {
                Ok(value) => values.push(value),
                Err(stop) => pending.add(stop)?,
            }
        }
        pending.settle()?;
        Ok(values)
    }

    #[inline(never)]
    fn list(&mut self, items: &[Typed]) -> Result<Value, Stop> {
        self.fuel
            .spend(LIST.max(u64::try_from(items.len()).unwrap_or(u64::MAX)))?;
        Ok(Value::List(Arc::from(self.values(items.iter())?)))
    }

    #[inline(never)]
    fn map(&mut self, entries: &[(Typed, Typed)], whole: &Typed) -> Result<Value, Stop> {
        self.fuel
            .spend(MAP.max(u64::try_from(entries.len()).unwrap_or(u64::MAX)))?;
        let mut pending = Pending::default();
        let mut made = Vec::with_capacity(entries.len());
        for (key, value) in entries {
            let key = self.node(key);
            match (key, self.node(value)) {
                (Ok(key), Ok(value)) => made.push((key, value)),
                (Err(key), Err(value)) => {
                    pending.add(key)?;
                    pending.add(value)?;
                }
                (Err(stop), Ok(_)) | (Ok(_), Err(stop)) => pending.add(stop)?,
            }
        }
        pending.settle()?;
        let map = Map::new(made).map_err(|error| map_error(&error).placed(whole.span.start))?;
        Ok(Value::from(map))
    }

    #[inline(never)]
    fn call(
        &mut self,
        function: Function,
        arguments: &[Typed],
        whole: &Typed,
    ) -> Result<Value, Stop> {
        self.fuel.spend(VISIT)?;
        let arguments = self.values(arguments.iter())?;
        library::call(
            function,
            &arguments,
            self.fuel,
            &mut self.patterns,
            self.arithmetic,
        )
        .map_err(|error| Stop::Error(error.placed(whole.span.start)))
    }

    #[inline(never)]
    fn bind(&mut self, value: &Typed, body: &Typed) -> Result<Value, Stop> {
        self.fuel.spend(VISIT)?;
        let value = self.node(value);
        if let Err(stop) = &value {
            Pending::default().add(stop.clone())?;
        }
        self.locals.push(value);
        let outcome = self.node(body);
        self.locals.pop();
        outcome
    }
}

fn no_overload(symbol: &str, arguments: &[Value], whole: &Typed) -> Stop {
    Stop::Error(library::no_such_overload(symbol, arguments).placed(whole.span.start))
}

fn no_field(operand: &Value, name: &str, whole: &Typed) -> Stop {
    let found = operand.value_type();
    Stop::Error(
        EvaluationError::new(
            EvaluationErrorKind::NoSuchOverload,
            format!("`.{name}` needs a map, not `{found}`"),
        )
        .placed(whole.span.start),
    )
}

fn map_error(error: &MapError) -> EvaluationError {
    let kind = match error {
        MapError::RepeatedKey(_) => EvaluationErrorKind::RepeatedKey,
        MapError::KeyType(_) => EvaluationErrorKind::NoSuchOverload,
    };
    EvaluationError::new(kind, error.to_string())
}

/// What visiting a node costs that is no constant and makes nothing.
const VISIT: u64 = 1;
/// What making a list costs, besides its items.
const LIST: u64 = 10;
/// What making a map costs, besides its entries.
const MAP: u64 = 30;
