use std::sync::Arc;

use super::pending::Pending;
use super::{Evaluator, Stop, VISIT, map_error, no_overload};
use crate::cel::ast::Quantifier;
use crate::cel::map::Map;
use crate::cel::typed::Typed;
use crate::cel::value::Value;

impl Evaluator<'_> {
    #[inline(never)]
    pub(super) fn comprehension(
        &mut self,
        quantifier: Quantifier,
        range: &Typed,
        variables: usize,
        body: &[Typed],
    ) -> Result<Value, Stop> {
        self.fuel.spend(VISIT)?;
        let over = self.node(range)?;
        let Some(elements) = elements(&over) else {
            return Err(no_overload(macro_name(quantifier), &[over], range));
        };
        let mut gathered = Gathered::new(quantifier);
        for (key, value) in elements {
            self.fuel.spend(VISIT)?;
            let element = match (variables, &over) {
                (2.., _) => {
                    self.locals.push(Ok(key.clone()));
                    value
                }
                (_, Value::Map(_)) => key.clone(),
                _ => value,
            };
            self.locals.push(Ok(element.clone()));
            let outcome = self.step(quantifier, body);
            for _ in 0..variables.clamp(1, 2) {
                self.locals.pop();
            }
            if let Step::Decided(value) = gathered.take(outcome, key, element)? {
                return Ok(value);
            }
            self.fuel.spend_elements(gathered.growth())?;
        }
        gathered
            .finish()
            .map_err(|stop| placed(stop, range.span.start))
    }

    /// What one element comes to: none when a filter leaves it out.
    #[inline(never)]
    fn step(&mut self, quantifier: Quantifier, body: &[Typed]) -> Result<Option<Value>, Stop> {
        let (filter, result) = match body {
            [filter, result] => (Some(filter), result),
            [result, ..] => (None, result),
            [] => return Ok(None),
        };
        if let Some(filter) = filter
            && !self.holds(quantifier, filter)?
        {
            return Ok(None);
        }
        match quantifier {
            Quantifier::All | Quantifier::Exists | Quantifier::ExistsOne | Quantifier::Filter => {
                self.holds(quantifier, result)
                    .map(|holds| Some(Value::Bool(holds)))
            }
            Quantifier::Map | Quantifier::TransformMap => self.node(result).map(Some),
            Quantifier::TransformMapEntry => match self.node(result)? {
                map @ Value::Map(_) => Ok(Some(map)),
                other => Err(no_overload(macro_name(quantifier), &[other], result)),
            },
        }
    }

    fn holds(&mut self, quantifier: Quantifier, condition: &Typed) -> Result<bool, Stop> {
        match self.node(condition)? {
            Value::Bool(value) => Ok(value),
            other => Err(no_overload(macro_name(quantifier), &[other], condition)),
        }
    }
}

/// The elements of a list with their indexes, or those of a map with their keys.
fn elements(over: &Value) -> Option<Box<dyn Iterator<Item = (Value, Value)> + '_>> {
    match over {
        Value::List(items) => Some(Box::new(
            (0_i64..)
                .zip(items.iter())
                .map(|(index, item)| (Value::Int(index), item.clone())),
        )),
        Value::Map(map) => Some(Box::new(
            map.entries()
                .map(|(key, value)| (key.clone(), value.clone())),
        )),
        _ => None,
    }
}

enum Step {
    Undecided,
    Decided(Value),
}

/// What the elements so far came to.
struct Gathered {
    quantifier: Quantifier,
    pending: Pending,
    matches: usize,
    items: Vec<Value>,
    entries: Vec<(Value, Value)>,
    /// How much the last element added beyond itself.
    growth: usize,
}

impl Gathered {
    fn new(quantifier: Quantifier) -> Self {
        Self {
            quantifier,
            pending: Pending::default(),
            matches: 0,
            items: Vec::new(),
            entries: Vec::new(),
            growth: 0,
        }
    }

    fn growth(&self) -> usize {
        self.growth
    }

    fn take(
        &mut self,
        outcome: Result<Option<Value>, Stop>,
        key: Value,
        element: Value,
    ) -> Result<Step, Stop> {
        self.growth = 0;
        let value = match outcome {
            Ok(Some(value)) => value,
            Ok(None) => return Ok(Step::Undecided),
            Err(stop) => {
                self.pending.add(stop)?;
                return Ok(Step::Undecided);
            }
        };
        match (self.quantifier, value) {
            (Quantifier::All, value @ Value::Bool(false))
            | (Quantifier::Exists, value @ Value::Bool(true)) => return Ok(Step::Decided(value)),
            (Quantifier::All | Quantifier::Exists, _) => {}
            (Quantifier::ExistsOne, value) => {
                self.matches += usize::from(value == Value::Bool(true));
            }
            (Quantifier::Filter, Value::Bool(true)) => self.items.push(element),
            (Quantifier::Filter, _) => {}
            (Quantifier::Map, value) => self.items.push(value),
            (Quantifier::TransformMap, value) => self.entries.push((key, value)),
            (Quantifier::TransformMapEntry, Value::Map(map)) => {
                self.growth = map.len();
                self.entries.extend(
                    map.entries()
                        .map(|(key, value)| (key.clone(), value.clone())),
                );
            }
            (Quantifier::TransformMapEntry, _) => {}
        }
        Ok(Step::Undecided)
    }

    fn finish(self) -> Result<Value, Stop> {
        self.pending.settle()?;
        Ok(match self.quantifier {
            Quantifier::All => Value::Bool(true),
            Quantifier::Exists => Value::Bool(false),
            Quantifier::ExistsOne => Value::Bool(self.matches == 1),
            Quantifier::Map | Quantifier::Filter => Value::List(Arc::from(self.items)),
            Quantifier::TransformMap | Quantifier::TransformMapEntry => {
                Value::from(Map::new(self.entries).map_err(|error| map_error(&error))?)
            }
        })
    }
}

/// Only what the comprehension itself could not make is placed at its range; the rest has its place.
fn placed(stop: Stop, at: usize) -> Stop {
    match stop {
        Stop::Error(error) => Stop::Error(error.placed(at)),
        unknown @ Stop::Unknown(_) => unknown,
    }
}

fn macro_name(quantifier: Quantifier) -> &'static str {
    match quantifier {
        Quantifier::All => "all",
        Quantifier::Exists => "exists",
        Quantifier::ExistsOne => "exists_one",
        Quantifier::Map => "map",
        Quantifier::Filter => "filter",
        Quantifier::TransformMap => "transformMap",
        Quantifier::TransformMapEntry => "transformMapEntry",
    }
}
