use std::collections::BTreeMap;

use jiff::Timestamp;

use super::Condition;
use super::clause::{NumericComparison, number};
use super::comparison::Comparison;
use super::form::Form;
use super::program::Run;
use super::test::{Membership, Test};
use super::truth::Truth;
use crate::cel::function::Function;
use crate::cel::typed::{Typed, TypedKind};
use crate::fact::{FactType, FactValue, Facts};

/// Changes of facts that give a condition another value, by slot.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Plan {
    changes: BTreeMap<usize, FactValue>,
}

impl Plan {
    pub(crate) fn changes(&self) -> &BTreeMap<usize, FactValue> {
        &self.changes
    }

    /// The sum of the relative changes, where a change of a fact that is no number counts one.
    pub(crate) fn cost(&self, facts: &Facts) -> f64 {
        self.changes
            .iter()
            .map(|(slot, to)| change(facts, *slot, to))
            .sum()
    }

    /// Both plans at once; none if they want different values of one fact.
    pub(crate) fn joined(mut self, other: &Self) -> Option<Self> {
        for (slot, value) in &other.changes {
            match self.changes.get(slot) {
                Some(planned) if planned != value => return None,
                _ => self.changes.insert(*slot, value.clone()),
            };
        }
        Some(self)
    }

    fn of(slot: usize, value: FactValue) -> Self {
        Self {
            changes: BTreeMap::from([(slot, value)]),
        }
    }
}

impl Condition {
    /// The cheapest known way to give this condition the value `wanted`, by moving facts that have a value across the
    /// thresholds of its clauses. It is checked by whoever applies it: two clauses may want different things of one fact.
    pub(crate) fn plan(
        &self,
        facts: &Facts,
        now: Timestamp,
        run: Run,
        wanted: bool,
    ) -> Option<Plan> {
        Planner {
            condition: self,
            facts,
            now,
            run,
        }
        .form(self.form(), wanted)
    }
}

struct Planner<'a> {
    condition: &'a Condition,
    facts: &'a Facts,
    now: Timestamp,
    run: Run,
}

impl Planner<'_> {
    fn form(&self, form: &Form, wanted: bool) -> Option<Plan> {
        if form.truth(self.run) == Truth::from(wanted) {
            return Some(Plan::default());
        }
        match form {
            Form::Test(index, _) => self.test(*index, wanted),
            Form::Not(inner) => self.form(inner, !wanted),
            Form::All(forms) if wanted => self.every(forms, true),
            Form::All(forms) => self.cheapest(forms.iter().map(|form| self.form(form, false))),
            Form::Any(forms) if wanted => {
                self.cheapest(forms.iter().map(|form| self.form(form, true)))
            }
            Form::Any(forms) => self.every(forms, false),
            Form::Select(parts) => {
                let [condition, then, otherwise] = &**parts;
                let through = |holds: bool, branch: &Form| {
                    self.form(condition, holds)?
                        .joined(&self.form(branch, wanted)?)
                };
                self.cheapest([through(true, then), through(false, otherwise)].into_iter())
            }
        }
    }

    fn every(&self, forms: &[Form], wanted: bool) -> Option<Plan> {
        forms.iter().try_fold(Plan::default(), |plan, form| {
            plan.joined(&self.form(form, wanted)?)
        })
    }

    fn cheapest(&self, plans: impl Iterator<Item = Option<Plan>>) -> Option<Plan> {
        plans
            .flatten()
            .map(|plan| (plan.cost(self.facts), plan))
            .reduce(|least, other| if other.0 < least.0 { other } else { least })
            .map(|(_, plan)| plan)
    }

    fn test(&self, index: usize, wanted: bool) -> Option<Plan> {
        match self.condition.test(index)? {
            Test::Flag { slot } => self
                .facts
                .usable(*slot, self.now)
                .map(|_| Plan::of(*slot, FactValue::Bool(wanted))),
            Test::Text {
                slot,
                expected,
                texts,
            } => {
                // Only a text that is named can be proposed.
                let is_nameable = wanted == (*expected == Membership::Among);
                self.facts.usable(*slot, self.now)?;
                let text = texts.first().filter(|_| is_nameable)?;
                Some(Plan::of(*slot, FactValue::Text(text.clone())))
            }
            _ => {
                let compared = self.condition.comparison(index)?;
                self.cheapest(self.crossings(compared, wanted).into_iter().map(Some))
            }
        }
    }

    /// The values just across the threshold, for each side that is a fact or an affine function of one.
    fn crossings(&self, compared: &NumericComparison, wanted: bool) -> Vec<Plan> {
        let comparison = if wanted {
            compared.comparison
        } else {
            compared.comparison.negated()
        };
        let left = number(&compared.left, self.facts, self.now);
        let right = number(&compared.right, self.facts, self.now);
        let (Some(left), Some(right)) = (left, right) else {
            return Vec::new();
        };
        let sides = [
            self.crossing(&compared.left, comparison, right),
            self.crossing(&compared.right, comparison.swapped(), left),
        ];
        sides.into_iter().flatten().collect()
    }

    /// The change of the one fact in `side` that makes `side comparison threshold` hold.
    fn crossing(&self, side: &Typed, comparison: Comparison, threshold: f64) -> Option<Plan> {
        let inverted = inverted(side, comparison, threshold)?;
        let decl = self.condition.schema().facts().get(inverted.slot)?;
        let to = match decl.fact_type() {
            FactType::Double => nearest_double(inverted.comparison, inverted.threshold)?,
            FactType::Int => nearest_int(inverted.comparison, inverted.threshold)?,
            _ => return None,
        };
        decl.admits(&to).then(|| Plan::of(inverted.slot, to))
    }
}

