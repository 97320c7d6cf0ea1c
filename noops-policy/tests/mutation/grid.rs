use std::collections::BTreeSet;

use noops_core::Timestamp;
use noops_policy::{FactSchema, FactType, FactValue, Facts, PolicySet};
use noops_stats::SplitMix64;

use crate::expressions::{Kind, expressions, tokens};

/// A seeded sample of the fact sets on both sides of everything that a document compares with.
pub(crate) struct Grid {
    sets: Vec<Facts>,
}

impl Grid {
    pub(crate) fn of(
        document: &str,
        schema: &FactSchema,
        at: Timestamp,
        noise: &mut SplitMix64,
    ) -> Self {
        let literals = Literals::of(document);
        let axes: Vec<(&str, Vec<Option<FactValue>>)> = schema
            .facts()
            .iter()
            .map(|fact| (fact.name(), literals.axis(fact.fact_type(), noise)))
            .collect();
        let sets = (0..SETS)
            .map(|_| {
                let mut facts = Facts::new(schema);
                for (name, axis) in &axes {
                    // Known more often than not: where little is known, little is decided.
                    let drawn = if noise.below(8) == 0 {
                        0
                    } else {
                        noise.below(axis.len())
                    };
                    if let Some(value) = &axis[drawn] {
                        facts.set(name, value.clone(), at).unwrap();
                    }
                }
                facts
            })
            .collect();
        Self { sets }
    }

    /// The first fact set on which two policy sets come to different effects.
    pub(crate) fn difference(
        &self,
        one: &PolicySet,
        other: &PolicySet,
        at: Timestamp,
    ) -> Option<&Facts> {
        let actions: BTreeSet<_> = one.actions().into_iter().chain(other.actions()).collect();
        self.sets.iter().find(|facts| {
            actions.iter().any(|action| {
                one.check(*action, facts, at).truth() != other.check(*action, facts, at).truth()
            })
        })
    }
}

struct Literals {
    numbers: Vec<f64>,
    texts: Vec<String>,
}

impl Literals {
    fn of(document: &str) -> Self {
        let mut found = Self {
            numbers: Vec::new(),
            texts: vec!["something else".to_owned(), String::new()],
        };
        for expression in expressions(document) {
            for token in tokens(document, expression) {
                let text = &document[token.start..token.end];
                match token.kind {
                    Kind::Number => found.numbers.push(text.parse().unwrap()),
                    Kind::Text => found.texts.push(text.trim_matches('"').to_owned()),
                    _ => {}
                }
            }
        }
        found
    }

    /// The values of a fact: missing, each literal, a little less and a little more, and some in between.
    fn axis(&self, fact_type: FactType, noise: &mut SplitMix64) -> Vec<Option<FactValue>> {
        let mut values: Vec<FactValue> = match fact_type {
            FactType::Bool => vec![true.into(), false.into()],
            FactType::Int => self
                .numbers
                .iter()
                .flat_map(|number| {
                    let whole = *number as i64;
                    [whole - 1, whole, whole + 1, whole * 2, whole / 2]
                })
                .map(FactValue::from)
                .collect(),
            FactType::Double => self
                .numbers
                .iter()
                .flat_map(|number| {
                    let drawn = noise.unit();
                    [
                        *number,
                        number * 0.999,
                        number * 1.001,
                        number * 2.0 * drawn,
                        drawn,
                    ]
                })
                .map(FactValue::from)
                .collect(),
            FactType::Text => self.texts.iter().cloned().map(FactValue::from).collect(),
            FactType::Texts => self
                .texts
                .iter()
                .flat_map(|text| {
                    [
                        Vec::new(),
                        vec![text.clone()],
                        vec!["a".to_owned(), text.clone()],
                    ]
                })
                .map(FactValue::Texts)
                .collect(),
            FactType::Duration => ["1h", "7199s", "2h", "3h", "0s"]
                .map(|text| FactValue::Duration(text.parse().unwrap()))
                .to_vec(),
            _ => Vec::new(),
        };
        let mut axis = vec![None];
        axis.extend(values.drain(..).map(Some));
        axis
    }
}

const SETS: usize = 3000;
