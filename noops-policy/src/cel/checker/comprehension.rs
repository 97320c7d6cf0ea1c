use super::{Checker, Local};
use crate::cel::ast::{Node, Quantifier};
use crate::cel::environment::Noun;
use crate::cel::error::CelError;
use crate::cel::typed::{Typed, TypedKind};
use crate::cel::types::Type;

impl Checker<'_> {
    #[inline(never)]
    pub(super) fn comprehension(
        &mut self,
        node: &Node,
        quantifier: Quantifier,
        range: &Node,
        variables: &[String],
        body: &[Node],
    ) -> Result<Typed, CelError> {
        let range_typed = self.node(range)?;
        let elements = self.elements(&range_typed, variables.len());
        let Some(elements) = elements else {
            return Err(self.wanted(
                range,
                &range_typed,
                macro_name(quantifier),
                "a list or a map",
            ));
        };
        let outside = self.locals.len();
        for (name, value_type) in variables.iter().zip([&elements.first, &elements.second]) {
            self.refuse_shadow(node, name)?;
            self.locals.push(Local {
                name: name.clone(),
                value_type: value_type.clone(),
            });
        }
        let outcome = self.body(quantifier, &elements, body);
        self.locals.truncate(outside);
        let Body { typed, value_type } = outcome?;
        let kind = TypedKind::Comprehension {
            quantifier,
            range: Box::new(range_typed),
            variables: variables.len(),
            body: typed,
        };
        Ok(self.typed(node, kind, value_type))
    }

    /// Over facts a local must not take the name of one, nor the first part of it: an expression that is put in the place
    /// of a variable would read the local where its author meant the fact.
    fn refuse_shadow(&self, node: &Node, name: &str) -> Result<(), CelError> {
        let is_taken = |fact: &str| fact.split('.').next() == Some(name);
        if self.environment.noun() == Noun::Fact
            && (name == "variables" || self.environment.names().any(is_taken))
        {
            return Err(CelError::new(
                node.span.start,
                format!("`{name}` is the name of a fact as well; choose another one for the local"),
            ));
        }
        Ok(())
    }

    #[inline(never)]
    pub(super) fn bind(
        &mut self,
        node: &Node,
        name: &str,
        value: &Node,
        body: &Node,
    ) -> Result<Typed, CelError> {
        let value = self.node(value)?;
        self.refuse_shadow(node, name)?;
        self.locals.push(Local {
            name: name.to_owned(),
            value_type: value.value_type.clone(),
        });
        let outcome = self.node(body);
        self.locals.pop();
        let body = outcome?;
        let value_type = body.value_type.clone();
        let kind = TypedKind::Bind {
            value: Box::new(value),
            body: Box::new(body),
        };
        Ok(self.typed(node, kind, value_type))
    }

    fn elements(&mut self, range: &Typed, variables: usize) -> Option<Elements> {
        let pair = variables > 1;
        match self.types.resolve(&range.value_type) {
            Type::List(item) if pair => Some(Elements::new(Type::Int, *item)),
            Type::List(item) => Some(Elements::new(*item, Type::Dyn)),
            Type::Map(key, value) => Some(Elements::new(*key, *value)),
            Type::Dyn => Some(Elements::new(Type::Dyn, Type::Dyn)),
            free @ Type::Parameter(_) => {
                self.types.assignable(&Type::Dyn, &free);
                Some(Elements::new(Type::Dyn, Type::Dyn))
            }
            _ => None,
        }
    }

    fn body(
        &mut self,
        quantifier: Quantifier,
        elements: &Elements,
        body: &[Node],
    ) -> Result<Body, CelError> {
        let holder = macro_name(quantifier);
        let takes_condition = matches!(
            quantifier,
            Quantifier::All | Quantifier::Exists | Quantifier::ExistsOne | Quantifier::Filter
        );
        let conditions = if takes_condition {
            body.len()
        } else {
            body.len().saturating_sub(1)
        };
        let mut typed = Vec::with_capacity(body.len());
        for (place, part) in body.iter().enumerate() {
            typed.push(if place < conditions {
                self.condition(part, holder)?
            } else {
                self.node(part)?
            });
        }
        let made = typed
            .last()
            .map_or(Type::Dyn, |last| last.value_type.clone());
        let value_type = match quantifier {
            Quantifier::All | Quantifier::Exists | Quantifier::ExistsOne => Type::Bool,
            Quantifier::Filter => Type::list(elements.first.clone()),
            Quantifier::Map => Type::list(made),
            Quantifier::TransformMap => Type::map(elements.first.clone(), made),
            Quantifier::TransformMapEntry => {
                let entry = Type::map(self.types.fresh(), self.types.fresh());
                if let (false, Some(part), Some(last)) =
                    (self.fits(&made, &entry), body.last(), typed.last())
                {
                    return Err(self.wanted(part, last, holder, "a map of one entry"));
                }
                self.types.resolve(&entry)
            }
        };
        Ok(Body { typed, value_type })
    }
}

/// The types of the variables; with one variable the second is not bound.
struct Elements {
    first: Type,
    second: Type,
}

impl Elements {
    fn new(first: Type, second: Type) -> Self {
        Self { first, second }
    }
}

struct Body {
    typed: Vec<Typed>,
    value_type: Type,
}

fn macro_name(quantifier: Quantifier) -> &'static str {
    match quantifier {
        Quantifier::All => "`all`",
        Quantifier::Exists => "`exists`",
        Quantifier::ExistsOne => "`exists_one`",
        Quantifier::Map => "`map`",
        Quantifier::Filter => "`filter`",
        Quantifier::TransformMap => "`transformMap`",
        Quantifier::TransformMapEntry => "`transformMapEntry`",
    }
}
