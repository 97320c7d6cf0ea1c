use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;
use crate::fact::{FactState, FactValue};

#[test]
fn two_owners_and_one_of_risk_grant_it() {
    let approval = approved(&["ada", "dan"]);
    let missing = BTreeMap::from([("owner".to_owned(), 1)]);
    assert_eq!(
        status_at(&approval, 40, &facts(0.1)),
        ApprovalStatus::Pending { missing }
    );
    let approval = approved(&["ada", "dan", "bob"]);
    let status = status_at(&approval, 40, &facts(0.1));
    assert_eq!(status.to_string(), "granted by `ada`, `bob`, `dan`");
}

#[test]
fn a_person_with_two_roles_counts_once_where_it_helps() {
    assert!(!status_at(&approved(&["ada", "cleo"]), 40, &facts(0.1)).is_granted());
    assert!(status_at(&approved(&["ada", "cleo", "dan"]), 40, &facts(0.1)).is_granted());
    assert!(status_at(&approved(&["ada", "bob", "cleo"]), 40, &facts(0.1)).is_granted());
}

#[test]
fn a_vote_that_does_not_count_is_refused_and_changes_nothing() {
    let mut approval = open("ada");
    let before = approval.clone();
    let mut refused = |vote: Vote, second: i64| {
        let error = approval.add_vote(vote, &people(), at(second)).unwrap_err();
        assert_eq!(approval, before);
        error
    };
    let by = |person: &str| vote(&before, person, Choice::Approve, 20);
    assert_eq!(
        refused(by("ada"), 30).to_string(),
        "`ada` asked for it; somebody else must vote"
    );
    assert_eq!(
        refused(by("eve"), 30).to_string(),
        "`eve` holds none of the roles that count: `owner`, `risk`"
    );
    assert_eq!(
        refused(by("bobb"), 30).to_string(),
        "unknown person `bobb`; did you mean `bob`?"
    );
    assert_eq!(
        refused(by("bob"), 3610).to_string(),
        "it expired at `1970-01-01T01:00:10Z`; ask again"
    );
    let forged = Ballot::new("bob", Choice::Approve, at(20), "seen").unwrap();
    let forged = forged.sign(before.request(), &key("eve")).unwrap();
    assert!(matches!(
        refused(forged, 30),
        ApprovalError::BadSignature { .. }
    ));
    for (second, now) in [(9, 30), (31, 30), (3610, 30)] {
        let early_or_late = vote(&before, "bob", Choice::Approve, second);
        assert!(matches!(
            refused(early_or_late, now),
            ApprovalError::WrongTime { .. }
        ));
    }
    let other = Approval::open(request("ada", 11), rule(), &people()).unwrap();
    let replayed = vote(&other, "bob", Choice::Approve, 20);
    assert!(matches!(
        refused(replayed, 30),
        ApprovalError::OtherSubject { .. }
    ));
}

#[test]
fn nobody_votes_twice() {
    let mut approval = approved(&["bob"]);
    let again = vote(&approval, "bob", Choice::Reject, 25);
    let error = approval.add_vote(again, &people(), at(30)).unwrap_err();
    assert_eq!(error.to_string(), "`bob` has voted; votes are final");
}

#[test]
fn one_rejection_ends_it_even_after_the_grant() {
    let mut approval = approved(&["ada", "bob", "dan"]);
    let rejection = vote(&approval, "cleo", Choice::Reject, 25);
    approval.add_vote(rejection, &people(), at(30)).unwrap();
    let status = status_at(&approval, 40, &facts(0.1));
    assert_eq!(
        status,
        ApprovalStatus::Rejected {
            by: "cleo".to_owned()
        }
    );
}

#[test]
fn after_a_rejection_no_vote_counts() {
    let mut approval = open("autopilot");
    let rejection = vote(&approval, "cleo", Choice::Reject, 20);
    approval.add_vote(rejection, &people(), at(30)).unwrap();
    let late = vote(&approval, "ada", Choice::Approve, 20);
    assert_eq!(
        approval.add_vote(late, &people(), at(30)),
        Err(ApprovalError::AlreadyRejected {
            by: "cleo".to_owned()
        })
    );
}

