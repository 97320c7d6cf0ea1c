//! Configurations of alert routing.

#![no_main]

use libfuzzer_sys::fuzz_target;
use noops_policy::alert::Config;

fuzz_target!(|yaml: &str| {
    let _ = Config::from_yaml("fuzz.yaml", yaml);
});
