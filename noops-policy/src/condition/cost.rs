use extent::Extent;

use crate::cel::ast::Quantifier;
use crate::cel::function::Function;
use crate::cel::typed::{Typed, TypedKind};
use crate::cel::value::Value;
use crate::fact::{FactSchema, FactType};

mod extent;

/// What a condition may cost at most: the limit that Kubernetes sets on one call.
pub(crate) const COST_LIMIT: u64 = 1_000_000;

/// The most that evaluating `typed` can cost, in the units that evaluation counts.
///
/// A visit costs 1 and a constant nothing, a list 10, a map 30, reading ten bytes of text 1, an element of a list 1, and a
/// comprehension its body once for each element. It assumes that every branch is the dearest one, that a text fact has at
/// most 1024 bytes, and that a list fact has as many items as it may have. It saturates.
///
/// # Complexity
///
/// O(n) for n nodes.
pub(crate) fn worst_case(typed: &Typed, schema: &FactSchema) -> u64 {
    let mut estimator = Estimator {
        schema,
        locals: Vec::new(),
        cost: 0,
    };
    estimator.visit(typed);
    estimator.cost
}

struct Estimator<'a> {
    schema: &'a FactSchema,
    locals: Vec<Extent>,
    cost: u64,
}

impl Estimator<'_> {
    fn spend(&mut self, units: u64) {
        self.cost = self.cost.saturating_add(units);
    }

    /// Adds the cost of a node and gives the greatest extent of its value.
    fn visit(&mut self, node: &Typed) -> Extent {
        match &node.kind {
            TypedKind::Constant(value) => constant(value),
            TypedKind::Variable(slot) => {
                self.spend(VISIT);
                self.fact(*slot)
            }
            TypedKind::Local(level) => {
                self.spend(VISIT);
                self.locals.get(*level).cloned().unwrap_or_default()
            }
            TypedKind::HasVariable(_) => {
                self.spend(VISIT);
                Extent::scalar()
            }
            TypedKind::Field(map, _) => {
                self.spend(VISIT);
                self.visit(map).into_item()
            }
            TypedKind::HasField(inner, _) | TypedKind::Not(inner) => {
                self.spend(VISIT);
                self.visit(inner);
                Extent::scalar()
            }
            TypedKind::And(parts) | TypedKind::Or(parts) => {
                for part in parts {
                    self.spend(VISIT);
                    self.visit(part);
                }
                Extent::scalar()
            }
            TypedKind::Conditional(test, yes, no) => {
                self.spend(VISIT);
                self.visit(test);
                let before = self.cost;
                let one = self.visit(yes);
                let after_one = std::mem::replace(&mut self.cost, before);
                let two = self.visit(no);
                self.cost = self.cost.max(after_one);
                one.or(two)
            }
            TypedKind::List(items) => {
                self.spend(LIST.max(u64::try_from(items.len()).unwrap_or(u64::MAX)));
                self.collect(items)
            }
            TypedKind::Map(entries) => {
                self.spend(MAP.max(u64::try_from(entries.len()).unwrap_or(u64::MAX)));
                let mut all = Extent::scalar();
                for (key, value) in entries {
                    all = all.or(self.visit(key)).or(self.visit(value));
                }
                Extent::many(length(entries.len()), all)
            }
            TypedKind::Call(function, arguments) => self.call(*function, arguments),
            TypedKind::Comprehension {
                quantifier,
                range,
                variables,
                body,
            } => self.comprehension(*quantifier, range, *variables, body),
            TypedKind::Bind { value, body } => {
                self.spend(VISIT);
                let value = self.visit(value);
                self.locals.push(value);
                let extent = self.visit(body);
                self.locals.pop();
                extent
            }
        }
    }

    fn fact(&self, slot: usize) -> Extent {
        let Some(decl) = self.schema.facts().get(slot) else {
            return Extent::scalar();
        };
        let many = |item: Extent| {
            let items = decl.max_items().unwrap_or(crate::fact::FactDecl::MAX_ITEMS);
            Extent::many(length(items), item)
        };
        match decl.fact_type() {
            FactType::Text => Extent::text(MOST_TEXT),
            FactType::Texts => many(Extent::text(MOST_TEXT)),
            FactType::Ints | FactType::Doubles => many(Extent::scalar()),
            _ => Extent::scalar(),
        }
    }

    fn collect(&mut self, items: &[Typed]) -> Extent {
        let mut all = Extent::scalar();
        for item in items {
            all = all.or(self.visit(item));
        }
        Extent::many(length(items.len()), all)
    }

    fn comprehension(
        &mut self,
        quantifier: Quantifier,
        range: &Typed,
        variables: usize,
        body: &[Typed],
    ) -> Extent {
        self.spend(VISIT);
        let range = self.visit(range);
        let steps = range.size();
        let item = range.clone().into_item();
        let bound = self.locals.len();
        let pushed = variables.clamp(1, 2);
        self.locals.extend(vec![item.clone(); pushed]);
        let before = std::mem::replace(&mut self.cost, VISIT);
        let mut last = Extent::scalar();
        for part in body {
            last = self.visit(part);
        }
        self.locals.truncate(bound);
        let is_merged = quantifier == Quantifier::TransformMapEntry;
        let made = if is_merged { last.size() } else { 1 };
        if is_merged {
            self.spend(made);
        }
        self.cost = before.saturating_add(self.cost.saturating_mul(steps));
        match quantifier {
            Quantifier::All | Quantifier::Exists | Quantifier::ExistsOne => Extent::scalar(),
            Quantifier::Filter => range,
            Quantifier::Map => Extent::many(steps, last),
            Quantifier::TransformMap => Extent::many(steps, item.or(last)),
            Quantifier::TransformMapEntry => {
                Extent::many(steps.saturating_mul(made), last.into_item())
            }
        }
    }

    fn call(&mut self, function: Function, arguments: &[Typed]) -> Extent {
        self.spend(VISIT);
        let arguments: Vec<Extent> = arguments.iter().map(|part| self.visit(part)).collect();
        let (units, extent) = function_cost(function, &arguments);
        self.spend(units);
        extent
    }
}