#[test]
fn what_was_granted_expires() {
    let approval = approved(&["ada", "bob", "dan"]);
    let mut facts = facts(0.1);
    facts.set("drift.psi", 0.1, at(3600)).unwrap();
    assert!(status_at(&approval, 3609, &facts).is_granted());
    assert_eq!(
        status_at(&approval, 3610, &facts),
        ApprovalStatus::Expired { at: at(3610) }
    );
}

#[test]
fn a_clock_that_goes_backwards_grants_nothing() {
    let approval = approved(&["ada", "bob", "dan"]);
    assert!(!status_at(&approval, 19, &facts(0.1)).is_granted());
}

#[test]
fn who_leaves_the_directory_takes_their_agreement_along() {
    let approval = approved(&["ada", "bob", "dan"]);
    let rest = People::new(
        people()
            .iter()
            .filter(|person| person.id() != "bob")
            .cloned(),
    );
    let policies = approval.request().policies();
    let status = approval.status(at(40), &rest.unwrap(), &facts(0.1), policies);
    assert!(!status.is_granted());
}

#[test]
fn facts_may_move_within_their_tolerance_and_no_further() {
    let approval = approved(&["ada", "bob", "dan"]);
    let with = |name: &str, value: FactValue| {
        let mut facts = facts(0.1);
        facts.set(name, value, at(35)).unwrap();
        status_at(&approval, 40, &facts)
    };
    assert!(with("drift.psi", 0.149.into()).is_granted());
    assert_eq!(
        with("n", 899.into()).to_string(),
        "voided: `n` went from 1000 to 899, by 101, and at most 0.1 of what it was was tolerated"
    );
    assert!(with("n", 900.into()).is_granted());
    assert_eq!(
        with("env", "prod".into()).to_string(),
        "voided: `env` was missing and is known"
    );
    let ApprovalStatus::Voided(voided) = with("drift.psi", 0.151.into()) else {
        panic!("it moved too far");
    };
    assert_eq!(voided.moved()[0].name(), "drift.psi");
    assert_eq!(voided.current_policies(), None);
}

#[test]
fn a_fact_that_is_stale_or_forgotten_voids() {
    let approval = approved(&["ada", "bob", "dan"]);
    let ApprovalStatus::Voided(voided) = status_at(&approval, 601, &facts(0.1)) else {
        panic!("a stale fact cannot be seen to stand still");
    };
    assert_eq!(
        voided.moved()[0].change(),
        &FactChange::State {
            before: FactState::Known,
            after: FactState::Stale
        }
    );
    let mut forgotten = facts(0.1);
    forgotten.forget("n");
    assert!(matches!(
        status_at(&approval, 40, &forgotten),
        ApprovalStatus::Voided(_)
    ));
    let elsewhere = Facts::new(&FactSchema::new(vec![FactDecl::bool("n")]).unwrap());
    let ApprovalStatus::Voided(voided) = status_at(&approval, 40, &elsewhere) else {
        panic!("nothing that was decided on is declared there");
    };
    assert_eq!(voided.moved().len(), 2);
}

#[test]
fn other_policies_void() {
    let approval = approved(&["ada", "bob", "dan"]);
    let others = policies("hard-mandatory").digest();
    let status = approval.status(at(40), &people(), &facts(0.1), others);
    let ApprovalStatus::Voided(voided) = status else {
        panic!("the policies changed");
    };
    assert_eq!(voided.current_policies(), Some(others));
}

#[test]
fn what_was_found_void_stays_void() {
    let mut approval = approved(&["ada", "bob", "dan"]);
    let policies = approval.request().policies();
    let status = approval.refresh(at(40), &people(), &facts(0.3), policies);
    assert!(matches!(status, ApprovalStatus::Voided(_)));
    let json = serde_json::to_string(&approval).unwrap();
    let resumed: Approval = serde_json::from_str(&json).unwrap();
    assert_eq!(resumed, approval);
    assert_eq!(status_at(&resumed, 41, &facts(0.1)), status);
}

