use noops_core::Share;

use super::*;
use crate::fact::{FactDecl, FactSchema, FactState, Facts};

fn free() -> Governor {
    Governor::new(GovernorSettings::default())
}

#[test]
fn a_permit_issued_before_the_kill_is_refused_at_execution() {
    let mut governor = free();
    let permit = governor
        .authorise(&request(Action::Promote, &["a"], 1), at(0))
        .unwrap();
    governor.kill();
    let refusal = governor.execute(permit, at(0)).unwrap_err();
    assert_eq!(refusal.reason(), &RefusalReason::KillSwitch);
}

#[test]
fn a_permit_issued_before_the_kill_stays_refused_after_a_resume() {
    let mut governor = free();
    let permit = governor
        .authorise(&request(Action::Promote, &["a"], 1), at(0))
        .unwrap();
    governor.kill();
    governor.resume();
    let json = serde_json::to_string(&governor).unwrap();
    let governor: Governor = serde_json::from_str(&json).unwrap();
    let refusal = governor.execute(permit, at(0)).unwrap_err();
    assert!(matches!(
        refusal.reason(),
        RefusalReason::PermitLapsed { .. }
    ));
}

#[test]
fn a_permit_of_a_leader_who_was_overtaken_is_refused_at_execution() {
    let mut governor = free();
    let paused = governor
        .authorise(&request(Action::Promote, &["a"], 1), at(0))
        .unwrap();
    let next = ActionRequest::new(
        Action::Rollback,
        Targets::one("a").unwrap(),
        FencingToken::new(2),
        Intent::new(Digest::of(b"policies"), "6", 2),
    );
    let permit = governor.authorise(&next, at(1)).unwrap();
    let refusal = governor.execute(paused, at(2)).unwrap_err();
    assert!(matches!(refusal.reason(), RefusalReason::Fenced(_)));
    assert_eq!(governor.execute(permit, at(2)).unwrap().actions().len(), 1);
    let before = governor.clone();
    let stale = governor.authorise(&request(Action::Promote, &["b"], 3), at(3));
    assert_eq!(
        stale.unwrap_err().to_string(),
        "promote of `b` is refused: fencing token `1` is older than `2`; stop, and acquire the lease again"
    );
    assert_eq!(governor, before);
}

#[test]
fn a_permit_lapses_and_is_worth_nothing_elsewhere() {
    let settings = GovernorSettings::default().with_permit_life(seconds(10));
    let mut governor = Governor::new(settings);
    for (epoch, wait, good) in [(1, 9, true), (2, 10, false)] {
        let start = at(100 * i64::try_from(epoch).unwrap());
        let permit = governor
            .authorise(&request(Action::Promote, &["a"], epoch), start)
            .unwrap();
        let now = after(start, seconds(wait));
        assert_eq!(governor.execute(permit, now).is_ok(), good);
    }
    let permit = governor
        .authorise(&request(Action::Promote, &["a"], 3), at(900))
        .unwrap();
    let refusal = free().execute(permit, at(900)).unwrap_err();
    assert!(matches!(
        refusal.reason(),
        RefusalReason::PermitLapsed { .. }
    ));
}

#[test]
fn a_repeated_key_is_recognised_whoever_asks_and_whenever() {
    let mut governor = free();
    let first = request(Action::Promote, &["a", "b"], 1);
    let permit = governor.authorise(&first, at(0)).unwrap();
    assert_eq!(permit.key(), first.key());
    let again = ActionRequest::new(
        Action::Promote,
        Targets::new(["b", "a"]).unwrap(),
        FencingToken::new(9),
        first.intent().clone(),
    );
    let refusal = governor.authorise(&again, at(5)).unwrap_err();
    assert_eq!(
        refusal.reason(),
        &RefusalReason::Repeated {
            key: first.key(),
            at: at(0)
        }
    );
    let json = serde_json::to_string(&governor).unwrap();
    let mut resumed: Governor = serde_json::from_str(&json).unwrap();
    assert_eq!(resumed, governor);
    assert!(resumed.authorise(&first, at(6)).is_err());
}

