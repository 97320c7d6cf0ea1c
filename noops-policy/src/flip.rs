use std::fmt;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::action::Action;
use crate::cel::{ClauseShape, ClauseValue, Comparison, Truth};
use crate::decision::Effect;
use crate::fact::{FactType, FactValue, Facts};
use crate::set::PolicySet;

/// The smallest change of a single fact that would turn a denial into a permission.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Flip {
    fact: String,
    from: FactValue,
    to: FactValue,
}

impl Flip {
    /// The fact to change.
    pub fn fact(&self) -> &str {
        &self.fact
    }

    /// Its present value.
    pub fn from(&self) -> &FactValue {
        &self.from
    }

    /// The nearest value at which the action would be allowed.
    pub fn to(&self) -> &FactValue {
        &self.to
    }
}

impl fmt::Display for Flip {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}` from {} to {}", self.fact, self.from, self.to)
    }
}

impl PolicySet {
    /// What would have to be different for a denied action to be allowed, where one number is enough.
    ///
    /// The candidates are the comparisons of mandatory rules in which a numeric fact stands alone on a side: each is moved
    /// to the other side of its threshold, in closed form, and the decision is taken again. Of those that lead to allow,
    /// the one with the least change relative to the larger of the two values is returned, and the first name breaks
    /// ties. None when the action is not denied, or when more than one fact, or a fact without a value, would have to
    /// change.
    ///
    /// # Complexity
    ///
    /// One decision for each candidate.
    ///
    /// # Examples
    ///
    /// ```
    /// use noops_core::Timestamp;
    /// use noops_policy::{Action, FactDecl, FactSchema, FactValue, Facts, PolicySet};
    ///
    /// let schema = FactSchema::new(vec![FactDecl::int("n")])?;
    /// let yaml = "
    /// policy: enough
    /// owner: team
    /// enforcement: hard-mandatory
    /// rules:
    ///   - { name: data, effect: permit, action: promote, when: n > 1000, because: small samples mislead }
    /// ";
    /// let policies = PolicySet::load(&[("p", yaml)], &schema)?;
    /// let now = Timestamp::UNIX_EPOCH;
    /// let mut facts = Facts::new(&schema);
    /// facts.set("n", 400, now)?;
    /// let flip = policies.flip(Action::Promote, &facts, now).ok_or("no flip")?;
    /// assert_eq!((flip.fact(), flip.to()), ("n", &FactValue::Int(1001)));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn flip(&self, action: Action, facts: &Facts, now: Timestamp) -> Option<Flip> {
        let facts = facts.aligned(self.schema());
        if self.judge(action, &facts, now).effect != Effect::Deny {
            return None;
        }
        let mut best: Option<(f64, Flip)> = None;
        for (rule, outcome) in self.outcomes(action, &facts, now) {
            if rule.is_advisory() {
                continue;
            }
            for (shape, value) in rule.condition.comparisons(&outcome) {
                for (slot, to) in self.candidates(shape, value) {
                    let name = self.schema().name(slot);
                    let Some(entry) = facts.entry(name) else {
                        continue;
                    };
                    let change = relative_change(entry.value(), &to);
                    let is_worse = best.as_ref().is_some_and(|(least, flip)| {
                        (change, name) >= (*least, flip.fact.as_str())
                    });
                    if is_worse {
                        continue;
                    }
                    let mut changed = facts.clone().into_owned();
                    if changed.set(name, to.clone(), entry.at()).is_err() {
                        continue;
                    }
                    if self.judge(action, &changed, now).effect == Effect::Allow {
                        let from = entry.value().clone();
                        best = Some((
                            change,
                            Flip {
                                fact: name.to_owned(),
                                from,
                                to,
                            },
                        ));
                    }
                }
            }
        }
        best.map(|(_, flip)| flip)
    }

    /// The value just across the threshold, for each side that is a bare fact.
    fn candidates(&self, shape: ClauseShape, value: ClauseValue) -> Vec<(usize, FactValue)> {
        let (Some(left), Some(right)) = (value.left, value.right) else {
            return Vec::new();
        };
        let wanted = match value.truth {
            Truth::False => shape.comparison,
            Truth::True => shape.comparison.negated(),
            Truth::Unknown => return Vec::new(),
        };
        let mut candidates = Vec::new();
        let sides = [
            (shape.left, wanted, right),
            (shape.right, wanted.swapped(), left),
        ];
        for (slot, comparison, threshold) in sides {
            let Some(slot) = slot else {
                continue;
            };
            let fact_type = self.schema().facts().get(slot).map(|decl| decl.fact_type());
            let to = match fact_type {
                Some(FactType::Double) => nearest_double(comparison, threshold),
                Some(FactType::Int) => nearest_int(comparison, threshold),
                _ => None,
            };
            if let Some(to) = to {
                candidates.push((slot, to));
            }
        }
        candidates
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

fn relative_change(from: &FactValue, to: &FactValue) -> f64 {
    match (from.as_f64(), to.as_f64()) {
        (Some(from), Some(to)) => {
            let scale = from.abs().max(to.abs());
            if scale == 0.0 {
                0.0
            } else {
                (to / scale - from / scale).abs()
            }
        }
        _ => f64::INFINITY,
    }
}

const EXACT_INTEGERS: f64 = 9_007_199_254_740_992.0;
