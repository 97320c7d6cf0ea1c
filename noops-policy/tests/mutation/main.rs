//! A slip in a good policy is refused when it is loaded, or fails the policy's own tests, or changes nothing.
//!
//! Four policies are changed one slip at a time: typos, facts of another unit or type, thresholds, operators, connectives,
//! clauses, the order of things, rules, effects and actions. What loads and passes its tests has to come to the same
//! effects as the policy it was made of, on a seeded sample of fact sets on both sides of everything that is compared.
//!
//! Two things are left out, for no test of a document can expect them: what a parameter of an action comes to (typos in
//! them are in), and which of the two mandatory levels a policy has.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "a test fails by panicking, and prints its numbers"
)]

mod expressions;
mod grid;
mod mutants;

use std::collections::BTreeMap;

use noops_core::Timestamp;
use noops_policy::{FactSchema, PolicySet};
use noops_stats::SplitMix64;

use grid::Grid;
use mutants::{Mutant, mutants};

fn schema() -> FactSchema {
    serde_json::from_str(include_str!("../../testdata/policies/facts.json")).unwrap()
}

fn load(document: &str) -> Result<PolicySet, String> {
    PolicySet::load(&[("policy.yaml", document)], &schema()).map_err(|error| error.to_string())
}

/// What became of the mutants of one kind.
#[derive(Default)]
struct Fates {
    refused: usize,
    failed: usize,
    equivalent: usize,
}

#[track_caller]
fn no_slip_survives(document: &str) {
    let mut noise = SplitMix64(20_260_301);
    let schema = schema();
    let at = Timestamp::UNIX_EPOCH;
    let good = load(document).unwrap();
    let failures: Vec<String> = good.run_tests().iter().map(ToString::to_string).collect();
    assert!(failures.is_empty(), "{}", failures.join("\n"));
    let grid = Grid::of(document, &schema, at, &mut noise);
    let mut fates: BTreeMap<&str, Fates> = BTreeMap::new();
    let mut survivors: Vec<String> = Vec::new();
    for Mutant {
        kind,
        slip,
        document,
    } in mutants(document, &schema, &mut noise)
    {
        let fate = fates.entry(kind).or_default();
        let Ok(mutant) = load(&document) else {
            fate.refused += 1;
            continue;
        };
        if !mutant.run_tests().is_empty() {
            fate.failed += 1;
        } else if let Some(facts) = grid.difference(&good, &mutant, at) {
            survivors.push(format!(
                "{kind}, {slip}: differs on {:?}",
                facts.to_record()
            ));
        } else {
            fate.equivalent += 1;
        }
    }
    println!("{:24} refused  failed  equivalent", "mutants");
    for (kind, fate) in &fates {
        println!(
            "{kind:24} {:7} {:7} {:11}",
            fate.refused, fate.failed, fate.equivalent
        );
    }
    assert!(
        survivors.is_empty(),
        "{} survived:\n{}",
        survivors.len(),
        survivors.join("\n")
    );
    let all: usize = fates
        .values()
        .map(|fate| fate.refused + fate.failed + fate.equivalent)
        .sum();
    assert!(all > 300, "only {all} mutants were made");
    // A typo in a word that means something is never a matter of tests alone.
    assert_eq!(fates["typo"].equivalent, 0);
    assert_eq!(fates["quoted value in a test"].refused, {
        let quoted = &fates["quoted value in a test"];
        quoted.refused + quoted.failed + quoted.equivalent
    });
}

#[test]
fn no_slip_survives_in_a_policy_that_retrains() {
    no_slip_survives(include_str!("../../testdata/policies/retrain.yaml"));
}

#[test]
fn no_slip_survives_in_a_policy_that_promotes() {
    no_slip_survives(include_str!("../../testdata/policies/promotion.yaml"));
}

#[test]
fn no_slip_survives_in_a_policy_that_scales() {
    no_slip_survives(include_str!("../../testdata/policies/capacity.yaml"));
}

#[test]
fn no_slip_survives_in_a_policy_about_people() {
    no_slip_survives(include_str!("../../testdata/policies/people.yaml"));
}