#[test]
fn the_key_depends_on_each_of_its_parts_and_on_their_boundaries() {
    let make = |action, targets: &[&str], policy: &[u8], desired: &str, epoch| {
        ActionRequest::new(
            action,
            Targets::new(targets.iter().copied()).unwrap(),
            FencingToken::new(1),
            Intent::new(Digest::of(policy), desired, epoch),
        )
        .key()
    };
    let keys = [
        make(Action::Promote, &["a"], b"p", "7", 1),
        make(Action::Ramp, &["a"], b"p", "7", 1),
        make(Action::Promote, &["b"], b"p", "7", 1),
        make(Action::Promote, &["a", "b"], b"p", "7", 1),
        make(Action::Promote, &["ab"], b"p", "7", 1),
        make(Action::Promote, &["a"], b"q", "7", 1),
        make(Action::Promote, &["a"], b"p", "8", 1),
        make(Action::Promote, &["a"], b"p", "7", 2),
    ];
    let different: std::collections::BTreeSet<_> = keys.iter().collect();
    assert_eq!(different.len(), keys.len());
}

#[test]
fn a_dry_run_gets_the_same_answer_and_plan_and_spends_nothing() {
    let settings = GovernorSettings::default().with_cooldown(Action::Promote, seconds(10));
    let mut governor = Governor::new(settings);
    let live = request(Action::Promote, &["a", "b"], 1);
    let dry = live.clone().with_mode(Mode::DryRun);
    let before = governor.clone();
    let rehearsed = governor.authorise(&dry, at(0)).unwrap();
    assert_eq!(governor, before);
    let permit = governor.authorise(&live, at(0)).unwrap();
    assert_eq!(rehearsed.plan(), permit.plan());
    let (rehearsed, begun) = (
        governor.execute(rehearsed, at(0)).unwrap(),
        governor.execute(permit, at(0)).unwrap(),
    );
    assert_eq!(rehearsed.plan(), begun.plan());
    assert_eq!((rehearsed.actions().len(), begun.actions().len()), (0, 2));
    let next = request(Action::Promote, &["a", "b"], 2);
    let dry = next.clone().with_mode(Mode::DryRun);
    assert_eq!(
        governor.authorise(&dry, at(1)).unwrap_err(),
        governor.authorise(&next, at(1)).unwrap_err()
    );
}

#[test]
fn stale_and_unusable_facts_hold_back_everything_but_messages() {
    let settings = GovernorSettings::default().with_max_fact_age(seconds(60));
    let mut governor = Governor::new(settings);
    let basis = |second| FactBasis::new(Digest::ZERO, at(second));
    let ask = |epoch, second| request(Action::Rollback, &["a"], epoch).with_facts(basis(second));
    let permit = governor.authorise(&ask(1, 0), at(60)).unwrap();
    let refusal = governor.execute(permit, at(61)).unwrap_err();
    assert_eq!(
        refusal.to_string(),
        "rollback of `a` rests on facts of `1970-01-01T00:00:00Z`; measure and decide again"
    );
    assert!(governor.authorise(&ask(2, 122), at(61)).is_err());
    let refusal = governor.check(Action::Rollback, "a", at(61)).unwrap_err();
    assert_eq!(refusal.reason(), &RefusalReason::NoFacts);
    assert!(governor.check(Action::Escalate, "a", at(61)).is_ok());
}

#[test]
fn the_declared_age_of_a_fact_counts_at_execution() {
    let schema = FactSchema::new(vec![
        FactDecl::double("psi").with_max_age(seconds(30)),
        FactDecl::int("n"),
    ])
    .unwrap();
    let mut facts = Facts::new(&schema);
    facts.set("psi", 0.3, at(0)).unwrap();
    let mut governor = free();
    let ask = |epoch, names: &[&str], second| {
        request(Action::Promote, &["a"], epoch).with_facts(FactBasis::of(&facts, names, at(second)))
    };
    let permit = governor.authorise(&ask(1, &["psi"], 30), at(30)).unwrap();
    assert!(governor.execute(permit, at(31)).is_err());
    for (names, state) in [(["n"], FactState::Missing), (["psi"], FactState::Stale)] {
        let refusal = governor.authorise(&ask(2, &names, 31), at(31)).unwrap_err();
        assert_eq!(
            refusal.reason(),
            &RefusalReason::FactUnusable {
                fact: names[0].to_owned(),
                state
            }
        );
    }
}

