//! Deciding a promotion gate, and loading it.
//!
//! `cargo bench -p noops-benches --bench policy`

use std::error::Error;
use std::hint::black_box;

use criterion::{BenchmarkId, Criterion};
use noops_core::Timestamp;
use noops_policy::{Action, Condition, FactDecl, FactSchema, Facts, PolicyError, PolicySet, Truth};

fn main() -> Result<(), Box<dyn Error>> {
    let mut criterion = noops_benches::criterion();
    let schema = schema()?;
    decide(&mut criterion, &schema)?;
    load(&mut criterion, &schema)?;
    criterion.final_summary();
    Ok(())
}

fn decide(criterion: &mut Criterion, schema: &FactSchema) -> Result<(), Box<dyn Error>> {
    let document = document();
    let policies = PolicySet::load(&[("gate.yaml", document.as_str())], schema)?;
    let condition = Condition::compile(CONDITION, schema)?;
    let now = Timestamp::UNIX_EPOCH;
    let good = Measured {
        candidate_auc: 0.741,
        champion_auc: 0.738,
        psi: 0.04,
        n: 25_000,
        burn_1h: 20.0,
        burn_5m: 0.7,
    };
    let facts = good.facts(schema, now)?;
    let drifted = Measured { psi: 0.31, ..good }.facts(schema, now)?;
    assert!(!policies.decide(Action::Promote, &drifted, now).is_allowed());

    let mut group = criterion.benchmark_group("policy/decide");
    group.bench_function(BenchmarkId::new("noops", CLAUSES), |bencher| {
        bencher.iter(|| {
            let decision = policies.decide(Action::Promote, black_box(&facts), now);
            assert!(decision.is_allowed());
            decision
        });
    });
    // Without the digest of the facts and the reasons that a decision carries.
    group.bench_function(BenchmarkId::new("noops-condition", CLAUSES), |bencher| {
        bencher.iter(|| {
            let evaluation = condition.evaluate(black_box(&facts), now);
            assert_eq!(evaluation.truth(), Truth::True);
            evaluation
        });
    });
    group.bench_function(BenchmarkId::new("floor-native", CLAUSES), |bencher| {
        bencher.iter(|| {
            let allowed = black_box(&good).is_allowed();
            assert!(allowed);
            allowed
        });
    });
    group.finish();
    Ok(())
}

fn load(criterion: &mut Criterion, schema: &FactSchema) -> Result<(), Box<dyn Error>> {
    let document = document();
    let expected = PolicySet::load(&[("gate.yaml", document.as_str())], schema)?.digest();

    let mut group = criterion.benchmark_group("policy/load");
    group.bench_function(BenchmarkId::new("noops", CLAUSES), |bencher| {
        bencher.iter(|| {
            let policies = PolicySet::load(&[("gate.yaml", black_box(document.as_str()))], schema);
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
            let condition = Condition::compile(black_box(CONDITION), schema);
            assert!(condition.is_ok());
            condition
        });
    });
    group.finish();
    Ok(())
}

#[derive(Clone, Copy)]
struct Measured {
    candidate_auc: f64,
    champion_auc: f64,
    psi: f64,
    n: i64,
    burn_1h: f64,
    burn_5m: f64,
}

impl Measured {
    fn facts(&self, schema: &FactSchema, at: Timestamp) -> Result<Facts, PolicyError> {
        let mut facts = Facts::new(schema);
        facts.set("candidate_auc", self.candidate_auc, at)?;
        facts.set("champion_auc", self.champion_auc, at)?;
        facts.set("psi", self.psi, at)?;
        facts.set("n", self.n, at)?;
        facts.set("burn_1h", self.burn_1h, at)?;
        facts.set("burn_5m", self.burn_5m, at)?;
        Ok(facts)
    }

    /// [`CONDITION`] in Rust.
    fn is_allowed(&self) -> bool {
        self.candidate_auc >= self.champion_auc - 0.005
            && self.psi < 0.2
            && self.n >= 1000
            && !(self.burn_1h > 14.4 && self.burn_5m > 14.4)
    }
}

fn schema() -> Result<FactSchema, PolicyError> {
    FactSchema::new(vec![
        FactDecl::double("candidate_auc"),
        FactDecl::double("champion_auc"),
        FactDecl::double("psi"),
        FactDecl::int("n"),
        FactDecl::double("burn_1h"),
        FactDecl::double("burn_5m"),
    ])
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
    when: {CONDITION}
    because: the candidate is as good, the data have not moved and no budget burns
"
    )
}

const CONDITION: &str = "candidate_auc >= champion_auc - 0.005 && psi < 0.2 && n >= 1000 && !(burn_1h > 14.4 && burn_5m > 14.4)";
const CLAUSES: usize = 5;
