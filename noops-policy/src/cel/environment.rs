use std::collections::BTreeMap;

use super::types::Type;
use crate::fact::{FactSchema, FactType};

/// What an expression may name: variables with their types, and the container in which names are looked up.
///
/// A name may be dotted, such as `drift.psi`. Within the container `a.b` the name `x` means `a.b.x`, `a.x` or `x`, whichever
/// is declared, in that order; `.x` means `x` alone. The functions of the standard library and its extensions are always
/// there.
///
/// # Examples
///
/// ```
/// use noops_policy::cel::{Environment, Expression, Type};
///
/// let environment = Environment::new()
///     .with_variable("model.name", Type::String)
///     .with_variable("model.tags", Type::list(Type::String));
/// let expression = Expression::compile("'canary' in model.tags", &environment)?;
/// assert_eq!(expression.value_type(), &Type::Bool);
/// assert!(Expression::compile("'canary' in model.tag", &environment).is_err());
/// # Ok::<(), noops_policy::PolicyError>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Environment {
    variables: Vec<Variable>,
    places: BTreeMap<String, usize>,
    container: String,
    noun: Noun,
}

impl Environment {
    /// An environment without variables, at the root.
    pub fn new() -> Self {
        Self::default()
    }

    /// Declares a variable; declared again, it takes the new type. A type parameter stands for any type.
    #[must_use]
    pub fn with_variable(mut self, name: impl Into<String>, value_type: Type) -> Self {
        self.declare(name.into(), without_parameters(value_type));
        self
    }

    /// Looks names up within `container` first, such as `a.b`; the empty container is the root.
    #[must_use]
    pub fn with_container(mut self, container: impl Into<String>) -> Self {
        self.container = container.into();
        self
    }

    /// The container in which names are looked up.
    pub fn container(&self) -> &str {
        &self.container
    }

    /// The declared names, in the order of their declaration.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.variables.iter().map(|variable| variable.name.as_str())
    }

    /// The type of the variable that is declared as exactly `name`.
    pub fn variable_type(&self, name: &str) -> Option<&Type> {
        self.place(name).and_then(|place| self.type_at(place))
    }

    /// Every fact is a variable whose place is its slot.
    pub(crate) fn from_schema(schema: &FactSchema) -> Self {
        let mut environment = Self {
            noun: Noun::Fact,
            ..Self::default()
        };
        for fact in schema.facts() {
            environment.declare(fact.name().to_owned(), fact_type_to_cel(fact.fact_type()));
        }
        environment
    }

    pub(crate) fn len(&self) -> usize {
        self.variables.len()
    }

    pub(crate) fn place(&self, name: &str) -> Option<usize> {
        self.places.get(name).copied()
    }

    pub(crate) fn type_at(&self, place: usize) -> Option<&Type> {
        self.variables
            .get(place)
            .map(|variable| &variable.value_type)
    }

    /// The names that `name` may stand for, in the order in which they are tried.
    pub(crate) fn candidates(&self, name: &str) -> Vec<String> {
        if let Some(rooted) = name.strip_prefix('.') {
            return vec![rooted.to_owned()];
        }
        let mut candidates = Vec::new();
        let mut container = self.container.as_str();
        while !container.is_empty() {
            candidates.push(format!("{container}.{name}"));
            container = container.rsplit_once('.').map_or("", |(outer, _)| outer);
        }
        candidates.push(name.to_owned());
        candidates
    }

    /// The declared variables whose names begin with `group` and a dot.
    pub(crate) fn members(&self, group: &str) -> impl Iterator<Item = &str> {
        let group = group.strip_prefix('.').unwrap_or(group).to_owned();
        self.names().filter(move |name| {
            name.strip_prefix(group.as_str())
                .is_some_and(|rest| rest.starts_with('.'))
        })
    }

    pub(crate) fn noun(&self) -> Noun {
        self.noun
    }

    fn declare(&mut self, name: String, value_type: Type) {
        match self.place(&name) {
            Some(place) => {
                if let Some(variable) = self.variables.get_mut(place) {
                    variable.value_type = value_type;
                }
            }
            None => {
                self.places.insert(name.clone(), self.variables.len());
                self.variables.push(Variable { name, value_type });
            }
        }
    }
}