/// A comparison of a bare fact with a number.
struct Inverted {
    slot: usize,
    comparison: Comparison,
    threshold: f64,
}

/// Solves `side comparison threshold` for the one fact in `side`, through sums, products and quotients with constants.
fn inverted(side: &Typed, comparison: Comparison, threshold: f64) -> Option<Inverted> {
    let (function, arguments) = match &side.kind {
        TypedKind::Variable(slot) => {
            return Some(Inverted {
                slot: *slot,
                comparison,
                threshold,
            });
        }
        TypedKind::Call(function, arguments) => (*function, arguments.as_slice()),
        _ => return None,
    };
    let turned = |factor: f64| {
        if factor < 0.0 {
            comparison.swapped()
        } else {
            comparison
        }
    };
    match (function, arguments) {
        (Function::Negate, [inner]) => inverted(inner, comparison.swapped(), -threshold),
        (Function::ToDouble, [inner]) => inverted(inner, comparison, threshold),
        (Function::Add, [inner, other]) | (Function::Add, [other, inner])
            if constant(other).is_some() && constant(inner).is_none() =>
        {
            inverted(inner, comparison, threshold - constant(other)?)
        }
        (Function::Subtract, [inner, other]) if constant(other).is_some() => {
            inverted(inner, comparison, threshold + constant(other)?)
        }
        (Function::Subtract, [other, inner]) if constant(other).is_some() => {
            inverted(inner, comparison.swapped(), constant(other)? - threshold)
        }
        (Function::Multiply, [inner, other]) | (Function::Multiply, [other, inner])
            if constant(other).is_some_and(|factor| factor != 0.0) =>
        {
            let factor = constant(other)?;
            inverted(inner, turned(factor), threshold / factor)
        }
        (Function::Divide, [inner, other]) if constant(other).is_some_and(|by| by != 0.0) => {
            let by = constant(other)?;
            inverted(inner, turned(by), threshold * by)
        }
        _ => None,
    }
}

fn constant(node: &Typed) -> Option<f64> {
    use crate::cel::value::Value;
    match &node.kind {
        TypedKind::Constant(Value::Int(value)) => Some(*value as f64),
        TypedKind::Constant(Value::Double(value)) => Some(*value),
        _ => None,
    }
}

fn nearest_double(comparison: Comparison, threshold: f64) -> Option<FactValue> {
    let value = match comparison {
        Comparison::LessOrEqual | Comparison::GreaterOrEqual | Comparison::Equal => threshold,
        Comparison::Less => threshold.next_down(),
        Comparison::Greater | Comparison::NotEqual => threshold.next_up(),
    };
    value.is_finite().then(|| FactValue::from(value))
}

fn nearest_int(comparison: Comparison, threshold: f64) -> Option<FactValue> {
    let value = match comparison {
        Comparison::Equal => threshold,
        Comparison::LessOrEqual => threshold.floor(),
        Comparison::GreaterOrEqual => threshold.ceil(),
        Comparison::Less => threshold.ceil() - 1.0,
        Comparison::Greater => threshold.floor() + 1.0,
        Comparison::NotEqual => threshold + 1.0,
    };
    // Beyond two to the power 53 a double does not name one whole number.
    (value.abs() <= EXACT_INTEGERS).then_some(FactValue::Int(value as i64))
}

fn change(facts: &Facts, slot: usize, to: &FactValue) -> f64 {
    let from = facts
        .schema()
        .facts()
        .get(slot)
        .and_then(|decl| facts.entry(decl.name()))
        .and_then(|entry| entry.value().as_f64());
    match (from, to.as_f64()) {
        (Some(from), Some(to)) => {
            let scale = from.abs().max(to.abs());
            if scale == 0.0 {
                0.0
            } else {
                (to / scale - from / scale).abs()
            }
        }
        _ => 1.0,
    }
}

const EXACT_INTEGERS: f64 = 9_007_199_254_740_992.0;
