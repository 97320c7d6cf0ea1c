//! Loading the gate.

use std::error::Error;
use std::hint::black_box;

use criterion::{BenchmarkId, Criterion};
use noops_policy::{Condition, PolicySet};

use crate::gate::{CLAUSES, CONDITION, document, policies, schema};

pub(crate) fn bench(criterion: &mut Criterion) -> Result<(), Box<dyn Error>> {
    let schema = schema()?;
    let document = document();
    let expected = policies(&schema)?.digest();

    let mut group = criterion.benchmark_group("policy/load");
    group.bench_function(BenchmarkId::new("noops", CLAUSES), |bencher| {
        bencher.iter(|| {
            let policies = PolicySet::load(&[("gate.yaml", black_box(document.as_str()))], &schema);
            assert!(
                policies
                    .as_ref()
                    .is_ok_and(|policies| policies.digest() == expected)
            );
            policies
        });
    });
    // Parsing and type-checking the expression alone, without the YAML around it.
    group.bench_function(BenchmarkId::new("floor-condition", CLAUSES), |bencher| {
        bencher.iter(|| {
            let condition = Condition::compile(black_box(CONDITION), &schema);
            assert!(condition.is_ok());
            condition
        });
    });
    group.finish();
    Ok(())
}
