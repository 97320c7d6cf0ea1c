use std::sync::Arc;

use super::checker::{self, Mode};
use super::environment::Environment;
use super::error::CelError;
use super::eval::{self, Arithmetic, EvaluationError, Fuel, Stop, Variables};
use super::parser;
use super::typed::Typed;
use super::types::Type;
use super::value::Value;
use crate::error::{PolicyError, Position};

/// An expression of the Common Expression Language, checked and ready to be evaluated. Cheap to clone.
///
/// The language is CEL without messages and optional values, with the extensions for text, mathematics, encoders,
/// bindings and comprehensions over two variables. Source, nesting and the cost of an evaluation are bounded.
///
/// # Examples
///
/// ```
/// use noops_policy::cel::{Environment, Expression, Type, Value};
///
/// let environment = Environment::new()
///     .with_variable("drift.psi", Type::Double)
///     .with_variable("rows", Type::Int);
/// let expression = Expression::compile("drift.psi < 0.2 && rows >= 1000", &environment)?;
/// assert_eq!(expression.value_type(), &Type::Bool);
///
/// let value = expression.evaluate(&[("drift.psi", Value::Double(0.1)), ("rows", Value::Int(5000))]);
/// assert!(matches!(value, Ok(Value::Bool(true))));
/// // What decides is enough, whatever the other side is.
/// let value = expression.evaluate(&[("drift.psi", Value::Double(0.3))]);
/// assert!(matches!(value, Ok(Value::Bool(false))));
///
/// let refused = Expression::compile("drift.psi + rows > 0.2", &environment).unwrap_err();
/// assert!(refused.to_string().contains("write `double(rows)`"));
/// # Ok::<(), noops_policy::PolicyError>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Expression {
    source: Arc<str>,
    typed: Arc<Typed>,
    /// By place: those that are declared, then those that are not.
    variables: Arc<[Variable]>,
}

impl Expression {
    /// Parses and type-checks `source`.
    ///
    /// # Errors
    ///
    /// [`PolicyError::Condition`] with the place of the first thing that does not parse, that nothing declares, or whose
    /// type does not fit.
    ///
    /// # Complexity
    ///
    /// O(n) for n bytes of source as people write it, with a bound on the work for any.
    pub fn compile(source: &str, environment: &Environment) -> Result<Self, PolicyError> {
        Self::with_mode(source, environment, Mode::Strict)
    }

    /// Parses `source` and leaves types to evaluation: every type is `dyn`, and a name that nothing declares is a
    /// variable without a value.
    ///
    /// # Errors
    ///
    /// [`PolicyError::Condition`] with the place of the first thing that does not parse, or of a `has` that asks about the
    /// variable of a comprehension or binding, which always has a value.
    ///
    /// # Complexity
    ///
    /// As [`Self::compile`].
    pub fn compile_unchecked(source: &str, environment: &Environment) -> Result<Self, PolicyError> {
        Self::with_mode(source, environment, Mode::Dynamic)
    }

    /// The expression as it was written.
    pub fn source(&self) -> &str {
        &self.source
    }

    /// The type of the value, `dyn` where only the evaluation decides it.
    pub fn value_type(&self) -> &Type {
        &self.typed.value_type
    }

    /// The value for these variables.
    ///
    /// Of a name that is bound twice the first binding counts; a name that the expression does not use is passed over.
    ///
    /// # Errors
    ///
    /// [`EvaluationError`] when a value has not the declared type, and when the expression has no value for them: a
    /// variable that it needs is not bound, an operation fails, or it costs more than a million units.
    ///
    /// # Complexity
    ///
    /// Linear in the nodes visited, each step of a comprehension included.
    pub fn evaluate(&self, bindings: &[(&str, Value)]) -> Result<Value, EvaluationError> {
        let bindings = Bindings {
            variables: &self.variables,
            bindings,
        };
        bindings.check()?;
        let mut fuel = Fuel::new(COST_LIMIT);
        let value = eval::evaluate(&self.typed, &bindings, &mut fuel, Arithmetic::Ieee).map_err(
            |stop| match stop {
                Stop::Error(error) => error,
                Stop::Unknown(places) => {
                    let name = places
                        .first()
                        .and_then(|place| self.variables.get(*place))
                        .map_or("", |variable| &variable.name);
                    EvaluationError::unbound(name)
                }
            },
        )?;
        eval::unfold(&value, &mut fuel)?;
        Ok(value)
    }

    fn with_mode(source: &str, environment: &Environment, mode: Mode) -> Result<Self, PolicyError> {
        let refused = |error: CelError| PolicyError::Condition {
            at: Position::of(source, error.at),
            problem: error.problem,
        };
        let node = parser::parse(source).map_err(refused)?;
        let checked = checker::check_names(&node, source, environment, mode).map_err(refused)?;
        let declared = environment
            .names()
            .enumerate()
            .map(|(place, name)| Variable {
                name: name.to_owned(),
                value_type: match mode {
                    Mode::Strict => environment.type_at(place).cloned().unwrap_or(Type::Dyn),
                    Mode::Dynamic => Type::Dyn,
                },
            });
        let undeclared = checked.undeclared.into_iter().map(|name| Variable {
            name,
            value_type: Type::Dyn,
        });
        Ok(Self {
            source: Arc::from(source),
            variables: declared.chain(undeclared).collect(),
            typed: Arc::new(checked.typed),
        })
    }
}

