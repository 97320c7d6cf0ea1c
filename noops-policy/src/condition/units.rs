//! Dimensional analysis of a condition over the units that its facts are declared with.
//!
//! A unit is a word such as `ms`; it is compared as it is written. Comparisons, `in`, `+`, `-`, `%`, the branches of `?:`
//! and the greatest or least of several numbers take one unit. Literals and facts without a unit fit every unit. `*` and
//! `/` combine units, and a unit over itself cancels out. Conversions between types of numbers, `-`, and rounding keep the
//! unit; everything else has none.
//!
//! A unit of time (`ns us ms s min h d`), of size (`B KiB MiB GiB kB MB GB`) or of share (`ratio percent`) is converted by
//! multiplying or dividing by a literal that is exactly the factor to another one: `latency / 1000.0` is in `s` when
//! `latency` is in `ms`. Nothing is converted unasked.

use scale::{convert, hint};
use symbol::Unit;

use super::same::{children, text};
use crate::cel::ast::Quantifier;
use crate::cel::error::CelError;
use crate::cel::function::Function;
use crate::cel::typed::{Typed, TypedKind};
use crate::cel::types::Type;
use crate::cel::value::Value;
use crate::fact::{FactDecl, FactSchema};

mod scale;
mod symbol;

/// Refuses a condition that brings together numbers of different units.
///
/// # Errors
///
/// [`CelError`] at the second operand, with the units of both and, where it is plain, a way to convert one.
pub(crate) fn check_units(
    typed: &Typed,
    source: &str,
    schema: &FactSchema,
) -> Result<(), CelError> {
    let mut checker = Checker {
        source,
        schema,
        locals: Vec::new(),
    };
    checker.unit(typed).map(|_| ())
}

struct Checker<'a> {
    source: &'a str,
    schema: &'a FactSchema,
    /// The units of the locals, from the outermost.
    locals: Vec<Unit>,
}

impl<'a> Checker<'a> {
    fn unit(&mut self, node: &'a Typed) -> Result<Unit, CelError> {
        match &node.kind {
            TypedKind::Variable(slot) => Ok(self
                .schema
                .facts()
                .get(*slot)
                .filter(|decl| decl.fact_type().is_numeric())
                .and_then(FactDecl::unit)
                .map_or_else(Unit::none, Unit::named)),
            TypedKind::Local(level) => Ok(self.locals.get(*level).cloned().unwrap_or_default()),
            TypedKind::Conditional(test, yes, no) => {
                self.unit(test)?;
                self.common([yes.as_ref(), no.as_ref()])
            }
            TypedKind::List(items) => self.common(items),
            TypedKind::Call(function, arguments) => self.call(*function, arguments),
            TypedKind::Comprehension {
                quantifier,
                range,
                variables,
                body,
            } => self.comprehension(*quantifier, range, *variables, body),
            TypedKind::Bind { value, body } => {
                let unit = self.unit(value)?;
                self.locals.push(unit);
                let unit = self.unit(body);
                self.locals.pop();
                unit
            }
            _ => {
                for child in children(node) {
                    self.unit(child)?;
                }
                Ok(Unit::none())
            }
        }
    }

    fn comprehension(
        &mut self,
        quantifier: Quantifier,
        range: &'a Typed,
        variables: usize,
        body: &'a [Typed],
    ) -> Result<Unit, CelError> {
        let items = self.unit(range)?;
        let bound = self.locals.len();
        let is_indexed = variables > 1;
        if is_indexed {
            self.locals.push(Unit::none());
        }
        // The one variable of a map is its key, which has no unit.
        let is_list = matches!(range.value_type, Type::List(_));
        self.locals.push(if is_list || is_indexed {
            items.clone()
        } else {
            Unit::none()
        });
        let mut last = Ok(Unit::none());
        for part in body {
            last = self.unit(part);
            if last.is_err() {
                break;
            }
        }
        self.locals.truncate(bound);
        let last = last?;
        Ok(match quantifier {
            Quantifier::Map => last,
            Quantifier::Filter => items,
            _ => Unit::none(),
        })
    }

