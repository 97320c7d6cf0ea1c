use super::{Checker, Mode};
use crate::cel::ast::{Kind, Node};
use crate::cel::error::CelError;
use crate::cel::typed::{Typed, TypedKind};
use crate::cel::types::Type;
use crate::cel::value::Value;

impl Checker<'_> {
    /// Checks a literal format against a literal list of values, as the reference checker does.
    pub(super) fn check_format(
        &mut self,
        arguments: &[&Node],
        typed: &[Typed],
    ) -> Result<(), CelError> {
        let ([format, values], [_, values_typed]) = (arguments, typed) else {
            return Ok(());
        };
        let (Kind::Literal(Value::String(text)), Kind::List(items)) = (&format.kind, &values.kind)
        else {
            return Ok(());
        };
        let TypedKind::List(items_typed) = &values_typed.kind else {
            return Ok(());
        };
        if self.mode == Mode::Dynamic {
            return Ok(());
        }
        let clauses = clauses(text).map_err(|problem| CelError::new(format.span.start, problem))?;
        for (place, verb) in clauses.iter().enumerate() {
            let (Some(item), Some(item_typed)) = (items.get(place), items_typed.get(place)) else {
                return Err(CelError::new(
                    values.span.start,
                    format!(
                        "the format has {} clauses but {} values; give one for each",
                        clauses.len(),
                        items.len()
                    ),
                ));
            };
            let found = self.types.settle(&item_typed.value_type);
            if !takes(*verb, &found) {
                return Err(CelError::new(
                    item.span.start,
                    format!(
                        "`%{verb}` formats {} but `{}` is {found}",
                        formatted_by(*verb),
                        self.excerpt(item)
                    ),
                ));
            }
        }
        Ok(())
    }
}

/// The verbs of the clauses, in order.
fn clauses(format: &str) -> Result<Vec<char>, String> {
    let mut found = Vec::new();
    let mut characters = format.chars().peekable();
    while let Some(character) = characters.next() {
        if character != '%' {
            continue;
        }
        if characters.next_if_eq(&'%').is_some() {
            continue;
        }
        if characters.next_if_eq(&'.').is_some() {
            while characters.next_if(char::is_ascii_digit).is_some() {}
        }
        match characters.next() {
            Some(verb) if VERBS.contains(&verb) => found.push(verb),
            Some(verb) => {
                return Err(format!(
                    "`%{verb}` is no clause of a format; use %s, %d, %f, %e, %b, %o, %x or %X, and %% for a percent sign"
                ));
            }
            None => {
                return Err(
                    "the format ends within a clause; write %% for a percent sign".to_owned(),
                );
            }
        }
    }
    Ok(found)
}

fn takes(verb: char, found: &Type) -> bool {
    match found {
        Type::Dyn => true,
        Type::Int | Type::Uint => true,
        Type::Double => matches!(verb, 's' | 'd' | 'f' | 'e'),
        Type::Bool => matches!(verb, 's' | 'b'),
        Type::String | Type::Bytes => matches!(verb, 's' | 'x' | 'X'),
        _ => verb == 's',
    }
}

fn formatted_by(verb: char) -> &'static str {
    match verb {
        'd' | 'f' | 'e' => "numbers",
        'b' => "whole numbers and bools",
        'o' => "whole numbers",
        'x' | 'X' => "whole numbers, text and bytes",
        _ => "anything",
    }
}

const VERBS: [char; 8] = ['s', 'd', 'f', 'e', 'b', 'o', 'x', 'X'];
