use jiff::Timestamp;

use super::*;
use crate::action::Action;
use crate::decision::Decision;
use crate::error::Position;
use crate::fact::{FactDecl, FactSchema, Facts};
use crate::set::PolicySet;

const HOUR: i64 = 3600;

fn at(hour: i64) -> Timestamp {
    Timestamp::from_second(hour * HOUR).unwrap()
}

fn policies() -> PolicySet {
    let schema = FactSchema::new(vec![FactDecl::double("drift.psi")]).unwrap();
    let drift = "{ policy: drift, owner: team, enforcement: soft-mandatory, rules: [
        { name: near, effect: permit, action: promote, when: drift.psi < 0.2, because: near },
        { name: far, effect: trigger, action: rollback, when: drift.psi > 0.5, because: far }] }";
    let hint = "{ policy: hint, owner: team, enforcement: advisory, rules: [
        { name: near, effect: permit, action: promote, when: drift.psi < 0.1, because: nearer }] }";
    PolicySet::load(&[("drift.yaml", drift), ("hint.yaml", hint)], &schema).unwrap()
}

fn load(yaml: &str) -> Result<ControlMapping, GovernanceError> {
    ControlMapping::load("controls.yaml", yaml, &policies())
}

fn decisions(hours: &[i64]) -> Vec<Decision> {
    let policies = policies();
    let mut facts = Facts::new(policies.schema());
    facts.set("drift.psi", 0.05, at(0)).unwrap();
    hours
        .iter()
        .map(|hour| policies.decide(Action::Promote, &facts, at(*hour)))
        .collect()
}

const MAPPING: &str = "
controls:
  - framework: eu-ai-act
    id: '12'
    policies: [drift/near, drift/far]
    evidence: {actions: [promote], kinds: [allow], period: 100h, at_least: 3, longest_gap: 30h}
  - framework: nist-ai-rmf
    id: MANAGE 2.4
    policies: [drift]
  - framework: iso-42001
    id: A.6.2.8
    policies: [hint]
    evidence: {period: 100h}
  - framework: custom
    id: ACME-1
    title: a house rule
    necessity: mandatory
    policies: [drift, hint]
    evidence: {actions: [rollback], period: 100h}
";

fn coverage(id: &str) -> Coverage {
    let report = load(MAPPING).unwrap().coverage();
    let row = report.rows().iter().find(|row| row.control().id() == id);
    row.unwrap().coverage().clone()
}

#[test]
fn coverage_needs_a_policy_that_binds_and_evidence() {
    assert_eq!(
        coverage("12").to_string(),
        "covered by drift/far, drift/near"
    );
    assert_eq!(
        coverage("MANAGE 2.4").to_string(),
        "partly by drift; lacks evidence"
    );
    assert_eq!(
        coverage("A.6.2.8").to_string(),
        "partly by hint; lacks a policy that binds"
    );
    assert_eq!(coverage("ACME-1").to_string(), "covered by drift, hint");
    assert_eq!(coverage("14"), Coverage::NotCovered);
}

#[test]
fn mandatory_controls_that_nothing_serves_are_reported() {
    let report = load(MAPPING).unwrap().coverage();
    let ids: Vec<&str> = report.unserved_mandatory().map(Control::id).collect();
    assert_eq!(ids, ["14", "19", "26(6)"]);
    let table = report.to_string();
    assert_eq!(table.lines().count(), catalogue().len() + 1);
    assert_eq!(
        table.lines().next(),
        Some("  EU AI Act 12             covered by drift/far, drift/near")
    );
    let json = serde_json::to_string(&report).unwrap();
    assert_eq!(
        serde_json::from_str::<CoverageReport>(&json).unwrap(),
        report
    );
}

