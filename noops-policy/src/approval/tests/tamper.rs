use proptest::prelude::*;

use super::*;

/// The vote, its bytes and an approval that waits for it.
fn waiting() -> (Approval, Vote, Vec<u8>) {
    let approval = open("autopilot");
    let vote = vote(&approval, "bob", Choice::Approve, 20);
    let bytes = serde_json::to_vec(&vote).unwrap();
    (approval, vote, bytes)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]
    #[test]
    fn a_vote_with_any_byte_changed_does_not_count(place in 0_usize..10_000, other in any::<u8>()) {
        let (mut approval, vote, mut bytes) = waiting();
        let place = place % bytes.len();
        bytes[place] = other;
        if let Ok(tampered) = serde_json::from_slice::<Vote>(&bytes) {
            // Some bytes mean the same, such as a digit of a digest in upper case.
            if tampered != vote {
                prop_assert!(approval.add_vote(tampered, &people(), at(30)).is_err());
            }
        }
    }

    #[test]
    fn a_request_with_any_byte_changed_takes_no_old_vote(
        place in 0_usize..10_000, other in any::<u8>()
    ) {
        let (approval, vote, _) = waiting();
        let mut bytes = serde_json::to_vec(approval.request()).unwrap();
        let place = place % bytes.len();
        bytes[place] = other;
        if let Ok(tampered) = serde_json::from_slice::<ApprovalRequest>(&bytes)
            && &tampered != approval.request()
        {
            prop_assert!(vote.verify(&tampered, &people()).is_err());
        }
    }
}

#[test]
fn every_single_bit_of_the_signature_matters() {
    let (approval, vote, _) = waiting();
    for bit in 0..512 {
        let mut bytes = *vote.signature().as_bytes();
        bytes[bit / 8] ^= 1 << (bit % 8);
        let forged = vote
            .ballot()
            .clone()
            .with_signature(approval.request(), Signature::from_bytes(bytes));
        assert!(
            forged.verify(approval.request(), &people()).is_err(),
            "bit {bit}"
        );
    }
}

#[test]
fn every_field_of_a_ballot_is_signed() {
    let (approval, vote, _) = waiting();
    let change = |person: &str, choice: Choice, second: i64, comment: &str| {
        Ballot::new(person, choice, at(second), comment)
            .unwrap()
            .with_signature(approval.request(), *vote.signature())
            .verify(approval.request(), &people())
            .is_ok()
    };
    assert!(change("bob", Choice::Approve, 20, "seen"));
    assert!(!change("ada", Choice::Approve, 20, "seen"));
    assert!(!change("bob", Choice::Reject, 20, "seen"));
    assert!(!change("bob", Choice::Approve, 21, "seen"));
    assert!(!change("bob", Choice::Approve, 20, "seen."));
}

#[test]
fn the_signed_bytes_are_as_documented() {
    let (approval, vote, _) = waiting();
    let text = String::from_utf8(vote.ballot().message(approval.request()).unwrap()).unwrap();
    let start = format!(
        "noops-approval-v1\n{{\"request\":\"{}\",\"action\":\"promote\",\"target\":\"fraud\",\"requester\":\"autopilot\"",
        approval.request().digest()
    );
    assert!(text.starts_with(&start), "{text}");
    let end = "\"person\":\"bob\",\"choice\":\"approve\",\"at\":\"1970-01-01T00:00:20Z\",\"comment\":\"seen\"}";
    assert!(text.ends_with(end), "{text}");
}

#[test]
fn a_state_with_another_rule_or_a_vote_twice_is_refused() {
    let approval = approved(&["ada", "dan"]);
    let json = serde_json::to_value(&approval).unwrap();
    let is_read = |json| serde_json::from_value::<Approval>(json).is_ok();
    assert!(is_read(json.clone()));
    let mut weaker = json.clone();
    weaker["rule"]["required"] = serde_json::json!({"owner": 1});
    assert!(!is_read(weaker));
    let mut twice = json.clone();
    twice["votes"][1] = twice["votes"][0].clone();
    assert!(!is_read(twice));
    let mut other_facts = json;
    other_facts["request"]["record"]["n"]["value"] = 5.into();
    assert!(!is_read(other_facts));
}

#[test]
fn a_vote_written_into_the_store_grants_nothing() {
    let approval = approved(&["ada", "dan"]);
    let mut json = serde_json::to_value(&approval).unwrap();
    let mut forged = json["votes"][0].clone();
    forged["ballot"]["person"] = "bob".into();
    json["votes"].as_array_mut().unwrap().push(forged);
    let read: Approval = serde_json::from_value(json).unwrap();
    assert!(!status_at(&read, 40, &facts(0.1)).is_granted());
    let policies = read.request().policies();
    let record = read.record(at(40), &people(), &facts(0.1), policies);
    assert!(matches!(
        record.verify(&people(), &schema()),
        Err(ApprovalError::BadSignature { .. })
    ));
}