/// What a function costs beside its visit, and the greatest extent of what it makes.
fn function_cost(function: Function, arguments: &[Extent]) -> (u64, Extent) {
    use Function as F;
    let scalar = Extent::scalar();
    let first = arguments.first().unwrap_or(&scalar);
    let second = arguments.get(1).unwrap_or(&scalar);
    let third = arguments.get(2).unwrap_or(&scalar);
    let read = first.reading();
    match function {
        F::Equal | F::NotEqual | F::Less | F::LessOrEqual | F::Greater | F::GreaterOrEqual => {
            (first.comparing(second), scalar)
        }
        F::In => {
            let each = first.comparing(&second.clone().into_item());
            (second.size().saturating_mul(each.saturating_add(1)), scalar)
        }
        F::Add => {
            let sum = first.followed_by(second);
            (sum.reading(), sum)
        }
        F::Index => (0, first.clone().into_item()),
        F::ToDyn => (0, first.clone()),
        F::Contains | F::IndexOf | F::LastIndexOf => {
            (read.saturating_add(second.reading()), scalar)
        }
        F::StartsWith | F::EndsWith => (second.reading(), scalar),
        F::Matches => {
            let text = first.size().saturating_add(1).div_ceil(10);
            (text.saturating_mul(second.size().div_ceil(4)), scalar)
        }
        F::ToText => (read, Extent::text(first.size().max(SCALAR_TEXT))),
        F::CharAt => (read, Extent::text(4)),
        F::ToBytes | F::Substring | F::Trim | F::LowerAscii | F::UpperAscii | F::Reverse => {
            (read, first.clone())
        }
        F::Quote => {
            let quoted = first.size().saturating_mul(2).saturating_add(2);
            (read, Extent::text(quoted))
        }
        F::Join => {
            let item = first.clone().into_item();
            let each = Extent::text(item.size().saturating_add(second.size()));
            let units = each.reading().saturating_add(1);
            let joined = first.size().saturating_mul(each.size());
            (first.size().saturating_mul(units), Extent::text(joined))
        }
        F::Replace => {
            let places = first.size().saturating_add(1);
            let made = Extent::text(
                first
                    .size()
                    .saturating_add(places.saturating_mul(third.size())),
            );
            (read.saturating_add(made.reading()), made)
        }
        F::Split => {
            let parts = first.size().saturating_add(1);
            // Each part is read from its own beginning, which rounds up once for each.
            let units = read.saturating_add(parts.saturating_mul(2));
            let made = Extent::many(parts, Extent::text(first.size()));
            (read.saturating_add(units), made)
        }
        F::Format => {
            let made = Extent::text(first.size().saturating_add(second.written()));
            (read.saturating_add(made.size()), made)
        }
        F::Base64Encode | F::Base64Decode => {
            let made = Extent::text(first.size().saturating_mul(2).saturating_add(4));
            (made.reading(), made)
        }
        F::Greatest | F::Least => (read, first.clone().into_item()),
        // Getters of times read the name of a zone, and conversions read text.
        _ => (read.saturating_add(second.reading()), scalar),
    }
}

fn constant(value: &Value) -> Extent {
    match value {
        Value::String(text) => Extent::text(length(text.len())),
        Value::Bytes(bytes) => Extent::text(length(bytes.len())),
        Value::List(items) => Extent::many(
            length(items.len()),
            items
                .iter()
                .fold(Extent::scalar(), |all, item| all.or(constant(item))),
        ),
        Value::Map(map) => Extent::many(
            length(map.len()),
            map.entries().fold(Extent::scalar(), |all, (key, value)| {
                all.or(constant(key)).or(constant(value))
            }),
        ),
        _ => Extent::scalar(),
    }
}

fn length(length: usize) -> u64 {
    u64::try_from(length).unwrap_or(u64::MAX)
}

/// What visiting a node costs.
const VISIT: u64 = 1;
/// What making a list costs, besides its items.
const LIST: u64 = 10;
/// What making a map costs, besides its entries.
const MAP: u64 = 30;
/// The bytes that a text fact is assumed to have at most.
const MOST_TEXT: u64 = 1024;
/// No number, span or moment is longer when it is written plainly.
const SCALAR_TEXT: u64 = 400;

#[cfg(test)]
mod tests;