#[test]
fn a_slip_is_refused_where_it_is() {
    for (from, to, line, problem) in [
        (
            "[drift]",
            "[drft]",
            9,
            "unknown policy `drft`; did you mean `drift`?",
        ),
        (
            "drift/near",
            "drift/nearr",
            5,
            "unknown policy `drift/nearr`; did you mean `drift/near`?",
        ),
        (
            "MANAGE 2.4",
            "MANAGE 24",
            8,
            "unknown control `MANAGE 24`; did you mean `MANAGE 2.4`?",
        ),
        (
            "[promote]",
            "[promot]",
            6,
            "unknown action `promot`; did you mean `promote`?",
        ),
        (
            "period: 100h, at",
            "period: -1h, at",
            6,
            "`-1h` is not a span of time above zero; write it as `720h`",
        ),
        (
            "[hint]",
            "[]",
            12,
            "`policies` is empty; name what serves the control, or leave it out",
        ),
        (
            "'12'",
            "ACME-2",
            4,
            "control `ACME-2` is not in the catalogue; give it a `title` and a `necessity`",
        ),
    ] {
        let Err(GovernanceError::Document {
            at, problem: found, ..
        }) = load(&MAPPING.replacen(from, to, 1))
        else {
            panic!("`{to}` was accepted");
        };
        assert_eq!(found, problem);
        assert_eq!(at.map(|at: Position| at.line()), Some(line), "{to}");
    }
}

#[test]
fn unknown_keys_and_controls_that_are_there_twice_are_refused() {
    assert!(load(&MAPPING.replace("period", "perod")).is_err());
    assert!(
        load("controls: [{framework: eu-ai-act, id: '12', policies: [drift], title: other}]")
            .is_err()
    );
    let twice = "controls: [{framework: eu-ai-act, id: '12', policies: [drift]},
        {framework: eu-ai-act, id: '12', policies: [hint]}]";
    assert!(
        load(twice)
            .unwrap_err()
            .to_string()
            .contains("is there twice")
    );
    assert!(load(&" ".repeat(2 << 20)).is_err());
    for hostile in ["", "[", "controls: 1", "controls: [{}]", "a: &a [*a]"] {
        assert!(load(hostile).is_err(), "{hostile}");
    }
}

#[test]
fn evidence_is_counted_with_its_gaps_and_what_lacks() {
    let mapping = load(MAPPING).unwrap();
    // The period is the hours from 100 to 200: one decision is before it and one after now.
    let report = mapping.evidence(&decisions(&[160, 120, 99, 201, 110]), at(200));
    let row = &report.rows()[0];
    assert_eq!((row.count(), row.missing()), (3, 0));
    assert_eq!((row.first(), row.last()), (Some(at(110)), Some(at(160))));
    let gaps: Vec<(Timestamp, Timestamp)> = row
        .gaps()
        .iter()
        .map(|gap| (gap.from(), gap.to()))
        .collect();
    assert_eq!(gaps, [(at(120), at(160)), (at(160), at(200))]);
    assert_eq!(row.silent(), ["drift/far"]);
    assert!(!row.is_met());
    let json = serde_json::to_string(&report).unwrap();
    assert_eq!(
        serde_json::from_str::<EvidenceReport>(&json).unwrap(),
        report
    );
}

#[test]
fn without_records_everything_lacks() {
    let report = load(MAPPING).unwrap().evidence(&[], at(200));
    assert_eq!(report.rows().len(), 3);
    let row = &report.rows()[0];
    assert_eq!((row.count(), row.missing(), row.first()), (0, 3, None));
    assert_eq!(row.gaps().len(), 1);
    assert!(report.to_string().starts_with("! EU AI Act 12"));
}

#[test]
fn enough_evidence_without_gaps_is_met() {
    let mapping = load(MAPPING).unwrap();
    let report = mapping.evidence(&decisions(&[130, 160, 190]), at(200));
    assert!(report.rows()[0].is_met());
}

#[test]
fn the_ends_of_time_do_not_overflow() {
    let mapping = load(&MAPPING.replace("100h", "1000000h")).unwrap();
    for now in [Timestamp::MIN, Timestamp::MAX] {
        assert_eq!(mapping.evidence(&decisions(&[1]), now).rows().len(), 3);
    }
    let query = EvidenceQuery::new(std::time::Duration::MAX).unwrap();
    assert_eq!(query.at_least(), 1);
    assert!(EvidenceQuery::new(std::time::Duration::ZERO).is_err());
}

#[test]
fn no_control_of_the_catalogue_is_there_twice() {
    let mut keys: Vec<(Framework, String)> = catalogue()
        .iter()
        .map(|control| (control.framework(), control.id().to_owned()))
        .collect();
    let count = keys.len();
    keys.sort();
    keys.dedup();
    assert_eq!(keys.len(), count);
}