#[derive(Clone, Debug, PartialEq)]
struct Variable {
    name: String,
    value_type: Type,
}

struct Bindings<'a> {
    variables: &'a [Variable],
    bindings: &'a [(&'a str, Value)],
}

impl Bindings<'_> {
    /// Equality across types is false rather than an error, so a value of another type could decide unnoticed.
    fn check(&self) -> Result<(), EvaluationError> {
        for variable in self.variables {
            if let Some(value) = self.bound(&variable.name)
                && !conforms(value, &variable.value_type)
            {
                return Err(EvaluationError::invalid(format!(
                    "`{}` is declared as {} and was given a value of another type",
                    variable.name, variable.value_type
                )));
            }
        }
        Ok(())
    }

    fn bound(&self, name: &str) -> Option<&Value> {
        self.bindings
            .iter()
            .find(|(bound, _)| *bound == name)
            .map(|(_, value)| value)
    }
}

impl Variables for Bindings<'_> {
    fn value(&self, index: usize) -> Option<Value> {
        self.bound(&self.variables.get(index)?.name).cloned()
    }
}

/// Whether the value has the type, down to the parts of lists and maps.
fn conforms(value: &Value, declared: &Type) -> bool {
    match (value, declared) {
        (_, Type::Dyn) | (Value::Type(_), Type::Type(_)) => true,
        (Value::List(items), Type::List(item)) => items.iter().all(|value| conforms(value, item)),
        (Value::Map(map), Type::Map(key, item)) => map
            .entries()
            .all(|(found, value)| conforms(found, key) && conforms(value, item)),
        (Value::List(_) | Value::Map(_), _) => false,
        (value, declared) => value.value_type() == *declared,
    }
}

/// The limit that Kubernetes sets on one expression.
const COST_LIMIT: u64 = 1_000_000;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cel::eval::EvaluationErrorKind;

    fn environment() -> Environment {
        Environment::new()
            .with_variable("a.x", Type::Int)
            .with_variable("a.y", Type::Int)
    }

    #[test]
    fn a_refusal_names_line_and_column() {
        let error = Expression::compile("a.x > 1 &&\n  a.z > 2", &environment()).unwrap_err();
        assert_eq!(
            error,
            PolicyError::Condition {
                at: Position::new(2, 3),
                problem: "unknown variable `a.z`; did you mean `a.x`?".to_owned(),
            }
        );
    }

    #[test]
    fn a_variable_without_a_binding_is_named() {
        let expression = Expression::compile("a.x + a.y", &environment()).unwrap();
        let error = expression.evaluate(&[("a.x", Value::Int(1))]).unwrap_err();
        assert_eq!(error.kind(), EvaluationErrorKind::UnboundVariable);
        assert_eq!(error.to_string(), "`a.y` has no value; bind one");
    }

    #[test]
    fn a_value_of_another_type_is_refused_and_not_compared() {
        let environment = Environment::new()
            .with_variable("n", Type::Int)
            .with_variable("l", Type::list(Type::Double));
        let expression = Expression::compile("n != 1 || 1.0 in l", &environment).unwrap();
        let error = expression
            .evaluate(&[("n", Value::Double(1.0))])
            .unwrap_err();
        assert_eq!(
            error.to_string(),
            "`n` is declared as int and was given a value of another type"
        );
        let list = Value::List(Arc::from([Value::Double(1.0), Value::Int(1)]));
        assert!(expression.evaluate(&[("l", list)]).is_err());
        let list = Value::List(Arc::from([Value::Double(1.0)]));
        let value = expression.evaluate(&[("n", Value::Int(1)), ("l", list)]);
        assert_eq!(value.unwrap(), Value::Bool(true));
    }

    #[test]
    fn what_decides_needs_no_other_binding() {
        let expression = Expression::compile("a.x > 1 || a.y > 1", &environment()).unwrap();
        let value = expression.evaluate(&[("a.y", Value::Int(2))]).unwrap();
        assert_eq!(value, Value::Bool(true));
    }

    #[test]
    fn an_unchecked_expression_meets_its_errors_when_it_runs() {
        let environment = Environment::new();
        for source in ["x", "f(17)", "1 + 'a'"] {
            let expression = Expression::compile_unchecked(source, &environment).unwrap();
            assert_eq!(expression.value_type(), &Type::Dyn);
            assert!(expression.evaluate(&[]).is_err(), "{source}");
            let source = format!("{source} == 1 || true");
            let expression = Expression::compile_unchecked(&source, &environment).unwrap();
            assert_eq!(expression.evaluate(&[]).unwrap(), Value::Bool(true));
        }
        let expression = Expression::compile_unchecked("x + 1", &environment).unwrap();
        let value = expression.evaluate(&[("x", Value::Int(1))]).unwrap();
        assert_eq!(value, Value::Int(2));
    }

    #[test]
    fn an_expensive_evaluation_is_cut_off() {
        let list = format!("[{}]", vec!["1"; 100].join(", "));
        let source = format!("{list}.all(x, {list}.all(y, {list}.all(z, x + y + z > 0)))");
        let expression = Expression::compile(&source, &Environment::new()).unwrap();
        let error = expression.evaluate(&[]).unwrap_err();
        assert_eq!(error.kind(), EvaluationErrorKind::OutOfFuel);
    }

    #[test]
    fn an_expression_moves_between_threads() {
        fn is_shared<T: Send + Sync>() {}
        is_shared::<Expression>();
        is_shared::<Environment>();
    }
}