#[test]
fn chains_of_actions_that_cause_actions_end() {
    let mut governor = Governor::new(GovernorSettings::default().with_max_depth(2));
    let mut ask = request(Action::Retrain, &["a"], 0);
    for depth in 0..=2 {
        let permit = governor.authorise(&ask, at(0)).unwrap();
        assert_eq!(permit.request().depth(), depth);
        ask = request(Action::Retrain, &["a"], u64::from(depth) + 1).with_cause(permit.cause());
    }
    let refusal = governor.authorise(&ask, at(0)).unwrap_err();
    assert_eq!(
        refusal.reason(),
        &RefusalReason::TooDeep { depth: 3, limit: 2 }
    );
}

#[test]
fn after_three_automatic_rollbacks_in_a_day_a_person_must_approve() {
    let day = seconds(86_400);
    let settings = GovernorSettings::default().with_automatic(Action::Rollback, 3, day);
    let mut governor = Governor::new(settings);
    let ask = |epoch| request(Action::Rollback, &["a"], epoch);
    for epoch in 0..3 {
        assert!(governor.authorise(&ask(epoch), at(0)).is_ok());
    }
    let refusal = governor.authorise(&ask(3), at(1)).unwrap_err();
    assert_eq!(
        refusal.to_string(),
        "rollback of `a` needs a person's approval after `3` in `86400s`; wait until `1970-01-02T00:00:00Z`"
    );
    assert!(
        governor
            .authorise(&ask(3).with_approval(" "), at(1))
            .is_err()
    );
    assert!(
        governor
            .authorise(&ask(3).with_approval("ada"), at(1))
            .is_ok()
    );
    assert!(governor.authorise(&ask(4), at(86_399)).is_err());
    assert!(governor.authorise(&ask(4), at(86_400)).is_ok());
}

#[test]
fn repeated_remediation_backs_off_and_recovers_after_quiet() {
    let backoff = Backoff::new(seconds(10), 3, seconds(60))
        .unwrap()
        .with_quiet(seconds(100));
    let settings = GovernorSettings::default().with_backoff(Action::Retrain, backoff);
    let mut governor = Governor::new(settings);
    let mut now = 0;
    for pause in [10, 30, 60, 60] {
        governor.record(Action::Retrain, "a", at(now));
        assert!(governor.check(Action::Retrain, "b", at(now)).is_ok());
        let last = at(now + pause - 1);
        assert!(governor.check(Action::Retrain, "a", last).is_err());
        now += pause;
        assert!(governor.check(Action::Retrain, "a", at(now)).is_ok());
    }
    governor.record(Action::Retrain, "a", at(now + 100));
    assert!(governor.check(Action::Retrain, "a", at(now + 110)).is_ok());
}

#[test]
fn the_blast_radius_counts_different_targets_and_shares_of_the_fleet() {
    let radius = BlastRadius::new(3, seconds(100)).with_share(Share::from_ratio(0.1).unwrap());
    let settings = GovernorSettings::default().with_blast_radius(ActionClass::Change, radius);
    let mut governor = Governor::new(settings);
    let ask = |targets: &[&str], epoch, size| {
        let fleet = Fleet::new("all", size, size, at(0)).unwrap();
        request(Action::Promote, targets, epoch).with_fleet(fleet)
    };
    let wide = governor.authorise(&ask(&["a", "b", "c", "d"], 1, 90), at(0));
    assert_eq!(
        wide.unwrap_err().to_string(),
        "promote of `a, b, c and 1 more` reaches more than `3` targets of change actions in `100s`; split the action or raise the limit"
    );
    let small = governor.authorise(&ask(&["a", "b"], 1, 19), at(0));
    assert!(matches!(
        small.unwrap_err().reason(),
        RefusalReason::BlastRadius { targets: 1, .. }
    ));
    assert!(governor.authorise(&ask(&["a", "b"], 1, 90), at(0)).is_ok());
    // The same ones again are no further ones.
    assert!(governor.authorise(&ask(&["a", "b"], 2, 90), at(50)).is_ok());
    assert!(governor.authorise(&ask(&["c"], 3, 90), at(50)).is_ok());
    let refusal = governor
        .authorise(&ask(&["d"], 4, 90), at(120))
        .unwrap_err();
    assert!(matches!(
        refusal.reason(),
        RefusalReason::BlastRadius { until: Some(until), .. } if *until == at(150)
    ));
    assert!(governor.authorise(&ask(&["d"], 4, 90), at(150)).is_ok());
}
