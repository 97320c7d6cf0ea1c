use std::sync::Arc;

use crate::cel::error::CelError;
use crate::cel::eval::{self, Arithmetic, Fuel, Stop, Variables};
use crate::cel::function::Function;
use crate::cel::typed::{Typed, TypedKind};
use crate::cel::types::Type;
use crate::cel::value::Value;

/// Refuses literals that can never mean anything: a pattern, a duration, a moment or a time zone that does not parse.
///
/// The reference checker leaves these to evaluation unless it is asked for them. Each literal is judged by the evaluator
/// itself, so that what is refused is what would fail.
///
/// # Errors
///
/// At the literal, with the reason.
pub(crate) fn check_literals(typed: &Typed) -> Result<(), CelError> {
    let mut open = vec![typed];
    while let Some(node) = open.pop() {
        if let TypedKind::Call(function, arguments) = &node.kind {
            check_call(*function, arguments)?;
        }
        open.extend(node.parts().into_iter().rev());
    }
    Ok(())
}

fn check_call(function: Function, arguments: &[Typed]) -> Result<(), CelError> {
    match (function, arguments) {
        (Function::ToDuration | Function::ToTimestamp, [text]) => judge(function, None, text),
        (Function::Matches, [_, pattern]) => {
            judge(function, Some(Value::String(Arc::from(""))), pattern)
        }
        (
            Function::FullYear
            | Function::Month
            | Function::Date
            | Function::DayOfMonth
            | Function::DayOfWeek
            | Function::DayOfYear
            | Function::Hours
            | Function::Minutes
            | Function::Seconds
            | Function::Milliseconds,
            [_, zone],
        ) => judge(
            function,
            Some(Value::Timestamp(jiff::Timestamp::UNIX_EPOCH)),
            zone,
        ),
        _ => Ok(()),
    }
}

/// Evaluates the function on the literal alone, after a stand-in for its target.
fn judge(function: Function, target: Option<Value>, literal: &Typed) -> Result<(), CelError> {
    if !matches!(literal.kind, TypedKind::Constant(Value::String(_))) {
        return Ok(());
    }
    let target = target.map(|value| Typed {
        kind: TypedKind::Constant(value),
        value_type: Type::Dyn,
        span: literal.span,
    });
    let call = Typed {
        kind: TypedKind::Call(
            function,
            target.into_iter().chain([literal.clone()]).collect(),
        ),
        value_type: Type::Dyn,
        span: literal.span,
    };
    let mut fuel = Fuel::new(FUEL);
    match eval::evaluate(&call, &NoVariables, &mut fuel, Arithmetic::Ieee) {
        Err(Stop::Error(error)) => Err(CelError::new(literal.span.start, error.to_string())),
        Ok(_) | Err(Stop::Unknown(_)) => Ok(()),
    }
}

struct NoVariables;

impl Variables for NoVariables {
    fn value(&self, _: usize) -> Option<Value> {
        None
    }
}

/// Enough for any literal that a source can hold.
const FUEL: u64 = 1_000_000;