/// What the variables are called in messages.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Noun {
    #[default]
    Variable,
    Fact,
}

impl Noun {
    pub(crate) fn singular(self) -> &'static str {
        match self {
            Self::Variable => "variable",
            Self::Fact => "fact",
        }
    }

    /// Where a missing one has to be declared.
    pub(crate) fn home(self) -> &'static str {
        match self {
            Self::Variable => "environment",
            Self::Fact => "fact schema",
        }
    }
}

#[derive(Clone, Debug, PartialEq)]
struct Variable {
    name: String,
    value_type: Type,
}

/// The type that a condition sees of a fact.
pub(crate) fn fact_type_to_cel(fact_type: FactType) -> Type {
    match fact_type {
        FactType::Bool => Type::Bool,
        FactType::Int => Type::Int,
        FactType::Double => Type::Double,
        FactType::Text => Type::String,
        FactType::Duration => Type::Duration,
        FactType::Timestamp => Type::Timestamp,
        FactType::Ints => Type::list(Type::Int),
        FactType::Doubles => Type::list(Type::Double),
        FactType::Texts => Type::list(Type::String),
    }
}

/// The checker numbers its own parameters, so those of a declaration must not reach it.
fn without_parameters(value_type: Type) -> Type {
    match value_type {
        Type::Parameter(_) => Type::Dyn,
        Type::List(item) => Type::list(without_parameters(*item)),
        Type::Map(key, value) => Type::map(without_parameters(*key), without_parameters(*value)),
        Type::Type(inner) => Type::Type(Box::new(without_parameters(*inner))),
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fact::FactDecl;

    #[test]
    fn a_name_is_looked_up_from_the_innermost_container_outwards() {
        let environment = Environment::new().with_container("a.b");
        assert_eq!(environment.candidates("x.y"), ["a.b.x.y", "a.x.y", "x.y"]);
        assert_eq!(environment.candidates(".x"), ["x"]);
        assert_eq!(Environment::new().candidates("x"), ["x"]);
    }

    #[test]
    fn a_variable_declared_again_keeps_its_place() {
        let environment = Environment::new()
            .with_variable("a", Type::Int)
            .with_variable("b", Type::Bool)
            .with_variable("a", Type::Double);
        assert_eq!(environment.place("a"), Some(0));
        assert_eq!(environment.variable_type("a"), Some(&Type::Double));
        assert_eq!(environment.names().collect::<Vec<_>>(), ["a", "b"]);
    }

    #[test]
    fn the_place_of_a_fact_is_its_slot() {
        let schema = FactSchema::new(vec![
            FactDecl::text("env"),
            FactDecl::double("drift.psi"),
            FactDecl::int("n"),
        ])
        .unwrap();
        let environment = Environment::from_schema(&schema);
        for fact in schema.facts() {
            assert_eq!(environment.place(fact.name()), schema.slot(fact.name()));
        }
        assert_eq!(environment.variable_type("env"), Some(&Type::String));
        assert_eq!(environment.variable_type("drift.psi"), Some(&Type::Double));
    }

    #[test]
    fn a_group_knows_its_members_and_no_neighbours() {
        let environment = Environment::new()
            .with_variable("drift.psi", Type::Double)
            .with_variable("drifting", Type::Bool);
        let members: Vec<&str> = environment.members("drift").collect();
        assert_eq!(members, ["drift.psi"]);
    }

    #[test]
    fn a_parameter_in_a_declaration_stands_for_any_type() {
        let environment =
            Environment::new().with_variable("x", Type::list(Type::Parameter('\u{F0000}')));
        assert_eq!(environment.variable_type("x"), Some(&Type::list(Type::Dyn)));
    }
}