#[test]
fn only_an_allowed_decision_can_be_approved_and_only_on_its_facts() {
    let ask = |enforcement: &str, psi: f64, facts: &Facts| {
        let decision = decision(enforcement, psi);
        ApprovalRequest::new(&decision, facts, "fraud", "autopilot", &rule(), at(0))
    };
    assert_eq!(
        ask("soft-mandatory", 0.5, &facts(0.5))
            .unwrap_err()
            .to_string(),
        "the decision does not allow the action and is soft-mandatory; only breaking the glass overrides it"
    );
    assert!(matches!(
        ask("hard-mandatory", 0.5, &facts(0.5)),
        Err(ApprovalError::NotApprovable { .. })
    ));
    assert!(matches!(
        ask("soft-mandatory", 0.1, &facts(0.11)),
        Err(ApprovalError::OtherFacts { .. })
    ));
}

#[test]
fn a_rule_that_the_directory_cannot_satisfy_is_refused_before_anybody_votes() {
    let rule = ApprovalRule::new([("owner", 3), ("risk", 1)], HOUR).unwrap();
    let decision = decision("soft-mandatory", 0.1);
    let ask = |requester: &str| {
        let request =
            ApprovalRequest::new(&decision, &facts(0.1), "fraud", requester, &rule, at(0)).unwrap();
        Approval::open(request, rule.clone(), &people())
    };
    assert!(ask("autopilot").is_ok());
    assert_eq!(
        ask("dan").unwrap_err().to_string(),
        "the directory lacks `1` of role `risk`, the requester not counted; add people or relax the rule"
    );
}

#[test]
fn requests_at_the_end_of_time_do_not_overflow() {
    let decision = decision("soft-mandatory", 0.1);
    let rule = ApprovalRule::new([("owner", 1)], Duration::MAX).unwrap();
    let request =
        ApprovalRequest::new(&decision, &facts(0.1), "a", "b", &rule, Timestamp::MAX).unwrap();
    assert_eq!(request.expires_at(), Timestamp::MAX);
    let approval = Approval::open(request, rule, &people()).unwrap();
    assert!(!status_at(&approval, i64::from(i32::MAX), &facts(0.1)).is_granted());
}

#[test]
fn a_record_is_judged_again_to_the_same_end() {
    let approval = approved(&["ada", "bob", "dan"]);
    for (second, facts) in [(40, facts(0.1)), (40, facts(0.3)), (4000, facts(0.1))] {
        let policies = approval.request().policies();
        let record = approval.record(at(second), &people(), &facts, policies);
        let json = serde_json::to_string(&record).unwrap();
        let read: ApprovalRecord = serde_json::from_str(&json).unwrap();
        assert_eq!(read, record);
        assert_eq!(read.verify(&people(), &schema()), Ok(()));
    }
}

#[test]
fn a_record_that_claims_too_much_is_refused() {
    let approval = approved(&["ada", "dan"]);
    let policies = approval.request().policies();
    let record = approval.record(at(40), &people(), &facts(0.1), policies);
    let mut json = serde_json::to_value(&record).unwrap();
    json["status"] = serde_json::json!({"granted": {"by": ["ada", "bob", "dan"]}});
    let read: ApprovalRecord = serde_json::from_value(json).unwrap();
    assert!(matches!(
        read.verify(&people(), &schema()),
        Err(ApprovalError::State { .. })
    ));
    let fewer = People::new(people().iter().take(2).cloned()).unwrap();
    assert!(matches!(
        record.verify(&fewer, &schema()),
        Err(ApprovalError::OtherSubject { .. })
    ));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]
    #[test]
    fn the_order_of_votes_does_not_matter(
        order in Just(vec!["ada", "bob", "cleo", "dan"]).prop_shuffle(),
        count in 0_usize..=4,
    ) {
        let mut chosen = order[..count].to_vec();
        let shuffled = approved(&chosen);
        chosen.sort_unstable();
        let sorted = approved(&chosen);
        prop_assert_eq!(
            serde_json::to_string(&shuffled).unwrap(),
            serde_json::to_string(&sorted).unwrap()
        );
    }
}
