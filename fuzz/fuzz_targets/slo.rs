//! Objectives of OpenSLO and Sloth.

#![no_main]

use libfuzzer_sys::fuzz_target;
use noops_policy::slo;

fuzz_target!(|yaml: &str| {
    let _ = slo::import("fuzz.yaml", yaml);
});
