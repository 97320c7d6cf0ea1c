use std::fmt;

use super::function::Function;
use super::types::Type;

mod names;
mod overloads;

pub(super) use names::{name_of, named, names};
pub(super) use overloads::overloads;

/// One way to call a function: the types it takes and the one it gives. The target of a method comes first.
#[derive(Clone, Copy, Debug)]
pub(super) struct Overload {
    pub(super) style: Style,
    pub(super) takes: &'static [Form],
    pub(super) gives: Form,
}

/// How an overload is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Style {
    /// `name(…)`; operators count as this.
    Plain,
    /// `target.name(…)`.
    Method,
}

/// A type of a signature, in which `A` and `B` are its parameters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    Dyn,
    Bool,
    Int,
    Uint,
    Double,
    String,
    Bytes,
    Duration,
    Timestamp,
    ListOfDyn,
    ListOfString,
    A,
    B,
    ListOfA,
    MapOfAToB,
    TypeOfA,
}

impl Form {
    /// The type, with `a` and `b` in the place of the parameters.
    pub(super) fn with(self, a: &Type, b: &Type) -> Type {
        match self {
            Self::Dyn => Type::Dyn,
            Self::Bool => Type::Bool,
            Self::Int => Type::Int,
            Self::Uint => Type::Uint,
            Self::Double => Type::Double,
            Self::String => Type::String,
            Self::Bytes => Type::Bytes,
            Self::Duration => Type::Duration,
            Self::Timestamp => Type::Timestamp,
            Self::ListOfDyn => Type::list(Type::Dyn),
            Self::ListOfString => Type::list(Type::String),
            Self::A => a.clone(),
            Self::B => b.clone(),
            Self::ListOfA => Type::list(a.clone()),
            Self::MapOfAToB => Type::map(a.clone(), b.clone()),
            Self::TypeOfA => Type::Type(Box::new(a.clone())),
        }
    }
}

impl fmt::Display for Form {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::A | Self::B => f.write_str("anything"),
            Self::ListOfA | Self::ListOfDyn => f.write_str("list"),
            Self::MapOfAToB => f.write_str("map"),
            Self::TypeOfA => f.write_str("type"),
            concrete => concrete.with(&Type::Dyn, &Type::Dyn).fmt(f),
        }
    }
}

impl Overload {
    pub(super) fn is_generic(&self) -> bool {
        self.takes.iter().any(|form| {
            matches!(
                form,
                Form::A | Form::B | Form::ListOfA | Form::MapOfAToB | Form::TypeOfA
            )
        })
    }
}

/// Whether some overload of the function is written in this style.
pub(super) fn is_written(function: Function, style: Style) -> bool {
    overloads(function)
        .iter()
        .any(|overload| overload.style == style)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_leads_to_a_function_with_overloads_and_back() {
        for name in names() {
            let function = named(name).unwrap();
            assert_eq!(name_of(function), name);
            let variadic = matches!(function, Function::Greatest | Function::Least);
            assert!(variadic || !overloads(function).is_empty(), "{name}");
        }
        assert_eq!(named("_+_"), None);
    }

    #[test]
    fn what_an_overload_gives_is_bound_by_what_it_takes() {
        for name in names() {
            for overload in overloads(named(name).unwrap()) {
                let generic = matches!(overload.gives, Form::A | Form::ListOfA | Form::TypeOfA);
                assert!(!generic || overload.is_generic(), "{name}");
            }
        }
    }
}
