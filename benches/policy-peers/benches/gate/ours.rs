//! Ours: the condition alone, and a policy set that decides about an action.

use std::error::Error;
use std::hint::black_box;

use criterion::BenchmarkGroup;
use criterion::measurement::WallTime;
use noops_core::Timestamp;
use noops_policy::{Action, Condition, FactDecl, FactSchema, Facts, PolicyError, PolicySet, Truth};

use crate::gate;
use crate::measured::{CONDITION, Measured};

pub(crate) fn bench(group: &mut BenchmarkGroup<'_, WallTime>) -> Result<(), Box<dyn Error>> {
    let schema = schema()?;
    let now = Timestamp::UNIX_EPOCH;
    let good = facts(&Measured::good(), &schema, now)?;
    let drifted = facts(&Measured::drifted(), &schema, now)?;

    let condition = Condition::compile(CONDITION, &schema)?;
    let evaluate = |facts: &Facts| known(condition.evaluate(facts, now).truth());
    gate(group, "noops-condition", evaluate(&drifted), || {
        evaluate(black_box(&good))
    });

    let document = document();
    let policies = PolicySet::load(&[("gate.yaml", document.as_str())], &schema)?;
    let check = |facts: &Facts| known(policies.check(Action::Promote, facts, now).truth());
    gate(group, "noops-check", check(&drifted), || {
        check(black_box(&good))
    });
    Ok(())
}

fn known(truth: Truth) -> Option<bool> {
    match truth {
        Truth::True => Some(true),
        Truth::False => Some(false),
        Truth::Unknown => None,
    }
}

fn schema() -> Result<FactSchema, PolicyError> {
    let doubles = Measured::good().doubles();
    let doubles = doubles.into_iter().map(|(name, _)| FactDecl::double(name));
    FactSchema::new(
        doubles
            .chain([FactDecl::int("n"), FactDecl::text("env")])
            .collect(),
    )
}

fn facts(measured: &Measured, schema: &FactSchema, at: Timestamp) -> Result<Facts, PolicyError> {
    let mut facts = Facts::new(schema);
    for (name, value) in measured.doubles() {
        facts.set(name, value, at)?;
    }
    facts.set("n", measured.n, at)?;
    facts.set("env", measured.env, at)?;
    Ok(facts)
}

fn document() -> String {
    format!(
        "\
policy: promotion
owner: ml-platform
enforcement: hard-mandatory
rules:
  - name: gate
    effect: permit
    action: promote
    when: >-
      {CONDITION}
    because: the candidate is as good, the data have not moved, no budget burns
"
    )
}
