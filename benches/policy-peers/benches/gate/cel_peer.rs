//! cel: a parsed program, the facts in a context.

use std::error::Error;
use std::hint::black_box;

use cel::{Context, Program, Value};
use criterion::BenchmarkGroup;
use criterion::measurement::WallTime;

use crate::gate;
use crate::measured::{CONDITION, Measured};

pub(crate) fn bench(group: &mut BenchmarkGroup<'_, WallTime>) -> Result<(), Box<dyn Error>> {
    let program = Program::compile(CONDITION).map_err(|error| error.to_string())?;
    let evaluate = |facts: &Context<'_, '_>| match program.execute(facts) {
        Ok(Value::Bool(open)) => Some(open),
        _ => None,
    };
    let good = facts(&Measured::good());
    let drifted = facts(&Measured::drifted());
    gate(group, "cel", evaluate(&drifted), || {
        evaluate(black_box(&good))
    });
    Ok(())
}

fn facts(measured: &Measured) -> Context<'static, 'static> {
    let mut facts = Context::default();
    for (name, value) in measured.doubles() {
        facts.add_variable_from_value(name, value);
    }
    facts.add_variable_from_value("n", measured.n);
    facts.add_variable_from_value("env", measured.env);
    facts
}
