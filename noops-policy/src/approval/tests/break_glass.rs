use super::*;

fn glass() -> BreakGlass {
    let rule = BreakGlassRule::new("owner", HOUR, "risk", 24 * HOUR).unwrap();
    BreakGlass::new(rule)
}

fn signed(decision: &Decision, person: &str, second: i64) -> SignedOverride {
    Override::new(
        decision,
        "fraud",
        person,
        "the champion is on fire",
        at(second),
    )
    .unwrap()
    .sign(&key(person))
    .unwrap()
}

fn closing(review: &Review, person: &str, second: i64) -> SignedClosing {
    let subject = review.overridden().content().digest();
    Closing::new(subject, person, Finding::Justified, "it was", at(second))
        .unwrap()
        .sign(&key(person))
        .unwrap()
}

#[test]
fn a_soft_denial_is_overridden_at_once_and_for_a_while() {
    let denied = decision("soft-mandatory", 0.5);
    let mut glass = glass();
    assert!(
        glass
            .effective(&denied, "fraud", &people(), at(60))
            .is_none()
    );
    glass
        .break_glass(signed(&denied, "ada", 50), &denied, &people(), at(60))
        .unwrap();
    assert!(
        glass
            .effective(&denied, "fraud", &people(), at(60))
            .is_some()
    );
    assert!(
        glass
            .effective(&denied, "churn", &people(), at(60))
            .is_none()
    );
    assert!(
        glass
            .effective(&denied, "fraud", &people(), at(49))
            .is_none()
    );
    assert!(
        glass
            .effective(&denied, "fraud", &people(), at(3650))
            .is_none()
    );
    let other = decision("soft-mandatory", 0.6);
    assert!(
        glass
            .effective(&other, "fraud", &people(), at(60))
            .is_none()
    );
}

#[test]
fn a_hard_denial_is_never_overridden() {
    let denied = decision("hard-mandatory", 0.5);
    let mut glass = glass();
    let refused = glass.break_glass(signed(&denied, "ada", 50), &denied, &people(), at(60));
    assert_eq!(
        refused.unwrap_err().to_string(),
        "the decision is hard-mandatory and cannot be overridden; change the policy or the facts"
    );
    assert!(
        glass
            .effective(&denied, "fraud", &people(), at(60))
            .is_none()
    );
}

#[test]
fn an_advisory_decision_needs_no_override() {
    let mut json = serde_json::to_value(decision("soft-mandatory", 0.5)).unwrap();
    json["enforcement"] = "advisory".into();
    let advisory: Decision = serde_json::from_value(json).unwrap();
    let refused = glass()
        .break_glass(signed(&advisory, "ada", 50), &advisory, &people(), at(60))
        .map(drop);
    assert_eq!(refused, Err(ApprovalError::NotNeeded));
}

#[test]
fn overrides_that_do_not_count_are_refused_and_change_nothing() {
    let denied = decision("soft-mandatory", 0.5);
    let mut glass = glass();
    let before = glass.clone();
    let mut refused = |signed: SignedOverride, second: i64| {
        let error = glass
            .break_glass(signed, &denied, &people(), at(second))
            .map(drop)
            .unwrap_err();
        assert_eq!(glass, before);
        error
    };
    let other = decision("soft-mandatory", 0.6);
    assert!(matches!(
        refused(signed(&other, "ada", 50), 60),
        ApprovalError::OtherSubject { .. }
    ));
    assert!(matches!(
        refused(signed(&denied, "dan", 50), 60),
        ApprovalError::WrongRole { .. }
    ));
    assert!(matches!(
        refused(signed(&denied, "mallory", 50), 60),
        ApprovalError::UnknownPerson { .. }
    ));
    assert!(matches!(
        refused(signed(&denied, "ada", 61), 60),
        ApprovalError::WrongTime { .. }
    ));
    assert!(matches!(
        refused(signed(&denied, "ada", 50), 3650),
        ApprovalError::Expired { .. }
    ));
    let content = signed(&denied, "ada", 50).content().clone();
    let forged = content.sign(&key("eve")).unwrap();
    assert!(matches!(
        refused(forged, 60),
        ApprovalError::BadSignature { .. }
    ));
    assert!(Override::new(&denied, "fraud", "ada", " ", at(0)).is_err());
}

#[test]
fn an_override_works_once() {
    let denied = decision("soft-mandatory", 0.5);
    let mut glass = glass();
    let first = signed(&denied, "ada", 50);
    glass
        .break_glass(first.clone(), &denied, &people(), at(60))
        .unwrap();
    let again = glass
        .break_glass(first, &denied, &people(), at(61))
        .map(drop);
    assert!(matches!(
        again,
        Err(ApprovalError::DuplicateOverride { .. })
    ));
}