    fn call(&mut self, function: Function, arguments: &'a [Typed]) -> Result<Unit, CelError> {
        match (function, arguments) {
            (
                Function::Equal
                | Function::NotEqual
                | Function::Less
                | Function::LessOrEqual
                | Function::Greater
                | Function::GreaterOrEqual
                | Function::In,
                arguments,
            ) => self.common(arguments).map(|_| Unit::none()),
            (
                Function::Add
                | Function::Subtract
                | Function::Remainder
                | Function::Greatest
                | Function::Least,
                arguments,
            ) => self.common(arguments),
            (Function::Multiply, [left, right]) => {
                let (one, two) = (self.unit(left)?, self.unit(right)?);
                Ok(match (number(left), number(right)) {
                    (_, Some(factor)) => convert(&one, 1.0 / factor, factor).unwrap_or(one),
                    (Some(factor), _) => convert(&two, 1.0 / factor, factor).unwrap_or(two),
                    _ => one.times(&two),
                })
            }
            (Function::Divide, [left, right]) => {
                let (one, two) = (self.unit(left)?, self.unit(right)?);
                Ok(match number(right) {
                    Some(divisor) => convert(&one, divisor, 1.0 / divisor).unwrap_or(one),
                    None => one.over(&two),
                })
            }
            (
                Function::Negate
                | Function::Absolute
                | Function::Ceil
                | Function::Floor
                | Function::Round
                | Function::Truncate
                | Function::ToInt
                | Function::ToUint
                | Function::ToDouble
                | Function::ToDyn
                | Function::Reverse,
                [operand],
            ) => self.unit(operand),
            (Function::Index, [list, index]) => {
                self.unit(index)?;
                self.unit(list)
            }
            (_, arguments) => {
                for argument in arguments {
                    self.unit(argument)?;
                }
                Ok(Unit::none())
            }
        }
    }

    /// The one unit of all `parts`, of those that have one.
    fn common(&mut self, parts: impl IntoIterator<Item = &'a Typed>) -> Result<Unit, CelError> {
        let mut first: Option<(&'a Typed, Unit)> = None;
        for part in parts {
            let unit = self.unit(part)?;
            if unit.is_none() {
                continue;
            }
            match &first {
                None => first = Some((part, unit)),
                Some((_, known)) if *known == unit => {}
                Some((other, known)) => return Err(self.differ((other, known), (part, &unit))),
            }
        }
        Ok(first.map_or_else(Unit::none, |(_, unit)| unit))
    }

    fn differ(&self, left: (&Typed, &Unit), right: (&Typed, &Unit)) -> CelError {
        let (one, two) = (text(left.0, self.source), text(right.0, self.source));
        let what = format!("`{one}` is in `{}` and `{two}` in `{}`", left.1, right.1);
        let remedy = hint(
            (&operand(left.0, one), left.1, &left.0.value_type),
            (&operand(right.0, two), right.1, &right.0.value_type),
        )
        .unwrap_or_else(|| "compare quantities of one unit".to_owned());
        CelError::new(right.0.span.start, format!("{what}; {remedy}"))
    }
}

/// The text of a node as it stands before `/`.
fn operand(node: &Typed, text: String) -> String {
    match &node.kind {
        TypedKind::Call(Function::Add | Function::Subtract, _) | TypedKind::Conditional(..) => {
            format!("({text})")
        }
        _ => text,
    }
}

/// The number that a literal is.
fn number(node: &Typed) -> Option<f64> {
    match &node.kind {
        TypedKind::Constant(Value::Int(whole)) => Some(*whole as f64),
        TypedKind::Constant(Value::Uint(whole)) => Some(*whole as f64),
        TypedKind::Constant(Value::Double(double)) => Some(*double),
        _ => None,
    }
}

#[cfg(test)]
mod tests;
