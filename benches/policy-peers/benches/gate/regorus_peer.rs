//! regorus: a program of its virtual machine, which is kept and given the facts for each evaluation.

use std::error::Error;
use std::hint::black_box;

use criterion::BenchmarkGroup;
use criterion::measurement::WallTime;
use regorus::languages::rego::compiler::Compiler;
use regorus::rvm::vm::RegoVM;
use regorus::{Engine, Value};

use crate::gate;
use crate::measured::Measured;

pub(crate) fn bench(group: &mut BenchmarkGroup<'_, WallTime>) -> Result<(), Box<dyn Error>> {
    let mut engine = Engine::new();
    engine.add_policy("gate.rego".to_owned(), GATE.to_owned())?;
    let policy = engine.compile_with_entrypoint(&ENTRYPOINT.into())?;
    let program =
        Compiler::compile_from_policy(&policy, &[ENTRYPOINT]).map_err(|error| error.to_string())?;
    let mut vm = RegoVM::new();
    vm.load_program(program);
    let mut evaluate = |facts: &Value| {
        vm.set_input(facts.clone());
        match vm.execute() {
            Ok(Value::Bool(open)) => Some(open),
            _ => None,
        }
    };
    let good = facts(&Measured::good())?;
    let drifted = evaluate(&facts(&Measured::drifted())?);
    gate(group, "regorus", drifted, || evaluate(black_box(&good)));
    Ok(())
}

fn facts(measured: &Measured) -> Result<Value, Box<dyn Error>> {
    let mut facts = Value::new_object();
    let object = facts.as_object_mut()?;
    for (name, value) in measured.doubles() {
        object.insert(name.into(), value.into());
    }
    object.insert("n".into(), measured.n.into());
    object.insert("env".into(), measured.env.into());
    Ok(facts)
}

const ENTRYPOINT: &str = "data.promotion.allow";
const GATE: &str = r#"
package promotion

default allow := false

allow if {
    input.cand_auc >= input.champ_auc - 0.005
    input.psi < 0.2
    input.n >= 1000
    not burning
    input.mtd < input.budget * 0.9
    input.env in {"prod", "staging"}
}

burning if {
    input.burn_1h > 14.4
    input.burn_5m > 14.4
}
"#;
