//! A thousand rules about one action: one permits, and none of the others forbids.

use std::error::Error;
use std::fmt::Write;
use std::hint::black_box;

use criterion::{BenchmarkId, Criterion, Throughput};
use noops_core::Timestamp;
use noops_policy::{Action, FactDecl, FactSchema, Facts, PolicySet, Truth};

pub(crate) fn bench(criterion: &mut Criterion) -> Result<(), Box<dyn Error>> {
    let mut declared: Vec<FactDecl> = (1..RULES)
        .map(|rule| FactDecl::double(fact(rule)))
        .collect();
    declared.push(FactDecl::int("n"));
    declared.push(FactDecl::double("share"));
    let schema = FactSchema::new(declared)?;
    let policies = PolicySet::load(&[("rules.yaml", document()?.as_str())], &schema)?;

    let now = Timestamp::UNIX_EPOCH;
    let mut facts = Facts::new(&schema);
    facts.set("n", 25_000, now)?;
    facts.set("share", 0.5, now)?;
    for rule in 1..RULES {
        facts.set(&fact(rule), 0.04, now)?;
    }
    let mut drifted = facts.clone();
    drifted.set(&fact(RULES - 1), 0.31, now)?;
    assert_eq!(
        policies.check(Action::Promote, &drifted, now).truth(),
        Truth::False
    );

    let mut group = criterion.benchmark_group("policy/rules");
    group.throughput(Throughput::Elements(RULES as u64));
    group.bench_function(BenchmarkId::new("noops", RULES), |bencher| {
        bencher.iter(|| {
            let verdict = policies.check(Action::Promote, black_box(&facts), now);
            assert!(verdict.is_allowed());
            verdict
        });
    });
    // A comparison a rule, on numbers in a row.
    let numbers = vec![0.04; RULES];
    group.bench_function(BenchmarkId::new("floor-compare", RULES), |bencher| {
        bencher.iter(|| {
            let numbers = black_box(&numbers);
            let above = numbers.iter().filter(|number| **number > 0.2).count();
            assert_eq!(above, 0);
            above
        });
    });
    group.finish();
    Ok(())
}

/// One to three clauses in turn, each rule about a fact of its own.
fn document() -> Result<String, std::fmt::Error> {
    let mut yaml = String::from(
        "\
policy: promotion
owner: ml-platform
enforcement: hard-mandatory
rules:
  - name: enough
    effect: permit
    action: promote
    when: n >= 1000
    because: the candidate was seen often enough
",
    );
    for rule in 1..RULES {
        let clauses = match rule % 3 {
            0 => "",
            1 => " && n >= 1000",
            _ => " && n >= 1000 && share > 0.1",
        };
        write!(
            yaml,
            "  - name: moved-{rule}
    effect: forbid
    action: promote
    when: {} > 0.2{clauses}
    because: a feature has moved
",
            fact(rule)
        )?;
    }
    Ok(yaml)
}

fn fact(rule: usize) -> String {
    format!("drift.f{rule}")
}

const RULES: usize = 1_000;
