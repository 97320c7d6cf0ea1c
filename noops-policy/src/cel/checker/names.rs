use super::{Checker, Mode};
use crate::cel::ast::{Kind, Node};
use crate::cel::error::CelError;
use crate::cel::signatures;
use crate::cel::typed::{Typed, TypedKind};
use crate::cel::types::Type;
use crate::cel::value::Value;
use crate::suggest;

impl Checker<'_> {
    #[inline(never)]
    pub(super) fn name(&mut self, node: &Node, name: &str) -> Result<Typed, CelError> {
        if let Some((place, value_type)) = self.local(name) {
            return Ok(self.typed(node, TypedKind::Local(place), value_type));
        }
        match self.declared(node, name) {
            Some(typed) => Ok(typed),
            None => self.undeclared(node, name),
        }
    }

    /// The longest dotted name that is declared wins; what is left of the chain selects fields.
    #[inline(never)]
    pub(super) fn select(
        &mut self,
        node: &Node,
        operand: &Node,
        field: &str,
    ) -> Result<Typed, CelError> {
        match self.free_chain(node) {
            Some(chain) => self.chain(node, &chain),
            None => {
                let operand_typed = self.node(operand)?;
                self.field(node, operand, operand_typed, field)
            }
        }
    }

    fn chain(&mut self, node: &Node, chain: &str) -> Result<Typed, CelError> {
        let mut selections = Vec::new();
        let mut at = node;
        let mut name = chain;
        loop {
            if let Some(mut typed) = self.declared(at, name) {
                for (whole, operand, field) in selections.into_iter().rev() {
                    typed = self.field(whole, operand, typed, field)?;
                }
                return Ok(typed);
            }
            let Kind::Select(operand, field) = &at.kind else {
                return self.undeclared(node, chain);
            };
            selections.push((at, &**operand, field.as_str()));
            let shorter = name.len().saturating_sub(field.len().saturating_add(1));
            name = name.get(..shorter).unwrap_or_default();
            at = operand;
        }
    }

    fn field(
        &mut self,
        node: &Node,
        operand: &Node,
        operand_typed: Typed,
        field: &str,
    ) -> Result<Typed, CelError> {
        let value_type = self.field_type(operand, &operand_typed, field)?;
        let kind = TypedKind::Field(Box::new(operand_typed), field.to_owned());
        Ok(self.typed(node, kind, value_type))
    }

    #[inline(never)]
    pub(super) fn has(
        &mut self,
        node: &Node,
        operand: Option<&Node>,
        field: &str,
    ) -> Result<Typed, CelError> {
        let Some(operand) = operand else {
            return self.has_variable(node, field);
        };
        if let Some(chain) = self.free_chain(operand) {
            let name = format!("{chain}.{field}");
            if self.place(&name).is_some() || !self.begins_with_declared(&chain) {
                return self.has_variable(node, &name);
            }
        }
        let operand_typed = self.node(operand)?;
        self.field_type(operand, &operand_typed, field)?;
        let kind = TypedKind::HasField(Box::new(operand_typed), field.to_owned());
        Ok(self.typed(node, kind, Type::Bool))
    }

    /// The dotted name that the node spells, if it is one and does not begin with a local variable.
    pub(super) fn free_chain(&self, node: &Node) -> Option<String> {
        let mut segments = Vec::new();
        let mut at = node;
        loop {
            match &at.kind {
                Kind::Select(operand, field) => {
                    segments.push(field.as_str());
                    at = operand;
                }
                Kind::Name(root) => {
                    if self.local(root).is_some() {
                        return None;
                    }
                    segments.push(root.as_str());
                    break;
                }
                _ => return None,
            }
        }
        segments.reverse();
        Some(segments.join("."))
    }

    fn has_variable(&mut self, node: &Node, name: &str) -> Result<Typed, CelError> {
        match self.place(name) {
            Some(place) => Ok(self.typed(node, TypedKind::HasVariable(place), Type::Bool)),
            None if self.local(name).is_some() => Err(CelError::new(
                node.span.start,
                format!(
                    "`{name}` always has a value here; `has` asks about a {} or a field",
                    self.environment.noun().singular()
                ),
            )),
            None => self.undeclared(node, name),
        }
    }

    fn local(&self, name: &str) -> Option<(usize, Type)> {
        let place = self.locals.iter().rposition(|local| local.name == name)?;
        let local = self.locals.get(place)?;
        Some((place, local.value_type.clone()))
    }

    /// A declared variable or the name of a type.
    fn declared(&mut self, node: &Node, name: &str) -> Option<Typed> {
        for candidate in self.environment.candidates(name) {
            if let Some(place) = self.environment.place(&candidate) {
                let value_type = self.environment.type_at(place)?.clone();
                return Some(self.typed(node, TypedKind::Variable(place), value_type));
            }
            if let Some(named) = type_named(&candidate) {
                let value_type = Type::Type(Box::new(named.clone()));
                let kind = TypedKind::Constant(Value::Type(named));
                return Some(self.typed(node, kind, value_type));
            }
        }
        None
    }

    fn place(&self, name: &str) -> Option<usize> {
        self.environment
            .candidates(name)
            .iter()
            .find_map(|candidate| self.environment.place(candidate))
    }

    /// Whether the chain, or a part of it from its beginning, is declared: then the rest selects fields of it.
    fn begins_with_declared(&self, chain: &str) -> bool {
        let dots = chain.match_indices('.').map(|(dot, _)| dot);
        dots.chain([chain.len()]).any(|end| {
            let name = chain.get(..end).unwrap_or_default();
            self.environment.candidates(name).iter().any(|candidate| {
                self.environment.place(candidate).is_some() || type_named(candidate).is_some()
            })
        })
    }

    fn field_type(&mut self, operand: &Node, typed: &Typed, field: &str) -> Result<Type, CelError> {
        if self.mode == Mode::Dynamic {
            return Ok(Type::Dyn);
        }
        match self.types.resolve(&typed.value_type) {
            Type::Map(_, value) => Ok(*value),
            Type::Dyn => Ok(Type::Dyn),
            free @ Type::Parameter(_) => {
                self.types.assignable(&Type::Dyn, &free);
                Ok(Type::Dyn)
            }
            _ => Err(CelError::new(
                operand.span.end,
                format!(
                    "`{}` is {} and has no field `{field}`{}",
                    self.excerpt(operand),
                    self.types.settle(&typed.value_type),
                    method_hint(field)
                ),
            )),
        }
    }

    pub(super) fn undeclared(&mut self, node: &Node, name: &str) -> Result<Typed, CelError> {
        if self.mode == Mode::Strict {
            return Err(CelError::new(node.span.start, self.unknown(name)));
        }
        let known = self.undeclared.iter().position(|other| other == name);
        let place = known.unwrap_or_else(|| {
            self.undeclared.push(name.to_owned());
            self.undeclared.len() - 1
        });
        let place = self.environment.len().saturating_add(place);
        let kind = match node.kind {
            Kind::Has(..) => TypedKind::HasVariable(place),
            _ => TypedKind::Variable(place),
        };
        Ok(self.typed(node, kind, Type::Dyn))
    }

    fn unknown(&self, name: &str) -> String {
        let noun = self.environment.noun();
        let shown = name.strip_prefix('.').unwrap_or(name);
        let members: Vec<String> = self
            .environment
            .candidates(name)
            .iter()
            .flat_map(|candidate| self.environment.members(candidate))
            .take(2)
            .map(|member| format!("`{member}`"))
            .collect();
        if !members.is_empty() {
            return format!(
                "`{shown}` is a group of {}s, not a {}; name a member such as {}",
                noun.singular(),
                noun.singular(),
                members.join(" or ")
            );
        }
        if signatures::named(shown).is_some() {
            return format!("`{shown}` is a function; call it with its arguments in parentheses");
        }
        let locals = self.locals.iter().map(|local| local.name.as_str());
        match suggest::nearest(shown, self.environment.names().chain(locals)) {
            Some(near) => format!(
                "unknown {} `{shown}`; did you mean `{near}`?",
                noun.singular()
            ),
            None => format!(
                "unknown {} `{shown}`; declare it in the {}",
                noun.singular(),
                noun.home()
            ),
        }
    }
}

/// The type that a name stands for where a value is wanted.
fn type_named(name: &str) -> Option<Type> {
    Some(match name {
        "bool" => Type::Bool,
        "int" => Type::Int,
        "uint" => Type::Uint,
        "double" => Type::Double,
        "string" => Type::String,
        "bytes" => Type::Bytes,
        "null_type" => Type::Null,
        "list" => Type::list(Type::Dyn),
        "map" => Type::map(Type::Dyn, Type::Dyn),
        "type" => Type::Type(Box::new(Type::Dyn)),
        "google.protobuf.Timestamp" => Type::Timestamp,
        "google.protobuf.Duration" => Type::Duration,
        _ => return None,
    })
}

fn method_hint(field: &str) -> String {
    let is_method = signatures::named(field)
        .is_some_and(|function| signatures::is_written(function, signatures::Style::Method));
    if is_method {
        format!("; call it: `.{field}(…)`")
    } else if matches!(field, "length" | "len" | "count") {
        "; `size(…)` gives its length".to_owned()
    } else {
        String::new()
    }
}
