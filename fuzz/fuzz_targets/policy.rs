//! Policy documents.

#![no_main]

use libfuzzer_sys::fuzz_target;
use noops_policy::{FactDecl, FactSchema, PolicySet};

fuzz_target!(|yaml: &str| {
    let schema = FactSchema::new(vec![FactDecl::double("psi"), FactDecl::text("env")])
        .expect("the declarations are sound");
    if let Ok(set) = PolicySet::load(&[("fuzz.yaml", yaml)], &schema) {
        let _ = set.run_tests();
    }
});
