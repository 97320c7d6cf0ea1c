//! A promotion gate of six clauses, which opens.

use std::error::Error;
use std::hint::black_box;

use criterion::{BenchmarkId, Criterion};
use noops_core::Timestamp;
use noops_policy::{Action, Condition, FactDecl, FactSchema, Facts, PolicyError, PolicySet, Truth};

pub(crate) fn bench(criterion: &mut Criterion) -> Result<(), Box<dyn Error>> {
    let schema = schema()?;
    let policies = policies(&schema)?;
    let condition = Condition::compile(CONDITION, &schema)?;
    let now = Timestamp::UNIX_EPOCH;
    let good = Measured::good();
    let facts = good.facts(&schema, now)?;
    let drifted = Measured { psi: 0.31, ..good }.facts(&schema, now)?;
    assert_eq!(
        policies.check(Action::Promote, &drifted, now).truth(),
        Truth::False
    );

    let mut group = criterion.benchmark_group("policy/gate");
    group.bench_function(BenchmarkId::new("noops-condition", CLAUSES), |bencher| {
        bencher.iter(|| {
            let evaluation = condition.evaluate(black_box(&facts), now);
            assert_eq!(evaluation.truth(), Truth::True);
            evaluation
        });
    });
    group.bench_function(BenchmarkId::new("noops-check", CLAUSES), |bencher| {
        bencher.iter(|| {
            let verdict = policies.check(Action::Promote, black_box(&facts), now);
            assert!(verdict.is_allowed());
            verdict
        });
    });
    // With the digest of the facts and the reasons in words.
    group.bench_function(BenchmarkId::new("noops-decide", CLAUSES), |bencher| {
        bencher.iter(|| {
            let decision = policies.decide(Action::Promote, black_box(&facts), now);
            assert!(decision.is_allowed());
            decision
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

/// The facts of the gate.
#[derive(Clone, Copy)]
pub(crate) struct Measured {
    candidate_auc: f64,
    champion_auc: f64,
    psi: f64,
    n: i64,
    burn_1h: f64,
    burn_5m: f64,
    spent: f64,
    budget: f64,
    environment: &'static str,
}

impl Measured {
    /// Facts that open the gate after every clause and every part of one was looked at.
    pub(crate) fn good() -> Self {
        Self {
            candidate_auc: 0.741,
            champion_auc: 0.738,
            psi: 0.04,
            n: 25_000,
            burn_1h: 20.0,
            burn_5m: 0.7,
            spent: 4_200.0,
            budget: 10_000.0,
            environment: "staging",
        }
    }

    pub(crate) fn facts(&self, schema: &FactSchema, at: Timestamp) -> Result<Facts, PolicyError> {
        let mut facts = Facts::new(schema);
        facts.set("cand.auc", self.candidate_auc, at)?;
        facts.set("champ.auc", self.champion_auc, at)?;
        facts.set("psi", self.psi, at)?;
        facts.set("n", self.n, at)?;
        facts.set("burn_1h", self.burn_1h, at)?;
        facts.set("burn_5m", self.burn_5m, at)?;
        facts.set("mtd", self.spent, at)?;
        facts.set("budget", self.budget, at)?;
        facts.set("env", self.environment, at)?;
        Ok(facts)
    }

    /// [`CONDITION`] in Rust.
    fn is_allowed(&self) -> bool {
        self.candidate_auc >= self.champion_auc - 0.005
            && self.psi < 0.2
            && self.n >= 1000
            && !(self.burn_1h > 14.4 && self.burn_5m > 14.4)
            && self.spent < self.budget * 0.9
            && ["prod", "staging"].contains(&self.environment)
    }
}

pub(crate) fn schema() -> Result<FactSchema, PolicyError> {
    FactSchema::new(vec![
        FactDecl::double("cand.auc"),
        FactDecl::double("champ.auc"),
        FactDecl::double("psi"),
        FactDecl::int("n"),
        FactDecl::double("burn_1h"),
        FactDecl::double("burn_5m"),
        FactDecl::double("mtd"),
        FactDecl::double("budget"),
        FactDecl::text("env"),
    ])
}

pub(crate) fn policies(schema: &FactSchema) -> Result<PolicySet, PolicyError> {
    PolicySet::load(&[("gate.yaml", document().as_str())], schema)
}

pub(crate) fn document() -> String {
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
    because: the candidate is as good, the data have not moved and no budget burns
"
    )
}

pub(crate) const CONDITION: &str = "cand.auc >= champ.auc - 0.005 && psi < 0.2 && n >= 1000 && !(burn_1h > 14.4 && burn_5m > 14.4) && mtd < budget * 0.9 && env in [\"prod\", \"staging\"]";
pub(crate) const CLAUSES: usize = 6;
