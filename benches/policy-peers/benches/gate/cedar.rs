//! Cedar: a request that is ready. It has no floating point, so numbers are whole millionths.

use std::error::Error;
use std::hint::black_box;

use cedar_policy::{
    Authorizer, Context, Decision, Entities, PolicySet, Request, RestrictedExpression,
};
use criterion::BenchmarkGroup;
use criterion::measurement::WallTime;

use crate::gate;
use crate::measured::Measured;

pub(crate) fn bench(group: &mut BenchmarkGroup<'_, WallTime>) -> Result<(), Box<dyn Error>> {
    let policies: PolicySet = GATE.parse()?;
    let entities = Entities::empty();
    let authorizer = Authorizer::new();
    let evaluate = |request: &Request| {
        let response = authorizer.is_authorized(request, &policies, &entities);
        // A policy that fails is skipped, which must not pass for a closed gate.
        let failed = response.diagnostics().errors().next().is_some();
        (!failed).then(|| response.decision() == Decision::Allow)
    };
    let good = request(&Measured::good())?;
    let drifted = request(&Measured::drifted())?;
    gate(group, "cedar-policy", evaluate(&drifted), || {
        evaluate(black_box(&good))
    });
    Ok(())
}

fn request(measured: &Measured) -> Result<Request, Box<dyn Error>> {
    let mut facts: Vec<(String, RestrictedExpression)> = Vec::new();
    for (name, value) in measured.doubles() {
        let millionths = (value * 1e6).round() as i64;
        facts.push((name.to_owned(), RestrictedExpression::new_long(millionths)));
    }
    facts.push(("n".to_owned(), RestrictedExpression::new_long(measured.n)));
    let env = RestrictedExpression::new_string(measured.env.to_owned());
    facts.push(("env".to_owned(), env));
    Ok(Request::new(
        r#"Job::"autopilot""#.parse()?,
        r#"Action::"promote""#.parse()?,
        r#"Model::"fraud""#.parse()?,
        Context::from_pairs(facts)?,
        None,
    )?)
}

const GATE: &str = r#"
permit (principal, action == Action::"promote", resource)
when {
    context.cand_auc >= context.champ_auc - 5000 &&
    context.psi < 200000 &&
    context.n >= 1000 &&
    !(context.burn_1h > 14400000 && context.burn_5m > 14400000) &&
    context.mtd * 10 < context.budget * 9 &&
    ["prod", "staging"].contains(context.env)
};
"#;