#[test]
fn somebody_else_must_review_and_overdue_reviews_block() {
    let denied = decision("soft-mandatory", 0.5);
    let mut glass = glass();
    let review = glass
        .break_glass(signed(&denied, "cleo", 50), &denied, &people(), at(60))
        .unwrap()
        .clone();
    assert_eq!(glass.overdue(at(86_449)).count(), 0);
    assert_eq!(glass.overdue(at(86_450)).count(), 1);
    let later = signed(&denied, "ada", 86_460);
    let blocked = glass
        .break_glass(later.clone(), &denied, &people(), at(86_460))
        .map(drop);
    assert_eq!(
        blocked.unwrap_err().to_string(),
        "`1` reviews of earlier overrides are overdue, the oldest since `1970-01-02T00:00:50Z`; close them first"
    );
    let own = glass
        .close(closing(&review, "cleo", 100), &people(), at(100))
        .map(drop);
    assert!(matches!(own, Err(ApprovalError::OwnReview { .. })));
    let unfit = glass
        .close(closing(&review, "ada", 100), &people(), at(100))
        .map(drop);
    assert!(matches!(unfit, Err(ApprovalError::WrongRole { .. })));
    let early = glass
        .close(closing(&review, "dan", 49), &people(), at(100))
        .map(drop);
    assert!(matches!(early, Err(ApprovalError::WrongTime { .. })));
    let closed = glass
        .close(closing(&review, "dan", 86_460), &people(), at(86_460))
        .unwrap();
    assert_eq!(closed.verify(&people()), Ok(()));
    let again = glass
        .close(closing(&review, "dan", 86_460), &people(), at(86_460))
        .map(drop);
    assert!(matches!(again, Err(ApprovalError::NoSuchReview { .. })));
    assert!(
        glass
            .break_glass(later, &denied, &people(), at(86_460))
            .is_ok()
    );
    glass.forget_closed(at(86_460));
    assert_eq!(glass.reviews().len(), 1);
}

#[test]
fn without_anybody_to_review_the_glass_holds() {
    let denied = decision("soft-mandatory", 0.5);
    let alone = People::new(
        people()
            .iter()
            .filter(|person| person.id() == "cleo")
            .cloned(),
    );
    let refused = glass()
        .break_glass(
            signed(&denied, "cleo", 50),
            &denied,
            &alone.unwrap(),
            at(60),
        )
        .map(drop);
    assert!(matches!(refused, Err(ApprovalError::Unreachable { .. })));
}

#[test]
fn a_store_cannot_stretch_an_override_or_close_a_review_for_its_author() {
    let denied = decision("soft-mandatory", 0.5);
    let mut glass = glass();
    let review = glass
        .break_glass(signed(&denied, "cleo", 50), &denied, &people(), at(60))
        .unwrap()
        .clone();
    let json = serde_json::to_value(&glass).unwrap();
    assert_eq!(
        serde_json::from_value::<BreakGlass>(json.clone()).unwrap(),
        glass
    );
    let mut longer = json.clone();
    longer["reviews"][0]["valid_until"] = "2026-01-01T00:00:00Z".into();
    assert!(serde_json::from_value::<BreakGlass>(longer).is_err());
    let mut own = json.clone();
    own["reviews"][0]["closing"] = serde_json::to_value(closing(&review, "cleo", 70)).unwrap();
    assert!(serde_json::from_value::<BreakGlass>(own).is_err());
    let mut forged = json;
    let closed = serde_json::to_value(closing(&review, "dan", 70)).unwrap();
    forged["reviews"][0]["closing"] = closed;
    forged["reviews"][0]["closing"]["content"]["finding"] = "unjustified".into();
    let read: BreakGlass = serde_json::from_value(forged).unwrap();
    let verdict = read.reviews()[0].verify(&people());
    assert!(matches!(verdict, Err(ApprovalError::BadSignature { .. })));
}

#[test]
fn an_override_written_into_the_store_opens_nothing() {
    let denied = decision("soft-mandatory", 0.5);
    let mut glass = glass();
    glass
        .break_glass(signed(&denied, "ada", 50), &denied, &people(), at(60))
        .unwrap();
    let mut json = serde_json::to_value(&glass).unwrap();
    json["reviews"][0]["overridden"]["content"]["target"] = "churn".into();
    let read: BreakGlass = serde_json::from_value(json).unwrap();
    assert!(
        read.effective(&denied, "churn", &people(), at(60))
            .is_none()
    );
}
