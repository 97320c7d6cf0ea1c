//! cel-core: a checked program, the facts in a map.

use std::error::Error;
use std::hint::black_box;

use cel_core::{CelType, Env, MapActivation, Value};
use criterion::BenchmarkGroup;
use criterion::measurement::WallTime;

use crate::gate;
use crate::measured::{CONDITION, Measured};

pub(crate) fn bench(group: &mut BenchmarkGroup<'_, WallTime>) -> Result<(), Box<dyn Error>> {
    let mut env = Env::with_standard_library()
        .with_variable("n", CelType::Int)
        .with_variable("env", CelType::String);
    for (name, _) in Measured::good().doubles() {
        env.add_variable(name, CelType::Double);
    }
    let checked = env.compile(CONDITION).map_err(|error| error.to_string())?;
    let program = env.program(&checked).map_err(|error| error.to_string())?;
    let evaluate = |facts: &MapActivation| match program.eval(facts) {
        Value::Bool(open) => Some(open),
        _ => None,
    };
    let good = facts(&Measured::good());
    let drifted = facts(&Measured::drifted());
    gate(group, "cel-core", evaluate(&drifted), || {
        evaluate(black_box(&good))
    });
    Ok(())
}

fn facts(measured: &Measured) -> MapActivation {
    let mut facts = MapActivation::new();
    for (name, value) in measured.doubles() {
        facts.insert(name, value);
    }
    facts.insert("n", measured.n);
    facts.insert("env", measured.env);
    facts
}
