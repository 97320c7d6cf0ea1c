mod break_glass;
mod tamper;
mod votes;

use std::time::Duration;

use jiff::Timestamp;

use super::*;
use crate::action::Action;
use crate::decision::Decision;
use crate::fact::{FactDecl, FactSchema, Facts};
use crate::set::PolicySet;

const HOUR: Duration = Duration::from_secs(3600);

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(second).unwrap()
}

fn schema() -> FactSchema {
    FactSchema::new(vec![
        FactDecl::double("drift.psi").with_max_age(Duration::from_secs(600)),
        FactDecl::int("n"),
        FactDecl::text("env"),
    ])
    .unwrap()
}

fn policies(enforcement: &str) -> PolicySet {
    let yaml = format!(
        "{{ policy: drift, owner: team, enforcement: {enforcement}, rules: [
            {{ name: near, effect: permit, action: promote, when: drift.psi < 0.2, because: inputs are as they were }}] }}"
    );
    PolicySet::load(&[("drift.yaml", &yaml)], &schema()).unwrap()
}

fn facts(psi: f64) -> Facts {
    let mut facts = Facts::new(&schema());
    facts.set("drift.psi", psi, at(0)).unwrap();
    facts.set("n", 1000, at(0)).unwrap();
    facts
}

fn decision(enforcement: &str, psi: f64) -> Decision {
    policies(enforcement).decide(Action::Promote, &facts(psi), at(0))
}

fn key(person: &str) -> SigningKey {
    let mut seed = [0; 32];
    seed[..person.len()].copy_from_slice(person.as_bytes());
    SigningKey::from_seed(seed)
}

/// Ada and Bob own models, Cleo does too and judges risk, Dan judges risk, Eve does neither.
fn people() -> People {
    let person = |id: &str, roles: &[&str]| {
        Person::new(id, roles.iter().copied(), key(id).public()).unwrap()
    };
    People::new([
        person("ada", &["owner"]),
        person("bob", &["owner"]),
        person("cleo", &["owner", "risk"]),
        person("dan", &["risk"]),
        person("eve", &["guest"]),
    ])
    .unwrap()
}

fn rule() -> ApprovalRule {
    ApprovalRule::new([("owner", 2), ("risk", 1)], HOUR)
        .unwrap()
        .with_tolerance("drift.psi", Tolerance::absolute(0.05).unwrap())
        .unwrap()
        .with_tolerance("n", Tolerance::relative(0.1).unwrap())
        .unwrap()
}

fn request(requester: &str, second: i64) -> ApprovalRequest {
    let decision = decision("soft-mandatory", 0.1);
    ApprovalRequest::new(
        &decision,
        &facts(0.1),
        "fraud",
        requester,
        &rule(),
        at(second),
    )
    .unwrap()
}

fn open(requester: &str) -> Approval {
    Approval::open(request(requester, 10), rule(), &people()).unwrap()
}

fn vote(approval: &Approval, person: &str, choice: Choice, second: i64) -> Vote {
    Ballot::new(person, choice, at(second), "seen")
        .unwrap()
        .sign(approval.request(), &key(person))
        .unwrap()
}

/// An approval with the votes of these people.
fn approved(by: &[&str]) -> Approval {
    let mut approval = open("autopilot");
    for person in by {
        let vote = vote(&approval, person, Choice::Approve, 20);
        approval.add_vote(vote, &people(), at(30)).unwrap();
    }
    approval
}

fn status_at(approval: &Approval, second: i64, facts: &Facts) -> ApprovalStatus {
    let policies = approval.request().policies();
    approval.status(at(second), &people(), facts, policies)
}
