//! Conditions of policies. What compiles runs, and what is known stays known when more becomes known.

#![no_main]

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use noops_core::Timestamp;
use noops_policy::{Condition, FactDecl, FactSchema, FactType, Facts, Truth};

static SCHEMA: LazyLock<FactSchema> = LazyLock::new(|| {
    FactSchema::new(vec![
        FactDecl::bool("flag"),
        FactDecl::int("n"),
        FactDecl::double("psi").with_unit("ratio").with_min(0.0),
        FactDecl::text("env"),
        FactDecl::duration("lag"),
        FactDecl::new("scores", FactType::Doubles),
    ])
    .expect("the declarations are sound")
});

static FACTS: LazyLock<Facts> = LazyLock::new(|| {
    let mut facts = Facts::new(&SCHEMA);
    let now = Timestamp::UNIX_EPOCH;
    facts.set("flag", true, now).expect("declared");
    facts.set("n", 7, now).expect("declared");
    facts.set("psi", 0.3, now).expect("declared");
    facts.set("env", "prod", now).expect("declared");
    facts.set("scores", vec![0.1, 0.9], now).expect("declared");
    facts
});

fuzz_target!(|source: &str| {
    let Ok(condition) = Condition::compile(source, &SCHEMA) else {
        return;
    };
    let now = Timestamp::UNIX_EPOCH;
    let nothing = Facts::new(&SCHEMA);
    let before = condition.evaluate(&nothing, now);
    let after = condition.evaluate(&FACTS, now);
    let _ = (after.clauses(), after.residual(), after.waiting_for());
    if before.truth() != Truth::Unknown && !source.contains("has") {
        assert_eq!(before.truth(), after.truth(), "{source}");
    }
});
